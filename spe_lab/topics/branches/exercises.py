"""Exercises of chapter 03d: on the reader's own curve, by hand, in C, on sorted data, and the break-even of a branch."""

import math
import random
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, compared, judge_c, number, own_run
from spe_lab.core.reader.expression import harmless
from spe_lab.core.recording import Run
from spe_lab.core.sampling.kernels import Point
from spe_lab.models import predictor as models
from spe_lab.topics.branches.selection import KEY_RANGE, KEYS, Data
from spe_lab.topics.branches.simulator import follow

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
AS_LONG = 3.0  # times as long as our own predicated loop, at most: a delay also makes both shares equally slow


def times_of(run: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return low, value and high of the branching loop's time at p = 0, 1/2 and 1 in the reader's run."""
    curve = own_run(run, "branches.selectivity", payload="none").measured[0]
    places = [np.flatnonzero(np.isclose(curve.x.values, p)) for p in (0.0, 0.5, 1.0)]
    if not all(map(len, places)):
        raise MeasurementError("the run must have points at p = 0, 0.5 and 1, and one is missing; measure again")
    low, value, high = (part[[place[0] for place in places]] for part in (curve.low, curve.values, curve.high))
    if not np.isfinite([low, value, high]).all():
        raise MeasurementError("a point at p = 0, 0.5 or 1 has no clean sample; measure again on a quieter machine")
    return low, value, high


def penalty_of(run: Any) -> float:
    """Return P = 2 (T(1/2) − (T(0) + T(1)) / 2): half of the branches are mispredicted at p = 1/2."""
    never, often, always = times_of(run)[1]
    return float(2 * (often - (never + always) / 2))


def judge_penalty(answer: Any, run: Run | None = None) -> Verdict:
    low, value, high = times_of(run)  # first: without a run of one's own, no answer is wrong
    penalty = number(answer, "the penalty of a misprediction in ns")
    least, most = (2 * (a[1] - (b[0] + b[2]) / 2) for a, b in ((low, high), (high, low)))
    never, often, always = value
    found = penalty_of(run)
    result = f"2 · ({often:.3g} − ({never:.3g} + {always:.3g}) / 2) = {found:.3g} ns"
    if least * 0.97 <= penalty <= most * 1.03:  # read off a figure
        return Verdict("right", result)
    if math.isclose(penalty, found / 2, rel_tol=0.05):
        return Verdict(
            "wrong", "that is what an element costs more in the mean; but only half of them are mispredicted"
        )
    if math.isclose(penalty, 2 * often, rel_tol=0.05) or math.isclose(penalty, often, rel_tol=0.05):
        return Verdict("wrong", "an element also costs time when its branch is predicted; subtract that first")
    if math.isclose(penalty, 2 * (often - never), rel_tol=0.05):
        why = "half of the elements are selected, and a selected element has another base time than a skipped one"
        return Verdict("wrong", f"{why}: subtract the mean of the times at p = 0 and p = 1")
    return Verdict("wrong", f"your run allows {least:.3g} to {most:.3g} ns. How many branches are mispredicted at 1/2?")


def judge_two_states(answer: Any) -> Verdict:
    import sympy

    try:
        p = models.symbol("p")
        given = sympy.sympify(harmless(answer), locals={"p": p, "q": 1 - p})
        meaning = {"p": p, "q": 1 - p}  # by name: the reader's symbols may carry other assumptions
        given = given.subs({s: meaning[s.name] for s in given.free_symbols if s.name in meaning})
        names = sorted(s.name for s in given.free_symbols)
        if not isinstance(given, sympy.Expr):  # such as p < 1, True or (p, q)
            raise TypeError
    except (sympy.SympifyError, TypeError, AttributeError, SyntaxError, ValueError):
        raise SpeLabError(
            f"the answer must be an expression in p, got {answer!r:.80}; write for example p*(1-p)"
        ) from None
    if names not in ([], ["p"]):
        raise SpeLabError(
            f"the answer must be an expression in p alone, got the symbols {', '.join(names)}; put q = 1 − p"
        )
    right = models.misprediction(2)
    value = sympy.sympify(given.subs(p, sympy.Rational(1, 5)))
    if not (value.is_real and value.is_finite):
        return Verdict("wrong", "at p = 1/5 it is not a real number; a rate lies between 0 and 1 for every p")
    if sympy.simplify(given - right) == 0:
        why = "the state is the last outcome, so a misprediction is a change: p · (1 − p) up and (1 − p) · p down"
        return Verdict("right", why)
    if sympy.simplify(2 * given - right) == 0:
        return Verdict("wrong", "that is one of two kinds of misprediction: taken after not taken. What is the other?")
    if sympy.simplify(given - models.misprediction(4)) == 0:
        why = "that is the rate of four states; with two, one outcome is enough to change the prediction"
        return Verdict("wrong", why)
    expected = float(right.subs(p, sympy.Rational(1, 5)))
    return Verdict("wrong", f"at p = 1/5 it gives {float(value):.3g}, and two states mispredict {expected:.3g}")


def judge_predicate(answer: Any) -> Verdict:
    means = "an element takes {} times as long at p = 1/2 as at p = 0"
    wrong = f": it must be below {FLAT}. Is there still a jump that depends on a key?"
    right = ": no branch is left to mispredict"
    limits: dict[str, Any] = {"limit": FLAT, "below": True, "absolute": AS_LONG}
    return judge_c(answer, run_predicate, means, name="sum_below", right=right, wrong=wrong, **limits)


def run_predicate(own: native.Library) -> tuple[tuple[float, float, float], ...] | str:
    """Check the reader's sum_below against numpy, then time it at p = 1/2 beside p = 0 and beside our own loop."""
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
    return compared([often, never, data.point("predicated", 0.5)], (0, 1), (0, 2), budget_s=2.0)


def sorted_keys(rng: random.Random) -> Exercise:
    """Return the exercise on sorted data for a counter, a first state and an order that are drawn."""
    states, first_selected = rng.choice((4, 6, 8)), rng.choice((True, False))
    initial, n = rng.choice((0, states - 1)), rng.choice((1, 2, 4)) * 1_000_000
    order, outcomes = ("rising", "TTTTTTTTNNNNNNNN") if first_selected else ("falling", "NNNNNNNNTTTTTTTT")
    half = states // 2
    missed = sum(step.predicted != step.taken for step in follow(outcomes, states, initial=initial))
    changes = missed // half  # of the prediction, each after half of the states
    start = "strongly not taken" if initial == 0 else "strongly taken"
    short = f"{outcomes[0] * 3} … {outcomes[0]} {outcomes[-1] * 2} … {outcomes[-1]}"

    def judge(answer: Any) -> Verdict:
        given = number(answer, "mispredictions in one pass")
        if given == missed:
            return Verdict("right", f"{half} for each time that the counter must change its prediction")
        if given == (half if changes == 2 else 2 * half):
            why = "count the changes of prediction: the counter may have to learn the first outcomes as well"
            return Verdict("wrong", f"{why}. It starts {start}, and the first outcome is {outcomes[0]}")
        if given in (missed - 1, missed + 1, changes, 2 * changes):
            why = f"close: with {states} states, how many equal outcomes does a change of prediction take"
            return Verdict("wrong", f"{why} from one end?")
        if math.isclose(given, n / 2, rel_tol=0.05):
            return Verdict(
                "wrong", "that is the number in random order; here an outcome mostly equals the previous one"
            )
        return Verdict("wrong", f"{given:g} is not the number: follow the counter through {short} with branches.follow")

    follow_it = f"branches.follow({outcomes[4:12]!r}, states={states}, initial={initial})"
    return Exercise(
        f"{n:,} keys in {order} order, half of them below the threshold. An element is selected if its key is below it;"
        f" T means selected. The {states}-state counter starts {start}. How many mispredictions does one pass have?",
        (f"Sorted, the outcomes are {short}.", f"Follow the counter where the outcomes change: {follow_it}."),
        missed,
        f"From one end, {half} outcomes change the prediction of {states} states. The prediction changes"
        f" {'once' if changes == 1 else 'twice'} in a pass. In random order the same keys cause {n // 2:,}"
        " mispredictions.",
        judge,
    )


def break_even(rng: random.Random) -> Exercise:
    """Return the exercise on the share below which a branch is faster, for times that are drawn."""
    never, gap = rng.randrange(4, 9) / 10, rng.randrange(2, 5) / 10
    always, penalty = never + gap, float(rng.randrange(4, 9))
    predicated = always + rng.randrange(1, 7) / 10
    share = (predicated - never) / (penalty + gap)

    def judge(answer: Any) -> Verdict:
        p = number(answer, "a share between 0 and 1/2")
        if math.isclose(p, share, rel_tol=0.02):
            return Verdict("right", f"({predicated:.1f} − {never:.1f}) / ({penalty:g} + {gap:.1f}) = {share:.3f}")
        if math.isclose(p, 1 - share, rel_tol=0.02) or math.isclose(p, 100 * share, rel_tol=0.02):
            return Verdict(
                "wrong", "the right size, in another form: give the share below 1/2, as a number from 0 to 1/2"
            )
        if math.isclose(p, (predicated - never) / penalty, rel_tol=0.005):
            return Verdict("wrong", "nearly: an element that is selected also has another base time")
        if math.isclose(p, predicated / (penalty + gap), rel_tol=0.02) or math.isclose(
            p, predicated / penalty, rel_tol=0.02
        ):
            return Verdict(
                "wrong", "a branch has a base time as well: only what predication costs more than that counts"
            )
        if not 0 <= p <= 0.5:
            return Verdict("wrong", "it must lie between 0 and 1/2: beyond, the rarer outcome is “not selected”")
        cost = (1 - p) * never + p * always + p * penalty
        return Verdict(
            "wrong", f"at p = {p:g} the branching loop takes {cost:.3g} ns, the predicated {predicated:.1f} ns"
        )

    return Exercise(
        f"An element takes {never:.1f} ns if it is skipped and {always:.1f} ns if it is selected, when the branch is"
        f" predicted; a misprediction costs {penalty:g} ns more. Without a branch every element takes {predicated:.1f} ns."
        " The predictor is ideal: it mispredicts the rarer outcome. Below which share p (up to 1/2) is the branch faster?",
        (
            "Below p = 1/2 an ideal predictor mispredicts each selected element.",
            "Solve (1 − p) · t₀ + p · t₁ + p · P = c for p.",
        ),
        round(share, 4),
        f"Each selected element costs t₁ − t₀ + P = {gap + penalty:.1f} ns more than a skipped one, and predication costs"
        f" c − t₀ = {predicated - never:.1f} ns more for each element: p = {share:.3f}.",
        judge,
    )


EXERCISES = Exercises(
    "branches",
    {
        "penalty": Exercise(
            "What does a misprediction cost on your machine, in ns? Use three points of your run of lab 2: the time of an"
            " element of the branching loop at p = 0, 1/2 and 1.",
            (
                "At p = 0 and p = 1 every branch is predicted. How many are mispredicted at p = 1/2?",
                (
                    "T(1/2) = (t₀ + t₁)/2 + P/2. The table beside the figure has the times;"
                    " `selectivity.run.measured[0].values` has them, too."
                ),
            ),
            "2 · (T(1/2) − (T(0) + T(1)) / 2)",
            "At p = 1/2 half of the elements are selected, which takes (T(0) + T(1))/2, and half of the branches are"
            " mispredicted, whatever the predictor does.",
            judge_penalty,
            penalty_of,
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
            template=PREDICATE_TEMPLATE,
        ),
        "sorted": Seeded(sorted_keys),
        "break_even": Seeded(break_even),
    },
)
