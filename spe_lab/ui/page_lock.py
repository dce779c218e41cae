"""One lock for all pages: it serialises page messages, a measurement's frames and all drawing.

A kernel serves a page in two threads: the main one, which also runs cells, and a second one for sliders while a cell
runs. ipykernel 7.4 uses, for each widget, the thread that wrote to it last; so a slider and a button of one page can be
served concurrently. ipywidgets, traitlets and matplotlib are not thread-safe: a preset pressed during a drag left page
and kernel with different values for good.

Every function that touches a matplotlib object holds the lock, also outside of a page (`locked`, and ui/drawing.py).
"""

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    import ipywidgets as widgets

OVERTAKEN_S = 0.5  # limit for a held-back value: the page sends it when the kernel has answered the one before
TURN = threading.RLock()  # one lock for all pages, since matplotlib's caches are shared
_thread = threading.local()
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def locked(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Run `function` under the lock."""

    @wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        with TURN:
            return function(*args, **kwargs)

    return call


def in_turn(page: "widgets.Box") -> "widgets.Box":
    """Handle the messages of a page one at a time, under the lock, and return the page."""
    for widget in _parts(page):
        widget.comm.on_msg(_Served(widget))
    return page


def _parts(widget: "widgets.Widget") -> "Iterator[widgets.Widget]":
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _parts(child)


class _Served:
    """A widget's message handler that runs under the lock."""

    def __init__(self, widget: "widgets.Widget") -> None:
        self._handle = widget._handle_msg

    def __call__(self, message: dict[str, Any]) -> None:
        with TURN:
            _thread.serving = True
            try:
                self._handle(message)
            finally:
                _thread.serving = False


def serving() -> bool:
    """Return True if this thread handles a message of a page, and not code of a cell."""
    return getattr(_thread, "serving", False)


class Overtaken:
    """Detects slider messages that are older than the last button press.

    The page holds back a slider's newest value until the kernel has answered the one before; a button press does not
    wait. So the last value of a moving slider can arrive after a press that came later.
    """

    def __init__(self) -> None:
        self._moved: dict[Hashable, float] = {}  # times of the page's last messages, by slider
        self._pressed, self._awaited = -math.inf, set[Hashable]()

    def pressed(self) -> None:
        """Call this when a button has been pressed."""
        self._pressed = time.monotonic()
        self._awaited = {slider for slider, at in self._moved.items() if self._pressed - at < OVERTAKEN_S}

    def by_press(self, slider: Hashable) -> bool:
        """Return True if this slider message is older than the last press. Call once per message.

        A slider set by code, outside of a message, is never older.
        """
        if not serving():
            return False
        now = self._moved[slider] = time.monotonic()
        late = slider in self._awaited and now - self._pressed < OVERTAKEN_S
        self._awaited.discard(slider)
        return late
