"""The seed and the draws behind the numbers of `Seeded` exercises.

The numbers follow from the reader's seed, the exercise's id and the draw, so that a restarted kernel asks the same
question. The journal keeps seed and draws. In short runs and in the book the seed is FIXED and nothing is kept.
"""

from spe_lab.core.errors import SpeLabError
from spe_lab.core.mode import building_book, quick
from spe_lab.core.reader import journal

FIXED = 1  # the seed of short runs, of the book, and of readers whose journal cannot be read


def is_fixed() -> bool:
    """Return True if every reader gets the same numbers: in short runs and in the book."""
    return quick() or building_book()


def reader_seed(keep: bool = False) -> int:
    """Return the reader's seed. Without one, `keep` draws it and keeps it in the journal; otherwise it is FIXED."""
    if is_fixed():
        return FIXED
    try:
        seed = journal.load().data["reader"]["seed"]
    except SpeLabError:
        return FIXED
    if seed is None and keep:
        seed, _ = journal.attempt(lambda kept: kept.seed(), None)
    return FIXED if seed is None else seed


def reader_draw(id: str | None) -> int:
    """Return how often the reader asked for new numbers in this exercise."""
    if is_fixed() or id is None:
        return 0
    try:
        return journal.load().draw(id)
    except SpeLabError:
        return 0


def keep_draw(id: str, draw: int) -> str:
    """Keep the draw in the journal; return why that failed, or nothing."""
    return "" if is_fixed() else journal.attempt(lambda kept: kept.set_draw(id, draw), None)[1]
