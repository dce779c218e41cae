"""A formula as a textbook prints it, held to what sympy derived."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import symbol
from spe_lab.core.text import Text

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


class Textbook(NamedTuple):
    """An entry of a topic's table of formulas, see `typeset`.

    - `form`: in LaTeX
    - `textbook`: the same as an expression of the symbols that it is given by name
    - `derived`: the expression that a model derives
    """

    form: str
    textbook: Callable[..., "sympy.Expr"]
    derived: Callable[[], "sympy.Expr"]


def identical(one: "sympy.Expr", other: "sympy.Expr") -> bool:
    """Return True if sympy shows that the difference is 0."""
    import sympy

    return bool(sympy.simplify(sympy.expand(one - other)) == 0)


def typeset(
    formulas: Mapping[str, Textbook], name: str, same: Callable[["sympy.Expr", "sympy.Expr"], bool] = identical
) -> Text:
    """Return a formula of a table in its textbook form, after a check that it is the `same` as the derived one."""
    if not isinstance(name, str) or name not in formulas:
        raise SpeLabError(f"name must be one of {', '.join(formulas)}, got {name!r:.80}; choose one")
    return _checked(name, formulas[name], same)


@cache
def _checked(name: str, entry: Textbook, same: Callable[["sympy.Expr", "sympy.Expr"], bool]) -> Text:
    found = entry.derived()
    given = entry.textbook(**{free.name: symbol(free.name) for free in found.free_symbols})
    if not same(found, given):
        raise SpeLabError(f"the formula for {name} must equal the derived one, got {given} and {found}; correct one")
    return Text(f"$${entry.form}$$")
