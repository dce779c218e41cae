"""Claims of chapter 00 that a machine can contradict."""

import math

from spe_lab.core.reader.claims import Claim, Interval, between, less
from spe_lab.core.recording import Run
from spe_lab.topics.machine.labs import CLAIMS as STATED

NEAR = 1.3  # a cache of one's own: effective and claimed capacity within this factor


def measured(run: Run, level: int) -> Interval | None:
    """Return the value of a level, counted from 1, with its interval; None if it is not resolved."""
    curve, i = run.measured[0], level - 1
    if i >= len(curve.values):
        return None
    interval = Interval(*(float(part[i]) for part in (curve.low, curve.values, curve.high)))
    return interval if all(map(math.isfinite, interval)) else None


def claimed(run: Run, level: int) -> float | None:
    """Return the capacity that the operating system states, or None."""
    if run.point["beside"] != STATED or level > len(run.predicted[0].values):
        return None
    stated = float(run.predicted[0].values[level - 1])
    return stated if math.isfinite(stated) else None


def first_level_is_as_claimed(run: Run) -> bool | None:
    stated = claimed(run, 1)
    return None if stated is None else between(measured(run, 1), stated / NEAR, stated * NEAR)


def last_level_is_not_larger(run: Run) -> bool | None:
    stated = claimed(run, 3)
    return None if stated is None else less(measured(run, 3), stated, NEAR)


def each_level_adds_more(run: Run) -> bool | None:
    pairs = [less(measured(run, level), measured(run, level + 1)) for level in (1, 2, 3)]
    decided = [pair for pair in pairs if pair is not None]
    return all(decided) if decided else None


def memory_is_far_away(run: Run) -> bool | None:
    return less(measured(run, 1), measured(run, 4), 0.1)


CLAIMS = (
    Claim(
        "machine.facts",
        "The effective capacity of the first level is the claimed one, within 30 %.",
        first_level_is_as_claimed,
        "Another thread on the same core uses this cache, or the claim is that of another processor.",
    ),
    Claim(
        "machine.facts",
        "The effective capacity of the last cache is at most the claimed one.",
        last_level_is_not_larger,
    ),
    Claim("machine.calibrate", "Each level adds more than the level above it.", each_level_adds_more),
    Claim(
        "machine.calibrate",
        "A miss in the last cache adds more than ten times the latency of a hit in the first.",
        memory_is_far_away,
    ),
)
