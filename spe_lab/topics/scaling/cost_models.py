"""What it costs to own a throughput for a year: one big machine, or many small ones.

Purchase, upkeep, power with its cooling, repairs, and the service that is lost while machines are down. Failures follow
from a Markov chain with two states for each machine, up and down. Throughput is counted in small machines.
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
    "u": Quantity("rack space, network, licences and care of a machine, whatever its size", "k€/year"),
    "w": Quantity("power that a machine draws", "W"),
    "E": Quantity(
        "power usage effectiveness: power of the building over power of its machines; the rest is cooling", ""
    ),
    "e": Quantity("price of electricity", "€/kWh"),
    "F": Quantity("mean time to failure (MTTF) of a machine", "years"),
    "R": Quantity("mean time to repair (MTTR), in which a machine is down", "h"),
    "r": Quantity("parts and labour of a repair", "k€"),
    "v": Quantity("what an hour of one small machine's throughput is worth to its users", "€/h"),
    "A": Quantity("availability: share of time that a machine is up", ""),
    "H": Quantity("hours in a year", "h"),
    "M": Quantity("machines that are owned, spares among them", ""),
    "m": Quantity("throughput that is missing on average, in small machines", ""),
}


@cache
def availability() -> "sympy.Expr":
    """The share of time that a machine is up, solved from its chain: as many failures as repairs, and up or down for
    sure.
    """
    import sympy

    up, down, fails, repaired = symbol("up"), symbol("down"), symbol("F"), symbol("R")
    balance = [sympy.Eq(up / (fails * symbol("H")), down / repaired), sympy.Eq(up + down, 1)]
    return sympy.simplify(sympy.solve(balance, [up, down], dict=True)[0][up])


@cache
def throughput() -> Model:
    """Of machines that share the work, in machines: the universal law, with contention alone, which
    makes it Amdahl's.
    """
    return Model("X", models.usl_law().expression.subs(symbol("kappa"), 0), "", QUANTITIES, models.USL)


@cache
def yearly_cost() -> Model:
    """Total cost of ownership per year of a fleet of equal machines, in k€.

    A machine is up for a share A of its time, draws power only then, and fails A / F times a year.
    """
    M, p, Y, u, w, E, e, F, r, v, A, H, m = (symbol(name) for name in "MpYuwEeFrvAHm")
    energy = w * E * e * H / 10**6  # W · h and €, in kWh and k€
    expression = M * (p / Y + u + A * (energy + r / F)) + v * H * m / 1000
    return Model(
        "T", expression, "k€", QUANTITIES, "the sum of what is paid and of what is not earned; lecture notes §5"
    )


def shortfall(machines: int, spares: int) -> "sympy.Expr":
    """Throughput that is missing on average, in terms of the availability A and the contention sigma: exact.

    The number of machines that are up is binomial. With k of them, X(k) is missing on X(machines), or nothing if k is
    enough.
    """
    import sympy

    a, x, n, fleet = symbol("A"), throughput().expression, symbol("N"), machines + spares
    # Not x.subs(n, 0), which is 0 as it should be: no machine, no throughput.
    terms = (
        sympy.binomial(fleet, k) * a**k * (1 - a) ** (fleet - k) * (x.subs(n, machines) - x.subs(n, k))
        for k in range(machines)
    )
    return sympy.factor(sum(terms, sympy.Integer(0)))


def missing(fleet: int, enough: float, sigma: float) -> np.ndarray:
    """What is missing on the throughput of `enough` machines while 0 … fleet of them are up.

    >>> missing(3, 2, 0.0).tolist()
    [2.0, 1.0, 0.0, 0.0]
    """
    x = throughput()
    return np.maximum(0, x(N=enough, sigma=sigma) - x(N=np.arange(fleet + 1), sigma=sigma))


def mean_missing(machines: np.ndarray, spares: int, up: float, sigma: float) -> np.ndarray:
    """`shortfall` as numbers, for each number of machines; between whole numbers on a straight line, for drawing."""
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
    """Where many machines begin to cost less than one of their throughput, if nothing fails and nothing contends.

    N machines cost N · (p/Y + u), one of their throughput N^beta · p/Y + u; energy is the same. The one machine's own
    upkeep is left out, which N of them make small.
    """
    import sympy

    N, p, Y, u, excess = (symbol(name) for name in ("N", "p", "Y", "u", "excess"))
    many, one = N * (p / Y + u), N ** (1 + excess) * p / Y
    (found,) = sympy.solve(sympy.Eq(one / N, many / N), N)
    return sympy.simplify(found).subs(excess, symbol("beta") - 1)
