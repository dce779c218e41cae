"""Exercise "shortest": a discipline of one's own in C, compared with a reference departure by departure."""

import heapq
from contextlib import closing
from typing import Any

import numpy as np

from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.reader.exercise import Exercise, Verdict, c_text
from spe_lab.models.queues import exponential, poisson

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


SHORTEST = Exercise(
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
    template=SHORTEST_TEMPLATE,
)
