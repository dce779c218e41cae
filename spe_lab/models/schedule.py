"""List schedules of a task graph, and the bounds on them by work and span.

Source: R. L. Graham, Bounds on Multiprocessing Timing Anomalies, SIAM J. Appl. Math. 17(2), 1969.
"""

import heapq
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import symbol
from spe_lab.models.task_graph import ORDERS, Graph

if TYPE_CHECKING:
    import sympy

MOST_WORKERS = 64


@dataclass(frozen=True)
class Schedule:
    """Start, end (ns) and worker of each task of `graph`; `source`: "predicted" or "measured"."""

    graph: Graph
    workers: int
    began: tuple[int, ...]
    ended: tuple[int, ...]
    worker: tuple[int, ...]
    source: str = "predicted"

    @property
    def total(self) -> float:
        """Time until the last task has ended, in ms."""
        return max(self.ended) / 1e6

    @property
    def busy(self) -> float:
        """Share of the workers' time in which they had a task."""
        busy_ns = sum(end - begin for begin, end in zip(self.began, self.ended, strict=True))
        return busy_ns / 1e6 / (self.workers * self.total)


@lru_cache(maxsize=128)  # of about 4 KiB each; a slider move asks for 32
def list_schedule(graph: Graph, workers: int, order: str = ORDERS[0], late_ns: int = 0) -> Schedule:
    """Return the list schedule: an idle worker takes the first ready task of the list.

    `late_ns` is added to each task. Times are whole nanoseconds, so that simultaneous ends are exact.
    """
    workers = checked_workers(workers)
    preferred = graph.order(order)
    rank = {i: r for r, i in enumerate(preferred)}
    left = [len(task.after) for task in graph.tasks]
    later = [[graph.names[name] for name in graph.network.successors(task.name)] for task in graph.tasks]
    ready = sorted(rank[i] for i, n in enumerate(left) if n == 0)
    idle, now = list(range(workers)), 0
    running: list[tuple[int, int]] = []
    began, ended, on = ([0] * len(left) for _ in range(3))
    while ready or running:
        while ready and idle:
            i, worker = preferred[heapq.heappop(ready)], heapq.heappop(idle)
            began[i], ended[i], on[i] = now, now + graph.tasks[i].ns + late_ns, worker
            heapq.heappush(running, (ended[i], i))
        now = running[0][0]
        while running and running[0][0] == now:
            _, i = heapq.heappop(running)
            heapq.heappush(idle, on[i])
            for k in later[i]:
                left[k] -= 1
                if left[k] == 0:
                    heapq.heappush(ready, rank[k])
    return Schedule(graph, workers, tuple(began), tuple(ended), tuple(on))


def bounds(work: float, span: float, workers: int) -> tuple[float, float]:
    """Return (least, most): no schedule is shorter, no list schedule longer (Graham).

    A worker is idle only while every ready task runs, and then the longest remaining chain shrinks. So the idle time is
    at most (workers − 1) · span, and work + idle time is workers · total.

    >>> bounds(41.0, 17.0, 4)
    (17.0, 23.0)
    """
    return max(work / workers, span), work / workers + (1 - 1 / workers) * span


@cache
def graham_bound() -> "sympy.Expr":
    """Return the upper bound, from workers · total = work + idle time with the largest idle time."""
    import sympy

    total, work, span, workers = (symbol(name) for name in "TWDN")
    solved = sympy.solve(sympy.Eq(workers * total, work + (workers - 1) * span), total)[0]
    return sympy.collect(sympy.expand(solved), span)


def checked_workers(workers: int) -> int:
    if workers != int(workers) or not 1 <= workers <= MOST_WORKERS:
        rule = f"workers must be a whole number between 1 and {MOST_WORKERS}"
        raise SpeLabError(f"{rule}, got {workers}; choose one in that range")
    return int(workers)
