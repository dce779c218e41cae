"""Exercises: a pool to size, an order to predict, a culprit to find, and a discipline to write in C."""

import heapq
import math
from contextlib import closing
from typing import Any

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, c_text, number
from spe_lab.models.queues import birth_death, exponential, poisson
from spe_lab.topics.queueing.blocking import CULPRIT, ENDPOINTS, blame, incident
from spe_lab.topics.queueing.disciplines import NAMES
from spe_lab.topics.queueing.laws import FOUR, ONE_IN_A_THOUSAND

RATE, SERVICE_S, OBJECTIVE_S = 240.0, 0.1, 0.5
OFFERED = RATE * SERVICE_S
_USUAL = (NAMES[0], NAMES[2], NAMES[1], NAMES[3])
ORDERS = {**dict.fromkeys(FOUR, _USUAL), ONE_IN_A_THOUSAND: (NAMES[2], NAMES[3], NAMES[0], NAMES[1])}

SHORTEST_TEMPLATE = """
#include "spe.h"

/* One server. Job i arrives at arrival[i] (ascending) and needs service[i]; departure[i] is when it leaves. */
void serve(const double *arrival, const double *service, int64_t n, double *departure)
{
    double now = 0;
    for (int64_t i = 0; i < n; i++) {           /* first come, first served */
        if (arrival[i] > now)
            now = arrival[i];
        now += service[i];
        departure[i] = now;
    }
}
"""
SHORTEST_SOLUTION = """
#include "spe.h"

void serve(const double *arrival, const double *service, int64_t n, double *departure)
{
    double now = 0;
    int64_t first = 0;                          /* the first that has not been served */
    for (int64_t i = 0; i < n; i++)
        departure[i] = -1;
    for (int64_t served = 0; served < n; served++) {
        while (departure[first] >= 0)
            first++;
        if (arrival[first] > now)               /* nobody waits: the server is idle until then */
            now = arrival[first];
        int64_t next = first;
        for (int64_t i = first; i < n && arrival[i] <= now; i++)
            if (departure[i] < 0 && service[i] < service[next])
                next = i;
        now += service[next];
        departure[next] = now;
    }
}
"""


def p99_s(servers: int) -> float:
    return float(birth_death.sojourn_quantile(0.99, servers, OFFERED / servers, SERVICE_S))


def fewest() -> int:
    """Return the right number of servers, by search."""
    servers = math.floor(OFFERED) + 1
    while p99_s(servers) > OBJECTIVE_S:
        servers += 1
    return servers


def judge_servers(answer: Any) -> Verdict:
    given, right = number(answer, "servers"), fewest()
    if given != int(given) or given < 1:
        return Verdict("wrong", f"the number of servers must be a positive whole number, got {given:g}")
    if given <= OFFERED:
        busy = f"the requests keep {OFFERED:g} servers busy on average"
        return Verdict("wrong", f"{busy}; with {given:g} the queue grows without bound")
    found = p99_s(int(given)) if given <= birth_death.MOST_SERVERS else SERVICE_S * math.log(100)
    if given == right:
        fewer = f"with one fewer it is {1000 * p99_s(right - 1):.0f} ms"
        servers = f"{right} servers, at a load of {OFFERED / right:.2f}"
        return Verdict("right", f"{servers}, have a p99 of {1000 * found:.0f} ms; {fewer}")
    servers = f"{given:g} servers have a p99 of {1000 * found:.0f} ms"
    if given < right:
        return Verdict("wrong", f"the queue is stable, but {servers}, above the objective")
    return Verdict("wrong", f"{servers} and meet the objective; fewer servers do so, too")


def judge_orders(answer: Any) -> Verdict:
    if not isinstance(answer, dict) or set(answer) != set(FOUR):
        rule = f"the answer must be a dictionary with an order for each of {', '.join(FOUR)}"
        raise SpeLabError(f"{rule}, got {answer!r:.80}; start from the dictionary in the cell")
    wrong = []
    for law, order in answer.items():
        order = tuple(order) if isinstance(order, list | tuple) else ()
        if sorted(map(str, order)) != sorted(NAMES):
            rule = f"the order for {law!r} must name each of {', '.join(NAMES)} once"
            raise SpeLabError(f"{rule}, got {order!r:.120}; begin with the system that bears the highest load")
        if order != ORDERS[law]:
            wrong.append(law)
    if not wrong:
        return Verdict(
            "right",
            "a shared queue always beats split queues; FCFS beats PS unless one job is so long that it blocks a thousand",
        )
    if wrong == [ONE_IN_A_THOUSAND] and tuple(answer[ONE_IN_A_THOUSAND]) == _USUAL:
        why = "how long does a short job wait behind a job that is a thousand times as long?"
        return Verdict("wrong", f"three of four are right: {why}")
    law, order = wrong[0], tuple(answer[wrong[0]])
    pairs = ((NAMES[0], NAMES[1]), (NAMES[2], NAMES[3]))
    if any(order.index(one) > order.index(split) for one, split in pairs):
        idle = "servers with split queues are idle while others have a queue"
        return Verdict("wrong", f"{law}: {idle}. Can they bear more load than servers with a shared queue?")
    where = "run the lab with that service, and read where each curve meets ten services"
    return Verdict("wrong", f"{len(wrong)} of four orders are wrong, {law!r} among them: {where}")


