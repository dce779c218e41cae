"""Models of a two-way branch whose outcomes are independent: P(taken) = p.

The predictor is a saturating counter with states 0 to n − 1. It moves one state up when the branch is taken, one down
when it is not, and stays at the ends. From state t on it predicts "taken". It is a Markov chain: the next state depends
only on the present state and the outcome. All results follow from its transition matrix.
Sources: lecture notes §3.5 (n = 4); J. E. Smith, "A Study of Branch Prediction Strategies", ISCA 1981 (the counter).
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import Model, Quantity, stationary_row

if TYPE_CHECKING:
    import sympy

MOST_STATES = 64
QUANTITIES = {
    "p": Quantity("share of outcomes that are taken", ""),
    "m": Quantity("share of branches that are mispredicted", ""),
    "t0": Quantity("time of an element if none is selected, all branches predicted", "ns"),
    "t1": Quantity("time of an element if all are selected, all branches predicted", "ns"),
    "P": Quantity("penalty of a misprediction", "ns"),
    "c": Quantity("time of an element without a branch", "ns"),
}


def symbol(name: str) -> "sympy.Symbol":
    """Return the non-negative symbol of that name."""
    import sympy

    return sympy.Symbol(name, nonnegative=True)


def checked_states(states: int, threshold: int | None = None) -> tuple[int, int]:
    """Return (states, threshold), validated. By default half of the states predict "taken"."""
    if states != int(states) or not 2 <= states <= MOST_STATES:
        rule = f"states must be a whole number between 2 and {MOST_STATES}"
        raise SpeLabError(f"{rule}, got {states}; a two-bit counter has 4")
    threshold = (states + 1) // 2 if threshold is None else threshold
    if threshold != int(threshold) or not 1 <= threshold < states:
        rule = f"threshold must be a whole number between 1 and states − 1 = {states - 1}"
        raise SpeLabError(f"{rule}, got {threshold}; leave it out for the middle")
    return int(states), int(threshold)


def transition_matrix(states: int) -> "sympy.Matrix":
    """Return the transition matrix: from each state one up with p and one down with 1 − p; the ends stay."""
    import sympy

    states, _ = checked_states(states)
    p = symbol("p")
    matrix = sympy.zeros(states, states)
    for i in range(states):
        matrix[i, min(i + 1, states - 1)] += p
        matrix[i, max(i - 1, 0)] += 1 - p
    return matrix


@cache
def stationary(states: int) -> "sympy.Matrix":
    """Return the row π with π·M = π and Σπ = 1, solved exactly for the transition matrix M."""
    import sympy

    return sympy.Matrix([[sympy.factor(share) for share in stationary_row(transition_matrix(states))]])


@cache
def misprediction(states: int, threshold: int | None = None) -> "sympy.Expr":
    """Return the rate in the long run: P(state predicts not taken) · p + P(state predicts taken) · (1 − p)."""
    import sympy

    states, threshold = checked_states(states, threshold)
    p, pi = symbol("p"), stationary(states)
    return sympy.factor(sum(pi[:threshold]) * p + sum(pi[threshold:]) * (1 - p))


def even_form() -> "sympy.Expr":
    """Return the rate of 2k states in p, q = 1 − p and k: with π_i ∝ (p/q)^i, both halves are geometric sums.

    P(predict taken) = p^k / (p^k + q^k), as the upper half is (p/q)^k times the lower half.
    """
    import sympy

    p, q = sympy.symbols("p q", positive=True)
    k = sympy.Symbol("k", positive=True, integer=True)
    upper = (p / q) ** k / (1 + (p / q) ** k)
    return sympy.simplify((1 - upper) * p + upper * q)


def limit_of_many_states() -> "sympy.Expr":
    """Return the limit k → ∞ of `even_form` for p < q, that is p = q · e^(−a) with a > 0; for p > q it is q."""
    import sympy

    p, q, a = sympy.symbols("p q a", positive=True)
    k = sympy.Symbol("k", positive=True, integer=True)
    limit = sympy.limit(sympy.simplify(even_form().subs(p, q * sympy.exp(-a))), k, sympy.oo)
    return limit.subs(sympy.exp(-a), p / q)


def rate(p: np.ndarray, states: int, threshold: int | None = None) -> np.ndarray:
    """Return `misprediction` for each share in `p`; weights p^i · (1 − p)^(n−1−i) avoid dividing by q.

    >>> rate(np.array([0.0, 0.3, 0.5]), 4).round(4).tolist()
    [0.0, 0.3621, 0.5]
    """
    states, threshold = checked_states(states, threshold)
    p, i = np.asarray(p, dtype=float), np.arange(states)
    weights = p[..., None] ** i * (1 - p[..., None]) ** (states - 1 - i)
    predicts_taken = weights[..., threshold:].sum(axis=-1) / weights.sum(axis=-1)
    return predicts_taken * (1 - p) + (1 - predicts_taken) * p


def element_time() -> Model:
    """Return the time of an element: (1 − p) · t0 + p · t1 if predicted, plus the penalty of mispredictions."""
    p = symbol("p")
    line = (1 - p) * symbol("t0") + p * symbol("t1")
    return Model("T", line + symbol("m") * symbol("P"), "ns", QUANTITIES, "lecture notes §3.5")


def crossovers() -> "sympy.Tuple":
    """Return two shares: below the first and above the second a branch is faster than predication.

    The predictor is the ideal one, with the rate min(p, 1 − p).
    """
    import sympy

    p, cost = symbol("p"), element_time().expression
    return sympy.Tuple(*(sympy.solve(cost.subs(symbol("m"), rate_) - symbol("c"), p)[0] for rate_ in (p, 1 - p)))


def average_rate(
    p: np.ndarray, branches: int, states: int, threshold: int, initial: int, correlation: float = 0.0
) -> np.ndarray:
    """Return the mean misprediction rate of the first `branches` branches for each share in `p`.

    - states, threshold, initial: of the counter, and its state before the first branch
    - correlation: probability that an outcome repeats the previous one; otherwise it is drawn anew

    The chain's state is the counter's state and the last outcome. The chain is stepped branch by branch until the
    influence of the start is negligible, and is stationary from there on.
    """
    states, threshold = checked_states(states, threshold)
    p = np.asarray(p, dtype=float)[:, None]
    # Joint probability [share, state] with the last outcome, not taken or taken; at the start that is random.
    other, taken = (np.zeros((len(p), states)) for _ in range(2))
    other[:, initial], taken[:, initial] = (1 - p)[:, 0], p[:, 0]
    again, fresh_taken = correlation + (1 - correlation) * p, (1 - correlation) * p
    wrong = np.zeros(len(p))
    for done in range(branches):
        up = taken * again + other * fresh_taken
        down = taken + other - up
        now = up[:, :threshold].sum(axis=1) + down[:, threshold:].sum(axis=1)
        before, (taken, other) = (taken, other), (_shifted(up, 1), _shifted(down, -1))
        if done % 16 == 15 and max(np.abs(taken - before[0]).max(), np.abs(other - before[1]).max()) < 1e-9:
            return (wrong + now * (branches - done)) / branches
        wrong += now
    return wrong / branches


def _shifted(row: np.ndarray, step: int) -> np.ndarray:
    """Return the probabilities moved by one state; those at the end stay there."""
    moved = np.zeros_like(row)
    if step > 0:
        moved[:, 1:] = row[:, :-1]
        moved[:, -1] += row[:, -1]
    else:
        moved[:, :-1] = row[:, 1:]
        moved[:, 0] += row[:, 0]
    return moved


def ideal_rate(p: np.ndarray, correlation: float = 0.0) -> np.ndarray:
    """Return the lowest possible rate: of a predictor that knows p, the correlation and the last outcome.

    >>> ideal_rate(np.array([0.1, 0.5, 0.8])).round(3).tolist()
    [0.1, 0.5, 0.2]
    """
    p = np.asarray(p, dtype=float)
    after_taken, after_other = correlation + (1 - correlation) * p, (1 - correlation) * p
    return p * np.minimum(after_taken, 1 - after_taken) + (1 - p) * np.minimum(after_other, 1 - after_other)


def pattern_rate(p: np.ndarray, branches: int, states: int, threshold: int, initial: int) -> np.ndarray:
    """Return the mean misprediction rate of the first `branches` branches if the taken ones are spread evenly.

    - p: shares of taken branches
    - states, threshold, initial: of the counter, and its state before the first branch

    The result is a mean over 16 starting places in the pattern. After a thousand branches the rate of the last half
    is assumed to continue.
    """
    states, threshold = checked_states(states, threshold)
    stepped = min(branches, 1024)
    place = np.broadcast_to((np.arange(16) + 0.5) / 16, (len(p), 16)).copy()
    state = np.full(place.shape, initial)
    wrong = np.empty((stepped, len(p)))
    for i in range(stepped):
        place += np.asarray(p, dtype=float)[:, None]
        taken = place >= 1
        place -= taken
        wrong[i] = ((state >= threshold) != taken).mean(axis=1)
        state = np.clip(state + np.where(taken, 1, -1), 0, states - 1)
    return (wrong.sum(axis=0) + (branches - stepped) * wrong[stepped // 2 :].mean(axis=0)) / branches
