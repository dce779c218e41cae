"""The lab scaling.amdahl: speed-up against threads, beside Amdahl's law, its limit, and the law
with what threads cost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.machine import Machine, cpus
from spe_lab.core.registry import register
from spe_lab.core.sampling.provenance import origin
from spe_lab.core.sampling.statistics import BURST, MIN_ROUNDS
from spe_lab.core.sampling.teams import Trials, block_ratios, interleaved
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.fork_join import ASSUMED, Costs, ForkJoin, threads_slider, work_sliders


class SpeedUpLab(Lab):
    """What the labs of this topic share: work that is divided among threads, and what those cost."""

    chapter = "05a"
    axis = "N"
    quantity = "speed-up"
    unit = ""
    scale = "linear"

    def __init__(self, machine: Machine | None = None) -> None:
        super().__init__(machine)
        self.cores = cpus.current().cores

    _costs: Costs | None = None

    def sweep(self, short: bool) -> list[float]:
        return [1, 2, 4, 8, 16] if short else [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]

    def times(
        self, point: Mapping[str, Value], pieces: Sequence[tuple[int, float, float]], budget_s: float, cancel: Cancel
    ) -> Iterator[Trials]:
        """Trials of `pieces`, each (threads, serial ns, parallel ns), and after them of what
        threads cost; all in turn.
        """
        work = ForkJoin(point["work"], point["threads"], cancel)
        settings = [work.setting(*each) for each in pieces]
        probes = work.probes(max(threads for threads, _, _ in pieces))
        whole_round_ns = sum(serial + parallel for _, serial, parallel in pieces)
        burst = int(np.clip(1e9 * budget_s / MIN_ROUNDS / whole_round_ns - 1, 1, BURST))
        for result in interleaved(
            [*settings, *(probe for _, probe in probes)], budget_s=budget_s, burst=burst, cancel=cancel
        ):
            self._costs = work.costs([n for n, _ in probes], result.blocks()[:, len(settings) :])
            yield result

    def costs(self, point: Mapping[str, Value]) -> Costs:
        """Measured here for this kind of work and threads, else as recorded elsewhere, else assumed."""
        kind = (point["work"], point["threads"])
        if self._costs is None and self.recorded() is not None:
            self.learn_from_recorded()
        return self._costs if self._costs is not None and self._costs.kind == kind else ASSUMED[kind]

    def learn(self, measured: Sequence[Curve]) -> None:
        costs = Costs.from_dict(measured[0].provenance["costs"])
        self._costs = replace(costs, origin="recorded") if measured[0].source == "recorded" else costs

    def curve(
        self,
        name: str,
        x: Axis,
        found: tuple[np.ndarray, ...],
        result: Trials,
        notes: Sequence[str] = (),
        **provenance: Any,
    ) -> Curve:
        """A measured curve of the first settings of `result`, with what is known of how it came about; `found` are its
        values and its intervals' ends, and may go on beyond them. `notes` are added to those of the trials."""
        n = len(x.values)
        value, low, high = (each[:n] for each in found)
        how = origin(result, native.load("scaling"), notes, **provenance, costs=self._costs.to_dict())
        return Curve(
            name, "measured", x, self.unit, value, low, high, result.estimate.kept[:n], result.estimate.tried[:n], how
        )


@register
class Amdahl(SpeedUpLab):
    """Speed-up of work with a serial part."""

    id = "scaling.amdahl"
    title = "Amdahl's law"
    question = "How much faster does work become with N threads, if a share P of it can be done in parallel?"
    compared = ("speed-up", "with costs")
    breaks = (
        "The law knows neither what threads cost nor that cores are few: spinning threads beyond the cores take turns,"
        " a wait ends late, and threads that share data or a memory bus slow each other down, which nothing here does."
    )

    def declare(self) -> list[Slider]:
        P, T1 = (models.QUANTITIES[name].meaning for name in ("P", "T1"))
        return [
            threads_slider(),
            Slider("P", "", 0.9, P, 0, 1, source="a tenth is serial: the limit is 10"),
            *work_sliders(),
            Slider(
                "T1",
                "ns",
                20e6,
                T1,
                50e3,
                200e6,
                "log",
                source="a request that waits for a disk twice; use 200 µs for spinning work",
            ),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "P = 0.99": Preset(
                {"P": 0.99},
                "The limit is now 100, and 64 threads reach less than half of it even by the law: the last hundredth is"
                " dear.",
            ),
            "Half is serial": Preset(
                {"P": 0.5}, "The limit is 2, and by the law four threads already have four fifths of it."
            ),
            "Work of 0.2 ms": Preset(
                {"T1": 2e5, "work": "waiting"},
                "With costs the curve has a maximum and ends below 1: waking so many threads takes longer than the"
                " work.",
            ),
        }

    def measure(
        self, point: Mapping[str, Value], x: Axis, budget_s: float, cancel: Cancel
    ) -> Iterator[tuple[float, list[Curve]]]:
        P, T1 = point["P"], point["T1"]
        counts = [*map(int, x.values), 1]  # one thread is what all others are compared with
        for result in self.times(point, [(n, (1 - P) * T1, P * T1 / n) for n in counts], budget_s, cancel):
            found = block_ratios(result.blocks()[:, : len(counts)], reference=-1)
            yield result.progress, [self.curve("speed-up", x, found, result)]

    def predict(self, point: Mapping[str, Value], x: Axis) -> list[Curve]:
        N, P, T1, costs = x.values, point["P"], point["T1"], self.costs(point)
        together = N if point["work"] == "waiting" else np.minimum(N, self.cores)
        waits = 0 if point["work"] == "spinning" else (P < 1) + (P > 0)
        paid = models.amdahl_with_costs()(
            N=N, n=together, P=P, T1=T1, s=costs.start, c=costs.each, d=costs.late, w=waits
        )
        return [
            Curve("with costs", "predicted", x, "", paid, provenance={"costs": costs.to_dict(), "cores": self.cores}),
            Curve("Amdahl's law", "predicted", x, "", models.amdahl_law()(N=N, P=P)),
            Curve("the lower of N and the limit", "predicted", x, "", np.minimum(N, 1 / (1 - P)) if P < 1 else N),
        ]
