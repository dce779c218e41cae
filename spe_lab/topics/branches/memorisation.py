"""The lab branches.memorisation: how long a random pattern this machine learns by heart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.calibration.steps import Staircase, Step, miss_share
from spe_lab.core.calibration.steps import fit as fit_steps
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.files import plain
from spe_lab.core.kinds import KernelLab, Plan
from spe_lab.core.lab import Effort
from spe_lab.core.recording import Recording
from spe_lab.core.registry import register
from spe_lab.core.sampling.kernels import Point, Sweep
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.text import Text
from spe_lab.topics.branches.selection import KEY_RANGE, assumed, kernels

RELEARN = 1 << 20  # most branches that are run untimed before a burst: what other points made the predictor forget
LAPS = 32  # of a pattern, in which it is learnt where it can be
MOST_STEPS = 3  # small predictors answer sooner than large ones: the last step is where nothing knows the pattern


@register
class Memorisation(KernelLab):
    """Time per element against the length of a random pattern that repeats."""

    id = "branches.memorisation"
    title = "Learning by heart"
    question = "How long a random pattern does this machine learn by heart, if a loop repeats it?"
    axis = "length"
    scale = "linear"
    quantity = "time per element"
    unit = "ns"
    compared = ("repeated pattern", "fitted")
    within = 0.05
    breaks = (
        "The model knows one capacity, from which patterns are dropped at random (a ramp) or the oldest first (a"
        " cliff): real predictors have tables of several sizes, share them with all other branches, and forget a"
        " pattern while something else runs."
    )

    def make_sliders(self) -> list[Slider]:
        length = Slider(
            "length",
            "",
            4096,
            "length of the repeated pattern, in branches",
            16,
            1 << 20,
            "log",
            multiple_of=1,
            source="the middle of the sweep",
        )
        K = Slider(
            "K",
            "",
            20_000,
            "branches that the modelled predictor knows by heart",
            16,
            1 << 20,
            "log",
            measured=False,
            source="assumed: 5,000 to 30,000 were reported for cores of 2024 (D. Lemire, 2026)",
        )
        found = assumed(self.machine, "P")
        P = Slider(
            "P",
            "ns",
            found.value,
            "penalty of a misprediction",
            0.1,
            100,
            "log",
            measured=False,
            source=f"{found.origin}: {found.source}",
        )
        return [length, K, P]

    def default_values(self, short: bool) -> list[float]:
        return [2.0**k for k in range(6, 21, 2)] if short else [2.0**k for k in range(5, 21)]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        lengths = [float(round(2 ** (k + 0.5))) for k in range(5, 20, 2 if effort.short else 1)]
        points, n = [self.pattern(int(length)) for length in [*x.values, *lengths]], len(x.values)

        def training(result: Sweep) -> dict[str, Any]:
            return {"lengths": lengths, "blocks": plain(result.blocks()[:, n : len(points)])}

        return Plan(points, self.compared[:1], kernels(), training=training)

    def fit(self, recording: Recording) -> "Memory":
        """The staircase through the training lengths, half-way between those of the sweep."""
        lengths, blocks = (np.array(recording.training[name], dtype=float) for name in ("lengths", "blocks"))
        return Memory(fit_steps(lengths, blocks, max_steps=MOST_STEPS))

    def pattern(self, length: int) -> Point:
        keys = np.random.default_rng(length).integers(0, KEY_RANGE, length, dtype=np.int32)
        library = kernels()
        state = library.struct("selection")(keys.ctypes.data, keys.ctypes.data, length, 1, 0, KEY_RANGE // 2)
        return Point(
            f"pattern of {length}", library.address("sum_branching"), state, min(LAPS * length, RELEARN), keep=keys
        )

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "Memory") -> list[Curve]:
        fitted, K = fit.staircase, float(point["K"])
        known = fitted.base if fitted.steps else 1.0
        modelled = [
            Curve(f"{kind} at K", "predicted", x, "ns", known + point["P"] / 2 * miss_share(kind, K, x.values))
            for kind in ("ramp", "cliff")
        ]
        steps = [{"branches": step.capacity, "adds_ns": step.latency, "kind": step.kind} for step in fitted.steps]
        return [
            Curve(
                "fitted",
                "predicted",
                x,
                "ns",
                fitted.predict(x.values),
                provenance={"base_ns": fitted.base, "steps": steps},
            ),
            *modelled,
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "A small predictor": Preset(
                {"K": 512.0},
                "Cliff and ramp move to 512 branches; the fit stays, as it follows the points and not the sliders.",
            ),
            "Dear mistakes": Preset(
                {"P": 20.0},
                "Only the height beyond K changes, to half the penalty: every second guess at an unknown pattern is"
                " wrong.",
            ),
        }


@dataclass(frozen=True)
class Memory:
    """How long a pattern this machine memorises, as a staircase over the pattern's length."""

    staircase: Staircase

    def span(self) -> Step | None:
        """The step beyond which the pattern is not memorised: the one that adds most; None if there is none."""
        return max(self.staircase.steps, key=lambda step: step.latency, default=None)

    def summary(self) -> Text:
        """Where that step is, in a sentence."""
        step = self.span()
        if step is None:
            return Text("every length costs the same: no pattern was memorised, or every one")
        places = (
            units.render(float(f"{length:.2g}"), "")
            for length in (step.capacity, step.capacity_low, step.capacity_high)
        )
        known = "memorised up to {} branches (95 % interval: {} to {})".format(*places)
        return Text(f"{known}; beyond, an element takes {step.latency:.2f} ns longer")
