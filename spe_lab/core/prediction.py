"""A prediction that a reader commits before the machine answers, and how close it came."""

import math
from dataclasses import dataclass
from types import EllipsisType

from spe_lab.core import lab as labs
from spe_lab.core import units
from spe_lab.core.curve import Run
from spe_lab.core.errors import SpeLabError
from spe_lab.core.text import Text


@dataclass(frozen=True)
class Prediction:
    """The reader expects the first measured curve of `lab` to lie between `low` and `high` (in `unit`) at x = `at`."""

    lab: str
    at: float
    at_unit: str
    low: float | EllipsisType
    high: float | EllipsisType
    unit: str

    @property
    def committed(self) -> bool:
        return self.low is not ... and self.high is not ...

    def score(self, run: Run | None) -> Text:
        """One sentence: the measured interval at the measured point nearest to `at`, beside the predicted range."""
        return Text(self._judged(run))

    def _judged(self, run: Run | None) -> str:
        if not self.committed:
            return "No prediction yet: put two numbers in the place of the dots, before you look."
        if run is None or not run.measured or run.measured[0].source == "recorded":
            return "No measurement yet: press Measure."
        curve, lab = run.measured[0], labs.get(self.lab)
        along = math.log if lab.sliders[lab.axis].scale == "log" else float
        i = min(range(curve.x.values.size), key=lambda k: abs(along(curve.x.values[k]) - along(self.at)))
        value, low, high = curve.values[i], curve.low[i], curve.high[i]
        if not math.isfinite(value):
            return "No clean sample at this point: measure again on a quieter machine."
        low, high = (low, high) if math.isfinite(low) else (value, value)
        place, found = units.render(curve.x.values[i], self.at_unit), units.render(value, self.unit)
        where = f"At {lab.axis} {place} the {lab.quantity} was {found} ({low:.3g} to {high:.3g})"
        expected = f"your range of {self.low:g} to {self.high:g} {self.unit}".rstrip()
        if self.low <= high and self.high >= low:
            return f"{where}: inside {expected}."
        side, larger, smaller = ("above", low, self.high) if low > self.high else ("below", self.low, high)
        return f"{where}: {side} {expected}" + (f", by a factor of {larger / smaller:.2g}." if smaller > 0 else ".")


def predict(lab_id: str, at: float | str, low: float | EllipsisType = ..., high: float | EllipsisType = ...) -> Prediction:
    """Commits a range for a lab's first measured curve at one value of its axis; `...` leaves it open."""
    lab = labs.get(lab_id)
    slider = lab.slider(lab.axis)
    bounds = [value if value is ... else units.finite(value, name) for name, value in (("low", low), ("high", high))]
    if ... not in bounds and not 0 <= bounds[0] <= bounds[1]:
        raise SpeLabError(f"low must be at least 0 and at most high, got low={low}, high={high}; swap them")
    return Prediction(lab_id, slider.checked(at), slider.unit, *bounds, lab.unit)
