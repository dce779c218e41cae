"""The lab queueing.disciplines: one queue or many, FCFS or processor sharing (PS)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Curve, Preset, Recording, Slider, Value, register
from spe_lab.core.reader.waiting import Waiting, waits
from spe_lab.core.recording import Run
from spe_lab.core.text import Text
from spe_lab.models.queues import Shared, Sharing, Split, System, general, poisson, simulate
from spe_lab.topics.queueing.laws import FOUR, ONE_IN_A_THOUSAND, ONE_IN_TEN, service
from spe_lab.topics.queueing.simulated import QueueLab, in_threads
from spe_lab.topics.queueing.single import sojourn

NAMES = ("one queue FCFS", "split FCFS", "one pool PS", "split PS")
STEPS = 12  # halvings of a load between 0 and 1


@register
class Disciplines(QueueLab):
    """Sojourn times of four systems with the same servers, customers and services."""

    id = "queueing.disciplines"
    title = "One queue or many, FCFS or PS"
    question = (
        "Up to which load do the four systems meet an objective, and does their order depend on the service times?"
    )
    quantity = "sojourn time"
    compared = (NAMES[0], NAMES[0])
    within = 0.03
    first = ("load", "service", "servers", "objective")
    breaks = (
        "Processor sharing is a limit: a real time slice costs a context switch. The model's shared queue costs"
        " nothing; real servers share a lock or a cache line for it."
    )

    def make_sliders(self) -> list[Slider]:
        objective, source = "sojourn time that must not be exceeded", "literature on µs servers"
        return [
            self.load_slider("here the four curves lie far apart"),
            Slider.count(
                *("servers", 16, "servers; if split, each has its own queue", 1, 64, "a machine's cores", "log"),
                label="Servers",
                symbol="c",
            ),
            self.service_slider(FOUR, "the usual assumption"),
            self.statistic_slider("p99"),
            self.seed_slider(),
            Slider(
                *("objective", "E(S)", 10, objective, 1.5, 1000, "log"),
                measured=False,
                source=source,
                label="Objective",
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
            sharing = 1 / (1 - load)  # for any distribution of service
        objective = np.full(load.shape, float(point["objective"]))
        predicted = {NAMES[0]: one, NAMES[1]: split, NAMES[3]: sharing, "objective": objective}
        return [Curve(label, "predicted", x, self.unit, values) for label, values in predicted.items()]

    def fit(self, recording: Recording) -> Sequence[Curve]:
        """Return the simulated curves; the marks are the loads up to which they meet the objective."""
        return recording.measured

    @property
    def recorded_fit(self) -> Sequence[Curve]:
        """No curves: recorded curves may have other settings than the sliders."""
        return ()

    def marks(self, point: Mapping[str, Value], fit: Sequence[Curve]) -> dict[str, float]:
        """Return the loads up to which the curves meet the objective; NaN unless simulated at these settings."""
        limits = [math.nan] * 4
        if fit and all(point[name] == value for name, value in fit[0].provenance["settings"].items()):
            limits = [meets(curve, float(point["objective"])) for curve in fit]
        return {"all four meet it": float(np.min(limits)), "one still meets it": float(np.max(limits))}

    def presets(self) -> dict[str, Preset]:
        return {
            "1 in 1000 is long": Preset(
                {"service": ONE_IN_A_THOUSAND},
                "The order is reversed: under FCFS, 999 short jobs wait for the long one; under PS they pass it.",
            ),
            "1 in 10 is long": Preset(
                {"service": ONE_IN_TEN},
                "The service times do not vary enough: FCFS still beats PS, and one queue beats sixteen.",
            ),
            "The mean": Preset(
                {"statistic": "mean"},
                "For exponential service, one queue and one pool have the same mean. Now look at p99 again.",
            ),
            "One server": Preset(
                {"servers": 1.0},
                "Two curves coincide with the other two: one queue cannot be split. FCFS against PS remains.",
            ),
        }


def four_systems(servers: int) -> dict[str, System]:
    """Return the four systems by name, in the order of NAMES."""
    return dict(zip(NAMES, (Shared(servers), Split(servers), Sharing(servers), Sharing(1, servers)), strict=True))


def meets(curve: Curve, objective: float) -> float:
    """Return the interpolated load up to which a curve is at or below the objective.

    It is 0 if the first point is above, the last load if none is, and NaN if a value on the way is missing.
    """
    above = np.flatnonzero(~(curve.values <= objective))
    if not above.size:
        return float(curve.x.values[-1])
    k = int(above[0])
    if np.isnan(curve.values[k]):
        return math.nan
    if k == 0:
        return 0.0
    (x0, x1), (y0, y1) = curve.x.values[k - 1 : k + 1], np.log(curve.values[k - 1 : k + 1])
    return round(float(x0 + (x1 - x0) * (math.log(objective) - y0) / (y1 - y0)), 4)


def highest_load(
    system: System, law_name: str, objective: float = 10.0, p: float = 0.99, customers: int = 1_000_000, seed: int = 1
) -> float:
    """Return the highest load at which the simulated p-quantile meets the objective, ± 0.01.

    - `system`, `law_name`: system, and distribution of service (one of `SERVICES`)
    - `objective`: in mean services
    - `customers`, `seed`: of each simulation of the bisection
    """
    low, high, law = 0.0, 1.0, service(law_name)
    for _ in range(STEPS):
        load = (low + high) / 2
        met = simulate(system, poisson(load * system.capacity), law, customers, seed).quantile(p).value <= objective
        low, high = (load, high) if met else (low, load)
    return low


@waits
def table(
    *after: Run, objective: float = 10.0, servers: int = 16, customers: int = 200_000, seed: int = 1
) -> Text | Waiting:
    """Return a table of highest loads of the four systems for four distributions of service, and what it shows.

    `after`: runs whose predictions the table would give away; it waits for them.
    """
    cells = [(system, law) for law in FOUR for system in four_systems(servers).values()]
    loads = in_threads(lambda cell: highest_load(cell[0], cell[1], objective, customers=customers, seed=seed), cells)
    found = dict(zip(FOUR, np.reshape(loads, (-1, 4)).tolist(), strict=True))
    rows = [f"| {law} | {' | '.join(map(_percent, row))} |" for law, row in found.items()]
    head = [f"| service | {' | '.join(NAMES)} |", "|---|---:|---:|---:|---:|"]
    return Text("\n".join([*head, *rows, "", in_words(found)]))


def _percent(load: float) -> str:
    return f"{100 * load:.0f} %" if load < 0.99 else "over 99 %"


def in_words(found: Mapping[str, Sequence[float]]) -> str:
    """Return what the table's rows (loads in the order of NAMES) have in common, in two sentences."""

    def rows(chosen: Sequence[str]) -> str:
        others = [law for law in found if law not in chosen]
        if not chosen or not others:
            return f"in {'all' if chosen else 'none of the'} {len(found)} rows"
        return f"in {len(chosen)} of {len(found)} rows, but not in the row of {', '.join(others)}"

    shared = [law for law, (one, split, pool, apart) in found.items() if one >= split and pool >= apart]
    fcfs = [law for law, (one, split, pool, apart) in found.items() if one >= pool and split >= apart]
    both = f"A shared queue carries at least as much load as split queues {rows(shared)}."
    return f"{both} FCFS carries at least as much load as PS {rows(fcfs)}."
