"""Models of coherence: the copies of a line as a Markov chain, and what sharing a line costs.

Random accesses: the next one is another core's with probability s (any other one's), and it writes with probability w.
A line is then either held by one core, which wrote it (M), or by j ≥ 2 of them unmodified (S_j). Whoever made the last
access holds the line, so that j − 1 of the other N − 1 cores do: the next state depends on the present one and on two
coins, on nothing before. All else follows from the transition matrix.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, stationary_row, symbol
from spe_lab.models.mesi import MOST_CORES

if TYPE_CHECKING:
    import sympy

QUANTITIES = {
    "w": Quantity("share of accesses that write", ""),
    "s": Quantity("probability that a line's next access is another core's", ""),
    "k": Quantity("accesses in a row that a core makes, the tenure", ""),
    "N": Quantity("cores", ""),
    "L": Quantity("lines that the data lie on", ""),
    "T": Quantity("threads on one line", ""),
    "c": Quantity("time of an operation on a line that nobody else uses", "ns"),
    "H": Quantity("hand-off: time for a line to get from one core to another", "ns"),
}


def checked_cores(cores: int) -> int:
    if cores != int(cores) or not 2 <= cores <= MOST_CORES:
        raise SpeLabError(
            f"cores must be a whole number between 2 and {MOST_CORES}, got {cores}; choose one in that range"
        )
    return int(cores)


def transition_matrix(cores: int) -> "sympy.Matrix":
    """Row i holds the probabilities of the next state, of M, S_2, …, S_cores: a write leads to M from everywhere; a
    read by a core that does not hold the line adds a holder.
    """
    import sympy

    cores = checked_cores(cores)
    w, s = symbol("w"), symbol("s")
    matrix = sympy.zeros(cores, cores)
    for i in range(cores):
        holders = i + 1
        joins = (1 - w) * s * sympy.Rational(cores - holders, cores - 1)
        matrix[i, 0] += w
        if holders < cores:
            matrix[i, i + 1] += joins
        matrix[i, i] += 1 - w - joins
    return matrix


def _in_w_and_reads(expression: "sympy.Expr") -> "sympy.Expr":
    """The fraction written in w and 1 − w, with a positive denominator: as a person would."""
    import sympy

    w, reads = symbol("w"), symbol("r")
    numerator, denominator = sympy.fraction(sympy.factor(expression.subs(w, 1 - reads)))
    sign = 1 if denominator.subs({reads: sympy.S.Half, symbol("s"): sympy.S.Half}) > 0 else -1
    return (sympy.factor(sign * numerator) / sympy.factor(sign * denominator)).subs(reads, 1 - w)


@cache
def stationary(cores: int) -> "sympy.Matrix":
    """The row π with π·P = π and Σπ = 1, solved exactly from the transition matrix P."""
    import sympy

    return sympy.Matrix([[_in_w_and_reads(each) for each in stationary_row(transition_matrix(cores))]])


@cache
def messages(cores: int) -> "sympy.Expr":
    """Bus messages per access in the long run. Held by one: any access of another core. Shared: any write, and a read
    by a core that does not hold the line.
    """
    import sympy

    w, s, pi = symbol("w"), symbol("s"), stationary(cores)
    shared = sum(pi[i] * (w + (1 - w) * s * sympy.Rational(cores - 1 - i, cores - 1)) for i in range(1, cores))
    return _in_w_and_reads(pi[0] * s + shared)


def write_backs(cores: int) -> "sympy.Expr":
    """Write-backs per access in the long run: another core's access to a line that is held by one, who wrote it."""
    return stationary(cores)[0] * symbol("s")


def change(cores: int) -> "sympy.Expr":
    """The probability s that a *line's* next access is another core's, for a tenure k and data on L lines.

    From access to access the core stays with 1 − 1/k, and the chain of cores forgets by the factor λ = 1 − N/(k(N −
    1)): after g accesses the core is the same one with probability 1/N + (1 − 1/N)·λ^g. The line's next access is g
    accesses away with probability (1/L)(1 − 1/L)^(g − 1); the mean of λ^g is a geometric sum.
    """
    import sympy

    k, lines = symbol("k"), symbol("L")
    forgets = 1 - sympy.Rational(cores, cores - 1) / k
    mean = (forgets / lines) / (1 - (1 - 1 / lines) * forgets)
    return sympy.factor((1 - sympy.Rational(1, cores)) * (1 - mean))


def per_access(write: np.ndarray, cores: int, tenure: float, lines: int = 1) -> dict[str, np.ndarray]:
    """`messages`, `write_backs` and lines that move (transfers) per access, as numbers for each share in `write`.

    The chain climbs from M to S_2, S_3, … and falls back to M with each write, so that its weights are products.

    >>> per_access(np.array([0.0, 0.5, 1.0]), cores=2, tenure=4.0)["messages"].round(3).tolist()
    [0.0, 0.3, 0.25]
    """
    cores, w = checked_cores(cores), np.asarray(write, dtype=float)
    forgets = 1 - cores / (cores - 1) / tenure
    s = (1 - 1 / cores) * (1 - forgets / (lines - (lines - 1) * forgets))
    outside = (
        s * (cores - np.arange(1, cores + 1)) / (cores - 1)
    )  # the next access is by a core that does not hold the line
    joins = (1 - w)[..., None] * outside
    climbed = [np.ones_like(w)]  # weights beside M's
    for i in range(1, cores - 1):
        climbed.append(climbed[-1] * joins[..., i - 1] / (w + joins[..., i]))
    # Times w, so that nothing is divided by zero at w = 0: there all cores hold the line in the end.
    pi = np.stack([*(w * weight for weight in climbed), climbed[-1] * joins[..., cores - 2]], axis=-1)
    pi /= pi.sum(axis=-1, keepdims=True)
    transfers = pi @ outside
    upgrades = (pi[..., 1:] * (1 - outside[1:])).sum(axis=-1) * w
    return {"messages": transfers + upgrades, "write-backs": pi[..., 0] * s, "transfers": transfers}


def operation_time() -> Model:
    """Time of an operation that writes, if T threads share a line.

    While a thread does one operation, all T do one, and each costs a hand-off with the probability that it finds the
    line elsewhere: the chain's messages per access at w = 1, which are s = 1/k whatever the number of cores.
    """
    moves = messages(2).subs(symbol("w"), 1).subs(symbol("s"), 1 / symbol("k"))
    return Model(
        "t",
        symbol("c") + symbol("T") * symbol("H") * moves,
        "ns",
        QUANTITIES,
        "transfers × hand-off; lecture notes §4.3",
    )


def sharers(offset: np.ndarray, threads: int, line: float) -> np.ndarray:
    """offsets × threads: how many threads' words lie on the line of this thread's, if they are `offset` bytes apart.

    >>> sharers(np.array([4.0, 64.0]), 2, 64).tolist()
    [[2, 2], [1, 1]]
    """
    place = np.floor(np.asarray(offset, dtype=float)[..., None] * np.arange(threads) / line)
    return (place[..., :, None] == place[..., None, :]).sum(axis=-1)


def shared_time(
    offset: np.ndarray, threads: int, line: float, local: float, hand_off: float, tenure: float, moves: float = 1.0
) -> np.ndarray:
    """`operation_time` in ns for each offset, mean over the threads; a thread whose word is alone on its line takes
    `local`.

    `moves` is how often an operation moves the line if the threads take turns at each: 0 for one that only reads.
    """
    together = sharers(offset, threads, line)
    return (local + np.where(together > 1, together, 0) * hand_off * moves / tenure).mean(axis=-1)
