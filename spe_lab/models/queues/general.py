"""M/G/1, a single server with any distribution of service: Pollaczek and Khinchine."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol
from spe_lab.models.queues.laws import checked_load, positive

if TYPE_CHECKING:
    import sympy

QUANTITIES = {
    "lambda": Quantity("arrivals per unit of time", "1/s"),
    "S": Quantity("mean service time", "s"),
    "Cs2": Quantity("squared coefficient of variation of the service time, var(S) / E(S)²", ""),
}
POLLACZEK = "Pollaczek 1930, Khinchine 1932; derived from the residual service and Little's law"


def residual_service() -> "sympy.Expr":
    """Return the mean residual service that a Poisson arrival finds.

    The service in progress has density x·f(x) / E(S), since arrivals meet long services more often. On average x / 2
    is left, so the mean is E(S²) / (2·E(S)), with E(S²) = E(S)²·(1 + Cs2).
    """
    import sympy

    service, scv = symbol("S"), symbol("Cs2")
    second_moment = service**2 * (1 + scv)
    return sympy.simplify(second_moment / (2 * service))


@cache
def pollaczek_khinchine() -> Model:
    """Return E(Wq) of M/G/1, solved from its balance.

    An arrival waits for the residual service with probability ρ, and for the λ·E(Wq) customers who wait before it (by
    Little's law), each for E(S).
    """
    import sympy

    rate, service, wait = symbol("lambda"), symbol("S"), symbol("Wq")
    balance = sympy.Eq(wait, rate * service * residual_service() + rate * wait * service)
    return Model("E(W_q)", sympy.factor(sympy.solve(balance, wait)[0]), "s", QUANTITIES, POLLACZEK)


def mean_wait(rho: np.ndarray | float, scv: float, mean_service: float = 1.0) -> np.ndarray:
    """Return E(Wq) of M/G/1 by Pollaczek and Khinchine, vectorised over the load.

    >>> float(mean_wait(0.5, 1.0))  # exponential service: M/M/1
    1.0
    """
    rho, mean_service = checked_load(rho), positive("mean_service", mean_service)
    if not 0 <= scv < np.inf:
        raise SpeLabError(f"scv must be at least 0 and finite, got {scv}; give var(S) / E(S)², 1 for exponential times")
    return pollaczek_khinchine()(**{"lambda": rho / mean_service, "S": mean_service, "Cs2": scv})
