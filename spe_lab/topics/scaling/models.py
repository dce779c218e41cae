"""Laws of speed-up: Amdahl's, its limit, Gustafson's, the universal scalability law, and Amdahl's with what threads
cost.

Each starts from the time that the work takes and arrives at the closed form.
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
    "P": Quantity("share of the work that can be done in parallel, of the time with one thread", ""),
    "N": Quantity("threads", ""),
    "n": Quantity("threads that make progress at the same time: no more than cores, if the work needs one", ""),
    "T1": Quantity("time of the work with one thread", "ns"),
    "s": Quantity("time to start working in parallel, and to come together again", "ns"),
    "c": Quantity("time that each further thread adds to that", "ns"),
    "d": Quantity("time by which a wait ends late", "ns"),
    "w": Quantity("waits on the way, one after the other", ""),
    "sigma": Quantity("contention: share of the work that excludes all other threads", ""),
    "kappa": Quantity("coherency: cost for each pair of threads, as a share of the work", ""),
}


def _symbols(names: str) -> list["sympy.Symbol"]:
    return [symbol(name) for name in names.split()]


def time_of(threads: "sympy.Expr | int") -> "sympy.Expr":
    """The time of work whose share P is divided among `threads`: the serial part stays as it is.

    >>> time_of(1)
    T1
    """
    import sympy

    P, T1 = _symbols("P T1")
    return sympy.factor((1 - P) * T1 + P * T1 / threads)


@cache
def amdahl_law() -> Model:
    """Speed-up S = T(1) / T(N), from `time_of`."""
    import sympy

    N = symbol("N")
    return Model("S", 1 / sympy.expand(time_of(N) / time_of(1)), "", QUANTITIES, AMDAHL)


@cache
def amdahl_limit() -> "sympy.Expr":
    """The limit of the speed-up for N → ∞, for P < 1.

    >>> amdahl_limit()
    1/(1 - P)
    """
    import sympy

    return 1 / sympy.limit(1 / amdahl_law().expression, symbol("N"), sympy.oo)


def threads_for(share_of_limit: float) -> "sympy.Expr":
    """The number of threads at which a given share of that limit is reached, as an expression in P.

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
    """Speed-up with what threads cost: s to begin at all, c for each thread beyond the first, and w waits that end d
    late.

    With one thread nothing is started: the factor min(1, N − 1) of s says so. `n` ≤ N threads make progress at a time.
    """
    import sympy

    N, n, P, T1, s, c, d, w = _symbols("N n P T1 s c d w")
    alone = T1 + w * d
    together = (1 - P) * T1 + P * T1 / n + w * d + s * sympy.Min(1, N - 1) + c * (N - 1)
    return Model(
        "S", alone / together, "", QUANTITIES, "Amdahl's law, with terms for starting threads and for waking up"
    )


@cache
def gustafson_law() -> Model:
    """Scaled speed-up, if every thread brings its own share of work: the time of all that work with one thread, over
    the time with N. Here P is the parallel share of the time with N threads.
    """
    import sympy

    N, P = _symbols("N P")
    one_thread, n_threads = (1 - P) + N * P, (1 - P) + P
    return Model("S", sympy.expand(sympy.simplify(one_thread / n_threads)), "", QUANTITIES, GUSTAFSON)


@cache
def usl_law() -> Model:
    """The universal scalability law: capacity with N threads relative to one, with contention and coherency."""
    N, sigma, kappa = _symbols("N sigma kappa")
    return Model("C", N / (1 + sigma * (N - 1) + kappa * N * (N - 1)), "", QUANTITIES, USL)


@cache
def usl_maximum() -> Model:
    """The number of threads beyond which the capacity falls: where its derivative is zero."""
    import sympy

    N, sigma, kappa = _symbols("N sigma kappa")
    roots = sympy.solve(sympy.numer(sympy.together(sympy.diff(usl_law().expression, N))), N)
    positive = next(root for root in roots if root.subs({sigma: sympy.Rational(1, 2), kappa: 1}) > 0)
    return Model("N_max", positive, "", QUANTITIES, USL)


@cache
def usl_of_thread_costs() -> "sympy.Matrix":
    """(sigma, kappa) for which the universal law is Amdahl's with a cost c for each further thread: they follow from
    comparing N / S with 1 + sigma (N − 1) + kappa N (N − 1)."""
    import sympy

    N, c, sigma, kappa = _symbols("N c sigma kappa")
    slowed = (time_of(N) + c * (N - 1)) / time_of(1)
    difference = sympy.expand(N * slowed - (1 + sigma * (N - 1) + kappa * N * (N - 1)))
    found = sympy.solve(sympy.Poly(difference, N).coeffs(), [sigma, kappa], dict=True)[0]
    return sympy.Matrix([found[sigma], found[kappa]])
