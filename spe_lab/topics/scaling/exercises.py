"""Exercises of chapter 05a: laws of speed-up with drawn numbers, two loops in C; and planning.py's."""

import math
import random
from collections import deque
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import cpus
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, judge_c, number
from spe_lab.core.reader.expression import harmless
from spe_lab.core.sampling.kernels import Point, compare
from spe_lab.core.sampling.teams import Setting, interleaved, ran_together
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.planning import PLANNING

CLOSE = 0.03  # relative error of a right number
VALUES = 20_000  # summed in one trial: about 100 µs with a lock for each
FASTER = 0.75  # time with two threads over time with one; a lock for each value makes it more than 1
CHAINED, UNCHAINED = 4096, 0.6  # elements of a product; its time over that of one chain

LOCK_TEMPLATE = """
#include "team.h"

struct sum { const int32_t *values; uint64_t n; pthread_mutex_t lock; uint64_t total; };

/* Every one of `threads` members adds its part of the values to the total, at the same time. */
void add_part(struct sum *sum, int32_t member, int32_t threads)
{
    for (uint64_t i = (uint64_t)member; i < sum->n; i += (uint64_t)threads) {
        pthread_mutex_lock(&sum->lock);
        sum->total += (uint64_t)sum->values[i];
        pthread_mutex_unlock(&sum->lock);
    }
}
"""

LOCK_SOLUTION = """
#include "team.h"

struct sum { const int32_t *values; uint64_t n; pthread_mutex_t lock; uint64_t total; };

void add_part(struct sum *sum, int32_t member, int32_t threads)
{
    uint64_t part = 0;                              /* nobody else sees it */
    for (uint64_t i = (uint64_t)member; i < sum->n; i += (uint64_t)threads) {
        part += (uint64_t)sum->values[i];
        SPE_OPAQUE(part);
    }
    pthread_mutex_lock(&sum->lock);                 /* once for each thread */
    sum->total += part;
    pthread_mutex_unlock(&sum->lock);
}
"""

CHAIN_TEMPLATE = """
#include <stdint.h>

float dot(const float *x, const float *y, uint64_t n)   /* the sum of x[i] * y[i] */
{
    float sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}
"""

CHAIN_SOLUTION = """
#include <stdint.h>

float dot(const float *x, const float *y, uint64_t n)
{
    float a = 0, b = 0, c = 0, d = 0;               /* four chains that do not wait for each other */
    uint64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        a += x[i] * y[i];
        b += x[i + 1] * y[i + 1];
        c += x[i + 2] * y[i + 2];
        d += x[i + 3] * y[i + 3];
    }
    for (; i < n; i++)                              /* the rest, at most three */
        a += x[i] * y[i];
    return (a + b) + (c + d);
}
"""

# Appended to the reader's text: both loops as work kernels. Each product starts at another place, so that no result can
# be kept from the one before; the sums go into the state, so that none can be left out.
_PRODUCTS = """
struct spe_products { const float *x, *y; uint64_t n, place, sum; };
static float spe_reference(const float *x, const float *y, uint64_t n)
{
    float sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static uint64_t spe_repeat(struct spe_products *state, uint64_t work, float (*product)(const float *, const float *, uint64_t))
{
    for (; work > 0; work--) {
        state->place = (state->place + 1) % 16;
        state->sum += (uint64_t)(int64_t)product(state->x + state->place, state->y + state->place, state->n);
    }
    return state->sum;
}

uint64_t spe_own_products(struct spe_products *state, uint64_t work) { return spe_repeat(state, work, dot); }
uint64_t spe_chained_products(struct spe_products *state, uint64_t work) { return spe_repeat(state, work, spe_reference); }
"""

