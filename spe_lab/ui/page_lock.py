"""One lock for all pages: a page's messages, a measurement's frames and all drawing are served one at a time.

A kernel serves a page in two threads: the main one, which also runs cells, and the one that JupyterLab asks for so that
sliders answer meanwhile. ipykernel 7.4 takes, for each widget, the one that wrote to it last: a slider and a button of
one page are served at once. ipywidgets, traitlets and matplotlib are made for one thread; a preset that was pressed
while a slider was still being dragged left the page and the kernel with different values for good.

Every function that touches an object of matplotlib holds the lock, also outside of a page (`locked`).
"""

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    import ipywidgets as widgets

OVERTAKEN_S = 0.5  # the page sends what it holds back as soon as it has the answer to what came before
TURN = threading.RLock()  # of all pages together: matplotlib's caches are shared
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
    """The page, with what it sends served one message at a time, and between what others do `with TURN`."""
    for widget in _parts(page):
        widget.comm.on_msg(_Served(widget))
    return page


def _parts(widget: "widgets.Widget") -> "Iterator[widgets.Widget]":
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _parts(child)


class _Served:
    def __init__(self, widget: "widgets.Widget") -> None:
        self._handle = widget._handle_msg

    def __call__(self, message: dict[str, Any]) -> None:
        with TURN:
            _thread.serving = True
            try:
                self._handle(message)
            finally:
                _thread.serving = False


class Overtaken:
    """Tells a move that a press of a button has overtaken from one after it.

    ipywidgets keeps a slider's newest value in the page until the kernel has answered for the one before; a press does
    not wait. So a slider that is moving when a button is pressed may have one value left, which comes after the press.
    """

    def __init__(self) -> None:
        self._moved: dict[Hashable, float] = {}  # by the page, when
        self._pressed, self._awaited = -math.inf, set[Hashable]()

    def pressed(self) -> None:
        """A button was."""
        self._pressed = time.monotonic()
        self._awaited = {slider for slider, at in self._moved.items() if self._pressed - at < OVERTAKEN_S}

    def by_press(self, slider: Hashable) -> bool:
        """Whether this move of `slider` was; to be asked at each move. Code that sets a slider overtakes nothing."""
        if not getattr(_thread, "serving", False):
            return False
        now = self._moved[slider] = time.monotonic()
        late = slider in self._awaited and now - self._pressed < OVERTAKEN_S
        self._awaited.discard(slider)
        return late
