"""Exercises: one on the reader's own curve, one by hand, one in C, one on sorted data."""

import math
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, judge_c, number
from spe_lab.core.recording import Run
from spe_lab.core.sampling.kernels import Point, compare
from spe_lab.models import predictor as models
from spe_lab.topics.branches.selection import KEY_RANGE, KEYS, Data

PREDICATE_TEMPLATE = """
#include "spe.h"

struct keys { const int32_t *keys; uint64_t n, position; int64_t threshold; };

uint64_t sum_below(struct keys *state, uint64_t work)   /* the sum of the next `work` keys that lie below the threshold */
{
    uint64_t i = state->position, sum = 0;
    for (; work > 0; work--) {
        if (state->keys[i] < state->threshold) {
            sum += (uint64_t)state->keys[i];
            SPE_OPAQUE(sum);        /* this makes the compiler keep the branch */
        }
        if (++i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}
"""

PREDICATE_SOLUTION = """
#include "spe.h"

struct keys { const int32_t *keys; uint64_t n, position; int64_t threshold; };

uint64_t sum_below(struct keys *state, uint64_t work)
{
    uint64_t i = state->position, sum = 0;
    for (; work > 0; work--) {
        uint64_t below = state->keys[i] < state->threshold;   /* 0 or 1 */
        sum += (uint64_t)state->keys[i] & -below;             /* all bits, or none */
        if (++i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}
"""

FLAT = 1.25  # with the branch, p = 1/2 costs two to four times as much as p = 0; without one, the same
SORTED_KEYS = 1_000_000


def judge_worst(answer: Any, run: Run | None = None) -> Verdict:
    share = number(answer, "the share p at which an element costs most")
    if run is None or run.lab != "branches.selectivity" or run.measured[0].source == "recorded":
        raise SpeLabError("this exercise needs your own measurement; pass run=explorer.measured()")
    curve = run.measured[0]
    if not np.isfinite(curve.values).any():
        return Verdict("inconclusive", "no point has a clean sample; measure again on a quieter machine")
    worst = worst_of(run)
    said = f"your machine's dearest point is p = {worst:g}"
    if abs(share - worst) <= 0.1:
        return Verdict("right", f"{said}: where an outcome is least certain")
    if share in (0, 1):
        return Verdict(
            "wrong",
            f"{said}. With p = {share:g} every branch goes the same way, and a counter learns that in two steps",
        )
    return Verdict("wrong", f"{said}. At which p does the last outcome say least about the next one?")


def worst_of(run: Run) -> float:
    curve = run.measured[0]
    return float(curve.x.values[np.nanargmax(curve.values)]) if np.isfinite(curve.values).any() else 0.5


def judge_two_states(answer: Any) -> Verdict:
    import sympy

    try:
        given = sympy.sympify(answer, locals={"p": models.symbol("p"), "q": 1 - models.symbol("p")})
        p = models.symbol("p")
        given = given.subs(
            {s: {"p": p, "q": 1 - p}[s.name] for s in given.free_symbols if s.name in "pq"}
        )  # whatever was assumed of them
        names = sorted(s.name for s in given.free_symbols)
    except (sympy.SympifyError, TypeError, AttributeError, SyntaxError):
        raise SpeLabError(
            f"the answer must be an expression in p, got {answer!r:.80}; write for example p*(1-p)"
        ) from None
    if names not in ([], ["p"]):
        raise SpeLabError(
            f"the answer must be an expression in p alone, got the symbols {', '.join(names)}; put q = 1 − p"
        )
    right = models.misprediction(2)
    if sympy.simplify(given - right) == 0:
        return Verdict(
            "right",
            "the state is the last outcome, so a misprediction is a change: p · (1 − p) up and (1 − p) · p down",
        )
    if sympy.simplify(2 * given - right) == 0:
        return Verdict("wrong", "that is one of the two ways to be wrong: taken after not taken. And the other?")
    if sympy.simplify(given - models.misprediction(4)) == 0:
        return Verdict(
            "wrong", "that is the rate of four states; with two, one outcome is enough to change the prediction"
        )
    at = {models.symbol("p"): sympy.Rational(1, 5)}
    return Verdict(
        "wrong",
        f"at p = 1/5 it gives {float(given.subs(at)):.3g}, and two states mispredict {float(right.subs(at)):.3g}",
    )


def judge_predicate(answer: Any) -> Verdict:
    means = "an element takes {} times as long at p = 1/2 as at p = 0"
    wrong = f": below {FLAT} is asked for. Is there still a jump that depends on a key?"
    return judge_c(
        answer,
        run_predicate,
        means,
        name="sum_below",
        limit=FLAT,
        below=True,
        right=": nothing is left to mispredict",
        wrong=wrong,
    )


