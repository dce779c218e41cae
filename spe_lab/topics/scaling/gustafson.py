"""The lab scaling.gustafson: each thread adds a share of work, so the problem grows with the machine."""

from collections.abc import Mapping

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Slider, Value, register
from spe_lab.core.sampling.statistics import centre
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.amdahl import SpeedUpLab
from spe_lab.topics.scaling.fork_join import Costs, ForkJoin, threads_slider, work_sliders


@register
class Gustafson(SpeedUpLab):
    """Scaled speed-up: the time of one thread for all the work, divided by the time of N threads."""

    id = "scaling.gustafson"
    title = "Gustafson's law"
    question = "How much more work do N threads do in the same time, if each adds a parallel share of its own?"
    quantity = "scaled speed-up"
    first = ("N", "P", "work", "threads")
    compared = ("scaled speed-up", "with costs")
    within = 0.005
    breaks = (
        "The problem must grow with the machine; a single request does not. Spinning threads beyond the cores take"
        " turns. Waking or creating a thread costs as much as under Amdahl's law."
    )

    def make_sliders(self) -> list[Slider]:
        share, time = "parallel share of the time with N threads", "time of the work with N threads, for every N"
        return [
            threads_slider(),
            Slider("P", "", 0.9, share, 0, 1, source="as in Amdahl's lab, of another time", label="Parallel share"),
            *work_sliders(),
            Slider("T", "ns", 10e6, time, 50e3, 100e6, "log", source="a wait for a disk", label="Time with N threads"),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Half is serial": Preset(
                {"P": 0.5},
                "By the law 64 threads do over 32 times the work; for work of fixed size, the speed-up stays below 2.",
            ),
            "Threads that compute": Preset(
                {"work": "spinning", "P": 1.0},
                "With costs the curve levels off at the number of cores: further threads take turns.",
            ),
            "Short requests": Preset(
                {"T": 1e5, "work": "waiting"},
                "With costs the curve bends away from the law: more threads must be woken, and none works longer.",
            ),
        }

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        P, T, n = point["P"], point["T"], len(x.values)
        serial, piece = (1 - P) * T, P * T
        # The last two: one thread with both pieces, and with the serial piece alone. Their difference is the
        # time of one more parallel piece.
        pieces = [*((int(threads), serial, piece) for threads in x.values), (1, serial, piece), (1, serial, 0.0)]

        def values(blocks: np.ndarray) -> tuple[np.ndarray, ...]:
            both, alone = blocks[:, [n]], blocks[:, [n + 1]]
            scaled = (alone + (both - alone) * x.values) / blocks[:, :n]
            return tuple(np.array([centre(column) for column in scaled.T]).T)

        return self.speed_ups(pieces, values, ForkJoin(point["work"], point["threads"], cancel), x, effort)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Costs) -> list[Curve]:
        N, P, T, costs = x.values, point["P"], point["T"], self.costs(point, fit)
        late, turns = 0.0, np.maximum(1, N / self.cores)
        if point["work"] == "waiting":
            late, turns = costs.late, np.ones(N.shape)
        serial, piece = (1 - P) * T + late * (P < 1), P * T + late * (P > 0)
        overhead = costs.start * np.minimum(1, N - 1) + costs.each * (N - 1)
        paid = (serial + N * piece) / (serial + turns * piece + overhead)
        return [
            Curve("with costs", "predicted", x, "", paid, provenance={"costs": costs.to_dict(), "cores": self.cores}),
            Curve("Gustafson's law", "predicted", x, "", models.gustafson_law()(N=N, P=P)),
            Curve("Amdahl's law for fixed work", "predicted", x, "", models.amdahl_law()(N=N, P=P)),
        ]
