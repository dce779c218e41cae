"""Exercises: a leaf's objective, servers for an objective, their price, a joule, and in C a clock that
starts too late.
"""

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
        given = given.subs(
            {each: {"n": n, "p": p}[each.name] for each in given.free_symbols if each.name in ("n", "p")}
        )
        names = {each.name for each in given.free_symbols}
        value = float(given.subs({n: 100, p: sympy.Rational(99, 100)}))
    except (sympy.SympifyError, TypeError, AttributeError, SyntaxError, ValueError):
        raise SpeLabError(
            f"the answer must be an expression in n and p, got {answer!r:.80}; write for example p**n"
        ) from None
    if not names <= {"n", "p"} or not names:
        raise SpeLabError(
            f"the answer must be an expression in n and p, got the symbols {', '.join(sorted(names)) or 'none'}; write"
            " for example p**n"
        )
    if sympy.simplify(given - models.leaf_share().expression) == 0:
        return Verdict(
            "right",
            "all n leaves are fast with probability Fⁿ, and that is to be p: one in ten thousand may be slow where p ="
            " 0.99 and n = 100",
        )
    if sympy.simplify(given - p**n) == 0:
        return Verdict(
            "wrong",
            "that is the share of fast requests if a share p of the leaf answers is fast; it is asked the other way"
            " round",
        )
    if sympy.simplify(given - (1 - (1 - p) / n)) == 0:
        return Verdict(
            "wrong",
            "nearly: 1 − (1 − p)/n is what is left if slow leaves never meet in one request. A bound; without it, Fⁿ ="
            " p is solved exactly",
        )
    return Verdict(
        "wrong", f"with p = 0.99 and n = 100 it gives {value:.6g}, and then {value**100:.3g} of the requests are fast"
    )


def judge_pool(answer: Any) -> Verdict:
    given = number(answer, "servers")
    offered, k, p = POOL.values()
    right = int(pools.fewest_servers(offered, k, p, 1000))
    if given != int(given) or given < 1:
        return Verdict("wrong", f"servers come whole, and {given:g} of them do not exist")
    if given <= offered:
        return Verdict(
            "wrong",
            f"{given:g} servers have no time left for {offered:g} servers' worth of work: the queue grows without end",
        )
    late = float(pools.late(k, given, offered / given))
    said = f"{given:g} servers are busy {offered / given:.0%} of the time and late in {late:.2%} of the requests"
    if given == right:
        return Verdict(
            "right", f"{said}; one fewer would be late in {pools.late(k, right - 1, offered / (right - 1)):.2%}"
        )
    if given < right:
        return Verdict("wrong", f"{said}, where 1 % is allowed")
    return Verdict(
        "wrong",
        f"{said}: the objective is met, and by fewer servers too. A target that was found in a small pool wastes"
        " servers in a large one",
    )


def judge_contract(answer: Any) -> Verdict:
    spare, lab = number(answer, "spare servers"), Sla()
    point = lab.point(CONTRACT)
    right = lab.cheapest(CONTRACT)
    low, high = lab.slider("spare").low, lab.slider("spare").high
    if spare != int(spare) or not low <= spare <= high:
        return Verdict(
            "wrong",
            f"the answer is a whole number between {low:g} and {high:g}: with no spare server the queue grows"
            " without end",
        )

    def cost(m: float) -> float:
        return float(lab.cost(point, np.array(m), lab.late(point, np.array(m))))

    said = f"{spare:g} spare servers cost {cost(spare):.2f} € an hour"
    if spare == right:
        return Verdict("right", f"{said}; one fewer {cost(right - 1):.2f} €, one more {cost(right + 1):.2f} €")
    if spare == right + 1:
        return Verdict(
            "wrong", f"nearly: {said}, within a hundredth of the cheapest. One of them saves less than its own price"
        )
    return Verdict(
        "wrong",
        f"{said}: "
        + ("one more would save more than it costs" if spare < right else "the last ones save next to nothing"),
    )


def judge_joule(answer: Any) -> Verdict:
    load = number(answer, "a load between 0 and 1")
    right = float(models.least_load()(J=1.0, **SERVER))
    if abs(load - right) < 0.005:
        return Verdict("right", f"from a load of {right:.3f} on the idle power is shared by enough requests")
    if abs(load - 100 * right) < 0.5:
        return Verdict("wrong", f"a load is a share of one: write {load / 100:g}")
    if not 0 < load <= 1:
        return Verdict("wrong", f"a server is at work for a share of its time between 0 and 1, not {load:g}")
    watts, joules, rate = (
        float(models.power()(u=load, **SERVER)),
        float(models.energy_per_request()(u=load, **SERVER)),
        load / SERVER["S"],
    )
    return Verdict(
        "wrong",
        f"at a load of {load:g} the server draws {watts:.0f} W for {rate:.0f} requests a second: {joules:.2f} J each",
    )


