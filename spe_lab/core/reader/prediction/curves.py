"""The prediction of a curve: through a few points of the reader's, or the curve of a model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import wraps
from types import EllipsisType
from typing import Any, Self

import numpy as np

from spe_lab.core import registry, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction.base import (
    UNCLEAN,
    JournalEntry,
    Outcome,
    Sketch,
    deviating,
    interval,
    set_to,
    with_interval,
)
from spe_lab.core.reader.prediction.ranges import MOST
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value

WITHIN = 1.5  # a measured point within this factor of the curve is a hit, unless the reader chooses another factor


@dataclass(frozen=True)
class CurvePrediction(JournalEntry):
    """The first measured curve is expected within a factor `within` of the curve through `knots`.

    `name` is the model's, if the reader chose a model in place of points.
    """

    knots: tuple[tuple[float, float], ...]
    within: float = WITHIN
    name: str = ""
    kind = "curve"
    thing = "a curve"

    @property
    def asked(self) -> str:
        return f"along {registry.get(self.lab).axis}"

    @property
    def subject(self) -> str:
        lab = registry.get(self.lab)
        return f"the curve of the {lab.quantity} {self.asked}{set_to(lab, dict(self.settings))}"

    @property
    def values(self) -> dict[str, Any] | None:
        named = {"name": self.name} if self.name else {}
        return {"knots": [list(knot) for knot in self.knots], "within": self.within, **named} if self.knots else None

    @property
    def in_words(self) -> str:
        lab = registry.get(self.lab)
        unit, outer = lab.sliders[lab.axis].unit, (self.knots[0], self.knots[-1])
        ends = [f"{units.render(y, lab.unit)} at {units.render(x, unit)}" for x, y in outer]
        curve = f"the curve {self.name}" if self.name else f"a curve through {len(self.knots)} points"
        return f"{curve}, from {' to '.join(ends)}, give or take a factor of {self.within:g}"

    def sketched(self) -> Sketch:
        lab = registry.get(self.lab)
        x = np.array([x for x, _ in self.knots])
        spaced = np.geomspace if lab.sliders[lab.axis].scale == "log" else np.linspace
        x = np.unique([*x, *spaced(x[0], x[-1], 100)])
        y = self.at(x, lab)
        low, high = (tuple(ends.tolist()) for ends in (y / self.within, y * self.within))
        return Sketch(f"your prediction: {self.in_words}", x=tuple(x.tolist()), low=low, high=high)

    def at(self, x: np.ndarray, lab: Lab) -> np.ndarray:
        """Return the curve at x, interpolated linearly on the figure's scales."""
        along, onto, back = _scales(lab)
        places, values = np.array(self.knots).T
        return back(np.interp(along(x), along(places), onto(values)))

    def filled(self, values: Mapping[str, Any]) -> Self:
        knots = _checked(registry.get(self.lab), dict(values.get("knots", ())))
        return replace(self, knots=knots, within=_factor(values.get("within", WITHIN)), name=values.get("name", ""))

    def given(self, curve: Any) -> Self:  # type: ignore[override]
        knots, name = _chosen(registry.get(self.lab), curve, dict(self.settings))
        return replace(self, knots=knots, name=name)

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        curve, unit = run.measured[0], lab.sliders[lab.axis].unit
        first, last = self.knots[0][0], self.knots[-1][0]
        x = curve.x.values
        places = np.flatnonzero(np.isfinite(curve.values) & (x >= first * (1 - 1e-9)) & (x <= last * (1 + 1e-9)))
        if not places.size:
            return UNCLEAN
        expected = self.at(x[places], lab).tolist()
        measured = [interval(curve, i) for i in places]
        missed = [_distance(y, low, high) for y, (_, low, high) in zip(expected, measured, strict=True)]
        right = sum(bool(factor <= self.within) for factor in missed)
        points = f"{places.size} points measured between {lab.axis} {units.render(first, unit)} and"
        band = f"within a factor of {self.within:g} of your curve"
        said = f"Of {points} {units.render(last, unit)}, {right} lie {band}."
        worst = int(np.argmax(missed))
        value, low, high = measured[worst]
        if missed[worst] > 1:
            place, yours = units.render(x[places[worst]], unit), units.render(expected[worst], lab.unit)
            by = f", a factor of {missed[worst]:.2g}" if math.isfinite(missed[worst]) else ""
            range_ = with_interval(lab, value, low, high)
            said += f" Farthest off at {lab.axis} {place}: measured {range_}, yours {yours}{by}."
        return Outcome(said, right, int(places.size))


