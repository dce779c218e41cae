"""Tables about simulation itself: coverage of intervals, warm-up, and speed of simulators."""

import time
from itertools import pairwise

import numpy as np

from spe_lab.core.text import Text
from spe_lab.models.queues import Shared, birth_death, exponential, poisson, simulate
from spe_lab.topics.queueing.simulated import in_threads

# Customers per second of general simulators (M/M/1 at a load of 0.8, best of three), from benchmarks/queue_simulator.py
# on an AMD EPYC (family 25, model 17) with two virtual processors and Python 3.11. kernels_c/queueing.c served
# 51,800,000 in the same run.
RECORDED = {"SimPy 4.1, a process for each customer": 49_500, "Ciw 3.2": 26_200}


def intervals(load: float = 0.8, customers: int = 100_000, runs: int = 200) -> Text:
    """Return a table of the coverage of naive and batch-means 95 % intervals of M/M/1's mean sojourn.

    It compares both estimates of the standard error with the standard deviation of the runs' means.
    """
    truth = float(birth_death.mean_sojourn(1, load))
    pairs = in_threads(lambda seed: _two(load, customers, seed), range(1, runs + 1))
    naive, batch = (np.array(estimates) for estimates in zip(*pairs, strict=True))
    spread = f"the means of the runs have a standard deviation of **{batch[:, 0].std(ddof=1):.3f}**"
    rows = [
        f"{runs} runs of {customers:,} customers, load {load:g}: {spread}.\n",
        "| estimate from one run | standard error | intervals of 95 % that contain the true mean |",
        "|---|---|---|",
    ]
    for name, estimates in (("naive, s / √n", naive), ("batch means", batch)):
        _, error, low, high = estimates.T
        rows.append(f"| {name} | {error.mean():.3f} | {100 * ((low <= truth) & (truth <= high)).mean():.0f} % |")
    return Text("\n".join(rows))


def _two(load: float, customers: int, seed: int) -> tuple[tuple, tuple]:
    run = simulate(Shared(1), poisson(load), exponential(1.0), customers, seed)
    return run.naive_mean(), run.mean()


def warm_up(load: float = 0.8, runs: int = 4000) -> Text:
    """Return a table of the mean sojourn by customer number, from an empty system, and in a long run."""
    edges = (0, 1, 10, 30, 100, 300, 1000)

    def sojourns(seed: int) -> np.ndarray:
        return simulate(Shared(1), poisson(load), exponential(1.0), edges[-1], seed).all_sojourns

    total = sum(in_threads(sojourns, range(1, runs + 1)), np.zeros(edges[-1]))
    rows = [f"| {a + 1}–{b} | {total[a:b].mean() / runs:.2f} |" for a, b in pairwise(edges)]
    rows[0] = rows[0].replace("1–1", "1")
    head = [f"| customer, load {load:g} | mean sojourn of {runs:,} runs |", "|---|---|"]
    exact = f"| long run, exact | {float(birth_death.mean_sojourn(1, load)):.2f} |"
    return Text("\n".join([*head, *rows, exact]))


def simulators(customers: int = 1_000_000) -> Text:
    """Return a table of customers per second: of the C kernel, measured now, and of other simulators."""
    best = min(_timed(customers) for _ in range(3))
    rate = float(f"{customers / best:.2g}")
    rows = [
        "| simulator | source | customers a second | a million of them |",
        "|---|---|---|---|",
        f"| kernels_c/queueing.c | measured here | {rate:,.0f} | {1000 * best:.0f} ms |",
        *(f"| {name} | recorded | {other:,} | {customers / other:.0f} s |" for name, other in RECORDED.items()),
    ]
    return Text("\n".join(rows))


def _timed(customers: int) -> float:
    began = time.perf_counter()
    simulate(Shared(1), poisson(0.8), exponential(1.0), customers)
    return time.perf_counter() - began