def judge_clock(answer: Any) -> Verdict:
    with closing(Cell(c_text(answer), "clock")) as own:
        wrong = run_clock(own)
    return (
        Verdict("wrong", wrong)
        if wrong
        else Verdict("right", "a request that had to wait for a slow one before it now counts what it waited")
    )


def run_clock(own: Cell) -> str:
    """What is wrong with the reader's clock, by comparison with Lindley's recursion in plain Python."""
    if "latencies" not in own.functions:
        return (
            "the source must declare void latencies(const double *service, int64_t n, double gap, double *latency), as"
            " the template does"
        )
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
            said = (
                f"request {i} of {n} is due at {i * gap:g} and done {expected[i]:.4g} later; your function says"
                f" {found[i]:.4g}"
            )
            if np.allclose(found, service):
                return f"{said}, which is its service alone: the clock still starts when the server is free to take it"
            return f"{said}, as if it were begun before it is due" if found[i] < expected[i] else said
    return ""


EXERCISES = Exercises(
    "objectives",
    {
        "leaves": Exercise(
            "A request waits for n leaves, and a share p of the requests must be fast. Which share of the leaf answers must"
            " be? An expression in n and p.",
            (
                "A request is fast if the first leaf is fast, and the second, and …",
                "With a share F of fast leaf answers, Fⁿ of the requests are fast.",
            ),
            "p**(1/n)",
            "Fⁿ = p, so F = p^(1/n). For p = 0.99 and n = 100 this is 0.9999: who promises a 99th percentile has to look"
            " after the leaves' 99.99th.",
            judge_leaves,
        ),
        "pool": Exercise(
            f"Requests keep {POOL['offered']:g} servers busy on average. How many servers, behind one queue, answer 99 % of"
            f" them within {POOL['k']:g} service times?",
            (
                (
                    "At a load of 1 the queue grows without end, so it is more than 30. The service alone takes longer than"
                    " five means in 0.67 % of the requests."
                ),
                "objectives.late(5, c, 30/c) is the share of late ones with c servers. Raise c until it is below 0.01.",
            ),
            33,
            "32 servers are late in 1.10 % of the requests, 33 in 0.84 %. They are busy 91 % of the time; the usual target"
            " of 70 % would have bought 43.",
            judge_pool,
        ),
        "contract": Exercise(
            "30 servers' worth of requests of 100 ms each; a server costs 2 € an hour, a thousand late answers 1 €, and"
            " late is who waits longer than one mean service time. How many spare servers are cheapest?",
            (
                (
                    "One more server is worth its price as long as it saves more than 2 € of penalties an hour. 300"
                    " requests a second are 1.08 million an hour."
                ),
                (
                    "The share that waits longer than 1 is C·e^(−m); objectives.waits_longer(1, 30 + m, 30/(30 + m))"
                    " computes it."
                ),
            ),
            5,
            "The fifth spare server saves 5.4 € of penalties an hour for its 2 €, the sixth only 1.5 €. The optimum is flat"
            " to the right and steep to the left: if in doubt, one more.",
            judge_contract,
        ),
        "joule": Exercise(
            "A server draws 80 W idle and 200 W at full load, on a straight line in between, and a request takes 4 ms of"
            " its time. From which load on does a request take no more than 1 J?",
            (
                "At load u the server does u/S requests a second and draws 80 W + u · 120 W.",
                "Set the power over the throughput to 1 J and solve for u.",
            ),
            0.615,
            "(80 + 120 u)·0.004/u = 1, so 0.32/u = 0.52, and u = 0.615. At full load a request takes 0.8 J; the rest is"
            " idle power that too few requests share.",
            judge_joule,
        ),
        "clock": Exercise(
            "Change latencies so that a request which could not be sent in time counts what it waited: latency from when it"
            " is due.",
            (
                (
                    "Two times matter: when a request is due, i · gap, and when the server is free. Work begins at the"
                    " later one."
                ),
                (
                    "Keep when the server is free from one request to the next, whatever the clock says; latency is when"
                    " the request is done, less when it was due."
                ),
            ),
            CLOCK_SOLUTION,
            "The schedule no longer depends on the answers. The first version is kind to a server that stands still: it"
            " stops asking just then.",
            judge_clock,
        ),
    },
)
