"""What this chapter's Explain sections say of simulated runs: the claims that a run can contradict."""

from collections.abc import Callable

from spe_lab.core.reader.claims import Claim, at, between, both, less
from spe_lab.core.recording import Run
from spe_lab.topics.queueing.disciplines import NAMES
from spe_lab.topics.queueing.laws import ONE_IN_A_THOUSAND

ONE, SPLIT, POOL, SPLIT_PS = NAMES
LOAD = 0.9  # where the systems are compared: their curves are far apart, and a short run has a point


def only(holds: Callable[[Run], bool | None], **settings: object) -> Callable[[Run], bool | None]:
    """Return `holds` for runs at these settings, and None for other runs."""

    def judged(run: Run) -> bool | None:
        return holds(run) if all(run.point.get(name) == value for name, value in settings.items()) else None

    return judged


MM1 = {"servers": 1, "service": "exponential", "arrivals": "Poisson", "statistic": "mean"}
TAIL = {"load": 0.7, "long_share": 0.001, "ratio": 1000, "of": "slowdown"}
MEANS = {"servers": 64, "choices": 2, "service": "exponential", "statistic": "mean"}


def bend(run: Run) -> bool | None:
    return both(between(at(run, "one queue", 0.8), 4, 6), between(at(run, "one queue", 0.9), 7, 14))


def widening(run: Run) -> bool | None:
    low, high = at(run, "one queue", 0.5), at(run, "one queue", 0.95)
    return None if low is None or high is None else high.high - high.low > 5 * (low.high - low.low)


def shared_beats_split(run: Run) -> bool | None:
    fcfs = less(at(run, ONE, LOAD), at(run, SPLIT, LOAD))
    return both(fcfs, less(at(run, POOL, LOAD), at(run, SPLIT_PS, LOAD)))


def fcfs_beats_ps(run: Run) -> bool | None:
    return both(less(at(run, ONE, LOAD), at(run, POOL, LOAD)), less(at(run, SPLIT, LOAD), at(run, SPLIT_PS, LOAD)))


def ps_beats_fcfs(run: Run) -> bool | None:
    return both(less(at(run, POOL, LOAD), at(run, ONE, LOAD)), less(at(run, SPLIT_PS, LOAD), at(run, SPLIT, LOAD)))


def split_ps_beats_one_queue(run: Run) -> bool | None:
    return less(at(run, SPLIT_PS, LOAD), at(run, ONE, LOAD))


def half_are_blocked(run: Run) -> bool | None:
    return between(at(run, "FCFS", 100), 0.4, 0.62)


def priority_hardly_helps(run: Run) -> bool | None:
    return less(at(run, "FCFS", 10), at(run, "short jobs first", 10), factor=1.25)


def priority_ends_earlier(run: Run) -> bool | None:
    return less(at(run, "short jobs first", 1000), at(run, "FCFS", 1000), factor=0.2)


def sharing_has_no_shoulder(run: Run) -> bool | None:
    return less(at(run, "PS", 20), 0.01)


def sharing_costs(run: Run) -> bool | None:
    return less(at(run, "FCFS", 1.5), at(run, "PS", 1.5))


def four_balancers(run: Run) -> bool | None:
    every, two, robin, random = (
        at(run, name, 0.9) for name in ("shortest of all", "shortest of d", "round robin", "random")
    )
    return both(less(every, two), less(two, robin), less(robin, random))


def two_choices_gain(run: Run) -> bool | None:
    every, two, random = (at(run, name, 0.9) for name in ("shortest of all", "shortest of d", "random"))
    if every is None or two is None or random is None:
        return None
    gains = [(split - some) / (split - best) for split, some, best in zip(random, two, every, strict=True)]
    return True if min(gains) > 0.7 else False if max(gains) < 0.7 else None


CLAIMS = (
    Claim(
        "queueing.single",
        "At a load of 0.8 a customer stays about 5 mean services on average, and at 0.9 about twice as long.",
        only(bend, **MM1),
    ),
    Claim(
        "queueing.single",
        "The intervals at a load of 0.95 are more than five times as wide as at 0.5.",
        only(widening, **MM1),
    ),
    Claim(
        "queueing.disciplines",
        "A shared queue has a smaller p99 than split queues, under FCFS and under PS (load 0.9).",
        only(shared_beats_split, servers=16, statistic="p99"),
    ),
    Claim(
        "queueing.disciplines",
        "With exponential service, FCFS has a smaller p99 than PS (load 0.9).",
        only(fcfs_beats_ps, servers=16, service="exponential", statistic="p99"),
    ),
    Claim(
        "queueing.disciplines",
        "If one job in 1000 is 1000 times as long, PS has a smaller p99 than FCFS (load 0.9).",
        only(ps_beats_fcfs, servers=16, service=ONE_IN_A_THOUSAND, statistic="p99"),
    ),
    Claim(
        "queueing.disciplines",
        "With these jobs even split PS has a smaller p99 than one queue FCFS (load 0.9).",
        only(split_ps_beats_one_queue, servers=16, service=ONE_IN_A_THOUSAND, statistic="p99"),
    ),
    Claim(
        "queueing.head_of_line",
        "Under FCFS about half of all customers are slowed down more than a hundredfold.",
        only(half_are_blocked, **TAIL),
    ),
    Claim(
        "queueing.head_of_line",
        "Serving short jobs first hardly changes the share of customers with a slowdown above 10.",
        only(priority_hardly_helps, **TAIL),
    ),
    Claim(
        "queueing.head_of_line",
        "Serving short jobs first removes most of the slowdowns above 1000.",
        only(priority_ends_earlier, **TAIL),
    ),
    Claim(
        "queueing.head_of_line",
        "Under PS fewer than 1 % of the customers have a slowdown above 20.",
        only(sharing_has_no_shoulder, **TAIL),
    ),
    Claim(
        "queueing.head_of_line",
        "A slowdown above 1.5 is more frequent under PS than under FCFS.",
        only(sharing_costs, **TAIL),
    ),
    Claim(
        "queueing.balancing",
        "From the longest mean sojourn to the shortest (load 0.9): random, round robin, the shortest of two, of all.",
        only(four_balancers, **MEANS),
    ),
    Claim(
        "queueing.balancing",
        "Two choices gain more than 70 % of what inspecting all 64 queues gains (load 0.9).",
        only(two_choices_gain, **MEANS),
    ),
)
