"""Exercises: a leaf's objective, three with numbers of the reader's own, and a clock in C."""

from contextlib import closing
from typing import Any

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, c_text
from spe_lab.core.reader.expression import harmless
from spe_lab.topics.objectives import models
from spe_lab.topics.objectives.numbers import make_contract, make_kinds, make_pool

CLOCK_TEMPLATE = """
#include "spe.h"

/* Request i is due at i * gap. The server answers one at a time, the i-th in service[i]. Writes the latency of each. */
void latencies(const double *service, int64_t n, double gap, double *latency)
{
    double sent = 0;
    for (int64_t i = 0; i < n; i++) {
        const double done = sent + service[i];
        latency[i] = done - sent;                       /* the clock starts when the request is sent */
        sent = done > sent + gap ? done : sent + gap;   /* which is not before the last answer is there */
    }
}
"""
CLOCK_SOLUTION = """
#include "spe.h"

/* Request i is due at i * gap. The server answers one at a time, the i-th in service[i]. Writes the latency of each. */
void latencies(const double *service, int64_t n, double gap, double *latency)
{
    double free_at = 0;
    for (int64_t i = 0; i < n; i++) {
        const double due = (double)i * gap;
        free_at = (free_at > due ? free_at : due) + service[i];
        latency[i] = free_at - due;                     /* the clock starts when the request is due */
    }
}
"""


def judge_leaves(answer: Any) -> Verdict:
    import sympy

    n, p = models.symbol("n"), models.symbol("p")
    try:
        given = sympy.sympify(harmless(answer), locals={"n": n, "p": p})
        given = given.subs({free: {"n": n, "p": p}[free.name] for free in given.free_symbols if free.name in "np"})
        names = {free.name for free in given.free_symbols}
        value = float(given.subs({n: 100, p: sympy.Rational(99, 100)}))
    except (sympy.SympifyError, TypeError, AttributeError, SyntaxError, ValueError, OverflowError):
        raise SpeLabError(
            f"the answer must be an expression in n and p, got {answer!r:.80}; write for example p**n"
        ) from None
    if not names <= {"n", "p"} or not names:
        symbols = f"the symbols {', '.join(sorted(names))}" if names else "no symbol"
        rule = f"the answer must be an expression in n and p, got {symbols}"
        raise SpeLabError(f"{rule}; write for example p**n")
    if sympy.simplify(given - models.leaf_share().expression) == 0:
        return Verdict(
            "right",
            "all n leaves are fast with probability Fⁿ = p: for p = 0.99 and n = 100, one leaf answer in ten thousand"
            " may be slow",
        )
    if sympy.simplify(given - p**n) == 0:
        return Verdict(
            "wrong",
            "that is the share of fast requests if a share p of leaf answers is fast; the question is the reverse",
        )
    if sympy.simplify(given - (1 - (1 - p) / n)) == 0:
        return Verdict(
            "wrong", "nearly: 1 − (1 − p)/n assumes at most one slow leaf in a request. Solve Fⁿ = p exactly"
        )
    fast = f"{value**100:.3g} of the requests are fast"
    return Verdict("wrong", f"with p = 0.99 and n = 100 it gives {value:.6g}, and then {fast}")


def judge_clock(answer: Any) -> Verdict:
    with closing(Cell(c_text(answer), "clock")) as own:
        wrong = run_clock(own)
    right = "the latency of a request now includes its wait for a slow request before it"
    return Verdict("wrong", wrong) if wrong else Verdict("right", right)


def run_clock(own: Cell) -> str:
    """Return the first error of the reader's clock against Lindley's recursion in Python; "" if none."""
    if "latencies" not in own.functions:
        prototype = "void latencies(const double *service, int64_t n, double gap, double *latency)"
        return f"the source must declare {prototype}, as the template does"
    for n, gap, mean in ((0, 1.0, 1.0), (1, 1.0, 3.0), (2, 1.0, 3.0), (5, 2.0, 1.0), (2000, 1.0, 0.8)):
        service = np.random.default_rng(n).exponential(mean, n)
        expected, waiting = np.empty(n), 0.0
        for i in range(n):
            expected[i] = waiting + service[i]
            waiting = max(expected[i] - gap, 0.0)
        found = np.full(n, -1.0)
        own.latencies(service, n, gap, found)
        bad = np.flatnonzero(~np.isclose(found, expected, rtol=1e-9, atol=1e-9))
        if bad.size:
            i = int(bad[0])
            due = f"request {i} of {n} is due at {i * gap:g} and done {expected[i]:.4g} later"
            result = f"{due}; your function returns {found[i]:.4g}"
            if np.allclose(found, service):
                return f"{result}, its service time alone: the clock still starts when the server becomes free"
            return f"{result}, as if the service began before the request is due" if found[i] < expected[i] else result
    return ""


EXERCISES = Exercises(
    "objectives",
    {
        "leaves": Exercise(
            "A request waits for n leaves, and a share p of the requests must be fast. Which share of the leaf answers must"
            " be fast? Write it as an expression in n and p.",
            (
                "A request is fast if the first leaf is fast, and the second leaf, and …",
                "With a share F of fast leaf answers, Fⁿ of the requests are fast.",
            ),
            "p**(1/n)",
            "Fⁿ = p, so F = p^(1/n). For p = 0.99 and n = 100 this is 0.9999: a 99th percentile of the requests is a"
            " 99.99th percentile of the leaves.",
            judge_leaves,
        ),
        "pool": Seeded(make_pool),
        "contract": Seeded(make_contract),
        "kinds": Seeded(make_kinds),
        "clock": Exercise(
            "Change latencies so that the latency of a request starts when it is due, even if it was sent later.",
            (
                "Two times matter: i · gap, when a request is due, and when the server is free. Work begins at the later.",
                (
                    "Store when the server becomes free from one request to the next. The latency is the completion time"
                    " minus the due time."
                ),
            ),
            CLOCK_SOLUTION,
            "The schedule no longer depends on the answers. The template underestimates a stall: its client sends nothing"
            " during the stall.",
            judge_clock,
            template=CLOCK_TEMPLATE,
        ),
    },
)
