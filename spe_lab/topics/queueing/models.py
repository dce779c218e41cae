"""Models of a random split, processor sharing, the shortest of d queues, and waits behind a long job.

Each is derived in sympy from its definition; the functions at the end are the numeric versions. The unit of time is a
mean service, so μ = 1 and λ = ρ for each server.
"""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol
from spe_lab.models.queues import bimodal, birth_death, general
from spe_lab.models.queues.laws import whole

if TYPE_CHECKING:
    import sympy

QUANTITIES = {
    "rho": Quantity("load: share of time that a server is busy", ""),
    "d": Quantity("queues of which a customer joins the shortest", ""),
    "i": Quantity("customers in a queue, including the one in service", ""),
    "x": Quantity("service that a customer needs", "E(S)"),
    "p": Quantity("share of long jobs", ""),
    "L": Quantity("length of a long job", "E(S)"),
    "t": Quantity("time", "E(S)"),
}
MITZENMACHER = "Mitzenmacher, IEEE TPDS 12(10), 2001; derived from the fluid limit"


# ---- A random split


def thinned() -> "sympy.Expr":
    """Return the generating function E(z^N) of one queue's arrivals in time t after a random split.

    It is that of a Poisson stream with rate λ/c, so each queue is an independent M/G/1.

    >>> from spe_lab.core.model import symbol
    >>> lam, c, t, z = (symbol(name) for name in ("lambda", "c", "t", "z"))
    >>> import sympy
    >>> sympy.simplify(sympy.log(thinned()) - lam * t / c * (z - 1))
    0
    """
    import sympy

    lam, c, t, z = (symbol(name) for name in ("lambda", "c", "t", "z"))
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    arrival = 1 - 1 / c + z / c  # an arrival joins this queue (z) or another (1)
    summed = sympy.summation((lam * t * arrival) ** n / sympy.factorial(n), (n, 0, sympy.oo))
    return sympy.exp(sympy.simplify(sympy.log(sympy.exp(-lam * t) * summed)))


# ---- Processor sharing


def sharing_guess(first: "sympy.Expr", second: "sympy.Expr") -> "sympy.Expr":
    """Return the stationary distribution to prove, for n₁ and n₂ jobs of two kinds.

    π = (1 − ρ)·(n₁ + n₂)! / (n₁!·n₂!)·ρ₁^n₁·ρ₂^n₂
    """
    import sympy

    one, two = symbol("rho_1"), symbol("rho_2")
    return (1 - one - two) * sympy.binomial(first + second, first) * one**first * two**second


def sharing_balance() -> "sympy.Expr":
    """Return flow into minus flow out of a state of M/G/1-PS, for two kinds of exponential jobs.

    Each of n = n₁ + n₂ jobs is served at speed 1/n. The result is zero for every state: the guess is the solution.

    >>> sharing_balance()
    0
    """
    import sympy

    a, b = (sympy.Symbol(name, integer=True, positive=True) for name in ("n_1", "n_2"))
    one, two, fast, slow = (symbol(name) for name in ("rho_1", "rho_2", "mu_1", "mu_2"))
    pi, arrive = sharing_guess, (one * fast, two * slow)  # λ_k = ρ_k·μ_k
    into = arrive[0] * pi(a - 1, b) + arrive[1] * pi(a, b - 1)
    into += fast * (a + 1) / (a + b + 1) * pi(a + 1, b) + slow * (b + 1) / (a + b + 1) * pi(a, b + 1)
    out = (sum(arrive) + (fast * a + slow * b) / (a + b)) * pi(a, b)
    return sympy.simplify(sympy.gammasimp(sympy.expand_func((into - out) / pi(a, b)).rewrite(sympy.gamma)))


