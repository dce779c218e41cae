"""Exercises: a leaf's objective, servers for an objective, their price, a joule, a clock in C."""

from contextlib import closing
from typing import Any

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, c_text, number
from spe_lab.topics.objectives import models, pools
from spe_lab.topics.objectives.sla import Sla

POOL = {"offered": 30.0, "k": 5.0, "p": 0.99}
CONTRACT = {"offered": 30.0, "price": 2.0, "fine": 1.0, "w": 1.0, "service": 100.0}
SERVER = {"P_idle": 80.0, "P_peak": 200.0, "S": 0.004}

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
        given = sympy.sympify(answer, locals={"n": n, "p": p})
        given = given.subs({free: {"n": n, "p": p}[free.name] for free in given.free_symbols if free.name in "np"})
        names = {free.name for free in given.free_symbols}
        value = float(given.subs({n: 100, p: sympy.Rational(99, 100)}))
    except (sympy.SympifyError, TypeError, AttributeError, SyntaxError, ValueError):
        raise SpeLabError(
            f"the answer must be an expression in n and p, got {answer!r:.80}; write for example p**n"
        ) from None
    if not names <= {"n", "p"} or not names:
        symbols = ", ".join(sorted(names)) or "none"
        rule = f"the answer must be an expression in n and p, got the symbols {symbols}"
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


def judge_pool(answer: Any) -> Verdict:
    given = number(answer, "servers")
    offered, k, p = POOL.values()
    right = int(pools.fewest_servers(offered, k, p, 1000))
    if given != int(given) or given < 1:
        return Verdict("wrong", f"the number of servers must be a positive whole number, got {given:g}")
    if given <= offered:
        return Verdict(
            "wrong", f"{offered:g} servers would always be busy: with {given:g} the queue grows without bound"
        )
    late = float(pools.late(k, given, offered / given))
    result = f"{given:g} servers are busy {offered / given:.0%} of the time and late in {late:.2%} of the requests"
    if given == right:
        fewer = f"{pools.late(k, right - 1, offered / (right - 1)):.2%}"
        return Verdict("right", f"{result}; one server fewer would be late in {fewer}")
    if given < right:
        return Verdict("wrong", f"{result}, and only 1 % is allowed")
    return Verdict(
        "wrong",
        f"{result}: they meet the objective, but fewer servers do so too. A utilisation target from a small pool wastes"
        " servers in a large one",
    )


def judge_contract(answer: Any) -> Verdict:
    spare, lab = number(answer, "spare servers"), Sla()
    point = lab.point(CONTRACT)
    right = lab.cheapest(CONTRACT)
    low, high = lab.slider("spare").low, lab.slider("spare").high
    if spare != int(spare) or not low <= spare <= high:
        rule = f"the answer is a whole number between {low:g} and {high:g}"
        return Verdict("wrong", f"{rule}: with no spare server the queue grows without bound")

    def cost(m: float) -> float:
        return float(lab.cost(point, np.array(m), lab.late(point, np.array(m))))

    result = f"{spare:g} spare servers cost {cost(spare):.2f} € an hour"
    if spare == right:
        return Verdict("right", f"{result}; one fewer {cost(right - 1):.2f} €, one more {cost(right + 1):.2f} €")
    if spare == right + 1:
        return Verdict("wrong", f"nearly: {result}, within 1 % of the cheapest. The last one saves less than its price")
    why = "one more would save more than it costs" if spare < right else "the last ones save almost nothing"
    return Verdict("wrong", f"{result}: {why}")


def judge_joule(answer: Any) -> Verdict:
    load = number(answer, "a load between 0 and 1")
    right = float(models.least_load()(J=1.0, **SERVER))
    if abs(load - right) < 0.005:
        return Verdict("right", f"from a load of {right:.3f} on, enough requests share the idle power")
    if abs(load - 100 * right) < 0.5:
        return Verdict("wrong", f"a load is a number between 0 and 1: write {load / 100:g}")
    if not 0 < load <= 1:
        return Verdict("wrong", f"a load lies between 0 and 1, got {load:g}")
    watts, joules = (float(model(u=load, **SERVER)) for model in (models.power(), models.energy_per_request()))
    draws = f"the server draws {watts:.0f} W for {load / SERVER['S']:.0f} requests a second"
    return Verdict("wrong", f"at a load of {load:g} {draws}: {joules:.2f} J each")


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
        "pool": Exercise(
            f"Requests keep {POOL['offered']:g} servers busy on average. How many servers, behind one queue, answer 99 % of"
            f" them within {POOL['k']:g} service times?",
            (
                (
                    "At a load of 1 the queue grows without bound, so c > 30. The service alone takes longer than five"
                    " means for 0.67 % of the requests."
                ),
                "objectives.late(5, c, 30/c) is the late share with c servers. Increase c until it is below 0.01.",
            ),
            33,
            "32 servers are late in 1.10 % of the requests, 33 in 0.84 %. They are busy 91 % of the time; the usual target"
            " of 70 % would take 43 servers.",
            judge_pool,
        ),
        "contract": Exercise(
            "Requests of 100 ms each keep 30 servers busy. A server costs 2 € an hour, and a thousand late answers cost"
            " 1 €; an answer is late if the request waits longer than one mean service time. How many spare servers are"
            " cheapest?",
            (
                (
                    "One more server is worth its price as long as it saves more than 2 € of penalties an hour. 300"
                    " requests a second are 1.08 million an hour."
                ),
                "The share of longer waits is C·e^(−m); objectives.waits_longer(1, 30 + m, 30/(30 + m)) computes it.",
            ),
            5,
            "The fifth spare server saves 5.4 € of penalties an hour for its 2 €, the sixth only 1.5 €. The cost is flat to"
            " the right of the optimum and steep to the left: if in doubt, take one more.",
            judge_contract,
        ),
        "joule": Exercise(
            "A server draws 80 W idle and 200 W at full load, on a straight line in between, and a request takes 4 ms of"
            " its time. From which load on does a request take at most 1 J?",
            (
                "At load u the server does u/S requests a second and draws 80 W + u · 120 W.",
                "Set the power over the throughput to 1 J and solve for u.",
            ),
            0.615,
            "(80 + 120 u)·0.004/u = 1, so 0.32/u = 0.52, and u = 0.615. At full load a request takes 0.8 J; below it, fewer"
            " requests share the idle power.",
            judge_joule,
        ),
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
        ),
    },
)
