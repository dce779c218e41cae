"""Models: a symbol each with a meaning, the numeric twin against exact substitution, and what is typeset."""

import itertools
import math

import pytest
import sympy

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity

S, C, L = sympy.symbols("S C L", positive=True)
QUANTITIES = {
    "S": Quantity("working set", "B"),
    "C": Quantity("capacity", "B"),
    "L": Quantity("latency", "ns"),
    "unused": Quantity("not in here", ""),
}


@pytest.fixture
def ramp():
    return Model("T", L * sympy.Max(0, 1 - C / S), "ns", QUANTITIES, "a test")


def test_the_numeric_twin_agrees_with_exact_substitution(ramp):
    for size, capacity, latency in itertools.product((1, 7, 1000), (3, 7), (0.5, 80)):
        exact = ramp.expression.subs({S: size, C: capacity, L: sympy.Rational(latency)})
        assert ramp(S=size, C=capacity, L=latency) == pytest.approx(float(exact), rel=1e-14, abs=0)


def test_arrays_are_taken_element_by_element_and_broadcast(ramp):
    grid = ramp(S=[[10, 20, 40]], C=[[5], [10]], L=2)
    assert grid.tolist() == [[2 * max(0, 1 - c / s) for s in (10, 20, 40)] for c in (5, 10)]


def test_a_model_without_symbols_is_a_number():
    assert Model("T", sympy.Integer(3), "ns", {}, "a test")() == 3


def test_a_symbol_without_a_meaning_is_refused():
    with pytest.raises(SpeLabError, match="every symbol of a model needs a meaning and a unit, x, y has none"):
        Model("T", S + sympy.Symbol("x") + sympy.Symbol("y"), "ns", QUANTITIES, "a test")


def test_a_missing_value_is_named(ramp):
    with pytest.raises(SpeLabError, match="T needs a value for C, L; give one for each symbol"):
        ramp(S=1)


def test_an_exponent_of_one_half_stays_a_root():
    root = Model("T", sympy.sqrt(C) / 3, "ns", QUANTITIES, "a test")
    assert root.equation().rhs == root.expression


def test_the_equation_without_values_is_the_formula(ramp):
    assert ramp.equation() == sympy.Eq(sympy.Symbol("T"), ramp.expression)


def test_the_equation_with_values_is_their_substitution_and_takes_a_whole_point(ramp):
    shown = ramp.equation(C=4096, L=1.3, pages="4K", size=8)
    assert shown.rhs.free_symbols == {S}
    assert float(shown.rhs.subs(S, 8192)) == pytest.approx(0.65, rel=1e-4)  # decimals are shown with four digits
    assert ramp.equation(S=8192, C=4096, L=2) == sympy.Eq(sympy.Symbol("T"), 1)


def test_decimals_are_typeset_as_decimals_and_whole_numbers_as_whole(ramp):
    latex = sympy.latex(ramp.equation(C=4096, L=1.3).rhs)
    assert "1.3" in latex and "4096" in latex and "frac{13}" not in latex


def test_the_first_call_compiles_and_later_ones_do_not(ramp, monkeypatch):
    ramp(S=1, C=1, L=1)
    monkeypatch.setattr(sympy, "lambdify", lambda *_, **__: pytest.fail("compiled again"))
    assert math.isfinite(ramp(S=2, C=1, L=1))
