"""Exercises with new numbers for each reader: blocked jobs, FCFS against PS, servers of a pool, and a mix of jobs."""

import math
import random
from typing import Any, NamedTuple

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Verdict, number
from spe_lab.models.queues import Law, bimodal, birth_death, general
from spe_lab.topics.queueing.disciplines import NAMES

CLOSE = 0.02  # relative error of an answer that counts as right
NONE = "none"


def close(given: float, right: float) -> bool:
    return math.isclose(given, right, rel_tol=CLOSE)


# ---- Who waits behind a long job


def make_behind(rng: random.Random) -> Exercise:
    """Return the exercise: which share of the requests finds a long one in service?"""
    one_in, ratio, rho = rng.choice((100, 200, 500, 1000)), rng.choice((50, 100, 200, 400)), rng.choice((0.4, 0.5, 0.6))
    p = 1 / one_in
    work = p * ratio / (1 - p + p * ratio)  # share of the work that is of long requests
    right = rho * work

    def judge(answer: Any) -> Verdict:
        given = number(answer, "a share between 0 and 1")
        if close(given, right):
            return Verdict(
                "right",
                f"a long request is in service {right:.1%} of the time, and Poisson arrivals see time averages:"
                " 1 request in"
                f" {one_in} is in the way of 1 in {1 / right:.1f}",
            )
        if close(given, 100 * right):
            return Verdict("wrong", "the value is right in per cent; give the share, a number between 0 and 1")
        if not 0 <= given <= 1:
            return Verdict("wrong", f"a share lies between 0 and 1, and {given:g} does not")
        if close(given, p):
            return Verdict(
                "wrong",
                "that is the share of requests that are long; for how much of the time does a server serve one?",
            )
        if close(given, work):
            return Verdict(
                "wrong", "that is the share of long requests in the work; but the server is idle for a part of the time"
            )
        if close(given, rho):
            return Verdict("wrong", "that is the share of time that the server is busy, with short requests as well")
        if close(given, rho * p):
            return Verdict("wrong", "count time, not requests: a long request occupies the server for longer")
        return Verdict(
            "wrong",
            "that is not the share of time in which a long request is in service; what else does the server do?",
        )

    return Exercise(
        f"A server has a load of {rho:g}. One request in {one_in} takes {ratio} times as long as each of the others."
        " Arrivals are a Poisson stream. Which share of the requests finds a long one in service when it arrives?",
        (
            "Poisson arrivals see time averages: the share of arrivals equals a share of time.",
            (
                f"Let a short request take 1. Then {one_in} requests have {one_in - 1} + {ratio} of work on average."
                " Which share of"
                " it belongs to the long request, and for which share of the time does the server work at all?"
            ),
        ),
        round(right, 4),
        f"Of the work, {ratio} / ({one_in - 1} + {ratio}) = {work:.1%} is of long requests. The server is busy"
        f" {rho:.0%} of the time, so a long request is in service {rho:g} · {work:.3f} = {right:.1%} of the time. This"
        " is ρ·p·L with L in mean services.",
        judge,
    )


# ---- The mean under FCFS and under PS


class Server(NamedTuple):
    """A server with two kinds of requests; times in ms."""

    rate: float  # requests per second
    law: Law

    @property
    def rho(self) -> float:
        return self.rate * self.law.mean / 1000

    @property
    def fcfs(self) -> float:
        return self.law.mean + self.wait(self.law.scv)

    @property
    def ps(self) -> float:
        return self.law.mean / (1 - self.rho)

    def wait(self, scv: float) -> float:
        return float(general.mean_wait(self.rho, scv, self.law.mean))


