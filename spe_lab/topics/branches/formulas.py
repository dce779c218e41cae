"""The chapter's results in the form of a textbook, each held to its derivation."""

from spe_lab.core.formula import Formula
from spe_lab.models import predictor as models


def two_bit_counter() -> Formula:
    """Return the misprediction rate of four states: pq / (1 − 2pq) with q = 1 − p."""
    p = models.symbol("p")
    q = 1 - p
    return Formula(r"m_4 = \frac{p\,q}{1 - 2\,p\,q}, \quad q = 1 - p", p * q / (1 - 2 * p * q), models.misprediction(4))


def even_counter() -> Formula:
    """Return the misprediction rate of 2k states."""
    import sympy

    p, q = sympy.symbols("p q", positive=True)
    k = sympy.Symbol("k", positive=True, integer=True)
    written = p * q * (p ** (k - 1) + q ** (k - 1)) / (p**k + q**k)
    return Formula(r"m_{2k} = p\,q\;\frac{p^{k-1} + q^{k-1}}{p^k + q^k}", written, models.even_form())


def many_states() -> Formula:
    """Return the limit of the rate for ever more states, for p < q."""
    import sympy

    p = sympy.Symbol("p", positive=True)
    return Formula(r"\lim_{k \to \infty} m_{2k} = p \quad (p < q)", p, models.limit_of_many_states())


def time_of_an_element() -> Formula:
    """Return the time of an element with a branch."""
    p, m, P, t0, t1 = (models.symbol(name) for name in ("p", "m", "P", "t0", "t1"))
    return Formula(r"T = (1 - p)\,t_0 + p\,t_1 + m\,P", (1 - p) * t0 + p * t1 + m * P, models.element_time().expression)


def branch_pays_below() -> Formula:
    """Return the share below which a branch is faster than a loop that takes c, with the ideal predictor."""
    c, P, t0, t1 = (models.symbol(name) for name in ("c", "P", "t0", "t1"))
    return Formula(r"p_1 = \frac{c - t_0}{P + t_1 - t_0}", (c - t0) / (P + t1 - t0), models.crossovers()[0])


def branch_pays_above() -> Formula:
    """Return the share above which a branch is faster again."""
    c, P, t0, t1 = (models.symbol(name) for name in ("c", "P", "t0", "t1"))
    return Formula(r"p_2 = 1 - \frac{c - t_1}{P + t_0 - t_1}", 1 - (c - t1) / (P + t0 - t1), models.crossovers()[1])
