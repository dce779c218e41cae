"""Misses of each basic pattern at one level, as sympy expressions: what is published, and what is exact under LRU.

A level has lines of B bytes and room for K of them. A pattern visits items of width w in a region of n, and touches u
bytes of each. Two quantities carry all formulas: q, the lines that one visit touches on average, and X, the lines of
the region that a traversal touches at all; h = min(1, K/X) is the share of them that fits.

"published" are the rules of Manegold, Boncz, Kersten, VLDB 2002, *as they are usually retold*: we have the patterns and
the structure from the paper, and the formulas at second hand. "ours" assume full associativity and LRU, and are exact
in expectation for many lines: they follow from stack distances (see `uses`, which evaluates the same without a closed
form).
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
_READABLE = 10**9  # larger numerators and denominators, such as those of (3/4)^1024, are printed as decimals
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
    """q. A visit of u bytes that begins j bytes into a line touches 1 + ⌊(j + u − 1)/B⌋ lines.

    Averaged over all j it is the notes' 1 + (u − 1)/B. Items of a region that begins on a line begin at multiples of g
    = gcd(w, B) only, and the average over those (Hermite's identity) is 1 + g·⌊(u − 1)/g⌋/B. With g = 1 the two agree.
    """
    import sympy

    u, g, line = symbol("u"), symbol("g"), symbol("B")
    return 1 + (u - 1) / line if _checked(rule) == "published" else 1 + g * sympy.floor((u - 1) / g) / line


def lines_touched(rule: str = "ours") -> "sympy.Expr":
    """X: every line from the first item to the last, unless the gaps between the items hide whole lines."""
    import sympy

    n, w, u, line = (symbol(name) for name in "nwuB")
    covered = n * w if _checked(rule) == "published" else (n - 1) * w + u
    return sympy.Piecewise((sympy.ceiling(covered / line), w - u < line), (n * lines_per_visit(rule), True))


def misses(kind: str, rule: str = "ours") -> "sympy.Expr":
    """Misses of a basic pattern in n, r, m, s, K and in X and q, for which `lines_touched` and
    `lines_per_visit` stand.
    """
    if kind not in KINDS:
        raise SpeLabError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}; name one of them")
    return (_ours if _checked(rule) == "ours" else _published)(kind)


@cache
def model(kind: str, rule: str = "ours") -> Model:
    """`misses` as a function of X and q too, for which `geometry` gives numbers."""
    source = "derived from LRU stack distances" if rule == "ours" else "Manegold, Boncz, Kersten 2002, as retold"
    return Model("M", misses(kind, rule), "", QUANTITIES, source)


@cache
def geometry(rule: str = "ours") -> tuple[Model, Model]:
    """(X, q) as functions of the region, u and the line."""
    source = "lecture notes §3.4; ours: the grain g" if rule == "ours" else "lecture notes §3.4"
    return Model("X", lines_touched(rule), "", QUANTITIES, source), Model(
        "q", lines_per_visit(rule), "", QUANTITIES, source
    )


def kind_of(pattern: Basic) -> str:
    """The pattern's name among KINDS."""
    words = [type(pattern).__name__, *(getattr(pattern, name, "") for name in ("o", "d"))]
    return " ".join(words[:2] if words[1] == "ran" else [word for word in words if word])


def shape(pattern: Basic, line: int, rule: str = "ours") -> tuple[float, float]:
    """(X, q) of a pattern as numbers."""
    values = _values(pattern, line)
    lines, per_visit = geometry(rule)
    return float(lines(**values)), float(per_visit(**values))


def evaluate(pattern: Basic, line: int, room: np.ndarray | float, rule: str = "ours") -> np.ndarray:
    """Misses of a basic pattern by the closed form, for levels that hold so many lines of `line` bytes."""
    lines, per_visit = shape(pattern, line, rule)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # branches of a Piecewise that are not taken
        return model(kind_of(pattern), rule)(**_values(pattern, line), K=room, X=lines, q=per_visit)


def alone(pattern: Pattern, line: int, rule: str = "ours") -> "sympy.Expr":
    """The closed forms of an expression's basic patterns, each alone in a level of K lines of
    `line` bytes, added up.
    """
    import sympy

    total = sympy.Integer(0)
    for basic in pattern.basics():
        lines, per_visit = (sympy.nsimplify(number, rational=True) for number in shape(basic, line, rule))
        known = {symbol(name): sympy.nsimplify(value, rational=True) for name, value in _values(basic, line).items()}
        total += misses(kind_of(basic), rule).subs(known | {symbol("X"): lines, symbol("q"): per_visit})
    return sympy.sympify(total).xreplace(
        {q: sympy.Float(q, 6) for q in total.atoms(sympy.Rational) if max(abs(q.p), q.q) > _READABLE}
    )


def order(pattern: Basic, line: int, rule: str = "ours") -> float:
    """The share of a pattern's misses that come in the order of their addresses."""
    lines, per_visit = shape(pattern, line, rule)
    return float(share_model(kind_of(pattern))(**_values(pattern, line), X=lines, q=per_visit))


def _values(pattern: Basic, line: int) -> dict[str, float]:
    region = pattern.region
    known = {"n": region.n, "w": region.w, "u": pattern.u, "g": math.gcd(region.w, line), "B": line}
    return known | {name: getattr(pattern, name, 1) for name in "rms"}


def sequential_share(kind: str) -> "sympy.Expr":
    """The share of the misses whose line follows the one before: these a prefetcher sees coming.

    All or none, but for the conditional traversal, where a line with a selected item (probability P) follows another
    such line with probability P: of all lines P² are sequential misses and P(1 − P) random ones.
    """
    import sympy

    if kind == "s_trav_cr":
        return touched_share()
    return sympy.Integer(kind.startswith(("s_trav", "rs_trav")))


@cache
def share_model(kind: str) -> Model:
    return Model("share", sequential_share(kind), "", QUANTITIES, "Pirk et al. 2013")


def touched_share() -> "sympy.Expr":
    """P: of the n·q/X items that a line holds, at least one is selected."""
    n, q, lines, s = (symbol(name) for name in "nqXs")
    return 1 - (1 - s) ** (n * q / lines)


def revisit_hits(h: "sympy.Expr") -> "sympy.Expr":
    """H(h): hits among the first visits of each further random traversal, as a share of the lines.

    A line was last met when a share a of all lines was still to be met for the last time, and is met again when b are
    still unmet; a and b are independent and uniform. In between 1 − a·b of all lines are used: it hits if that is below
    h.
    """
    import sympy

    a, b = sympy.symbols("a b", positive=True)
    x = sympy.Symbol("x", positive=True)  # 1 − h: it misses if a·b < x
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
    new = lines / (n * q)  # share of a cursor's moves that come to a new line
    if kind == "nest seq uni":
        return sympy.Piecewise((lines, m * q <= room), (n * q, True))
    if kind == "nest seq bi":
        return lines + again * sympy.Max(0, 1 - room / (m * q * (1 + new)))
    # ran: m·q·(1 − z) lines of different cursors, and one more for each further move to a new line, fill the level
    # after T moves, z = exp(−T/m). a·(1 − z) + b·T = K is solved by Lambert's W.
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