def make_two_kinds(rng: random.Random) -> Exercise:
    """Return the exercise: the mean sojourn under FCFS and under PS if there are two kinds of requests."""
    short, ratio, one_in = rng.choice((1, 2, 4)), rng.choice((20, 50, 100)), rng.choice((20, 50, 100))
    mean = short * (1 + (ratio - 1) / one_in)
    rate = round(1000 * rng.choice((0.5, 0.6, 0.7, 0.8)) / mean)
    server = Server(rate, bimodal(mean, 1 / one_in, ratio))
    fcfs, ps = round(server.fcfs, 3), round(server.ps, 3)

    def judge(answer: Any) -> Verdict:
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            rule = "the answer must be the two means in ms, first under FCFS and then under PS"
            raise SpeLabError(f"{rule}, got {answer!r:.60}; write for example (12.5, 8.0)")
        first, second = (number(each, "a mean in ms") for each in answer)
        if close(first, fcfs) and close(second, ps):
            times = f"FCFS takes {fcfs / ps:.1f} times as long on average" if fcfs > ps else "FCFS is the faster one"
            return Verdict("right", f"C_s² = {server.law.scv:.1f} is above 1: {times}")
        if close(first, ps) and close(second, fcfs):
            return Verdict("wrong", "both values are right, in the wrong order: first FCFS, then PS")
        if close(1000 * first, fcfs) or close(1000 * second, ps):
            return Verdict("wrong", "that is in seconds; give both means in ms")
        if not close(first, fcfs):
            return Verdict("wrong", f"FCFS: {_why_not(server, first)}")
        if close(second, mean):
            return Verdict("wrong", "FCFS is right. PS: that is the service alone; jobs share the server, at this load")
        return Verdict(
            "wrong", "FCFS is right. PS: its mean depends on the load and on the mean service, on nothing else"
        )

    return Exercise(
        f"{rate} requests arrive each second at one server, as a Poisson stream. One in {one_in} takes"
        f" {short * ratio} ms,"
        f" each of the others {short} ms. What is the mean sojourn in ms, under FCFS and under PS? Give a pair,"
        " (FCFS, PS).",
        (
            f"The mean service is E(S) = {mean:.4g} ms. The load is ρ = λ·E(S); mind the units.",
            (
                "FCFS: the sojourn is a service and a wait, by Pollaczek and Khinchine. C_s² = E(S²) / E(S)² − 1, where"
                f" E(S²) = ({one_in - 1} · {short}² + {short * ratio}²) / {one_in} ms². PS: E(S) / (1 − ρ)."
            ),
        ),
        (fcfs, ps),
        f"E(S) = {mean:.4g} ms, ρ = {server.rho:.3f}, C_s² = {server.law.scv:.2f}. Under FCFS the mean wait is"
        f" ρ/(1 − ρ) · (1 + C_s²)/2 · E(S) = {server.wait(server.law.scv):.4g} ms, to which the service is"
        " added. Under PS"
        f" the mean is E(S)/(1 − ρ) = {ps:.4g} ms. At any load, PS has the smaller mean if and only if C_s² > 1.",
        judge,
    )


def _why_not(server: Server, given: float) -> str:
    """Return what a wrong mean under FCFS may have left out."""
    mean, scv = server.law.mean, server.law.scv
    half = server.rho / (1 - server.rho) * mean / 2
    known = (
        (server.wait(scv), "that is the wait; the sojourn is a wait and a service"),
        (server.ps, "that holds for exponential service (C_s² = 1); here C_s² is larger"),
        (mean + half * scv, "the factor is (1 + C_s²)/2: E(S²)/E(S)² is 1 + C_s², not C_s²"),
        (mean + 2 * half * (1 + scv), "the service under way is half over on average: the factor is (1 + C_s²)/2"),
        (mean + half * (1 + math.sqrt(scv)), "that takes C_s for C_s², the standard deviation for the variance"),
        (mean + half * (1 + scv) * (1 - server.rho), "the wait lacks 1/(1 − ρ), for the customers who wait before"),
    )
    return next((why for value, why in known if close(given, value)), "see the formula of Pollaczek and Khinchine")


# ---- How many servers


class Pool(NamedTuple):
    """Requests for a pool of servers with one queue, and the objective of their p99."""

    rate: float  # per second
    service_ms: float
    objective_ms: float

    @property
    def offered(self) -> float:
        return self.rate * self.service_ms / 1000

    def p99_ms(self, servers: int) -> float:
        return float(birth_death.sojourn_quantile(0.99, servers, self.offered / servers, self.service_ms))

    def fewest(self) -> int:
        """Return the right number of servers, by search."""
        servers = math.floor(self.offered) + 1
        while self.p99_ms(servers) > self.objective_ms:
            servers += 1
        return servers


def make_servers(rng: random.Random) -> Exercise:
    """Return the exercise: how few servers keep the p99 at or below an objective?"""
    while True:
        service = rng.choice((20, 50, 80, 100, 200))
        pool = Pool(1000 * rng.randrange(8, 41) / service, service, service * rng.choice((5, 5.5, 6, 7)))
        right = pool.fewest()
        enough, fewer = pool.p99_ms(right), pool.p99_ms(right - 1) if right - 1 > pool.offered else math.inf
        clear = enough < 0.995 * pool.objective_ms and fewer > 1.005 * pool.objective_ms
        if pool.rate == round(pool.rate) and right >= pool.offered + 3 and clear:
            break
    alone = service * math.log(100)

    def judge(answer: Any) -> Verdict:
        given = number(answer, "how many servers")
        if given != int(given) or given < 1:
            return Verdict("wrong", f"the number of servers must be a positive whole number, got {given:g}")
        if given <= pool.offered:
            busy = f"the requests keep {pool.offered:g} servers busy on average"
            return Verdict("wrong", f"{busy}; with {given:g} the queue grows without bound")
        found = pool.p99_ms(int(given)) if given <= birth_death.MOST_SERVERS else alone
        if given == right:
            one_fewer = f"with one fewer it is {fewer:.0f} ms"
            servers = f"{right} servers, at a load of {pool.offered / right:.2f}"
            return Verdict("right", f"{servers}, have a p99 of {found:.0f} ms; {one_fewer}")
        servers = f"{given:g} servers have a p99 of {found:.0f} ms"
        if given < right:
            return Verdict("wrong", f"the queue is stable, but {servers}, above the objective")
        return Verdict("wrong", f"{servers} and meet the objective; fewer servers do so, too")

    return Exercise(
        f"{pool.rate:g} requests arrive each second (Poisson). Their service times are exponential with a mean of"
        f" {service} ms. How few servers behind one queue keep the 99th percentile of the sojourn at or below"
        f" {pool.objective_ms:g} ms?",
        (
            (
                f"The requests keep λ·E(S) = {pool.offered:g} servers busy. The service alone has a 99th percentile of"
                f" {alone:.0f} ms."
            ),
            (
                f"birth_death.sojourn_quantile(0.99, c, {pool.offered:g} / c, {service}) for c from"
                f" {pool.offered + 1:g} on."
            ),
        ),
        right,
        f"{right - pool.offered:g} more servers than are busy on average. The tail of the service takes"
        f" {alone:.0f} of the"
        f" {pool.objective_ms:g} ms, so the queue must be almost empty. A pool of this size achieves that at a load of"
        f" {pool.offered / right:.2f}.",
        judge,
    )


