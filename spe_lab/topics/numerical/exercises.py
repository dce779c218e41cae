"""Exercises of chapter 03a: eight points on the reader's own curve, three by hand, and a search in C."""

import math
import random
from typing import Any

import numpy as np

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, compared, judge_c, number, own_run
from spe_lab.core.sampling.kernels import Point
from spe_lab.topics.numerical.fitting import SETTINGS, Errors, Sample, share
from spe_lab.topics.numerical.searching import kernels

MOST_POINTS, WANTED, WITHIN = 8, 0.9, 0.3
# Between these sizes a law n grows by 256, √n by 16 (measured: 6.3, as a short search has a fixed cost), and log n by 7/3
# (measured: 3.6, as caches add a little).
SMALL, LARGE, LIMIT = 64, 1 << 14, 5.0
LOOKUPS = 1 << 12
SLOWEST = 8.0  # times our own search: a branch on each key costs up to half a misprediction a step, a delay costs more

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


def judge_eight(answer: Any, run: Any = None) -> Verdict:
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


OCTAVES = ((4, 12, 24), (4, 8, 20), (3, 9, 21), (5, 15, 25), (6, 12, 24), (4, 16, 32))
DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_two(exponent: int) -> str:
    """Return 2 to this exponent as text.

    >>> power_of_two(12)
    '2¹²'
    """
    return "2" + str(exponent).translate(DIGITS)


def law_over_truth(first: int, second: int, beyond: int) -> float:
    """Return by how much a · n^b through the times t · log₂ n at two powers of two is too large at a third one."""
    return first * (second / first) ** ((beyond - first) / (second - first)) / beyond


def make_extrapolation(rng: random.Random) -> Exercise:
    """Ask how far a power law through two points of t · log₂ n is off at a third."""
    first, second, beyond = rng.choice(OCTAVES)
    n1, n2, n3 = map(power_of_two, (first, second, beyond))
    right, ratio, span = law_over_truth(first, second, beyond), second / first, second - first
    exponent, reach = math.log2(ratio) / span, (beyond - first) / span

    def judge(answer: Any) -> Verdict:
        factor = number(answer, "how many times too large the law is")
        if math.isclose(factor, right, rel_tol=0.02):
            return Verdict("right", f"{first} · {ratio:.3g}^{reach:.3g} / {beyond} = {right:.2f}")
        if math.isclose(factor, 1 / right, rel_tol=0.02):
            return Verdict(
                "wrong", "nearly: that is the true time over the law's. The law is too large, by the inverse"
            )
        if math.isclose(factor, exponent, rel_tol=0.02):
            follow = f"now go from {n1} to {n3} with it, and compare with {beyond} t"
            return Verdict("wrong", f"nearly: that is the exponent b; {follow}")
        if math.isclose(factor, right * beyond, rel_tol=0.02):
            return Verdict("wrong", f"nearly: that is the law's time in units of t. The true time is {beyond} t")
        cure = f"T({n2}) / T({n1}) = {ratio:.3g} = ({n2} / {n1})^b gives b; then divide a · n^b at {n3} by {beyond} t"
        return Verdict("wrong", f"{factor:g} is not the factor: {cure}")

    return Exercise(
        f"Suppose T = t · log₂ n exactly. The law a · n^b goes through the times at n = {n1} and n = {n2}. By what factor"
        f" is it too large at n = {n3}?",
        (
            f"T({n2}) / T({n1}) = {second} / {first}. Which b makes ({n2} / {n1})^b of that?",
            f"b = log₂({ratio:.3g}) / {span}. From {n1} to {n3} the law grows by 2^({beyond - first} b).",
        ),
        round(right, 3),
        f"b = log₂({ratio:.3g}) / {span} ≈ {exponent:.3f}, so the law gives {first}t · {ratio:.3g}^{reach:.3g} ="
        f" {right * beyond:.3g} t at {n3}. The true time is {beyond} t: a factor of {right:.2f}.",
        judge,
    )


def make_moved(rng: random.Random) -> Exercise:
    """Ask where the steep part of the curve begins with records of another size."""
    exponent, wide = rng.choice((18, 19, 20, 21)), rng.choice((8, 16, 32))
    before, right = 2**exponent, 2**exponent * 4 // wide

    def judge(answer: Any) -> Verdict:
        records = number(answer, "a number of records")
        if math.isclose(records, right, rel_tol=0.01):
            return Verdict("right", f"the cache holds {before * 4 >> 10} KiB in both cases")
        if math.isclose(records, before, rel_tol=0.01):
            return Verdict("wrong", "the number of records is unchanged, but a cache holds bytes, not records")
        if math.isclose(records, before * wide / 4, rel_tol=0.01):
            return Verdict("wrong", "that is the inverse: wider records fill the cache earlier")
        return Verdict(
            "wrong", f"{records:g} records are {records * wide / 1024:.4g} KiB. How many KiB were steep before?"
        )

    return Exercise(
        f"With records of 4 bytes the time per lookup becomes steep at n = {power_of_two(exponent)} records. From how many"
        f" records on is it steep if a record has {wide} bytes?",
        (
            "A cache holds bytes. How many bytes are the records where the curve becomes steep?",
            "n · r = C in both cases.",
        ),
        right,
        f"The array reaches the cache's capacity at n · r = {before * 4} B, so n = {right}. The analytical model contains"
        " r; a function through measured points has no place for it.",
        judge,
    )


def judge_look_up(answer: Any) -> Verdict:
    means = f"a lookup among {LARGE} keys takes {{}} times as long as one among {SMALL}"
    wrong = f": with b = 0 it must be less than {LIMIT:g}. How many keys does a lookup compare?"
    right = ": log₂ n grows from 6 to 14, and cache misses add a little"
    limits: dict[str, Any] = {"limit": LIMIT, "below": True, "absolute": SLOWEST}
    return judge_c(answer, run_look_up, means, name="look_up", right=right, wrong=wrong, **limits)


def run_look_up(own: native.Library) -> tuple[tuple[float, float, float], ...] | str:
    """Check the reader's look_up against numpy, then time it among LARGE and among SMALL keys, and beside our search."""
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
    library = kernels()
    keys = 2 * np.arange(LARGE, dtype=np.uint32) + 1
    search = library.struct("search")(keys.ctypes.data, LARGE, 1, 1)
    ours = Point("ours", library.address("search_predicated"), search, LOOKUPS, keys)
    return compared([large, small, ours], (0, 1), (0, 2))


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
        "extrapolation": Seeded(make_extrapolation),
        "moved": Seeded(make_moved),
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
            template=LOOK_UP_TEMPLATE,
        ),
    },
)
