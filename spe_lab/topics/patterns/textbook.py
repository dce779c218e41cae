"""The chapter's formulas in the form of a textbook, each checked against the form that the models use."""

import numpy as np

from spe_lab.core.formula import Formula
from spe_lab.core.model import symbol
from spe_lab.models.patterns import formulas
from spe_lab.models.patterns.algebra import Region, rr_acc, s_trav


def lines_of_a_visit() -> Formula:
    """Return q, the mean number of lines that a visit touches."""
    import sympy

    u, g, line = symbol("u"), symbol("g"), symbol("B")
    written = 1 + (g / line) * sympy.floor((u - 1) / g)
    latex = r"q = 1 + \frac{g}{B} \left\lfloor \frac{u - 1}{g} \right\rfloor"
    return Formula(latex, written, formulas.lines_per_visit())


def lines_of_a_traversal() -> Formula:
    """Return X, the number of lines that a traversal touches."""
    import sympy

    n, w, u, line = (symbol(name) for name in "nwuB")
    no_gap = sympy.ceiling(((n - 1) * w + u) / line)
    written = sympy.Piecewise((no_gap, w - u < line), (n * lines_of_a_visit().written, True))
    latex = _cases(
        "X", (r"\lceil ((n - 1)\,w + u) / B \rceil", "w - u < B"), (r"n\,q", r"w - u \ge B \text{ (gaps hide lines)}")
    )
    return Formula(latex, written, formulas.lines_touched())


def random_traversal() -> Formula:
    """Return the misses of r_trav, from the window in which a level fills (steps 1 to 4 of the chapter)."""
    import sympy

    n, q, lines, room = (symbol(name) for name in "nqXK")
    unmet = sympy.Symbol("z", positive=True)  # (1 − t)^k: a line, and so a share z of all lines, was not met in t
    (missed,) = sympy.solve(sympy.Eq(lines * (1 - unmet), room), unmet)  # the probability of a longer window, too
    written = lines + (n * q - lines) * sympy.Piecewise((missed, lines > room), (0, True))
    fits, fits_not = ("X", r"X \le K"), (r"X + (n\,q - X)\left(1 - \frac{K}{X}\right)", "X > K")
    return Formula(_cases(r"M_{\mathrm{r\_trav}}", fits, fits_not), written, formulas.misses("r_trav"))


def revisits() -> Formula:
    """Return H(h), the share of the lines that the next random traversal still finds."""
    import sympy

    h = symbol("h")
    written = h + (1 - h) * sympy.log(1 - h)
    return Formula(r"H(h) = h + (1 - h)\,\ln(1 - h)", written, formulas.revisit_hits(h))


def random_accesses() -> Formula:
    """Return the misses of rr_acc."""
    import sympy

    r, room, lines, q = (symbol(name) for name in "rKXq")
    full = sympy.log(1 - room / lines) / sympy.log(1 - q / lines)
    early, late = lines * (1 - (1 - q / lines) ** r), room + (r - full) * q * (1 - room / lines)
    written = sympy.Piecewise((early, sympy.Or(lines <= room, r <= full)), (late, True))
    latex = _cases(
        r"M_{\mathrm{rr\_acc}}",
        (r"X \left(1 - \left(1 - \frac{q}{X}\right)^{r}\right)", r"X \le K \text{ or } r \le r_K"),
        (r"K + (r - r_K)\,q \left(1 - \frac{K}{X}\right)", r"\text{otherwise}"),
    )
    where = r"r_K = \frac{\ln(1 - K/X)}{\ln(1 - q/X)}"
    return Formula(rf"{latex} \qquad {where}", written, formulas.misses("rr_acc"))


def example_misses() -> Formula:
    """Return the misses of the chapter's example, a sweep and random look-ups, each alone in K lines of 64 bytes."""
    import sympy

    room = symbol("K")
    full = sympy.log(1 - room / 4) / sympy.log(sympy.Rational(3, 4))
    late = 64 + room + (1024 - full) * (1 - room / 4)
    written = sympy.Piecewise((sympy.Integer(68), sympy.Or(room >= 4, full >= 1024)), (late, True))
    example = s_trav(Region(1024, 4)) * rr_acc(Region(64, 4), r=1024)
    with np.errstate(all="ignore"):  # both cases are computed for each K
        return Formula(
            _cases(
                "M",
                (r"64 + 4", r"K \ge 4"),
                (r"64 + K + (1024 - r_K)\left(1 - \frac{K}{4}\right)", r"K < 4"),
            )
            + r" \qquad r_K = \frac{\ln(1 - K/4)}{\ln(3/4)}",
            written,
            formulas.alone(example, 64),
        )


def most_random_misses() -> Formula:
    """Return the share at which a conditional traversal has most random misses: where P(1 − P) is largest."""
    import sympy

    k, touched = symbol("k"), sympy.Symbol("P", positive=True)
    (half,) = sympy.solve(sympy.diff(touched * (1 - touched), touched), touched)
    return Formula("s = 1 - 2^{-1/k}", 1 - 2 ** (-1 / k), 1 - (1 - half) ** (1 / k))


def _cases(left: str, *cases: tuple[str, str]) -> str:
    rows = r" \\ ".join(rf"{value} & {condition}" for value, condition in cases)
    return rf"{left} = \begin{{cases}} {rows} \end{{cases}}"
