"""The lab memory.selftuning: a model fitted to measured points and judged on points that it has not seen."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from spe_lab.core.calibration.steps import Staircase
from spe_lab.core.calibration.steps import fit as fit_steps
from spe_lab.core.files import plain
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Recording, Slider, Value, register
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.topics.memory.labs import KIB, LINE, MIB, MemoryLab, kernels

LEVELS = 3
_FITS_KEPT = 32  # a slider that moves back and forth needs them again; one fit takes 10 ms


@register
class SelfTuning(MemoryLab):
    """Lab: a staircase fitted to some sizes, compared with measurements at others."""

    id = "memory.selftuning"
    within = 0.02
    title = "Self-tuning"
    question = "Can a model whose parameters were fitted to some sizes predict the time at sizes that it has not seen?"
    axis = "size"
    breaks = (
        "A fit knows only its points. Too few levels leave steps out, noise hides small steps, and no point shows"
        " whether another step follows beyond the largest fitted size."
    )
    compared = ("dependent (random cycle)", "fitted")

    def make_sliders(self) -> list[Slider]:
        size = self.size_slider(KIB, MIB, "size of the working set", "the middle of the sweep")
        meaning, three = "maximum number of steps of the fit", "three levels of cache"
        levels = Slider.count(
            "levels", LEVELS, meaning, 1, 5, three, measured=False, label="Steps at most", symbol="steps at most"
        )
        meaning = "simulated noise that is added to the points before fitting"
        shown: dict[str, Any] = {
            "measured": False,
            "source": "none added",
            "label": "Added noise",
            "symbol": "added noise",
            "percent": True,
        }
        return [size, levels, Slider("noise", "", 0, meaning, 0, 1, **shown)]

    def default_values(self, short: bool) -> list[float]:
        """Return sizes half-way between those that the model is fitted to."""
        largest = self.largest  # asks the system
        return [size for size in _sizes(largest, short, shift=0.5) if size <= largest]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        sizes, n, pages = _sizes(self.largest, effort.short, shift=0), len(x.values), self.best_pages
        points = [
            self.cycle_point("cycle", int(size), pages, seed, cancel)
            for seed, size in enumerate([*x.values, *sizes], 1)
        ]

        def training(result: Sweep) -> dict[str, Any]:
            return {"sizes": sizes, "blocks": plain(result.blocks()[:, n : len(points)])}

        return Plan(points, self.compared[:1], kernels(), {"pages": pages}, training=training)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "Fits") -> list[Curve]:
        fitted = fit.at(int(point["levels"]), float(point["noise"]))
        steps = [{"capacity_bytes": step.capacity, "adds_ns": step.latency, "kind": step.kind} for step in fitted.steps]
        how = {"base_ns": fitted.base, "steps": steps}
        return [Curve("fitted", "predicted", x, "ns", fitted.predict(x.values), provenance=how)]

    def presets(self) -> dict[str, Preset]:
        return {
            "One step only": Preset(
                {"levels": 1.0}, "One step cannot represent all levels: look at the sizes on both sides of it."
            ),
            "Noisy training": Preset(
                {"noise": 0.5}, "Noise only adds time: the fitted curve lies higher, and its steps move."
            ),
        }

    def fit(self, recording: Recording) -> "Fits":
        return Fits(recording.training)


class Fits:
    """Staircases fitted to the same training points, by maximum number of steps and simulated noise."""

    def __init__(self, training: Mapping[str, Any]) -> None:
        self._sizes, self._blocks = (np.array(training[name], dtype=float) for name in ("sizes", "blocks"))
        self.at = lru_cache(_FITS_KEPT)(self._at)
        self.at(LEVELS, 0.0)  # raises MeasurementError if no staircase can be fitted

    def _at(self, levels: int, noise: float) -> Staircase:
        """Return the fit to the training points with seeded one-sided noise: real noise only adds time."""
        disturbed = self._blocks * (1 + noise * np.abs(np.random.default_rng(1).standard_normal(self._blocks.shape)))
        return fit_steps(self._sizes, disturbed, max_steps=levels)


def _sizes(largest: float, short: bool, shift: float) -> list[float]:
    """Return sizes from 4 KiB at equal ratios, moved up by `shift` of a step and rounded to lines."""
    step = 1 if short else 0.5
    count = int(math.log2(min(largest, 8 * MIB if short else largest) / (4 * KIB)) / step) + 1
    return [float(round(4 * KIB * 2 ** ((k + shift) * step) / LINE) * LINE) for k in range(count)]
