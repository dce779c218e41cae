"""The analytical model of a search and the algebra of numerical models, derived in sympy."""

from functools import cache
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol

if TYPE_CHECKING:
    import sympy

LEVELS = ("L1", "L2", "TLB", "L3")  # as in chapter 03b: the caches whose misses count
QUANTITIES = {
    "T": Quantity("time of a lookup", "ns"),
    "n": Quantity("records in the array", ""),
    "r": Quantity("size of a record", "B"),
    "k": Quantity("steps of a search, ⌈log₂ n⌉", ""),
    "c": Quantity("time of a lookup without its steps", "ns"),
    "t": Quantity("time of a step whose key is in the first-level cache", "ns"),
    "w": Quantity("share of the steps that wait for their key: 1 without a branch, ½ with one", ""),
    "m": Quantity("share of the steps that are mispredicted: 0 without a branch, ½ with one", ""),
    "P": Quantity("penalty of a misprediction", "ns"),
    "C_L1": Quantity("capacity of the first-level cache", "B"),
    "C_L2": Quantity("capacity of the second-level cache", "B"),
    "C_TLB": Quantity("reach of the TLB: entries × page size", "B"),
    "C_L3": Quantity("capacity of the last-level cache", "B"),
    "l_L1": Quantity("time added by a first-level miss: the second level's latency", "ns"),
    "l_L2": Quantity("time added by a second-level miss: the last level's latency", "ns"),
    "l_TLB": Quantity("time added by a TLB miss: the look-up in the page table", "ns"),
    "l_L3": Quantity("time added by a last-level miss: the latency of memory", "ns"),
}


def missing_steps() -> "sympy.Expr":
    """Return the number of steps of a search that miss in a cache of C bytes.

    Step i reads one of p = 2^i places, n · r / p bytes apart. Each has a line of its own while that is at least a line,
    B bytes. The cache keeps the lines used most: those of the first steps, up to p = C / B. The others miss; B cancels.
    """
    import sympy

    n, r, B, C, p = map(symbol, "nrBCp")
    (first,) = sympy.solve(sympy.Eq(p, C / B), p)
    (last,) = sympy.solve(sympy.Eq(n * r / p, B), p)
    return sympy.Max(0, sympy.log(last / first, 2))


@cache
def lookup_time() -> Model:
    """Return T = c + k · (w · t + m · P) + w · Σ l · max(0, log₂(n · r / C)).

    Without a branch every step waits for its key: w = 1, m = 0. With a branch half of the predictions are right
    (chapter 03d at p = ½), and a correctly predicted step starts the next load at once: w = m = ½.
    """
    c, k, w, t, m, P = map(symbol, "ckwtmP")
    misses = missing_steps()
    missed = sum(symbol(f"l_{level}") * misses.subs(symbol("C"), symbol(f"C_{level}")) for level in LEVELS)
    time = c + k * (w * t + m * P) + w * missed
    return Model("T", time, "ns", QUANTITIES, "ours, after the notes' §3.3 and §3.5")


def in_octaves(values: dict[str, float]) -> "sympy.Eq":
    """Return the analytical model with these values over u = log₂ n: each cache is a kink at n · r = C.

    >>> capacities = {"C_L1": 2**15, "C_L2": 2**20, "C_TLB": 2**24, "C_L3": 2**25}
    >>> times = {"c": 5, "t": 2.7, "P": 5, "l_L1": 3, "l_L2": 10, "l_TLB": 8, "l_L3": 80}
    >>> in_octaves({"w": 1, "m": 0, "r": 4, **capacities, **times}).rhs
    2.7*k + 80.0*Max(0, u - 23.0) + 8.0*Max(0, u - 22.0) + 10.0*Max(0, u - 18.0) + 3.0*Max(0, u - 13.0) + 5.0
    """
    import sympy

    u = sympy.Symbol("u", positive=True)
    known = {symbol(name): sympy.nsimplify(value, rational=True) for name, value in values.items()}
    time = sympy.expand_log(lookup_time().expression.subs(known).subs(symbol("n"), 2**u), force=True)
    kinks = {
        each: each.func(*(sympy.expand(sympy.simplify(part)) for part in each.args)) for each in time.atoms(sympy.Max)
    }
    return sympy.Eq(symbol("T"), sympy.N(time.xreplace(kinks), 4))


def logarithms() -> "sympy.Eq":
    """Return the logarithm of the power law a · n^b · (log n)^c, which is linear in log a, b and c."""
    import sympy

    T, n, a = symbol("T"), sympy.Symbol("n", positive=True), symbol("a")
    b, c = sympy.symbols("b c", real=True)
    steps = sympy.Symbol("L", positive=True)  # log n, above 0 for n above 1
    law = sympy.expand_log(sympy.log(a * n**b * steps**c))
    return sympy.Eq(sympy.log(T), law.subs(steps, sympy.log(n)))


def normal_equations(points: int = 3) -> tuple["sympy.Matrix", "sympy.Matrix"]:
    """Return (solution, equations) of the least-squares line log T = α + b · x through `points` of (xᵢ, yᵢ).

    The gradient of the sum of squares is zero there. The equations are linear, so the one solution is exact.
    """
    import sympy

    if not 2 <= points <= 6:
        raise SpeLabError(f"points must be between 2 and 6 to stay readable, got {points}; the formula does not change")
    alpha, b = sympy.symbols("alpha b", real=True)
    x, y = (sympy.symbols(f"{name}1:{points + 1}", real=True) for name in "xy")
    squares = sum((alpha + b * xi - yi) ** 2 for xi, yi in zip(x, y, strict=True))
    gradient = sympy.Matrix([sympy.expand(sympy.diff(squares, each) / 2) for each in (alpha, b)])
    solution = sympy.solve(list(gradient), [alpha, b], dict=True)[0]
    return sympy.Matrix([sympy.factor(solution[unknown]) for unknown in (alpha, b)]), gradient


def interpolant_growth(points: int) -> "sympy.Expr":
    """Return lim p(u) / u^(points − 1) for u → ∞, where p is the polynomial through (0, y₀), (1, y₁), ….

    The limit is the leading coefficient. It is zero only if the points lie on a polynomial of lower degree.
    """
    import sympy

    if not 2 <= points <= 8:
        raise SpeLabError(f"points must be between 2 and 8 to stay readable, got {points}; the pattern does not change")
    u = sympy.Symbol("u", positive=True)
    y = sympy.symbols(f"y:{points}", real=True)
    p = sympy.interpolate(list(enumerate(y)), u)
    return sympy.expand(sympy.limit(sympy.expand(p) / u ** (points - 1), u, sympy.oo))


def noise_outside(points: int, beyond: float) -> "sympy.Expr":
    """Return Lebesgue's function Σ |ℓᵢ(u)| at `beyond` after the last of u = 0, 1, …, points − 1.

    The interpolating polynomial amplifies errors of the measured values by at most this factor.
    """
    import sympy

    u = points - 1 + sympy.nsimplify(beyond)
    basis = [sympy.prod(sympy.Rational(1, i - j) * (u - j) for j in range(points) if j != i) for i in range(points)]
    return sum(map(sympy.Abs, basis))
