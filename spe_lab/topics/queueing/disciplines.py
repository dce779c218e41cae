"""The lab queueing.disciplines: one queue or many, first come first served or all at once."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.curve import Axis, Curve
from spe_lab.core.recording import Recording
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.text import Text
from spe_lab.models.queues import Shared, Sharing, Split, System, general, poisson, simulate
from spe_lab.topics.queueing.laws import FOUR, ONE_IN_A_THOUSAND, ONE_IN_TEN, service
from spe_lab.topics.queueing.simulated import QueueLab, in_threads
from spe_lab.topics.queueing.single import sojourn

NAMES = ("one queue, FCFS", "split, FCFS", "one pool, PS", "split, PS")
STEPS = 12  # halvings of a load between 0 and 1


@register
class Disciplines(QueueLab):
    """Sojourn times of four systems with the same servers, customers and services."""

    id = "queueing.disciplines"
    title = "One queue or many, in turn or at once"
    question = (
        "Up to which load do the four systems meet an objective, and for which services does the order turn round?"
    )
    quantity = "sojourn time"
    compared = ("one queue, FCFS", "one queue, FCFS")
    within = 0.03
    breaks = (
        "Processor sharing is a limit: a real time slice costs a context switch. And one queue for all servers is free"
        " here, while real ones share a lock or a cache line for it."
    )

    def make_sliders(self) -> list[Slider]:
        return [
            self.load_slider("where the four lie apart"),
            Slider(
                "servers",
                "",
                16,
                "servers; split, each has a queue of its own",
                1,
                64,
                "log",
                multiple_of=1,
                source="the cores of a machine",
            ),
            Slider(
                "service",
                "",
                "exponential",
                "law of the service time",
                scale="choice",
                choices=FOUR,
                source="the usual assumption",
            ),
            self.statistic_slider("p99"),
            self.seed_slider(),
            Slider(
                "objective",
                "E(S)",
                10,
                "sojourn that must not be exceeded",
                1.5,
                1000,
                "log",
                measured=False,
                source="of the literature on µs servers",
            ),
        ]

    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        return four_systems(int(point["servers"]))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        load, name, law = x.values, point["statistic"], service(point["service"])
        one, split, sharing = (np.full(load.shape, np.nan) for _ in range(3))
        if law.name == "exponential":
            one, split = sojourn(name, int(point["servers"]), load), sojourn(name, 1, load)
        elif name == "mean":
            split = 1 + general.mean_wait(load, law.scv)
            one = split if int(point["servers"]) == 1 else one
        if name == "mean":
            sharing = 1 / (1 - load)  # whatever the law
        predicted = {
            NAMES[0]: one,
            NAMES[1]: split,
            NAMES[3]: sharing,
            "objective": np.full(load.shape, float(point["objective"])),
        }
        return [Curve(label, "predicted", x, self.unit, values) for label, values in predicted.items()]

    def fit(self, recording: Recording) -> Sequence[Curve]:
        """The simulated curves: the loads up to which they meet the objective are marked."""
        return recording.measured

    @property
    def recorded_fit(self) -> Sequence[Curve]:
        """None: what was simulated at other settings marks nothing."""
        return ()

    def marks(self, point: Mapping[str, Value], fit: Sequence[Curve]) -> dict[str, float]:
        """Loads up to which the simulated curves meet the objective; NaN until these settings have been simulated."""
        limits = [math.nan] * 4
        if fit and all(point[name] == value for name, value in fit[0].provenance["settings"].items()):
            limits = [meets(curve, float(point["objective"])) for curve in fit]
        return {"all four meet it": min(limits), "one still meets it": max(limits)}

    def presets(self) -> dict[str, Preset]:
        return {
            "1 in 1000 is long": Preset(
                {"service": ONE_IN_A_THOUSAND},
                "The order is upside down: in turn, 999 wait for the one; at once, they pass it by.",
            ),
            "1 in 10 is long": Preset(
                {"service": ONE_IN_TEN},
                "Not yet uneven enough: in turn still beats at once, and one queue beats sixteen.",
            ),
            "The mean": Preset(
                {"statistic": "mean"},
                "One queue and one pool have the same mean, if services are exponential. Now look at p99 again.",
            ),
            "One server": Preset(
                {"servers": 1.0},
                "Nothing to split: two curves lie on the other two, and in turn against at once is all that is left.",
            ),
        }


def four_systems(servers: int) -> dict[str, System]:
    """In the order of NAMES."""
    return dict(zip(NAMES, (Shared(servers), Split(servers), Sharing(servers), Sharing(1, servers)), strict=True))


def meets(curve: Curve, objective: float) -> float:
    """The load at which a curve crosses the objective, by straight lines between its points; NaN if it is above it from
    the first.
    """
    below = curve.values <= objective
    if below.all():
        return float(curve.x.values[-1])
    k = int(np.argmin(below))
    if k == 0:
        return math.nan
    (x0, x1), (y0, y1) = curve.x.values[k - 1 : k + 1], np.log(curve.values[k - 1 : k + 1])
    return round(float(x0 + (x1 - x0) * (math.log(objective) - y0) / (y1 - y0)), 4)


def highest_load(
    system: System, law_name: str, objective: float = 10.0, p: float = 0.99, customers: int = 1_000_000, seed: int = 1
) -> float:
    """The highest load at which the p-quantile of the simulated sojourn meets the objective, by halving: good to 0.01
    or so.
    """
    low, high, law = 0.0, 1.0, service(law_name)
    for _ in range(STEPS):
        load = (low + high) / 2
        met = simulate(system, poisson(load * system.capacity), law, customers, seed).quantile(p).value <= objective
        low, high = (load, high) if met else (low, load)
    return low


def table(objective: float = 10.0, servers: int = 16, customers: int = 200_000, seed: int = 1) -> Text:
    """Highest loads of the four systems for four laws of service, as a Markdown table; some seconds at a million
    customers.
    """
    cells = [(system, law) for law in FOUR for system in four_systems(servers).values()]
    found = in_threads(lambda cell: highest_load(cell[0], cell[1], objective, customers=customers, seed=seed), cells)
    rows = [
        f"| {law} | " + " | ".join(f"{load:.2f}" for load in found[4 * i : 4 * i + 4]) + " |"
        for i, law in enumerate(FOUR)
    ]
    return Text("\n".join([f"| service | {' | '.join(NAMES)} |", "|---|---|---|---|---|", *rows]))
