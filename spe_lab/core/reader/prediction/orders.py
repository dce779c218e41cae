"""An order: which of several measured curves is smaller at one place, or at which of several places one curve is
smaller.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from types import EllipsisType
from typing import Any, Self

from spe_lab.core import registry, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction.base import UNCLEAN, Kept, Outcome, Sketch, deviating, interval, nearest
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Order(Kept):
    """Candidates from the smallest to the largest: names of measured curves at x = `at`, or, where `at` is None, values
    of the axis for the first measured curve. Empty while it is open.
    """

    at: float | None
    candidates: tuple[Any, ...]  # str or float, as `at` decides
    kind = "order"
    open_advice = "name the candidates from the smallest to the largest in the place of the dots"

    @property
    def asked(self) -> str:
        lab = registry.get(self.lab)
        return (
            f"along {lab.axis}"
            if self.at is None
            else f"at {lab.axis} {units.render(self.at, lab.sliders[lab.axis].unit, 6)}"
        )

    @property
    def values(self) -> dict[str, Any] | None:
        return {"order": list(self.candidates)} if self.candidates else None

    @property
    def in_words(self) -> str:
        return " < ".join(map(self._name, self.candidates))

    def sketched(self) -> Sketch:
        return Sketch(f"your prediction {self.asked}: {self.in_words}", label=f"your prediction: {self.in_words}")

    def filled(self, values: Mapping[str, Any]) -> Self:
        return replace(self, candidates=_checked(registry.get(self.lab), values.get("order", ()), self.at))

    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        found = {}
        for candidate in self.candidates:
            curve = (
                run.measured[0]
                if self.at is None
                else next((curve for curve in run.measured if curve.name.startswith(candidate)), None)
            )
            if curve is None:
                return (
                    f"There is no measured curve {candidate!r}; there are"
                    f" {', '.join(curve.name for curve in run.measured)}."
                )
            found[candidate] = interval(curve, nearest(curve, lab, candidate if self.at is None else self.at))
        clean = [candidate for candidate in self.candidates if math.isfinite(found[candidate][0])]
        if len(clean) < 2:
            return UNCLEAN
        decided = [(a, b) for a, b in combinations(clean, 2) if found[a][2] < found[b][1] or found[b][2] < found[a][1]]
        right = sum(found[a][0] < found[b][0] for a, b in decided)
        told = ", ".join(
            f"{self._name(each)} {units.render(found[each][0], lab.unit)} ({found[each][1]:.3g} to"
            f" {found[each][2]:.3g})"
            for each in sorted(clean, key=lambda each: found[each][0])
        )
        said = (
            f"{self.asked[0].upper()}{self.asked[1:]}, from the smallest: {told}. Your order has {right} of"
            f" {len(decided)} pairs right."
        )
        if blurred := math.comb(len(clean), 2) - len(decided):
            said += (
                f" {blurred} of all pairs cannot be told apart on this machine and"
                f" {'counts' if blurred == 1 else 'count'} for neither."
            )
        return Outcome(said, right, len(decided))

    def _name(self, candidate: Any) -> str:
        lab = registry.get(self.lab)
        return candidate if self.at is not None else units.render(candidate, lab.sliders[lab.axis].unit)


def predict_order(
    lab_id: str, *candidates: str | float | EllipsisType, at: float | str | None = None, **settings: Value
) -> Order:
    """Commits an order from the smallest to the largest: of a lab's measured curves, by name, `at` a value of its axis;
    or without `at`, of values of the axis, for the first measured curve.

    `...` leaves it open, or takes what the journal has. Pairs whose measured intervals overlap count for neither.
    """
    lab = registry.get(lab_id)
    place = None if at is None else lab.slider(lab.axis).checked(at)
    chosen = () if candidates in ((...,), ()) else _checked(lab, candidates, place)
    return Order(lab_id, tuple(sorted(deviating(lab, settings).items())), place, chosen).kept()


def _checked(lab: Lab, candidates: Any, at: float | None) -> tuple[Any, ...]:
    chosen = tuple(lab.sliders[lab.axis].checked(each) if at is None else _name(lab, each) for each in candidates)
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        raise SpeLabError(
            f"candidates must be two or more different ones, got {', '.join(map(str, chosen)) or 'none'}; name each"
            " once"
        )
    return chosen


def _name(lab: Lab, beginning: Any) -> str:
    """The measured curve whose name begins so. What a lab measures is known from its recorded run, where it has one."""
    recorded = lab.recorded()
    known = [curve.name for curve in recorded.measured] if recorded else [beginning]
    found = [name for name in known if isinstance(beginning, str) and name.startswith(beginning)]
    if len(found) != 1 and beginning not in found:
        rule = f"candidates at one place must be measured curves of {lab.id} ({', '.join(map(str, known))})"
        raise SpeLabError(
            f"{rule}, got {beginning!r}; write enough of one's name, or leave out at=… to order places on the axis"
        )
    return beginning if beginning in found else found[0]
