"""Exercises of chapter 03a: eight points on the reader's own curve, two by hand, and a search in C."""

import math
from typing import Any

import numpy as np

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, judge_c, number, own_run
from spe_lab.core.recording import Run
from spe_lab.core.sampling.kernels import Point, compare
from spe_lab.topics.numerical.fitting import SETTINGS, Errors, Sample, share

MOST_POINTS, WANTED, WITHIN = 8, 0.9, 0.3
# Between these sizes a law n grows by 256, √n by 16 (measured: 6.3, as a short search has a fixed cost), and log n by 7/3
# (measured: 3.6, as caches add a little).
SMALL, LARGE, LIMIT = 64, 1 << 14, 5.0
LOOKUPS = 1 << 12

LOOK_UP_TEMPLATE = """
#include "spe.h"

struct table { const uint32_t *keys; uint64_t n; const uint32_t *targets; uint64_t lookups, next; };   /* keys are sorted, targets are keys */

uint64_t look_up(struct table *state, uint64_t work)   /* the sum of the places of the next `work` targets */
{
    uint64_t sum = 0;
    for (; work > 0; work--) {
        uint32_t target = state->targets[state->next];
        if (++state->next == state->lookups)
            state->next = 0;
        uint64_t place = 0;
        while (state->keys[place] < target)
            place++;
        sum += place;
    }
    return sum;
}
"""

LOOK_UP_SOLUTION = """
#include "spe.h"

struct table { const uint32_t *keys; uint64_t n; const uint32_t *targets; uint64_t lookups, next; };

uint64_t look_up(struct table *state, uint64_t work)
{
    uint64_t sum = 0;
    for (; work > 0; work--) {
        uint32_t target = state->targets[state->next];
        if (++state->next == state->lookups)
            state->next = 0;
        uint64_t place = 0;
        for (uint64_t length = state->n; length > 1;) {   /* each step halves the range */
            uint64_t half = length / 2;
            if (state->keys[place + half] <= target)
                place += half;
            length -= half;
        }
        sum += place;
    }
    return sum;
}
"""


def judge_eight(answer: Any, run: Run | None = None) -> Verdict:
    run = own_run(run, "numerical.fit")
    if not isinstance(answer, dict) or set(answer) - set(SETTINGS):
        rule = f"the answer must be a dictionary with some of {', '.join(SETTINGS)}"
        raise SpeLabError(f"{rule}, got {answer!r:.80}; write for example {{'points': 8}}")
    lab = registry.get("numerical.fit")
    point = lab.point(answer)
    if point["points"] > MOST_POINTS:
        return Verdict("wrong", f"at most {MOST_POINTS} points are allowed, and the answer takes {point['points']:g}")
    sample = Sample.of(run.measured[0], point)
    errors = Errors.of(sample, point["basis"])
    tested = errors.kind != "at"
    held_out = errors.relative[tested]
    if held_out.size < MOST_POINTS:
        return Verdict("inconclusive", f"only {held_out.size} sizes are left to judge by; measure the whole sweep")
    reached = float(np.quantile(held_out, WANTED))
    result = f"nine of ten held-out sizes are within {share(reached)}"
    if reached <= WITHIN:
        return Verdict("right", f"{result}, with {errors.given.size} points")
    outside = (errors.kind == "outside").sum()
    if outside > 0.1 * held_out.size:
        return Verdict(
            "wrong", f"{result}: {outside} of them lie outside the sampled range, which no basis can predict"
        )
    # The error may come from the measurement: from the intervals at the held-out size and at the given sizes.
    surely = held_out - sample.half_widths[tested] - sample.floor
    wanted = f"{result}, and {share(WITHIN)} is required"
    if np.quantile(np.nan_to_num(surely, nan=0.0), WANTED) <= WITHIN:  # without an interval any error is possible
        unknown = "the measured times are too uncertain to tell; measure again with more time, on a quieter machine"
        return Verdict("inconclusive", f"{wanted}, but {unknown}")
    return Verdict("wrong", f"{wanted}. Is a point near each bend of the curve, and does the basis bend only there?")


def judge_stairs(answer: Any) -> Verdict:
    steps = number(answer, "steps that are missing on average")
    if math.isclose(steps, 0.5, rel_tol=1e-6):
        return Verdict("right", "⌈u⌉ − u falls evenly from 1 to 0 between two whole numbers u")
    if math.isclose(steps, 1, rel_tol=1e-6):
        worst = "that is the worst place, just above a power of two; just below the next one nothing is missing"
        return Verdict("wrong", worst)
    cure = "draw the stairs, and the line through their corners"
    return Verdict("wrong", f"{steps:g} is not the mean of ⌈u⌉ − u over one unit of u = log₂ n: {cure}")


FACTOR = 3**2.5 / 6  # the power law gives 4 t · 3^(20/8) at 2²⁴, and the true time is 24 t


