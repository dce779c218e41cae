"""Fit base times, a misprediction penalty and a number of states to times at some selectivities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.core.sampling.statistics import redrawn
from spe_lab.core.text import Text
from spe_lab.models import predictor as models

IDEAL = 0  # a predictor that knows p: the limit of many states
FAMILY = (2, 4, 6, 8, 10, 12, 14, 16, IDEAL)
DRAWS = 200
LINE_BYTES = 64


@dataclass(frozen=True)
class Fitted:
    """Fitted time per element [ns]: (1 − p) · t0 + p · t1 + m_n(p) · penalty, plus reading a payload.

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
        """Return the best number of states and the penalty, in a sentence."""
        low, high = ("ideal" if states == IDEAL else f"{states} states" for states in (self.low, self.high))
        best = "the ideal predictor" if self.states == IDEAL else f"a counter with {self.states} states"
        return Text(
            f"The best fit is {best} (95 % interval: {low} to {high}), with a penalty of {self.penalty:.2f} ns and a"
            f" median error of {100 * self.residual:.1f} %."
        )

    def predict(self, p: np.ndarray) -> np.ndarray:
        return columns(p, self.states, self.payload_bytes) @ self.coefficients


def rate(p: np.ndarray, states: int) -> np.ndarray:
    """Return the misprediction rate of a member of FAMILY at shares p."""
    return models.ideal_rate(p) if states == IDEAL else models.rate(p, states)


def lines(p: np.ndarray, payload_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cache lines fetched per element, (in order, at random), if a payload is read with probability p.

    A line of k payloads is touched with probability P = 1 − (1 − p)^k. It is fetched in order if its predecessor is
    touched too: P² and P · (1 − P) for each line. Pirk and others, ICDE 2013 (the conditional read of chapter 03c).
    """
    per_line = LINE_BYTES / payload_bytes
    touched = 1 - (1 - np.asarray(p, dtype=float)) ** per_line
    return touched**2 / per_line, touched * (1 - touched) / per_line


def columns(p: np.ndarray, states: int, payload_bytes: int = 0) -> np.ndarray:
    """Return the design matrix (shares × terms): the factor of each coefficient."""
    p = np.asarray(p, dtype=float)
    return np.stack([1 - p, p, rate(p, states), *(lines(p, payload_bytes) if payload_bytes else ())], axis=-1)


def fit(p: Sequence[float] | np.ndarray, blocks: np.ndarray, payload_bytes: int = 0, seed: int = 1) -> Fitted:
    """Fit the best member of FAMILY to times (blocks × shares, ns) by least squares of the relative error.

    The interval comes from a bootstrap over whole blocks, since the points of a block share the conditions of one
    minute. Raise MeasurementError if fewer shares have a time than the fit has parameters.
    """
    shares, blocks = np.asarray(p, dtype=float), np.asarray(blocks, dtype=float)
    seen = ~np.isnan(blocks).all(axis=0)
    needed = columns(shares[:1], IDEAL, payload_bytes).shape[1] + 2
    if seen.sum() < needed:
        rule = f"the fit must have clean samples at {needed} selectivities or more"
        raise MeasurementError(f"{rule}, got {seen.sum()}; measure again on a quieter machine")
    shares, blocks = shares[seen], blocks[:, seen]
    times = np.nanmedian(blocks, axis=0)
    best, coefficients = _best(shares, times, payload_bytes)
    rng = np.random.default_rng(seed)
    draws = DRAWS if len(blocks) >= 6 else 0
    chosen = [FAMILY.index(_best(shares, redrawn(blocks, rng), payload_bytes)[0]) for _ in range(draws)]
    low, high = np.quantile(chosen, (0.025, 0.975), method="nearest") if chosen else (0, len(FAMILY) - 1)
    residual = float(np.median(np.abs(columns(shares, best, payload_bytes) @ coefficients / times - 1)))
    return Fitted(best, FAMILY[int(low)], FAMILY[int(high)], coefficients, payload_bytes, residual)


def _best(p: np.ndarray, times: np.ndarray, payload_bytes: int) -> tuple[int, np.ndarray]:
    fits = []
    for states in FAMILY:
        scaled = columns(p, states, payload_bytes) / times[:, None]
        coefficients = np.linalg.lstsq(scaled, np.ones(len(p)), rcond=1e-9)[0]
        fits.append((float(np.sum((scaled @ coefficients - 1) ** 2)), states, coefficients))
    return min(fits, key=lambda fit: fit[0])[1:]