# Appended to the reader's text: runs it in a team and records the time of each trial.
_TRIALS = """
struct spe_shared { struct sum *sum; int32_t threads; uint64_t *totals; };
static void spe_part(void *task, int32_t member)
{
    struct spe_shared *shared = task;
    add_part(shared->sum, member, shared->threads);
}

static void spe_begin(void *task) { ((struct spe_shared *)task)->sum->total = 0; }
static void spe_keep(void *task, uint64_t trial)
{
    struct spe_shared *shared = task;
    shared->totals[trial] = shared->sum->total;
}

int32_t spe_sum_trials(int32_t threads, const int32_t *cpus, const int32_t *values, uint64_t n, uint64_t trials, int64_t *elapsed_ns,
                       uint64_t *totals, struct team_record *records, spe_cancel cancel)
{
    struct sum sum = { .values = values, .n = n };
    struct spe_shared shared = { &sum, threads, totals };
    struct trials how = { .body = spe_part, .reset = spe_begin, .keep = spe_keep, .task = &shared,
                          .elapsed_ns = elapsed_ns, .records = records };
    pthread_mutex_init(&sum.lock, NULL);
    int32_t status = team_trials(&how, threads, cpus, 0, trials, cancel);
    pthread_mutex_destroy(&sum.lock);
    return status;
}
"""


def make_third_point(rng: random.Random) -> Exercise:
    """Return the exercise on a third point of Amdahl's curve."""
    share, few, many = rng.choice([0.8, 0.85, 0.9, 0.95]), rng.choice([3, 4, 5]), rng.choice([24, 32, 48])
    law = models.amdahl_law()
    given = round(float(law(N=few, P=share)), 2)
    found = (1 - 1 / given) / (1 - 1 / few)
    expected, limit = float(law(N=many, P=found)), 1 / (1 - found)

    def judge(answer: Any) -> Verdict:
        speed_up = number(answer, f"the speed-up with {many} threads")
        if abs(speed_up / expected - 1) <= CLOSE:
            return Verdict("right", f"P is {found:.2f}, and {many} threads reach {expected:.3g} of at most {limit:.3g}")
        if abs(speed_up / (given * many / few) - 1) <= CLOSE:
            return Verdict("wrong", "that is a straight line through the origin. It ignores the serial part")
        if abs(speed_up / limit - 1) <= CLOSE:
            return Verdict("wrong", f"that is the limit 1/(1 − P). {many} threads do not reach it yet")
        if abs(speed_up - found) <= CLOSE:
            return Verdict("wrong", "that is P, the parallel share. Which speed-up does it give?")
        line = 1 + (given - 1) * (many - 1) / (few - 1)
        if abs(speed_up / line - 1) <= CLOSE:
            return Verdict("wrong", "that is a straight line through (1, 1). Amdahl's curve bends")
        return Verdict(
            "wrong",
            f"solve S = 1 / ((1 − P) + P/N) for P at N = {few}; your answer is {speed_up / expected:.2g} times"
            " what this P gives",
        )

    return Exercise(
        f"A program is {given:g} times as fast with {few} threads as with one. Amdahl's law holds for it. How many times"
        f" as fast is it with {many} threads?",
        (
            "A straight line is wrong: it has no limit.",
            f"Solve Amdahl's law for P at N = {few}, then put N = {many}.",
            "S = 1 / ((1 − P) + P/N) gives P = (1 − 1/S) / (1 − 1/N).",
        ),
        round(expected, 2),
        f"P = (1 − 1/{given:g}) / (1 − 1/{few}) = {found:.3f}. Then S({many}) = 1 / ({1 - found:.3f} +"
        f" {found:.3f}/{many}) = {expected:.3g}. The limit is {limit:.3g}.",
        judge,
    )


