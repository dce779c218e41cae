"""The lab objectives.utilisation: the highest load within an objective, against the size of the pool."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, growing, register
from spe_lab.models.queues import Shared, Split, System, batches, exponential, poisson, simulate
from spe_lab.topics.objectives import models, pools
from spe_lab.topics.objectives.sharing import SEED

WAYS = ("shared queue", "queue for each")
OBJECTIVES = ("total time", "no waiting")
CUSTOMERS = 3000  # of a small pool, for one load, in a first answer
BATCHES = 10  # few and long: the waits of a busy pool are correlated over a long time
STEPS = 7  # loads that are tried for one pool
FARTHEST = 8.0  # log(load / (1 − load)) of the first bracket's ends: from 0.0003 to 0.9997
TIMES_FORGOTTEN = 3  # least length of a simulation, in relaxation times of the queue
TOO_SHORT = "points are missing where the simulation is too short for so busy a queue; simulate longer"
LEAST = 1e-4  # smallest share / allowed that is distinguished: 0 has no logarithm
MOST_SERVERS = 256


@register
class Utilisation(SimulatedLab):
    """The highest load at which a pool still meets a latency objective."""

    id = "objectives.utilisation"
    title = "Utilisation and pool size"
    question = (
        "How busy may servers be before a latency objective is missed, and what does the size of their pool change?"
    )
    axis = "servers"
    quantity = "highest load that meets the objective"
    unit = ""
    percent = True
    scale = "linear"
    stem = "queueing"
    steps = 3
    live = True
    exact = True
    compared = (WAYS[0], WAYS[0])
    within = 0.05
    breaks = (
        "The model assumes Poisson arrivals at a constant rate, and that any server can take any request at no cost."
        " Load that changes during the day needs additional head-room, and so do failures of servers."
    )

    def make_sliders(self) -> list[Slider]:
        k, p = f"{models.QUANTITIES['k'].meaning}, in mean service times", models.QUANTITIES["p"].meaning
        objective = "objective of a share p of requests: an answer within k, or no waiting at all"
        return [
            Slider.count(
                *("servers", 16, "servers in the pool", 1, MOST_SERVERS, "a rack's share", "log"),
                label="Servers",
                symbol="c",
            ),
            Slider.choice(
                *("objective", OBJECTIVES, objective, "users notice the total time"),
                label="Objective",
            ),
            Slider(
                *("k", "", 5.0, k, 1, 20, "log"),
                source="little above the 4.6 of the service alone",
                label="Time limit",
            ),
            Slider(
                *("p", "", 0.99, p, 0.5, 0.999, "log"),
                source="the usual objective",
                label="Fast requests",
                percent=True,
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        return [1, 2, 4, 8, 16, 32, 64] if short else [1, 2, 4, 8, 16, 32, 64, 128]

    def presets(self) -> dict[str, Preset]:
        return {
            "Twice the time": Preset(
                {"k": 10.0}, "A looser objective helps small pools most: one server may now be busy 50 % of the time."
            ),
            "Nobody waits": Preset(
                {"objective": OBJECTIVES[1], "p": 0.9},
                "90 % of requests find an idle server: the spare servers grow with the square root of the load.",
            ),
            "Out of reach": Preset(
                {"k": 4.0}, "The service alone is too long for one request in 55. More servers do not change that."
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        k, p, no_wait = float(point["k"]), float(point["p"]), point["objective"] == OBJECTIVES[1]
        allowed = 1 - p - (0.0 if no_wait else math.exp(-k))  # share that waiting may make late, besides the service

        def delayed(system: System, customers: int) -> Callable[[float], batches.Estimate]:
            """Return a function of load: the share of requests that are late because they wait.

            All loads use the same services, and arrivals that differ in scale only. The waits are simulated. The
            independent service after the wait is averaged over, which reduces the variance.
            """

            def at(load: float) -> batches.Estimate:
                gaps = poisson(load * system.servers)
                waiting = simulate(system, gaps, exponential(1.0), customers, SEED, cancel=cancel).waiting
                late = (waiting > 0).astype(float) if no_wait else np.exp(np.minimum(waiting - k, 0.0)) - math.exp(-k)
                return batches.mean(late, BATCHES)

            return at

        def at(customers: int) -> list[Curve]:
            sizes = [int(customers * (1 + c / 8)) for c in x.values]  # a large pool changes its state slowly
            ways = zip(WAYS, (Shared, Split), (1, 2), strict=True)  # split queues meet the objective at low load only
            found = {
                way: [
                    seen(highest_load(delayed(kind(int(c)), n // part), allowed), n // part)
                    for c, n in zip(x.values, sizes, strict=True)
                ]
                for way, kind, part in ways
            }
            estimator = "a load between two that were tried; 95 % by batch means of the late share, over its slope"
            notes = [TOO_SHORT] if np.isnan(list(found.values())).any() else []
            return [self.curve(way, x, estimates, sizes, estimator, notes=notes) for way, estimates in found.items()]

        yield from map(at, growing(CUSTOMERS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        k, p, no_wait = float(point["k"]), float(point["p"]), point["objective"] == OBJECTIVES[1]
        exact = pools.highest_load(x.values, k, p, no_wait)
        alone = np.full(x.values.shape, 1 - p if no_wait else max(0.0, 1 + math.log(1 - p) / k))
        if no_wait:
            root = pools.square_roots(p) / np.sqrt(x.values)
            large = (np.sqrt(1 + root**2 / 4) - root / 2) ** 2  # ρ from c = a + β√a, with a = ρc
        else:
            large = np.maximum(0.0, 1 - pools.spare_servers(k, p) / x.values)
        named = zip((*WAYS, "rule for large pools"), (exact, alone, large), strict=True)
        return [Curve(name, "predicted", x, self.unit, values) for name, values in named]


def highest_load(delayed: Callable[[float], batches.Estimate], allowed: float) -> tuple[float, float, float]:
    """Return (load, low, high) at which the share of delayed requests is `allowed`; zeros if that is ≤ 0.

    `delayed` must rise with load from zero. The search halves a bracket of log(load / (1 − load)) until both ends were
    tried, then cuts it by the regula falsi on the logarithms of the shares. The interval is that of the share at the
    last load, divided by the slope.
    """
    if allowed <= 0:
        return 0.0, 0.0, 0.0
    ends = {False: -FARTHEST, True: FARTHEST}  # ends of the bracket: objective met, and missed
    excess: dict[bool, float] = {}  # log(share / allowed) at the ends that were tried
    weight, before = {False: 1.0, True: 1.0}, None
    for _ in range(STEPS):
        pull = {side: weight[side] * excess[side] for side in excess}
        cut = 0.5 if len(pull) < 2 else pull[False] / (pull[False] - pull[True])
        place = ends[False] + cut * (ends[True] - ends[False])
        share = delayed(load_at(place))
        above = math.log(max(share.value / allowed, LEAST))
        side = above > 0
        ends[side], excess[side], weight[side] = place, above, 1.0
        if side is before:
            weight[not side] /= 2  # the Illinois method: without it the other end could stay forever
        before = side
    if len(excess) < 2:
        return (0.0, 0.0, load_at(ends[True])) if True in excess else (load_at(ends[False]), load_at(ends[False]), 1.0)
    slope = (excess[True] - excess[False]) / (ends[True] - ends[False])
    best = min(max(place - above / slope, ends[False]), ends[True])
    half = (share.high - share.low) / 2 / max(share.value, LEAST * allowed) / slope
    return load_at(best), load_at(best - half), load_at(best + half)


def seen(found: tuple[float, float, float], customers: int) -> tuple[float, float, float]:
    """Return `found`, or NaN if `customers` are too few: a queue relaxes in about 4 / (1 − ρ)² of them."""
    return found if customers * (1 - found[0]) ** 2 > 4 * TIMES_FORGOTTEN else (math.nan,) * 3


def load_at(place: float) -> float:
    return 1 / (1 + math.exp(-place))
