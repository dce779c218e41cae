"""Simulations too large for one run: independent replications, merged into one estimate.

A billion customers need 40 GB in one run. In 200 replications of five million, each with its own random numbers, they
need 0.2 GB for each worker. The spread of the independent replications gives an interval without an estimate of the
correlation. Each replication leaves out its first twentieth as a warm-up, so it must be much longer than the relaxation
time of the queue, about 1 / (1 − ρ)² services. The intervals of shorter replications do not include the bias of the
empty system at their start.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError
from spe_lab.core.grids.executors import Workers, answers
from spe_lab.models.queues import Estimate, Law, System, batches, simulate
from spe_lab.models.queues.laws import whole
from spe_lab.models.queues.simulation import load

EACH = 5_000_000  # customers of a replication
FEWEST = 10  # replications: Student's t is hardly wider than with thirty
MOST = 100_000_000_000  # customers: an hour on a hundred cores
QUANTILES = (0.5, 0.95, 0.99)


class Replication(NamedTuple):
    """One of many independent runs: a task for an executor."""

    system: System
    gaps: Law
    service: Law
    customers: int
    seed: int
    of: str
    quantiles: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.system}, load={load(self.system, self.gaps, self.service):.4g}, replication seed={self.seed}"


@dataclass(frozen=True)
class Replicated:
    """Statistics of `done` of `replications` with `customers` each, without the first twentieth."""

    mean: Estimate
    quantiles: dict[float, Estimate]
    done: int
    replications: int
    customers: int


def replicate(
    system: System, gaps: Law, service: Law, customers: int, executor: Workers = None, **options: Any
) -> Replicated:
    """Return the last result of `replications`.

    >>> from spe_lab.models.queues import Shared, exponential, poisson
    >>> found = replicate(Shared(1), poisson(0.5), exponential(1.0), 1_000_000, each=100_000)
    >>> found.mean.low < 2 < found.mean.high, found.replications
    (True, 10)
    """
    return deque(replications(system, gaps, service, customers, executor, **options), maxlen=1).pop()


def replications(
    system: System,
    gaps: Law,
    service: Law,
    customers: int,
    executor: Workers = None,
    *,
    of: str = "sojourn",
    quantiles: Sequence[float] = QUANTILES,
    seed: int = 1,
    each: int = EACH,
    cancel: Cancel | None = None,
    tries: int = 3,
) -> Iterator[Replicated]:
    """Simulate independent replications; yield their merged statistics from the second replication on.

    - `customers`, `each`: in all, and in a replication (fewer, so that there are at least ten replications)
    - `executor`, `tries`: as in `spe_lab.core.grids.executors.answers`; the result does not depend on the executor
    - `of`, `quantiles`: as in `Simulated.mean`; a quantile is the mean of the replications' quantiles
    - `seed`: the seed of a replication follows from it and from the replication's number
    """
    customers, each = whole("customers", customers, 1, MOST), whole("each", each, 1, MOST)
    seed = whole("seed", seed, 0, 2**53)
    count = max(FEWEST, -(-customers // each))
    size = -(-customers // count)
    seeds = [int(np.random.SeedSequence((seed, i)).generate_state(1, np.uint64)[0] >> 11) for i in range(count)]
    tasks = [Replication(system, gaps, service, size, each_seed, of, tuple(quantiles)) for each_seed in seeds]
    _statistics(tasks[0]._replace(customers=min(size, 1000)), Cancel())  # reports invalid arguments before the start
    return _merged(tasks, executor, Cancel() if cancel is None else cancel, tries)


def _merged(tasks: list[Replication], executor: Workers, cancel: Cancel, tries: int) -> Iterator[Replicated]:
    found = np.full((len(tasks), 1 + len(tasks[0].quantiles)), np.nan)
    done = 0
    for i, statistics in answers(_statistics, tasks, executor, named=str, cancel=cancel, tries=tries):
        found[i] = statistics
        done += 1
        if done > 1:
            finished = found[~np.isnan(found[:, 0])]  # in the order of seeds: rounding must not depend on the executor
            mean, *estimates = (batches.estimate(column.mean(), column) for column in finished.T)
            quantiles = dict(zip(tasks[0].quantiles, estimates, strict=True))
            yield Replicated(mean, quantiles, done, len(tasks), tasks[0].customers)
    if done < 2:
        raise CancelledError("the simulation was cancelled before two replications were done; start it again")


def _statistics(task: Replication, cancel: Cancel) -> list[float]:
    run = simulate(task.system, task.gaps, task.service, task.customers, task.seed, cancel=cancel)
    mean = run.mean(task.of).value
    return [mean, *np.quantile(getattr(run, task.of), task.quantiles, method="inverted_cdf").tolist()]
