"""The analytical model of a search, and the algebra behind the numerical ones; all derived in sympy."""

from functools import cache
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol

if TYPE_CHECKING:
    import sympy

LEVELS = range(1, 5)  # the memory chapter's: second-level cache, last-level cache, page table, memory
QUANTITIES = {
    "T": Quantity("time of a lookup", "ns"),
    "n": Quantity("records in the array", ""),
    "r": Quantity("size of a record", "B"),
    "k": Quantity("steps of a search, ⌈log₂ n⌉", ""),
    "c": Quantity("what a lookup takes beside its steps", "ns"),
    "t": Quantity("one step, its key in the first-level cache", "ns"),
    "w": Quantity("share of the steps that wait for their key: 1 without a branch, ½ with one", ""),
    "m": Quantity("share of the steps that are mispredicted: 0 without a branch, ½ with one", ""),
    "P": Quantity("penalty of a misprediction", "ns"),
    **{f"C{i}": Quantity(f"capacity of the store before level {i}", "B") for i in LEVELS},
    **{f"l{i}": Quantity(f"what a miss that goes to level {i} adds", "ns") for i in LEVELS},
}


def missing_steps() -> "sympy.Expr":
    """Steps of a search whose keys a cache of C bytes does not hold, from two conditions on the places p = 2^i of its
    i-th step.

    As long as the places are a line of B bytes or more apart, n · r / p ≥ B, each has a line of its own; the cache
    keeps the lines that are used most, those of the first steps, up to p = C / B of them. The steps from there to the
    last with its own line miss: the line's size cancels.
    """
    import sympy

    n, r, B, C, p = map(symbol, "nrBCp")
    (first,) = sympy.solve(sympy.Eq(p, C / B), p)
    (last,) = sympy.solve(sympy.Eq(n * r / p, B), p)
    return sympy.Max(0, sympy.log(last / first, 2))


@cache
def lookup_time() -> Model:
    """T = c + k · (w · t + m · P) + w · Σ lᵢ · max(0, log₂(n · r / Cᵢ)).

    Without a branch every step waits for its key: w = 1, m = 0. With one, every other guess is right (chapter 03d at p
    = ½), and a step that is guessed right starts the next load at once: w = m = ½.
    """
    k, w = symbol("k"), symbol("w")
    level = missing_steps()
    misses = [level.subs(symbol("C"), symbol(f"C{i}")) for i in LEVELS]
    time = (
        symbol("c")
        + k * (w * symbol("t") + symbol("m") * symbol("P"))
        + w * sum(symbol(f"l{i}") * each for i, each in zip(LEVELS, misses, strict=True))
    )
    return Model("T", time, "ns", QUANTITIES, "ours, after the notes' §3.3 and §3.5")


def in_octaves(values: dict[str, float]) -> "sympy.Eq":
    """The analytical model with these values, over u = log₂ n: each cache is a kink, where n · r = C.

    >>> capacities = {"C1": 2**15, "C2": 2**20, "C3": 2**24, "C4": 2**25}
    >>> times = {"c": 5, "t": 2.7, "P": 5, "l1": 3, "l2": 10, "l3": 8, "l4": 80}
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
    """The power law a · n^b · (log n)^c after taking logarithms: a sum that is linear in log a, b and c."""
    import sympy

    T, n, a = symbol("T"), sympy.Symbol("n", positive=True), symbol("a")
    b, c = sympy.symbols("b c", real=True)
    steps = sympy.Symbol("L", positive=True)  # log n, above 0 for n above 1
    law = sympy.expand_log(sympy.log(a * n**b * steps**c))
    return sympy.Eq(sympy.log(T), law.subs(steps, sympy.log(n)))


def normal_equations(points: int = 3) -> tuple["sympy.Matrix", "sympy.Matrix"]:
    """(solution, equations) of the straight line log T = α + b · x through `points` of (xᵢ, yᵢ): where the gradient of
    the summed squares is zero. The equations are linear, so that there is one solution, and it is exact.
    """
    import sympy

    if not 2 <= points <= 6:
        raise SpeLabError(f"points must be between 2 and 6 to stay readable, got {points}; the formula does not change")
    alpha, b = sympy.symbols("alpha b", real=True)
    x, y = (sympy.symbols(f"{name}1:{points + 1}", real=True) for name in "xy")
    squares = sum((alpha + b * xi - yi) ** 2 for xi, yi in zip(x, y, strict=True))
    gradient = sympy.Matrix([sympy.expand(sympy.diff(squares, each) / 2) for each in (alpha, b)])
    found = sympy.solve(list(gradient), [alpha, b], dict=True)[0]
    return sympy.Matrix([sympy.factor(found[each]) for each in (alpha, b)]), gradient


def interpolant_growth(points: int) -> "sympy.Expr":
    """lim p(u) / u^(points − 1) for u → ∞, of the polynomial p through (0, y₀), (1, y₁), …: what it grows like outside.

    The limit is the leading coefficient. It is zero only if the points happen to lie on a polynomial of lower degree.
    """
    import sympy

    if not 2 <= points <= 8:
        raise SpeLabError(f"points must be between 2 and 8 to stay readable, got {points}; the pattern does not change")
    u = sympy.Symbol("u", positive=True)
    y = sympy.symbols(f"y:{points}", real=True)
    p = sympy.interpolate(list(enumerate(y)), u)
    return sympy.expand(sympy.limit(sympy.expand(p) / u ** (points - 1), u, sympy.oo))


def noise_outside(points: int, beyond: float) -> "sympy.Expr":
    """Σ |ℓᵢ(u)|: by how much an error of the measured values can be amplified by the interpolating polynomial through u
    = 0, 1, …, points − 1, at `beyond` units after the last. Lebesgue's function.
    """
    import sympy

    u = points - 1 + sympy.nsimplify(beyond)
    basis = [sympy.prod(sympy.Rational(1, i - j) * (u - j) for j in range(points) if j != i) for i in range(points)]
    return sum(map(sympy.Abs, basis))
