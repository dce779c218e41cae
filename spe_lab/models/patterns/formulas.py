"""Misses of each basic pattern at one level, as sympy expressions: published rules and ours.

A level holds K lines of B bytes. A pattern visits items of width w in a region of n items, and touches u bytes of each.
All formulas use two quantities: q, the mean number of lines that a visit touches, and X, the number of lines that a
traversal touches. h = min(1, K/X) is the share of these that fits.

"published": the rules of Manegold, Boncz, Kersten, VLDB 2002, *as they are usually retold*; the patterns and the
structure are from the paper, the formulas from secondary sources. "ours": rules for full associativity and LRU, exact
in expectation for many lines. They follow from stack distances; `uses` evaluates the same without a closed form.
"""

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, symbol
from spe_lab.models.patterns.algebra import Basic, Pattern

if TYPE_CHECKING:
    import sympy

RULES = ("published", "ours")
_READABLE = 10**9  # fractions with larger numerators or denominators, as of (3/4)^1024, are printed as decimals
KINDS = (
    "s_trav",
    "rs_trav uni",
    "rs_trav bi",
    "r_trav",
    "rr_trav",
    "rr_acc",
    "nest ran",
    "nest seq uni",
    "nest seq bi",
    "s_trav_cr",
)
QUANTITIES = {
    "n": Quantity("items of the region", ""),
    "w": Quantity("width of an item", "B"),
    "u": Quantity("bytes that a visit touches", "B"),
    "g": Quantity("largest power of two that divides w and is at most B: items begin at multiples of it", "B"),
    "r": Quantity("repetitions, or visits of rr_acc", ""),
    "m": Quantity("parts of a nest", ""),
    "s": Quantity("share of the items that a conditional traversal touches", ""),
    "B": Quantity("line or page", "B"),
    "K": Quantity("lines that the level holds", ""),
    "X": Quantity("lines that a traversal touches", ""),
    "q": Quantity("lines that a visit touches, on average", ""),
}


def lines_per_visit(rule: str = "ours") -> "sympy.Expr":
    """Return q: a visit of u bytes that begins j bytes into a line touches 1 + ⌊(j + u − 1)/B⌋ lines.

    The mean over all j is 1 + (u − 1)/B, as in the notes. Items of an aligned region begin at multiples of
    g = gcd(w, B) only; the mean over these (Hermite's identity) is 1 + g·⌊(u − 1)/g⌋/B. Both are equal for g = 1.
    """
    import sympy

    u, g, line = symbol("u"), symbol("g"), symbol("B")
    return 1 + (u - 1) / line if _checked(rule) == "published" else 1 + g * sympy.floor((u - 1) / g) / line


def lines_touched(rule: str = "ours") -> "sympy.Expr":
    """Return X: all lines from the first item to the last, unless gaps between the items skip whole lines."""
    import sympy

    n, w, u, line = (symbol(name) for name in "nwuB")
    covered = n * w if _checked(rule) == "published" else (n - 1) * w + u
    return sympy.Piecewise((sympy.ceiling(covered / line), w - u < line), (n * lines_per_visit(rule), True))


def misses(kind: str, rule: str = "ours") -> "sympy.Expr":
    """Return a basic pattern's misses in n, r, m, s, K, X (`lines_touched`) and q (`lines_per_visit`)."""
    if kind not in KINDS:
        raise SpeLabError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}; name one of them")
    return (_ours if _checked(rule) == "ours" else _published)(kind)


@cache
def model(kind: str, rule: str = "ours") -> Model:
    """Return `misses` as a numeric function, including X and q, which `geometry` computes."""
    source = "derived from LRU stack distances" if rule == "ours" else "Manegold, Boncz, Kersten 2002, as retold"
    return Model("M", misses(kind, rule), "", QUANTITIES, source)


