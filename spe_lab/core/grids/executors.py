"""Run tasks on any executor of concurrent.futures; each is answered once, although workers may die.

Executors report a dead worker in different ways: a process pool breaks all its futures, Dask cancels some, IPython
Parallel has errors of its own. So a task's own error is returned as a value (`_attempt`). An exception from an executor
means that the task was lost; it is submitted again. The first future with an answer completes a task.

A task that was lost while others ran may not be the cause. For its last try it runs alone; if it is lost again, the
error names it.
"""

import multiprocessing
import os
import secrets
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from ctypes import c_int32
from multiprocessing.sharedctypes import RawValue
from typing import Any

from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import cpus

TRIES = 3
AT_ONCE = 64  # tasks submitted to an executor of unknown size: enough for 32 workers, and few to repeat if it breaks
BUILT_IN = ("threads", "processes")
_LOOK_S = 0.1  # interval between checks of `cancel`

Task = Any
Workers = Executor | Callable[[], Executor] | str | None


def answers(
    function: Callable[[Task, Cancel], Any],
    tasks: Sequence[Task],
    executor: Workers = None,
    *,
    named: Callable[[Task], str] = repr,
    cancel: Cancel | None = None,
    tries: int = TRIES,
    at_once: int | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield (task index, function(task, cancel)) as tasks finish; stop once `cancel` is set.

    - executor: None (one after the other in this thread), "threads", "processes", an Executor, or a function that makes
      one. An executor made here is replaced if it breaks, and shut down at the end.
    - named: the name of a task for errors
    - tries: how often a task may be lost before that is an error
    - at_once: tasks submitted at the same time; by default what suits the executor

    Other processes must be able to import the function and to unpickle tasks. A program that starts "processes" needs
    `if __name__ == "__main__":`, since each process imports it. An error of the function ends the whole call.

    >>> sorted(answers(lambda task, cancel: task * task, [3, 4, 5], "threads"))
    [(0, 9), (1, 16), (2, 25)]
    """
    if not isinstance(tries, int) or tries < 2:
        rule = "tries must be a whole number of at least 2, since a task need not be the cause of its worker's death"
        raise SpeLabError(f"{rule}, got {tries!r}; write 3")
    if at_once is not None and (not isinstance(at_once, int) or at_once < 1):
        raise SpeLabError(f"at_once must be a whole number of at least 1, got {at_once!r}; leave it out")
    return _answers(function, tasks, _Pool(executor, Cancel() if cancel is None else cancel, at_once), named, tries)


def _answers(
    function: Callable, tasks: Sequence[Task], pool: "_Pool", named: Callable[[Task], str], tries: int
) -> Iterator[tuple[int, Any]]:
    waiting, errand = deque(range(len(tasks))), secrets.token_hex(4)
    running: dict[Future, tuple[int, Executor]] = {}
    lost: Counter[int] = Counter()

    def may_start() -> bool:
        alone = any(lost[task] >= tries - 1 for task in (waiting[0], *(task for task, _ in running.values())))
        return len(running) < (1 if alone else pool.at_once)

    def lose(task: int, error: Exception) -> None:
        lost[task] += 1
        if lost[task] >= tries:
            reason = f"{type(error).__name__}: {error}".strip().split("\n")[0].rstrip(": .")
            fault = f"{named(tasks[task])} was lost {tries} times, the last time with nothing beside it ({reason})"
            cure = "look for a crash there, for too little memory, or for a module that a worker cannot import"
            raise SpeLabError(f"{fault}; {cure}") from error
        waiting.appendleft(task)

    try:
        while (waiting or running) and not pool.cancel.is_set():
            while waiting and may_start():
                task = waiting.popleft()
                try:
                    # Dask reserves some keywords, hence positions. It also returns the old result for an equal call,
                    # even an error, hence a name of its own for each attempt.
                    future = pool.submit(_attempt, function, tasks[task], pool.stop, f"{errand}-{task}-{lost[task]}")
                except Exception as error:
                    pool.renew_if_broken(error, pool.executor)
                    lose(task, error)
                else:
                    running[future] = task, pool.executor
            for future in wait(running, _LOOK_S, FIRST_COMPLETED).done:
                task, of = running.pop(future)
                try:
                    outcome = future.result()
                except Exception as error:
                    pool.renew_if_broken(error, of)
                    lose(task, error)
                    continue
                if pool.cancel.is_set():
                    return  # the answer may be of a task that was cut short
                yield task, _opened(outcome, named(tasks[task]))
    finally:
        for future in running:
            future.cancel()
        pool.close()


class _Pool:
    """An executor, replaced if it breaks and was made here."""

    def __init__(self, executor: Workers, cancel: Cancel, at_once: int | None) -> None:
        self.cancel = cancel  # the caller's
        self.stop = Cancel()  # ours: ends running tasks after an error or the caller's cancel
        self.make: Callable[[], Executor] | None  # None: the executor is the caller's
        self.executor: Executor | None = None
        cores = cpus.current().cores
        if executor is None:
            self.make, fitting = _Here, 1
            self.stop = cancel  # the task itself must check it, as this thread is busy
        elif executor == "threads":
            self.make, fitting = lambda: ThreadPoolExecutor(cores), cores
        elif executor == "processes":
            shared = self.stop.flag = RawValue(c_int32)
            self.make, fitting = (
                lambda: ProcessPoolExecutor(cores, multiprocessing.get_context("spawn"), _begin, (shared,)),
                2 * cores,
            )
        elif isinstance(executor, Executor):
            self.make, self.executor, fitting = None, executor, AT_ONCE
        elif callable(executor):
            self.make, fitting = executor, AT_ONCE
        else:
            rule = f"executor must be None, {', '.join(map(repr, BUILT_IN))} or an Executor of concurrent.futures"
            dask, parallel = "client.get_executor(pure=False)", "client.load_balanced_view().executor"
            raise SpeLabError(f"{rule}, got {executor!r}; of Dask, give {dask}, of IPython Parallel {parallel}")
        self.at_once = fitting if at_once is None else at_once

    def submit(self, *call: Any) -> Future:
        if self.executor is None:
            self.executor = self.make()
        return self.executor.submit(*call)

    def renew_if_broken(self, error: Exception, executor: Executor) -> None:
        """Drop a broken executor, so that the next task makes another one."""
        if self.make and isinstance(error, BrokenExecutor) and executor is self.executor:
            executor.shutdown(wait=True, cancel_futures=True)
            self.executor = None

    def close(self) -> None:
        """Shut down an executor made here, and set `stop` for tasks that still run."""
        if self.make and self.executor:
            if self.stop is not self.cancel:
                self.stop.set()
            self.executor.shutdown(wait=True, cancel_futures=True)


class _Here(Executor):
    """Run each task at once in the calling thread."""

    def submit(self, function: Callable, /, *arguments: Any, **named: Any) -> Future:
        future: Future = Future()
        future.set_result(function(*arguments, **named))
        return future


_inherited: Cancel | None = None  # in a process of "processes": the flag that it shares with its parent


def _begin(flag: c_int32) -> None:
    """Initialise a process of "processes"."""
    global _inherited
    _inherited = Cancel()
    _inherited.flag = flag
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all processes; the parent ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process with its parent; otherwise it would wait for tasks for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _attempt(function: Callable, task: Task, cancel: Cancel, _name: str) -> tuple[str, Any]:
    """Run one task in a worker and return its answer or its error, so that only executors raise."""
    try:
        return "answer", function(task, _inherited or cancel)
    except Exception as error:
        # Other errors than our own may not survive pickling.
        portable = error if isinstance(error, SpeLabError) else SpeLabError(f"{type(error).__name__}: {error}")
        portable.add_note(traceback.format_exc())
        return "error", portable


def _opened(outcome: Any, name: str) -> Any:
    """Return the answer of an `_attempt`, or raise its error with the task's name."""
    match outcome:
        case ("answer", answer):
            return answer
        case ("error", error):
            raise type(error)(f"at {name}: {error}") from error
    rule = f"an executor must run each task once and return its answer, got {type(outcome).__name__}"
    raise SpeLabError(f"{rule}; of IPython Parallel, take client.load_balanced_view().executor")
