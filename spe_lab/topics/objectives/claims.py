"""What this chapter's Explain sections say of simulated runs: the claims that a run can contradict."""

from collections.abc import Callable

from spe_lab.core.reader.claims import Claim, at, between, both, less
from spe_lab.core.recording import Run
from spe_lab.topics.objectives.utilisation import OBJECTIVES, WAYS

SHARED, APART = WAYS
COST = "servers and penalties"


def only(holds: Callable[[Run], bool | None], **settings: object) -> Callable[[Run], bool | None]:
    """Return `holds` for runs at these settings, and None for other runs."""

    def judged(run: Run) -> bool | None:
        return holds(run) if all(run.point.get(name) == value for name, value in settings.items()) else None

    return judged


LEAF = {"p": 0.99, "leaf": "exponential", "mean": 10.0, "hedge": 0.95}
COPIES = {"objective": 8.0, "delay": 3.0}
POOL = {"objective": OBJECTIVES[0], "k": 5.0, "p": 0.99}
RACK = {"servers": 32, "idle": 100, "peak": 250, "service": 2, "k": 10.0}
CONTRACT = {"offered": 20, "service": 100, "w": 0.5, "price": 0.5, "fine": 1.0}


def twice_a_leaf(run: Run) -> bool | None:
    one, hundred = at(run, "plain", 1), at(run, "plain", 100)
    return both(less(one, hundred, factor=1 / 1.7), less(hundred, one, factor=2.3))


def a_logarithm(run: Run) -> bool | None:
    return less(at(run, "plain", 1000), at(run, "plain", 100), factor=1.5)


def a_third_less(run: Run) -> bool | None:
    plain, hedged = at(run, "plain", 100), at(run, "hedged", 100)
    return both(less(hedged, plain, factor=0.75), less(plain, hedged, factor=1 / 0.58))


def copies_help(run: Run) -> bool | None:
    return less(at(run, "with copies", 0.3), at(run, "no copies", 0.3), factor=0.5)


def copies_hurt(run: Run) -> bool | None:
    return less(at(run, "no copies", 0.6), at(run, "with copies", 0.6))


def copies_drown(run: Run) -> bool | None:
    late = at(run, "with copies", 0.6)
    return less(0.5, late)


def one_server(run: Run) -> bool | None:
    return less(at(run, SHARED, 1), 0.2)


def sixteen_servers(run: Run) -> bool | None:
    return less(0.8, at(run, SHARED, 16))


def apart_like_one(run: Run) -> bool | None:
    return less(at(run, APART, 16), 0.2)


def a_joule(run: Run) -> bool | None:
    return both(between(at(run, "all on", 0.2), 1.0, 1.6), between(at(run, "all on", 0.3), 0.8, 1.0))


def fewest_save(run: Run) -> bool | None:
    return less(at(run, "fewest on", 0.1), at(run, "all on", 0.1), factor=0.3)


def steep_to_the_left(run: Run) -> bool | None:
    return less(at(run, COST, 16), at(run, COST, 3), factor=0.5)


CLAIMS = (
    Claim(
        "objectives.slo",
        "The 99th percentile of requests to 100 leaves is about twice that of one leaf.",
        only(twice_a_leaf, **LEAF),
    ),
    Claim(
        "objectives.slo",
        "From 100 exponential leaves to 1000, the percentile grows by less than a half.",
        only(a_logarithm, **LEAF),
    ),
    Claim(
        "objectives.slo",
        "Copies for the slowest 5 % of the leaves cut the 99th percentile of 100 leaves by about a third.",
        only(a_third_less, **LEAF),
    ),
    Claim(
        "objectives.hedging",
        "At a load of 30 %, copies at least halve the share of late answers.",
        only(copies_help, **COPIES),
    ),
    Claim(
        "objectives.hedging",
        "At a load of 60 %, more answers are late with copies than without.",
        only(copies_hurt, **COPIES),
    ),
    Claim(
        "objectives.hedging",
        "At a load of 60 %, most answers are late with copies.",
        only(copies_drown, **COPIES),
        "Near the highest load a short simulation has not reached this state; press Simulate.",
    ),
    Claim(
        "objectives.utilisation",
        "One server meets the objective only at loads below 20 %.",
        only(one_server, **POOL),
    ),
    Claim(
        "objectives.utilisation",
        "Sixteen servers with one queue meet it at loads above 80 %.",
        only(sixteen_servers, **POOL),
    ),
    Claim(
        "objectives.utilisation",
        "Sixteen servers with a queue each meet it only at loads below 20 %, like one server.",
        only(apart_like_one, **POOL),
    ),
    Claim(
        "objectives.energy",
        "With all servers on, a request takes more than 1 J at a load of 20 %, and less at 30 %.",
        only(a_joule, **RACK),
    ),
    Claim(
        "objectives.energy",
        "At a load of 10 %, the fewest servers save more than two thirds of the energy of a request.",
        only(fewest_save, **RACK),
    ),
    Claim(
        "objectives.sla",
        "Three spare servers cost more than twice as much an hour as sixteen.",
        only(steep_to_the_left, **CONTRACT),
    ),
)