def judge_culprit(answer: Any) -> Verdict:
    if answer not in ENDPOINTS:
        raise SpeLabError(
            f"the answer must be an endpoint ({', '.join(ENDPOINTS)}), got {answer!r:.40}; give its name as text"
        )
    accused = blame(incident())
    share = accused[answer] / sum(accused.values())
    if answer == CULPRIT:
        work = f"which are {work_share(CULPRIT):.0%} of the work"
        return Verdict(
            "right", f"{share:.0%} of all waiting was behind reports, {work}: a few of them read the archive"
        )
    if answer == "search":
        work = f"it has the longest services on average and {work_share(answer):.0%} of the work"
        waits = f"only {share:.0%} of the waiting was behind it"
        return Verdict("wrong", f"{work}, but {waits}. Look at single requests, not at means")
    hint = "Which request was in service while the slowest requests waited?"
    return Verdict("wrong", f"{share:.0%} of the waiting was behind {answer}. {hint}")


def culprit() -> str:
    """Return the endpoint behind which requests waited longest in all."""
    return next(iter(blame(incident())))


def work_share(endpoint: str) -> float:
    """Return the endpoint's share of all service time."""
    log = incident()
    work = log["departure"] - log["start"]
    return float(work[log["endpoint"] == endpoint].sum() / work.sum())


def judge_shortest(answer: Any) -> Verdict:
    with closing(Cell(c_text(answer), "serve")) as own:
        outcome = run_shortest(own)
    if isinstance(outcome, str):
        return Verdict("wrong", outcome)
    fcfs, shortest = outcome
    gain = f"at a load of 0.8 the mean sojourn falls from {fcfs:.2f} to {shortest:.2f} services"
    return Verdict("right", f"all departures equal the reference; {gain}, and the longest jobs wait longer")


def shortest_first(arrival: np.ndarray, service: np.ndarray) -> np.ndarray:
    """Return the reference departures: the server takes the shortest waiting job (the first of equals)."""
    departure, now, i = np.zeros(len(arrival)), 0.0, 0
    waiting: list[tuple[float, int]] = []
    for _ in range(len(arrival)):
        if not waiting:
            now = max(now, arrival[i])
        while i < len(arrival) and arrival[i] <= now:
            heapq.heappush(waiting, (service[i], i))
            i += 1
        length, job = heapq.heappop(waiting)
        now += length
        departure[job] = now
    return departure


def cases() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs of arrivals and services: one job, ties, an idle server, and random times."""
    few = [
        ([0.0], [1.0]),
        ([0.0, 0.0, 0.0], [3.0, 1.0, 2.0]),
        ([0.0, 1.0, 1.0, 1.0], [4.0, 2.0, 2.0, 1.0]),
        ([1.0, 9.0, 9.5], [2.0, 5.0, 1.0]),
    ]
    many = [
        (np.cumsum(poisson(load).sample(n, seed)), exponential(1.0).sample(n, seed + 50))
        for load, n, seed in ((0.5, 60, 1), (0.8, 4000, 2))
    ]
    return [*((np.array(a), np.array(s)) for a, s in few), *many]


def run_shortest(own: Cell) -> tuple[float, float] | str:
    """Return the mean sojourns of FCFS and of the reader's function, or its first error in a sentence."""
    if "serve" not in own.functions:
        prototype = "void serve(const double *arrival, const double *service, int64_t n, double *departure)"
        return f"the source must declare {prototype}, as the template does"
    for arrival, service in cases():
        found, expected = np.full(len(arrival), -7.0), shortest_first(arrival, service)
        own.serve(arrival, service, len(arrival), found)
        if wrong := complaint(arrival, service, found, expected):
            return wrong
    return float((in_order(arrival, service) - arrival).mean()), float((found - arrival).mean())


