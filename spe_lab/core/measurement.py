"""Sweeps over kernels that can be trusted on a noisy machine.

How, and why (measured on a shared two-core virtual machine, other load on both cores):

- All points of a sweep are sampled in turn, in rounds that are a Latin square, so that a slow minute hits every point
  alike: the error of a comparison fell sixtyfold against measuring one point after the other.
- Samples last some 150 µs. Of 100 µs samples 3 % were preempted, of 4 ms samples 97 %, and then even the median is
  wrong.
- A sample that was preempted, migrated or faulted on a page is dropped and counted. No clean sample is a result, and is
  said.
- Noise adds time and never takes any away: a point's estimate is a low quantile within each block of rounds, then the
  median over blocks. Its interval comes from the spread of the blocks, since samples taken in one burst agree with each
  other and not with the next minute.
- Three more points ride along: an empty kernel (the cost of a sample itself), a chain of additions (the core clock),
  and a second copy of one point (the A/A control: two names for one thing must not differ).
"""

import ctypes
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from spe_lab.core import native
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError

SAMPLE_NS = 150_000
QUANTILE = 0.10
CONFIDENCE = 0.95
BURST = 4  # samples of a point in a row: refilling the caches for a large working set takes longer than the samples
MIN_ROUNDS = (
    8  # six blocks are the fewest whose range covers their median with 95 % confidence; two may have no clean sample
)
MAX_BLOCKS = 24
CONTROL_LIMIT = 0.005  # an A/A difference below half a percent is not worth a reader's attention
ROUNDS_PER_BLOCK = 5
_MOST_WORK = 1e9  # units that no core does in a sample
_LOOK_ROUND_NS = 50_000_000  # C returns at least this often, so that an interrupt is noticed
_RIDERS = ("null", "probe", "control")


@dataclass(frozen=True)
class Point:
    """A kernel bound to its state. `warm` units are run untimed before each burst of samples, to bring this point's
    data back into the caches that the other points used meanwhile. `keep` holds what the state points into.
    """

    name: str
    kernel: int
    state: ctypes.Structure | ctypes.Array | ctypes.c_int64 | ctypes.c_uint64
    warm: int = 0
    keep: Any = None


class Cancel:
    """A flag that C and other threads see. `set()` ends whatever it was given to, within 0.2 s. Another process gets a
    copy.
    """

    def __init__(self, already: bool = False) -> None:
        self.flag = ctypes.c_int32(already)

    def __reduce__(self) -> tuple[Any, ...]:
        return Cancel, (self.is_set(),)

    def set(self) -> None:
        self.flag.value = 1

    def is_set(self) -> bool:
        return bool(self.flag.value)


