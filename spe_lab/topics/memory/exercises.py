"""Exercises of chapter 03b: the ramp of the model, a latency from plateaus, overlapped accesses, two walks in C."""

import math
import random
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, judge_c, number, own_run
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

CYCLE_BYTES = 16 << 20  # of each cycle: together they exceed all but the largest caches
NEEDED = 0.7  # overlapped walks take about half the time per access of one walk; walks one after the other, all of it


MULTIPLES = (4, 5, 8, 10, 20, 25, 50)  # of the capacity


def make_ramp(rng: random.Random) -> Exercise:
    """Ask for the working set at which a drawn share of the accesses misses."""
    right = float(rng.choice(MULTIPLES))
    share = 1 - 1 / right
    percent = f"{100 * share:g} %"

    def judge(answer: Any) -> Verdict:
        ratio = number(answer, "the ratio S / C")
        if math.isclose(ratio, right, rel_tol=1e-6):
            reason = f"1 − C/S = {share:g} gives S = {right:g} C: on a logarithmic axis the ramp rises slowly"
            return Verdict("right", reason)
        if math.isclose(ratio, 1 / share, rel_tol=0.01):
            missed = f"at S = {ratio:.3g} C only {100 / right:.3g} % of the accesses miss"
            return Verdict("wrong", f"{missed}; you solved C/S = {share:g}, which is the share of hits")
        misses = max(0.0, 1 - 1 / ratio) if ratio > 0 else 0
        return Verdict("wrong", f"at S = {ratio:g} C the share of misses is {misses:.3g}, not {share:g}")

    return Exercise(
        "In the refined model with random replacement, how large must a working set be for"
        f" {percent} of its accesses to miss in a cache of C bytes? Give S/C.",
        ("The share of accesses that miss is 1 − C/S.", f"Solve 1 − C/S = {share:g} for S."),
        right,
        f"1 − C/S = {share:g} gives S = {right:g} C. Where a curve is nearly flat again, the set is a multiple of the"
        " capacity: whoever reads the capacity off there overestimates it.",
        judge,
    )


def make_steps(rng: random.Random) -> Exercise:
    """Ask for the latency of memory in a drawn sequence of plateaus."""
    first = rng.choice((0.9, 1.1, 1.3, 1.6))
    second = first + rng.choice((2.4, 2.8, 3.2))
    third = second + rng.choice((8, 11, 14))
    right = float(rng.choice((60, 75, 90, 105)))
    last = third + right
    plateaus = f"{first:.1f}, {second:.1f}, {third:.1f} and {last:.1f} ns"

    def judge(answer: Any) -> Verdict:
        latency = number(answer, "a time in ns")
        if math.isclose(latency, right, rel_tol=0.01):
            return Verdict("right", f"each plateau is the sum of all latencies so far: {last:.1f} − {third:.1f} ns")
        if math.isclose(latency, last, rel_tol=0.005):
            whole = "that is the time of the whole access: it contains the hit in L1 and the misses in L1 and L2"
            return Verdict("wrong", f"{whole}. What does the last step add?")
        if math.isclose(latency, last - first, rel_tol=0.005):
            return Verdict("wrong", "only the hit in L1 is subtracted; misses in L1 and L2 add their latencies, too")
        return Verdict("wrong", f"{latency:g} ns is not the height of the last step; subtract two plateaus")

    return Exercise(
        f"On another machine, a random cycle on huge pages shows four plateaus: {plateaus}. How many ns does a miss in the"
        " last cache add (l_L3)?",
        (
            "An access that goes to memory misses in L1, in L2 and in L3. The model adds up their latencies.",
            "The last plateau is t0 + l_L1 + l_L2 + l_L3, and the one before is t0 + l_L1 + l_L2.",
        ),
        right,
        "Each plateau is the sum of all latencies down to its level. The difference of two neighbours is the latency that"
        " the level in between adds. On base pages the last difference would also contain TLB misses.",
        judge,
    )


def judge_overlap(answer: Any, run: Any = None) -> Verdict:
    dependent, independent = own_run(run, "memory.working_set").measured[:2]
    factor = number(answer, "how many times slower the dependent walk is at the largest size")
    ends = [curve[-1] for curve in (dependent.low, dependent.high, independent.low, independent.high)]
    if not all(math.isfinite(end) and end > 0 for end in ends):
        return Verdict("inconclusive", "the measurement has no interval at its largest size; measure again for longer")
    # A factor read off a logarithmic axis is accurate to a tenth.
    low, high = 0.9 * ends[0] / ends[3], 1.1 * ends[1] / ends[2]
    allowed = f"the intervals of your run allow {low:.3g} to {high:.3g}"
    if low <= factor <= high:
        return Verdict("right", allowed)
    if factor and low <= 1 / factor <= high:
        return Verdict("wrong", "that is the inverse: divide the dependent time by the independent one")
    return Verdict("wrong", f"{allowed}; read both curves at the largest size")


def overlap_of(run: Run) -> float:
    dependent, independent = run.measured[:2]
    return float(np.nan_to_num(dependent.values[-1] / independent.values[-1], nan=1.0))


def judge_two_walks(answer: Any) -> Verdict:
    wrong = f": it must be below {NEEDED}. Can a load of the second walk start before one of the first has ended?"
    means, right = "an access takes {} of the time it takes in one walk", ": the two misses overlap"
    return judge_c(answer, run_two_walks, means, name="walk_two", limit=NEEDED, below=True, right=right, wrong=wrong)


def run_two_walks(own: native.Library) -> tuple[float, float, float] | str:
    """Check the reader's walk_two against two single walks, then time both, interleaved."""
    library, cancel = kernels(), Cancel()
    try:
        pair = own.struct("pair")
        own.address("walk_two")
    except (KeyError, AttributeError):
        needed = "struct pair and uint64_t walk_two(struct pair *state, uint64_t work)"
        return f"the source must declare {needed}, as the template does"
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
            return f"after {2 * steps} accesses both cursors must be {steps} steps further in their cycles, and are not"
    one = Point("one walk", library.address("cycle_walk"), a, warm=SETTLE, keep=arena_a)
    two = Point("two walks", own.address("walk_two"), pair(a.cursor, b.cursor), warm=SETTLE, keep=arena_b)
    return compare(two, one, budget_s=2.0)


EXERCISES = Exercises(
    "memory",
    {
        "ramp": Seeded(make_ramp),
        "steps": Seeded(make_steps),
        "overlap": Exercise(
            "Read your own curves at the largest working set: how many times as long does a dependent access take as an"
            " independent one?",
            (
                "Both curves are measured; open *Data and downloads* below the figure, and take the last row of each.",
                "Divide the dependent time by the independent one.",
            ),
            "the last value of the first measured curve, divided by the last of the second",
            "Independent accesses overlap: several lines are fetched at once, and prefetchers request the next lines before"
            " the loop needs them. By Little's law, the mean number of lines on their way is the rate at which lines arrive"
            " times the time that each takes: about this factor, since a random order also misses translations.",
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
                    "An access to b does not depend on any access to a. Put both into one loop, so that the core can execute"
                    " them at the same time."
                ),
            ),
            TWO_WALKS_SOLUTION,
            "Each load still waits for the previous load of its own cycle, but not for loads of the other cycle. Two misses"
            " overlap at any time, so an access takes half as long. The number of chains up to which this helps is the"
            " machine's memory-level parallelism.",
            judge_two_walks,
            template=TWO_WALKS_TEMPLATE,
        ),
    },
)
