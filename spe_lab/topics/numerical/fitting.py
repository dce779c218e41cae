"""A numerical model and its errors: at the points it was given, between them, and outside of their range."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spe_lab.core.curve import Curve
from spe_lab.core.errors import MeasurementError
from spe_lab.core.text import Text
from spe_lab.topics.numerical import bases
from spe_lab.topics.numerical.sampling import choose

SETTINGS = ("basis", "terms", "points", "spacing", "low", "high")


@dataclass(frozen=True)
class Sample:
    """The points of a measured curve that have a time, and which of them a fit is given (indices, increasing)."""

    n: np.ndarray
    times: np.ndarray
    given: np.ndarray
    terms: int

    @classmethod
    def of(cls, curve: Curve, point: Mapping) -> "Sample":
        """The points that `point` chooses; MeasurementError if none has a clean sample."""
        seen = np.isfinite(curve.values) & (curve.values > 0)
        if not seen.any():
            raise MeasurementError("the fit must have a point with a clean sample, got none; measure again on a quieter machine")
        n = curve.x.values[seen]
        return cls(n, curve.values[seen], choose(n, int(point["points"]), point["low"], point["high"], point["spacing"]), int(point["terms"]))

    def fit(self, basis: str) -> bases.Fit:
        return bases.fit(basis, self.n[self.given], self.times[self.given], self.terms)

    @cached_property
    def scores(self) -> dict[str, float]:
        """Cross-validation's error of each basis."""
        return bases.cross_validated(self.n[self.given], self.times[self.given], self.terms)

    @property
    def best(self) -> str:
        """The basis that cross-validation prefers; the first one where it has nothing to go by."""
        return min(self.scores, key=lambda basis: self.scores[basis] if math.isfinite(self.scores[basis]) else math.inf)


@dataclass(frozen=True)
class Errors:
    """|predicted / measured − 1| at each size of a measured curve, and which of the sizes the fit was given."""

    basis: str
    n: np.ndarray
    relative: np.ndarray
    given: np.ndarray
    floor: float  # median half-width of the measured intervals, relative: no model can be known to be better than that

    @classmethod
    def of(cls, sample: Sample, basis: str, floor: float = math.nan) -> "Errors":
        return cls(basis, sample.n, np.abs(sample.fit(basis)(sample.n) / sample.times - 1), sample.given, floor)

    @cached_property
    def kind(self) -> np.ndarray:
        """"at" a given point, "between" two of them, or "outside" of their range; for each size."""
        first, last = self.n[self.given[[0, -1]]]
        kind = np.where((self.n >= first) & (self.n <= last), "between", "outside")
        kind[self.given] = "at"
        return kind

    def median(self, kind: str) -> float:
        """Median error of that kind of size; NaN where there is none."""
        chosen = self.relative[self.kind == kind]
        return float(np.median(chosen)) if chosen.size else math.nan

    def worst(self, kind: str) -> float:
        """Largest error of that kind of size; NaN where there is none."""
        return float(max(self.relative[self.kind == kind], default=math.nan))

    def summary(self) -> Text:
        """The three errors in a sentence, beside what the measurement itself leaves open."""
        places = {"at": "at these", "between": "between them", "outside": "outside their range"}
        said = [f"{share(self.median(kind))} {place} (worst {share(self.worst(kind))})" for kind, place in places.items() if (self.kind == kind).any()]
        known = f"; the measured times are known to ± {share(self.floor)}" if math.isfinite(self.floor) else ""
        return Text(f"{self.basis} through {self.given.size} of {self.n.size} points: median error {', '.join(said)}{known}")


def half_widths(curve: Curve) -> np.ndarray:
    """Half the width of each interval of a measured curve, relative to the value; NaN where there is none."""
    return (curve.high - curve.low) / 2 / curve.values


def floor(curve: Curve) -> float:
    """Median half-width of a measured curve's intervals, relative to the values; NaN if it has none."""
    widths = half_widths(curve)
    widths = widths[np.isfinite(widths)]
    return float(np.median(widths)) if widths.size else math.nan


def share(value: float) -> str:
    """A relative error as a reader says it: in percent, and as a factor where percent are no help.

    >>> share(0.0123), share(0.2), share(36.6)
    ('1.2 %', '20 %', 'a factor of 38')
    """
    if not math.isfinite(value):
        return "–"
    return f"a factor of {float(f'{value + 1:.2g}'):g}" if value >= 3 else f"{float(f'{100 * value:.2g}'):g} %"
