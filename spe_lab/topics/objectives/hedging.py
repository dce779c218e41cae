"""The lab objectives.hedging: hedged requests to queues, which the copies lengthen; and fan-outs."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError
from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, growing, register
from spe_lab.core.text import Text
from spe_lab.models.queues import laws
from spe_lab.topics.objectives import models
from spe_lab.topics.objectives.sharing import SEED, share

REPLICAS = 64
REQUESTS = 40_000  # at each load, in a first answer
MOST_REQUESTS = 20_000_000
WARM_UP = 20  # statistics leave out the first 1/20 of the requests


@dataclass(frozen=True)
class Hedged:
    """Sojourns of requests in mean service times, and which were sent again; without the warm-up."""

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
    """Simulate Poisson requests to random queues; after `delay` a copy goes to another queue.

    - `load`: load of a replica without copies; service times are exponential with mean 1
    - `delay`: in mean service times; infinity sends no copies
    - `requests`, `replicas`: numbers of requests and of queues

    Raise SpeLabError for an argument outside its domain, CancelledError if `cancel` is set.
    """
    checked_size(load, replicas, requests, 2)
    if not delay >= 0:
        raise SpeLabError(f"delay must be 0 or more mean service times, got {delay}; write math.inf for no copies")
    gaps = laws.poisson(load * replicas).sample(requests, seed)
    once, again = (laws.exponential(1.0).sample(requests, seed + i) for i in (1, 2))
    library, sojourn, copied = native.load("objectives"), np.empty(requests), np.empty(requests, np.uint8)
    parameters, flag = library.struct("hedging")(replicas, delay, seed), (cancel or Cancel()).flag
    scratch = np.empty(replicas), np.empty(requests), np.empty(requests, np.int32)
    status = library.hedge_in_queues(parameters, gaps, once, again, requests, *scratch, sojourn, copied, flag)
    check(status, library)
    warm = requests // WARM_UP
    return Hedged(sojourn[warm:], copied[warm:].astype(bool))


def simulate_fork_join(
    load: float, leaves: int, requests: int, *, seed: int = SEED, cancel: Cancel | None = None
) -> np.ndarray:
    """Simulate requests that go to all `leaves` queues and wait for the last; return their times.

    Arrivals are Poisson; services are independent and exponential with mean 1. Errors: as in `simulate_hedging`.
    """
    checked_size(load, leaves, requests, 1)
    if leaves * requests > 10 * MOST_REQUESTS:
        raise SpeLabError(
            f"leaves times requests must be at most {10 * MOST_REQUESTS:,}, got {leaves * requests:,}; simulate fewer"
        )
    gaps, service = laws.poisson(load).sample(requests, seed), laws.exponential(1.0).sample(requests * leaves, seed + 1)
    library, sojourn = native.load("objectives"), np.empty(requests)
    flag = (cancel or Cancel()).flag
    check(library.fork_join(gaps, service, requests, leaves, np.empty(leaves), sojourn, flag), library)
    return sojourn[requests // WARM_UP :]


def together(load: float = 0.8, leaves: int = 100, requests: int = 100_000) -> Text:
    """Return a table of requests whose leaves are busy at the same time, beside those of independent leaves."""
    times = simulate_fork_join(load, leaves, requests)
    found = float(times.mean()), float(np.quantile(times, 0.99))
    fast = models.exponential_mean(leaves), models.exponential_quantile()(n=leaves, p=0.99)
    alone = [float(time) / (1 - load) for time in fast]
    mean, tail = (f"{abs(1 - one / other):.0%}".replace("%", " %") for one, other in zip(found, alone, strict=True))
    words = [("lower" if one < other else "higher") for one, other in zip(found, alone, strict=True)]
    rows = [
        "| leaves | mean | 99th percentile |",
        "|---|---:|---:|",
        f"| with the same arrivals, simulated | {found[0]:.1f} | {found[1]:.1f} |",
        f"| independent, predicted | {alone[0]:.1f} | {alone[1]:.1f} |",
    ]
    lower = f"the mean is {mean} {words[0]}, and the 99th percentile {tail} {words[1]}"
    return Text("\n".join([*rows, "", f"Times in mean service times. With the same arrivals {lower}."]))


def checked_size(load: float, servers: int, requests: int, least: int) -> None:
    if not 0 < load < 1:
        raise SpeLabError(f"load must be above 0 and below 1, got {load}; at 1 the queues grow without bound")
    if servers != int(servers) or not least <= servers <= 100_000:
        rule = f"the number of queues must be a whole number between {least} and 100,000"
        raise SpeLabError(f"{rule}, got {servers}; choose one in that range")
    if requests != int(requests) or not WARM_UP <= requests <= MOST_REQUESTS:
        rule = f"requests must be a whole number between {WARM_UP} and {MOST_REQUESTS:,}"
        raise SpeLabError(f"{rule}, got {requests}; choose one in that range")


@register
class Hedging(SimulatedLab):
    """Share of late answers against load, with and without second copies."""

    id = "objectives.hedging"
    title = "Hedged requests in queues"
    question = "Up to which load does it help to send a request again if its answer is late?"
    axis = "load"
    quantity = "share of answers that are late"
    unit = ""
    percent = True
    stem = "objectives"
    steps = 3
    live = True
    exact = True
    compared = ("with copies", "copies at their own load")
    within = 0.15  # an approximation: queues with copies are not independent
    breaks = (
        "The model assumes Poisson copies and independent queues, which holds for many replicas. Near the highest load"
        " with a steady state, no simulation is long enough to reach that state."
    )

    def make_sliders(self) -> list[Slider]:
        load = models.QUANTITIES["rho"].meaning
        objective, delay = (f"{models.QUANTITIES[name].meaning}, in mean service times" for name in "kd")
        return [
            Slider(
                *("load", "", 0.4, load, 0.1, 0.9),
                source="a common target",
                label="Load",
                symbol="ρ",
                percent=True,
            ),
            Slider(
                *("objective", "", 8.0, objective, 1, 50, "log"),
                source="assumed",
                label="Time limit",
                symbol="k",
            ),
            Slider(
                *("delay", "", 3.0, delay, 0, 20),
                source="near the 95th percentile of an idle replica",
                label="Delay of the copy",
                symbol="d",
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        if short:
            return [0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6, 0.8]
        return [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9]

    def presets(self) -> dict[str, Preset]:
        return {
            "Twice at once": Preset(
                {"delay": 0.0},
                "Every request is sent twice: this helps at low load, and from a load of 50 % on the queues overflow.",
            ),
            "A patient client": Preset(
                {"delay": 6.0, "objective": 12.0},
                "Fewer copies, sent later, help up to a higher load; beyond it nearly all answers are late.",
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        def at(requests: int) -> list[Curve]:
            estimator = f"share of requests on {REPLICAS} replicas, without the first ones; 95 % by batch means"

            def curve(name: str, delay: float) -> Curve:
                runs = (simulate_hedging(float(load), delay, requests, cancel=cancel) for load in x.values)
                return self.curve(
                    name, x, [share(run.sojourn > point["objective"]) for run in runs], requests, estimator
                )

            return [curve("no copies", math.inf), curve("with copies", float(point["delay"]))]

        yield from map(at, growing(REQUESTS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        k, d = float(point["objective"]), float(point["delay"])

        def late(load: np.ndarray) -> np.ndarray:
            model = models.hedged_miss()(t=k, d=d, r=load) if k >= d else models.queue_survival()(t=k, rho=load)
            return np.asarray(model)

        ways = {
            "no copies": models.queue_survival()(t=k, rho=x.values),
            "copies at the old load": late(x.values),
            "copies at their own load": late(models.load_with_copies(x.values, d)),
        }
        return [Curve(name, "predicted", x, self.unit, values) for name, values in ways.items()]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the load from which on the queues with copies have no steady state."""
        return {"no steady state": highest_load_with_copies(float(point["delay"]))}


def highest_load_with_copies(delay: float) -> float:
    """Return the load, counted without copies, below which queues with copies have a steady state."""
    from scipy.special import lambertw

    return 0.5 if delay <= 2 else float(lambertw(math.exp(delay - 1)).real / delay)
