"""Exercises: predict a speed-up, derive the serial share, avoid a lock in C; and planning.py's."""

import math
from collections import deque
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.machine import cpus
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, judge_c, number, own_run
from spe_lab.core.recording import Run
from spe_lab.core.sampling.teams import Setting, interleaved, ran_together
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.planning import PLANNING

FAR = 16  # threads, for which the reader predicts the speed-up from two points
CLOSE = 0.10  # relative error of a right prediction
VALUES = 20_000  # summed in one trial: about 100 µs with a lock for each
FASTER = 0.75  # time with two threads over time with one; a lock for each value makes it more than 1

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


def judge_two_points(answer: Any, run: Run | None = None) -> Verdict:
    curve = own_run(run, "scaling.amdahl").measured[0]
    expected = number(answer, f"the speed-up with {FAR} threads")
    found = dict(zip(curve.x.values, curve.values, strict=True))
    if not all(math.isfinite(found.get(n, math.nan)) for n in (2, 4, FAR)):
        clean = sorted(n for n, speedup in found.items() if math.isfinite(speedup))
        raise MeasurementError(f"run must have clean points at 2, 4 and {FAR} threads, got {clean}; measure again")
    if abs(expected / found[FAR] - 1) <= CLOSE:
        return Verdict("right", f"your machine reached {found[FAR]:.3g}")
    shares = [(1 - 1 / found[n]) / (1 - 1 / n) for n in (2, 4)]
    law = float(models.amdahl_law()(N=FAR, P=np.mean(shares)))
    result = f"your machine reached {found[FAR]:.3g}, and Amdahl's law with the P of your two points gives {law:.3g}"
    if expected > found[FAR] and expected > 0.9 * found[4] * FAR / 4:
        return Verdict("wrong", f"{result}. A straight line through two points ignores the serial part")
    return Verdict("wrong", f"{result}. Solve S = 1 / (1 − P + P/N) for P, at N = 2 or 4")


def speedup_of(run: Run) -> float:
    found = dict(zip(run.measured[0].x.values, run.measured[0].values, strict=True))
    return float(np.nan_to_num(found.get(FAR, math.nan), nan=1.0))


def judge_serial_share(answer: Any) -> Verdict:
    import sympy

    N, S = sympy.symbols("N S", positive=True)
    try:
        given = sympy.sympify(answer, locals={"N": N, "S": S})
        # The reader's symbols may have other assumptions.
        given = given.subs({s: {"N": N, "S": S}[s.name] for s in given.free_symbols if s.name in "NS"})
        names = {s.name for s in given.free_symbols}
    except (sympy.SympifyError, TypeError, AttributeError, SyntaxError):
        raise SpeLabError(
            f"the answer must be an expression in S and N, got {answer!r:.80}; write for example 1/S - 1/N"
        ) from None
    if not names <= {"N", "S"}:
        raise SpeLabError(
            f"the answer must be an expression in S and N alone, got the symbols {', '.join(sorted(names))};"
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


def judge_lock(answer: Any) -> Verdict:
    if isinstance(answer, str) and cpus.current().cores < 2:
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
        "two_points": Exercise(
            f"You have measured the speed-up with two and with four threads. What will it be with {FAR}?",
            (
                "A line through the two points is wrong: a line has no limit.",
                "Solve Amdahl's law for P at N = 4, then put N = 16.",
                "S = 1 / (1 − P + P/N) gives P = (1 − 1/S) / (1 − 1/N).",
            ),
            6.3,
            "At P = 0.9, S(4) is 3.08, which gives P back, and S(16) = 1 / (0.1 + 0.9/16) = 6.4. The cost of waking"
            " sixteen threads reduces it a little.",
            judge_two_points,
            speedup_of,
        ),
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
        ),
        **PLANNING,
    },
)
