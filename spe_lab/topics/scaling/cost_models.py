"""Yearly cost of ownership of a throughput, from one big machine or many small ones.

The cost includes purchase, upkeep, power with cooling, repairs, and service lost while machines are down. Each machine
is a Markov chain with two states, up and down. The unit of throughput is one small machine.
Sources: lecture notes §5 (total cost of ownership, MTTF); L. A. Barroso, U. Hölzle, P. Ranganathan, The Datacenter as a
Computer, 3rd edition, 2018, chapter 6 (what belongs to the cost of ownership).
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.model import Model, Quantity
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.models import symbol

if TYPE_CHECKING:
    import sympy

HOURS = 8766  # in a year of 365.25 days
QUANTITIES = {
    "N": Quantity("small machines that share the work", ""),
    "sigma": Quantity("contention: share of the work that machines cannot do at the same time", ""),
    "p": Quantity("price of a machine", "k€"),
    "beta": Quantity("price exponent: a machine of x times the throughput costs x to this power", ""),
    "Y": Quantity("years that a machine is used", "years"),
    "u": Quantity("rack space, network, licences and maintenance of a machine of any size", "k€/year"),
    "w": Quantity("power that a machine draws", "W"),
    "E": Quantity("power usage effectiveness (PUE): power of the building over power of its machines", ""),
    "e": Quantity("price of electricity", "€/kWh"),
    "F": Quantity("mean time to failure (MTTF) of a machine", "years"),
    "R": Quantity("mean time to repair (MTTR): a machine is down so long after a failure", "h"),
    "r": Quantity("parts and labour of a repair", "k€"),
    "v": Quantity("value to the users of one small machine's throughput", "€/h"),
    "A": Quantity("availability: share of time that a machine is up", ""),
    "H": Quantity("hours in a year", "h"),
    "M": Quantity("machines owned, spares included", ""),
    "m": Quantity("mean missing throughput, in small machines", ""),
}


@cache
def availability() -> "sympy.Expr":
    """Return the share of time that a machine is up, solved from the balance of failures and repairs."""
    import sympy

    up, down, fails, repaired = symbol("up"), symbol("down"), symbol("F"), symbol("R")
    balance = [sympy.Eq(up / (fails * symbol("H")), down / repaired), sympy.Eq(up + down, 1)]
    return sympy.simplify(sympy.solve(balance, [up, down], dict=True)[0][up])


@cache
def throughput() -> Model:
    """Return the throughput of N machines, in machines: the universal law with kappa = 0."""
    return Model("X", models.usl_law().expression.subs(symbol("kappa"), 0), "", QUANTITIES, models.USL)


@cache
def yearly_cost() -> Model:
    """Return the total yearly cost of ownership of M equal machines, in k€.

    A machine is up for a share A of the time, draws power only then, and fails A / F times a year.
    """
    M, p, Y, u, w, E, e, F, r, v, A, H, m = (symbol(name) for name in "MpYuwEeFrvAHm")
    energy = w * E * e * H / 10**6  # W · h and €, in kWh and k€
    expression = M * (p / Y + u + A * (energy + r / F)) + v * H * m / 1000
    return Model("K", expression, "k€", QUANTITIES, "expenses plus lost revenue; lecture notes §5")


def shortfall(machines: int, spares: int) -> "sympy.Expr":
    """Return the exact mean missing throughput in the availability A and the contention sigma.

    The number k of machines that are up is binomial. The missing throughput is X(machines) − X(k), or 0 if that is
    negative.
    """
    import sympy

    a, x, n, fleet = symbol("A"), throughput().expression, symbol("N"), machines + spares
    # At k = 0 the expression is 0: no machine, no throughput.
    terms = (
        sympy.binomial(fleet, k) * a**k * (1 - a) ** (fleet - k) * (x.subs(n, machines) - x.subs(n, k))
        for k in range(machines)
    )
    return sympy.factor(sum(terms, sympy.Integer(0)))


def missing(fleet: int, enough: float, sigma: float) -> np.ndarray:
    """Return the throughput missing to that of `enough` machines, for 0 … fleet machines up.

    >>> missing(3, 2, 0.0).tolist()
    [2.0, 1.0, 0.0, 0.0]
    """
    x = throughput()
    return np.maximum(0, x(N=enough, sigma=sigma) - x(N=np.arange(fleet + 1), sigma=sigma))


def mean_missing(machines: np.ndarray, spares: int, up: float, sigma: float) -> np.ndarray:
    """Return `shortfall` as numbers; linear between whole numbers of machines, for drawing."""
    from scipy.special import gammaln, xlog1py, xlogy

    whole = np.unique([np.floor(machines), np.ceil(machines)])
    n = whole[:, None]
    k, fleet = np.arange(n.max()), n + spares
    counted = gammaln(fleet + 1) - gammaln(k + 1) - gammaln(np.maximum(fleet - k, 0) + 1)
    probability = np.exp(counted + xlogy(k, up) + xlog1py(np.maximum(fleet - k, 0), -up))
    x = throughput()
    short = x(N=n, sigma=sigma) - x(N=k, sigma=sigma)
    return np.interp(machines, whole, np.where(k < n, probability * short, 0.0).sum(axis=1))


@cache
def break_even() -> "sympy.Expr":
    """Return the N above which small machines cost less than a big one, without failures and contention.

    N machines cost N · (p/Y + u), a big one N^beta · p/Y + u; the energy is the same. The upkeep of the big machine is
    neglected, since it is small beside the price for large N.
    """
    import sympy

    N, p, Y, u, excess = (symbol(name) for name in ("N", "p", "Y", "u", "excess"))
    many, one = N * (p / Y + u), N ** (1 + excess) * p / Y
    (found,) = sympy.solve(sympy.Eq(one / N, many / N), N)
    return sympy.simplify(found).subs(excess, symbol("beta") - 1)