def in_order(arrival: np.ndarray, service: np.ndarray) -> np.ndarray:
    """Return the departures under first come, first served, by Lindley's recursion."""
    departure, now = np.empty(len(arrival)), 0.0
    for i, (came, needs) in enumerate(zip(arrival, service, strict=True)):
        now = max(now, came) + needs
        departure[i] = now
    return departure


def complaint(arrival: np.ndarray, service: np.ndarray, found: np.ndarray, expected: np.ndarray) -> str:
    """Return the first error of these departures in a sentence; empty if none."""
    if np.allclose(found, expected, rtol=1e-12, atol=1e-9):
        return ""
    start = found - service
    if np.isfinite(found).all() and (early := np.flatnonzero(start < arrival - 1e-9)).size:
        i = early[0]
        job = f"job {i} arrives at {arrival[i]:g} and leaves at {found[i]:g} after a service of {service[i]:g}"
        return f"{job}: it began before it arrived"
    if np.allclose(found, in_order(arrival, service)):
        return "that is still first come, first served: take the shortest of the waiting jobs"
    i = int(np.flatnonzero(~np.isclose(found, expected, rtol=1e-12, atol=1e-9))[0])
    jobs = ", ".join(f"{a:.4g}/{s:.4g}" for a, s in zip(arrival[:8], service[:8], strict=True))
    case = f"{len(arrival)} jobs (arrival/service {jobs}{' …' if len(arrival) > 8 else ''})"
    return f"of {case} number {i} must leave at {expected[i]:.6g}, and it leaves at {found[i]:.6g}"


EXERCISES = Exercises(
    "queueing",
    {
        "servers": Exercise(
            f"{RATE:g} requests arrive each second (Poisson); their service times are exponential with a mean of"
            f" {1000 * SERVICE_S:g} ms. How few servers behind one queue keep the 99th percentile of the sojourn at or below"
            f" {1000 * OBJECTIVE_S:g} ms?",
            (
                (
                    f"The requests keep {RATE:g} · {SERVICE_S:g} = {OFFERED:g} servers busy. The service alone has a 99th"
                    " percentile of 461 ms."
                ),
                f"birth_death.sojourn_quantile(0.99, c, {OFFERED:g} / c, {SERVICE_S:g}) for c from {OFFERED + 1:g} on.",
            ),
            27,
            "Three more servers than are busy on average. The tail of the service takes nearly all of the 500 ms, so the"
            " queue must be almost empty. A pool of this size achieves that at a load of 0.89.",
            judge_servers,
        ),
        "orders": Exercise(
            "There are 16 servers. For each of four distributions of service, order the four systems by the load that they"
            " bear with a p99 of ten services, from the highest load to the lowest.",
            (
                (
                    "There are two questions. Split or shared: are servers idle while jobs wait elsewhere? FCFS or PS: how"
                    " long is the job ahead likely to be?"
                ),
                "For three distributions the order is the same. In the fourth, 0.1 % of the jobs are half of the work.",
            ),
            ORDERS,
            "A shared queue beats split queues for every distribution, since no server is idle while a job waits. FCFS"
            " beats PS as long as the job ahead is not much longer than one's own. If one job in a thousand takes a"
            " thousand times as long, many short jobs wait behind it.",
            judge_orders,
        ),
        "culprit": Exercise(
            "A log has 20,000 requests to four servers, each with a queue of its own. The p99 is nearly 400 times the"
            " median. Behind requests of which endpoint do the others wait?",
            (
                (
                    "Means by endpoint do not show it. Take the requests with the longest waits: which request was in"
                    " service at their server meanwhile?"
                ),
                "queueing.blame(log) adds up, by endpoint, how long requests waited behind a request during its service.",
            ),
            CULPRIT,
            "One report in a thousand reads the archive and takes 800 ms; on average reports are fast, and their own"
            " sojourn is the shortest of all. All requests to the same server wait during that time. Statistics by"
            " endpoint charge the wait to the waiting requests; statistics by request in service charge it to the reports.",
            judge_culprit,
        ),
        "shortest": Exercise(
            "Change serve so that a free server takes the shortest of the waiting jobs (the first of equal ones), and never"
            " interrupts a service.",
            (
                "A job waits if it has arrived and has no departure yet. If no job waits, time jumps to the next arrival.",
                "First set all departures to −1. Then n times: find the shortest job that has arrived and is still at −1.",
            ),
            SHORTEST_SOLUTION,
            "Each service needs a search, which a heap makes faster. No discipline without interruption has a smaller mean."
            " The long jobs pay for it: they may wait as long as short jobs keep arriving.",
            judge_shortest,
        ),
    },
)
