"""One at a time: what a page sends, what a measurement draws, and what a cell changes.

A kernel serves a page in two threads: the main one, which also runs cells, and the one that JupyterLab asks for so that sliders
answer meanwhile. ipykernel 7.4 takes, for each widget, the one that wrote to it last: a slider and a button of one page are
served at once. ipywidgets, traitlets and matplotlib are made for one thread; a preset that was pressed while a slider was
still being dragged left the page and the kernel with different values for good.
"""

import math
import threading
import time
from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ipywidgets as widgets

OVERTAKEN_S = 0.5  # after a press; the page sends what it holds back as soon as the kernel has answered what came before
TURN = threading.RLock()  # of all pages together: matplotlib's caches are shared
_thread = threading.local()


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

    ipywidgets keeps a slider's newest value in the page until the kernel has answered for the one before; a press does not
    wait. So for each slider one value may come after a press that was set before it.
    """

    def __init__(self) -> None:
        self._since = -math.inf
        self._awaited: set[Hashable] = set()

    def pressed(self, sliders: Iterable[Hashable]) -> None:
        """A button was: moves of `sliders` that the page makes at once belong before it."""
        self._since, self._awaited = time.monotonic(), set(sliders)

    def by_press(self, slider: Hashable) -> bool:
        """Whether the move that is being served is such a one; code that sets a slider overtakes nothing."""
        late = getattr(_thread, "serving", False) and slider in self._awaited and time.monotonic() - self._since < OVERTAKEN_S
        self._awaited.discard(slider)
        return late
