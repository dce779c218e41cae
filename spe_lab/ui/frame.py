"""The content of an explorer at one setting of its sliders; each part is computed at most once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import Fitted, Lab, version
from spe_lab.core.recording import Recording, Run
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Frame:
    """A lab at one point of its sliders, beside a recording.

    - `x`: the values of the default sweep; `axis`: the values at which the model is drawn
    - `fitted`: the recording, or None, with its fit
    - `model`: False holds the model back, too: its curves have no values
    - `fits`: False holds back the curves with a provenance: they come from a measurement, be it a shipped one
    """

    lab: Lab
    point: Mapping[str, Value]
    x: Axis
    axis: Axis
    fitted: Fitted
    model: bool = True
    fits: bool = True

    @property
    def recording(self) -> Recording | None:
        return self.fitted.recording

    @cached_property
    def predicted(self) -> Sequence[Curve]:
        """The models over the axis, at the marker and at the measured points, from one call of `predict`."""
        more = [self.point[self.lab.axis], *(self.recording.x.values if self.recording else ())]
        values = np.union1d(self.axis.values, more)
        curves = self.lab.predict(self.point, Axis(self.axis.name, self.axis.unit, values), self.fitted.fit)
        nothing = np.full_like(values, np.nan)
        return [curve if self._shows(curve) else replace(curve, values=nothing) for curve in curves]

    def _shows(self, curve: Curve) -> bool:
        return self.model and (self.fits or not curve.provenance)

    @cached_property
    def here(self) -> Sequence[Curve]:
        """The models at the marker."""
        x = Axis(self.axis.name, self.axis.unit, np.array([self.point[self.lab.axis]]))
        return [curve.at(x) for curve in self.predicted]

    @cached_property
    def shown(self) -> Run:
        """The figure as a run; without a measurement, with the model alone."""
        if self.recording is None:
            predicted = [curve.at(self.x) for curve in self.predicted]
            return Run(self.lab.id, self.point, self.x, [], {}, self.lab.machine_dict, version(), predicted)
        known = None if self.moved else [curve.at(self.recording.x) for curve in self.predicted]
        return self.lab.joined(self.fitted, self.point, known)

    @cached_property
    def moved(self) -> dict[str, Value]:
        """The measurement's values of those sliders that affect it and have moved since."""
        if self.recording is None:
            return {}
        taken_at = self.recording.point
        measured = (name for name, slider in self.lab.sliders.items() if slider.measured and name in taken_at)
        return {name: taken_at[name] for name in measured if self.point[name] != taken_at[name]}

    @cached_property
    def marks(self) -> Mapping[str, float]:
        return self.lab.marks(self.point, self.fitted.fit)
