"""Claims of chapter 03b that a machine can contradict."""

import numpy as np

from spe_lab.core.curve import Curve
from spe_lab.core.reader.claims import Claim, Interval, at, between, both, less
from spe_lab.core.recording import Run

ALIKE = 1.15  # times that the text calls equal may differ by this factor
DEPENDENT, INDEPENDENT = "dependent", "independent"
LINE = 64.0


def ends(run: Run, name: str) -> tuple[Interval | None, Interval | None]:
    """Return the intervals at the first and the last value of the axis."""
    return at(run, name, run.x.values[0]), at(run, name, run.x.values[-1])


def quotient(a: Interval | None, b: Interval | None) -> Interval | None:
    """Return the interval of a / b."""
    return None if a is None or b is None else Interval(a.low / b.high, a.value / b.value, a.high / b.low)


def first_plateau_is_flat(run: Run) -> bool | None:
    sizes = [size for size in run.x.values if size <= run.point["C_L1"] / 2]
    if len(sizes) < 2:
        return None
    return between(quotient(at(run, DEPENDENT, sizes[-1]), at(run, DEPENDENT, sizes[0])), 1 / ALIKE, ALIKE)


def memory_is_far(run: Run) -> bool | None:
    near, far = ends(run, DEPENDENT)
    return less(near, far, 0.1) if beyond_the_caches(run) else None


def beyond_the_caches(run: Run) -> bool:
    return bool(run.x.values[-1] > run.point["C_L3"])


def waiting_costs(run: Run) -> bool | None:
    return less(ends(run, INDEPENDENT)[1], ends(run, DEPENDENT)[1], 1 / 3) if beyond_the_caches(run) else None


def waiting_costs_more_in_memory(run: Run) -> bool | None:
    near, far = (quotient(a, b) for a, b in zip(ends(run, DEPENDENT), ends(run, INDEPENDENT), strict=True))
    return less(near, far) if beyond_the_caches(run) else None


def large(run: Run) -> bool:
    """Return True if the array of a stride run exceeds the last cache."""
    return bool(run.point["size"] > run.point["C_L3"])


def in_order_is_cheap(run: Run) -> bool | None:
    return less(at(run, DEPENDENT, LINE / 2), at(run, DEPENDENT, 4), 2) if large(run) else None


def skipping_costs(run: Run) -> bool | None:
    return less(at(run, DEPENDENT, LINE), at(run, DEPENDENT, 4 * LINE), 1 / 1.5) if large(run) else None


def prefetchers_hide_misses(run: Run) -> bool | None:
    total = predicted(run, "sum over levels", 4 * LINE)
    return less(at(run, DEPENDENT, 4 * LINE), total, 0.5) if large(run) else None


def predicted(run: Run, name: str, x: float) -> float | None:
    """Return the value of a predicted curve at x."""
    curve: Curve = next(curve for curve in run.predicted if curve.name == name)
    found = curve.values[np.isclose(run.x.values, x)]
    return float(found[0]) if found.size else None


def bytes_count(run: Run) -> bool | None:
    return between(quotient(at(run, INDEPENDENT, LINE), at(run, INDEPENDENT, 16)), 2, 6) if large(run) else None


def powers_of_two_collide(run: Run) -> bool | None:
    pairs = [(at(run, DEPENDENT, power - LINE), at(run, DEPENDENT, power)) for power in (2048.0, 4096.0, 8192.0)]
    return both(*(less(neighbour, power, 1 / 1.2) for neighbour, power in pairs)) if large(run) else None


def prefetched_is_close(run: Run) -> bool | None:
    return run.comparison.median_relative_error < 0.3 if run.comparison and large(run) else None


def errors(run: Run) -> np.ndarray:
    """Return |fitted / measured − 1| at the sizes of a self-tuning run."""
    found = np.abs(run.predicted[0].values / run.measured[0].values - 1)
    return found[np.isfinite(found)]


def plain(run: Run) -> bool:
    return run.point["levels"] >= 3 and run.point["noise"] == 0 and errors(run).size > 4


def between_points_is_easy(run: Run) -> bool | None:
    return bool(np.median(errors(run)) < 0.1) if plain(run) else None


def steps_are_hard(run: Run) -> bool | None:
    return bool(errors(run).max() > 5 * np.median(errors(run))) if plain(run) else None


CLAIMS = (
    Claim(
        "memory.working_set",
        "Sets of up to half of the first-level cache take the same time per access, within 15 %.",
        first_plateau_is_flat,
        "Another program may share the core, or the cache is smaller than the operating system reports.",
    ),
    Claim(
        "memory.working_set",
        "A dependent access to the largest set takes more than ten times as long as one to the smallest.",
        memory_is_far,
        "The largest set may fit into the last cache.",
    ),
    Claim(
        "memory.working_set",
        "In the largest set, an independent access takes less than a third of the time of a dependent one.",
        waiting_costs,
    ),
    Claim(
        "memory.working_set",
        "Waiting costs a larger factor in memory than in the first-level cache.",
        waiting_costs_more_in_memory,
    ),
    Claim(
        "memory.stride",
        "While accesses take each line in order, they are cheap: at a stride of 32 B a dependent access takes less than"
        " twice as long as at 4 B.",
        in_order_is_cheap,
        "The prefetchers of this machine do not keep up with the loop.",
    ),
    Claim(
        "memory.stride",
        "A dependent access that skips lines (256 B) takes at least 1.5 times as long as one to the next line (64 B).",
        skipping_costs,
        "The prefetchers of this machine treat both alike.",
    ),
    Claim(
        "memory.stride",
        "At a stride of 256 B, the dependent loop takes less than half of the sum over levels.",
        prefetchers_hide_misses,
        "The prefetchers may be switched off.",
    ),
    Claim(
        "memory.stride",
        "The independent loop is limited by the bytes that it fetches: at a stride of 64 B it takes two to six times as"
        " long as at 16 B.",
        bytes_count,
    ),
    Claim(
        "memory.stride",
        "At 2, 4 and 8 KiB, the dependent loop is at least 20 % slower than at one line less.",
        powers_of_two_collide,
        "Its caches may choose their sets by a hash of the address.",
    ),
    Claim(
        "memory.stride",
        "The median error of the prefetched model is below 30 %.",
        prefetched_is_close,
        "Without calibration its prices are assumptions.",
    ),
    Claim(
        "memory.selftuning",
        "Three fitted steps predict the sizes between the fitted ones with a median error below 10 %.",
        between_points_is_easy,
    ),
    Claim(
        "memory.selftuning",
        "The worst error is more than five times the median: it lies on a step, not on a plateau.",
        steps_are_hard,
    ),
)
