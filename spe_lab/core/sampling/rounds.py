"""Rounds in which every point is sampled once, repeated until the estimates are precise or the budget is used."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.mode import building_book
from spe_lab.core.sampling.statistics import MIN_ROUNDS, precise


def check_budget(budget_s: float) -> None:
    if not 0 < budget_s <= 3600:
        rule = "budget_s must be between 0 and 3600 seconds"
        raise SpeLabError(f"{rule}, got {budget_s}; leave it out to use the default")


def refined(
    orders: Iterable[np.ndarray],
    run: Callable[[np.ndarray, float], np.ndarray | None],
    summarise: Callable[[list[np.ndarray], float], Any],
    *,
    began: float,
    budget_s: float,
    target: float,
    cancel: Cancel,
    shorten: str,
    patience_s: float = 0.0,
) -> Iterator[Any]:
    """Run rounds in these `orders` and yield ever more precise results of `summarise(rounds, progress)`.

    - `orders`: of the points in each round
    - `run`: run(order, deadline) returns a round, or None if it was cancelled or is late
    - `summarise`: makes a result with an `estimate`
    - `began`, `budget_s`: start (monotonic) and length of the measurement, s
    - `target`: half width of an interval, relative to its value, at which it is precise
    - `cancel`: ends the measurement after the current round
    - `shorten`: cure to name if one round takes too long
    - `patience_s`: time that a first round may take, s

    Rounds are never cut. If fewer than MIN_ROUNDS fit, up to twice the budget is used, so that an interval exists. The
    last result comes when all intervals are precise (not before half a second), at the end of the budget, or after a
    cancel.
    """
    if building_book():
        print("Measured while this page was built, on a machine with other work to do. Run the cell to see yours.")
    rounds: list[np.ndarray] = []
    shown, first = began, max(2 * budget_s, patience_s)
    for order in orders:
        allowed = budget_s if len(rounds) >= MIN_ROUNDS else 2 * budget_s if rounds else first
        row = run(order, began + allowed)
        if row is None:
            break
        rounds.append(row)
        now = time.monotonic()
        if now - shown > 0.3 and len(rounds) >= MIN_ROUNDS:
            shown = now
            result = summarise(rounds, min(1.0, (now - began) / budget_s))
            yield result
            if now - began >= min(0.5, budget_s) and precise(result.estimate, target):
                break
    if not rounds:
        if cancel.is_set():
            raise CancelledError("the measurement was cancelled before its first round was complete; start it again")
        budget = f"{budget_s:g} s"
        limit = f"twice the budget of {budget}" if first == 2 * budget_s else f"{first:g} s, for a budget of {budget}"
        raise MeasurementError(
            f"one round of this sweep takes longer than {limit}; choose {shorten} or a larger budget"
        )
    yield summarise(rounds, 1.0)


def latin_rows(n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield orders: over n rounds every point stands in every place once; then a new random square."""
    while True:
        base, shifts = rng.permutation(n), rng.permutation(n)
        for shift in shifts:
            yield np.roll(base, shift)
