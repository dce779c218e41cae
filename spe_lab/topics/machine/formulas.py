"""The chapter's formula in the form of a textbook, held to its derivation."""

from spe_lab.core.formula import Formula


def penalty() -> Formula:
    """Return the branch penalty, solved for from the times of three loops."""
    import sympy

    base, work, penalty_, none, all_, half = sympy.symbols("b w P t_0 t_1 t_h")
    turns = [sympy.Eq(none, base), sympy.Eq(all_, base + work), sympy.Eq(half, base + work / 2 + penalty_ / 2)]
    derived = sympy.solve(turns, [base, work, penalty_], dict=True)[0][penalty_]
    written = 2 * (half - (none + all_) / 2)
    return Formula(r"P = 2\left(t_{1/2} - \frac{t_0 + t_1}{2}\right)", written, derived)
