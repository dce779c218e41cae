"""Exercises with new numbers for each reader: servers for an objective, for a contract, and two kinds of servers."""

import math
import random
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core.reader.exercise import Exercise, Verdict, number
from spe_lab.topics.objectives import models, pools
from spe_lab.topics.objectives.sla import MOST_SPARE

CLOSE = 0.01  # relative error of an answer that counts as right
CLEAR = 0.03  # relative distance from a limit, so that rounding does not decide which answer is right


def close(given: float, right: float) -> bool:
    return math.isclose(given, right, rel_tol=CLOSE)


def percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f} %"


def whole(given: float) -> bool:
    return given == int(given) if math.isfinite(given) else False


# ---- Servers for an objective


def make_pool(rng: random.Random) -> Exercise:
    """Return the exercise: how few servers answer a share of the requests in time?"""
    while True:
        offered, k, p = rng.randrange(12, 61), rng.choice((5, 6, 8)), rng.choice((0.95, 0.99))
        right, allowed = int(pools.fewest_servers(offered, k, p, 1000)), 1 - p
        enough, fewer = late(k, right, offered), late(k, right - 1, offered)
        if right > offered + 1 and enough < (1 - CLEAR) * allowed and fewer > (1 + CLEAR) * allowed:
            break
    usual, alone = math.ceil(offered / 0.7), math.exp(-k)

    def judge(answer: Any) -> Verdict:
        given = number(answer, "servers")
        if not whole(given) or not 1 <= given <= pools.MOST_SERVERS:
            rule = f"the number of servers must be a whole number between 1 and {pools.MOST_SERVERS:,}"
            return Verdict("wrong", f"{rule}, got {given:g}")
        if given <= offered:
            always = f"{offered} servers would always be busy"
            return Verdict("wrong", f"{always}: with {given:g} the queue grows without bound")
        busy = f"{given:g} servers are busy {percent(offered / given, 0)} of the time"
        found = f"{busy} and late in {percent(late(k, given, offered))} of the requests"
        if given == right:
            return Verdict("right", f"{found}; one server fewer would be late in {percent(fewer)}")
        if given < right:
            return Verdict("wrong", f"{found}, and only {percent(allowed, 0)} is allowed")
        small = ". A utilisation target from a small pool wastes servers in a large one" if given >= usual else ""
        return Verdict("wrong", f"{found}: they meet the objective, but fewer servers do so too{small}")

    return Exercise(
        f"Requests keep {offered} servers busy on average. How many servers, behind one queue, are needed to answer"
        f" {percent(p, 0)} of the requests within {k} mean service times?",
        (
            (
                f"At a load of 1 the queue grows without bound, so there are more than {offered} servers. The service"
                f" alone takes longer than {k} means for {percent(alone)} of the requests."
            ),
            (
                f"objectives.late({k}, c, {offered} / c) is the share of late answers with c servers. Increase c until"
                f" it is at most {allowed:.2g}."
            ),
        ),
        right,
        f"{right - 1} servers are late in {percent(fewer)} of the requests, {right} in {percent(enough)}. They are busy"
        f" {percent(offered / right, 0)} of the time; a target of 70 % would take {usual} servers.",
        judge,
    )


def late(k: float, servers: float, offered: float) -> float:
    return float(pools.late(k, servers, offered / servers))


# ---- Servers for a contract


class Contract(NamedTuple):
    """Requests that keep `offered` servers busy, and what servers and late answers cost."""

    offered: int
    service_ms: int
    price: float  # € an hour for a server
    fine: float  # € for a thousand late answers
    w: float  # mean service times that a request may wait

    @property
    def an_hour(self) -> float:
        """Requests in an hour."""
        return self.offered / self.service_ms * 3_600_000

    def fines(self, spare: float) -> float:
        servers = self.offered + spare
        share = float(pools.waits_longer(self.w, servers, self.offered / servers))
        return self.an_hour * share * self.fine / 1000

    def cost(self, spare: float) -> float:
        return (self.offered + spare) * self.price + self.fines(spare)

    def cheapest(self) -> int:
        return min(range(1, MOST_SPARE + 1), key=self.cost)


def make_contract(rng: random.Random) -> Exercise:
    """Return the exercise: how many spare servers are cheapest if late answers are fined?"""
    while True:
        contract = Contract(
            rng.randrange(15, 61, 5),
            rng.choice((50, 100, 200)),
            rng.choice((0.5, 1.0, 2.0)),
            rng.choice((0.5, 1.0, 2.0, 5.0)),
            rng.choice((0.5, 1.0, 2.0)),
        )
        right = contract.cheapest()
        nearest = min(contract.cost(right - 1), contract.cost(right + 1)) if right > 2 else 0.0
        if nearest > 1.004 * contract.cost(right):
            break
    offered, service, price, fine, w = contract
    waits = "the mean service time" if w == 1 else f"{w:g} mean service times"
    saves, next_saves = (contract.fines(m) - contract.fines(m + 1) for m in (right - 1, right))

    def judge(answer: Any) -> Verdict:
        spare = number(answer, "spare servers")
        if not whole(spare) or not 1 <= spare <= MOST_SPARE:
            rule = f"the answer is a whole number between 1 and {MOST_SPARE}"
            return Verdict("wrong", f"{rule}: with no spare server the queue grows without bound")
        found = f"{spare:g} spare servers cost {contract.cost(spare):.2f} € an hour"
        if spare == right:
            fewer, more = contract.cost(right - 1), contract.cost(right + 1)
            return Verdict("right", f"{found}; one fewer {fewer:.2f} €, one more {more:.2f} €")
        if spare == right + 1:
            return Verdict("wrong", f"nearly: {found}. The last one saves less than its price")
        why = "one more would save more than it costs" if spare < right else "the last ones save almost nothing"
        return Verdict("wrong", f"{found}: {why}")

    return Exercise(
        f"Requests of {service} ms each keep {offered} servers busy. A server costs {price:g} € an hour, and a thousand"
        f" late answers cost {fine:g} €. An answer is late if the request waits longer than {waits}. How many spare"
        " servers are cheapest?",
        (
            (
                f"One more server is worth its price as long as it saves more than {price:g} € of fines an hour."
                f" {offered / service * 1000:g} requests a second are {contract.an_hour / 1e6:.3g} million an hour."
            ),
            (
                "The share of longer waits is C·e^(−m·w) with Erlang's C;"
                f" objectives.waits_longer({w:g}, {offered} + m, {offered}/({offered} + m)) computes it."
            ),
        ),
        right,
        f"Spare server number {right} saves {saves:.2f} € of fines an hour and costs {price:g} €. The next one"
        f" saves only {next_saves:.2f} €. The cost is flat to the right of the optimum and steep to the left. If in"
        " doubt, take one more.",
        judge,
    )


