"""The lab memory.selftuning: a model whose parameters the machine supplies, judged on points that it has not seen."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from spe_lab.core.calibration.steps import Staircase, fit
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.files import plain
from spe_lab.core.fitted import FittedLab
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.registry import register
from spe_lab.core.sampling.kernels import sweep
from spe_lab.core.sampling.provenance import curves
from spe_lab.topics.memory.labs import KIB, LINE, MIB, MemoryLab, kernels

LEVELS = 3
_FITS_KEPT = 32  # a slider that goes to and fro needs them again; one takes 10 ms


@register
class SelfTuning(FittedLab["Fits"], MemoryLab):
    """A staircase fitted to some sizes, beside measurements at others."""

    id = "memory.selftuning"
    title = "Self-tuning"
    question = "Can a model whose parameters were fitted to some sizes predict the time at sizes that it has not seen?"
    axis = "size"
    breaks = (
        "A fit knows only what its points show: too few levels leave steps out, noise hides small ones, and beyond the"
        " largest size that was fitted nothing tells whether another step follows."
    )
    compared = ("dependent (random cycle)", "fitted")

    def declare(self) -> list[Slider]:
        size = self.size_slider(KIB, MIB, "size of the working set", "the middle of the sweep")
        levels = Slider(
            "levels",
            "",
            LEVELS,
            "most steps that the fit may use",
            1,
            5,
            "linear",
            multiple_of=1,
            measured=False,
            source="three levels of cache",
        )
        noise = Slider(
            "noise",
            "",
            0,
            "simulated noise that is added to the points before fitting",
            0,
            1,
            measured=False,
            source="none added",
        )
        return [size, levels, noise]

    def sweep(self, short: bool) -> list[float]:
        """Sizes half-way between those that the fit is given."""
        largest = self.largest  # asks the system
        return [size for size in _sizes(largest, short, shift=0.5) if size <= largest]

    def measure(
        self, point: Mapping[str, Value], x: Axis, budget_s: float, cancel: Cancel
    ) -> Iterator[tuple[float, list[Curve]]]:
        training = _sizes(self.largest, short=budget_s < 1, shift=0)
        pages = self.best_pages
        points = [
            self.cycle_point("cycle", int(size), pages, seed, cancel)
            for seed, size in enumerate([*x.values, *training], 1)
        ]
        n = len(x.values)
        for result in sweep(points, budget_s=budget_s, cancel=cancel):
            blocks = result.blocks()[:, n : len(points)]
            kept = {"sizes": training, "blocks": plain(blocks)}
            yield (
                result.progress,
                curves(result, self.compared[:1], x, kernels(), self.refit(kept), pages=pages, training=kept),
            )

    def predict(self, point: Mapping[str, Value], x: Axis) -> list[Curve]:
        fitted = self.fitted().at(int(point["levels"]), float(point["noise"]))
        steps = [{"capacity_bytes": step.capacity, "adds_ns": step.latency, "kind": step.kind} for step in fitted.steps]
        return [
            Curve(
                "fitted",
                "predicted",
                x,
                "ns",
                fitted.predict(x.values),
                provenance={"base_ns": fitted.base, "steps": steps},
            )
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "One step only": Preset(
                {"levels": 1.0}, "One step cannot stand for all levels: look at the sizes on both sides of it."
            ),
            "Noisy training": Preset(
                {"noise": 0.5}, "Noise only ever adds time: the fit lies higher, and its steps move."
            ),
        }

    def fit(self, training: dict[str, Any]) -> "Fits":
        return Fits(training)


class Fits:
    """Staircases through the same training points, by the most steps that they may have and the noise that is
    simulated.
    """

    def __init__(self, training: dict[str, Any]) -> None:
        self._sizes, self._blocks = (np.array(training[name], dtype=float) for name in ("sizes", "blocks"))
        self.at = lru_cache(_FITS_KEPT)(self._at)
        self.at(LEVELS, 0.0)  # raises MeasurementError where none can be made

    def _at(self, levels: int, noise: float) -> Staircase:
        """One-sided noise, as real noise is, and seeded."""
        disturbed = self._blocks * (1 + noise * np.abs(np.random.default_rng(1).standard_normal(self._blocks.shape)))
        return fit(self._sizes, disturbed, max_steps=levels)


def _sizes(largest: float, short: bool, shift: float) -> list[float]:
    """Sizes from 4 KiB at equal ratios, `shift` of a step further up; multiples of a line."""
    step = 1 if short else 0.5
    count = int(math.log2(min(largest, 8 * MIB if short else largest) / (4 * KIB)) / step) + 1
    return [float(round(4 * KIB * 2 ** ((k + shift) * step) / LINE) * LINE) for k in range(count)]