def make_best_threads(rng: random.Random) -> Exercise:
    """Return the exercise on the best number of threads if each costs time to create."""
    share, cost_us = rng.choice([0.5, 0.6, 0.7]), rng.choice([20, 25, 40, 50])
    best = rng.choice([10, 12, 15, 20])
    time_ms = best**2 * cost_us / share / 1000
    time_ms = float(f"{time_ms:.2g}")
    best_n, without_share = math.sqrt(share * time_ms * 1000 / cost_us), math.sqrt(time_ms * 1000 / cost_us)

    def judge(answer: Any) -> Verdict:
        threads = number(answer, "the number of threads with which the work is done fastest")
        if abs(threads - best_n) <= max(1.0, CLOSE * best_n):
            return Verdict("right", f"√(P·T₁/c) = {best_n:.3g}: beyond it, each thread costs more than it saves")
        if abs(threads / best_n**2 - 1) <= CLOSE:
            return Verdict("wrong", "that is P·T₁/c. Set the derivative of T(N) to zero: N appears as N²")
        if abs(threads - without_share) <= 1.0:
            return Verdict("wrong", "that is √(T₁/c). Only the parallel share of T₁ is divided among threads")
        if abs(threads - 1 / (1 - share)) <= 0.1:
            return Verdict("wrong", "that is the limit of the speed-up, 1/(1 − P), not a number of threads")
        return Verdict("wrong", "minimise T(N) = (1 − P)·T₁ + P·T₁/N + c·(N − 1): its derivative is zero at the best N")

    return Exercise(
        f"A share P = {share:g} of {time_ms:g} ms of work can be divided among threads. Creating each further thread"
        f" takes {cost_us} µs, one after the other. With how many threads is the work done fastest?",
        (
            "Write down the time T(N), with the cost c·(N − 1) of creating threads.",
            "Set its derivative to zero: −P·T₁/N² + c = 0. Convert ms to µs.",
        ),
        round(best_n),
        f"T(N) = (1 − P)·T₁ + P·T₁/N + c·(N − 1) has its minimum at N = √(P·T₁/c) = {best_n:.3g}. It is the maximum of"
        " the universal law for σ = 1 − P and κ = c/T₁.",
        judge,
    )


def judge_serial_share(answer: Any) -> Verdict:
    import sympy

    N, S = sympy.symbols("N S", positive=True)
    try:
        given = sympy.sympify(harmless(answer), locals={"N": N, "S": S})
        # The reader's symbols may have other assumptions.
        given = given.subs({s: {"N": N, "S": S}[s.name] for s in given.free_symbols if s.name in "NS"})
        names = {s.name for s in given.free_symbols}
        readable = isinstance(given, sympy.Expr) and not given.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I)
    except Exception:  # sympify evaluates text, which can raise anything
        readable = False
    if not readable:
        rule = "the answer must be an expression in S and N"
        raise SpeLabError(f"{rule}, got {answer!r:.80}; write for example 1/S - 1/N")
    if not names <= {"N", "S"}:
        raise SpeLabError(
            f"the answer must be an expression in S and N alone, got the symbols {', '.join(sorted(names)):.80};"
            " eliminate P"
        )
    P = models.symbol("P")
    law = models.amdahl_law().expression.subs(models.symbol("N"), N)
    serial = 1 - sympy.solve(sympy.Eq(S, law), P)[0]
    if sympy.simplify(given - serial) == 0:
        return Verdict(
            "right",
            "this is the serial share that a measured speed-up reveals; it rises with N if threads have costs",
        )
    if sympy.simplify(given - (1 - serial)) == 0:
        return Verdict("wrong", "that is P, the parallel share. Which share of the work remains?")
    wrong, right = (float(share.subs({N: 4, S: 2})) for share in (given, serial))
    return Verdict("wrong", f"at N = 4 and S = 2 it gives {wrong:.3g}, and the serial share is {right:.3g}")


def judge_chain(answer: Any) -> Verdict:
    means = "an element takes {} times as long as with one chain"
    wrong = f": less than {UNCHAINED} is asked for. Which addition waits for which?"
    right = ": the additions no longer wait for each other"
    options: dict[str, Any] = {"name": "dot", "appended": _PRODUCTS, "limit": UNCHAINED, "below": True}
    return judge_c(answer, run_chain, means, right=right, wrong=wrong, **options)


def run_chain(own: native.Library) -> tuple[float, float, float] | str:
    """Return (low, ratio, high) of the time of the reader's dot over that of one chain, or a sentence about a sum."""
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-1, 2, CHAINED + 16, dtype=np.int8).astype(np.float32) for _ in range(2))
    products = own.struct("spe_products")
    for n in (*range(9), 31, 1000, CHAINED):
        for place in (0, 5):
            state = products(x[place:].ctypes.data, y[place:].ctypes.data, n, 15, 0)  # its first product starts at 0
            own.spe_own_products(state, 1)
            expected = int(x[place:][:n].astype(int) @ y[place:][:n].astype(int))
            if state.sum != expected % 2**64:
                return (
                    f"the product of two arrays of {n} elements must be {expected}, and the function gave another sum"
                )
    states = [products(x.ctypes.data, y.ctypes.data, CHAINED, 0, 0) for _ in range(2)]
    names = ("spe_own_products", "spe_chained_products")
    own_loop, chained = (
        Point(name, own.address(name), state, keep=(x, y)) for name, state in zip(names, states, strict=True)
    )
    return compare(own_loop, chained)