def curve_of(
    lab_id: str,
    curve: Mapping[float | str, float] | str | EllipsisType = ...,
    within: float = WITHIN,
    skip: bool = False,
    **settings: Value,
) -> CurvePrediction:
    """Predict a lab's first measured curve: points {x: value}, or a model's name.

    - within: a measured point is a hit if its interval reaches to within this factor of the curve
    - curve: `...` leaves the prediction open, or takes the journal's
    - skip: True to go on without a prediction
    - settings: sliders that differ from their defaults
    """
    lab = registry.get(lab_id)
    deviations = tuple(sorted(deviating(lab, settings).items()))
    knots, name = ((), "") if curve is ... else _chosen(lab, curve, settings)
    return CurvePrediction(lab_id, deviations, knots, _factor(within), name, skip=skip)


@wraps(curve_of)
def predict_curve(*arguments: Any, **named: Any) -> CurvePrediction:
    return curve_of(*arguments, **named).kept()


def _chosen(lab: Lab, curve: Any, settings: Mapping[str, Value]) -> tuple[tuple[tuple[float, float], ...], str]:
    """Return the checked points of a curve, and its name if it is a model's."""
    name, knots = "", curve
    if isinstance(curve, str):
        models = {model.name: model for model in lab.predict(lab.point(settings), lab.x(), lab.recorded_fit)}
        if curve not in models:
            raise SpeLabError(
                f"curve must be a model of {lab.id} ({', '.join(models)}) or points {{x: value}}, got {curve!r};"
                " choose one"
            )
        name, knots = curve, dict(zip(models[curve].x.values.tolist(), models[curve].values.tolist(), strict=True))
    return _checked(lab, knots), name


def _checked(lab: Lab, knots: Any) -> tuple[tuple[float, float], ...]:
    if not isinstance(knots, Mapping):
        raise SpeLabError(
            f"curve must be points {{x: value}} or the name of a model, got {knots!r:.60}; write for example {{1: 2.5,"
            " 8: 4}"
        )
    slider = lab.sliders[lab.axis]
    checked = sorted((slider.checked(x), units.finite(y, f"the value at {x}")) for x, y in knots.items())
    if len(checked) < 2 or len({x for x, _ in checked}) < len(checked):
        raise SpeLabError(f"curve must have two or more points at different {lab.axis}, got {len(checked)}; add one")
    least = min(y for _, y in checked)
    if least < 0 or (least == 0 and lab.scale == "log"):
        bound = "above" if lab.scale == "log" else "at least"
        raise SpeLabError(f"values of the curve must be {bound} 0, got {least:g}; choose a larger one")
    if (most := max(y for _, y in checked)) > MOST:
        raise SpeLabError(f"values of the curve must be at most {MOST:g}, got {most:g}; choose a smaller one")
    return tuple(checked)


def _factor(within: Any) -> float:
    factor = units.finite(within, "within")
    if factor < 1:
        raise SpeLabError(f"within must be a factor of at least 1, got {factor:g}; write for example 1.5")
    return factor


def _scales(lab: Lab):
    """Return the functions that make the figure's axes linear: for x, for values, and its inverse."""
    along = np.log if lab.sliders[lab.axis].scale == "log" else np.asarray
    return (along, np.log, np.exp) if lab.scale == "log" else (along, np.asarray, np.asarray)


def _distance(expected: float, low: float, high: float) -> float:
    """Return the ratio between a value and the nearer end of an interval; 1 inside."""
    if low <= expected <= high:
        return 1.0
    larger, smaller = (low, expected) if expected < low else (expected, high)
    return larger / smaller if smaller > 0 else math.inf