# ---- Two kinds of servers


class Kind(NamedTuple):
    """A server: its power when idle and at full load, and its service time."""

    idle: int
    peak: int
    service_ms: int

    @property
    def most(self) -> float:
        """Requests a second at full load."""
        return 1000 / self.service_ms

    def energy(self, rate: float) -> float:
        """Return the energy of a request in J at a rate in requests a second."""
        seconds = self.service_ms / 1000
        load = rate * seconds
        return float(models.energy_per_request()(u=load, P_idle=self.idle, P_peak=self.peak, S=seconds))

    def in_words(self, name: str) -> str:
        return (
            f"{name} draws {self.idle} W idle and {self.peak} W at full load, and a request takes {self.service_ms} ms"
        )


def crossover(small: Kind, large: Kind) -> float:
    """Return the rate at which a request takes the same energy on both."""
    small_s, large_s = (kind.service_ms / 1000 for kind in (small, large))
    return (large.idle - small.idle) / ((small.peak - small.idle) * small_s - (large.peak - large.idle) * large_s)


def make_kinds(rng: random.Random) -> Exercise:
    """Return the exercise: from which rate on does the faster server take less energy for a request?"""
    while True:
        idle = rng.randrange(10, 41, 5)
        small = Kind(idle, idle + rng.randrange(60, 161, 10), rng.choice((4, 5, 8, 10)))
        more = idle + rng.randrange(20, 81, 10)
        large = Kind(more, more + rng.randrange(100, 261, 20), rng.choice((1, 2)))
        saved = (small.peak - small.idle) * small.service_ms - (large.peak - large.idle) * large.service_ms
        if saved > 0 and 0.15 * small.most < crossover(small, large) < 0.9 * small.most:
            break
    right = crossover(small, large)
    joules = [(kind.peak - kind.idle) * kind.service_ms / 1000 for kind in (small, large)]
    at_peak = small.peak * small.service_ms - large.peak * large.service_ms
    wrong_peak = 1000 * (large.idle - small.idle) / at_peak if at_peak else math.nan
    slope = (small.peak - small.idle) - (large.peak - large.idle)
    equal_power = (large.idle - small.idle) / slope if slope else math.nan

    def judge(answer: Any) -> Verdict:
        rate = number(answer, "a rate in requests a second")
        if rate > 0 and close(rate, right):
            return Verdict(
                "right",
                f"at {right:.1f} requests a second both take {small.energy(right):.3f} J. Below it the lower idle power"
                " counts, above it the shorter service",
            )
        if close(1000 * rate, right):
            return Verdict("wrong", "that is in requests a millisecond; give requests a second")
        if any(close(rate, right * kind.service_ms / 1000) for kind in (small, large)):
            return Verdict("wrong", "that is the load of one server; divide it by its service time to get the rate")
        if np.isfinite(wrong_peak) and close(rate, wrong_peak):
            return Verdict(
                "wrong", "a request adds the difference between peak and idle power for its time, not the peak power"
            )
        if np.isfinite(equal_power) and close(rate, equal_power):
            return Verdict(
                "wrong", "that is a load of equal power; at the same load the faster server answers more requests"
            )
        if not 0 < rate <= small.most:
            return Verdict(
                "wrong", f"A completes at most {small.most:g} requests a second, and {rate:g} is not among its rates"
            )
        energies = f"a request takes {small.energy(rate):.3f} J on A and {large.energy(rate):.3f} J on B"
        return Verdict("wrong", f"at {rate:g} requests a second {energies}; look for the rate at which both are equal")

    return Exercise(
        f"{small.in_words('Server A')}. {large.in_words('Server B')}. Power is a straight line of the load for both."
        " From how many requests a second on does a request take less energy on B than on A?",
        (
            (
                "Idle power is drawn at any rate: at λ requests a second each request carries P_idle/λ of it. What does"
                " a request add to that?"
            ),
            (
                f"On A a request takes {small.idle}/λ + {joules[0]:.3g} J, on B {large.idle}/λ + {joules[1]:.3g} J with"
                " λ in requests a second. Set both equal."
            ),
        ),
        round(right, 2),
        f"A request adds ({small.peak} W − {small.idle} W) · {small.service_ms} ms = {joules[0]:.3g} J on A, and"
        f" {joules[1]:.3g} J on B. B draws {large.idle - small.idle} W more when idle. So B is better from"
        f" {large.idle - small.idle} W / {joules[0] - joules[1]:.3g} J = {right:.1f} requests a second on, a load of"
        f" {percent(right / small.most, 0)} on A and {percent(right / large.most, 0)} on B. The better server at full"
        " load is not the better one at every load.",
        judge,
    )
