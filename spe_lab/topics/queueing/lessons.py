"""What the notebook shows of simulation itself: intervals that lie, the start of a run, and what a customer costs."""

import time
from itertools import pairwise

import numpy as np

from spe_lab.core.text import Text
from spe_lab.models.queues import Shared, birth_death, exponential, poisson, simulate
from spe_lab.topics.queueing.simulated import in_threads

# Customers a second of general simulators, M/M/1 at a load of 0.8, best of three, from one run of
# benchmarks/queue_simulator.py on an AMD EPYC (family 25, model 17) with two virtual processors and Python 3.11;
# kernels_c/queueing.c served 51,800,000 in that run.
RECORDED = {"SimPy 4.1, a process for each customer": 49_500, "Ciw 3.2": 26_200}


def intervals(load: float = 0.8, customers: int = 100_000, runs: int = 200) -> Text:
    """How often 95 % intervals of M/M/1's mean sojourn hold the true mean: the naive one, and that of batch means.

    Also the standard error that the runs' own spread shows, beside what both estimates say it is.
    """
    truth = float(birth_death.mean_sojourn(1, load))
    found = in_threads(lambda seed: _two(load, customers, seed), range(1, runs + 1))
    naive, batch = (np.array(part) for part in zip(*found, strict=True))
    spread = batch[:, 0].std(ddof=1)
    rows = [
        f"| {name} | {each[:, 1].mean():.3f} | {((each[:, 2] <= truth) & (truth <= each[:, 3])).mean():.0%} |"
        for name, each in (("naive, s / √n", naive), ("batch means", batch))
    ]
    return Text(
        "\n".join(
            [
                (
                    f"{runs} runs of {customers:,} customers, load {load:g}: the means of the runs have a standard"
                    f" deviation of **{spread:.3f}**."
                ),
                "",
                "| estimate from one run | standard error | intervals of 95 % that hold the true mean |",
                "|---|---|---|",
                *rows,
            ]
        )
    )


def _two(load: float, customers: int, seed: int) -> tuple[tuple, tuple]:
    run = simulate(Shared(1), poisson(load), exponential(1.0), customers, seed)
    return run.naive_mean(), run.mean()


def warm_up(load: float = 0.8, runs: int = 4000) -> Text:
    """Mean sojourn by the customer's number, from an empty system, over many runs; beside the mean of a long run."""
    edges = (0, 1, 10, 30, 100, 300, 1000)
    sojourns = in_threads(
        lambda seed: simulate(Shared(1), poisson(load), exponential(1.0), edges[-1], seed).all_sojourns,
        range(1, runs + 1),
    )
    total = sum(sojourns, np.zeros(edges[-1]))
    rows = [f"| {a + 1}–{b} | {total[a:b].mean() / runs:.2f} |" for a, b in pairwise(edges)]
    rows[0] = rows[0].replace("1–1", "1")
    return Text(
        "\n".join(
            [
                f"| customer, load {load:g} | mean sojourn of {runs:,} runs |",
                "|---|---|",
                *rows,
                f"| long run, exact | {float(birth_death.mean_sojourn(1, load)):.2f} |",
            ]
        )
    )


def simulators(customers: int = 1_000_000) -> Text:
    """Customers a second: this machine's C kernel, measured now with the random numbers it needs, and recorded rates of
    others.
    """
    best = min(_timed(customers) for _ in range(3))
    rate = customers / best
    rows = [f"| {name} | recorded | {other:,} | {customers / other:.0f} s |" for name, other in RECORDED.items()]
    return Text(
        "\n".join(
            [
                "| simulator | source | customers a second | a million of them |",
                "|---|---|---|---|",
                f"| kernels_c/queueing.c | measured here | {float(f'{rate:.2g}'):,.0f} | {1000 * best:.0f} ms |",
                *rows,
            ]
        )
    )


def _timed(customers: int) -> float:
    began = time.perf_counter()
    simulate(Shared(1), poisson(0.8), exponential(1.0), customers)
    return time.perf_counter() - began
