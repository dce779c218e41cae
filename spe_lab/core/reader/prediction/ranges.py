"""The prediction of a range: two values between which a lab's first measured curve lies at one place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Any, Self

from spe_lab.core import registry, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction.base import UNCLEAN, JournalEntry, Outcome, Sketch, deviating, interval, nearest
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Range(JournalEntry):
    """The first measured curve of `lab` is expected between `low` and `high` (in `unit`) at x = `at`."""

    at: float
    at_unit: str
    low: Any  # a number, or ... while the range is open
    high: Any
    unit: str
    kind = "range"
    open_advice = "put two numbers in the place of the dots"

    @property
    def asked(self) -> str:
        return f"at {registry.get(self.lab).axis} {units.render(self.at, self.at_unit, 6)}"

    @property
    def values(self) -> dict[str, Any] | None:
        return None if self.low is ... or self.high is ... else {"low": self.low, "high": self.high}

    @property
    def in_words(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()

    def sketched(self) -> Sketch:
        said = f"your prediction {self.asked}: {self.in_words}"
        return Sketch(said, x=(self.at,), low=(self.low,), high=(self.high,))

    def filled(self, values: Mapping[str, Any]) -> Self:
        return replace(self, **_checked(values.get("low"), values.get("high")))

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        curve = run.measured[0]
        i = nearest(curve, lab, self.at)
        value, low, high = interval(curve, i)
        if not math.isfinite(value):
            return UNCLEAN
        place, measured = units.render(curve.x.values[i], self.at_unit), units.render(value, self.unit)
        where = f"At {lab.axis} {place} the {lab.quantity} was {measured} ({low:.3g} to {high:.3g})"
        expected = f"your range of {self.in_words}"
        if self.low <= high and self.high >= low:
            return Outcome(f"{where}: inside {expected}.", 1, 1, value, low, high)
        side, larger, smaller = ("above", low, self.high) if low > self.high else ("below", self.low, high)
        factor = f", by a factor of {larger / smaller:.2g}" if smaller > 0 else ""
        return Outcome(f"{where}: {side} {expected}{factor}.", 0, 1, value, low, high)


def predict(
    lab_id: str, at: float | str, low: float | EllipsisType = ..., high: float | EllipsisType = ..., **settings: Value
) -> Range:
    """Commit a range, of which you are 90 % sure, for a lab's first measured curve at one value of x.

    `...` leaves the range open, or takes the journal's. `settings` are sliders that differ from their defaults.
    """
    lab = registry.get(lab_id)
    slider = lab.slider(lab.axis)
    place = slider.checked(at)
    bounds, deviations = _checked(low, high), tuple(sorted(deviating(lab, settings).items()))
    return Range(lab_id, deviations, place, slider.unit, **bounds, unit=lab.unit).kept()


def _checked(low: Any, high: Any) -> dict[str, Any]:
    bounds: dict[str, Any] = {
        name: value if value is ... else units.finite(value, name) for name, value in (("low", low), ("high", high))
    }
    if ... not in bounds.values() and not 0 <= bounds["low"] <= bounds["high"]:
        raise SpeLabError(f"low must be at least 0 and at most high, got low={low}, high={high}; swap them")
    return bounds
