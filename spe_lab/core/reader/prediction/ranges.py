"""Predictions of a range: for the value of a measured curve at a place, or for a place that the lab marks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import wraps
from types import EllipsisType
from typing import Any, Self

from spe_lab.core import registry, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction.base import (
    UNCLEAN,
    JournalEntry,
    Outcome,
    Sketch,
    curve_named,
    curve_names,
    deviating,
    interval,
    nearest,
    placed,
    set_to,
    shortened,
)
from spe_lab.core.reader.prediction.scoring import interval_score, score_in_words
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value

MOST = 1e15  # the largest end of a range; an axis cannot show more
LEAST = 1e-15  # the least end on a logarithmic scale


@dataclass(frozen=True)
class Ends(JournalEntry):
    """A range between `low` and `high` in `unit`; ... stands for an end while the range is open."""

    low: Any
    high: Any
    unit: str
    thing = "a range"

    @property
    def percent(self) -> bool:
        """True if the range is of shares, which the reader states in per cent."""
        return False

    @property
    def logarithmic(self) -> bool:
        """True if the figure shows the predicted value on a logarithmic scale."""
        return registry.get(self.lab).scale == "log"

    @property
    def values(self) -> dict[str, Any] | None:
        return None if self.low is ... or self.high is ... else {"low": self.low, "high": self.high}

    @property
    def in_words(self) -> str:
        if self.unit == "B":
            return f"{units.render(self.low, 'B')} to {units.render(self.high, 'B')}"
        factor, unit = (100, "%") if self.percent else (1, self.unit)
        return f"{self.low * factor:g} to {self.high * factor:g} {unit}".rstrip()

    @property
    def ends_in_words(self) -> tuple[str, str]:
        """The ends as a field shows them, without the unit that stands behind it."""
        if self.unit == "B":
            return units.render(self.low, "B"), units.render(self.high, "B")
        factor = 100 if self.percent else 1
        return f"{self.low * factor:.15g}", f"{self.high * factor:.15g}"

    def given(self, low: Any = ..., high: Any = ...) -> Self:  # type: ignore[override]
        return replace(self, **self.checked(low, high))

    def filled(self, values: Mapping[str, Any]) -> Self:
        low, high = (units.finite(values.get(name, math.nan), name) for name in ("low", "high"))
        return replace(self, low=low, high=high)

    def checked(self, low: Any, high: Any) -> dict[str, Any]:
        """Return the ends as numbers; ... stays. Raise SpeLabError for an end or a range that makes no sense."""
        ends: dict[str, Any] = {
            name: end if end is ... else self._number(end, name) for name, end in (("low", low), ("high", high))
        }
        for name, end in ends.items():
            if end is ...:
                continue
            if end < 0 or (end == 0 and self.logarithmic):
                bound = "above 0, as the figure is logarithmic" if self.logarithmic else "at least 0"
                cure = "write the smallest value that you think possible"
                raise SpeLabError(f"{name} must be {bound}, got {self._said(end)}; {cure}")
            if end > MOST or (self.logarithmic and end < LEAST):
                raise SpeLabError(f"{name} must be a value that a figure can show, got {end:g}; write a likelier one")
        if ... not in ends.values() and ends["low"] > ends["high"]:
            low, high = (self._said(ends[name]) for name in ("low", "high"))
            raise SpeLabError(f"low must be at most high, got low={low} and high={high}; swap them")
        return ends

    def _number(self, end: Any, name: str) -> float:
        example = (
            f"{name}={'20' if self.percent or not self.unit else '64KiB' if self.unit == 'B' else f'20 {self.unit}'}"
        )
        if isinstance(end, str):
            return self._parsed(end, name, example)
        try:
            return units.finite(end, name)
        except SpeLabError:
            kind = f"a finite number (of {self.unit})" if self.unit else "a finite number"
            raise SpeLabError(f"{name} must be {kind}, got {shortened(end)}; write for example {example}") from None

    def _parsed(self, text: str, name: str, example: str) -> float:
        bare = text.strip().removesuffix("%").rstrip()
        if not text.strip():
            raise SpeLabError(f"{name} must be a number, got nothing; write for example {example}")
        if self.unit or (not self.percent and bare == text.strip()):
            return units.parse(text, self.unit, name)
        return units.parse(bare, "", name) / 100

    def _said(self, end: float) -> str:
        return f"{100 * end:g} %" if self.percent else f"{end:g} {self.unit}".rstrip()

    def judged(self, said: str, value: float, low: float, high: float) -> Outcome:
        """Return the outcome for a measured value and its interval; `said` is the beginning of the sentence."""
        log = self.logarithmic
        score, explained = (
            interval_score(self.low, self.high, low, high, log),
            score_in_words(self.low, self.high, value, low, high, log),
        )
        expected = f"your range of {self.in_words}"
        if self.low <= high and self.high >= low:
            return Outcome(f"{said}: inside {expected}. {explained}".rstrip(), 1, 1, value, low, high, score)
        side, larger, smaller = ("above", low, self.high) if low > self.high else ("below", self.low, high)
        factor = f", by a factor of {larger / smaller:.2g}" if smaller > 0 else ""
        return Outcome(f"{said}: {side} {expected}{factor}. {explained}".rstrip(), 0, 1, value, low, high, score)

    def _drawn(self) -> tuple[float, float]:
        """Return the ends as a figure can show them: the journal may hold any."""
        least = LEAST if self.logarithmic else 0.0
        return min(max(self.low, least), MOST), min(max(self.high, least), MOST)


@dataclass(frozen=True)
class Range(Ends):
    """A measured curve of `lab` is expected between `low` and `high` at x = `at`; curve "" is the first."""

    at: float
    at_unit: str
    curve: str = ""
    kind = "range"

    @property
    def asked(self) -> str:
        place = f"at {registry.get(self.lab).axis} {placed(registry.get(self.lab), self.at)}"
        return f"{self.curve} {place}" if self.curve else place

    @property
    def subject(self) -> str:
        lab = registry.get(self.lab)
        names = curve_names(lab)
        curve = self.curve or (names[0] if len(names) > 1 else "")
        of = f" ({curve})" if curve else ""
        place = f"at {lab.axis} {placed(lab, self.at)}"
        return f"the {lab.quantity}{of} {place}{set_to(lab, dict(self.settings))}"

    @property
    def percent(self) -> bool:
        return bool(getattr(registry.get(self.lab), "percent", False))

    def sketched(self) -> Sketch:
        low, high = self._drawn()
        return Sketch(f"your prediction {self.asked}: {self.in_words}", x=(self.at,), low=(low,), high=(high,))

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        curve = next((curve for curve in run.measured if curve.name == self.curve or not self.curve), None)
        if curve is None:
            return f"There is no measured curve {self.curve!r}."
        i = nearest(curve, lab, self.at)
        value, low, high = interval(curve, i)
        if not math.isfinite(value):
            return UNCLEAN
        factor, unit = (100, "%") if self.percent else (1, self.unit)
        place, measured = placed(lab, curve.x.values[i]), units.render(value * factor, unit)
        named = f" ({self.curve})" if self.curve else ""
        ends = f"{low * factor:.3g} to {high * factor:.3g}"
        return self.judged(f"At {lab.axis} {place} the {lab.quantity}{named} was {measured} ({ends})", value, low, high)


@dataclass(frozen=True)
class Place(Ends):
    """The place on the axis that `lab` marks with this name is expected between `low` and `high`."""

    mark: str
    kind = "mark"

    @property
    def logarithmic(self) -> bool:
        lab = registry.get(self.lab)
        return lab.sliders[lab.axis].scale == "log"

    @property
    def asked(self) -> str:
        return f"for the mark “{self.mark}”"

    @property
    def subject(self) -> str:
        lab = registry.get(self.lab)
        slider = lab.sliders[lab.axis]
        return f"the place of the mark “{self.mark}” on the axis ({slider.meaning}){set_to(lab, dict(self.settings))}"

    @property
    def facts(self) -> dict[str, Any]:
        return {**super().facts, "unit": self.unit}

    def sketched(self) -> Sketch:
        return Sketch(f"your prediction {self.asked}: {self.in_words}", across=self._drawn())

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        point = lab.point() | {name: value for name, value in run.point.items() if name in lab.sliders}
        place = dict(lab.marks(point, lab.fitted(run).fit)).get(self.mark, math.nan)
        if not math.isfinite(place):
            return f"At these settings there is no place to mark “{self.mark}”, so your range is not scored."
        shown = units.render(place, lab.sliders[lab.axis].unit)
        return self.judged(f"“{self.mark}” is at {lab.axis} {shown}", place, place, place)


def range_of(
    lab_id: str,
    at: float | str | None = None,
    low: float | str | EllipsisType = ...,
    high: float | str | EllipsisType = ...,
    *,
    mark: str = "",
    curve: str = "",
    skip: bool = False,
    **settings: Value,
) -> Range | Place:
    """Predict a range, of which you are 90 % sure, for a measured curve at a place or for a place that a lab marks.

    - at: the place on the lab's axis; or mark: the name of a mark, whose place is predicted
    - low, high: numbers, or text with a unit such as "5 ns". `...` leaves the range open, or takes the journal's
    - curve: the name of the measured curve, or its beginning; "" for the first
    - skip: True to go on without a prediction
    - settings: sliders that differ from their defaults
    """
    lab = registry.get(lab_id)
    slider, deviations = lab.slider(lab.axis), tuple(sorted(deviating(lab, settings).items()))
    if (at is None) == (not mark):
        got = "neither" if at is None else "both"
        example = f"at={slider.default:.15g}"
        raise SpeLabError(f"predict must get one of at and mark, got {got}; write for example {example}")
    made: Range | Place
    if mark:
        marks = list(lab.marks(lab.point(settings), lab.recorded_fit))
        if mark not in marks:
            raise SpeLabError(
                f"mark must be one of {lab_id} ({', '.join(map(repr, marks)) or 'it has none'}), got"
                f" {shortened(mark)}; choose one, or give at=… for a value of the curve"
            )
        made = Place(lab_id, deviations, ..., ..., slider.unit, mark, skip=skip)
    else:
        name = curve and curve_named(lab, curve, f"curve={(curve_names(lab) or ['…'])[0]!r}")
        made = Range(lab_id, deviations, ..., ..., lab.unit, slider.checked(at), slider.unit, name, skip=skip)
    return replace(made, **made.checked(low, high))


@wraps(range_of)
def predict(*arguments: Any, **named: Any) -> Range | Place:
    return range_of(*arguments, **named).kept()
