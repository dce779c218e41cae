"""A formula as a textbook prints it, held to what sympy derived."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spe_lab.core.errors import SpeLabError

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Formula:
    """A derived result in its usual form.

    - latex: the formula as a textbook prints it
    - written: the same formula as a sympy expression
    - derived: what the derivation gives; it must equal `written`

    sympy prints terms in its own order, such as −C/S + 1. A formula that differs from its derivation raises SpeLabError.
    """

    latex: str
    written: "sympy.Expr" = field(repr=False)
    derived: "sympy.Expr" = field(repr=False)

    def __post_init__(self) -> None:
        import sympy

        if sympy.simplify(self.written - self.derived) != 0:
            rule = f"a formula must equal its derivation, got {self.written} for {self.derived}"
            raise SpeLabError(f"{rule}; correct the formula")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        return str(self.written)
