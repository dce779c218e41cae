"""The analytical model of a search and the algebra of numerical models, derived in sympy."""

import math
from functools import cache
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError
from spe_lab.core.formula import Formula
from spe_lab.core.model import Model, Quantity, symbol
from spe_lab.core.text import Text

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


def missed_steps() -> Formula:
    """Return the number of steps that miss, as a textbook prints it."""
    import sympy

    n, r, C = map(symbol, "nrC")
    latex = r"\max\left(0,\; \log_2 \frac{n \, r}{C}\right)"
    return Formula(latex, sympy.Max(0, sympy.log(n * r / C, 2)), missing_steps())


def lookup_formula() -> Formula:
    """Return the time of a lookup, as a textbook prints it."""
    import sympy

    c, k, w, t, m, P, n, r = map(symbol, "ckwtmPnr")
    capacities = {level: symbol(f"C_{level}") for level in LEVELS}
    missed = {level: sympy.Max(0, sympy.log(n * r / capacity, 2)) for level, capacity in capacities.items()}
    written = c + k * (w * t + m * P) + w * sum(symbol(f"l_{level}") * missed[level] for level in LEVELS)
    latex = r"T = c + k \, (w t + m P) + w \sum_i l_i \max\left(0,\; \log_2 \frac{n \, r}{C_i}\right)"
    return Formula(latex, written, lookup_time().expression)


def typeset(values: dict[str, float]) -> Text:
    """Return the analytical model with these values over u = log₂ n, for a page.

    >>> capacities = {"C_L1": 2**15, "C_L2": 2**20, "C_TLB": 2**24, "C_L3": 2**25}
    >>> times = {"c": 5, "t": 2.7, "P": 5, "l_L1": 3, "l_L2": 10, "l_TLB": 0, "l_L3": 80}
    >>> typeset({"w": 1, "m": 0, "r": 4, **capacities, **times})
    $$T = 5 + 2.7\\,k + 3\\,[u - 13]^+ + 10\\,[u - 18]^+ + 80\\,[u - 23]^+$$
    """
    step = values["w"] * values["t"] + values["m"] * values["P"]
    terms = [f"{values['c']:.3g}", rf"{step:.3g}\,k"]
    kinks = sorted((math.log2(values[f"C_{level}"] / values["r"]), values[f"l_{level}"]) for level in LEVELS)
    terms += [rf"{values['w'] * price:.3g}\,[u - {kink:.3g}]^+" for kink, price in kinks if values["w"] * price]
    return Text(f"$$T = {' + '.join(terms)}$$")


def law_in_logarithms() -> Formula:
    """Return the logarithm of the power law, as a textbook prints it."""
    import sympy

    found = logarithms().rhs
    symbols = {symbol.name: symbol for symbol in found.free_symbols}
    a, b, c, n = (symbols[name] for name in "abcn")
    written = sympy.log(a) + b * sympy.log(n) + c * sympy.log(sympy.log(n))
    return Formula(r"\log T = \log a + b \, \log n + c \, \log(\log n)", written, found)


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


def slope() -> Formula:
    """Return the solved normal equations for b, as a textbook prints them; checked for three points."""
    import sympy

    x, y = (sympy.symbols(f"{name}1:4", real=True) for name in "xy")
    products = sum(a * b for a, b in zip(x, y, strict=True))
    written = (3 * products - sum(x) * sum(y)) / (3 * sum(a**2 for a in x) - sum(x) ** 2)
    latex = r"b = \frac{m \sum x_i y_i - \sum x_i \sum y_i}{m \sum x_i^2 - \left(\sum x_i\right)^2}"
    return Formula(latex, written, normal_equations(3)[0][1])


def growth_of_cubic() -> Formula:
    """Return the leading coefficient of the cubic through y₀ … y₃ at u = 0 … 3, as a textbook prints it."""
    import sympy

    y = sympy.symbols("y:4", real=True)
    latex = r"\lim_{u \to \infty} \frac{p(u)}{u^3} = \frac{y_3 - 3 y_2 + 3 y_1 - y_0}{6}"
    return Formula(latex, (y[3] - 3 * y[2] + 3 * y[1] - y[0]) / 6, interpolant_growth(4))


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
