"""The formulas of this chapter, each derived from its definition with sympy.

Sources: J. Dean, L. A. Barroso, "The Tail at Scale", CACM 56(2), 2013 (fan-out, hedging); S. Halfin, W. Whitt, Oper.
Res. 29(3), 1981 (square-root staffing); L. A. Barroso, U. Hölzle, "The Case for Energy-Proportional Computing", IEEE
Computer 40(12), 2007 (linear power).
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.model import Model, Quantity, symbol

if TYPE_CHECKING:
    import sympy

SECONDS = 3600  # in an hour
QUANTITIES = {
    "n": Quantity("leaves that a request waits for", ""),
    "s": Quantity("share of leaf answers that are slow", ""),
    "p": Quantity("share of requests that must be fast", ""),
    "t": Quantity("time since the request was sent", "mean service times"),
    "d": Quantity("delay after which a request is sent again", "mean service times"),
    "rho": Quantity("load of each replica without copies", ""),
    "r": Quantity("load of each replica, copies included", ""),
    "delta": Quantity("spare servers: the mean number of idle servers", ""),
    "k": Quantity("time within which a request must be answered", "mean service times"),
    "beta": Quantity("spare servers, in square roots of the offered load", ""),
    "u": Quantity("load: share of the time that a server is busy", ""),
    "P_idle": Quantity("power of an idle server", "W"),
    "P_peak": Quantity("power of a server at full load", "W"),
    "S": Quantity("mean service time", "s"),
    "J": Quantity("energy objective", "J"),
    "a": Quantity("offered load: mean number of busy servers", ""),
    "m": Quantity("servers beyond the offered load", ""),
    "w": Quantity("time within which the service of a request must begin", "mean service times"),
    "C": Quantity("share of requests that wait (Erlang C)", ""),
    "q": Quantity("price of a server", "€/h"),
    "f": Quantity("price of a thousand late answers", "€"),
    "L": Quantity("share of answers that are late", ""),
}


def model(name: str, expression: "sympy.Expr", unit: str, source: str) -> Model:
    names = (free.name for free in expression.free_symbols)
    return Model(name, expression, unit, {name: QUANTITIES[name] for name in names}, source)


# ---- Fan-out


@cache
def slow_share() -> Model:
    """Return the share of requests that meet a slow leaf; leaves are independent."""
    n, s = symbol("n"), symbol("s")
    return model("slow", 1 - (1 - s) ** n, "", "independent leaves: F_max = Fⁿ")


@cache
def leaf_share() -> Model:
    """Return the share F of fast leaf answers that gives a share p of fast requests: Fⁿ = p."""
    import sympy

    fast, n, p = symbol("F"), symbol("n"), symbol("p")
    (solved,) = sympy.solve(sympy.Eq(sympy.log(fast) * n, sympy.log(p)), fast)
    return model("F", sympy.powsimp(solved), "", "Fⁿ = p")


@cache
def exponential_quantile() -> Model:
    """Return the time in which a share p of requests have all answers; leaves: exponential, mean 1."""
    import sympy

    t, fast = symbol("t"), sympy.Symbol("F", positive=True)
    (solved,) = sympy.solve(sympy.Eq(1 - sympy.exp(-t), fast), t)
    return model("t_p", solved.subs(fast, leaf_share().expression), "mean service times", "1 − e^(−t) = p^(1/n)")


def exponential_mean(leaves: "int | None" = None) -> "sympy.Expr":
    """Return the mean time until n exponential leaves of mean 1 have answered: the harmonic number Hₙ.

    E(max) = ∫ (1 − Fⁿ) dt, and with u = F(t) this is the integral of (1 − uⁿ)/(1 − u) = 1 + u + … + uⁿ⁻¹ from 0 to 1.

    >>> exponential_mean(3)
    11/6
    """
    import sympy

    u, i = symbol("u"), sympy.Symbol("i", integer=True, positive=True)
    n = sympy.Symbol("n", integer=True, positive=True) if leaves is None else sympy.Integer(leaves)
    return sympy.summation(sympy.integrate(u ** (i - 1), (u, 0, 1)), (i, 1, n))


# ---- Hedged requests


@cache
def queue_survival() -> Model:
    """Return the share of answers of one M/M/1 replica that take longer than t."""
    import sympy

    t, rho = symbol("t"), symbol("rho")
    return model("SF", sympy.exp(-(1 - rho) * t), "", "M/M/1: sojourn times are exponential with rate μ − λ")


@cache
def hedged_miss() -> Model:
    """Return the share of hedged requests that take longer than t ≥ d, at a load r of the replicas.

    Both the first request and its copy, which starts d later, must be unanswered at t.
    """
    import sympy

    t, d, r = symbol("t"), symbol("d"), symbol("r")
    survival = queue_survival().expression.subs(symbol("rho"), r)
    exponent = sympy.factor(sympy.log(survival) + sympy.log(survival.subs(t, t - d)))
    return model("miss", sympy.exp(exponent), "", "independent replicas: SF(t)·SF(t − d)")


@cache
def own_load() -> Model:
    """Return the load r' of requests and copies at a replica load r; in steady state r' = r."""
    rho, r, d, t = symbol("rho"), symbol("r"), symbol("d"), symbol("t")
    late = queue_survival().expression.subs({symbol("rho"): r, t: d})
    return model("r'", rho * (1 + late), "", "each request, and a copy of each that is not answered after d")


@cache
def most_load() -> "sympy.Expr":
    """Return the highest load ρ with a steady state, for d ≥ 2: there the curve r'(r) touches the line r.

    Below d = 2 it is 1/2.
    """
    import sympy

    r, rho, loop = symbol("r"), symbol("rho"), own_load().expression
    (touching,) = sympy.solve(sympy.Eq(sympy.diff(loop, r), 1), r)
    (load,) = sympy.solve(sympy.simplify((loop - r).subs(r, touching)), rho)
    return load


def load_with_copies(rho: np.ndarray, delay: float) -> np.ndarray:
    """Return the load r with copies, the smallest r' = r, by iteration from ρ; 1 if there is none."""
    r = np.array(rho, dtype=float)
    for _ in range(400):  # slow convergence where the lines touch, and there the steady state ends anyway
        r = np.minimum(own_load()(r=r, rho=rho, d=delay), 1.0)
    return np.where(np.abs(own_load()(r=r, rho=rho, d=delay) - r) < 1e-6, r, 1.0)