def judge_lock(answer: Any) -> Verdict:
    if cpus.current().cores < 2:
        return Verdict("inconclusive", "two threads need two cores at the same time, and this process may use one")
    means = "with two threads the sum takes {} times as long as with one"
    wrong = f": less than {FASTER} is asked for. How often does a thread wait for the other?"
    right = ": the threads rarely wait for each other"
    options: dict[str, Any] = {"name": "lock", "appended": _TRIALS, "limit": FASTER, "below": True}
    return judge_c(answer, run_lock, means, right=right, wrong=wrong, **options)


def run_lock(library: native.Library) -> tuple[float, float, float] | str:
    """Return (low, ratio, high) of the time with two threads over one, or a sentence about a wrong sum."""
    values = np.random.default_rng(1).integers(0, 1 << 20, VALUES, dtype=np.int32)
    here, cancel = cpus.current(), Cancel()
    wrong: list[int] = []

    def setting(threads: int) -> Setting:
        def run(n: int) -> tuple[np.ndarray, np.ndarray]:
            elapsed, totals = np.zeros(n, np.int64), np.zeros(n, np.uint64)
            records = np.zeros(n * threads, np.dtype(library.struct("team_record")))
            status = library.spe_sum_trials(
                threads, here.assigned(threads), values, VALUES, n, elapsed, totals, records, cancel.flag
            )
            check(status, library, "the measurement", threads)
            wrong.extend(int(total) for total in totals if total != values.sum(dtype=np.uint64))
            return elapsed.astype(float), ran_together(records.reshape(n, threads), elapsed)

        return Setting(f"{threads} threads", run)

    if len(here.usable) < 2:
        raise UnavailableError("two threads need two cores at the same time, and this process may use one")
    result = deque(interleaved([setting(2), setting(1)], budget_s=1.5, cancel=cancel), maxlen=1).pop()
    if wrong:
        return (
            f"the total of {VALUES} values must be {values.sum(dtype=np.uint64)} whenever threads add at the same time,"
            f" and was {wrong[0]}"
        )
    return result.ratio(0, 1)


EXERCISES = Exercises(
    "scaling",
    {
        "third_point": Seeded(make_third_point),
        "serial_share": Exercise(
            "Someone shows a speed-up S with N threads. Which share of the work is serial, if Amdahl's law holds? Write it"
            " as an expression in S and N.",
            (
                "1/S is the time with N threads, as a share of the time with one.",
                "1/S = (1 − P) + P/N. Put P = 1 − e, and solve for e.",
            ),
            "(1/S - 1/N) / (1 - 1/N)",
            "This is the metric of Karp and Flatt (Communications of the ACM 33(5), 1990). If it is constant in N, the"
            " work has a serial part; if it grows with N, threads have costs.",
            judge_serial_share,
        ),
        "best_threads": Seeded(make_best_threads),
        "chain": Exercise(
            f"Change `dot` so that it takes less than {UNCHAINED} times as long as the loop with one chain, with the same"
            " sum. Threads are not needed.",
            (
                "Each addition waits for the one before it. Which additions could run at the same time?",
                "Use two or more sums, and add them up after the loop. Do not forget the last elements.",
            ),
            CHAIN_SOLUTION,
            "With one chain an element costs the latency of an addition. Four chains that do not wait for each other"
            " divide it by four, until the core's throughput is the limit.",
            judge_chain,
            template=CHAIN_TEMPLATE,
        ),
        "lock": Exercise(
            "Change `add_part` so that two threads are faster than one, with the same total.",
            (
                "Which part of the work is done while a thread holds the lock?",
                "Let each thread add up a partial sum of its own, and take the lock once.",
            ),
            LOCK_SOLUTION,
            "With the lock in the loop all the work is serial, P = 0, and the lock's line also travels between the"
            " cores. If each thread takes the lock once, only the last addition is serial.",
            judge_lock,
            template=LOCK_TEMPLATE,
        ),
        **PLANNING,
    },
)
