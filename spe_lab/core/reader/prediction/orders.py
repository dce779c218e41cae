"""The prediction of an order: of measured curves at one place, or of places along one curve."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from types import EllipsisType
from typing import Any, Self

from spe_lab.core import registry, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction.base import UNCLEAN, JournalEntry, Outcome, Sketch, deviating, interval, nearest
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Order(JournalEntry):
    """Candidates from the smallest to the largest; empty while the order is open.

    They are names of measured curves at x = `at`; if `at` is None, values of the axis for the first measured curve.
    """

    at: float | None
    candidates: tuple[Any, ...]  # str or float, as `at` decides
    kind = "order"
    open_advice = "name the candidates from the smallest to the largest in the place of the dots"

    @property
    def asked(self) -> str:
        lab = registry.get(self.lab)
        if self.at is None:
            return f"along {lab.axis}"
        return f"at {lab.axis} {units.render(self.at, lab.sliders[lab.axis].unit, 6)}"

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
            f"{self._name(one)} {units.render(values[one], lab.unit)} ({lows[one]:.3g} to {highs[one]:.3g})"
            for one in clean
        )
        place = f"{self.asked[0].upper()}{self.asked[1:]}"
        said = f"{place}, from the smallest: {measured}. Your order has {right} of {len(decided)} pairs right."
        if blurred := len(pairs) - len(decided):
            count = "counts" if blurred == 1 else "count"
            said += f" {blurred} of all pairs cannot be told apart on this machine and {count} for neither."
        return Outcome(said, right, len(decided))

    def _name(self, candidate: Any) -> str:
        lab = registry.get(self.lab)
        return candidate if self.at is not None else units.render(candidate, lab.sliders[lab.axis].unit)


def predict_order(
    lab_id: str, *candidates: str | float | EllipsisType, at: float | str | None = None, **settings: Value
) -> Order:
    """Commit a prediction of an order from the smallest to the largest.

    The candidates are names of a lab's measured curves, `at` a value of its axis; or without `at`, values of the axis
    for the first measured curve. `...` leaves the order open, or takes the journal's. Pairs with overlapping measured
    intervals do not count. `settings` are sliders that differ from their defaults.
    """
    lab = registry.get(lab_id)
    place = None if at is None else lab.slider(lab.axis).checked(at)
    chosen = () if candidates in ((...,), ()) else _checked(lab, candidates, place)
    return Order(lab_id, tuple(sorted(deviating(lab, settings).items())), place, chosen).kept()


def _checked(lab: Lab, candidates: Any, at: float | None) -> tuple[Any, ...]:
    check = lab.sliders[lab.axis].checked if at is None else partial(_name, lab)
    chosen = tuple(map(check, candidates))
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        names = ", ".join(map(str, chosen)) or "none"
        raise SpeLabError(f"candidates must be two or more different ones, got {names}; name each once")
    return chosen


def _name(lab: Lab, beginning: Any) -> str:
    """Return the name of the measured curve that starts so, from the lab's recorded run if it has one."""
    recorded = lab.recorded()
    names = [curve.name for curve in recorded.measured] if recorded else [beginning]
    matches = [name for name in names if isinstance(beginning, str) and name.startswith(beginning)]
    if len(matches) != 1 and beginning not in matches:
        rule = f"candidates at one place must be measured curves of {lab.id} ({', '.join(map(str, names))})"
        cure = "write more of the curve's name, or leave out at=… to order places on the axis"
        raise SpeLabError(f"{rule}, got {beginning!r}; {cure}")
    return beginning if beginning in matches else matches[0]
