"""What an explorer shows at one setting of its sliders, each part worked out once, whoever needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spe_lab.core.curve import Axis, Curve
from spe_lab.core.recording import Run
from spe_lab.core.lab import Lab, version
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Frame:
    """`lab` at `point`: its models at the values `x` of its sweep, and drawn over `axis`, beside `run` (what was
    measured, if anything was).
    """

    lab: Lab
    point: Mapping[str, Value]
    x: Axis
    axis: Axis
    run: Run | None

    @cached_property
    def predicted(self) -> Sequence[Curve]:
        """The models over the axis, at the marker and at the measured points: they are asked once for all of these."""
        more = [self.point[self.lab.axis], *(self.run.x.values if self.run else ())]
        return self.lab.predict(self.point, Axis(self.axis.name, self.axis.unit, np.union1d(self.axis.values, more)))

    @cached_property
    def here(self) -> Sequence[Curve]:
        """The models at the marker."""
        x = Axis(self.axis.name, self.axis.unit, np.array([self.point[self.lab.axis]]))
        return [curve.at(x) for curve in self.predicted]

    @cached_property
    def shown(self) -> Run:
        """The figure as a run: without a measurement, the model alone."""
        if self.run is None:
            return Run(
                self.lab.id,
                self.point,
                self.x,
                [],
                [curve.at(self.x) for curve in self.predicted],
                None,
                self.lab.machine_dict,
                version(),
            )
        if self.moved:
            return self.lab.beside(self.run, self.point)
        return self.lab.assemble(self.point, self.run.measured, [curve.at(self.run.x) for curve in self.predicted])

    @cached_property
    def moved(self) -> dict[str, Value]:
        """Sliders that a measurement depends on and that have left the values it was taken at: those values."""
        if self.run is None:
            return {}
        measured = (name for name, slider in self.lab.sliders.items() if slider.measured and name in self.run.point)
        return {name: self.run.point[name] for name in measured if self.point[name] != self.run.point[name]}

    @cached_property
    def marks(self) -> Mapping[str, float]:
        return self.lab.marks(self.point)