# ---- Spare servers


@cache
def large_pool_miss() -> Model:
    """Return the share of answers later than k service times in a large pool with δ spare servers.

    Every request waits for an exponential time with rate δ before its service; the sum of both is convolved.
    """
    import sympy

    k, delta, x = symbol("k"), symbol("delta"), symbol("x")
    sooner = sympy.integrate(delta * sympy.exp(-delta * x) * sympy.exp(-(k - x)), (x, 0, k), conds="none")
    shared = sympy.powsimp(sympy.expand(sympy.simplify((sympy.exp(-delta * k) + sooner) * (delta - 1))))
    return model("miss", shared / (delta - 1), "", "wait of rate δ, then service of rate 1")


@cache
def waiting_share() -> "sympy.Expr":
    """Return the share of requests that wait in a large pool with β√a spare servers.

    It is the limit of Erlang's C (Halfin and Whitt 1981), in the density φ and the distribution Φ of the normal.
    """
    import sympy

    beta, x = symbol("beta"), sympy.Symbol("x", real=True)
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    below = sympy.integrate(density, (x, -sympy.oo, beta))
    return 1 / (1 + beta * below / density.subs(x, beta))


# ---- Energy


@cache
def power() -> Model:
    """Return the power of a server at load u, on a straight line from idle to peak."""
    u, idle, peak = symbol("u"), symbol("P_idle"), symbol("P_peak")
    return model("P", idle + u * (peak - idle), "W", "assumed: a straight line, as in Barroso and Hölzle 2007")


@cache
def energy_per_request() -> Model:
    """Return the energy of a request; a server completes u/S requests per second."""
    import sympy

    u, service = symbol("u"), symbol("S")
    return model("E", sympy.expand(power().expression / (u / service)), "J", "power over throughput")


@cache
def least_load() -> Model:
    """Return the load from which on a request takes at most J: the energy solved for u."""
    import sympy

    (solved,) = sympy.solve(sympy.Eq(energy_per_request().expression, symbol("J")), symbol("u"))
    return model("u", sympy.simplify(solved), "", "E(u) = J")


@cache
def proportionality() -> "sympy.Expr":
    """Return EP = 2 − 2 ∫ P(u)/P_peak du over 0 … 1: 1 for proportional power, 0 for constant power."""
    import sympy

    u = symbol("u")
    return sympy.simplify(2 - 2 * sympy.integrate(power().expression / symbol("P_peak"), (u, 0, 1)))


@cache
def score(levels: int = 10) -> "sympy.Expr":
    """Return the SPECpower_ssj2008 score relative to full load: sum of loads over sum of powers.

    The loads fall from 1 in `levels` equal steps; the powers include idle.
    """
    import sympy

    u, curve = symbol("u"), power().expression
    loads = [sympy.Rational(i, levels) for i in range(1, levels + 1)]
    powers = sum(curve.subs(u, load) for load in loads) + symbol("P_idle")
    return sympy.simplify(sum(loads) * symbol("P_peak") / powers)


# ---- Money


@cache
def hourly_cost() -> Model:
    """Return the hourly cost of a + m servers and of late answers, for a/S requests per second."""
    a, m, price, fine, late, service = map(symbol, ("a", "m", "q", "f", "L", "S"))
    return model("cost", (a + m) * price + SECONDS * a / service * late * fine / 1000, "€/h", "servers and penalties")


@cache
def worth_a_server() -> Model:
    """Return the share of late answers that one more server must save to be worth its price."""
    import sympy

    m, late, saved = symbol("m"), symbol("L"), symbol("x")
    cost = hourly_cost().expression
    more = cost.subs({m: m + 1, late: late - saved}, simultaneous=True)
    (solved,) = sympy.solve(sympy.Eq(sympy.expand(more - cost), 0), saved)
    return model("saved", solved, "", "cost(m + 1) = cost(m)")