def judge_extrapolation(answer: Any) -> Verdict:
    factor = number(answer, "how many times too large or too small the law is")
    if math.isclose(factor, FACTOR, rel_tol=0.02):
        return Verdict(
            "right", f"3^(5/2) / 6 = {FACTOR:.2f}, at only two and a half times as many octaves as were sampled"
        )
    if math.isclose(factor, 1 / FACTOR, rel_tol=0.02):
        return Verdict("wrong", "nearly: that is the true time over the law's. The law is too large, by the inverse")
    if math.isclose(factor, math.log2(3) / 8, rel_tol=0.02):
        return Verdict("wrong", "nearly: that is the exponent b. Now go from 2⁴ to 2²⁴ with it, and compare with 24 t")
    cure = "T(2¹²) / T(2⁴) = 3 = (2⁸)^b gives b; then divide a · n^b at n = 2²⁴ by 24 t"
    return Verdict("wrong", f"{factor:g} is not the factor: {cure}")


def judge_look_up(answer: Any) -> Verdict:
    means = f"a lookup among {LARGE} keys takes {{}} times as long as one among {SMALL}"
    wrong = f": with b = 0 it must be less than {LIMIT:g}. How many keys does a lookup compare?"
    right = ": log₂ n grows from 6 to 14, and cache misses add a little"
    return judge_c(answer, run_look_up, means, name="look_up", limit=LIMIT, below=True, right=right, wrong=wrong)


def run_look_up(own: native.Library) -> tuple[float, float, float] | str:
    """Check the reader's look_up against numpy, then time it among LARGE and among SMALL keys, interleaved."""
    try:
        table = own.struct("table")
        own.address("look_up")
    except (KeyError, AttributeError):
        needed = "struct table and uint64_t look_up(struct table *state, uint64_t work)"
        return f"the source must declare {needed}, as the template does"
    tables = {}
    for n, work in ((1, 3), (2, 5), (7, 40), (1000, 1000), (SMALL, LOOKUPS), (LARGE, LOOKUPS)):
        rng = np.random.default_rng(n)
        keys = np.cumsum(rng.integers(1, 1000, n)).astype(np.uint32)
        places = rng.integers(0, n, LOOKUPS)
        targets = keys[places]
        state = table(keys.ctypes.data, n, targets.ctypes.data, LOOKUPS, 0)
        tables[n] = state, (keys, targets)
        expected, total = int(places[:work].sum()), own.look_up(state, work)
        if total != expected:
            return f"the places of {work} targets among {n} keys must add up to {expected}, and they add up to {total}"
        if state.next != work % LOOKUPS:
            rule = f"after {work} lookups `next` must be {work % LOOKUPS}, and it is {state.next}"
            return f"{rule}: the next call continues there"
    large, small = (
        Point("look_up", own.address("look_up"), tables[n][0], LOOKUPS, tables[n][1]) for n in (LARGE, SMALL)
    )
    return compare(large, small, budget_s=2.0)


EXERCISES = Exercises(
    "numerical",
    {
        "eight": Exercise(
            "Spend eight points: choose settings of the fit such that nine of ten sizes which it was not given are"
            " predicted within 30 %, from 16 to 8 Mi keys.",
            (
                "Sizes outside the sampled range are predicted worst. Which two sizes should always be among the points?",
                "One polynomial bends everywhere if it bends anywhere. Which bases bend only where the points do?",
            ),
            {"basis": "monotone spline", "points": 8, "spacing": "log", "low": 16, "high": 1 << 23},
            "Points over the whole range at equal ratios leave nothing to extrapolate, and a local basis follows the steps"
            " of the caches without oscillating. The eight points describe one kernel on one machine; a second kernel needs"
            " eight more.",
            judge_eight,
        ),
        "stairs": Exercise(
            "A search takes ⌈log₂ n⌉ steps. A piecewise linear model over u = log₂ n is given the exact times at all powers"
            " of two. How many steps too low is it between them, averaged evenly over u?",
            (
                "Just above a power of two, how many steps too low is it? And just below the next one?",
                "The mean of ⌈u⌉ − u over 0 < u ≤ 1.",
            ),
            0.5,
            "At 2^k the line is exact. Just above, a search takes one more step, which the line reaches only at 2^(k+1)."
            " The difference falls evenly from 1 to 0. More powers of two would not show it.",
            judge_stairs,
        ),
        "extrapolation": Exercise(
            "Suppose T = t · log₂ n exactly. The law a · n^b goes through the times at n = 2⁴ and n = 2¹². By what factor"
            " is it too large at n = 2²⁴?",
            (
                "T(2¹²) / T(2⁴) = 12 / 4. Which b makes (2¹² / 2⁴)^b of that?",
                "b = log₂(3) / 8. From 2⁴ to 2²⁴ the law grows by 2^(20 b).",
            ),
            round(FACTOR, 3),
            "b = log₂(3)/8 ≈ 0.198, so the law gives 4t · 3^(20/8) = 62 t at 2²⁴. The true time is 24 t: a factor of"
            " 3^(5/2)/6. Between the two points its error is at most 14 %.",
            judge_extrapolation,
        ),
        "look_up": Exercise(
            "Change look_up so that the law a · n^b · (log n)^c fits its time with b = 0 and c = 1; as it is, b = 1 and c"
            " = 0.",
            (
                "c = 1 and b = 0: each comparison must halve the range of places. The keys are sorted.",
                "Keep the first possible place of the target and the number of places; compare with the key in the middle.",
            ),
            LOOK_UP_SOLUTION,
            "A comparison with the middle key halves the range, so ⌈log₂ n⌉ comparisons are enough. A fit would give b and"
            " c, but not the reason.",
            judge_look_up,
        ),
    },
)
