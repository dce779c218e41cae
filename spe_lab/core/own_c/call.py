"""Runs a function in a process of its own: a crash or an endless loop in a reader's C ends that process and nothing
else.
"""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from spe_lab.core.errors import SpeLabError


def call(function: Callable, *arguments: Any, timeout_s: float = 60.0) -> Any:
    """`function(*arguments)`, computed in a new process. The function must be importable and its arguments picklable.

    What it raises is raised here. A process that dies or takes longer than `timeout_s` raises SpeLabError.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy threads and their locks half-way
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(timeout_s):
            raise SpeLabError(
                f"the C code must end within {timeout_s:g} s and was still running; look for a loop that never ends"
            )
        try:
            succeeded, value = receiver.recv()
        except EOFError:
            process.join()
            raise SpeLabError(
                f"the C code crashed ({_ending(process.exitcode)}); look for a pointer or an index that leaves its"
                " array"
            ) from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if not succeeded:
        raise value
    return value


def _answer(sender: Connection, function: Callable, arguments: tuple) -> None:
    try:
        answer = (True, function(*arguments))
    except Exception as error:
        answer = (False, error)
    sender.send(answer)


def _ending(exit_code: int) -> str:
    return signal.Signals(-exit_code).name if exit_code < 0 else f"exit status {exit_code}"