@cache
def geometry(rule: str = "ours") -> tuple[Model, Model]:
    """Return (X, q) as functions of the region, u and the line."""
    source = "lecture notes §3.4; ours: the grain g" if rule == "ours" else "lecture notes §3.4"
    lines = Model("X", lines_touched(rule), "", QUANTITIES, source)
    return lines, Model("q", lines_per_visit(rule), "", QUANTITIES, source)


def kind_of(pattern: Basic) -> str:
    """Return the pattern's name among KINDS."""
    words = [type(pattern).__name__, *(getattr(pattern, name, "") for name in ("o", "d"))]
    return " ".join(words[:2] if words[1] == "ran" else [word for word in words if word])


def shape(pattern: Basic, line: int, rule: str = "ours") -> tuple[float, float]:
    """Return (X, q) of a pattern as numbers."""
    values = _values(pattern, line)
    lines, per_visit = geometry(rule)
    return float(lines(**values)), float(per_visit(**values))


def evaluate(pattern: Basic, line: int, room: np.ndarray | float, rule: str = "ours") -> np.ndarray:
    """Return the misses of a basic pattern by the closed form, for levels of `room` lines of `line` bytes."""
    lines, per_visit = shape(pattern, line, rule)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # numpy computes all branches of a Piecewise
        return model(kind_of(pattern), rule)(**_values(pattern, line), K=room, X=lines, q=per_visit)


def alone(pattern: Pattern, line: int, rule: str = "ours") -> "sympy.Expr":
    """Return the sum of the closed forms of the basic patterns, each alone in a level of K lines."""
    import sympy

    total = sympy.Integer(0)
    for basic in pattern.basics():
        lines, per_visit = (sympy.nsimplify(number, rational=True) for number in shape(basic, line, rule))
        values = {symbol(name): sympy.nsimplify(value, rational=True) for name, value in _values(basic, line).items()}
        total += misses(kind_of(basic), rule).subs(values | {symbol("X"): lines, symbol("q"): per_visit})
    long = [q for q in total.atoms(sympy.Rational) if max(abs(q.p), q.q) > _READABLE]
    return sympy.sympify(total).xreplace({q: sympy.Float(q, 6) for q in long})


def order(pattern: Basic, line: int, rule: str = "ours") -> float:
    """Return the share of a pattern's misses that are in the order of their addresses."""
    lines, per_visit = shape(pattern, line, rule)
    return float(share_model(kind_of(pattern))(**_values(pattern, line), X=lines, q=per_visit))


def _values(pattern: Basic, line: int) -> dict[str, float]:
    region = pattern.region
    values = {"n": region.n, "w": region.w, "u": pattern.u, "g": math.gcd(region.w, line), "B": line}
    return values | {name: getattr(pattern, name, 1) for name in "rms"}


def sequential_share(kind: str) -> "sympy.Expr":
    """Return the share of misses whose line follows the previous one, so that a prefetcher predicts it.

    It is 0 or 1 except for the conditional traversal. There a line has a selected item with probability P, and so has
    the line before it: of all lines, P² are sequential misses and P(1 − P) random ones.
    """
    import sympy

    if kind == "s_trav_cr":
        return touched_share()
    return sympy.Integer(kind.startswith(("s_trav", "rs_trav")))


@cache
def share_model(kind: str) -> Model:
    return Model("share", sequential_share(kind), "", QUANTITIES, "Pirk et al. 2013")


def touched_share() -> "sympy.Expr":
    """Return P, the probability that at least one of the n·q/X items of a line is selected."""
    n, q, lines, s = (symbol(name) for name in "nqXs")
    return 1 - (1 - s) ** (n * q / lines)


def revisit_hits(h: "sympy.Expr") -> "sympy.Expr":
    """Return H(h): hits among the first visits of each further random traversal, as a share of the lines.

    At a line's last use, a share a of all lines has its last use ahead; at its next use, a share b has not been used
    again; a and b are independent and uniform. In between 1 − a·b of all lines are used; the line hits if that is
    below h.
    """
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    x = sympy.Symbol("x", positive=True)  # 1 − h: the line misses if a·b < x
    missed = sympy.integrate(1, (b, 0, 1), (a, 0, x)) + sympy.integrate(x / a, (a, x, 1))
    return 1 - sympy.expand(missed).subs(x, 1 - h)


