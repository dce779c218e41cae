"""Kinds of lab: kernels on one core, teams of threads, companion programs, simulations. Each has one hook.

A timed lab plans the points that are sampled. A simulated lab yields its curves in steps with fixed counts and seeds.
`measure` is inherited from the kind.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.native import Library
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import Effort, Lab, Measured
from spe_lab.core.sampling.companion import Companion
from spe_lab.core.sampling.kernels import Point, sweep
from spe_lab.core.sampling.provenance import Result, curves, origin, simulated_origin
from spe_lab.core.sampling.teams import Setting, interleaved
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Plan:
    """The points that a timed lab samples in rounds, and how the samples become curves and training.

    - `points`: one for each value of the axis, curve by curve; then any others that the fit needs
    - `names`: names of the curves that the first points form
    - `library`: the kernels' library; `provenance` and `notes`: additions to those of the curves
    - `training`: returns the training data in a result
    - `curves`: returns the curves of a result where they are not simply the points' times
    - `options`: for the sampler, such as the burst and the quantile of a team's trials
    """

    points: Sequence[Point] | Sequence[Setting]
    names: Sequence[str]
    library: Library
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    training: Callable[[Any], Mapping[str, Any]] | None = None
    curves: Callable[[Any], Sequence[Curve]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def origin(self, result: Result, **more: Any) -> dict[str, Any]:
        """Return the provenance of curves that are made from a result."""
        return origin(result, self.library, self.notes, **self.provenance, **more)


class TimedLab(Lab):
    """A lab whose `sampler` samples points in rounds until they are precise or the budget is used."""

    sampler: ClassVar[Callable[..., Iterator[Any]]]

    def sampled(self, plan: Plan, x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        """Sample the plan's points and yield ever more precise curves."""
        for result in self.sampler(plan.points, budget_s=effort.budget_s, cancel=cancel, **plan.options):
            if plan.curves:
                measured = plan.curves(result)
            else:
                measured = curves(result, plan.names, x, plan.library, plan.notes, self.unit, **plan.provenance)
            yield Measured(result.progress, measured, plan.training(result) if plan.training else {})


class PlannedLab(TimedLab):
    """A timed lab with one hook, `plan`."""

    @abstractmethod
    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        """Return what is sampled for these settings."""

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        yield from self.sampled(self.plan(point, x, effort, cancel), x, effort, cancel)


class KernelLab(PlannedLab):
    """Work kernels on one core, timed by the common harness (sampling/kernels.py)."""

    sampler = staticmethod(sweep)


class TeamLab(PlannedLab):
    """Trials that need several threads, or that take too long for one core's harness (sampling/teams.py)."""

    sampler = staticmethod(interleaved)


class CompanionLab(TimedLab):
    """Trials that talk to a companion program, which is started for each measurement and ended with it.

    `program` is the stem of its file in kernels_c/programs/. The hook is `plan_with`.
    """

    sampler = staticmethod(interleaved)
    program: ClassVar[str]

    @abstractmethod
    def plan_with(
        self, companion: Companion, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel
    ) -> Plan:
        """Return what is sampled for these settings while the program runs."""

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        with Companion(native.build_program(self.program), cancel=cancel) as companion:
            yield from self.sampled(self.plan_with(companion, point, x, effort, cancel), x, effort, cancel)


class SimulatedLab(Lab):
    """A simulation in fixed, seeded steps: its results do not depend on how fast the machine is.

    A short run takes `short_steps` steps, any other one `steps`. The refinement in an explorer continues, up to
    `most_steps`. Only there can the budget end a run.
    """

    simulated = True
    short_steps: ClassVar[int] = 1
    steps: ClassVar[int] = 2
    most_steps: ClassVar[int] = 4
    stem: ClassVar[str]  # of the C file that simulates

    @abstractmethod
    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[Sequence[Curve]]:
        """Yield the curves after each step, from more simulated work each time; at least `most_steps` times."""

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        wanted = self.short_steps if effort.short else self.steps
        most = self.most_steps if effort.refine else wanted
        began, drawn = time.monotonic(), None
        for step, drawn in enumerate(self.draw(point, x, cancel), 1):
            used = time.monotonic() - began
            late = effort.refine and step >= wanted and used >= effort.budget_s
            if step >= most or late:
                break
            yield Measured(step / most, drawn)
        if drawn is not None:  # there may be fewer steps than wanted
            yield Measured(1.0, drawn)

    def curve(self, name: str, x: Axis, estimates: Any, counts: Any, estimator: str, **provenance: Any) -> Curve:
        """Return a simulated curve.

        - `estimates`: one row for each x, which begins with the value and ends with the two ends of its interval
        - `counts`: number of simulated events behind each value, one for each x or one for all
        - `estimator`: how value and interval were computed, for the provenance
        """
        value, *_, low, high = np.asarray(estimates, dtype=float).T
        counts = np.broadcast_to(counts, value.shape)
        how = simulated_origin(self.stem, estimator, **provenance)
        return Curve(name, "simulated", x, self.unit, value, low, high, counts, counts, how)


def accumulated(one: Callable[[int], np.ndarray], ends: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the stacked batches one(0), one(1), … after each count in `ends`; batches are independent."""
    batches: list[np.ndarray] = []
    for end in ends:
        batches += [one(batch) for batch in range(len(batches), end)]
        yield np.array(batches)


def growing(first: int, factor: int = 4) -> Iterator[int]:
    """Yield simulation sizes: first, factor · first, …; a factor of four halves the intervals."""
    size = first
    while True:
        yield size
        size *= factor
