"""Kernels of kernels_c/scaling.c on edge sizes and on generated arguments: fleets, and threads that add up, fork and
join, or take tasks.
"""

import numpy as np
import pytest
from edge_arguments import SEEDS, thread_counts
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine import cpus
from spe_lab.models.task_graph import ORDERS, Graph
from spe_lab.topics.scaling import cost, execution, parallelism


@given(st.integers(1, 9), st.floats(0.01, 100), st.floats(0.1, 1e4), st.floats(0.01, 2), st.integers(1, 3), SEEDS)
def test_fleets(machines, mttf, mttr, years, lifetimes, seed):
    found = cost.simulate_fleet(machines, np.linspace(1, 0, machines + 1), mttf, mttr, years, lifetimes, seed=seed)
    assert found.shape == (3, lifetimes) and np.isfinite(found).all() and (found >= 0).all()


@pytest.mark.parametrize("kind", list(parallelism.KINDS))
def test_threads_that_add_up_products(kind):
    rng, library = np.random.default_rng(1), native.load("scaling")
    for n in (0, 1, 3, 31, 32, 33, 1000):
        x, y = (rng.integers(-1, 2, n).astype(np.float32) for _ in range(2))
        expected = x @ y
        for threads in thread_counts(5):
            assert (parallelism.dot(kind, threads, x, y, n, laps=2, trials=2)[1] == expected).all()
        for name in ("dot_one_chain", "dot_chains", "dot_vector", "dot_vector_chains"):
            assert getattr(library, name)(x, y, n) == expected


@pytest.mark.parametrize("create", [0, 1])
@pytest.mark.parametrize("waiting", [0, 1])
def test_threads_that_fork_and_join(waiting, create):
    library = native.load("scaling")
    for threads in thread_counts(128):
        for trials, work in ((0, 0), (1, 0), (2, 1000)):
            elapsed, records = (
                np.zeros(trials, np.int64),
                np.zeros(trials * threads, np.dtype(library.struct("team_record"))),
            )
            assert (
                library.fork_join(
                    waiting,
                    threads,
                    cpus.current().assigned(threads),
                    create,
                    1,
                    work,
                    work,
                    trials,
                    elapsed,
                    records,
                    Cancel().flag,
                )
                == 0
            )
            assert (elapsed >= 0).all()


@pytest.mark.parametrize("order", ORDERS)
def test_threads_that_take_tasks_of_a_graph(order):
    for text in (
        "a 0.01ms",
        "a 0.01ms\nb 0.01ms after a\nc 0.02ms after a\nd 0.01ms after b c",
        "\n".join(f"t{i} 0.01ms" for i in range(33)),
    ):
        graph = Graph.parse(text)
        for workers in (1, 2, 7):
            elapsed, began, ended, worker = execution.run_trials(graph, workers, order, 2)
            assert (elapsed > 0).all() and (ended >= began).all() and (worker < workers).all()
