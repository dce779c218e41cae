"""The labs machine.facts and machine.calibrate: each level's capacity and latency, as claimed and
as a program gets it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.calibration.calibration import Calibration
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import Effort, Lab, Measured
from spe_lab.core.machine import Parameter, claim, published
from spe_lab.core.registry import register
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import origin
from spe_lab.core.slider import Preset, Slider, Value

CLAIMS, PROFILE = "claims", "profile"


class LevelLab(Lab):
    """What the two labs share: one sweep of a random cycle, from which the levels of the memory hierarchy are read."""

    axis = "level"
    names: tuple[str, ...]  # the parameter of each level, from 1

    def level_slider(self) -> Slider:
        return Slider(
            "level",
            "",
            1,
            "level of the memory hierarchy",
            1,
            len(self.names),
            "linear",
            multiple_of=1,
            source="the first cache",
        )

    def profile_slider(self) -> Slider:
        meaning = (
            "what stands beside the measurement: this machine's claims and assumptions, its profile, or published"
            " numbers of another CPU"
        )
        choices = (CLAIMS, PROFILE, *published())
        return Slider(
            "beside",
            "",
            CLAIMS,
            meaning,
            scale="choice",
            choices=choices,
            measured=False,
            source="the operating system",
        )

    def make_sliders(self) -> list[Slider]:
        return [self.level_slider(), self.profile_slider()]

    def default_values(self, short: bool) -> list[float]:
        return list(range(1, len(self.names) + 1))

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        bench = Calibration(claim(), cancel)
        for result, fitted in bench.cache_sweeps(effort.budget_s):
            yield Measured(result.progress, [self.curve(bench.levels(fitted), x, result)])

    def curve(self, found: Mapping[str, Parameter], x: Axis, result: Sweep) -> Curve:
        wanted = [found.get(self.names[int(level) - 1]) for level in x.values]
        values, low, high = (
            np.array([self.number(parameter, end) for parameter in wanted]) for end in ("value", "low", "high")
        )
        kept, tried = (
            np.full(len(wanted), int(total.sum())) for total in (result.estimate.kept, result.estimate.tried)
        )
        return Curve(
            "effective", "measured", x, self.unit, values, low, high, kept, tried, origin(result, native.load("memory"))
        )

    @staticmethod
    def number(parameter: Parameter | None, end: str) -> float:
        found = getattr(parameter, end) if parameter else None
        return np.nan if found is None else found

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        others: dict[str, Callable[[], Mapping[str, Parameter]]] = {
            CLAIMS: claim,
            PROFILE: lambda: self.machine.parameters,
        }
        chosen = point["beside"]
        stated = others[chosen]() if chosen in others else published()[chosen].parameters
        values = [self.number(stated.get(self.names[int(level) - 1]), "value") for level in x.values]
        return [Curve("stated", "predicted", x, self.unit, np.array(values))]


@register
class Facts(LevelLab):
    """Capacity of each cache: what the operating system claims, and how much of it a program gets."""

    id = "machine.facts"
    title = "Capacities"
    question = "How much of each cache that this machine claims to have does a program get?"
    quantity = "capacity"
    unit = "B"
    names = ("l1_capacity", "l2_capacity", "l3_capacity")
    compared = ("effective", "stated")
    within = None  # how far claims and machine lie apart is what it shows
    breaks = (
        "A capacity is read off a fitted step: a cache that is shared, or whose step is hidden by its neighbour's, has"
        " an effective size that changes by the minute."
    )

    def presets(self) -> dict[str, Preset]:
        return {
            "An Arm server": Preset(
                {"beside": "arm-neoverse-n1-altra"},
                "Its first cache is stated at 64 KiB, twice that of the other published processors.",
            ),
            "A small Intel core": Preset(
                {"beside": "intel-tremont-n6005"},
                "Its third cache is less than three times its second: little room for a step of its own.",
            ),
        }


@register
class Calibrate(LevelLab):
    """Latency of each level, as what a miss adds."""

    id = "machine.calibrate"
    title = "Latencies"
    question = "What does a hit in the first cache cost, and what does each further level add?"
    quantity = "latency that the level adds"
    unit = "ns"
    names = ("l1_latency", "l2_latency", "l3_latency", "memory_latency")
    compared = ("effective", "stated")
    within = None  # how far claims and machine lie apart is what it shows
    breaks = (
        "No operating system states a latency: until there is a profile, what stands beside yours is assumed, and a"
        " level without a step of its own is not resolvable."
    )

    def presets(self) -> dict[str, Preset]:
        return {
            "An Arm server": Preset(
                {"beside": "arm-neoverse-n1-altra"},
                "Its third level adds over twice what it adds in the other published processors.",
            ),
            "A small Intel core": Preset(
                {"beside": "intel-tremont-n6005"},
                "Of the published ones its first cache answers soonest, and its second level adds most.",
            ),
        }
