"""Work in a background thread: one piece at a time, which can be cancelled and waited for."""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable

from spe_lab.core.cancel import Cancel
from spe_lab.ui.interrupt import cancel_on_interrupt


class Background:
    """A thread for one piece of work at a time; an interrupt of the cells' event `loop` cancels it."""

    def __init__(self, name: str, loop: AbstractEventLoop | None) -> None:
        self.cancelled = Cancel()
        self._name, self._loop = name, loop
        # Not Thread.is_alive: before Python 3.13, an interrupted join marks a running thread as dead.
        self._ended = threading.Event()
        self._ended.set()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def start(self, work: Callable[[Cancel], None]) -> None:
        """Run `work(cancel)` in a new thread. Earlier work must have ended."""
        self.cancelled = Cancel()
        self._ended.clear()
        thread = threading.Thread(target=self._run, args=(work, self.cancelled), daemon=True, name=self._name)
        cancel_on_interrupt(self.cancelled, self._loop)
        thread.start()

    def _run(self, work: Callable[[Cancel], None], cancel: Cancel) -> None:
        try:
            work(cancel)
        finally:
            self._ended.set()

    def cancel(self) -> None:
        """Ask the work to end, and return at once."""
        self.cancelled.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the work has ended; True if it has. An interrupt is noticed within 0.1 s."""
        if timeout_s is not None:
            return self._ended.wait(timeout_s)
        while not self._ended.wait(0.1):
            continue
        return True
