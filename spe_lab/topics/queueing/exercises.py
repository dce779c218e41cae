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
    """The answer, by trying."""
    servers = math.floor(OFFERED) + 1
    while p99_s(servers) > OBJECTIVE_S:
        servers += 1
    return servers


def judge_servers(answer: Any) -> Verdict:
    given, right = number(answer, "servers"), fewest()
    if given != int(given) or given < 1:
        return Verdict("wrong", f"{given:g} is no number of servers: give a whole one")
    if given <= OFFERED:
        return Verdict(
            "wrong",
            f"the requests keep {OFFERED:g} servers busy on average; with {given:g} the queue grows without end",
        )
    found = p99_s(int(given)) if given <= birth_death.MOST_SERVERS else SERVICE_S * math.log(100)
    if given == right:
        fewer = f"with one fewer it is {1000 * p99_s(right - 1):.0f} ms"
        return Verdict(
            "right",
            f"{right} servers, at a load of {OFFERED / right:.2f}, have a p99 of {1000 * found:.0f} ms; {fewer}",
        )
    if given < right:
        return Verdict(
            "wrong", f"stable, but {given:g} servers have a p99 of {1000 * found:.0f} ms, above the objective"
        )
    return Verdict("wrong", f"{given:g} servers meet the objective with {1000 * found:.0f} ms; fewer do so, too")


def judge_orders(answer: Any) -> Verdict:
    if not isinstance(answer, dict) or set(answer) != set(FOUR):
        raise SpeLabError(
            f"the answer must be a dictionary with an order for each of {', '.join(FOUR)}, got {answer!r:.80}; begin"
            " from the cell's own"
        )
    wrong = []
    for law, order in answer.items():
        order = tuple(order) if isinstance(order, list | tuple) else ()
        if sorted(map(str, order)) != sorted(NAMES):
            raise SpeLabError(
                f"the order for {law!r} must name each of {', '.join(NAMES)} once, got {order!r:.120}; begin with the"
                " one that bears most load"
            )
        if order != ORDERS[law]:
            wrong.append(law)
    if not wrong:
        return Verdict(
            "right",
            "shared beats split each time; and in turn beats at once, until services are so uneven that one job blocks"
            " a thousand",
        )
    if wrong == [ONE_IN_A_THOUSAND] and tuple(answer[ONE_IN_A_THOUSAND]) == _USUAL:
        return Verdict(
            "wrong",
            "three of four: with one job in a thousand a thousand times as long, what does a short job behind it wait"
            " for?",
        )
    law = wrong[0]
    if any(
        tuple(answer[law]).index(one) > tuple(answer[law]).index(split)
        for one, split in ((NAMES[0], NAMES[1]), (NAMES[2], NAMES[3]))
    ):
        return Verdict(
            "wrong",
            f"{law}: can servers that stand idle while others have a queue bear more than those that share one?",
        )
    where = "run the lab with that service, and read where each curve meets ten services"
    return Verdict("wrong", f"{len(wrong)} of four orders are not right, {law!r} among them: {where}")


def judge_culprit(answer: Any) -> Verdict:
    if answer not in ENDPOINTS:
        raise SpeLabError(
            f"the answer must be an endpoint ({', '.join(ENDPOINTS)}), got {answer!r:.40}; give its name as text"
        )
    accused = blame(incident())
    share = accused[answer] / sum(accused.values())
    if answer == CULPRIT:
        work = f"which do {work_share(CULPRIT):.0%} of the work"
        return Verdict(
            "right", f"{share:.0%} of all waiting was behind reports, {work}: a few of them read the archive"
        )
    if answer == "search":
        work = f"it has the longest services on average and {work_share(answer):.0%} of the work"
        return Verdict(
            "wrong",
            f"{work}, but no more than {share:.0%} of the waiting was behind it. Look at single requests, not at means",
        )
    return Verdict(
        "wrong",
        f"{share:.0%} of the waiting was behind {answer}. Who was in service while the slowest requests waited?",
    )


def culprit() -> str:
    """The endpoint behind which most time was spent waiting."""
    return next(iter(blame(incident())))


def work_share(endpoint: str) -> float:
    """Share of all service time."""
    log = incident()
    work = log["departure"] - log["start"]
    return float(work[log["endpoint"] == endpoint].sum() / work.sum())


def judge_shortest(answer: Any) -> Verdict:
    with closing(Cell(c_text(answer), "serve")) as own:
        outcome = run_shortest(own)
    if isinstance(outcome, str):
        return Verdict("wrong", outcome)
    fcfs, shortest = outcome
    gained = (
        f"at a load of 0.8 the mean sojourn falls from {fcfs:.2f} to {shortest:.2f} services, and the longest jobs pay"
        " for it"
    )
    return Verdict("right", f"every departure is the reference's; {gained}")


