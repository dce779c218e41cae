"""Errors of a numerical model: at the points it was fitted to, between them, and outside their range."""

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
    """Measured points that have a time; `given` holds the increasing indices of those to fit to."""

    n: np.ndarray
    times: np.ndarray
    half_widths: np.ndarray  # of the times' intervals, relative to the times; NaN where there is none
    given: np.ndarray
    terms: int

    @classmethod
    def of(cls, curve: Curve, point: Mapping) -> "Sample":
        """Return the points that `point` chooses. Raise MeasurementError if none has a clean sample."""
        seen = np.isfinite(curve.values) & (curve.values > 0)
        if not seen.any():
            rule = "the fit must have a point with a clean sample"
            raise MeasurementError(f"{rule}, got none; measure again on a quieter machine")
        n, half_widths = curve.x.values[seen], ((curve.high - curve.low) / 2 / curve.values)[seen]
        given = choose(n, int(point["points"]), point["low"], point["high"], point["spacing"])
        return cls(n, curve.values[seen], half_widths, given, int(point["terms"]))

    @property
    def floor(self) -> float:
        """Return the median half-width of the intervals; smaller errors cannot be detected. NaN without intervals."""
        known = self.half_widths[np.isfinite(self.half_widths)]
        return float(np.median(known)) if known.size else math.nan

    def fit(self, basis: str) -> bases.Fit:
        return bases.fit(basis, self.n[self.given], self.times[self.given], self.terms)

    @cached_property
    def scores(self) -> dict[str, float]:
        """Error of each basis in cross-validation."""
        return bases.cross_validated(self.n[self.given], self.times[self.given], self.terms)

    @property
    def best(self) -> str:
        """The basis with the least error in cross-validation; the first basis if there are too few points."""
        return min(self.scores, key=lambda basis: self.scores[basis] if math.isfinite(self.scores[basis]) else math.inf)


@dataclass(frozen=True)
class Errors:
    """|predicted / measured − 1| at each size; `given` holds the indices of the fitted sizes."""

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
        """Kind of each size: "at" a given point, "between" two of them, or "outside" their range."""
        first, last = self.n[self.given[[0, -1]]]
        kind = np.where((self.n >= first) & (self.n <= last), "between", "outside")
        kind[self.given] = "at"
        return kind

    def median(self, kind: str) -> float:
        """Return the median error at sizes of this kind; NaN if there are none."""
        chosen = self.relative[self.kind == kind]
        return float(np.median(chosen)) if chosen.size else math.nan

    def worst(self, kind: str) -> float:
        """Return the largest error at sizes of this kind; NaN if there are none."""
        return float(max(self.relative[self.kind == kind], default=math.nan))

    def summary(self) -> Text:
        """Return the three errors in a sentence, with the uncertainty of the measured times."""
        places = {"at": "at them", "between": "between them", "outside": "outside their range"}
        errors = [
            f"{share(self.median(kind))} {place} (worst {share(self.worst(kind))})"
            for kind, place in places.items()
            if (self.kind == kind).any()
        ]
        known = f"; the measured times are known to ± {share(self.floor)}" if math.isfinite(self.floor) else ""
        fit = f"{self.basis} through {self.given.size} of {self.n.size} points"
        return Text(f"{fit}: median error {', '.join(errors)}{known}")


def share(value: float) -> str:
    """Return a relative error as text: in per cent, or as a factor from 300 % on.

    >>> share(0.0123), share(0.2), share(36.6), share(1e-14)
    ('1.2 %', '20 %', 'a factor of 38', '0 %')
    """
    if not math.isfinite(value):
        return "–"
    if value < 1e-5:
        return "0 %"  # rounding errors of an interpolant at its points
    return f"a factor of {float(f'{value + 1:.2g}'):g}" if value >= 3 else f"{float(f'{100 * value:.2g}'):g} %"
