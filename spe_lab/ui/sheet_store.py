"""The sheets of the figures that were used last.

A sheet takes some 5 MB, so a process keeps a few, and a figure whose sheet went is drawn anew when it is needed. Python
ends a figure that nobody holds in any thread and at any moment, also while another figure is drawn. So that only notes
the figure's number, and the next frame closes its sheet. All methods are called under the lock (ui/page_lock.py).
"""

import gc
import itertools
import weakref
from collections import OrderedDict, deque

from spe_lab.ui.page_lock import locked
from spe_lab.ui.sheet import Sheet

MOST = 10
LEFT_OF_SHEET, LEFT_OF_DRESS, MANY = 5000, 1000, 40_000  # objects that refer to each other, about


class SheetStore:
    """Sheets by the numbers of their figures. `left` counts objects that wait for Python's collector."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.left = 0
        self._sheets: OrderedDict[int, Sheet] = OrderedDict()  # the one used last at the end
        self._ended: deque[int] = deque()  # numbers of figures that Python has ended
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._sheets)

    def number(self, figure: object) -> int:
        """Return a number for `figure`, whose sheet goes after the figure."""
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
        """Store the sheet of this figure, and close the one that was not used for longest if there are too many."""
        self._sheets[number] = sheet
        while len(self._sheets) > self.most:
            self._close(next(iter(self._sheets)))

    def close_ended(self) -> None:
        """Close the sheets of figures that Python has ended."""
        while self._ended:
            self._close(self._ended.popleft())

    def dressed_anew(self) -> None:
        """Count the artists that a sheet has replaced by others."""
        self.left += LEFT_OF_DRESS

    @locked
    def collect(self) -> None:
        """Have Python collect what sheets and their artists leave behind, where that has become much.

        By itself it comes when a quarter of all objects is new, for a third of a second, in whatever frame that is;
        this is for the end of a measurement.
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
