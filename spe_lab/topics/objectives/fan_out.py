"""The lab objectives.slo: the latency of a request that waits for many leaves, each of which may be asked twice."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import SimulatedLab, growing
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.queues import laws
from spe_lab.topics.objectives import models
from spe_lab.topics.objectives.sharing import SEED

LEAVES = ("exponential", "lognormal", "few slow ones")
SCV = {"lognormal": 4.0, "few slow ones": 20.0}
MOST_LEAVES = 1000
DRAWS = 400_000  # of leaf times, in a first answer; each is used for every number of leaves
MOST_REQUESTS = 1_000_000  # whose times are sorted for a quantile
CONFIDENCE = 0.95


def law(leaf: str, mean: float = 1.0) -> laws.Law:
    """The law of a leaf's time."""
    kinds = {"lognormal": laws.lognormal, "few slow ones": laws.hyperexponential}
    return kinds[leaf](mean, SCV[leaf]) if leaf in kinds else laws.exponential(mean)


def survival(leaf: str, t: np.ndarray) -> np.ndarray:
    """Share of leaf times above t, for leaves of mean 1."""
    from scipy.special import ndtr

    t, parameters = np.maximum(t, 0.0), law(leaf).parameters
    if leaf == "lognormal":
        middle, spread = parameters  # of the logarithm, which is normal
        with np.errstate(divide="ignore"):
            return ndtr((middle - np.log(t)) / spread)
    if leaf == "few slow ones":
        quick, slow, share = parameters  # the means of two exponential laws, and how often the first one is it
        return share * np.exp(-t / quick) + (1 - share) * np.exp(-t / slow)
    return np.exp(-t)


def exceeded(tail: Callable[[np.ndarray], np.ndarray], share: np.ndarray) -> np.ndarray:
    """The time t with tail(t) = share, for a falling tail of times around 1, by bisection of its logarithm."""
    low, high = np.full(np.shape(share), -30.0), np.full(np.shape(share), 12.0)
    for _ in range(60):
        middle = (low + high) / 2
        late = tail(np.exp(middle)) > share
        low, high = np.where(late, middle, low), np.where(late, high, middle)
    return np.exp(high)


def hedged(leaf: str, hedge: float) -> Callable[[np.ndarray], np.ndarray]:
    """Share of times above t if a leaf that is slower than the share `hedge` is asked again, at an
    independent replica.
    """
    if hedge >= 1:
        return lambda t: survival(leaf, t)
    delay = exceeded(lambda t: survival(leaf, t), np.array(1 - hedge))
    return lambda t: survival(leaf, t) * np.where(t < delay, 1.0, survival(leaf, t - delay))


@register
class Slo(SimulatedLab):
    """A latency percentile of requests against the number of leaves that each waits for."""

    id = "objectives.slo"
    title = "Fan-out"
    question = "How slow are requests that wait for many servers, and what does it help to ask the slow ones twice?"
    axis = "leaves"
    quantity = "latency percentile of a request"
    unit = "ms"
    stem = "objectives"
    steps = 3
    live = True
    compared = ("hedged", "hedged")
    within = 0.015
    breaks = (
        "Leaves answer independently here: real ones are busy at the same time, since the same requests reach all of"
        " them, and a copy that a hedge sends makes somebody else's line longer."
    )

    def make_sliders(self) -> list[Slider]:
        return [
            Slider(
                "leaves",
                "",
                100,
                models.QUANTITIES["n"].meaning,
                1,
                MOST_LEAVES,
                "log",
                multiple_of=1,
                source="a search over a hundred shards",
            ),
            Slider("p", "", 0.99, models.QUANTITIES["p"].meaning, 0.5, 0.999, "log", source="the usual objective"),
            Slider(
                "leaf",
                "",
                LEAVES[0],
                "how the times of a leaf vary",
                scale="choice",
                choices=LEAVES,
                source="the simplest law",
            ),
            Slider("mean", "ms", 10.0, "mean time of a leaf", 1, 1000, "log", source="assumed"),
            Slider(
                "hedge",
                "",
                0.95,
                "share of leaf answers that are waited for; slower leaves are asked again",
                0.5,
                1,
                source="Dean and Barroso 2013",
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        return [1, 3, 10, 30, 100, 300, 1000] if short else [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

    def presets(self) -> dict[str, Preset]:
        return {
            "The median": Preset(
                {"p": 0.5}, "Half of the requests take longer: with many leaves that is a rare time of one leaf."
            ),
            "A few slow leaves": Preset(
                {"leaf": LEAVES[2]},
                "One answer in forty takes forty times as long; of a hundred leaves nearly always one does.",
            ),
            "Ask twice at once": Preset(
                {"hedge": 0.5},
                "Half of the leaves are asked twice: ten times the extra load of 0.95, for a fifth less latency.",
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        drawn = law(point["leaf"], point["mean"])
        hedge = float(point["hedge"])
        delay = (
            math.inf
            if hedge >= 1
            else float(point["mean"] * exceeded(lambda t: survival(point["leaf"], t), np.array(1 - hedge)))
        )

        def at(count: int) -> list[Curve]:
            once = drawn.sample(count, SEED)
            cancel.check("the simulation")
            twice = np.where(once > delay, np.minimum(once, delay + drawn.sample(count, SEED + 1)), once)
            found = {"plain": once, "hedged": twice}
            requests = np.array(
                [min(count // int(n), MOST_REQUESTS if count > DRAWS else DRAWS // 10) for n in x.values]
            )
            estimator = (
                "quantile of independent requests, interval of 95 % by order statistics; each leaf time is used at"
                " every x"
            )
            return [
                self.curve(
                    name,
                    x,
                    [quantile(slowest(times, int(n), r), point["p"]) for n, r in zip(x.values, requests, strict=True)],
                    requests,
                    estimator,
                )
                for name, times in found.items()
            ]

        yield from map(at, growing(DRAWS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        leaf, mean = point["leaf"], float(point["mean"])
        slow = -np.expm1(np.log(point["p"]) / x.values)  # 1 − p^(1/n), without the loss of digits near 1
        ways = {"plain": hedged(leaf, 1.0), "hedged": hedged(leaf, float(point["hedge"]))}
        curves = [Curve(name, "predicted", x, self.unit, mean * exceeded(tail, slow)) for name, tail in ways.items()]
        return [
            *curves,
            Curve(
                "one leaf",
                "predicted",
                x,
                self.unit,
                mean * exceeded(ways["plain"], np.full(x.values.shape, 1 - point["p"])),
            ),
        ]


def slowest(times: np.ndarray, leaves: int, requests: int) -> np.ndarray:
    """The longest of each `leaves` times in a row, `requests` of them."""
    return times[: leaves * requests].reshape(requests, leaves).max(axis=1)


def quantile(times: np.ndarray, p: float) -> tuple[float, float, float]:
    """(value, low, high) of the p-quantile of independent times; the interval is between two of them, whatever their
    law. NaN where there are too few for one.
    """
    from scipy.special import bdtrik

    n = len(times)
    low, high = (
        math.ceil(rank) for rank in bdtrik([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], n, p)
    )  # of the times below the quantile
    ranks = [min(math.ceil(p * n), n) - 1, max(low - 1, 0), min(high, n - 1)]
    value, *ends = np.partition(times, ranks)[ranks]
    return (value, *ends) if low > 0 and high < n else (value, math.nan, math.nan)
