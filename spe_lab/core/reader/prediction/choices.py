"""The prediction of a choice: the measured curve that is the smallest, or the largest, at one place."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from types import EllipsisType
from typing import Any, Self

from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction.base import (
    UNCLEAN,
    JournalEntry,
    Outcome,
    Sketch,
    capitalised,
    curve_named,
    curve_names,
    deviating,
    interval,
    nearest,
    placed,
    set_to,
    shortened,
    with_interval,
)
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value

EXTREMES = ("smallest", "largest")


@dataclass(frozen=True)
class Choice(JournalEntry):
    """The measured curve `choice` is the smallest (or the largest: `of`) of `among` at x = `at`; "" while open."""

    at: float
    of: str
    choice: str
    among: tuple[str, ...] = field(default=(), kw_only=True, compare=False)
    kind = "choice"
    thing = "a choice"

    @property
    def asked(self) -> str:
        lab = registry.get(self.lab)
        return f"{self.of} at {lab.axis} {placed(lab, self.at)}"

    @property
    def subject(self) -> str:
        lab = registry.get(self.lab)
        return f"the curve with the {self.of} {lab.quantity} {self._place}{set_to(lab, dict(self.settings))}"

    @property
    def _place(self) -> str:
        return self.asked.removeprefix(f"{self.of} ")

    @property
    def values(self) -> dict[str, Any] | None:
        return {"choice": self.choice} if self.choice else None

    @property
    def in_words(self) -> str:
        return self.choice

    def sketched(self) -> Sketch:
        label = f"your prediction: {self.choice}"
        return Sketch(f"your prediction, the {self.asked}: {self.choice}", label=label)

    def filled(self, values: Mapping[str, Any]) -> Self:
        return self.given(values.get("choice", ""))

    def given(self, choice: Any) -> Self:  # type: ignore[override]
        return replace(self, choice=_checked(registry.get(self.lab), choice, self.among))

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        values, lows, highs = {}, {}, {}
        for curve in run.measured:
            if not self.among or curve.name in self.among:
                name = curve.name
                values[name], lows[name], highs[name] = interval(curve, nearest(curve, lab, self.at))
        clean = [name for name, value in values.items() if math.isfinite(value)]
        if self.choice not in values:
            return f"There is no measured curve {self.choice!r}."
        if self.choice not in clean or len(clean) < 2:
            return UNCLEAN
        best = (min if self.of == "smallest" else max)(clean, key=values.__getitem__)
        said = (
            f"{capitalised(self._place)} the {self.of} {lab.quantity} was {_measured(best, values, lows, highs, lab)}"
        )
        if best == self.choice:
            return Outcome(f"{said}: you were right.", 1, 1)
        yours = _measured(self.choice, values, lows, highs, lab)
        if lows[best] <= highs[self.choice] and lows[self.choice] <= highs[best]:
            return Outcome(f"{said}. This machine cannot tell it from your choice, {yours}: it counts as right.", 1, 1)
        return Outcome(f"{said}. Your choice was {yours}: it was not the {self.of}.", 0, 1)


def _measured(
    name: str, values: Mapping[str, float], lows: Mapping[str, float], highs: Mapping[str, float], lab: Lab
) -> str:
    return f"{name}, {with_interval(lab, values[name], lows[name], highs[name])}"


def choice_of(
    lab_id: str,
    choice: str | EllipsisType = ...,
    at: float | str | None = None,
    of: str = "smallest",
    among: Sequence[str] | None = None,
    skip: bool = False,
    **settings: Value,
) -> Choice:
    """Predict which measured curve is the smallest (or the largest) at one place.

    - choice: its name, or the beginning of it. `...` leaves the choice open, or takes the journal's
    - at: a value of the axis; by default the slider's
    - of: "smallest" or "largest"
    - among: the curves to choose from; by default all measured ones
    - skip: True to go on without a prediction
    - settings: sliders that differ from their defaults
    """
    lab = registry.get(lab_id)
    slider = lab.slider(lab.axis)
    if of not in EXTREMES:
        raise SpeLabError(f"of must be one of {', '.join(EXTREMES)}, got {shortened(of)}; choose one of them")
    names = curve_names(lab) if among is None else [curve_named(lab, name, _example(lab)) for name in among]
    made = Choice(
        lab_id,
        tuple(sorted(deviating(lab, settings).items())),
        slider.default if at is None else slider.checked(at),
        of,
        "",
        among=tuple(names),
        skip=skip,
    )
    return made if choice is ... else made.given(choice)


@wraps(choice_of)
def predict_choice(*arguments: Any, **named: Any) -> Choice:
    return choice_of(*arguments, **named).kept()


def _checked(lab: Lab, choice: Any, among: Sequence[str]) -> str:
    name = curve_named(lab, choice, _example(lab))
    if among and name not in among:
        raise SpeLabError(f"choice must be one of {', '.join(map(repr, among))}, got {name!r}; choose one of them")
    return name


def _example(lab: Lab) -> str:
    return f'predict_choice("{lab.id}", "{(curve_names(lab) or ["…"])[0]}", at={lab.sliders[lab.axis].default:.6g})'