def run_predicate(own: native.Library) -> tuple[float, float, float] | str:
    """Checks the reader's sum_below against numpy, then times it at p = 1/2 and p = 0, interleaved."""
    data = Data(0)
    try:
        keys = own.struct("keys")
        own.address("sum_below")
    except (KeyError, AttributeError):
        return (
            "the source must declare struct keys and uint64_t sum_below(struct keys *state, uint64_t work), as the"
            " template does"
        )
    for n, work, share in ((1, 3, 1.0), (7, 20, 0.5), (1000, 1000, 0.3), (1000, 0, 0.5)):
        threshold = round(share * KEY_RANGE)
        state = keys(data.keys.ctypes.data, n, 0, threshold)
        walked = np.resize(data.keys[:n], work)
        expected, found = int(walked[walked < threshold].sum(dtype=np.int64)), own.sum_below(state, work)
        if found != expected:
            return (
                f"the sum of {work} keys below {threshold}, from {n} keys read in turn, must be {expected}, and it is"
                f" {found}"
            )
        if state.position != work % n:
            return (
                f"after {work} of {n} keys the position must be {work % n}, and it is {state.position}: the next call"
                " goes on from there"
            )
    states = (keys(data.keys.ctypes.data, KEYS, 0, threshold) for threshold in (KEY_RANGE // 2, 0))
    often, never = (Point("sum_below", own.address("sum_below"), state, keep=data) for state in states)
    return compare(often, never, budget_s=2.0)


def judge_sorted(answer: Any) -> Verdict:
    missed = number(answer, "mispredictions in one pass")
    if missed == 2:
        return Verdict("right", "two at the place where taken turns into not taken, and then half a million right ones")
    if missed in (1, 3):
        return Verdict(
            "wrong",
            "close: from state 3, how many not-taken branches does it take until the counter predicts not taken?",
        )
    if math.isclose(missed, SORTED_KEYS / 2, rel_tol=0.05):
        return Verdict("wrong", "that is what random order costs; here an outcome almost always equals the one before")
    return Verdict(
        "wrong", f"{missed:g} is not the number: follow the counter through T … T N … N with branches.follow"
    )


EXERCISES = Exercises(
    "branches",
    {
        "worst": Exercise(
            "Before you measure: at which share p does an element of the branching loop cost most?",
            (
                "The penalty is paid for what is not predicted.",
                "When is an outcome least certain? The base times bend the curve a little.",
            ),
            0.5,
            "An outcome is least certain at p = 1/2, where every second guess is wrong whatever the predictor does. The"
            " times of the two ways, t₀ and t₁, may shift the peak a little.",
            judge_worst,
            worst_of,
        ),
        "two_states": Exercise(
            "Derive the misprediction rate of a counter with two states, which predicts the last outcome again, as an"
            " expression in p.",
            (
                "It mispredicts whenever an outcome differs from the one before.",
                "P(taken, then not) + P(not taken, then taken); outcomes are independent.",
            ),
            "2*p*(1-p)",
            "The state is the last outcome. A misprediction is a change of outcome, up or down: p(1 − p) + (1 − p)p.",
            judge_two_states,
        ),
        "predicate": Exercise(
            "Change sum_below so that an element takes the same time at p = 1/2 as at p = 0, with the same result.",
            (
                (
                    "As long as the machine code jumps over the addition, the jump can be mispredicted. Which value could"
                    " always be added?"
                ),
                (
                    "A comparison in C is 0 or 1; its negative, as an unsigned number, has all bits set or none. The line"
                    " with SPE_OPAQUE keeps the branch."
                ),
            ),
            PREDICATE_SOLUTION,
            "The comparison becomes a mask and every key is added, most of them as zero: a data dependence in place of a"
            " control dependence. It costs the same for each p, so it loses where the branch is well predicted and the work"
            " behind it is dear.",
            judge_predicate,
        ),
        "sorted": Exercise(
            "A million sorted keys, half of them below the threshold; the 4-state counter starts strongly taken. How many"
            " mispredictions does one pass have?",
            (
                "Sorted, the outcomes are T T T … T N N … N.",
                "Follow the counter where T turns into N: branches.follow('TTTNNN', initial=3).",
            ),
            2,
            "All is predicted but two branches at the turn. The same keys in random order cost half a million"
            " mispredictions.",
            judge_sorted,
        ),
    },
)
