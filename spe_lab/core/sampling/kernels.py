"""Sweeps over kernels that can be trusted on a noisy machine.

How, and why (measured on a shared two-core virtual machine, other load on both cores):

- All points of a sweep are sampled in rounds that form a Latin square, so that a slow minute affects every point alike.
  The error of a comparison fell sixtyfold against measuring one point after the other.
- Samples last some 150 µs. Of 100 µs samples 3 % were preempted, of 4 ms samples 97 %, and then even the median is
  wrong.
- A sample that was preempted, migrated or faulted on a page is dropped and counted. A point without a clean sample is
  reported as such.
- Noise only adds time. So a point's estimate is a low quantile within each block of rounds, then the median over
  blocks. Its interval comes from the spread of the blocks, since samples of one burst are correlated.
- Each sweep has three more points: an empty kernel (the cost of a sample itself), a chain of additions (the core
  clock), and a second copy of one point (the A/A control: two names for one kernel must not differ).
"""

import ctypes
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.sampling.provenance import load_average
from spe_lab.core.sampling.rounds import check_budget, latin_rows, refined
from spe_lab.core.sampling.statistics import (
    BURST,
    CONFIDENCE,
    QUANTILE,
    Estimate,
    block_count,
    block_estimate,
    block_values,
    few_rounds,
    ratio_estimate,
)

SAMPLE_NS = 150_000
_LONG_NS = 10 * SAMPLE_NS  # one unit that takes so long reloads its caches by itself, and needs no burst
CONTROL_LIMIT = 0.005  # A/A differences below half a percent are not reported
_MOST_WORK = 1e9  # units that no core does in a sample
_LOOK_ROUND_NS = 50_000_000  # C returns at least this often, so that an interrupt is noticed
_RIDERS = ("null", "probe", "control")


@dataclass(frozen=True)
class Point:
    """A kernel bound to its state.

    `warm` units run untimed before each burst of samples: they reload the caches that other points used meanwhile.
    `keep` holds the memory that the state points into. `twin` is the index of an earlier point that takes as long:
    both get the same work per sample, so that its fixed cost falls out of their ratio.
    """

    name: str
    kernel: int
    state: ctypes.Structure | ctypes.Array | ctypes.c_int64 | ctypes.c_uint64
    warm: int = 0
    keep: Any = None
    twin: int | None = None


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep after some rounds. Later results of the same sweep are more precise."""

    estimate: Estimate
    samples: np.ndarray  # ns per unit of work, (rounds · burst) × (points + riders), by time; NaN: not clean
    rounds: int
    burst: int  # consecutive samples of a point
    progress: float  # 0 to 1, of the budget
    control: tuple[float, float, float]  # A/A ratio: low, value, high
    clock_ghz: tuple[float, float, float]  # p5, p50, p95 of the clean probes
    overhead_ns: float
    notes: tuple[str, ...]
    provenance: dict[str, Any]

    def blocks(self) -> np.ndarray:
        """Return blocks × (points + riders): the values behind the estimate and its interval."""
        return block_values(self.samples, block_count(self.rounds))

    def ratio(self, numerator: int, denominator: int) -> tuple[float, float, float]:
        """Return (low, value, high) of the ratio of two points, from samples of the same round."""
        return ratio_estimate(self.samples[:, numerator], self.samples[:, denominator], self.burst)


def sweep(
    points: Sequence[Point], *, budget_s: float = 6.0, target: float = 0.01, seed: int = 1, cancel: Cancel | None = None
) -> Iterator[Sweep]:
    """Sample all points in rounds and yield ever more precise results.

    - `points`: at least one kernel
    - `budget_s`: longest duration, s
    - `target`: relative half width at which an interval is precise
    - `seed`: of the orders and of the work per sample
    - `cancel`: ends the sweep early

    Ends when all intervals are precise (not before half a second has passed), when the budget is used up, or when
    `cancel` is set. Raises MeasurementError if no sample of any point was clean.
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


