"""The counter that fits a machine: its times at some selectivities, explained by base times, a penalty and a number of
states.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.core.sampling.statistics import redrawn
from spe_lab.core.text import Text
from spe_lab.models import predictor as models

IDEAL = 0  # stands for a predictor that knows p: the limit of many states
FAMILY = (2, 4, 6, 8, 10, 12, 14, 16, IDEAL)
DRAWS = 200
LINE_BYTES = 64


@dataclass(frozen=True)
class Fitted:
    """Time of an element = (1 − p) · t0 + p · t1 + m_n(p) · penalty, in ns, and what reading the payload adds.

    `states` is the member of FAMILY that fits best; `low` and `high` enclose it in 95 % of the draws.
    """

    states: int
    low: int
    high: int
    coefficients: np.ndarray  # of `columns`
    payload_bytes: int
    residual: float  # median relative

    @property
    def t0(self) -> float:
        return float(self.coefficients[0])

    @property
    def t1(self) -> float:
        return float(self.coefficients[1])

    @property
    def penalty(self) -> float:
        return float(self.coefficients[2])

    def summary(self) -> Text:
        """What was found, in a sentence."""
        best, low, high = (
            "ideal" if states == IDEAL else f"{states} states" for states in (self.states, self.low, self.high)
        )
        return Text(
            f"fits best: {best} (95 % interval: {low} to {high}); penalty {self.penalty:.2f} ns; median residual"
            f" {self.residual:.1%}"
        )

    def predict(self, p: np.ndarray) -> np.ndarray:
        return columns(p, self.states, self.payload_bytes) @ self.coefficients


def rate(p: np.ndarray, states: int) -> np.ndarray:
    """Misprediction rate of a member of FAMILY."""
    return models.ideal_rate(p) if states == IDEAL else models.rate(p, states)


def lines(p: np.ndarray, payload_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Cache lines fetched per element, in order and at random, if an element's payload is read with probability p.

    A line of k payloads is touched with probability P = 1 − (1 − p)^k; if its predecessor was too, it comes in order:
    P² and P · (1 − P) for each line. Pirk and others, ICDE 2013 (the conditional read of chapter 03c).
    """
    per_line = LINE_BYTES / payload_bytes
    touched = 1 - (1 - np.asarray(p, dtype=float)) ** per_line
    return touched**2 / per_line, touched * (1 - touched) / per_line


def columns(p: np.ndarray, states: int, payload_bytes: int = 0) -> np.ndarray:
    """Share × term: what each coefficient is multiplied by."""
    p = np.asarray(p, dtype=float)
    return np.stack([1 - p, p, rate(p, states), *(lines(p, payload_bytes) if payload_bytes else ())], axis=-1)


def fit(p: Sequence[float] | np.ndarray, blocks: np.ndarray, payload_bytes: int = 0, seed: int = 1) -> Fitted:
    """The best member of FAMILY for times (blocks × shares, ns), by least squares of the relative error.

    The interval is a bootstrap's over whole blocks, whose points share the minute they were taken in. MeasurementError
    if fewer shares have a time than there are coefficients and states to find.
    """
    shares, blocks = np.asarray(p, dtype=float), np.asarray(blocks, dtype=float)
    seen = ~np.isnan(blocks).all(axis=0)
    needed = columns(shares[:1], IDEAL, payload_bytes).shape[1] + 2
    if seen.sum() < needed:
        raise MeasurementError(
            f"the fit must have clean samples at {needed} selectivities or more, got {seen.sum()}; measure again on a"
            " quieter machine"
        )
    shares, blocks = shares[seen], blocks[:, seen]
    times = np.nanmedian(blocks, axis=0)
    best, coefficients = _best(shares, times, payload_bytes)
    rng = np.random.default_rng(seed)
    chosen = []
    for _ in range(DRAWS if len(blocks) >= 6 else 0):
        chosen.append(FAMILY.index(_best(shares, redrawn(blocks, rng), payload_bytes)[0]))
    low, high = np.quantile(chosen, (0.025, 0.975), method="nearest") if chosen else (0, len(FAMILY) - 1)
    found = Fitted(best, FAMILY[int(low)], FAMILY[int(high)], coefficients, payload_bytes, 0.0)
    residual = float(np.median(np.abs(found.predict(shares) / times - 1)))
    return Fitted(best, found.low, found.high, coefficients, payload_bytes, residual)


def _best(p: np.ndarray, times: np.ndarray, payload_bytes: int) -> tuple[int, np.ndarray]:
    found = []
    for states in FAMILY:
        scaled = columns(p, states, payload_bytes) / times[:, None]
        coefficients = np.linalg.lstsq(scaled, np.ones(len(p)), rcond=1e-9)[0]
        found.append((float(np.sum((scaled @ coefficients - 1) ** 2)), states, coefficients))
    return min(found, key=lambda each: each[0])[1:]
