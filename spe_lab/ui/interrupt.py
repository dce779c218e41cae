"""Jupyter's stop button for work that runs beside an idle kernel."""

import asyncio
import signal
import threading
from typing import Any

from spe_lab.core.cancel import Cancel


def main_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop of the thread that runs cells; None outside a notebook, where Ctrl-C reaches
    the waiting caller.
    """
    try:
        return asyncio.get_running_loop() if threading.current_thread() is threading.main_thread() else None
    except RuntimeError:
        return None


def cancel_on_interrupt(cancel: Cancel, loop: asyncio.AbstractEventLoop | None) -> None:
    """Makes the next interrupt of an idle kernel set `cancel`; `loop` is the main thread's, from `main_loop`.

    An idle ipykernel ignores SIGINT, and restores that after each message that its main thread has handled; widgets'
    messages may come in another thread, which must not touch signals. So the handler is set from the main thread's
    event loop, between messages. It stays until another replaces it, and then sets a flag that nobody looks at any
    more.
    """

    def handle(_signal: int, _frame: Any) -> None:
        cancel.set()

    if loop is not None and loop.is_running():
        loop.call_soon_threadsafe(signal.signal, signal.SIGINT, handle)