def sharing_jobs(n: int) -> "sympy.Expr":
    """Return P(n jobs present) of both kinds: a binomial sum, (1 − ρ)·ρⁿ, which depends on ρ alone.

    >>> from spe_lab.core.model import symbol
    >>> (sharing_jobs(3) - symbol("rho") ** 3 * (1 - symbol("rho"))).expand()
    0
    """
    import sympy

    n, rho, one = whole("n", n, 0, 100), symbol("rho"), symbol("rho_1")
    total = sum(sharing_guess(sympy.Integer(k), sympy.Integer(n - k)) for k in range(n + 1))
    return sympy.factor(sympy.expand(total.subs(symbol("rho_2"), rho - one)))


@cache
def sharing_mean() -> Model:
    """Return E(T | S = x) of M/G/1-PS.

    Let a piece dy of service take g·dy. By Little's law, λ·P(S > y)·g·dy jobs are in the piece at y; by the product
    form, E(L)·P(S > y)/E(S)·dy. So ρ·g = E(L) for all pieces, and E(L) is the mean of a geometric number.
    """
    import sympy

    rho, x, stretch = symbol("rho"), symbol("x"), symbol("g")
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    present = sympy.summation(n * rho**n, (n, 0, sympy.oo)).args[0][0] * (1 - rho)  # of the two cases, that of ρ < 1
    stretched = sympy.factor(x * sympy.solve(sympy.Eq(rho * stretch, present), stretch)[0])
    source = "Sakata, Noguchi, Oizumi 1971; derived from Little's law"
    return Model("E(T | S = x)", stretched, "E(S)", QUANTITIES, source)


# ---- The shortest of d queues


def drift(i: int) -> "sympy.Expr":
    """Return ds_i/dt of the fluid limit; s_i: share of queues with i customers or more.

    An arrival joins a queue of i − 1 customers with probability s_{i−1}^d − s_i^d. A queue of exactly i customers
    (share s_i − s_{i+1}) loses one at rate 1.
    """
    import sympy

    rho, d = symbol("rho"), symbol("d")
    s = [sympy.Integer(1), *(symbol(f"s_{k}") for k in range(1, i + 2))]
    return rho * (s[i - 1] ** d - s[i] ** d) - (s[i] - s[i + 1])


def step(i: int, beyond: int = 6) -> "sympy.Eq":
    """Return the step of the fixed point from s_{i−1} to s_i.

    The drifts from i on add up to zero. All but four terms cancel, and two of these vanish with the tail of the queue.

    >>> step(1)
    Eq(s_1, rho)
    >>> step(3)
    Eq(s_3, rho*s_2**d)
    """
    import sympy

    last = i + beyond
    total = sympy.expand(sum(drift(k) for k in range(i, last + 1)))
    near = total.subs({symbol(f"s_{last}"): 0, symbol(f"s_{last + 1}"): 0})
    found = symbol(f"s_{i}")
    return sympy.Eq(found, sympy.solve(near.subs(sympy.S.Zero ** symbol("d"), 0), found)[0])


@cache
def supermarket() -> Model:
    """Return the share s_i of queues with i customers or more: s_i = ρ·s_{i−1}^d in logarithms."""
    import sympy

    d, i, rho = symbol("d"), symbol("i"), symbol("rho")
    k, e = sympy.Symbol("k", integer=True), sympy.Function("e")
    exponent = sympy.rsolve(sympy.Eq(e(k), d * e(k - 1) + 1), e(k), {e(0): 0})
    return Model("s_i", rho ** sympy.factor(sympy.simplify(exponent.subs(k, i))), "", QUANTITIES, MITZENMACHER)


# ---- Behind a long job


@cache
def behind_a_long_job() -> Model:
    """Return P(an arrival finds a long job with more than t to go), a lower bound of FCFS's P(Wq > t).

    Poisson arrivals see a long job in service with probability λ·p·L = ρ·p·L, at a uniform position of its length.
    The bound holds for t ≤ L and is zero beyond.
    """
    import sympy

    rho, p, long, t, u = (symbol(name) for name in ("rho", "p", "L", "t", "u"))
    more_to_go = sympy.integrate(1 / long, (u, t, long))  # its residual service u is uniform between 0 and L
    tail = sympy.factor(rho * p * long * more_to_go)
    return Model("P(R > t)", tail, "", QUANTITIES, "derived: Poisson arrivals see time averages")


