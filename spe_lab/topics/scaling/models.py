"""Speed-up laws: Amdahl's, with its limit and with costs; Gustafson's; universal scalability.

Each is derived from the time of the work.
"""

from functools import cache
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol

if TYPE_CHECKING:
    import sympy

AMDAHL = "Amdahl, Validity of the single processor approach, AFIPS 1967; lecture notes, §5"
GUSTAFSON = "Gustafson, Reevaluating Amdahl's law, Communications of the ACM 31(5), 1988"
USL = "Gunther, Guerrilla Capacity Planning, 2007"

QUANTITIES = {
    "P": Quantity("parallel share of the work, in time with one thread", ""),
    "N": Quantity("threads", ""),
    "n": Quantity("threads that make progress at the same time: at most the number of cores, if they compute", ""),
    "T1": Quantity("time of the work with one thread", "ns"),
    "s": Quantity("time to fork and join at all", "ns"),
    "c": Quantity("time that each further thread adds to that", "ns"),
    "d": Quantity("time by which a wait ends late", "ns"),
    "w": Quantity("waits, one after the other", ""),
    "sigma": Quantity("contention: share of the work that excludes all other threads", ""),
    "kappa": Quantity("coherency: cost for a thread to agree with one other thread, as a share of the work", ""),
}


def _symbols(names: str) -> list["sympy.Symbol"]:
    return [symbol(name) for name in names.split()]


def time_of(threads: "sympy.Expr | int") -> "sympy.Expr":
    """Return the time of work whose share P is divided among `threads`; the serial part does not change.

    >>> time_of(1)
    T1
    """
    import sympy

    P, T1 = _symbols("P T1")
    return sympy.factor((1 - P) * T1 + P * T1 / threads)


@cache
def amdahl_law() -> Model:
    """Return the speed-up S = T(1) / T(N), from `time_of`."""
    import sympy

    N = symbol("N")
    return Model("S", 1 / sympy.expand(time_of(N) / time_of(1)), "", QUANTITIES, AMDAHL)


@cache
def amdahl_limit() -> "sympy.Expr":
    """Return the limit of the speed-up for N → ∞ and P < 1.

    >>> amdahl_limit()
    1/(1 - P)
    """
    import sympy

    return 1 / sympy.limit(1 / amdahl_law().expression, symbol("N"), sympy.oo)


def threads_for(share_of_limit: float) -> "sympy.Expr":
    """Return the number of threads that reaches a given share of the limit, as an expression in P.

    >>> threads_for(0.5)
    -P/(P - 1)
    """
    import sympy

    if not 0 < share_of_limit < 1:
        raise SpeLabError(
            f"share_of_limit must lie between 0 and 1, got {share_of_limit}; the limit itself needs infinitely many"
            " threads"
        )
    share = sympy.nsimplify(share_of_limit, rational=True)
    return sympy.factor(sympy.solve(sympy.Eq(amdahl_law().expression, share * amdahl_limit()), symbol("N"))[0])


@cache
def amdahl_with_costs() -> Model:
    """Return the speed-up with costs: s to fork, c for each further thread, and w waits that end d late.

    One thread needs no fork: s has the factor min(1, N − 1). `n` ≤ N threads make progress at a time.
    """
    import sympy

    N, n, P, T1, s, c, d, w = _symbols("N n P T1 s c d w")
    alone = T1 + w * d
    together = (1 - P) * T1 + P * T1 / n + w * d + s * sympy.Min(1, N - 1) + c * (N - 1)
    source = "Amdahl's law, with terms for starting threads and for waking up"
    return Model("S", alone / together, "", QUANTITIES, source)


@cache
def gustafson_law() -> Model:
    """Return the scaled speed-up: the time of one thread for the work of N, over the time of N.

    Each thread adds a share of work. P is the parallel share of the time with N threads.
    """
    import sympy

    N, P = _symbols("N P")
    one_thread, n_threads = (1 - P) + N * P, (1 - P) + P
    return Model("S", sympy.expand(sympy.simplify(one_thread / n_threads)), "", QUANTITIES, GUSTAFSON)


@cache
def usl_law() -> Model:
    """Return the universal scalability law: capacity relative to one thread."""
    N, sigma, kappa = _symbols("N sigma kappa")
    return Model("C", N / (1 + sigma * (N - 1) + kappa * N * (N - 1)), "", QUANTITIES, USL)


@cache
def usl_maximum() -> Model:
    """Return the number of threads with the largest capacity: its derivative is zero there."""
    import sympy

    N, sigma, kappa = _symbols("N sigma kappa")
    roots = sympy.solve(sympy.numer(sympy.together(sympy.diff(usl_law().expression, N))), N)
    positive = next(root for root in roots if root.subs({sigma: sympy.Rational(1, 2), kappa: 1}) > 0)
    return Model("N_max", positive, "", QUANTITIES, USL)


@cache
def usl_of_thread_costs() -> "sympy.Matrix":
    """Return the (sigma, kappa) for which the universal law is Amdahl's with a cost c per further thread.

    They follow from a comparison of N / S with 1 + sigma (N − 1) + kappa N (N − 1).
    """
    import sympy

    N, c, sigma, kappa = _symbols("N c sigma kappa")
    slowed = (time_of(N) + c * (N - 1)) / time_of(1)
    difference = sympy.expand(N * slowed - (1 + sigma * (N - 1) + kappa * N * (N - 1)))
    found = sympy.solve(sympy.Poly(difference, N).coeffs(), [sigma, kappa], dict=True)[0]
    return sympy.Matrix([found[sigma], found[kappa]])
