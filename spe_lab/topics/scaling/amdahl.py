"""The lab scaling.amdahl: measured speed-up, Amdahl's law and its limit, and costs of threads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.errors import MeasurementError
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Recording, Slider, TeamLab, Value, register
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.provenance import origin
from spe_lab.core.sampling.statistics import BURST, MIN_ROUNDS
from spe_lab.core.sampling.teams import Trials, block_ratios
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.fork_join import ASSUMED, Costs, ForkJoin, threads_slider, work_sliders


class SpeedUpLab(TeamLab):
    """Base of the labs that divide work among threads and measure the costs of threads."""

    axis = "N"
    quantity = "speed-up"
    unit = ""
    exact = True

    @cached_property
    def cores(self) -> int:
        return cpus.current().cores

    def default_values(self, short: bool) -> list[float]:
        return [1, 2, 4, 8, 16] if short else [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]

    def speed_ups(
        self,
        pieces: Sequence[tuple[int, float, float]],
        values: Callable[[np.ndarray], tuple[np.ndarray, ...]],
        work: ForkJoin,
        x: Axis,
        effort: Effort,
        training: Callable[[Trials], dict[str, Any]] = lambda result: {},
    ) -> Plan:
        """Return a plan that measures `pieces` of `work`, then the costs of threads.

        - `pieces`: (threads, serial ns, parallel ns) of each trial; the first len(x) are the points of the axis
        - `values`: computes (values, low, high) from the pieces' blocks
        - `training`: returns what the fit needs besides the costs
        """
        settings, n = [work.setting(*piece) for piece in pieces], len(x.values)
        probes = work.probes(max(threads for threads, _, _ in pieces))
        whole_round_ns = sum(serial + parallel for _, serial, parallel in pieces)
        burst = int(np.clip(1e9 * effort.budget_s / MIN_ROUNDS / whole_round_ns - 1, 1, BURST))

        def measured(result: Trials) -> list[Curve]:
            value, low, high = (part[:n] for part in values(result.blocks()[:, : len(pieces)]))
            counts = result.estimate.kept[:n], result.estimate.tried[:n]
            how = origin(result, native.load("scaling"))
            return [Curve(self.compared[0], "measured", x, self.unit, value, low, high, *counts, how)]

        def trained(result: Trials) -> dict[str, Any]:
            try:
                costs = work.costs([threads for threads, _ in probes], result.blocks()[:, len(settings) :])
            except MeasurementError:  # no clean trial: there is nothing to fit to
                return training(result)
            return {"costs": costs.to_dict(), **training(result)}

        points = [*settings, *(probe for _, probe in probes)]
        library, options = native.load("scaling"), {"burst": burst}
        return Plan(points, self.compared[:1], library, training=trained, curves=measured, options=options)

    def fit(self, recording: Recording) -> Any:
        """Return the costs of threads that were measured along with the speed-ups."""
        if "costs" not in recording.training:
            raise MeasurementError("the costs of threads need a clean trial, got none; close other programs")
        costs = Costs.from_dict(recording.training["costs"])
        return replace(costs, origin="recorded") if recording.measured[0].source == "recorded" else costs

    def costs(self, point: Mapping[str, Value], fit: Costs) -> Costs:
        """Return the fitted costs if they are for this kind of work and threads, else assumed ones."""
        kind = (point["work"], point["threads"])
        return fit if fit.kind == kind else ASSUMED[kind]


@register
class Amdahl(SpeedUpLab):
    """Speed-up of work with a serial part."""

    id = "scaling.amdahl"
    title = "Amdahl's law"
    question = "How much faster does work become with N threads, if a share P of it can be done in parallel?"
    first = ("N", "P", "work", "threads")
    compared = ("speed-up", "with costs")
    within = 0.02
    breaks = (
        "The law ignores the costs of threads and the number of cores. Spinning threads beyond the cores take turns,"
        " and waits end late. Threads that share data or a memory bus slow each other down; the threads here do not."
    )

    def make_sliders(self) -> list[Slider]:
        P, T1 = (models.QUANTITIES[name].meaning for name in ("P", "T1"))
        source = "two waits for a disk; use 200 µs for spinning work"
        return [
            threads_slider(),
            Slider("P", "", 0.9, P, 0, 1, source="a tenth is serial: the limit is 10", label="Parallel share"),
            *work_sliders(),
            Slider("T1", "ns", 20e6, T1, 50e3, 200e6, "log", source=source, label="Time with one thread", symbol="T_1"),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "P = 0.99": Preset(
                {"P": 0.99},
                "The limit is now 100. Even by the law, 64 threads reach less than half of it.",
            ),
            "Half is serial": Preset({"P": 0.5}, "The limit is 2. By the law, four threads already reach 80 % of it."),
            "Work of 0.2 ms": Preset(
                {"T1": 2e5, "work": "waiting"},
                "With costs the curve has a maximum and ends below 1: waking 64 threads takes longer than the work.",
            ),
        }

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        P, T1 = point["P"], point["T1"]
        counts = [*map(int, x.values), 1]  # the last one is the reference of all speed-ups
        pieces = [(n, (1 - P) * T1, P * T1 / n) for n in counts]
        work = ForkJoin(point["work"], point["threads"], cancel)
        return self.speed_ups(pieces, lambda blocks: block_ratios(blocks, reference=-1), work, x, effort)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Costs) -> list[Curve]:
        N, P, T1, costs = x.values, point["P"], point["T1"], self.costs(point, fit)
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
