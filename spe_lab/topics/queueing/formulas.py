"""The chapter's formulas in the form of the textbooks, each compared with the derived one before it is shown."""

from typing import TYPE_CHECKING

from spe_lab.core.formula import Textbook, typeset
from spe_lab.core.model import symbol
from spe_lab.core.text import Text
from spe_lab.models.queues import birth_death, general
from spe_lab.topics.queueing import models

if TYPE_CHECKING:
    import sympy


def _exp(value: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.exp(value)


FORMULAS = {
    "Erlang C of two servers": Textbook(
        r"C = \frac{a^2}{2 + a}", lambda a: a**2 / (2 + a), lambda: birth_death.waits(2)
    ),
    "sojourn in M/M/c": Textbook(
        r"P(T > t) = (1 - C)\,e^{-\mu t} + C\,\frac{d\,e^{-\mu t} - \mu\,e^{-d t}}{d - \mu}",
        lambda C, mu, d, t: (1 - C) * _exp(-mu * t) + C * (d * _exp(-mu * t) - mu * _exp(-d * t)) / (d - mu),
        lambda: birth_death.sojourn_tail_model().expression,
    ),
    "Pollaczek–Khinchine": Textbook(
        r"E(W_q) = \frac{\rho}{1 - \rho} \cdot \frac{1 + C_s^2}{2} \cdot E(S)",
        lambda rho, Cs2, S: rho / (1 - rho) * (1 + Cs2) / 2 * S,
        lambda: general.pollaczek_khinchine().expression.subs(symbol("lambda"), symbol("rho") / symbol("S")),
    ),
    "random split": Textbook(
        r"E(z^N) = e^{-\frac{\lambda}{c} t\,(1 - z)}",
        lambda c, t, z, **rate: _exp(-rate["lambda"] / c * t * (1 - z)),
        models.thinned,
    ),
    "three jobs under PS": Textbook(
        r"P(N = 3) = (1 - \rho)\,\rho^3", lambda rho: (1 - rho) * rho**3, lambda: models.sharing_jobs(3)
    ),
    "sojourn under PS": Textbook(
        r"E(T \mid S = x) = \frac{x}{1 - \rho}",
        lambda rho, x: x / (1 - rho),
        lambda: models.sharing_mean().expression,
    ),
    "change of s₂": Textbook(
        r"\frac{\mathrm{d} s_2}{\mathrm{d} t} = \rho\,(s_1^d - s_2^d) - (s_2 - s_3)",
        lambda rho, d, s_1, s_2, s_3: rho * (s_1**d - s_2**d) - (s_2 - s_3),
        lambda: models.drift(2),
    ),
    "shortest of d": Textbook(
        r"s_i = \rho^{\frac{d^i - 1}{d - 1}}",
        lambda rho, d, i: rho ** ((d**i - 1) / (d - 1)),
        lambda: models.supermarket().expression,
    ),
    "behind a long job": Textbook(
        r"P(R > t) = \rho\,p\,(L - t)",
        lambda rho, p, L, t: rho * p * (L - t),
        lambda: models.behind_a_long_job().expression,
    ),
}


def formula(name: str) -> Text:
    """Return a formula typeset as in the textbooks, after a check that it equals the derived one.

    >>> formula("three jobs under PS")
    $$P(N = 3) = (1 - \\rho)\\,\\rho^3$$
    """
    return typeset(FORMULAS, name)