class _Harness:
    """The C side: points and riders in one array, and slots for samples."""

    def __init__(self, points: Sequence[Point], cancel: Cancel) -> None:
        self.library = native.load("measurement")
        nothing = ctypes.c_int64(0)
        null, probe = (Point(name, self.library.address(f"{name}_kernel"), nothing) for name in ("null", "probe"))
        self.points = [*points, null, probe, replace(points[0], twin=0)]
        self.cancel = cancel
        self.burst = BURST
        kind = self.library.struct("spe_point")
        self._c_points = (kind * len(self.points))(
            *(kind(p.kernel, ctypes.addressof(p.state), p.warm) for p in self.points)
        )
        self.slot = np.dtype(self.library.struct("spe_sample"))

    def run(self, slots: np.ndarray, deadline: float = math.inf) -> bool:
        """Fill all slots, in portions, so that an interrupt is noticed. Return False if cancelled or late."""
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
        """Return one burst of each point in this order, as samples × points.

        The work varies by ±10 %, so that samples do not synchronise with a timer.
        """
        slots = np.zeros(len(order) * self.burst, dtype=self.slot)
        slots["point"] = np.repeat(order, self.burst)
        slots["warm"][:: self.burst] = 1
        slots["work"] = np.maximum(1, works[slots["point"]] * rng.uniform(0.9, 1.1, len(slots))).astype(np.uint64)
        if not self.run(slots, deadline):
            return None
        by_point = np.empty((self.burst, len(order)), dtype=self.slot)
        by_point[:, order] = slots.reshape(len(order), self.burst).T
        return by_point

    def calibrate(self) -> np.ndarray:
        """Return the units of work per sample that take SAMPLE_NS, and set the burst.

        The least of three samples must reach it twice in sequence: one cold or preempted call would make all later
        samples too short. The search begins with one unit, which may be a long call: 64 calls of 60 µs made samples of
        4 ms, of which a busy machine left 17 % clean.
        """
        works, unit_ns = np.ones(len(self.points)), np.full(len(self.points), math.inf)
        for i, point in enumerate(self.points):
            if i == len(self.points) - len(_RIDERS):
                continue  # the empty kernel takes the same time for any work
            if point.twin is not None:
                works[i] = works[point.twin]
                continue
            work, confirmed = 1.0, 0
            while confirmed < 2:
                slots = np.zeros(3, dtype=self.slot)
                slots["point"], slots["work"] = i, int(work)
                if not self.run(slots):
                    raise CancelledError("the measurement was cancelled while it was being calibrated; start it again")
                elapsed = max(1, int(slots["elapsed_ns"].min()))
                confirmed = confirmed + 1 if elapsed >= 0.8 * SAMPLE_NS else 0
                if work == 1:
                    unit_ns[i] = elapsed
                    confirmed = 2 if elapsed >= _LONG_NS else confirmed
                if work > _MOST_WORK:
                    rule, found = "a kernel's time must grow with its work", f"{work:.0e} units took {elapsed} ns"
                    raise MeasurementError(f"{rule}, and {found}; check whether the compiler removed the work")
                if not confirmed:
                    work = min(work * 10, work * 1.1 * SAMPLE_NS / elapsed + 1)
            works[i] = work
        self.burst = 1 if unit_ns[: -len(_RIDERS)].min() >= _LONG_NS else BURST
        return works


def _summarise(rounds: list[np.ndarray], progress: float, seed: int) -> Sweep:
    burst, samples = len(rounds[0]), np.concatenate(rounds)  # (rounds · burst) × (points + riders)
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
    ratio = ratio_estimate(per_unit[:, control], per_unit[:, 0], burst)
    provenance = _provenance(seed, len(rounds), clock, overhead, ratio)
    notes = _notes(estimate, clock, ratio, len(rounds))
    return Sweep(estimate, per_unit, len(rounds), burst, progress, ratio, clock, overhead, notes, provenance)


def compare(a: Point, b: Point, *, budget_s: float = 2.0, seed: int = 1) -> tuple[float, float, float]:
    """Return (low, value, high) of the time per unit of `a` over that of `b`, sampled alternately."""
    return deque(sweep([a, b], budget_s=budget_s, seed=seed), maxlen=1).pop().ratio(0, 1)


def _notes(estimate: Estimate, clock: tuple, control: tuple, rounds: int) -> tuple[str, ...]:
    """Return what a reader should know before believing the numbers."""
    notes = []
    dropped = 1 - estimate.kept.sum() / estimate.tried.sum()
    if dropped > 0.2:
        notes.append(f"{dropped:.0%} of the samples were preempted, migrated or faulted, and dropped")
    if (estimate.kept == 0).any():
        notes.append(f"{int((estimate.kept == 0).sum())} points have no clean sample and are left out")
    if clock[2] > 1.05 * clock[0]:
        notes.append(f"the core clock varied between {clock[0]:.2f} and {clock[2]:.2f} GHz")
    if (control[0] > 1 or control[2] < 1) and abs(control[1] - 1) > CONTROL_LIMIT:
        difference = f"{control[1] - 1:+.1%}"
        notes.append(f"the A/A control differs by {difference}: smaller differences cannot be detected here")
    return (*notes, *few_rounds(estimate, rounds))


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