def _checked(rule: str) -> str:
    if rule not in RULES:
        raise SpeLabError(f"rule must be one of {', '.join(RULES)}, got {rule!r}; name one of them")
    return rule


def _ours(kind: str) -> "sympy.Expr":
    import sympy

    n, r, m, s, room, lines, q = (symbol(name) for name in "nrmsKXq")
    h = sympy.Min(1, room / lines)
    again = n * q - lines  # visits of a line beyond its first, in one traversal
    some = sympy.Piecewise((1 - h, lines > room), (0, True))
    if kind == "s_trav":
        return lines
    if kind == "rs_trav uni":
        return sympy.Piecewise((lines, lines <= room), (r * lines, True))
    if kind == "rs_trav bi":
        return lines + (r - 1) * sympy.Max(0, lines - room)
    if kind == "r_trav":
        return lines + again * some
    if kind == "rr_trav":
        revisits = sympy.Piecewise((1 - revisit_hits(room / lines), lines > room), (0, True))
        return lines + r * again * some + (r - 1) * lines * revisits
    if kind == "rr_acc":
        p = q / lines
        full = sympy.log(1 - room / lines) / sympy.log(1 - p)  # visits until the level is full
        return sympy.Piecewise(
            (lines * (1 - (1 - p) ** r), sympy.Or(lines <= room, r <= full)),
            (room + (r - full) * q * (1 - room / lines), True),
        )
    if kind == "s_trav_cr":
        return lines * (1 - (1 - s) ** (n * q / lines))
    new = lines / (n * q)  # share of a cursor's moves that reach a new line
    if kind == "nest seq uni":
        return sympy.Piecewise((lines, m * q <= room), (n * q, True))
    if kind == "nest seq bi":
        return lines + again * sympy.Max(0, 1 - room / (m * q * (1 + new)))
    # ran: T moves use m·q·(1 − z) lines of different cursors, z = exp(−T/m), and one more for each further move to a
    # new line. The level is full at a·(1 − z) + b·T = K, solved by Lambert's W.
    a, b = m * q * (1 - new), q * new
    waited = (room - a) / b + m * sympy.LambertW(a / (b * m) * sympy.exp((a - room) / (b * m)))
    return lines + again * sympy.exp(-waited / m)


def _published(kind: str) -> "sympy.Expr":
    import sympy

    n, r, m, room, lines, q = (symbol(name) for name in "nrmKXq")
    once = lines + sympy.Max(0, n - lines) * sympy.Max(0, 1 - room / lines)
    if kind in ("s_trav", "rs_trav uni", "rs_trav bi", "s_trav_cr"):
        return _ours(kind)
    if kind == "r_trav":
        return once
    if kind == "rr_trav":
        return sympy.Piecewise((once, once <= room), (once + (r - 1) * (once - room**2 / once), True))
    if kind == "rr_acc":
        found = n * (1 - (1 - 1 / n) ** r)  # distinct items
        low, high = sympy.ceiling(found * lines / n), sympy.Min(found * q, lines)
        used = found / n * low + (1 - found / n) * high
        return sympy.Piecewise((used, used <= room), (used + (r - used) * (1 - room / used), True))
    fits = m * sympy.ceiling(q) <= room
    if kind == "nest ran":
        return sympy.Piecewise((lines, fits), (lines + sympy.Max(0, n - lines) * sympy.Max(0, 1 - room / m), True))
    if kind == "nest seq uni":
        return sympy.Piecewise((lines, fits), (n * q, True))
    return sympy.Piecewise((lines, fits), (sympy.Max(lines, n * q - (n / m - 1) * room), True))
