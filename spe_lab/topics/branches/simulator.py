"""Simulated predictors: the Python side of kernels_c/branches.c, and one counter to follow step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.models.predictor import checked_states

KINDS = {"counter": "SPE_COUNTER", "gshare": "SPE_GSHARE", "local history": "SPE_LOCAL"}  # -> enumerator in C
LAWS = ("random", "evenly spread")
MOST_BRANCHES = 10**10
HISTORY = 8  # bits: 256 counters


def simulate(
    p: float,
    branches: int,
    runs: int = 1,
    *,
    states: int = 4,
    threshold: int | None = None,
    initial: int = 0,
    kind: str = "counter",
    law: str = "random",
    correlation: float = 0.0,
    history: int = HISTORY,
    seed: int = 1,
    cancel: Cancel | None = None,
) -> np.ndarray:
    """Return the mispredictions of each of `runs` runs of `branches` branches, of which a share `p` is taken.

    - states, threshold: of each saturating counter, which predicts "taken" from state `threshold` on
    - initial: state in which every run begins
    - kind: one "counter"; or a table of 2^`history` counters, indexed by the last outcomes of this branch ("local
      history"), or of this branch and another, random branch that alternate ("gshare")
    - law: "random" draws each outcome, or with probability `correlation` repeats the previous one; "evenly spread"
      repeats one pattern from a random place on
    - seed, cancel: seed of the random numbers, and the flag that stops the simulation

    Raise SpeLabError if an argument lies outside its domain, CancelledError if `cancel` is set.

    >>> int(simulate(0.0, 1000, states=4, initial=3)[0])  # from "strongly taken", two branches are needed to learn
    2
    """
    states, threshold = checked_states(states, threshold)
    for name, value, low, high in (
        ("p", p, 0, 1),
        ("correlation", correlation, 0, 1),
        ("initial", initial, 0, states - 1),
        ("history", history, 1, 16),
    ):
        if not low <= value <= high:
            raise SpeLabError(f"{name} must be between {low} and {high}, got {value}; choose a value in that range")
    if runs < 0 or branches < 0 or branches * runs > MOST_BRANCHES:
        got = f"got {branches:,} branches in each of {runs:,} runs"
        raise SpeLabError(f"branches times runs must be between 0 and {MOST_BRANCHES:,}, {got}; choose fewer branches")
    for name, chosen, choices in (("kind", kind, KINDS), ("law", law, LAWS)):
        if chosen not in choices:
            raise SpeLabError(f"{name} must be one of {', '.join(choices)}, got {chosen!r}; name one of them")
    library = native.load("branches")
    table = np.zeros(1 << history, np.uint8)
    whole = 1 << 32
    code = library.constants[KINDS[kind]]
    predictor = library.struct("predictor")(code, states, threshold, initial, history, table.ctypes.data)
    after_taken, after_other = correlation + (1 - correlation) * p, (1 - correlation) * p
    shares = [round(share * whole) for share in (p, after_taken, after_other)]
    outcomes = library.struct("outcomes")(law == "evenly spread", *shares, seed)
    missed, flag = np.zeros(runs, np.uint64), (cancel or Cancel()).flag
    check(library.simulate_predictor(predictor, outcomes, int(branches), int(runs), missed, flag), library)
    return missed


@dataclass(frozen=True)
class Step:
    """One branch of a counter: the state before, the prediction, the outcome, and the state after."""

    before: int
    predicted: bool
    taken: bool
    after: int


def follow(
    outcomes: str | Sequence[bool], states: int = 4, threshold: int | None = None, initial: int = 0
) -> list[Step]:
    """Return the steps of a counter through these outcomes; in text T is taken and N not taken.

    >>> [step.after for step in follow("TTNT")]
    [1, 2, 1, 2]
    """
    states, threshold = checked_states(states, threshold)
    if isinstance(outcomes, str) and set(outcomes.upper()) - set("TN"):
        raise SpeLabError(f"outcomes must consist of T and N, got {outcomes!r:.40}; write for example TTNT")
    if not 0 <= initial < states:
        raise SpeLabError(
            f"initial must be between 0 and states − 1 = {states - 1}, got {initial}; 0 is strongly not taken"
        )
    state, steps = initial, []
    for outcome in outcomes.upper() if isinstance(outcomes, str) else outcomes:
        taken = outcome in ("T", True)
        after = min(state + 1, states - 1) if taken else max(state - 1, 0)
        steps.append(Step(state, state >= threshold, taken, after))
        state = after
    return steps
