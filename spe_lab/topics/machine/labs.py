"""The labs machine.facts and machine.calibrate: claimed and effective capacity and latency of each level."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.calibration.calibration import Calibration
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Lab, Measured, Preset, Slider, Value, register
from spe_lab.core.machine import Parameter, claim, published
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import origin

CLAIMS, PROFILE = "claims", "profile"
LEVELS = {
    "l1_capacity": "L1",
    "l2_capacity": "L2",
    "l3_capacity": "L3",
    "l1_latency": "L1 hit",
    "l2_latency": "L2",
    "l3_latency": "L3",
    "memory_latency": "memory",
}


class LevelLab(Lab):
    """Base of both labs: fits the levels of the memory hierarchy to one sweep of a random cycle."""

    axis = "level"
    names: tuple[str, ...]  # the parameter of each level, beginning with L1
    first = ("level", "beside")

    def level_slider(self) -> Slider:
        places = (LEVELS[name] for name in self.names)
        return Slider.category("level", places, "level of the memory hierarchy", "the first cache", label="Level")

    def profile_slider(self) -> Slider:
        meaning = "values to compare with: this machine's claims, its profile, or published numbers of another CPU"
        choices = (CLAIMS, PROFILE, *published())
        source = "the operating system"
        return Slider.choice(
            "beside", choices, meaning, source, measured=False, label="Compare with", symbol="Compare with"
        )

    def make_sliders(self) -> list[Slider]:
        return [self.level_slider(), self.profile_slider()]

    def default_values(self, short: bool) -> list[float]:
        return list(range(1, len(self.names) + 1))

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        bench = Calibration(claim(), cancel)
        for result, fitted in bench.cache_sweeps(effort.budget_s):
            yield Measured(result.progress, [self.curve(bench.levels(fitted), x, result)])

    def curve(self, fitted: Mapping[str, Parameter], x: Axis, result: Sweep) -> Curve:
        levels = [fitted.get(self.names[int(level) - 1]) for level in x.values]
        value, low, high = (np.array([self.number(p, end) for p in levels]) for end in ("value", "low", "high"))
        estimate, how = result.estimate, origin(result, native.load("memory"))
        kept, tried = (np.full(len(levels), int(total.sum())) for total in (estimate.kept, estimate.tried))
        return Curve("effective", "measured", x, self.unit, value, low, high, kept, tried, how)

    @staticmethod
    def number(parameter: Parameter | None, end: str) -> float:
        """Return the parameter's `value`, `low` or `high`; NaN if it has none."""
        number = getattr(parameter, end) if parameter else None
        return np.nan if number is None else number

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        own: dict[str, Callable[[], Mapping[str, Parameter]]] = {
            CLAIMS: claim,
            PROFILE: lambda: self.machine.parameters,
        }
        chosen = point["beside"]
        stated = own[chosen]() if chosen in own else published()[chosen].parameters
        values = [self.number(stated.get(self.names[int(level) - 1]), "value") for level in x.values]
        return [Curve("stated", "predicted", x, self.unit, np.array(values))]


@register
class Facts(LevelLab):
    """Lab: capacity of each cache as the operating system claims it, and as a program measures it."""

    id = "machine.facts"
    title = "Capacities"
    question = "How much of each cache that this machine claims can a program use?"
    quantity = "capacity"
    unit = "B"
    names = ("l1_capacity", "l2_capacity", "l3_capacity")
    compared = ("effective", "stated")
    within = None  # the lab shows how far claims and measurement differ
    breaks = (
        "A capacity is read off a fitted step. A cache that others use too, or whose step is hidden by a neighbour's,"
        " has an effective size that changes by the minute."
    )

    def presets(self) -> dict[str, Preset]:
        return {
            "An Arm server": Preset(
                {"beside": "arm-neoverse-n1-altra"},
                "Its first-level cache is stated at 64 KiB, twice that of the other published processors.",
            ),
            "A small Intel core": Preset(
                {"beside": "intel-tremont-n6005"},
                "Its third-level cache is less than three times its second: little room for a step of its own.",
            ),
        }


@register
class Calibrate(LevelLab):
    """Lab: latency of each level, the time that a miss to it adds."""

    id = "machine.calibrate"
    title = "Latencies"
    question = "How long does a hit in the first-level cache take, and how much does each further level add?"
    quantity = "latency that the level adds"
    unit = "ns"
    names = ("l1_latency", "l2_latency", "l3_latency", "memory_latency")
    compared = ("effective", "stated")
    within = None  # the lab shows how far claims and measurement differ
    breaks = (
        "No operating system states a latency: until you calibrate, your values are compared with assumptions. A level"
        " without a step of its own cannot be resolved."
    )

    def presets(self) -> dict[str, Preset]:
        return {
            "An Arm server": Preset(
                {"beside": "arm-neoverse-n1-altra"},
                "Its third level adds over twice as much as in the other published processors.",
            ),
            "A small Intel core": Preset(
                {"beside": "intel-tremont-n6005"},
                "Of the published processors its first-level cache is fastest, and its second level adds most.",
            ),
        }
