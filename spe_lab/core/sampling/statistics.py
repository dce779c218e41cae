"""Estimates from blocks of samples: low quantiles, medians over blocks, and sign-test intervals."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

QUANTILE = 0.10
CONFIDENCE = 0.95
BURST = 4  # consecutive samples of a point: reloading a large working set takes longer than the samples
MIN_ROUNDS = 8  # the range of six blocks covers their median with 95 % confidence; two may have no clean sample
MAX_BLOCKS = 24
ROUNDS_PER_BLOCK = 5


@dataclass(frozen=True)
class Estimate:
    """Time per unit of work of each point in ns, with its confidence interval; NaN if no sample was clean."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    kept: np.ndarray
    tried: np.ndarray


def block_count(rounds: int) -> int:
    """Return how many blocks these rounds make: enough for an interval, then long ones."""
    return min(rounds, max(MIN_ROUNDS, min(MAX_BLOCKS, rounds // ROUNDS_PER_BLOCK)))


def block_estimate(per_unit: np.ndarray, blocks: int, level: float = QUANTILE) -> Estimate:
    """Return the median over blocks of the quantile `level` of clean samples, with its interval.

    `per_unit`: samples × points, in the order of time, NaN where a sample was not clean.
    """
    values = block_values(per_unit, blocks, level)
    value, low, high = np.array([centre(column) for column in values.T]).T
    return Estimate(value, low, high, (~np.isnan(per_unit)).sum(axis=0), np.full(per_unit.shape[1], len(per_unit)))


def block_values(per_unit: np.ndarray, blocks: int, level: float = QUANTILE) -> np.ndarray:
    """Return blocks × points: the quantile `level` of a point's clean samples, NaN if there are none."""

    def quantile(column: np.ndarray) -> float:
        seen = column[~np.isnan(column)]
        return float(np.quantile(seen, level)) if seen.size else math.nan

    return np.array([[quantile(column) for column in part.T] for part in np.array_split(per_unit, blocks)])


def centre(values: np.ndarray) -> tuple[float, float, float]:
    """Return (median, low, high) of block values, without NaN.

    The interval is that of the sign test: the order statistics that cover the median with 95 % confidence for any
    distribution. It is NaN below six values.
    """
    seen = np.sort(values[np.isfinite(values)])
    rank = median_rank(seen.size)
    middle = float(np.median(seen)) if seen.size else math.nan
    return (middle, math.nan, math.nan) if rank is None else (middle, float(seen[rank]), float(seen[-1 - rank]))


def redrawn(blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the medians (columns) of one bootstrap draw over whole `blocks` (rows).

    Whole blocks, since the points of a block share the minute they were taken in. NaN is left out; a column without a
    value in the draw has its median over all blocks.
    """
    drawn = blocks[rng.integers(len(blocks), size=len(blocks))]
    return np.nanmedian(np.where(np.isnan(drawn).all(axis=0), blocks, drawn), axis=0)


def ratio_estimate(numerator: np.ndarray, denominator: np.ndarray, burst: int = BURST) -> tuple[float, float, float]:
    """Return (low, value, high) of numerator / denominator from samples by time, NaN where not clean.

    The i-th samples of two bursts of one round make a pair. A round counts once, by the median of its pairs, since its
    samples are correlated. The result is the median over rounds with its sign-test interval, NaN below six rounds.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.ma.masked_invalid(np.asarray(numerator, dtype=float) / np.asarray(denominator, dtype=float))
    value, low, high = centre(np.ma.median(pairs.reshape(-1, burst), axis=1).compressed())
    return low, value, high


@cache
def median_rank(n: int, confidence: float = CONFIDENCE) -> int | None:
    """Return the largest k such that the k-th smallest and largest of n values (from 0) enclose the median.

    They do so with `confidence`: P(median outside) = 2 · P(Binomial(n, ½) ≤ k). None if even the range does not.

    >>> [median_rank(n) for n in (5, 6, 12, 24)]
    [None, 0, 2, 6]
    """
    total, rank = 0, None
    for k in range(n // 2):
        total += math.comb(n, k)
        if 2 * total > (1 - confidence) * 2**n:
            break
        rank = k
    return rank


def precise(estimate: Estimate, target: float) -> bool:
    """Return True if every interval lies within ± `target` of its value."""
    return bool(np.all((estimate.high - estimate.low) / 2 <= target * estimate.value))


def few_rounds(estimate: Estimate, rounds: int) -> list[str]:
    """Return the note for points that have no interval because there were too few rounds."""
    lacking = rounds < MIN_ROUNDS and np.isnan(estimate.low).any()
    return [f"only {rounds} rounds: too few for intervals"] if lacking else []


def two_standard_errors(batches: np.ndarray) -> np.ndarray:
    """Return rows (mean, low, high) for independent `batches` × points, ± two standard errors."""
    mean, error = batches.mean(axis=0), batches.std(axis=0, ddof=1) / math.sqrt(len(batches))
    return np.stack([mean, mean - 2 * error, mean + 2 * error], axis=-1)
