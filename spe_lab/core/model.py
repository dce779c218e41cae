"""A model: a sympy expression whose symbols have meaning, unit and domain, and its numeric version."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from spe_lab.core.errors import SpeLabError

if TYPE_CHECKING:
    import sympy


def symbol(name: str) -> "sympy.Symbol":
    """Return the positive real symbol of that name; the same name always gives the same symbol."""
    import sympy

    return sympy.Symbol(name, positive=True)


def stationary_row(matrix: "sympy.Matrix") -> list["sympy.Expr"]:
    """Solve π·M = π, Σπ = 1 exactly for the transition matrix M of a Markov chain; not simplified."""
    import sympy

    unknown = sympy.symbols(f"pi0:{matrix.rows}")
    row = sympy.Matrix([unknown])
    # One equation of π·M = π follows from the others; Σπ = 1 takes its place.
    equations = [*list(row * matrix - row)[:-1], sum(unknown) - 1]
    solved = sympy.solve(equations, unknown, dict=True, simplify=False)[0]
    return [solved[share] for share in unknown]


@dataclass(frozen=True)
class Quantity:
    """The meaning of a symbol. Values are non-negative numbers in `unit`."""

    meaning: str
    unit: str


@dataclass(frozen=True)
class Model:
    """The equation `name` = `expression`, in `unit`; `quantities` describes each symbol under its name.

    `source` cites the equation or its derivation. Calling a model with a value or an array for each symbol returns a
    numpy array. The first call compiles the expression (some ten milliseconds); later calls cost microseconds.
    """

    name: str
    expression: "sympy.Expr"
    unit: str
    quantities: Mapping[str, Quantity]
    source: str

    def __post_init__(self) -> None:
        undescribed = {symbol.name for symbol in self.expression.free_symbols} - set(self.quantities)
        if undescribed:
            raise SpeLabError(
                f"every symbol of a model needs a meaning and a unit, {', '.join(sorted(undescribed))} has none;"
                " describe it"
            )

    @cached_property
    def symbols(self) -> tuple["sympy.Symbol", ...]:
        return tuple(sorted(self.expression.free_symbols, key=lambda symbol: symbol.name))

    @cached_property
    def _numeric(self):
        import sympy

        # The module, not its name: for a name, sympy imports all of numpy, even f2py, which takes a tenth of a second.
        return sympy.lambdify(self.symbols, self.expression, modules=[np])

    def __call__(self, **values: Any) -> np.ndarray:
        missing = [symbol.name for symbol in self.symbols if symbol.name not in values]
        if missing:
            raise SpeLabError(f"{self.name} needs a value for {', '.join(missing)}; give one for each symbol")
        arrays = [np.asarray(values[symbol.name], dtype=float) for symbol in self.symbols]
        return np.broadcast_arrays(np.asarray(self._numeric(*arrays), dtype=float), *arrays)[0]

    def equation(self, **values: Any) -> "sympy.Eq":
        """Return the equation with these values substituted, for typesetting; without values, the formula.

        `values` may hold names that the model does not use, such as a lab's whole point.
        """
        import sympy

        known = {
            symbol: sympy.nsimplify(values[symbol.name], rational=True)
            for symbol in self.symbols
            if symbol.name in values
        }
        exact = self.expression.subs(known)
        if not known:
            return sympy.Eq(sympy.Symbol(self.name), exact)
        # Print fractions that came from decimals as decimals, and whole numbers as whole numbers.
        return sympy.Eq(
            sympy.Symbol(self.name),
            exact.xreplace({q: sympy.Float(q, 4) for q in exact.atoms(sympy.Rational) if not q.is_Integer}),
        )
