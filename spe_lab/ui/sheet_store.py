"""The sheets of the most recently used figures.

A sheet takes about 5 MB, so a process keeps a few; other figures are drawn again when needed. Python can finalize an
unused figure in any thread and at any moment, also while another figure is drawn. So the finalizer only stores the
figure's number, and the next frame closes its sheet. All methods are called under the lock (ui/page_lock.py).
"""

import gc
import itertools
import weakref
from collections import OrderedDict, deque

from spe_lab.ui.page_lock import locked
from spe_lab.ui.sheet import Sheet

MOST = 10
LEFT_OF_SHEET, LEFT_OF_DRESS, MANY = 5000, 1000, 40_000  # objects in reference cycles, about


class SheetStore:
    """Sheets by the numbers of their figures. `left` counts objects that wait for Python's collector."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.left = 0
        self._sheets: OrderedDict[int, Sheet] = OrderedDict()  # the most recently used one is the last
        self._ended: deque[int] = deque()  # numbers of finalized figures
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._sheets)

    def number(self, figure: object) -> int:
        """Return a number for `figure`; its sheet is closed after the figure's end."""
        number = next(self._numbers)
        weakref.finalize(figure, self._ended.append, number)
        return number

    def get(self, number: int) -> Sheet | None:
        return self._sheets.get(number)

    def take(self, number: int) -> Sheet | None:
        """Remove and return the sheet of this figure, to be kept again."""
        self.close_ended()
        return self._sheets.pop(number, None)

    def keep(self, number: int, sheet: Sheet) -> None:
        """Store the sheet of this figure; if there are too many, close the least recently used one."""
        self._sheets[number] = sheet
        while len(self._sheets) > self.most:
            self._close(next(iter(self._sheets)))

    def close_ended(self) -> None:
        """Close the sheets of finalized figures."""
        while self._ended:
            self._close(self._ended.popleft())

    def dressed_anew(self) -> None:
        """Count the artists that a sheet has replaced."""
        self.left += LEFT_OF_DRESS

    @locked
    def collect(self) -> None:
        """Run Python's collector if sheets have left many objects. For the end of a measurement.

        Otherwise the collector would run within some frame, when a quarter of all objects is new, for a third of a
        second.
        """
        self.close_ended()
        if self.left >= MANY:
            self.left = 0
            gc.collect()

    def _close(self, number: int) -> None:
        if sheet := self._sheets.pop(number, None):
            sheet.close()
            self.left += LEFT_OF_SHEET


STORE = SheetStore()
