"""Jupyter's stop button for work that runs beside an idle kernel."""

import asyncio
import signal
import threading
from typing import Any

from spe_lab.core.cancel import Cancel


def main_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of the thread that runs cells; None outside a notebook."""
    try:
        return asyncio.get_running_loop() if threading.current_thread() is threading.main_thread() else None
    except RuntimeError:
        return None


def cancel_on_interrupt(cancel: Cancel, loop: asyncio.AbstractEventLoop | None) -> None:
    """Make the next interrupt of an idle kernel set `cancel`; `loop` comes from `main_loop`.

    An idle ipykernel ignores SIGINT, and does so again after each message that its main thread has handled. Messages of
    widgets may come in another thread, which must not set signal handlers. So the main thread's event loop sets the
    handler, between messages. The handler stays until another replaces it; after the work it does nothing.
    """

    def handle(_signal: int, _frame: Any) -> None:
        cancel.set()

    if loop is not None and loop.is_running():
        loop.call_soon_threadsafe(signal.signal, signal.SIGINT, handle)
