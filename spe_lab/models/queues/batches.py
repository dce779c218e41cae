"""Intervals for what one long simulation gives, by batch means.

Who comes after a customer that waited long waits long as well: the times of a queue are strongly correlated, and the
usual s / √n is far too small (nine times at ρ = 0.8 of M/M/1). Cut into a few long batches, the same times give means
that hardly know of each other; their spread is honest (Law and Carson, Operations Research 27, 1979).
"""

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


def student(confidence: float, degrees: int) -> float:
    """The factor of a two-sided interval.

    >>> round(student(0.95, 29), 3)
    2.045
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))


def estimate(value: float, parts: np.ndarray) -> Estimate:
    """`value` with the interval that independent `parts` (batches or replications) give it."""
    error = float(np.std(parts, ddof=1) / np.sqrt(len(parts)))
    half = student(CONFIDENCE, len(parts) - 1) * error
    return Estimate(float(value), error, float(value) - half, float(value) + half)


def cut(x: np.ndarray, batches: int = BATCHES) -> np.ndarray:
    """batches × length, in the order of time; the few values at the front that do not fill a batch are left out."""
    if len(x) < 2 * batches:
        raise SpeLabError(f"{batches} batches need at least {2 * batches} customers, got {len(x)}; simulate more")
    return x[len(x) % batches :].reshape(batches, -1)


def mean(x: np.ndarray, batches: int = BATCHES) -> Estimate:
    """The mean, with the interval of its batch means."""
    parts = cut(x, batches).mean(axis=1)
    return estimate(parts.mean(), parts)


def quantile(x: np.ndarray, p: float, batches: int = BATCHES) -> Estimate:
    """The p-quantile of all values, with the interval that the batches' quantiles give it. It lies between the least
    and the greatest of those, so that only the few values there are ranked once more.
    """
    if not 0 < p < 1:
        raise SpeLabError(f"p must lie between 0 and 1, got {p}; 0.99 is the 99th percentile")
    parts = cut(x, batches)
    rank = min(
        parts.size - 1, max(0, int(np.ceil(p * parts.size)) - 1)
    )  # of the first that a share p does not exceed, from zero
    own = np.partition(parts, rank // batches, axis=1)[:, rank // batches]
    near = parts[(parts >= own.min()) & (parts <= own.max())]
    rank -= int(np.count_nonzero(parts < own.min()))
    return estimate(np.partition(near, rank)[rank], own)


def shares_above(
    x: np.ndarray, levels: np.ndarray, batches: int = BATCHES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(value, low, high) of P(X > level) for each level."""
    parts = cut(x, batches)
    above = np.array([1 - np.searchsorted(np.sort(part), levels, side="right") / part.size for part in parts])
    value, error = above.mean(axis=0), above.std(axis=0, ddof=1) / np.sqrt(len(parts))
    half = student(CONFIDENCE, len(parts) - 1) * error
    return value, np.maximum(value - half, 0.0), np.minimum(value + half, 1.0)


def naive_mean(x: np.ndarray) -> Estimate:
    """The mean with the standard error of independent values, s / √n: wrong for a queue, and here
    to show by how much.
    """
    return estimate(np.mean(x), x)
