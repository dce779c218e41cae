"""The base of this chapter's labs: a million customers at each slider move, then more."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, SimulatedLab, Slider, Value, growing
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.provenance import simulated_origin
from spe_lab.models.queues import Estimate, Law, Simulated, System, poisson, simulate
from spe_lab.models.queues.batches import BATCHES
from spe_lab.models.queues.simulation import WARM_UP
from spe_lab.topics.queueing.laws import ONE_IN_A_THOUSAND, service

CUSTOMERS = 1_000_000  # of a first answer, over all points and systems
RARE = 10  # times as many where one job in a thousand is half of the work: 0.4 s on two cores
FEWEST, MOST = 3000, 4_000_000  # at one point of one system
STATISTICS = {"mean": None, "p95": 0.95, "p99": 0.99}
LOADS = np.round([*np.arange(0.05, 0.9, 0.05), 0.9, 0.93, 0.95], 2)
SHORT_LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


class QueueLab(SimulatedLab):
    """Base of labs with a curve for each system; a seed gives the same customers on every machine."""

    axis = "load"
    unit = "E(S)"
    stem = "queueing"
    live = True
    exact = True
    steps = 3

    @abstractmethod
    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        """Return the compared systems by the name of their curve."""

    def laws(self, point: Mapping[str, Value], load: float, system: System) -> tuple[Law, Law]:
        """Return the distributions of gaps and services that give a system this load."""
        return poisson(load * system.capacity), service(point["service"], float(point.get("scv", 1.0)))

    def answers(
        self, point: Mapping[str, Value], x: Axis, customers: int, cancel: Cancel
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (systems × points × (value, low, high), customers at each point of a system)."""
        systems = list(self.systems(point).values())
        counts = shared_out(customers // len(systems), x.values)

        def answer(task: tuple[int, int]) -> tuple[float, float, float]:
            i, k = task
            laws, seed = self.laws(point, float(x.values[i]), systems[k]), 1000 * int(point["seed"]) + int(i)
            run = simulate(systems[k], *laws, int(counts[i]), seed, cancel=cancel)
            estimate = statistic(run, point["statistic"])
            return estimate.value, max(estimate.low, 0.0), estimate.high  # no time is negative

        # Each load has its own seed, so that the errors of points are independent; all systems have the same
        # customers. C and numpy release the GIL, so threads run in parallel. Long simulations start first, so that
        # the threads end at about the same time.
        tasks = [(i, k) for i in np.argsort(-counts, kind="stable") for k in range(len(systems))]
        found = np.empty((len(systems), len(x.values), 3))
        for (i, k), values in zip(tasks, in_threads(answer, tasks), strict=True):
            found[k, i] = values
        return found, counts

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        first = self.customers(point)
        factor = 4 if first == CUSTOMERS else 2
        for customers in growing(first, factor):
            found, counts = self.answers(point, x, customers, cancel)
            yield self.curves(point, x, found, counts)
            if factor * counts.max() > MOST:
                return

    def customers(self, point: Mapping[str, Value]) -> int:
        """Return the number of customers of a first answer: more if the values depend on few of them."""
        return CUSTOMERS * (RARE if point.get("service") == ONE_IN_A_THOUSAND else 1)

    def curves(self, point: Mapping[str, Value], x: Axis, found: np.ndarray, counts: np.ndarray) -> list[Curve]:
        settings = {name: value for name, value in point.items() if name != self.axis and self.sliders[name].measured}
        estimator = f"one run, {BATCHES} batch means, 95 % by Student's t"
        how = simulated_origin("queueing", estimator, int(point["seed"]), settings=settings)
        used = counts - (counts * WARM_UP).astype(int)
        return [
            Curve(name, "simulated", x, self.unit, values, low, high, used, counts, how)
            for name, (values, low, high) in zip(self.systems(point), found.transpose(0, 2, 1), strict=True)
        ]

    def default_values(self, short: bool) -> np.ndarray:
        return np.array(SHORT_LOADS) if short else LOADS

    # Sliders of several labs

    def load_slider(self, source: str) -> Slider:
        meaning = "share of time that a server is busy"
        return Slider("load", "", 0.8, meaning, 0.02, 0.98, source=source, label="Load", symbol="ρ")

    def statistic_slider(self, default: str) -> Slider:
        meaning = "statistic of the sojourn times"
        source = "usual in objectives"
        return Slider.choice("statistic", STATISTICS, meaning, source, default=default, label="Statistic")

    def service_slider(self, choices: Iterable[str], source: str) -> Slider:
        label, meaning = "Service time", "distribution of the service time"
        return Slider.choice("service", choices, meaning, source, default="exponential", label=label, symbol="S")

    def seed_slider(self) -> Slider:
        source = "any: the curves should not depend on it"
        meaning = "seed of the random numbers"
        return Slider.count("seed", 1, meaning, 1, 1000, source, label="Seed", group="Simulation")


def statistic(run: Simulated, name: str) -> Estimate:
    """Estimate the mean or a percentile of the sojourn times."""
    return run.mean() if STATISTICS[name] is None else run.quantile(STATISTICS[name])


def shared_out(customers: int, load: np.ndarray) -> np.ndarray:
    """Divide the customers among the loads in proportion to 1 / (1 − ρ).

    The relaxation time of a queue grows even faster with the load; batches shorter than it give too small intervals.
    """
    weight = 1 / (1 - np.minimum(load, 0.98))
    return np.clip(customers * weight / weight.sum(), FEWEST, MOST).astype(int)


def in_threads(work: Callable[[Any], Any], tasks: Iterable[Any]) -> list:
    """Return work(task) for each task, in order, computed on at most eight threads."""
    with ThreadPoolExecutor(max(1, min(8, cpus.current().cores))) as pool:
        return list(pool.map(work, tasks))