def shortest_first(arrival: np.ndarray, service: np.ndarray) -> np.ndarray:
    """The reference: when each job leaves a server that always takes the shortest one waiting, the
    first of equal ones.
    """
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
    """Arrivals and services: one job, ties, an idle server, and random ones."""
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
    """Checks the reader's departures; gives the mean sojourn of first come first served and of theirs."""
    if "serve" not in own.functions:
        return (
            "the source must declare void serve(const double *arrival, const double *service, int64_t n, double"
            " *departure), as the template does"
        )
    for arrival, service in cases():
        found, expected = np.full(len(arrival), -7.0), shortest_first(arrival, service)
        own.serve(arrival, service, len(arrival), found)
        if wrong := complaint(arrival, service, found, expected):
            return wrong
    in_turn = in_order(arrival, service)
    return float((in_turn - arrival).mean()), float((found - arrival).mean())


def in_order(arrival: np.ndarray, service: np.ndarray) -> np.ndarray:
    """Departures of first come, first served: Lindley's recursion."""
    departure, now = np.empty(len(arrival)), 0.0
    for i, (came, needs) in enumerate(zip(arrival, service, strict=True)):
        now = max(now, came) + needs
        departure[i] = now
    return departure


def complaint(arrival: np.ndarray, service: np.ndarray, found: np.ndarray, expected: np.ndarray) -> str:
    """What is wrong with these departures, in a sentence; empty if nothing."""
    if np.allclose(found, expected, rtol=1e-12, atol=1e-9):
        return ""
    start = found - service
    if np.isfinite(found).all() and (early := np.flatnonzero(start < arrival - 1e-9)).size:
        i = early[0]
        return (
            f"job {i} comes at {arrival[i]:g} and leaves at {found[i]:g} after a service of {service[i]:g}: it began"
            " before it came"
        )
    if np.allclose(found, in_order(arrival, service)):
        return "that is still first come, first served: of those who wait, take the shortest"
    i = int(np.flatnonzero(~np.isclose(found, expected, rtol=1e-12, atol=1e-9))[0])
    jobs = ", ".join(f"{a:.4g}/{s:.4g}" for a, s in zip(arrival[:8], service[:8], strict=True))
    more = " …" if len(arrival) > 8 else ""
    return (
        f"of {len(arrival)} jobs (arrival/service {jobs}{more}) number {i} must leave at {expected[i]:.6g}, and it"
        f" leaves at {found[i]:.6g}"
    )


EXERCISES = Exercises(
    "queueing",
    {
        "servers": Exercise(
            f"{RATE:g} requests come each second at random and take {1000 * SERVICE_S:g} ms on average, exponentially"
            " distributed. How few servers behind one queue keep the 99th percentile of the sojourn at or below"
            f" {1000 * OBJECTIVE_S:g} ms?",
            (
                (
                    f"The requests keep {RATE:g} · {SERVICE_S:g} = {OFFERED:g} servers busy. The service alone has a 99th"
                    " percentile of 461 ms."
                ),
                f"birth_death.sojourn_quantile(0.99, c, {OFFERED:g} / c, {SERVICE_S:g}) for c from {OFFERED + 1:g} on.",
            ),
            27,
            "Three more than are busy on average. Nearly all of the 500 ms is the service's own tail, so the queue must be"
            " all but empty; a pool of 24 can afford that at a load of 0.89.",
            judge_servers,
        ),
        "orders": Exercise(
            "16 servers. For each of four laws of service: put the four systems in order, from the one that bears the"
            " highest load with a p99 of ten services to the one that bears the lowest.",
            (
                (
                    "Two questions at once. Split or shared: whose servers stand idle while some wait? In turn or at once:"
                    " how long is the job ahead likely to be?"
                ),
                "For three of the laws the order is the same. In the fourth one job in a thousand does half of the work.",
            ),
            ORDERS,
            "Shared beats split for every law, since no server is idle while somebody waits. In turn beats at once as long"
            " as the job ahead is not much longer than one's own; where one in a thousand takes a thousand times as long,"
            " nobody wants to stand behind it.",
            judge_orders,
        ),
        "culprit": Exercise(
            "Four servers, each with a queue of its own, and a log of 20,000 requests. The p99 is nearly 400 times the"
            " median. Behind requests of which endpoint do the others wait?",
            (
                (
                    "Means by endpoint do not show it. Take the requests with the longest waits: what was in service at"
                    " their server meanwhile?"
                ),
                (
                    "For each request, the time that those behind it waited during its service: queueing.blame(log) adds"
                    " that up by endpoint."
                ),
            ),
            CULPRIT,
            "One report in a thousand reads the archive and takes 800 ms; on average reports are quick, and their own"
            " sojourn is the shortest of all. Whoever is sent to the same server in that time waits, whatever they asked"
            " for. Accounts by endpoint charge them for it; an account of who was in service does not.",
            judge_culprit,
        ),
        "shortest": Exercise(
            "Change serve so that a free server takes the shortest of the waiting jobs (the first of equal ones), and never"
            " interrupts one.",
            (
                "A job waits if it has arrived and has no departure yet. If nobody waits, time jumps to the next arrival.",
                (
                    "Mark all departures as −1 first; then n times: find the shortest among those that have come and are"
                    " still at −1."
                ),
            ),
            SHORTEST_SOLUTION,
            "It needs a search for each service, which a heap makes shorter. No discipline that does not interrupt has a"
            " smaller mean; the price is paid by the long jobs, which may wait for as long as short ones keep coming.",
            judge_shortest,
        ),
    },
)
