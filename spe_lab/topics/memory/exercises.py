"""Exercises: one on the ramp, one on the reader's own curve, one in C."""

import math
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, judge_c, number
from spe_lab.core.recording import Run
from spe_lab.core.sampling.cycle import new_cycle
from spe_lab.core.sampling.kernels import Point, compare
from spe_lab.topics.memory.labs import SETTLE, kernels

TWO_WALKS_TEMPLATE = """
#include "spe.h"

struct pair { void **a, **b; };   /* the cursors of two separate random cycles */

uint64_t walk_two(struct pair *state, uint64_t work)   /* work: accesses, half of them in each cycle */
{
    void **a = state->a, **b = state->b;
    for (uint64_t i = 0; i < work / 2; i++)
        a = *a;
    for (uint64_t i = 0; i < work / 2; i++)
        b = *b;
    state->a = a;
    state->b = b;
    return (uint64_t)(uintptr_t)a ^ (uint64_t)(uintptr_t)b;
}
"""

TWO_WALKS_SOLUTION = """
#include "spe.h"

struct pair { void **a, **b; };

uint64_t walk_two(struct pair *state, uint64_t work)
{
    void **a = state->a, **b = state->b;
    for (uint64_t i = 0; i < work / 2; i++) {
        a = *a;
        b = *b;
    }
    state->a = a;
    state->b = b;
    return (uint64_t)(uintptr_t)a ^ (uint64_t)(uintptr_t)b;
}
"""

CYCLE_BYTES = 16 << 20  # each: with the other one, beyond every cache but the largest
NEEDED = 0.7  # two overlapped walks should take about half the time an access; one after the other, all of it


def judge_ramp(answer: Any) -> Verdict:
    ratio = number(answer, "the ratio S / C")
    if math.isclose(ratio, 10, rel_tol=1e-6):
        return Verdict("right", "1 − C/S = 0.9 gives S = 10 C: a ramp is a slow thing on a logarithmic axis")
    if math.isclose(ratio, 10 / 9, rel_tol=0.01):
        return Verdict(
            "wrong", "at S = 10/9 C only a tenth of the accesses miss; nine tenths of the step are asked for"
        )
    return Verdict(
        "wrong", f"at S = {ratio:g} C the share of misses is {max(0.0, 1 - 1 / ratio) if ratio > 0 else 0:.3g}, not 0.9"
    )


def judge_overlap(answer: Any, run: Run | None = None) -> Verdict:
    factor = number(answer, "how many times slower the dependent walk is at the largest size")
    if run is None or len(run.measured) < 2 or run.measured[0].source != "measured":
        raise SpeLabError("this exercise needs your own measurement; pass run=explorer.measured()")
    dependent, independent = run.measured[:2]
    ends = [curve[-1] for curve in (dependent.low, dependent.high, independent.low, independent.high)]
    if not all(math.isfinite(end) and end > 0 for end in ends):
        return Verdict("inconclusive", "the measurement has no interval at its largest size; measure again for longer")
    # A factor read off a figure with a logarithmic axis is good to a tenth.
    low, high = 0.9 * ends[0] / ends[3], 1.1 * ends[1] / ends[2]
    if low <= factor <= high:
        return Verdict("right", f"the intervals of your run allow {low:.3g} to {high:.3g}")
    if low <= 1 / factor <= high if factor else False:
        return Verdict("wrong", "that is the inverse: divide the dependent time by the independent one")
    return Verdict(
        "wrong", f"the intervals of your run allow {low:.3g} to {high:.3g}; read both curves at the largest size"
    )


def overlap_of(run: Run) -> float:
    dependent, independent = run.measured[:2]
    return float(np.nan_to_num(dependent.values[-1] / independent.values[-1], nan=1.0))


def judge_two_walks(answer: Any) -> Verdict:
    wrong = f": below {NEEDED} is asked for. Can a load of the second walk start before one of the first has ended?"
    means = "an access takes {} of the time it takes in one walk"
    return judge_c(
        answer,
        run_two_walks,
        means,
        name="walk_two",
        limit=NEEDED,
        below=True,
        right=": the two misses overlap",
        wrong=wrong,
    )


def run_two_walks(own: native.Library) -> tuple[float, float, float] | str:
    """Checks the reader's walk_two against two single walks, then times both, interleaved."""
    library, cancel = kernels(), Cancel()
    try:
        pair = own.struct("pair")
        own.address("walk_two")
    except (KeyError, AttributeError):
        return (
            "the source must declare struct pair and uint64_t walk_two(struct pair *state, uint64_t work), as the"
            " template does"
        )
    (a, arena_a), (b, arena_b) = (new_cycle(CYCLE_BYTES, "4K", seed, cancel) for seed in (1, 2))
    for steps in (0, 1, 7, 1000):
        state = pair(a.cursor, b.cursor)
        expected = []
        for start in (a, b):
            single = library.struct("cycle")(start.cursor)
            library.cycle_walk(single, steps)
            expected.append(single.cursor)
        own.walk_two(state, 2 * steps)
        if [state.a, state.b] != expected:
            return (
                f"after {2 * steps} accesses both cursors must stand {steps} steps further in their cycles, and they"
                " do not"
            )
    one = Point("one walk", library.address("cycle_walk"), a, warm=SETTLE, keep=arena_a)
    two = Point("two walks", own.address("walk_two"), pair(a.cursor, b.cursor), warm=SETTLE, keep=arena_b)
    return compare(two, one, budget_s=2.0)


EXERCISES = Exercises(
    "memory",
    {
        "ramp": Exercise(
            "In the refined model, how large must a working set be, in multiples of a capacity C, for nine tenths of that"
            " level's step to be paid?",
            (
                "The share of accesses that miss is 1 − C/S.",
                "Solve 1 − C/S = 9/10 for S; sympy.solve does it, and so does a pencil.",
            ),
            10,
            "1 − C/S = 9/10 gives S = 10 C. A capacity that is read off the place where a curve stops rising is read too"
            " large by an order of magnitude.",
            judge_ramp,
        ),
        "overlap": Exercise(
            "Read your own curves at the largest working set: how many times as long does a dependent access take as an"
            " independent one?",
            (
                "Both curves are measured; open the data below the figure and take the last row of each.",
                "Divide the dependent time by the independent one.",
            ),
            "the last value of the first measured curve, divided by the last of the second",
            "The factor is the work done in advance: several lines are under way at once, and the prefetchers have ordered"
            " the next ones before the loop asks.",
            judge_overlap,
            overlap_of,
        ),
        "two_walks": Exercise(
            "Change walk_two so that two separate random cycles are walked in at most 0.7 of the time an access takes in"
            " one.",
            (
                (
                    "In the template, the second walk cannot start before the first has ended. Which instructions wait for"
                    " which?"
                ),
                (
                    "An access to b does not depend on any access to a. Put them where the core sees both at once: into one"
                    " loop."
                ),
            ),
            TWO_WALKS_SOLUTION,
            "Each load still waits for the load before it in its own cycle, but not for the other cycle's: two misses are"
            " under way at any time, and an access costs half. The number of chains that still helps is the machine's"
            " memory-level parallelism.",
            judge_two_walks,
        ),
    },
)