@dataclass(frozen=True)
class Estimate:
    """Time per unit of work of each point in ns, with the interval of `confidence`; NaN where no sample was clean."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    kept: np.ndarray
    tried: np.ndarray


class Result(Protocol):
    """What is known of some points: a `Sweep`, or the `Trials` of core/trials.py."""

    @property
    def estimate(self) -> Estimate: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def provenance(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Sweep:
    """What is known after some rounds. Later ones of the same sweep know more."""

    estimate: Estimate
    samples: (
        np.ndarray
    )  # ns per unit of work, (rounds · BURST) × (points + riders), in the order of time; NaN: not clean
    rounds: int
    progress: float  # 0 to 1, of the budget
    control: tuple[float, float, float]  # A/A ratio: low, value, high
    clock_ghz: tuple[float, float, float]  # p5, p50, p95 of the clean probes
    overhead_ns: float
    notes: tuple[str, ...]
    provenance: dict[str, Any]

    def blocks(self) -> np.ndarray:
        """blocks × (points + riders): the values that the estimate and its interval are made from."""
        return block_values(self.samples, block_count(self.rounds))

    def ratio(self, numerator: int, denominator: int) -> tuple[float, float, float]:
        """(low, value, high) of the ratio of two points, from samples of the same round."""
        return ratio_estimate(self.samples[:, numerator], self.samples[:, denominator])


def quick() -> bool:
    """Whether SPE_LAB_QUICK bounds every measurement, as in continuous integration."""
    return _switched_on("SPE_LAB_QUICK")


def building_book() -> bool:
    """Whether SPE_LAB_BOOK asks for what a page without a kernel can show. What is measured then is labelled so."""
    return _switched_on("SPE_LAB_BOOK")


def _switched_on(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")


def sweep(
    points: Sequence[Point], *, budget_s: float = 6.0, target: float = 0.01, seed: int = 1, cancel: Cancel | None = None
) -> Iterator[Sweep]:
    """Samples all points in turn and yields better and better estimates.

    Ends when every interval is within ± `target` of its value (not before half a second has passed), when `budget_s` is
    used up, or when `cancel` is set. Raises MeasurementError if no sample of any point was clean.
    """
    if not points:
        raise SpeLabError("points must name at least one kernel, got none; add one to the sweep")
    check_budget(budget_s)
    cancel = Cancel() if cancel is None else cancel
    began = time.monotonic()
    harness = _Harness(points, cancel)
    works = harness.calibrate()
    rng = np.random.default_rng(seed)
    yield from refined(
        latin_rows(len(harness.points), rng),
        lambda order, deadline: harness.round(order, works, rng, deadline),
        lambda rounds, progress: _summarise(rounds, progress, seed),
        began=began,
        budget_s=budget_s,
        target=target,
        cancel=cancel,
        shorten="fewer or smaller points",
    )


def check_budget(budget_s: float) -> None:
    if not 0 < budget_s <= 3600:
        raise SpeLabError(
            f"budget_s must be between 0 and 3600 seconds, got {budget_s}; leave it out to use the default"
        )


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
    """Runs rounds in these `orders` and yields what `summarise(rounds, progress)` makes of them, better and better.

    `run(order, deadline)` gives a round, or None when it was cancelled or is late. A round cannot be shortened; too
    small a budget is stretched twofold for the sake of an interval, a first round may take `patience_s`. The last
    result comes when all intervals are within ± `target` (not before half a second has passed), at the end of the
    budget, or after a cancel.
    """
    if building_book():
        print(
            "Measured while this page was built, on the machine that built it: it had other work to do. Run the cell to"
            " see yours."
        )
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
        limit = (
            f"twice the budget of {budget_s:g} s"
            if first == 2 * budget_s
            else f"{first:g} s, for a budget of {budget_s:g} s"
        )
        raise MeasurementError(
            f"one round of this sweep takes longer than {limit}; choose {shorten} or a larger budget"
        )
    yield summarise(rounds, 1.0)


class _Harness:
    """The C side: points and riders as one array, and slots to be filled."""

    def __init__(self, points: Sequence[Point], cancel: Cancel) -> None:
        self.library = native.load("measurement")
        nothing = ctypes.c_int64(0)
        null, probe = (Point(name, self.library.address(f"{name}_kernel"), nothing) for name in ("null", "probe"))
        self.points = [*points, null, probe, points[0]]
        self.cancel = cancel
        kind = self.library.struct("spe_point")
        self._c_points = (kind * len(self.points))(
            *(kind(p.kernel, ctypes.addressof(p.state), p.warm) for p in self.points)
        )
        self.slot = np.dtype(self.library.struct("spe_sample"))

    def run(self, slots: np.ndarray, deadline: float = math.inf) -> bool:
        """Fills all slots, in portions, so that an interrupt is noticed; False when cancelled or late."""
        done = 0
        while done < len(slots):
            if self.cancel.is_set() or time.monotonic() > deadline:
                return False
            part = slots[done:]
            done += self.library.spe_run(
                self._c_points[0], part, len(part), self.library.spe_now() + _LOOK_ROUND_NS, self.cancel.flag
            )
        return True

    def round(
        self, order: np.ndarray, works: np.ndarray, rng: np.random.Generator, deadline: float
    ) -> np.ndarray | None:
        """One burst of each point in this order, returned as BURST × points. The work varies by ±10 %, lest the samples
        fall into step with a timer."""
        slots = np.zeros(len(order) * BURST, dtype=self.slot)
        slots["point"] = np.repeat(order, BURST)
        slots["warm"][::BURST] = 1
        slots["work"] = np.maximum(1, works[slots["point"]] * rng.uniform(0.9, 1.1, len(slots))).astype(np.uint64)
        if not self.run(slots, deadline):
            return None
        by_point = np.empty((BURST, len(order)), dtype=self.slot)
        by_point[:, order] = slots.reshape(len(order), BURST).T
        return by_point

    def calibrate(self) -> np.ndarray:
        """Units of work per sample that take SAMPLE_NS. The least of three samples must reach it twice in a row:
        one cold or preempted call would make every later sample too short."""
        works = np.ones(len(self.points))
        for i, _ in enumerate(self.points):
            if i == len(self.points) - len(_RIDERS):
                continue  # the empty kernel takes no longer for more
            work, confirmed = 64.0, 0
            while confirmed < 2:
                slots = np.zeros(3, dtype=self.slot)
                slots["point"], slots["work"] = i, int(work)
                if not self.run(slots):
                    raise CancelledError("the measurement was cancelled while it was being calibrated; start it again")
                elapsed = max(1, int(slots["elapsed_ns"].min()))
                confirmed = confirmed + 1 if elapsed >= 0.8 * SAMPLE_NS else 0
                if work > _MOST_WORK:
                    found = f"{work:.0e} units took {elapsed} ns"
                    raise MeasurementError(
                        f"a kernel's time must grow with its work, and {found}; was the work optimised away?"
                    )
                if not confirmed:
                    work = min(work * 10, work * 1.1 * SAMPLE_NS / elapsed + 1)
            works[i] = work
        return works


def latin_rows(n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Orders in which, over n rounds, every point stands in every place once; then a new random square."""
    while True:
        base, shifts = rng.permutation(n), rng.permutation(n)
        for shift in shifts:
            yield np.roll(base, shift)


