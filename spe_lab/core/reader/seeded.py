"""Exercises whose numbers are drawn for each reader: `Seeded`, and the seed and draws behind the numbers.

The numbers follow from the reader's seed, the exercise's id and the draw, so that a restarted kernel asks the same
question. The journal keeps seed and draws. In short runs and in the book the seed is FIXED and nothing is kept.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError
from spe_lab.core.mode import building_book, quick
from spe_lab.core.reader import journal

if TYPE_CHECKING:
    from spe_lab.core.reader.exercise import Exercise

FIXED = 1  # the seed of short runs, of the book, and of readers whose journal cannot be read
_MOST_TRIES = 100


@dataclass(frozen=True)
class Seeded:
    """An exercise whose numbers are drawn: `make(rng)` returns the Exercise with numbers from `rng`.

    `make` must use `rng` for every choice, write the numbers into the question, and judge by them.
    """

    make: Callable[[random.Random], "Exercise"]
    id: str | None = None

    def exercise(self, seed: int, draw: int = 0) -> "Exercise":
        """Return the exercise of this seed and draw."""
        return replace(self.make(random.Random(f"{seed} {self.id} {draw}")), id=self.id, draw=draw)

    def next_draw(self, seed: int, draw: int) -> int:
        """Return the next draw whose question differs from the question of `draw`."""
        asked = self.exercise(seed, draw).question
        for following in range(draw + 1, draw + _MOST_TRIES):
            if self.exercise(seed, following).question != asked:
                return following
        raise SpeLabError(f"{self.id} must draw different numbers, got the same question {_MOST_TRIES} times")


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
