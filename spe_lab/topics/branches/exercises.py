"""Exercises of chapter 03d: on the reader's own curve, by hand, in C, and on sorted data."""

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

FLAT = 1.25  # with a branch, p = 1/2 takes two to four times as long as p = 0; without a branch, equally long
SORTED_KEYS = 1_000_000


def judge_worst(answer: Any, run: Run | None = None) -> Verdict:
    share = number(answer, "the share p at which an element costs most")
    if run is None or run.lab != "branches.selectivity" or run.measured[0].source == "recorded":
        raise SpeLabError("this exercise needs your own measurement; pass run=explorer.measured()")
    curve = run.measured[0]
    if not np.isfinite(curve.values).any():
        return Verdict("inconclusive", "no point has a clean sample; measure again on a quieter machine")
    worst = worst_of(run)
    measured = f"on your machine an element takes longest at p = {worst:g}"
    if abs(share - worst) <= 0.1:
        return Verdict("right", f"{measured}: there an outcome is least certain")
    if share in (0, 1):
        learned = f"With p = {share:g} every branch goes the same way, and a counter learns that in two steps"
        return Verdict("wrong", f"{measured}. {learned}")
    return Verdict("wrong", f"{measured}. At which p does the last outcome say least about the next one?")


def worst_of(run: Run) -> float:
    curve = run.measured[0]
    return float(curve.x.values[np.nanargmax(curve.values)]) if np.isfinite(curve.values).any() else 0.5


def judge_two_states(answer: Any) -> Verdict:
    import sympy

    try:
        p = models.symbol("p")
        given = sympy.sympify(answer, locals={"p": p, "q": 1 - p})
        meaning = {"p": p, "q": 1 - p}  # by name: the reader's symbols may carry other assumptions
        given = given.subs({s: meaning[s.name] for s in given.free_symbols if s.name in meaning})
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
        why = "the state is the last outcome, so a misprediction is a change: p · (1 − p) up and (1 − p) · p down"
        return Verdict("right", why)
    if sympy.simplify(2 * given - right) == 0:
        return Verdict("wrong", "that is one of two kinds of misprediction: taken after not taken. What is the other?")
    if sympy.simplify(given - models.misprediction(4)) == 0:
        why = "that is the rate of four states; with two, one outcome is enough to change the prediction"
        return Verdict("wrong", why)
    answered, expected = (float(rate.subs(p, sympy.Rational(1, 5))) for rate in (given, right))
    return Verdict("wrong", f"at p = 1/5 it gives {answered:.3g}, and two states mispredict {expected:.3g}")


def judge_predicate(answer: Any) -> Verdict:
    means = "an element takes {} times as long at p = 1/2 as at p = 0"
    wrong = f": it must be below {FLAT}. Is there still a jump that depends on a key?"
    right = ": no branch is left to mispredict"
    return judge_c(answer, run_predicate, means, name="sum_below", limit=FLAT, below=True, right=right, wrong=wrong)


def run_predicate(own: native.Library) -> tuple[float, float, float] | str:
    """Check the reader's sum_below against numpy, then time it at p = 1/2 and p = 0, interleaved."""
    data = Data(0)
    try:
        keys = own.struct("keys")
        own.address("sum_below")
    except (KeyError, AttributeError):
        needed = "struct keys and uint64_t sum_below(struct keys *state, uint64_t work)"
        return f"the source must declare {needed}, as the template does"
    for n, work, share in ((1, 3, 1.0), (7, 20, 0.5), (1000, 1000, 0.3), (1000, 0, 0.5)):
        threshold = round(share * KEY_RANGE)
        state = keys(data.keys.ctypes.data, n, 0, threshold)
        walked = np.resize(data.keys[:n], work)
        expected, total = int(walked[walked < threshold].sum(dtype=np.int64)), own.sum_below(state, work)
        if total != expected:
            keys_read = f"{work} keys below {threshold}, from {n} keys read cyclically"
            return f"the sum of {keys_read}, must be {expected}, and it is {total}"
        if state.position != work % n:
            rule = f"after {work} of {n} keys the position must be {work % n}, and it is {state.position}"
            return f"{rule}: the next call continues there"
    states = (keys(data.keys.ctypes.data, KEYS, 0, threshold) for threshold in (KEY_RANGE // 2, 0))
    often, never = (Point("sum_below", own.address("sum_below"), state, keep=data) for state in states)
    return compare(often, never, budget_s=2.0)


def judge_sorted(answer: Any) -> Verdict:
    missed = number(answer, "mispredictions in one pass")
    if missed == 2:
        return Verdict("right", "two where taken changes to not taken; all other branches are predicted")
    if missed in (1, 3):
        return Verdict("wrong", "close: from state 3, after how many not-taken branches is not taken predicted?")
    if math.isclose(missed, SORTED_KEYS / 2, rel_tol=0.05):
        return Verdict("wrong", "that is the number in random order; here an outcome almost always equals the previous")
    cure = "follow the counter through T … T N … N with branches.follow"
    return Verdict("wrong", f"{missed:g} is not the number: {cure}")


EXERCISES = Exercises(
    "branches",
    {
        "worst": Exercise(
            "Before you measure: at which share p does an element of the branching loop cost most?",
            (
                "The penalty is paid for each misprediction.",
                "When is an outcome least certain? The base times bend the curve a little.",
            ),
            0.5,
            "An outcome is least certain at p = 1/2, where every predictor is wrong half of the time. The times of the two"
            " paths, t₀ and t₁, may shift the peak a little.",
            judge_worst,
            worst_of,
        ),
        "two_states": Exercise(
            "Derive the misprediction rate of a counter with two states, which predicts the last outcome again, as an"
            " expression in p.",
            (
                "It mispredicts whenever an outcome differs from the previous outcome.",
                "P(taken, then not) + P(not taken, then taken); outcomes are independent.",
            ),
            "2*p*(1-p)",
            "The state is the last outcome. A misprediction is a change of outcome, up or down: p(1 − p) + (1 − p)p.",
            judge_two_states,
        ),
        "predicate": Exercise(
            "Change sum_below so that an element takes the same time at p = 1/2 as at p = 0, with the same result.",
            (
                "While the machine code jumps over the addition, the jump can be mispredicted. What could always be added?",
                (
                    "A comparison in C is 0 or 1; its negative, as an unsigned number, has all bits set or none. The line"
                    " with SPE_OPAQUE keeps the branch."
                ),
            ),
            PREDICATE_SOLUTION,
            "The comparison becomes a mask, and the masked key is always added: a data dependence in place of a control"
            " dependence. The time is the same for each p, so a branch is faster if it is predicted well and skips expensive"
            " work.",
            judge_predicate,
        ),
        "sorted": Exercise(
            "A million sorted keys, half of them below the threshold; the 4-state counter starts strongly taken. How many"
            " mispredictions does one pass have?",
            (
                "Sorted, the outcomes are T T T … T N N … N.",
                "Follow the counter where T changes to N: branches.follow('TTTNNN', initial=3).",
            ),
            2,
            "Only two branches are mispredicted, where the outcome changes. In random order the same keys cause half a"
            " million mispredictions.",
            judge_sorted,
        ),
    },
)