def _summarise(rounds: list[np.ndarray], progress: float, seed: int) -> Sweep:
    samples = np.concatenate(rounds)  # (rounds · BURST) × (points + riders)
    elapsed, work = samples["elapsed_ns"].astype(float), samples["work"].astype(float)
    clean = (samples["preemptions"] == 0) & (samples["faults"] == 0) & (samples["migrated"] == 0)
    n = samples.shape[1] - len(_RIDERS)
    null, probe, control = n, n + 1, n + 2
    overhead = float(np.median(elapsed[:, null]))
    per_unit = np.where(clean, np.maximum(elapsed - overhead, 0.0) / work, np.nan)
    estimate = block_estimate(per_unit[:, :n], blocks=block_count(len(rounds)))
    if not estimate.kept.any():
        raise MeasurementError(
            f"no clean sample: all {int(estimate.tried.sum())} samples were preempted, migrated or faulted; close other"
            " programs and measure again"
        )
    chain = per_unit[per_unit[:, probe] > 0, probe]
    clock = tuple(np.quantile(1 / chain, (0.05, 0.5, 0.95)).tolist()) if chain.size else (math.nan,) * 3
    ratio = ratio_estimate(per_unit[:, control], per_unit[:, 0])
    provenance = _provenance(seed, len(rounds), clock, overhead, ratio)
    return Sweep(
        estimate,
        per_unit,
        len(rounds),
        progress,
        ratio,
        clock,
        overhead,
        _notes(estimate, clock, ratio, len(rounds)),
        provenance,
    )


