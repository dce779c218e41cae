"""Models of a two-way branch whose outcomes are independent: P(taken) = p.

The predictor is a saturating counter: a row of n states, one step up when the branch is taken and one down when it is
not, as far as the row goes; from state t on it predicts "taken". It is a Markov chain: the next state depends on the
present one and on a coin, on nothing before. All else here follows from its transition matrix.
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
    "p": Quantity("share of branches that are taken", ""),
    "m": Quantity("share of branches that are mispredicted", ""),
    "t0": Quantity("time of an element whose branch is never taken, all predicted", "ns"),
    "t1": Quantity("time of an element whose branch is always taken, all predicted", "ns"),
    "P": Quantity("penalty of a misprediction", "ns"),
    "c": Quantity("time of an element without a branch", "ns"),
}


def symbol(name: str) -> "sympy.Symbol":
    """The real symbol of that name."""
    import sympy

    return sympy.Symbol(name, nonnegative=True)


def checked_states(states: int, threshold: int | None = None) -> tuple[int, int]:
    """(states, threshold) in their domains; half of the states predict "taken" unless a threshold says otherwise."""
    if states != int(states) or not 2 <= states <= MOST_STATES:
        raise SpeLabError(
            f"states must be a whole number between 2 and {MOST_STATES}, got {states}; a two-bit counter has 4"
        )
    threshold = (states + 1) // 2 if threshold is None else threshold
    if threshold != int(threshold) or not 1 <= threshold < states:
        raise SpeLabError(
            f"threshold must be a whole number between 1 and states − 1 = {states - 1}, got {threshold}; leave it out"
            " for the middle"
        )
    return int(states), int(threshold)


def transition_matrix(states: int) -> "sympy.Matrix":
    """Row i holds the probabilities of the next state: up with p, down with 1 − p, and the ends stay where they are."""
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
    """The row π with π·M = π and Σπ = 1, solved exactly from the transition matrix M."""
    import sympy

    return sympy.Matrix([[sympy.factor(each) for each in stationary_row(transition_matrix(states))]])


@cache
def misprediction(states: int, threshold: int | None = None) -> "sympy.Expr":
    """Share of mispredictions in the long run: P(state predicts not taken) · p + P(state predicts taken) · (1 − p)."""
    import sympy

    states, threshold = checked_states(states, threshold)
    p, pi = symbol("p"), stationary(states)
    return sympy.factor(sum(pi[:threshold]) * p + sum(pi[threshold:]) * (1 - p))


def even_form() -> "sympy.Expr":
    """The rate of 2k states in p, q = 1 − p and k: with π_i ∝ (p/q)^i, both halves of the row are geometric sums.

    P(predict taken) = p^k / (p^k + q^k), as the upper half is (p/q)^k times the lower one.
    """
    import sympy

    p, q = sympy.symbols("p q", positive=True)
    k = sympy.Symbol("k", positive=True, integer=True)
    upper = (p / q) ** k / (1 + (p / q) ** k)
    return sympy.simplify((1 - upper) * p + upper * q)


def limit_of_many_states() -> "sympy.Expr":
    """The limit k → ∞ of `even_form` for p < q, that is with p = q · e^(−a) and a > 0. By symmetry
    it is q for p > q.
    """
    import sympy

    p, q, a = sympy.symbols("p q a", positive=True)
    k = sympy.Symbol("k", positive=True, integer=True)
    limit = sympy.limit(sympy.simplify(even_form().subs(p, q * sympy.exp(-a))), k, sympy.oo)
    return limit.subs(sympy.exp(-a), p / q)


def rate(p: np.ndarray, states: int, threshold: int | None = None) -> np.ndarray:
    """`misprediction` as numbers, for each share in `p`: weights p^i · (1 − p)^(n−1−i) in place of (p/q)^i, which need
    no division by q.

    >>> rate(np.array([0.0, 0.3, 0.5]), 4).round(4).tolist()
    [0.0, 0.3621, 0.5]
    """
    states, threshold = checked_states(states, threshold)
    p, i = np.asarray(p, dtype=float), np.arange(states)
    weights = p[..., None] ** i * (1 - p[..., None]) ** (states - 1 - i)
    predicts_taken = weights[..., threshold:].sum(axis=-1) / weights.sum(axis=-1)
    return predicts_taken * (1 - p) + (1 - predicts_taken) * p


def element_time() -> Model:
    """Time of an element: what its way costs if predicted, and the penalty of the mispredicted ones."""
    p = symbol("p")
    line = (1 - p) * symbol("t0") + p * symbol("t1")
    return Model("T", line + symbol("m") * symbol("P"), "ns", QUANTITIES, "lecture notes §3.5")


def crossovers() -> "sympy.Tuple":
    """Shares below the first and above the second of which a branch is cheaper than predication, for the ideal
    predictor, min(p, 1 − p): the element's time solved for c.
    """
    import sympy

    p, cost = symbol("p"), element_time().expression
    return sympy.Tuple(*(sympy.solve(cost.subs(symbol("m"), rate_) - symbol("c"), p)[0] for rate_ in (p, 1 - p)))


def average_rate(
    p: np.ndarray, branches: int, states: int, threshold: int, initial: int, correlation: float = 0.0
) -> np.ndarray:
    """Mean misprediction rate of the first `branches` branches from state `initial`, for each share in `p`.

    The chain is stepped once for each branch until what is left of the start no longer counts, and is stationary from
    there on. With `correlation` c an outcome equals the one before with probability c and is tossed anew otherwise; the
    chain's state is then the counter's with the last outcome.
    """
    states, threshold = checked_states(states, threshold)
    p = np.asarray(p, dtype=float)[:, None]
    # [share, state] of the joint probability with the last outcome: 0 not taken, 1 taken. Before the first, a free
    # toss.
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
    """Each state's probability one state further, those at the end kept there."""
    moved = np.zeros_like(row)
    if step > 0:
        moved[:, 1:] = row[:, :-1]
        moved[:, -1] += row[:, -1]
    else:
        moved[:, :-1] = row[:, 1:]
        moved[:, 0] += row[:, 0]
    return moved


def ideal_rate(p: np.ndarray, correlation: float = 0.0) -> np.ndarray:
    """Of the best that can be done by who knows p, the correlation and the last outcome.

    >>> ideal_rate(np.array([0.1, 0.5, 0.8])).round(3).tolist()
    [0.1, 0.5, 0.2]
    """
    p = np.asarray(p, dtype=float)
    after_taken, after_other = correlation + (1 - correlation) * p, (1 - correlation) * p
    return p * np.minimum(after_taken, 1 - after_taken) + (1 - p) * np.minimum(after_other, 1 - after_other)


def pattern_rate(p: np.ndarray, branches: int, states: int, threshold: int, initial: int) -> np.ndarray:
    """Mean misprediction rate of the first `branches` branches if the taken ones are spread as evenly as possible.

    Stepped through for 16 places in the pattern to begin at; after a thousand branches the rate of the last half goes
    on.
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