# ---- Numeric twins


def longer_than(rho: np.ndarray | float, d: int) -> np.ndarray:
    """Return s_0, s_1, … of the supermarket model down to 1e-18, as levels × loads."""
    rho, d = np.atleast_1d(np.asarray(rho, dtype=float)), whole("d", d, 2, 4096)
    if not ((rho >= 0) & (rho < 1)).all():
        raise SpeLabError(
            f"rho must be at least 0 and below 1, got {rho.max()}; from 1 on the queues grow without bound"
        )
    levels = [np.ones_like(rho)]
    while levels[-1].max() > 1e-18:
        levels.append(rho * levels[-1] ** d)
    return np.array(levels)


def supermarket_mean(rho: np.ndarray | float, d: int) -> np.ndarray:
    """Return E(T) of JSQ(d) for infinitely many servers, from E(L) = Σ s_i and Little's law.

    >>> supermarket_mean(0.8, 2).round(4).tolist(), supermarket_mean(0.8, 3).round(4).tolist()
    ([1.9474], [1.5809])
    """
    return (longer_than(rho, d) ** d).sum(axis=0)


def supermarket_tail(t: np.ndarray | float, rho: np.ndarray | float, d: int) -> np.ndarray:
    """Return P(T > t): a customer joins j others or more with probability s_j^d, and stays j + 1 services."""
    joins, t = longer_than(rho, d) ** d, np.asarray(t, dtype=float)
    term = np.exp(-t) * np.ones_like(joins[0])  # e^(−t)·t^j / j!
    total = np.zeros_like(term)
    for j, share in enumerate(joins):
        total += share * term
        term = term * t / (j + 1)
    return total


def supermarket_quantile(p: float, rho: np.ndarray | float, d: int) -> np.ndarray:
    """Return the p-quantile of the sojourn, by bisection."""
    rho = np.atleast_1d(np.asarray(rho, dtype=float))
    low, high = np.zeros_like(rho), birth_death.sojourn_quantile(p, 1, rho)  # a random split is worse
    for _ in range(45):
        middle = (low + high) / 2
        beyond = supermarket_tail(middle, rho, d) > 1 - p
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return (low + high) / 2


@lru_cache(maxsize=2)  # 1 MiB each; a slider move asks for one
def _wait_above(rho: float, long_share: float, ratio: float) -> tuple[float, np.ndarray]:
    """Return (step, P(Wq > k·step)) of M/G/1 whose service has two lengths.

    By Pollaczek and Khinchine, Wq is the sum of a geometric number (ratio ρ) of residual services with density
    P(S > u) / E(S). A discrete Fourier transform inverts its transform on a grid.
    """
    law = bimodal(1.0, long_share, ratio)
    long, short, _ = law.parameters
    mean = float(general.mean_wait(rho, law.scv))
    points = 1 << 17
    step = max((16 * mean + 2 * long) / points, short / 64)
    edges = np.arange(points + 1) * step
    residual = np.diff((1 - long_share) * np.minimum(edges, short) + long_share * np.minimum(edges, long))
    lattice = (residual + np.append(0, residual[:-1])) / 2  # half of each cell at either end preserves the mean
    wait = np.fft.irfft((1 - rho) / (1 - rho * np.fft.rfft(lattice)), points)
    return step, np.maximum(1 - np.cumsum(wait), 0.0)


def wait_tail(t: np.ndarray, rho: float, long_share: float, ratio: float) -> np.ndarray:
    """Return P(Wq > t) of M/G/1 with two lengths of service and mean 1, accurate to 0.005."""
    step, above = _wait_above(float(rho), float(long_share), float(ratio))
    t = np.asarray(t, dtype=float)
    places = np.append(0.0, (np.arange(above.size) + 0.5) * step)  # a grid value stands for the middle of its cell
    tail = np.where(t < 0, 1.0, np.interp(t, places, np.append(rho, above), right=0.0))
    return np.where(tail < 1e-6, 0.0, tail)  # smaller values are rounding errors
