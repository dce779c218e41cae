"""Times and ratios of functions that were built several times: estimates, intervals, verdicts.

Where code lies changes its time (builds.py), so samples of one build say nothing about the next: the spread between
builds is a part of every interval. Builds are drawn in strata, the places in a cache line, which count alike. Simulated
from the times of 32 builds of 14 functions, for versions whose times depend on the place in unrelated ways, a threshold
of 1 % and twins, or versions that differ by 3 %:

    three builds of each, at random             twins called different: 17 %    3 % found: 28 %
    three builds of each at each of 4 places                             1 %               94 %
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spe_lab.core.sampling.statistics import CONFIDENCE, centre

FASTER, SLOWER, SAME, OPEN = "faster", "slower", "no difference", "inconclusive"
VERDICTS = (FASTER, SLOWER, SAME, OPEN)


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; NaN where it is unknown."""

    value: float
    low: float
    high: float


def time_of(blocks: np.ndarray, strata: np.ndarray) -> Interval:
    """Return the time of one version, the geometric mean over its builds.

    - blocks: blocks × builds, times in ns; NaN where a block has no clean sample of a build
    - strata: of each build
    """
    return _raised(mean_over_builds(np.log(blocks), strata))


def ratio_of(b: np.ndarray, a: np.ndarray, strata: np.ndarray) -> Interval:
    """Return the time of version B over that of A, from blocks of the same rounds.

    Build i of A and build i of B are a pair, since they lie at the same place: what both versions have in common falls
    out of their ratio.
    """
    return _raised(mean_over_builds(np.log(b) - np.log(a), strata))


def _raised(logarithm: Interval) -> Interval:
    return Interval(*(math.exp(x) for x in (logarithm.value, logarithm.low, logarithm.high)))


def mean_over_builds(values: np.ndarray, strata: np.ndarray) -> Interval:
    """Return the mean over strata of blocks × builds, with an interval for other builds and other moments.

    Two errors add up, as squares: that of the builds (Student's t from the spread within strata, which are a fixed set)
    and that of the moments (the sign test over blocks, of what moved all builds together). The interval is NaN without
    two builds in a stratum or without six blocks.
    """
    unknown = Interval(math.nan, math.nan, math.nan)
    seen = np.isfinite(values).any(axis=0)
    if not seen.any():
        return unknown
    values, strata = values[:, seen], np.asarray(strata)[seen]
    builds = np.nanmedian(values, axis=0)
    groups = [builds[strata == stratum] for stratum in np.unique(strata)]
    value, half = _stratified(groups)
    with np.errstate(invalid="ignore"):
        moved = values - builds
    rows = moved[np.isfinite(moved).any(axis=1)]
    middle, low, high = centre(np.nanmean(rows, axis=1))
    value += middle
    return Interval(value, value - math.hypot(half, middle - low), value + math.hypot(half, high - middle))


def _stratified(groups: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the mean of the groups' means and its half width; NaN for the latter if no group has two values."""
    mean = float(np.mean([group.mean() for group in groups]))
    freedom = sum(group.size - 1 for group in groups)
    if freedom == 0:
        return mean, math.nan
    variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
    error = math.sqrt(variance * sum(1 / group.size for group in groups)) / len(groups)
    from scipy.special import stdtrit  # importing it takes 0.1 s

    return mean, float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error


def verdict(ratio: Interval, threshold: float) -> str:
    """Return what an interval of B's time over A's says about a difference larger than `threshold` (0.01: 1 %).

    - faster, slower: the interval excludes 1, and the value differs by more than the threshold
    - no difference: the whole interval lies within the threshold
    - inconclusive: neither, or no interval

    A margin is symmetric on the logarithm, so that exchanging A and B exchanges the verdict.
    """
    margin = math.log1p(threshold)
    if not (math.isfinite(ratio.low) and math.isfinite(ratio.high)):
        return OPEN
    value, low, high = (math.log(x) for x in (ratio.value, ratio.low, ratio.high))
    if -margin < low and high < margin:
        return SAME
    if abs(value) > margin and (low > 0 or high < 0):
        return SLOWER if value > 0 else FASTER
    return OPEN


def per_build(blocks: np.ndarray) -> np.ndarray:
    """Return the median over blocks of each build; NaN without a clean sample."""
    seen = np.isfinite(blocks).any(axis=0)
    builds = np.full(blocks.shape[1], math.nan)
    builds[seen] = np.nanmedian(blocks[:, seen], axis=0)
    return builds