# ---- Which system for a mix of jobs

# Highest loads of the four systems (16 servers, p99 of ten services) by one_in and ratio of the long jobs: by bisection
# of simulations of up to 8,000,000 customers, good to 0.05.
MIXES = {
    (5, 3): (0.98, 0.70, 0.95, 0.53),
    (10, 8): (0.96, 0.44, 0.91, 0.29),
    (500, 600): (0.64, 0.01, 0.99, 0.79),
    (200, 300): (0.62, 0.01, 0.99, 0.80),
    (250, 200): (0.69, 0.01, 0.99, 0.75),
    (50, 60): (0.0, 0.0, 0.0, 0.0),
    (20, 50): (0.0, 0.0, 0.0, 0.0),
}
MIX_SERVERS, MIX_OBJECTIVE = 16, 10.0


def make_mix(rng: random.Random) -> Exercise:
    """Return the exercise: which system carries the highest load for a mix of short and long jobs?"""
    one_in, ratio = rng.choice(list(MIXES))
    loads = dict(zip(NAMES, MIXES[one_in, ratio], strict=True))
    best = max(loads, key=lambda name: loads[name]) if max(loads.values()) else NONE
    long = bimodal(1.0, 1 / one_in, ratio).parameters[0]

    def judge(answer: Any) -> Verdict:
        if not isinstance(answer, str) or answer not in (*NAMES, NONE):
            rule = f"the answer must be one of {', '.join((*NAMES, NONE))}"
            raise SpeLabError(f"{rule}, got {answer!r:.60}; give its name as text")
        carried = ", ".join(f"{name} {load:.0%}" for name, load in loads.items())
        if answer == best == NONE:
            return Verdict("right", f"more than 1 % of the jobs are long, and each takes {long:.0f} services by itself")
        if answer == best:
            return Verdict("right", f"the highest loads are: {carried}")
        if best == NONE:
            return Verdict(
                "wrong",
                f"how long is a long job by itself, in mean services, and how many of 100 are long? {answer}"
                " cannot shorten it",
            )
        if answer == NONE:
            return Verdict(
                "wrong", "fewer than 1 % of the jobs take longer than ten services by themselves, or none does"
            )
        if answer.startswith("split") != best.startswith("split"):
            return Verdict(
                "wrong", "split servers stand idle while others have a queue; a shared queue always carries more"
            )
        if best.endswith("PS"):
            return Verdict("wrong", f"a long job takes {long:.0f} services: how many jobs wait behind it under FCFS?")
        return Verdict("wrong", f"a long job takes only {long:.1f} services; PS slows down all jobs to let a few pass")

    return Exercise(
        f"{MIX_SERVERS} servers; one job in {one_in} takes {ratio} times as long as each of the others. The"
        " objective is a p99"
        f" of at most ten mean services. Which of the four systems of lab 2 carries the highest load? Answer"
        f" {', '.join(repr(name) for name in NAMES)}, or {NONE!r} if none meets the objective at any load.",
        (
            "First compute how long a long job is in mean services, and compare it with the objective.",
            (
                "If long jobs are rarer than 1 in 100, the p99 is that of short jobs: do they wait behind a long"
                " one? If not,"
                " the p99 contains the long jobs themselves."
            ),
        ),
        best,
        f"A long job takes {long:.1f} mean services. "
        + (
            "More than 1 % of the jobs are that long, so no discipline can keep the p99 below ten."
            if best == NONE
            else "That is far above the objective, but fewer than 1 % of the jobs are long. Under PS the others"
            " pass it."
            if best.endswith("PS")
            else "That is below the objective. FCFS finishes jobs early, and PS would slow all of them down."
        ),
        judge,
    )
