"""What the labs of this chapter have in common: their machine is a simulation that is made larger
while there is time.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError
from spe_lab.core.sampling.provenance import simulated_origin
from spe_lab.models.queues import batches

SEED = 1
GROWTH = 4  # a larger simulation halves the intervals
MOST = 64  # times the first one


def refined(draw: Callable[[int], list[Curve]], customers: int, budget_s: float) -> Iterator[tuple[float, list[Curve]]]:
    """(progress, curves) of simulations of `customers`, then four times as many, and so on as far as the budget goes;
    always one.
    """
    began, size = time.monotonic(), customers
    while True:
        started = time.monotonic()
        curves = draw(size)
        now = time.monotonic()
        # The first one may have had to compile and import, and says nothing of what the next one takes.
        expected = GROWTH * (now - started) if size > customers else 0.0
        last = size >= MOST * customers or now - began + expected >= budget_s
        yield (1.0 if last else (now - began) / budget_s), curves
        if last:
            return
        size *= GROWTH


def curve(
    name: str,
    x: Axis,
    unit: str,
    estimates: np.ndarray | Sequence[Sequence[float]],
    customers: np.ndarray,
    stem: str,
    estimator: str,
    notes: Sequence[str] = (),
) -> Curve:
    """A simulated curve from rows that begin with a value and end with its interval, one for each x, and how many
    customers each rests on.
    """
    value, *_, low, high = np.asarray(estimates, dtype=float).T
    counts = np.broadcast_to(customers, value.shape)
    origin = simulated_origin(stem, estimator, SEED, notes=list(notes))
    return Curve(name, "simulated", x, unit, value, low, high, counts, counts, origin)


def share(happened: np.ndarray) -> batches.Estimate:
    """The share of requests for which something happened; where it was never seen, up to three times in as many
    requests it may yet.
    """
    found = batches.mean(happened.astype(float))
    return found._replace(low=max(found.low, 0.0), high=min(max(found.high, 3 / len(happened)), 1.0))


def go_on(cancel: Cancel) -> None:
    """Between two simulations."""
    if cancel.is_set():
        raise CancelledError("the simulation was cancelled; start it again")
