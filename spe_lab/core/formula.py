"""A formula as a textbook prints it, held to what sympy derived."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError

if TYPE_CHECKING:
    import sympy

TRIED = 64  # places at which two forms are compared


@dataclass(frozen=True)
class Formula:
    """A derived result in its usual form.

    - latex: the formula as a textbook prints it
    - written: the same formula as a sympy expression
    - derived: what the derivation gives; it must equal `written`

    sympy prints terms in its own order, such as −C/S + 1. Raises SpeLabError for a formula that differs from its
    derivation.
    """

    latex: str
    written: "sympy.Expr" = field(repr=False)
    derived: "sympy.Expr" = field(repr=False)

    def __post_init__(self) -> None:
        if not equal(self.written, self.derived):
            rule = f"a formula must equal its derivation, got {self.written} for {self.derived}"
            raise SpeLabError(f"{rule}; correct the formula")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        return str(self.written)


def equal(a: "sympy.Expr", b: "sympy.Expr") -> bool:
    """Return True if two expressions in positive symbols are the same, or agree at TRIED seeded places.

    sympy cannot prove that two forms with cases are equal.
    """
    import sympy

    difference = a - b
    if difference == 0 or sympy.expand(difference) == 0:
        return True
    symbols = sorted(difference.free_symbols, key=str)
    places = 10 ** np.random.default_rng(1).uniform(-1, 1, (len(symbols), TRIED))
    one, other = (sympy.lambdify(symbols, form, modules=[np])(*places) for form in (a, b))
    return bool(np.allclose(one, other, rtol=1e-9))
