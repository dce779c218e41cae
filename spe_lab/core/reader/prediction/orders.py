"""The prediction of an order: of measured curves at one place, or of places along one curve."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from itertools import combinations
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


@dataclass(frozen=True)
class Order(JournalEntry):
    """Candidates from the smallest to the largest; empty while the order is open.

    They are names of measured curves at x = `at`; if `at` is None, values of the axis for the first measured curve.
    `among` holds the candidates that a form offers.
    """

    at: float | None
    candidates: tuple[Any, ...]  # str or float, as `at` decides
    among: tuple[Any, ...] = field(default=(), kw_only=True, compare=False)
    kind = "order"
    thing = "an order"

    @property
    def asked(self) -> str:
        lab = registry.get(self.lab)
        if self.at is None:
            return f"along {lab.axis}"
        return f"at {lab.axis} {placed(lab, self.at)}"

    @property
    def subject(self) -> str:
        lab = registry.get(self.lab)
        return f"the {lab.quantity} {self.asked}{set_to(lab, dict(self.settings))}, from the smallest to the largest"

    @property
    def values(self) -> dict[str, Any] | None:
        return {"order": list(self.candidates)} if self.candidates else None

    @property
    def in_words(self) -> str:
        return " < ".join(map(self.name, self.candidates))

    def sketched(self) -> Sketch:
        return Sketch(f"your prediction {self.asked}: {self.in_words}", label=f"your prediction: {self.in_words}")

    def filled(self, values: Mapping[str, Any]) -> Self:
        return replace(self, candidates=_checked(registry.get(self.lab), values.get("order", ()), self.at))

    def given(self, *candidates: Any) -> Self:  # type: ignore[override]
        return replace(self, candidates=_checked(registry.get(self.lab), _unpacked(candidates), self.at))

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        values, lows, highs = {}, {}, {}
        for candidate in self.candidates:
            named = [curve for curve in run.measured if self.at is None or curve.name.startswith(candidate)]
            if not named:
                curves = ", ".join(curve.name for curve in run.measured)
                return f"There is no measured curve {candidate!r}; there are {curves}."
            i = nearest(named[0], lab, candidate if self.at is None else self.at)
            values[candidate], lows[candidate], highs[candidate] = interval(named[0], i)
        clean = sorted((name for name, value in values.items() if math.isfinite(value)), key=values.get)
        pairs = list(combinations(filter(clean.__contains__, self.candidates), 2))
        if not pairs:
            return UNCLEAN
        decided = [(a, b) for a, b in pairs if highs[a] < lows[b] or highs[b] < lows[a]]
        right = sum(values[a] < values[b] for a, b in decided)
        measured = ", ".join(
            f"{self.name(one)} {with_interval(lab, values[one], lows[one], highs[one])}" for one in clean
        )
        place = capitalised(self.asked)
        said = f"{place}, from the smallest: {measured}. Your order has {right} of {len(decided)} pairs right."
        if blurred := len(pairs) - len(decided):
            count = "counts" if blurred == 1 else "count"
            said += f" {blurred} of all pairs cannot be told apart on this machine and {count} for neither."
        return Outcome(said, right, len(decided))

    def name(self, candidate: Any) -> str:
        """Return a candidate in words."""
        lab = registry.get(self.lab)
        return candidate if self.at is not None else units.render(candidate, lab.sliders[lab.axis].unit)


def order_of(
    lab_id: str,
    *candidates: str | float | Sequence[str | float] | EllipsisType,
    at: float | str | None = None,
    among: Sequence[str | float] | None = None,
    skip: bool = False,
    **settings: Value,
) -> Order:
    """Predict an order from the smallest to the largest.

    - candidates: one after the other or as a list: names of a lab's measured curves or their beginnings; without `at`,
      values of the axis for the first measured curve. `...` leaves the order open, or takes the journal's
    - at: a value of the axis
    - among: the candidates that the form offers; by default all measured curves, or four places of the axis
    - skip: True to go on without a prediction
    - settings: sliders that differ from their defaults

    Pairs with overlapping measured intervals do not count.
    """
    lab = registry.get(lab_id)
    place = None if at is None else lab.slider(lab.axis).checked(at)
    unpacked = _unpacked(candidates)
    chosen = () if not unpacked or ... in unpacked else _checked(lab, unpacked, place)
    if among is not None:
        offered = _checked(lab, tuple(among), place)
    else:
        offered = chosen or _places(lab) if place is None else tuple(curve_names(lab)) or chosen
    deviations = tuple(sorted(deviating(lab, settings).items()))
    return Order(lab_id, deviations, place, chosen, among=offered, skip=skip)


@wraps(order_of)
def predict_order(*arguments: Any, **named: Any) -> Order:
    return order_of(*arguments, **named).kept()


def _unpacked(candidates: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the candidates; they may be given as one list."""
    one = candidates[0] if len(candidates) == 1 else None
    return tuple(one) if isinstance(one, list | tuple) else candidates


def _places(lab: Lab) -> tuple[float, ...]:
    """Return four values of the axis, spread over the default sweep."""
    values = lab.x().values
    return tuple(values[np.unique(np.linspace(0, len(values) - 1, 4).astype(int))].tolist())


def _checked(lab: Lab, candidates: Any, at: float | None) -> tuple[Any, ...]:
    if at is None and any(isinstance(candidate, str) and _is_name(lab, candidate) for candidate in candidates):
        raise SpeLabError(
            f"names of curves must be compared at one place, got no at; write for example {_example(lab)}"
        )
    check = lab.sliders[lab.axis].checked if at is None else partial(curve_named, lab, example=_example(lab))
    chosen = tuple(map(check, candidates))
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        names = shortened(", ".join(map(str, chosen)))[1:-1] or "none"
        raise SpeLabError(f"candidates must be two or more different ones, got {names}; name each once")
    return chosen


def _is_name(lab: Lab, beginning: str) -> bool:
    return bool(beginning) and any(name.startswith(beginning) for name in curve_names(lab))


def _example(lab: Lab) -> str:
    names = [*curve_names(lab)[:2], "…", "…"][:2]
    return f'predict_order("{lab.id}", "{names[0]}", "{names[1]}", at={lab.sliders[lab.axis].default:.6g})'
