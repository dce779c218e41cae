"""What this chapter's labs share: a million customers at each move of a slider, and more of them
while there is time.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import SimulatedLab, growing
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.provenance import simulated_origin
from spe_lab.core.slider import Slider, Value
from spe_lab.models.queues import Estimate, Law, Simulated, System, poisson, simulate
from spe_lab.models.queues.batches import BATCHES
from spe_lab.models.queues.simulation import WARM_UP
from spe_lab.topics.queueing.laws import service

CUSTOMERS = 1_000_000  # of a first answer, over all points and systems
FEWEST, MOST = 3000, 4_000_000  # at one point of one system
STATISTICS = {"mean": None, "p95": 0.95, "p99": 0.99}
LOADS = np.round([*np.arange(0.05, 0.9, 0.05), 0.9, 0.93, 0.95], 2)
SHORT_LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


class QueueLab(SimulatedLab):
    """Simulated systems, each with a curve. The seed is a slider: the same one gives the same customers on every
    machine.
    """

    axis = "load"
    unit = "E(S)"
    stem = "queueing"
    live = True
    steps = 3

    @abstractmethod
    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        """The systems that are compared, by the name of their curve."""

    def laws(self, point: Mapping[str, Value], load: float, system: System) -> tuple[Law, Law]:
        """Gaps and services that bring a system to this load."""
        return poisson(load * system.capacity), service(point["service"], float(point.get("scv", 1.0)))

    def answers(
        self, point: Mapping[str, Value], x: Axis, customers: int, cancel: Cancel
    ) -> tuple[np.ndarray, np.ndarray]:
        """(systems × points × (value, low, high), customers at each point of a system)."""
        systems = list(self.systems(point).values())
        counts = shared_out(customers // len(systems), x.values)

        def answer(task: tuple[int, int]) -> tuple[float, float, float]:
            i, k = task
            run = simulate(
                systems[k],
                *self.laws(point, float(x.values[i]), systems[k]),
                int(counts[i]),
                1000 * int(point["seed"]) + int(i),
                cancel=cancel,
            )
            found = statistic(run, point["statistic"])
            return found.value, found.low, found.high

        # Each load has a seed of its own, so that points scatter about the curve independently; all systems have the
        # same customers. C and numpy let go of the interpreter, so threads share the points. The long ones come first,
        # or the last would be waited for.
        tasks = [(i, k) for i in np.argsort(-counts, kind="stable") for k in range(len(systems))]
        found = np.empty((len(systems), len(x.values), 3))
        for (i, k), values in zip(tasks, in_threads(answer, tasks), strict=True):
            found[k, i] = values
        return found, counts

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        for customers in growing(CUSTOMERS):
            found, counts = self.answers(point, x, customers, cancel)
            yield self.curves(point, x, found, counts)
            if 4 * counts.max() > MOST:
                return

    def curves(self, point: Mapping[str, Value], x: Axis, found: np.ndarray, counts: np.ndarray) -> list[Curve]:
        settings = {name: value for name, value in point.items() if name != self.axis and self.sliders[name].measured}
        estimator = f"one run, {BATCHES} batch means, 95 % by Student's t"
        how = simulated_origin("queueing", estimator, int(point["seed"]), settings=settings)
        kept = counts - (counts * WARM_UP).astype(int)
        return [
            Curve(name, "simulated", x, self.unit, values, low, high, kept, counts, how)
            for name, (values, low, high) in zip(self.systems(point), found.transpose(0, 2, 1), strict=True)
        ]

    def default_values(self, short: bool) -> np.ndarray:
        return np.array(SHORT_LOADS) if short else LOADS

    # Sliders that several labs have

    def load_slider(self, source: str) -> Slider:
        return Slider("load", "", 0.8, "share of time that a server is busy, ρ", 0.02, 0.98, source=source)

    def statistic_slider(self, default: str) -> Slider:
        return Slider(
            "statistic",
            "",
            default,
            "what is drawn of the sojourn times",
            scale="choice",
            choices=tuple(STATISTICS),
            source="what objectives name",
        )

    def seed_slider(self) -> Slider:
        return Slider(
            "seed",
            "",
            1,
            "where the random numbers begin",
            1,
            1000,
            multiple_of=1,
            source="any: the curves should not depend on it",
        )


def statistic(run: Simulated, name: str) -> Estimate:
    """Mean or percentile of the sojourn times."""
    return run.mean() if STATISTICS[name] is None else run.quantile(STATISTICS[name])


def shared_out(customers: int, load: np.ndarray) -> np.ndarray:
    """How many customers each load gets: in proportion to 1 / (1 − ρ). What a queue remembers grows even faster with
    the load, and a batch must be longer than that memory, or its interval is too small.
    """
    weight = 1 / (1 - np.minimum(load, 0.98))
    return np.clip(customers * weight / weight.sum(), FEWEST, MOST).astype(int)


def in_threads(work: Callable[[Any], Any], tasks: Iterable[Any]) -> list:
    """work(task) of each task, in their order, on as many threads as this process has processors."""
    with ThreadPoolExecutor(max(1, min(8, cpus.current().cores))) as pool:
        return list(pool.map(work, tasks))
