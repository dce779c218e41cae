"""The chapter's formulas in the textbook's form, each checked against what the models derive."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from spe_lab.core.errors import SpeLabError
from spe_lab.core.formula import Formula
from spe_lab.core.model import symbol
from spe_lab.models.schedule import graham_bound
from spe_lab.topics.scaling import cost_models, models, parallelism

if TYPE_CHECKING:
    import sympy


class Written(NamedTuple):
    """The left side in LaTeX, the textbook's right side, and what a model derives for it."""

    left: str
    right: Callable[..., "sympy.Expr"]
    derived: Callable[[], "sympy.Expr"]


def _maximum(*terms: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.Max(*terms)


def _minimum(*terms: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.Min(*terms)


def _root(term: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.sqrt(term)


def _sum(*terms: "sympy.Expr") -> "sympy.Expr":
    """Return a sum that prints in this order and without brackets."""
    import sympy

    return sympy.Add(*terms, evaluate=False)


# The arguments of `right` are symbols of the same names.
FORMULAS = {
    "time": Written("T(N)", lambda P, N, T1: _sum((1 - P) * T1, P * T1 / N), lambda: models.time_of(symbol("N"))),
    "amdahl": Written("S(N)", lambda P, N: 1 / _sum(1 - P, P / N), lambda: models.amdahl_law().expression),
    "limit": Written(r"\lim_{N \to \infty} S(N)", lambda P: 1 / (1 - P), models.amdahl_limit),
    "half": Written(r"N_{1/2}", lambda P: P / (1 - P), lambda: models.threads_for(0.5)),
    "costs": Written(
        "S(N)",
        lambda P, T1, N, n, s, c, d, w: _sum(T1, w * d) / _sum((1 - P) * T1, P * T1 / n, w * d, s, c * (N - 1)),
        # For two threads or more: one thread needs no start.
        lambda: models.amdahl_with_costs().expression.subs(_start(), 1),
    ),
    "gustafson": Written("S(N)", lambda P, N: _sum(1 - P, P * N), lambda: models.gustafson_law().expression),
    "usl": Written(
        "C(N)",
        lambda N, sigma, kappa: N / _sum(1, sigma * (N - 1), kappa * N * (N - 1)),
        lambda: models.usl_law().expression,
    ),
    "usl_maximum": Written(
        r"N_{\max}", lambda sigma, kappa: _root((1 - sigma) / kappa), lambda: models.usl_maximum().expression
    ),
    "contention": Written(r"\sigma", lambda P: 1 - P, lambda: models.usl_of_thread_costs()[0]),
    "coherency": Written(r"\kappa", lambda c, T1: c / T1, lambda: models.usl_of_thread_costs()[1]),
    "element_time": Written(
        "t",
        lambda L, G, B, B_all, m, s, o, c, v, N, n: _sum(
            _maximum(_maximum(L / (c * v), G / v) / N, parallelism.BYTES * m / _minimum(N * B, B_all)), _sum(s, o) / n
        ),
        lambda: parallelism.element_time().expression,
    ),
    "threads_pay_from": Written("n", lambda o, N, t1: o / t1 * (N / (N - 1)), lambda: parallelism.threads_pay_from()),
    "graham": Written("T_N", lambda W, D, N: _sum(W / N, (1 - 1 / N) * D), graham_bound),
    "availability": Written("A", lambda F, H, R: F * H / _sum(F * H, R), cost_models.availability),
    "yearly_cost": Written(
        "K",
        lambda M, p, Y, u, A, w, E, e, H, r, F, v, m: _sum(
            M * _sum(p / Y, u, A * _sum(w * E * e * H / 10**6, r / F)), v * H * m / 1000
        ),
        lambda: cost_models.yearly_cost().expression,
    ),
    "shortfall": Written(
        "m", lambda A, sigma: 2 * (1 - A) * (1 - sigma * A) / (1 + sigma), lambda: cost_models.shortfall(2, 0)
    ),
    "break_even": Written("N", lambda Y, u, p, beta: _sum(1, Y * u / p) ** (1 / (beta - 1)), cost_models.break_even),
}


def _start() -> "sympy.Expr":
    import sympy

    return sympy.Min(1, symbol("N") - 1)


def formula(name: str, derived: "sympy.Expr | None" = None) -> Formula:
    """Return a formula in the textbook's form; raise SpeLabError unless it equals `derived`.

    `derived`: an expression that a reader derived; by default, the one of the chapter's models.
    """
    import sympy

    if name not in FORMULAS:
        raise SpeLabError(f"name must be one of {', '.join(FORMULAS)}, got {name!r}")
    left, right, model = FORMULAS[name]
    symbols = [symbol(each) for each in inspect.signature(right).parameters]
    with sympy.evaluate(False):
        written = right(*symbols)
    model_form = model()
    derived = model_form if derived is None else derived
    if derived == model_form and right(*symbols).doit() == model_form:
        derived = written  # printed in another order alone: there is nothing to simplify
    return Formula(f"{left} = {sympy.latex(written, order='none')}", written, derived)
