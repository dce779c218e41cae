"""Queues: random times, simulated systems of servers, intervals of statistics, analytical models.

Times are in the unit of the distributions' means. Names follow Kendall's notation and the literature: λ arrivals per
unit of time, S service time, μ = 1 / E(S), c servers, ρ = λ E(S) / c the load, Wq the wait in the queue, T = Wq + S the
sojourn time, L customers in the system.
"""

from spe_lab.models.queues import birth_death, general
from spe_lab.models.queues.batches import Estimate
from spe_lab.models.queues.laws import (
    Law,
    bimodal,
    bursty,
    deterministic,
    empirical,
    exponential,
    hyperexponential,
    lognormal,
    poisson,
    regular,
)
from spe_lab.models.queues.simulation import Priority, Shared, Sharing, Simulated, Split, System, simulate

__all__ = [
    "Estimate",
    "Law",
    "Priority",
    "Shared",
    "Sharing",
    "Simulated",
    "Split",
    "System",
    "bimodal",
    "birth_death",
    "bursty",
    "deterministic",
    "empirical",
    "exponential",
    "general",
    "hyperexponential",
    "lognormal",
    "poisson",
    "regular",
    "simulate",
]
