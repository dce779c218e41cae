"""How well a reader's ranges hold: of all that were committed in time and scored, how many held the measured interval?

A range is one that its reader is 90 % sure of. With n of them, the share that held says something about the reader
within the binomial interval of Clopper and Pearson (Biometrika 26, 1934).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from spe_lab.core.reader.journal import Journal

SURE = 0.9  # what a range is asked to hold with
CONFIDENCE = 0.95  # of the interval of the share
ENOUGH = 5  # ranges, before their widths are judged


@dataclass(frozen=True)
class Scored:
    """A committed range, and the interval that was measured."""

    lab: str
    asked: str
    unit: str
    low: float
    high: float
    value: float
    value_low: float
    value_high: float

    @property
    def hit(self) -> bool:
        return self.low <= self.value_high and self.high >= self.value_low

    @property
    def factor(self) -> float:
        """High over low: how wide the range is."""
        return self.high / self.low if self.low > 0 else math.inf

    @property
    def needed(self) -> float:
        """How many times as wide the range would have to be about its middle to meet what was measured; by ratio, where
        it does not begin at zero. Infinite where it has no width.
        """
        scale = math.log if min(self.low, self.value_low) > 0 else float
        low, high, near, far = (scale(each) for each in (self.low, self.high, self.value_low, self.value_high))
        middle, half = (low + high) / 2, (high - low) / 2
        distance = max(near - middle, middle - far, 0.0)
        return distance / half if half > 0 else (math.inf if distance > 0 else 0.0)


@dataclass(frozen=True)
class TrackRecord:
    ranges: Sequence[Scored]

    @classmethod
    def of(cls, journal: Journal) -> "TrackRecord":
        """From the predictions in a journal: ranges that count, in the order of their commitment."""
        found = []
        for entry in journal.predictions.values():
            committed, scored = entry["committed"], entry["scored"]
            if entry["kind"] != "range" or not committed or not scored:
                continue
            numbers = [
                *(committed["values"].get(end) for end in ("low", "high")),
                *(scored[each] for each in ("value", "low", "high")),
            ]
            if None not in numbers:
                found.append((committed["time"], Scored(entry["lab"], entry["asked"], entry["unit"], *numbers)))
        return cls([scored for _, scored in sorted(found, key=lambda pair: pair[0])])

    @property
    def hits(self) -> int:
        return sum(scored.hit for scored in self.ranges)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Of the share of hits that such a reader reaches in the long run; from 0 to 1 where nothing is scored."""
        return binomial_interval(self.hits, len(self.ranges))

    @property
    def stretch(self) -> float:
        """How many times as wide all ranges would have to be for nine tenths of them to hold; NaN where they are too
        few.
        """
        if len(self.ranges) < ENOUGH:
            return math.nan
        return sorted(scored.needed for scored in self.ranges)[math.ceil(SURE * len(self.ranges)) - 1]

    @property
    def factor(self) -> float:
        """The median of how wide the ranges are, as high over low."""
        factors = sorted(scored.factor for scored in self.ranges)
        return factors[len(factors) // 2] if factors else math.nan

    @property
    def verdict(self) -> str:
        """What all this says about the reader, in a sentence or three."""
        n = len(self.ranges)
        if not n:
            return (
                "No prediction has been scored yet. Commit a range in a chapter, measure, and score it; this page then"
                " tells how often you were right."
            )
        low, high = self.interval
        said = (
            f"{self.hits} of {n} {'range' if n == 1 else 'ranges'} held what was measured: {self.hits / n:.0%}, and"
            f" {SURE:.0%} is the aim."
        )
        if high < SURE:
            said += (
                f" With so many, chance alone does not explain it ({low:.0%} to {high:.0%}): your ranges are too"
                " narrow."
            )
        elif low > SURE:
            said += (
                f" With so many, chance alone does not explain it ({low:.0%} to {high:.0%}): your ranges are wider than"
                " they need be."
            )
        else:
            said += f" That agrees with {SURE:.0%}, within what chance allows for so few ({low:.0%} to {high:.0%})."
        if math.isfinite(self.factor):
            said += f" Half of them reach from a value to at least {self.factor:.2g} times as much."
        if math.isfinite(self.stretch) and self.stretch > 0:
            wider = self.stretch > 1
            said += (
                f" {SURE:.0%} of them would have held, had all been {self.stretch:.2g} times as"
                f" wide{'' if wider else ', that is, narrower'}."
            )
        return said


def binomial_interval(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The shares at which `hits` or fewer, and `hits` or more, of n would each have a chance of (1 − confidence)/2.

    >>> [round(end, 4) for end in binomial_interval(9, 10)]  # Clopper and Pearson's own chart has 0.55 and 1.00
    [0.555, 0.9975]
    >>> binomial_interval(0, 0)
    (0.0, 1.0)
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high
