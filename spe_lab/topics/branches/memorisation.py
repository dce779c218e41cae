"""The lab branches.memorisation: the length of a random pattern that this machine memorises."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.calibration.steps import Staircase, Step, miss_share
from spe_lab.core.calibration.steps import fit as fit_steps
from spe_lab.core.files import plain
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, KernelLab, Plan, Preset, Recording, Slider, Value, register
from spe_lab.core.sampling.kernels import Point, Sweep
from spe_lab.core.text import Text
from spe_lab.topics.branches.selection import KEY_RANGE, assumed, kernels, time_slider

RELEARN = 1 << 20  # most untimed branches before a burst: other points made the predictor forget this one
LAPS = 32  # repetitions in which a predictor learns a pattern if it can
MOST_STEPS = 3  # small predictors answer sooner than large ones; beyond the last step none knows the pattern


@register
class Memorisation(KernelLab):
    """Lab: time per element against the length of a random pattern that repeats."""

    id = "branches.memorisation"
    title = "Memorisation"
    question = "Up to which length does this machine memorise a random pattern that a loop repeats?"
    axis = "length"
    scale = "linear"
    quantity = "time per element"
    unit = "ns"
    compared = ("repeated pattern", "fitted")
    fitted_here = True
    within = 0.05
    breaks = (
        "The model has one capacity, which evicts patterns at random (a ramp) or the oldest first (a cliff). Real"
        " predictors have tables of several sizes, share them with all other branches, and forget a pattern while"
        " something else runs."
    )

    def make_sliders(self) -> list[Slider]:
        most, middle = 1 << 20, "the middle of the sweep"
        meaning = "length of the repeated pattern, in branches"
        length = Slider.count("length", 4096, meaning, 16, most, middle, "log", label="Pattern length")
        meaning = "branches that the modelled predictor memorises"
        source = "assumed: 5,000 to 30,000 were reported for cores of 2024 (D. Lemire, 2026)"
        label = "Memorised branches"
        K = Slider("K", "", 20_000, meaning, 16, most, "log", measured=False, source=source, label=label)
        return [length, K, time_slider("P", assumed(self.machine, "P"))]

    def default_values(self, short: bool) -> list[float]:
        return [2.0**k for k in range(6, 21, 2)] if short else [2.0**k for k in range(5, 21)]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        lengths = [float(round(2 ** (k + 0.5))) for k in range(5, 20, 2 if effort.short else 1)]
        points, n = [self.pattern(int(length)) for length in [*x.values, *lengths]], len(x.values)

        def training(result: Sweep) -> dict[str, Any]:
            return {"lengths": lengths, "blocks": plain(result.blocks()[:, n : len(points)])}

        return Plan(points, self.compared[:1], kernels(), training=training)

    def fit(self, recording: Recording) -> "Memory":
        """Fit a staircase to the training lengths, which lie half-way between those of the sweep."""
        lengths, blocks = (np.array(recording.training[name], dtype=float) for name in ("lengths", "blocks"))
        return Memory(fit_steps(lengths, blocks, max_steps=MOST_STEPS))

    def pattern(self, length: int) -> Point:
        keys = np.random.default_rng(length).integers(0, KEY_RANGE, length, dtype=np.int32)
        library = kernels()
        state = library.struct("selection")(keys.ctypes.data, keys.ctypes.data, length, 1, 0, KEY_RANGE // 2)
        kernel, warm = library.address("sum_branching"), min(LAPS * length, RELEARN)
        return Point(f"pattern of {length}", kernel, state, warm, keep=keys)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "Memory") -> list[Curve]:
        fitted, K = fit.staircase, float(point["K"])
        memorised = fitted.base if fitted.steps else 1.0
        steps = [{"branches": step.capacity, "adds_ns": step.latency, "kind": step.kind} for step in fitted.steps]
        how = {"base_ns": fitted.base, "steps": steps}
        return [
            Curve("fitted", "predicted", x, "ns", fitted.predict(x.values), provenance=how),
            *(
                Curve(f"{kind} at K", "predicted", x, "ns", memorised + point["P"] / 2 * miss_share(kind, K, x.values))
                for kind in ("ramp", "cliff")
            ),
        ]

    def marks(self, point: Mapping[str, Value], fit: "Memory") -> dict[str, float]:
        step = fit.span()
        return {"memorised up to": step.capacity if step else math.nan}

    def presets(self) -> dict[str, Preset]:
        return {
            "A small predictor": Preset(
                {"K": 512.0},
                "Cliff and ramp move to 512 branches. The fit stays: it depends on the points and not on the sliders.",
            ),
            "Expensive mispredictions": Preset(
                {"P": 20.0},
                "Only the height beyond K changes, to half the penalty: every second branch of a pattern that is not"
                " memorised is mispredicted.",
            ),
        }


@dataclass(frozen=True)
class Memory:
    """The fitted staircase: time per element over the length of the pattern."""

    staircase: Staircase

    def span(self) -> Step | None:
        """Return the step that adds most, beyond which no pattern is memorised; None without steps."""
        return max(self.staircase.steps, key=lambda step: step.latency, default=None)

    def summary(self) -> Text:
        """Return the place and the height of that step, in a sentence."""
        step = self.span()
        if step is None:
            return Text("Every length takes the same time per element: all patterns were memorised, or none.")
        lengths = (step.capacity, step.capacity_low, step.capacity_high)
        places = [units.render(float(f"{length:.2g}"), "") for length in lengths]
        memorised = "memorised up to {} branches (95 % interval: {} to {})".format(*places)
        more = len(self.staircase.steps) - 1
        others = (
            f" There {'is' if more == 1 else 'are'} {more} smaller step{'s' * (more > 1)} before it." if more else ""
        )
        sentence = f"{memorised[0].upper()}{memorised[1:]}; beyond, an element takes {step.latency:.2f} ns longer."
        return Text(f"{sentence}{others}")
