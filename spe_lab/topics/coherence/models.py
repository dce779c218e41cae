"""Models of coherence: the copies of a line as a Markov chain, and what sharing a line costs.

Accesses are random: with probability s another core makes the next one, and with probability w it is a write. Then
either one core, which wrote it, holds the line (M), or j ≥ 2 cores hold it unmodified (S_j). The core of the last
access holds the line, and so do j − 1 of the other N − 1 cores. The next state depends only on the present state, s and
w. All results follow from the transition matrix.
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
    "s": Quantity("probability that another core makes the next access to a line", ""),
    "k": Quantity("tenure: accesses that a core makes before another core's turn", ""),
    "N": Quantity("cores", ""),
    "L": Quantity("lines that hold the data", ""),
    "T": Quantity("threads on one line", ""),
    "c": Quantity("time of an operation on a line that no other thread uses", "ns"),
    "H": Quantity("hand-off: time for a line to get from one core to another", "ns"),
}


def checked_cores(cores: int) -> int:
    if cores != int(cores) or not 2 <= cores <= MOST_CORES:
        rule = f"cores must be a whole number between 2 and {MOST_CORES}"
        raise SpeLabError(f"{rule}, got {cores}; choose one in that range")
    return int(cores)


def transition_matrix(cores: int) -> "sympy.Matrix":
    """Return the matrix whose row i holds the probabilities of the next state among M, S_2, …, S_cores.

    A write leads to M from every state. A read by a core that does not hold the line adds a holder.
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
    """Return the fraction written in w and 1 − w, with a positive denominator."""
    import sympy

    w, reads = symbol("w"), symbol("r")
    numerator, denominator = sympy.fraction(sympy.factor(expression.subs(w, 1 - reads)))
    sign = 1 if denominator.subs({reads: sympy.S.Half, symbol("s"): sympy.S.Half}) > 0 else -1
    return (sympy.factor(sign * numerator) / sympy.factor(sign * denominator)).subs(reads, 1 - w)


@cache
def stationary(cores: int) -> "sympy.Matrix":
    """Return the row π with π·P = π and Σπ = 1, solved exactly for the transition matrix P."""
    import sympy

    return sympy.Matrix([[_in_w_and_reads(share) for share in stationary_row(transition_matrix(cores))]])


@cache
def messages(cores: int) -> "sympy.Expr":
    """Return bus messages per access in the long run.

    In M each access of another core sends one; in S_j each write, and each read by a core that does not hold the line.
    """
    import sympy

    w, s, pi = symbol("w"), symbol("s"), stationary(cores)
    shared = sum(pi[i] * (w + (1 - w) * s * sympy.Rational(cores - 1 - i, cores - 1)) for i in range(1, cores))
    return _in_w_and_reads(pi[0] * s + shared)


def write_backs(cores: int) -> "sympy.Expr":
    """Return write-backs per access in the long run: accesses of another core to a line in M."""
    return stationary(cores)[0] * symbol("s")


def change(cores: int) -> "sympy.Expr":
    """Return the probability s that another core makes a line's next access (tenure k, L lines).

    From one access to the next the core stays the same with probability 1 − 1/k. After g accesses it is the same core
    with probability 1/N + (1 − 1/N)·λ^g, where λ = 1 − N/(k(N − 1)). The line's next access is g accesses away with
    probability (1/L)(1 − 1/L)^(g − 1), and the mean of λ^g is a geometric sum.
    """
    import sympy

    k, lines = symbol("k"), symbol("L")
    forgets = 1 - sympy.Rational(cores, cores - 1) / k
    mean = (forgets / lines) / (1 - (1 - 1 / lines) * forgets)
    return sympy.factor((1 - sympy.Rational(1, cores)) * (1 - mean))


def per_access(write: np.ndarray, cores: int, tenure: float, lines: int = 1) -> dict[str, np.ndarray]:
    """Return messages, write-backs and transfers (lines that move) per access for each share in `write`.

    The chain climbs from M to S_2, S_3, … and falls back to M with each write, so the stationary weights are products.

    >>> per_access(np.array([0.0, 0.5, 1.0]), cores=2, tenure=4.0)["messages"].round(3).tolist()
    [0.0, 0.3, 0.25]
    """
    cores, w = checked_cores(cores), np.asarray(write, dtype=float)
    forgets = 1 - cores / (cores - 1) / tenure
    s = (1 - 1 / cores) * (1 - forgets / (lines - (lines - 1) * forgets))
    outside = s * (cores - np.arange(1, cores + 1)) / (cores - 1)  # the next core does not hold the line
    joins = (1 - w)[..., None] * outside
    climbed = [np.ones_like(w)]  # weights relative to that of M
    for i in range(1, cores - 1):
        climbed.append(climbed[-1] * joins[..., i - 1] / (w + joins[..., i]))
    # Multiplied by w to avoid a division by zero at w = 0, where all cores hold the line in the end.
    pi = np.stack([*(w * weight for weight in climbed), climbed[-1] * joins[..., cores - 2]], axis=-1)
    pi /= pi.sum(axis=-1, keepdims=True)
    transfers = pi @ outside
    upgrades = (pi[..., 1:] * (1 - outside[1:])).sum(axis=-1) * w
    return {"messages": transfers + upgrades, "write-backs": pi[..., 0] * s, "transfers": transfers}


def operation_time() -> Model:
    """Return the time of an operation that writes, if T threads share a line.

    While a thread does one operation, all T threads do one. Each needs a hand-off with the probability that another
    core holds the line: the chain's messages per access at w = 1, which are s = 1/k for any number of cores.
    """
    moves = messages(2).subs(symbol("w"), 1).subs(symbol("s"), 1 / symbol("k"))
    time = symbol("c") + symbol("T") * symbol("H") * moves
    return Model("t", time, "ns", QUANTITIES, "transfers × hand-off; lecture notes §4.3")


def sharers(offset: np.ndarray, threads: int, line: float) -> np.ndarray:
    """Return the number of words on each thread's line (offsets × threads) for words `offset` bytes apart.

    >>> sharers(np.array([4.0, 64.0]), 2, 64).tolist()
    [[2, 2], [1, 1]]
    """
    place = np.floor(np.asarray(offset, dtype=float)[..., None] * np.arange(threads) / line)
    return (place[..., :, None] == place[..., None, :]).sum(axis=-1)


def shared_time(
    offset: np.ndarray, threads: int, line: float, local: float, hand_off: float, tenure: float, moves: float = 1.0
) -> np.ndarray:
    """Return `operation_time` for each offset, mean over the threads, in ns.

    - offset, line: distance of the words and size of a line, in bytes
    - threads: number of threads, each with a word of its own
    - local, hand_off: time of an operation on a line of its own, and of a hand-off, in ns
    - tenure: operations per hand-off
    - moves: how often an operation moves the line if the threads take turns at each; 0 for a load
    """
    together = sharers(offset, threads, line)
    return (local + np.where(together > 1, together, 0) * hand_off * moves / tenure).mean(axis=-1)
