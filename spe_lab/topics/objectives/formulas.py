"""The chapter's formulas in the form of the textbooks, each compared with the derived one before it is shown."""

from typing import TYPE_CHECKING

from spe_lab.core.formula import Textbook, typeset
from spe_lab.core.model import symbol
from spe_lab.core.text import Text
from spe_lab.topics.objectives import models

if TYPE_CHECKING:
    import sympy


def _exp(value: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.exp(value)


def _quantile(n: "sympy.Expr", p: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return -sympy.log(1 - p ** (1 / n))


def _harmonic(n: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.harmonic(n)


def _mean() -> "sympy.Expr":
    found = models.exponential_mean()
    return found.xreplace({free: symbol(free.name) for free in found.free_symbols})


def _lambert(d: "sympy.Expr") -> "sympy.Expr":
    import sympy

    return sympy.LambertW(sympy.exp(d - 1)) / d


def _halfin_whitt(beta: "sympy.Expr") -> "sympy.Expr":
    import sympy

    below = (1 + sympy.erf(beta / sympy.sqrt(2))) / 2
    density = sympy.exp(-(beta**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return 1 / (1 + beta * below / density)


def _waiting_share() -> "sympy.Expr":
    import sympy

    return models.waiting_share().rewrite(sympy.erf)


FORMULAS = {
    "a slow leaf": Textbook(
        r"P(\text{some leaf is slow}) = 1 - (1 - s)^n",
        lambda n, s: 1 - (1 - s) ** n,
        lambda: models.slow_share().expression,
    ),
    "percentile of a fan-out": Textbook(
        r"t_p = -\ln\left(1 - p^{1/n}\right)", _quantile, lambda: models.exponential_quantile().expression
    ),
    "mean of a fan-out": Textbook(r"E(T_{\max}) = \sum_{i=1}^{n} \frac{1}{i} = H_n", _harmonic, _mean),
    "late with a copy": Textbook(
        r"P(T > t) = e^{-(1 - r)\,t} \cdot e^{-(1 - r)(t - d)} = e^{-(1 - r)(2t - d)}",
        lambda r, t, d: _exp(-(1 - r) * (2 * t - d)),
        lambda: models.hedged_miss().expression,
    ),
    "load with copies": Textbook(
        r"r' = \rho\,\left(1 + e^{-(1 - r)\,d}\right)",
        lambda rho, r, d: rho * (1 + _exp(-(1 - r) * d)),
        lambda: models.own_load().expression,
    ),
    "highest load with copies": Textbook(
        r"\rho_{\max} = \frac{W\!\left(e^{\,d - 1}\right)}{d} \qquad (d \ge 2)", _lambert, models.most_load
    ),
    "late in a large pool": Textbook(
        r"P(T > k) = \frac{\delta\,e^{-k} - e^{-\delta k}}{\delta - 1}",
        lambda delta, k: (delta * _exp(-k) - _exp(-delta * k)) / (delta - 1),
        lambda: models.large_pool_miss().expression,
    ),
    "waiting in a large pool": Textbook(
        r"P(\text{wait}) = \left[1 + \frac{\beta\,\Phi(\beta)}{\varphi(\beta)}\right]^{-1}",
        _halfin_whitt,
        _waiting_share,
    ),
    "power": Textbook(
        r"P(u) = P_{\text{idle}} + u\,(P_{\text{peak}} - P_{\text{idle}})",
        lambda u, P_idle, P_peak: P_idle + u * (P_peak - P_idle),
        lambda: models.power().expression,
    ),
    "energy of a request": Textbook(
        r"E(u) = \frac{P(u)}{u / S} = S\,\left(\frac{P_{\text{idle}}}{u} + P_{\text{peak}} - P_{\text{idle}}\right)",
        lambda u, S, P_idle, P_peak: S * (P_idle / u + P_peak - P_idle),
        lambda: models.energy_per_request().expression,
    ),
    "load for an energy": Textbook(
        r"u = \frac{P_{\text{idle}}}{J / S - (P_{\text{peak}} - P_{\text{idle}})}",
        lambda J, S, P_idle, P_peak: P_idle / (J / S - (P_peak - P_idle)),
        lambda: models.least_load().expression,
    ),
    "energy proportionality": Textbook(
        r"\mathit{EP} = 2 - 2 \int_0^1 \frac{P(u)}{P_{\text{peak}}}\,\mathrm{d}u"
        r" = 1 - \frac{P_{\text{idle}}}{P_{\text{peak}}}",
        lambda P_idle, P_peak: 1 - P_idle / P_peak,
        models.proportionality,
    ),
    "score": Textbook(
        r"\frac{\text{score}}{\text{score at full load}} = \frac{P_{\text{peak}}}{P_{\text{peak}} + P_{\text{idle}}}",
        lambda P_idle, P_peak: P_peak / (P_peak + P_idle),
        models.score,
    ),
    "hourly cost": Textbook(
        r"K = q\,(a + m) + 3600 \cdot \frac{a}{S} \cdot L \cdot \frac{f}{1000}",
        lambda q, a, m, S, L, f: q * (a + m) + models.SECONDS * a / S * L * f / 1000,
        lambda: models.hourly_cost().expression,
    ),
    "worth a server": Textbook(
        r"\Delta L > \frac{1000\,q\,S}{3600\,a\,f}",
        lambda q, S, a, f: 1000 * q * S / (models.SECONDS * a * f),
        lambda: models.worth_a_server().expression,
    ),
}


def _equal(one: "sympy.Expr", other: "sympy.Expr") -> bool:
    """Return True if sympy shows that the difference is 0, or e to its power 1: it leaves sums of logarithms alone."""
    import sympy

    difference = sympy.expand(one - other)
    return bool(sympy.simplify(difference) == 0 or sympy.simplify(sympy.exp(one - other)) == 1)


def formula(name: str) -> Text:
    """Return a formula typeset as in the textbooks, after a check that it equals the derived one.

    >>> formula("a slow leaf")
    $$P(\\text{some leaf is slow}) = 1 - (1 - s)^n$$
    """
    return typeset(FORMULAS, name, _equal)
