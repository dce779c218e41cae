"""M/M/c from its birth–death chain: stationary distribution, Erlang's B and C, waits and sojourns.

The state k is the number of customers in the system. It increases at rate λ and decreases at rate min(k, c)·μ. The
models follow from these rates in sympy. The functions at the end are the numeric versions, vectorised over the load,
with μ = 1 unless a mean service time is given.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol
from spe_lab.models.queues.laws import checked_load, positive, whole

if TYPE_CHECKING:
    import sympy

QUANTITIES = {
    "C": Quantity("probability that an arrival has to wait (Erlang C)", ""),
    "mu": Quantity("services that a busy server completes per unit of time, 1 / E(S)", "1/s"),
    "d": Quantity("drain: spare capacity of all servers together, c·μ − λ", "1/s"),
    "t": Quantity("time", "s"),
}
SOURCE = "Erlang 1917; derived from the birth–death chain of M/M/c"
MOST_SERVERS = 100_000


def weights(servers: int) -> tuple[list["sympy.Expr"], "sympy.Expr"]:
    """Return (π₀ … π_c as multiples of π₀, ratio of successive probabilities beyond c).

    The flows between the states k − 1 and k are equal: λ·π_{k−1} = min(k, c)·μ·π_k. With a = λ/μ:

    >>> weights(2)
    ([1, a, a**2/2], a/2)
    """
    import sympy

    servers, load, ratio = whole("servers", servers, 1, 200), symbol("a"), symbol("ratio")
    found = [sympy.Integer(1)]
    for k in range(1, servers + 1):
        balance = sympy.Eq(load * found[-1], k * found[-1] * ratio)  # ratio = π_k / π_{k−1}, μ cancelled
        found.append(found[-1] * sympy.solve(balance, ratio)[0])
    return found, load / servers


def stationary(servers: int, k: int) -> "sympy.Expr":
    """Return π_k, the share of time with k customers in the system, as a function of a < c.

    >>> stationary(1, 3).equals(symbol("a") ** 3 * (1 - symbol("a")))
    True
    """
    weight, ratio = weights(servers)
    k, last = whole("k", k, 0, 10**6), weight[servers]
    return (weight[k] if k <= servers else last * ratio ** (k - servers)) / _total(servers)


def waits(servers: int) -> "sympy.Expr":
    """Return Erlang C: the share of time that all servers are busy, as Poisson arrivals see it.

    >>> waits(1)
    a
    >>> waits(2)
    a**2/(a + 2)
    """
    import sympy

    weight, ratio = weights(servers)
    return sympy.factor(weight[servers] / (1 - ratio) / _total(servers))


def blocked(servers: int) -> "sympy.Expr":
    """Return Erlang B: the chain ends at c, since an arrival that finds all servers busy is lost.

    >>> blocked(1)
    a/(a + 1)
    """
    import sympy

    weight, _ = weights(servers)
    return sympy.factor(weight[servers] / sum(weight))


def _total(servers: int) -> "sympy.Expr":
    """Return the sum of all weights: the finite part, and the geometric series beyond c."""
    weight, ratio = weights(servers)
    return sum(weight[:servers]) + weight[servers] / (1 - ratio)


@cache
def wait_tail_model() -> Model:
    """Return P(Wq > t).

    A customer who has to wait needs one departure for each customer ahead and one more. Departures have the rate c·μ,
    and the number ahead is geometric with ratio ρ. A geometric sum of exponentials is exponential: rate c·μ·(1 − ρ).
    """
    import sympy

    return Model("P(W_q > t)", symbol("C") * sympy.exp(-symbol("d") * symbol("t")), "", QUANTITIES, SOURCE)


@cache
def sojourn_tail_model() -> Model:
    """Return P(T > t) for d ≠ μ: the wait (0 with probability 1 − C, else rate d) plus the service."""
    import sympy

    waiting, mu, drain, t, w = (symbol(name) for name in ("C", "mu", "d", "t", "w"))
    # ∫ d·e^(−d·w)·P(S > t − w) dw over w < t; for w > t the wait alone exceeds t.
    rate = sympy.Symbol("r", nonzero=True)  # μ − d
    inside = sympy.integrate(sympy.exp(rate * w), (w, 0, t)).subs(rate, mu - drain)
    late = sympy.exp(-drain * t) + drain * sympy.exp(-mu * t) * inside
    return Model("P(T > t)", (1 - waiting) * sympy.exp(-mu * t) + waiting * late, "", QUANTITIES, SOURCE)


@cache
def sojourn_tail_at_equal_rates() -> Model:
    """Return the limit of `sojourn_tail_model` for d → μ, where the expression is 0 / 0."""
    import sympy

    limit = sympy.limit(sojourn_tail_model().expression, symbol("d"), symbol("mu"))
    return Model("P(T > t)", sympy.simplify(limit), "", QUANTITIES, SOURCE)


# ---- Numeric twins


def erlang_b(servers: int, offered: np.ndarray | float) -> np.ndarray:
    """Return Erlang B by its stable recursion: B₀ = 1, B_k = a·B_{k−1} / (k + a·B_{k−1}).

    >>> round(float(erlang_b(4, 3.2)), 6)
    0.228145
    """
    servers, offered = whole("servers", servers, 1, MOST_SERVERS), np.asarray(offered, dtype=float)
    if not (np.isfinite(offered) & (offered >= 0)).all():
        raise SpeLabError(f"offered must be at least 0 and finite, got {offered}; give arrival rate times mean service")
    lost = np.ones_like(offered)
    for k in range(1, servers + 1):
        lost = offered * lost / (k + offered * lost)
    return lost


def erlang_c(servers: int, rho: np.ndarray | float) -> np.ndarray:
    """Return the probability that an arrival waits (Erlang C), for loads 0 ≤ ρ < 1.

    >>> round(float(erlang_c(16, 0.8)), 6)
    0.304884
    """
    rho = checked_load(rho)
    lost = erlang_b(servers, servers * rho)
    return lost / (1 - rho * (1 - lost))


def mean_wait(servers: int, rho: np.ndarray | float, mean_service: float = 1.0) -> np.ndarray:
    """Return E(Wq) = C / (c·μ − λ)."""
    return erlang_c(servers, rho) * positive("mean_service", mean_service) / (servers * (1 - checked_load(rho)))


def mean_sojourn(servers: int, rho: np.ndarray | float, mean_service: float = 1.0) -> np.ndarray:
    """Return E(T) = E(S) + E(Wq).

    >>> round(float(mean_sojourn(4, 0.8)), 6)
    1.745541
    """
    return mean_wait(servers, rho, mean_service) + mean_service


def wait_tail(t: np.ndarray | float, servers: int, rho: np.ndarray | float, mean_service: float = 1.0) -> np.ndarray:
    """Return P(Wq > t)."""
    t, drain = np.asarray(t, dtype=float), servers * (1 - checked_load(rho)) / positive("mean_service", mean_service)
    return np.where(t < 0, 1.0, erlang_c(servers, rho) * np.exp(-drain * np.maximum(t, 0.0)))


def wait_quantile(p: float, servers: int, rho: np.ndarray | float, mean_service: float = 1.0) -> np.ndarray:
    """Return the p-quantile of the wait: zero if fewer than 1 − p of the customers wait at all.

    >>> round(float(wait_quantile(0.99, 4, 0.8)), 4)
    5.1105
    """
    _share(p)
    waiting, drain = erlang_c(servers, rho), servers * (1 - checked_load(rho)) / positive("mean_service", mean_service)
    with np.errstate(divide="ignore"):
        return np.maximum(0.0, np.log(waiting / (1 - p)) / drain)


def sojourn_tail(t: np.ndarray | float, servers: int, rho: np.ndarray | float, mean_service: float = 1.0) -> np.ndarray:
    """Return P(T > t); t and ρ are broadcast."""
    rho, mean_service = checked_load(rho), positive("mean_service", mean_service)
    t = np.maximum(np.asarray(t, dtype=float), 0.0) / mean_service
    return _tail(np.asarray(t), erlang_c(servers, rho), servers * (1 - rho))


def _tail(t: np.ndarray, waiting: np.ndarray, drain: np.ndarray) -> np.ndarray:
    """Return P(T > t) for μ = 1.

    (e^(−d·t) − e^(−t)) / (1 − d) is written with expm1: no cancellation if the rates are close, no overflow otherwise.
    """
    apart = np.maximum(np.abs(1 - drain), 1e-200)  # (1 − e^(−ε·t)) / ε is t for so small an ε
    both = np.exp(-np.minimum(drain, 1) * t) * -np.expm1(-apart * t) / apart
    return (1 - waiting) * np.exp(-t) + waiting * (np.exp(-drain * t) + drain * both)


def sojourn_quantile(p: float, servers: int, rho: np.ndarray | float, mean_service: float = 1.0) -> np.ndarray:
    """Return the p-quantile of the sojourn to 13 digits, by bisection.

    Its lower bound is the quantile of the service; its upper bound is the sum of the quantiles of wait and service that
    each is exceeded half as often.

    >>> sojourn_quantile(0.99, 4, np.array([0.5, 0.8])).round(4).tolist()
    [4.7642, 6.8932]
    """
    rho = checked_load(rho)
    _share(p)
    waiting, drain = erlang_c(servers, rho), servers * (1 - rho)
    low = np.full_like(rho, -np.log1p(-p))
    high = (low + np.log(2)) * (1 + 1 / drain)
    for _ in range(50):
        middle = (low + high) / 2
        beyond = _tail(middle, waiting, drain) > 1 - p
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return (low + high) / 2 * positive("mean_service", mean_service)


def _share(p: float) -> None:
    if not 0 < p < 1:
        raise SpeLabError(f"p must lie between 0 and 1, got {p}; 0.99 is the 99th percentile")
