"""The reader's track record: the share of committed ranges that overlap the measured interval, and their mean score.

The reader should be 90 % sure of each range. The share of n ranges that held has the binomial confidence interval of
Clopper and Pearson (Biometrika 26, 1934). Scores are those of logarithms here, so that labs of different units count
alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from spe_lab.core.reader.journal import Journal
from spe_lab.core.reader.prediction.scoring import PENALTY, SURE, interval_score

__all__ = ["CONFIDENCE", "SURE", "Scored", "TrackRecord", "binomial_interval"]
KINDS = ("range", "mark")  # of predictions that are ranges
CONFIDENCE = 0.95  # of the interval of the share
ENOUGH = 5  # ranges that a judgement of their widths needs
WORTH_TELLING = 0.9  # of the mean score that other widths would have brought


@dataclass(frozen=True)
class Scored:
    """A committed range and the measured interval."""

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
        """Width of the range: high ÷ low."""
        return self.high / self.low if self.low > 0 else math.inf

    @property
    def needed(self) -> float:
        """Factor by which the range must be widened about its middle to reach the measured interval.

        Widths are ratios (log scale) unless an end is zero. Infinite for a missed range without width.
        """
        scale = math.log if min(self.low, self.value_low) > 0 else float
        low, high, near, far = (scale(end) for end in (self.low, self.high, self.value_low, self.value_high))
        middle, half = (low + high) / 2, (high - low) / 2
        distance = max(near - middle, middle - far, 0.0)
        return distance / half if half > 0 else (math.inf if distance > 0 else 0.0)

    @property
    def score(self) -> float | None:
        """Interval score of the logarithms; smaller is better. None if an end is zero."""
        return interval_score(self.low, self.high, self.value_low, self.value_high, logarithmic=True)

    def score_if(self, stretch: float) -> float:
        """Return the score of the range `stretch` times as wide about its middle."""
        width = math.log(self.high / self.low)
        if width == 0:
            return self.score or 0.0
        return stretch * width + PENALTY * max(self.needed - stretch, 0.0) * width / 2


@dataclass(frozen=True)
class TrackRecord:
    """Scored ranges in the order of their commitment."""

    ranges: Sequence[Scored]

    @classmethod
    def of(cls, journal: Journal) -> "TrackRecord":
        """Return the track record of the ranges in a journal that count and have a score."""
        ranges = []
        for entry in journal.predictions.values():
            committed, scored = entry["committed"], entry["scored"]
            if entry["kind"] not in KINDS or not committed or not scored:
                continue
            predicted = [committed["values"].get(end) for end in ("low", "high")]
            numbers = [*predicted, scored["value"], scored["low"], scored["high"]]
            if None not in numbers:
                ranges.append((committed["time"], Scored(entry["lab"], entry["asked"], entry["unit"], *numbers)))
        return cls([scored for _, scored in sorted(ranges, key=lambda pair: pair[0])])

    @property
    def hits(self) -> int:
        return sum(scored.hit for scored in self.ranges)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Confidence interval of the reader's long-run share of hits; (0, 1) without a scored range."""
        return binomial_interval(self.hits, len(self.ranges))

    @property
    def stretch(self) -> float:
        """Factor by which ranges must be widened for 90 % of them to hold; NaN for less than ENOUGH."""
        if len(self.ranges) < ENOUGH:
            return math.nan
        return sorted(scored.needed for scored in self.ranges)[math.ceil(SURE * len(self.ranges)) - 1]

    @property
    def with_score(self) -> list[Scored]:
        return [scored for scored in self.ranges if scored.score is not None]

    @property
    def mean_score(self) -> float:
        """Mean of the ranges' scores; NaN without any."""
        scores = [scored.score_if(1.0) for scored in self.with_score]
        return sum(scores) / len(scores) if scores else math.nan

    @property
    def best_stretch(self) -> tuple[float, float]:
        """The factor for all widths that would have brought the least mean score, and that score; NaN if too few.

        The mean score is a convex function of the factor, linear between the factors that single ranges need.
        """
        ranges = self.with_score
        if len(ranges) < ENOUGH:
            return math.nan, math.nan
        factors = {scored.needed for scored in ranges if math.isfinite(scored.needed)} | {0.0}
        means = {factor: sum(scored.score_if(factor) for scored in ranges) / len(ranges) for factor in factors}
        best = min(means, key=means.__getitem__)
        return best, means[best]

    @property
    def factor(self) -> float:
        """Median width of the ranges, as high ÷ low."""
        factors = sorted(scored.factor for scored in self.ranges)
        return factors[len(factors) // 2] if factors else math.nan

    @property
    def verdict(self) -> str:
        """The reader's calibration in up to six sentences."""
        n = len(self.ranges)
        if not n:
            cure = "Commit a range in a chapter, measure, and score it; this page then shows how often you were right."
            return f"No prediction has been scored yet. {cure}"
        low, high = self.interval
        ranges, share = "range" if n == 1 else "ranges", f"{self.hits / n:.0%}; the aim is {SURE:.0%}"
        said = [f"{self.hits} of {n} {ranges} held, that is, overlapped the measured interval: {share}."]
        unlikely = f"Chance alone does not explain this ({CONFIDENCE:.0%} interval {low:.0%} to {high:.0%})"
        if high < SURE:
            said.append(f"{unlikely}: your ranges are too narrow.")
        elif low > SURE:
            said.append(f"{unlikely}: your ranges are wider than they need to be.")
        else:
            chance = f"the {CONFIDENCE:.0%} interval of the share is {low:.0%} to {high:.0%}"
            said.append(f"That agrees with {SURE:.0%}, within what chance allows for so few: {chance}.")
        if math.isfinite(self.factor):
            said.append(f"In the median the upper end of a range is {self.factor:.2g} times the lower end.")
        if math.isfinite(self.stretch) and self.stretch > 0:
            narrower = "" if self.stretch > 1 else ", that is, narrower"
            said.append(f"{SURE:.0%} would have held if all had been {self.stretch:.2g} times as wide{narrower}.")
        if math.isfinite(self.mean_score):
            said.append(f"Your mean score is {self.mean_score:.2g}; smaller is better.")
        best, least = self.best_stretch
        if least < WORTH_TELLING * self.mean_score and best > 0:
            said.append(f"Ranges {best:.2g} times as wide would have brought a mean score of {least:.2g}.")
        return " ".join(said)


def binomial_interval(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a binomial share; each tail has (1 − confidence) / 2.

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
