"""The lab queueing.head_of_line: the tail of the sojourn time or slowdown if a few jobs are long."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, Slider, Value, register
from spe_lab.models.queues import Law, Priority, Shared, Sharing, System, bimodal, poisson, simulate
from spe_lab.topics.queueing import models
from spe_lab.topics.queueing.simulated import CUSTOMERS, MOST, QueueLab, in_threads

OF = ("slowdown", "sojourn")
LEVELS = np.array(
    [1.1, 1.2, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 4000]
)


@register
class HeadOfLine(QueueLab):
    """Share of customers above t, for four ways to serve the same short and long jobs."""

    id = "queueing.head_of_line"
    title = "Head-of-line blocking"
    question = "How much do a few long jobs delay all others, and which discipline lets the short jobs pass?"
    axis = "t"
    quantity = "share of customers above t"
    unit = ""
    compared = ("FCFS", "FCFS exact")
    within = 0.1  # the tail has few customers
    steps = 2
    percent = True
    first = ("t", "load", "servers", "of")
    breaks = (
        "The exact curve is for one server, FCFS and Poisson arrivals. Priority must know which jobs are short, and"
        " sharing costs a context switch for each slice. More servers help only while some of them serve short jobs."
    )

    def make_sliders(self) -> list[Slider]:
        t = "threshold: multiples of the own service (slowdown), or mean services (sojourn)"
        ratio, missed = "length of a long job over that of a short one", "a request that misses every cache"
        of = "quantity: slowdown (sojourn ÷ own service), or sojourn"
        return [
            Slider(
                *("t", "", 10, t, 0.1, 1e5, "log"),
                source="an objective of ten services",
                label="Threshold",
                symbol="t",
            ),
            Slider(
                *("load", "", 0.7, "share of time that a server is busy", 0.02, 0.95),
                source="a usual target",
                label="Load",
                symbol="ρ",
            ),
            Slider(
                *("long_share", "", 0.001, "share of long jobs", 1e-4, 0.1, "log"),
                source="one in a thousand",
                label="Share of long jobs",
                symbol="p",
                group="Long jobs",
                percent=True,
            ),
            Slider(
                *("ratio", "", 1000, ratio, 2, 1000, "log"),
                source=missed,
                label="Long job ÷ short job",
                symbol="r",
                group="Long jobs",
            ),
            Slider.count(
                *("servers", 16, "servers of the curve with many", 2, 64, "the cores of a machine", "log"),
                label="Servers",
                symbol="c",
            ),
            Slider.choice("of", OF, of, "users expect short jobs to be fast", label="Quantity", symbol="T/S or T"),
            self.seed_slider(),
        ]

    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        long, short, _ = self.law(point).parameters
        many = Shared(int(point["servers"]))
        return {
            "FCFS": Shared(1),
            "PS": Sharing(1),
            "short jobs first": Priority(1, (short + long) / 2),
            "many servers FCFS": many,
        }

    def customers(self, point: Mapping[str, Value]) -> int:
        return 4 * CUSTOMERS  # a thousand long jobs for each system

    def law(self, point: Mapping[str, Value]) -> Law:
        return bimodal(1.0, float(point["long_share"]), float(point["ratio"]))

    def default_values(self, short: bool) -> np.ndarray:
        return LEVELS[::2] if short else LEVELS

    def answers(
        self, point: Mapping[str, Value], x: Axis, customers: int, cancel: Cancel
    ) -> tuple[np.ndarray, np.ndarray]:
        systems, law, load = list(self.systems(point).values()), self.law(point), float(point["load"])
        each = min(customers // len(systems), MOST)

        def answer(system: System) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            run = simulate(system, poisson(load * system.capacity), law, each, int(point["seed"]), cancel=cancel)
            return run.tail(x.values, point["of"])

        found = np.array(in_threads(answer, systems)).transpose(0, 2, 1)
        return found, np.full(len(x.values), each // len(x.values))  # all levels share the same customers

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        t, share, ratio, load = x.values, float(point["long_share"]), float(point["ratio"]), float(point["load"])
        long, short, _ = self.law(point).parameters
        # A job of length s has a slowdown above t if it waits longer than (t − 1)·s, a sojourn above t if longer than
        # t − s.
        waits = ((t - 1) * s if point["of"] == OF[0] else t - s for s in (short, long))
        above_short, above_long = (models.wait_tail(wait, load, share, ratio) for wait in waits)
        waits_of_short = (t - 1) * short if point["of"] == OF[0] else t - short
        bound = models.behind_a_long_job()(rho=load, p=share, L=long, t=np.clip(waits_of_short, 0, long))
        return [
            Curve("FCFS exact", "predicted", x, "", (1 - share) * above_short + share * above_long),
            Curve("short and behind a long job", "predicted", x, "", np.maximum((1 - share) * bound, 0.0)),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "The sojourn itself": Preset(
                {"of": OF[1]},
                "Under PS only the long jobs, 0.1 %, take more than 10. Under FCFS half of all jobs do.",
            ),
            "Load of 0.3": Preset(
                {"load": 0.3}, "Half of the load comes from long jobs. Even now one customer in seven waits behind one."
            ),
            "1 in 10 takes 11 ×": Preset(
                {"long_share": 0.1, "ratio": 11.0},
                "Long jobs are neither rare nor very long: the order of FCFS and PS is reversed.",
            ),
            "64 servers": Preset(
                {"servers": 64.0},
                "Short jobs pass as long as one server has no long job; all 64 servers hardly ever have one.",
            ),
        }
