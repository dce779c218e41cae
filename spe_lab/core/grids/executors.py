"""Tasks on any executor of concurrent.futures, each answered exactly once, though workers may be lost on the way.

What an executor does to a future tells little: a process pool breaks all its futures when one worker dies, Dask cancels
some, IPython Parallel has errors of its own. So a task's own error comes back as a value (`_attempt`), and whatever an
executor raises is a loss: the task is handed out again. A task is counted by the future that answers it, and by none
after that.

A task that was lost with others beside it may be innocent. Before the last try it waits until it can run alone; what is
lost then is lost by itself, and its name is told.
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
AT_ONCE = 64  # tasks that an executor of unknown size holds: enough for 32 workers, and few to do again if it breaks
BUILT_IN = ("threads", "processes")
_LOOK_S = 0.1  # between looks at `cancel`

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
    """Yields (index of the task, function(task, cancel)) as they come; ends early, without what is unfinished, once
    `cancel` is set.

    `executor`: None (here, one after the other), "threads", "processes", any Executor, or a function that makes one:
    what was made by name or by a function is made anew when it breaks, and shut down in the end. Function, tasks and
    answers must be picklable for other processes, and the function importable there. A program that starts "processes"
    guards its main part by `if __name__ == "__main__":`, since each process reads it.

    What the function raises ends all with that error, `named(task)` before it. So does a task that was lost `tries`
    times.

    >>> sorted(answers(lambda task, cancel: task * task, [3, 4, 5], "threads"))
    [(0, 9), (1, 16), (2, 25)]
    """
    if not isinstance(tries, int) or tries < 2:
        raise SpeLabError(
            "tries must be a whole number of at least 2, since a worker may die of something else than its task, got"
            f" {tries!r}; write 3"
        )
    if at_once is not None and (not isinstance(at_once, int) or at_once < 1):
        raise SpeLabError(
            f"at_once must be a whole number of at least 1, got {at_once!r}; leave it out for a fitting one"
        )
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
            said = f"{type(error).__name__}: {error}".strip().split("\n")[0].rstrip(": .")
            raise SpeLabError(
                f"{named(tasks[task])} was lost {tries} times, the last time with nothing beside it ({said}); "
                "look for a crash there, for too little memory, or for what a worker cannot import"
            ) from error
        waiting.appendleft(task)

    try:
        while (waiting or running) and not pool.cancel.is_set():
            while waiting and may_start():
                task = waiting.popleft()
                try:
                    # By position: Dask keeps some keywords for itself. With a name that no other attempt has: Dask
                    # takes equal calls for the same one, and would repeat an error for ever.
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
                    return  # an answer that was cut short looks like any other
                yield task, _opened(outcome, named(tasks[task]))
    finally:
        for future in running:
            future.cancel()
        pool.close()


class _Pool:
    """An executor, made anew where that can be done."""

    def __init__(self, executor: Workers, cancel: Cancel, at_once: int | None) -> None:
        self.cancel = cancel  # the caller's
        self.stop = Cancel()  # ours, for tasks that run while an error or the caller ends all
        self.make: Callable[[], Executor] | None  # None: the executor is the caller's
        self.executor: Executor | None = None
        cores = cpus.current().cores
        if executor is None:
            self.make, fitting = _Here, 1
            self.stop = cancel  # nobody else looks at the caller's meanwhile
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
            others = (
                "of Dask, give client.get_executor(pure=False), of IPython Parallel"
                " client.load_balanced_view().executor"
            )
            raise SpeLabError(f"{rule}, got {executor!r}; {others}")
        self.at_once = fitting if at_once is None else at_once

    def submit(self, *call: Any) -> Future:
        if self.executor is None:
            self.executor = self.make()
        return self.executor.submit(*call)

    def renew_if_broken(self, error: Exception, executor: Executor) -> None:
        """All futures of a broken executor say so; the first that is heard has another executor made."""
        if self.make and isinstance(error, BrokenExecutor) and executor is self.executor:
            executor.shutdown(wait=True, cancel_futures=True)
            self.executor = None

    def close(self) -> None:
        """Ends what was made here. Tasks that still run see `stop`."""
        if self.make and self.executor:
            if self.stop is not self.cancel:
                self.stop.set()
            self.executor.shutdown(wait=True, cancel_futures=True)


class _Here(Executor):
    """Answers in the thread that asks, before it goes on."""

    def submit(self, function: Callable, /, *arguments: Any, **named: Any) -> Future:
        future: Future = Future()
        future.set_result(function(*arguments, **named))
        return future


_inherited: Cancel | None = None  # in a process of "processes": the flag that it shares with the process that asks


def _begin(flag: c_int32) -> None:
    """Begins a process of "processes"."""
    global _inherited
    _inherited = Cancel()
    _inherited.flag = flag
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the one that asks ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool's processes would wait for tasks for ever after the one that asks was killed."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _attempt(function: Callable, task: Task, cancel: Cancel, _name: str) -> tuple[str, Any]:
    """What a worker runs: the task's own error is an answer as well, and any other error is the executor's."""
    try:
        return "answer", function(task, _inherited or cancel)
    except Exception as error:
        # Only our own errors are known to survive the way through pickle.
        told = error if isinstance(error, SpeLabError) else SpeLabError(f"{type(error).__name__}: {error}")
        told.add_note(traceback.format_exc())
        return "error", told


def _opened(outcome: Any, name: str) -> Any:
    match outcome:
        case ("answer", answer):
            return answer
        case ("error", error):
            raise type(error)(f"at {name}: {error}") from error
    cure = "of IPython Parallel, take client.load_balanced_view().executor, which gives a task to one engine"
    raise SpeLabError(
        f"an executor must run each task once and give back its answer, got {type(outcome).__name__}; {cure}"
    )
