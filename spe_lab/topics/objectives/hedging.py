"""The lab objectives.hedging: asking twice where the answers come from queues, which the second copies make longer. And
fan-outs to queues.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.kinds import SimulatedLab, growing
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.queues import laws
from spe_lab.topics.objectives import models
from spe_lab.topics.objectives.sharing import SEED, share

REPLICAS = 64
REQUESTS = 40_000  # at each load, in a first answer
MOST_REQUESTS = 20_000_000
WARM_UP = 20  # one in so many requests is left out, from the start on


@dataclass(frozen=True)
class Hedged:
    """Times of requests in mean service times, and whether each was sent again; the start of the simulation is left
    out.
    """

    sojourn: np.ndarray
    copied: np.ndarray


def simulate_hedging(
    load: float,
    delay: float,
    requests: int,
    replicas: int = REPLICAS,
    *,
    seed: int = SEED,
    cancel: Cancel | None = None,
) -> Hedged:
    """Requests that come at random to random ones of `replicas` queues, and go to another one if they are not answered
    after `delay`.

    Service times are exponential with mean 1; `load` is that of a replica without copies. An infinite delay sends none.
    Raises SpeLabError if an argument lies outside its domain; CancelledError if `cancel` is set.
    """
    checked_size(load, replicas, requests, 2)
    if not delay >= 0:
        raise SpeLabError(f"delay must be 0 or more mean service times, got {delay}; write math.inf for no copies")
    gaps, (once, again) = (
        laws.poisson(load * replicas).sample(requests, seed),
        (laws.exponential(1.0).sample(requests, seed + i) for i in (1, 2)),
    )
    library, sojourn, copied = native.load("objectives"), np.empty(requests), np.empty(requests, np.uint8)
    with_ = library.struct("hedging")(replicas, delay, seed)
    scratch = np.empty(replicas), np.empty(requests), np.empty(requests, np.int32)
    check(
        library.hedge_in_queues(
            with_, gaps, once, again, requests, *scratch, sojourn, copied, (cancel or Cancel()).flag
        ),
        library,
    )
    kept = slice(requests // WARM_UP, None)
    return Hedged(sojourn[kept], copied[kept].astype(bool))


def simulate_fork_join(
    load: float, leaves: int, requests: int, *, seed: int = SEED, cancel: Cancel | None = None
) -> np.ndarray:
    """Times of requests that go to all `leaves` queues at once and wait for the last of them, in mean service times.

    Arrivals are Poisson, service times exponential with mean 1 and independent. Raises as `simulate_hedging` does.
    """
    checked_size(load, leaves, requests, 1)
    if leaves * requests > 10 * MOST_REQUESTS:
        raise SpeLabError(
            f"leaves times requests must be at most {10 * MOST_REQUESTS:,}, got {leaves * requests:,}; simulate fewer"
        )
    gaps, service = laws.poisson(load).sample(requests, seed), laws.exponential(1.0).sample(requests * leaves, seed + 1)
    library, sojourn = native.load("objectives"), np.empty(requests)
    check(
        library.fork_join(gaps, service, requests, leaves, np.empty(leaves), sojourn, (cancel or Cancel()).flag),
        library,
    )
    return sojourn[requests // WARM_UP :]


def checked_size(load: float, servers: int, requests: int, least: int) -> None:
    if not 0 < load < 1:
        raise SpeLabError(f"load must be above 0 and below 1, got {load}; at 1 the lines grow without end")
    if servers != int(servers) or not least <= servers <= 100_000:
        raise SpeLabError(
            f"the number of queues must be a whole number between {least} and 100,000, got {servers}; choose one in"
            " that range"
        )
    if requests != int(requests) or not WARM_UP <= requests <= MOST_REQUESTS:
        raise SpeLabError(
            f"requests must be between {WARM_UP} and {MOST_REQUESTS:,}, got {requests}; simulate a number in that range"
        )


@register
class Hedging(SimulatedLab):
    """Share of late answers against load, with and without second copies."""

    id = "objectives.hedging"
    title = "Hedged requests in queues"
    question = "Up to which load does it help to send a request again that is not answered in time?"
    axis = "load"
    quantity = "share of answers that are late"
    unit = ""
    stem = "objectives"
    steps = 3
    live = True
    compared = ("with copies", "copies, own load")
    within = 0.15  # an approximation: queues with copies are not independent
    breaks = (
        "The copies are taken to come at random and to find lines that know nothing of the first ones, which holds for"
        " many replicas; and near the highest load with a steady state, a simulation of any length has not yet"
        " reached it."
    )

    def make_sliders(self) -> list[Slider]:
        return [
            Slider("load", "", 0.4, models.QUANTITIES["rho"].meaning, 0.1, 0.9, source="a common target"),
            Slider(
                "objective",
                "",
                8.0,
                models.QUANTITIES["k"].meaning + ", in mean service times",
                1,
                50,
                "log",
                source="assumed",
            ),
            Slider(
                "delay",
                "",
                3.0,
                models.QUANTITIES["d"].meaning + ", in mean service times",
                0,
                20,
                source="near the 95th percentile of an idle replica",
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        return (
            [0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6, 0.8]
            if short
            else [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9]
        )

    def presets(self) -> dict[str, Preset]:
        return {
            "Twice at once": Preset(
                {"delay": 0.0},
                "Every request is sent twice: good where there is hardly any load, a flood from half load on.",
            ),
            "A patient client": Preset(
                {"delay": 6.0, "objective": 12.0},
                "Fewer copies, sent later, help up to a higher load; then the end comes suddenly.",
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        def at(requests: int) -> list[Curve]:
            found = {
                name: [
                    share(simulate_hedging(float(load), delay, requests, cancel=cancel).sojourn > point["objective"])
                    for load in x.values
                ]
                for name, delay in (("no copies", math.inf), ("with copies", float(point["delay"])))
            }
            estimator = f"mean of the requests on {REPLICAS} replicas, the first ones left out; 95 % by batch means"
            return [self.curve(name, x, estimates, requests, estimator) for name, estimates in found.items()]

        yield from map(at, growing(REQUESTS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        k, d = float(point["objective"]), float(point["delay"])

        def late(load: np.ndarray) -> np.ndarray:
            return np.asarray(
                models.hedged_miss()(t=k, d=d, r=load) if k >= d else models.queue_survival()(t=k, rho=load)
            )

        ways = {
            "no copies": models.queue_survival()(t=k, rho=x.values),
            "copies, old load": late(x.values),
            "copies, own load": late(models.load_with_copies(x.values, d)),
        }
        return [Curve(name, "predicted", x, self.unit, values) for name, values in ways.items()]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """From this load on the queues with copies have no steady state."""
        return {"no steady state": highest_load_with_copies(float(point["delay"]))}


def highest_load_with_copies(delay: float) -> float:
    """The load, without copies, below which queues have a steady state with them."""
    from scipy.special import lambertw

    return 0.5 if delay <= 2 else float(lambertw(math.exp(delay - 1)).real / delay)
