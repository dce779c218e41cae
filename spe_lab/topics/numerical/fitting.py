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
    half_widths: np.ndarray  # of the times' intervals, relative to the times; NaN where there is none
    given: np.ndarray
    terms: int

    @classmethod
    def of(cls, curve: Curve, point: Mapping) -> "Sample":
        """The points that `point` chooses; MeasurementError if none has a clean sample."""
        seen = np.isfinite(curve.values) & (curve.values > 0)
        if not seen.any():
            raise MeasurementError(
                "the fit must have a point with a clean sample, got none; measure again on a quieter machine"
            )
        n, half_widths = curve.x.values[seen], ((curve.high - curve.low) / 2 / curve.values)[seen]
        given = choose(n, int(point["points"]), point["low"], point["high"], point["spacing"])
        return cls(n, curve.values[seen], half_widths, given, int(point["terms"]))

    @property
    def floor(self) -> float:
        """Median half-width of the intervals: no model can be known to be better than that. NaN
        where there are none.
        """
        known = self.half_widths[np.isfinite(self.half_widths)]
        return float(np.median(known)) if known.size else math.nan

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
    floor: float  # of the sample

    @classmethod
    def of(cls, sample: Sample, basis: str) -> "Errors":
        return cls(basis, sample.n, np.abs(sample.fit(basis)(sample.n) / sample.times - 1), sample.given, sample.floor)

    @cached_property
    def kind(self) -> np.ndarray:
        """ "at" a given point, "between" two of them, or "outside" of their range; for each size."""
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
        said = [
            f"{share(self.median(kind))} {place} (worst {share(self.worst(kind))})"
            for kind, place in places.items()
            if (self.kind == kind).any()
        ]
        known = f"; the measured times are known to ± {share(self.floor)}" if math.isfinite(self.floor) else ""
        return Text(
            f"{self.basis} through {self.given.size} of {self.n.size} points: median error {', '.join(said)}{known}"
        )


def share(value: float) -> str:
    """A relative error as a reader says it: in percent, and as a factor where percent are no help.

    >>> share(0.0123), share(0.2), share(36.6)
    ('1.2 %', '20 %', 'a factor of 38')
    """
    if not math.isfinite(value):
        return "–"
    return f"a factor of {float(f'{value + 1:.2g}'):g}" if value >= 3 else f"{float(f'{100 * value:.2g}'):g} %"
