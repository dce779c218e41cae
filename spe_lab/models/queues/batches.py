"""Intervals for statistics of one long simulation, by batch means.

The times of successive customers are strongly correlated, so the usual s / √n is far too small (by a factor of nine
for M/M/1 at ρ = 0.8). The means of a few long batches are nearly independent, and their spread gives a valid interval
(Law and Carson, Operations Research 27, 1979).
"""

import math
from typing import NamedTuple

import numpy as np

from spe_lab.core.errors import SpeLabError

BATCHES = 30
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A value, its standard error, and an interval of 95 % by Student's t."""

    value: float
    standard_error: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the value and the half-width of its interval, to two digits of the latter.

        >>> print(Estimate(5.0669, 0.01596, 5.0356, 5.0982))
        5.067 ± 0.031
        """
        half = (self.high - self.low) / 2
        digits = max(0, 1 - math.floor(math.log10(half))) if 0 < half < math.inf else 3
        return f"{self.value:.{digits}f} ± {half:.{digits}f}"


def student(confidence: float, degrees: int) -> float:
    """Return Student's factor of a two-sided interval.

    >>> round(student(0.95, 29), 3)
    2.045
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))


def estimate(value: float, parts: np.ndarray) -> Estimate:
    """Return `value` with its interval from the spread of independent `parts` (batches or replications)."""
    error = float(np.std(parts, ddof=1) / np.sqrt(len(parts)))
    half = student(CONFIDENCE, len(parts) - 1) * error
    return Estimate(float(value), error, float(value) - half, float(value) + half)


def cut(x: np.ndarray, batches: int = BATCHES) -> np.ndarray:
    """Return the values as batches × length in time order, without the few at the front that do not fit."""
    if len(x) < 2 * batches:
        raise SpeLabError(f"{batches} batches need at least {2 * batches} customers, got {len(x)}; simulate more")
    return x[len(x) % batches :].reshape(batches, -1)


def mean(x: np.ndarray, batches: int = BATCHES) -> Estimate:
    """Return the mean with the interval of its batch means."""
    parts = cut(x, batches).mean(axis=1)
    return estimate(parts.mean(), parts)


def quantile(x: np.ndarray, p: float, batches: int = BATCHES) -> Estimate:
    """Return the p-quantile of all values, with the interval of the batches' quantiles.

    It lies between the smallest and the largest of these, so only the values in between are ranked again.
    """
    if not 0 < p < 1:
        raise SpeLabError(f"p must lie between 0 and 1, got {p}; 0.99 is the 99th percentile")
    parts = cut(x, batches)
    rank = min(parts.size - 1, max(0, int(np.ceil(p * parts.size)) - 1))  # of the quantile, counted from zero
    own = np.partition(parts, rank // batches, axis=1)[:, rank // batches]
    near = parts[(parts >= own.min()) & (parts <= own.max())]
    rank -= int(np.count_nonzero(parts < own.min()))
    return estimate(np.partition(near, rank)[rank], own)


def shares_above(
    x: np.ndarray, levels: np.ndarray, batches: int = BATCHES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (value, low, high) of P(X > level) for each level."""
    parts = cut(x, batches)
    above = np.array([1 - np.searchsorted(np.sort(part), levels, side="right") / part.size for part in parts])
    value, error = above.mean(axis=0), above.std(axis=0, ddof=1) / np.sqrt(len(parts))
    half = student(CONFIDENCE, len(parts) - 1) * error
    return value, np.maximum(value - half, 0.0), np.minimum(value + half, 1.0)


def naive_mean(x: np.ndarray) -> Estimate:
    """Return the mean with the standard error of independent values, s / √n: wrong for a queue."""
    return estimate(np.mean(x), x)