def block_count(rounds: int) -> int:
    """Blocks that so many rounds are cut into: enough of them for an interval first, then long enough for a low
    quantile.
    """
    return min(rounds, max(MIN_ROUNDS, min(MAX_BLOCKS, rounds // ROUNDS_PER_BLOCK)))


def block_estimate(per_unit: np.ndarray, blocks: int, level: float = QUANTILE) -> Estimate:
    """Quantile `level` of the clean samples in each block, median over blocks, and an interval for that median.

    `per_unit`: samples × points, in the order of time, NaN where a sample was not clean.
    """
    values = block_values(per_unit, blocks, level)
    value, low, high = np.array([centre(column) for column in values.T]).T
    return Estimate(value, low, high, (~np.isnan(per_unit)).sum(axis=0), np.full(per_unit.shape[1], len(per_unit)))


def block_values(per_unit: np.ndarray, blocks: int, level: float = QUANTILE) -> np.ndarray:
    """blocks × points: the quantile `level` of each point's clean samples in each block; NaN where a block has none."""

    def quantile(column: np.ndarray) -> float:
        seen = column[~np.isnan(column)]
        return float(np.quantile(seen, level)) if seen.size else math.nan

    return np.array([[quantile(column) for column in part.T] for part in np.array_split(per_unit, blocks)])


def centre(values: np.ndarray) -> tuple[float, float, float]:
    """(median, low, high) of block values, NaN among them left out. The interval is the sign test's: the order
    statistics that cover the median with 95 % confidence whatever the distribution; NaN below six values.
    """
    seen = np.sort(values[np.isfinite(values)])
    rank = median_rank(seen.size)
    middle = float(np.median(seen)) if seen.size else math.nan
    return (middle, math.nan, math.nan) if rank is None else (middle, float(seen[rank]), float(seen[-1 - rank]))


def redrawn(blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A bootstrap's draw: medians (columns) over as many whole `blocks` (rows), drawn anew, whose points share the
    minute they were taken in. NaN is left out; a column whose few values were not drawn has its median over all blocks.
    """
    drawn = blocks[rng.integers(len(blocks), size=len(blocks))]
    return np.nanmedian(np.where(np.isnan(drawn).all(axis=0), blocks, drawn), axis=0)


def ratio_estimate(numerator: np.ndarray, denominator: np.ndarray, burst: int = BURST) -> tuple[float, float, float]:
    """(low, value, high) of numerator / denominator from samples in the order of time, NaN where not clean.

    The i-th samples of two bursts of one round make a pair. A round counts once, by the median of its pairs (its
    samples agree with each other more than with the next round's); the result is the median over rounds with its
    sign-test interval, NaN where there are too few.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.ma.masked_invalid(np.asarray(numerator, dtype=float) / np.asarray(denominator, dtype=float))
    value, low, high = centre(np.ma.median(pairs.reshape(-1, burst), axis=1).compressed())
    return low, value, high


def compare(a: Point, b: Point, *, budget_s: float = 2.0, seed: int = 1) -> tuple[float, float, float]:
    """(low, value, high) of the time per unit of `a` over that of `b`, sampled in turn."""
    return deque(sweep([a, b], budget_s=budget_s, seed=seed), maxlen=1).pop().ratio(0, 1)


@cache
def median_rank(n: int, confidence: float = CONFIDENCE) -> int | None:
    """The largest k such that the k-th smallest and k-th largest (from 0) of n values enclose the median with
    `confidence`.

    P(median outside) = 2 · P(Binomial(n, ½) ≤ k). None if even the range does not.

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
    """Whether every interval lies within ± `target` of its value."""
    return bool(np.all((estimate.high - estimate.low) / 2 <= target * estimate.value))


def _notes(estimate: Estimate, clock: tuple, control: tuple, rounds: int) -> tuple[str, ...]:
    """What a reader should know before believing the numbers."""
    notes = []
    dropped = 1 - estimate.kept.sum() / estimate.tried.sum()
    if dropped > 0.2:
        notes.append(f"{dropped:.0%} of the samples were preempted, migrated or faulted, and dropped")
    if (estimate.kept == 0).any():
        notes.append(f"{int((estimate.kept == 0).sum())} points have no clean sample and are left out")
    if clock[2] > 1.05 * clock[0]:
        notes.append(f"the core clock varied between {clock[0]:.2f} and {clock[2]:.2f} GHz")
    if (control[0] > 1 or control[2] < 1) and abs(control[1] - 1) > CONTROL_LIMIT:
        notes.append(
            f"the A/A control differs from itself by {control[1] - 1:+.1%}: differences of this size mean nothing here"
        )
    return (*notes, *few_rounds(estimate, rounds))


def few_rounds(estimate: Estimate, rounds: int) -> list[str]:
    """The note for points that so few rounds leave without an interval."""
    return (
        [f"only {rounds} rounds: too few for intervals"] if rounds < MIN_ROUNDS and np.isnan(estimate.low).any() else []
    )


def _provenance(seed: int, rounds: int, clock: tuple, overhead: float, control: tuple) -> dict[str, Any]:
    def plain(numbers: Iterable[float]) -> list[float | None]:
        return [round(float(x), 4) if math.isfinite(x) else None for x in numbers]

    return {
        "estimator": f"{QUANTILE:.0%} quantile per block, median over blocks, sign-test interval {CONFIDENCE:.0%}",
        "sample_ns": SAMPLE_NS,
        "rounds": rounds,
        "clock": "CLOCK_MONOTONIC in C",
        "core_ghz_p5_p50_p95": plain(clock),
        "overhead_ns": round(overhead, 1),
        "control_ratio": plain(control),
        "seed": seed,
        "load_average": load_average(),
        "taken": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def load_average() -> float | None:
    """Threads that ran or wanted to, over the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def curves(
    result: Result,
    names: Sequence[str],
    x: Axis,
    library: native.Library,
    notes: Sequence[str] = (),
    unit: str = "ns",
    **provenance: Any,
) -> list[Curve]:
    """The result's points as one measured curve for each name: those of the first curve come first, then the next's;
    more may follow.

    `notes` are added to those of the result.
    """
    n, e, how = len(x.values), result.estimate, origin(result, library, notes, **provenance)
    parts = [(name, slice(i * n, (i + 1) * n)) for i, name in enumerate(names)]
    return [
        Curve(name, "measured", x, unit, e.value[p], e.low[p], e.high[p], e.kept[p], e.tried[p], how)
        for name, p in parts
    ]


def origin(result: Result, library: native.Library, notes: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """The provenance of measured curves: how the result came about, its kernel, `more`, and the result's notes and
    these.
    """
    return {**result.provenance, **library.provenance, **more, "notes": [*result.notes, *notes]}


def simulated_origin(stem: str, estimator: str, seed: int = 1, **more: Any) -> dict[str, Any]:
    """The provenance of simulated curves, as `curves` gives it to measured ones: the simulator's kernel, and how its
    numbers came about.
    """
    taken = time.strftime("%Y-%m-%d", time.gmtime())
    return (
        native.load(stem).provenance
        | {"clock": "none: simulated", "estimator": estimator, "seed": seed, "taken": taken, "notes": []}
        | more
    )
