"""Sweeps over trials that need several threads, or that take too long for one core's harness (kernels.py).

A trial kernel runs whole trials in C, times them there, and returns raw numbers for each. Its settings run in bursts of
a few trials, in rounds that form a Latin square. Disturbed trials are dropped and counted. Estimates and intervals come
from blocks of rounds, as for single kernels.

The gate matters more than the kernel. Without it, false sharing read ×2.3 on a busy machine where it is ×8.7, and
threads that share nothing read ×2.0. A trial counts if no thread was preempted, none waited for a CPU, and all worked
at the same time. Threads that outnumber the CPUs, or sleep, cannot meet this rule. For them, the share of CPU time that
other programs used says how much to believe, and it is noted.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core.c.native import Library
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.machine import cpus
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
    centre,
    few_rounds,
)

MOST_SKEW = 0.05  # of the trial: latest start of the last thread
LEAST_OVERLAP = 0.85  # of the trial: least time in which all threads work
MOST_DELAY = 0.02  # of the trial: longest run-queue delay of a thread
FOREIGN_LIMIT = 0.10
TRIAL_NS = 150_000  # far above the skew of a start; a burst of trials is far below a time slice
FIRST_ROUND_S = 5.0  # longest first round: on a busy machine threads wait for each other by time slices


@dataclass(frozen=True)
class Setting:
    """How one point of a sweep is measured.

    `run(n)` runs n trials in C and returns the value of each, and whether it was clean. A call should end within 0.2 s:
    an interrupt is noticed between calls.
    """

    name: str
    run: Callable[[int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Trials:
    """The result of a sweep after some rounds. Later results of the same sweep are more precise."""

    estimate: Estimate  # of each setting
    samples: np.ndarray  # (rounds · burst) × settings, in the order of time; NaN: not clean
    rounds: int
    progress: float  # 0 to 1, of the budget
    notes: tuple[str, ...]
    provenance: dict[str, Any]
    level: float = QUANTILE  # the quantile that stands for a block

    def blocks(self) -> np.ndarray:
        """Return blocks × settings: the values behind the estimate and its interval."""
        return block_values(self.samples, block_count(self.rounds), self.level)

    def ratio(self, numerator: int, denominator: int) -> tuple[float, float, float]:
        """Return (low, value, high) of the ratio of two settings, from blocks of the same minutes."""
        blocks = self.blocks()
        value, low, high = centre(blocks[:, numerator] / blocks[:, denominator])
        return low, value, high


def interleaved(
    settings: Sequence[Setting],
    *,
    budget_s: float = 6.0,
    target: float = 0.01,
    burst: int = BURST,
    seed: int = 1,
    level: float = QUANTILE,
    cancel: Cancel | None = None,
) -> Iterator[Trials]:
    """Run bursts of trials of all settings in rounds and yield ever more precise results.

    - `budget_s`: seconds; twice that if an interval needs it, and five seconds for a first round
    - `target`: relative half width at which an interval is precise
    - `burst`: trials of a setting in sequence
    - `seed`: of the orders
    - `level`: the quantile that stands for a block: low if only disturbances make trials differ, 0.5 if threads compete
      and each trial is different
    - `cancel`: ends the measurement early

    Ends when all intervals are precise (not before half a second has passed), when the budget is used up, or when
    `cancel` is set. Raises MeasurementError if no trial of any setting was clean.
    """
    if not settings:
        raise SpeLabError("settings must name at least one trial, got none; add one to the sweep")
    check_budget(budget_s)
    cancel = Cancel() if cancel is None else cancel
    foreign, began = cpus.Foreign(), time.monotonic()
    yield from refined(
        latin_rows(len(settings), np.random.default_rng(seed)),
        lambda order, deadline: _round(settings, order, burst, deadline, cancel),
        lambda rounds, progress: _summarise(rounds, progress, seed, foreign, level),
        began=began,
        budget_s=budget_s,
        target=target,
        cancel=cancel,
        shorten="fewer points, shorter trials",
        patience_s=FIRST_ROUND_S,
    )


def _round(
    settings: Sequence[Setting], order: np.ndarray, burst: int, deadline: float, cancel: Cancel
) -> np.ndarray | None:
    row = np.empty((burst, len(settings)))
    for i in order:
        if cancel.is_set() or time.monotonic() > deadline:
            return None
        try:
            values, clean = settings[i].run(burst)
        except CancelledError:
            return None
        row[:, i] = np.where(clean, values, np.nan)
    return row


def _summarise(rounds: list[np.ndarray], progress: float, seed: int, foreign: cpus.Foreign, level: float) -> Trials:
    samples = np.concatenate(rounds)
    estimate = block_estimate(samples, blocks=block_count(len(rounds)), level=level)
    if not estimate.kept.any():
        tried = int(estimate.tried.sum())
        raise MeasurementError(
            f"no clean sample: in all {tried} trials a thread was preempted, late or alone; close other programs and"
            " measure again"
        )
    share = foreign.share()
    notes = list(cpus.current().notes())
    dropped = 1 - estimate.kept.sum() / estimate.tried.sum()
    if dropped > 0.2:
        notes.append(f"{dropped:.0%} of the trials were disturbed, and dropped")
    if (estimate.kept == 0).any():
        notes.append(f"{int((estimate.kept == 0).sum())} points have no clean trial and are left out")
    if share > FOREIGN_LIMIT:
        notes.append(f"other programs used {share:.0%} of the CPU time meanwhile")
    if math.isnan(share):
        notes.append("this system does not report how much CPU time other programs used")
    notes += few_rounds(estimate, len(rounds))
    provenance = {
        "estimator": f"{level:.0%} quantile per block, median over blocks, sign-test interval {CONFIDENCE:.0%}",
        "rounds": len(rounds),
        "clock": "CLOCK_MONOTONIC in C",
        "seed": seed,
        "foreign_share": None if math.isnan(share) else round(share, 3),
        "load_average": load_average(),
        "taken": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    return Trials(estimate, samples, len(rounds), progress, tuple(notes), provenance, level)


def team_records(library: Library, trials: int, threads: int) -> np.ndarray:
    """Return room for records: trials × threads of `struct team_record` (kernels_c/team.h)."""
    return np.zeros((trials, threads), np.dtype(library.struct("team_record")))


def mean_duration_ns(records: np.ndarray) -> np.ndarray:
    """Return how long the threads of each trial worked, in ns: the mean over threads."""
    return (records["ended_ns"] - records["began_ns"]).mean(axis=1)


def work_of_a_trial(records_of: Callable[[int], np.ndarray], trial_ns: float = TRIAL_NS) -> int:
    """Return the amount of work for which a trial takes `trial_ns`.

    `records_of(work)` gives the records of three trials. Their fastest thread decides: a disturbed one would make every
    later trial too short.
    """
    work = 1000
    while True:
        records = records_of(work)
        shortest = (records["ended_ns"] - records["began_ns"]).min()
        if shortest >= 0.8 * trial_ns:
            return work
        work = min(10 * work, int(1.1 * work * trial_ns / max(shortest, 1)) + 1)


def ran_together(records: np.ndarray, elapsed_ns: np.ndarray) -> np.ndarray:
    """Return True for each clean trial of threads that work at the same time, each on its own CPU.

    `records`: trials × threads of `struct team_record` (kernels_c/team.h). `elapsed_ns`: the duration that the skew,
    the overlap and the delay of each trial are compared with.
    """
    began, ended = records["began_ns"], records["ended_ns"]
    skew = began.max(axis=1) - began.min(axis=1)
    overlap = ended.min(axis=1) - began.max(axis=1)
    return undisturbed(records, elapsed_ns) & (skew <= MOST_SKEW * elapsed_ns) & (overlap >= LEAST_OVERLAP * elapsed_ns)


def undisturbed(records: np.ndarray, elapsed_ns: np.ndarray) -> np.ndarray:
    """Return True for each trial in which no thread was preempted or waited for a CPU."""
    clean = (records["preemptions"] == 0) & (records["run_delay_ns"] <= MOST_DELAY * elapsed_ns[:, None])
    return clean.all(axis=1)


def block_ratios(blocks: np.ndarray, reference: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (values, low, high) of setting `reference` over every setting: speed-ups, if values are times."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = blocks[:, [reference]] / blocks
    value, low, high = np.array([centre(column) for column in ratios.T]).T
    return value, low, high
