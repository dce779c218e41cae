"""Execution of task graphs: threads take tasks from one list, and each task is a sleep."""

from functools import lru_cache

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine import cpus
from spe_lab.models.schedule import Schedule, checked_workers
from spe_lab.models.task_graph import ORDERS, Graph


@lru_cache(maxsize=256)
def _arrays(graph: Graph, order: str) -> tuple[list[int], tuple[np.ndarray, ...]]:
    """Return the tasks' places in the order of preference, and the arrays of struct task_graph."""
    preferred = graph.order(order)
    rank = {graph.tasks[place].name: r for r, place in enumerate(preferred)}
    tasks = [graph.tasks[place] for place in preferred]
    later = [sorted(rank[name] for name in graph.network.successors(task.name)) for task in tasks]
    first = np.concatenate([[0], np.cumsum([len(ranks) for ranks in later])]).astype(np.uint32)
    following = np.array([k for ranks in later for k in ranks] or [0], np.uint32)
    times, waits = np.array([t.ns for t in tasks], np.uint64), np.array([len(t.after) for t in tasks], np.uint32)
    return preferred, (times, waits, first, following)


def run_trials(
    graph: Graph, workers: int, order: str, trials: int, cancel: Cancel | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Execute the graph; return elapsed_ns[trials], and began_ns, ended_ns, worker of trials × tasks."""
    workers, library = checked_workers(workers), native.load("scaling")
    preferred, arrays = _arrays(graph, order)
    struct = library.struct("task_graph")(len(preferred), *(array.ctypes.data for array in arrays))
    elapsed = np.zeros(trials, np.int64)
    found = [np.zeros((trials, len(preferred)), kind) for kind in (np.int64, np.int64, np.int32)]
    status = library.list_schedule(
        struct, workers, cpus.current().assigned(workers), trials, elapsed, *found, (cancel or Cancel()).flag
    )
    check(status, library, "the measurement", workers)
    began, ended, worker = (array[:, np.argsort(preferred)] for array in found)
    return elapsed, began, ended, worker


def execute(graph: Graph, workers: int, order: str = ORDERS[0], trials: int = 5) -> Schedule:
    """Return the shortest of `trials` executions as a schedule. One core is enough: tasks only sleep."""
    elapsed, *columns = run_trials(graph, workers, order, trials)
    began, ended, worker = (tuple(column[int(np.argmin(elapsed))].tolist()) for column in columns)
    return Schedule(graph, workers, began, ended, worker, source="measured")
