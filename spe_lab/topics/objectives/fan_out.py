"""The lab objectives.slo: latency of a request that waits for many leaves, with and without hedges."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, growing, register
from spe_lab.models.queues import laws
from spe_lab.topics.objectives import models
from spe_lab.topics.objectives.sharing import SEED

LEAVES = ("exponential", "lognormal", "few slow ones")
SCV = {"lognormal": 4.0, "few slow ones": 20.0}
MOST_LEAVES = 1000
DRAWS = 400_000  # leaf times of a first answer; every number of leaves reuses them
MOST_REQUESTS = 1_000_000  # latencies that are ranked for a quantile
CONFIDENCE = 0.95


def law(leaf: str, mean: float = 1.0) -> laws.Law:
    """Return the distribution of a leaf's time."""
    kinds = {"lognormal": laws.lognormal, "few slow ones": laws.hyperexponential}
    return kinds[leaf](mean, SCV[leaf]) if leaf in kinds else laws.exponential(mean)


def survival(leaf: str, t: np.ndarray) -> np.ndarray:
    """Return the share of leaf times above t, for a mean of 1."""
    from scipy.special import ndtr

    t, parameters = np.maximum(t, 0.0), law(leaf).parameters
    if leaf == "lognormal":
        middle, spread = parameters  # mean and standard deviation of the logarithm
        with np.errstate(divide="ignore"):
            return ndtr((middle - np.log(t)) / spread)
    if leaf == "few slow ones":
        quick, slow, share = parameters  # means of two exponential distributions, and probability of the first
        return share * np.exp(-t / quick) + (1 - share) * np.exp(-t / slow)
    return np.exp(-t)


def exceeded(tail: Callable[[np.ndarray], np.ndarray], share: np.ndarray) -> np.ndarray:
    """Return the t with tail(t) = share by bisection of log t, for a falling tail of times around 1."""
    low, high = np.full(np.shape(share), -30.0), np.full(np.shape(share), 12.0)
    for _ in range(60):
        middle = (low + high) / 2
        late = tail(np.exp(middle)) > share
        low, high = np.where(late, middle, low), np.where(late, high, middle)
    return np.exp(high)


def hedged(leaf: str, hedge: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the tail of leaf times if a copy goes to another replica after the quantile `hedge`."""
    if hedge >= 1:
        return lambda t: survival(leaf, t)
    delay = exceeded(lambda t: survival(leaf, t), np.array(1 - hedge))
    return lambda t: survival(leaf, t) * np.where(t < delay, 1.0, survival(leaf, t - delay))


@register
class Slo(SimulatedLab):
    """A latency percentile of requests against the number of leaves that each waits for."""

    id = "objectives.slo"
    title = "Fan-out"
    question = "How slow are requests that wait for many servers, and how much do second requests to slow servers help?"
    axis = "leaves"
    quantity = "latency percentile of a request"
    unit = "ms"
    stem = "objectives"
    steps = 3
    live = True
    exact = True
    compared = ("hedged", "hedged")
    within = 0.015
    first = ("leaves", "p", "leaf", "hedge")
    breaks = (
        "The model assumes that leaves answer independently. Real leaves are busy at the same time, since the same"
        " requests reach all of them, and each hedged copy makes another queue longer."
    )

    def make_sliders(self) -> list[Slider]:
        leaves, p = (models.QUANTITIES[name].meaning for name in ("n", "p"))
        hedge = "share of leaf answers that need no copy; slower leaves are asked again"
        return [
            Slider.count(
                *("leaves", 100, leaves, 1, MOST_LEAVES, "a search over a hundred shards", "log"),
                label="Leaves",
                symbol="n",
            ),
            Slider(
                *("p", "", 0.99, p, 0.5, 0.999, "log"),
                source="the usual objective",
                label="Fast requests",
                percent=True,
            ),
            Slider.choice(
                *("leaf", LEAVES, "distribution of a leaf's time", "the simplest distribution"),
                label="Leaf's distribution",
                symbol="Leaf's distribution",
            ),
            Slider(
                *("mean", "ms", 10.0, "mean time of a leaf", 1, 1000, "log"),
                source="assumed",
                label="Mean leaf time",
                symbol="S",
                group="Leaf",
            ),
            Slider(
                *("hedge", "", 0.95, hedge, 0.5, 1),
                source="Dean and Barroso 2013",
                label="Leaves without a copy",
                symbol="h",
                percent=True,
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        return [1, 3, 10, 30, 100, 300, 1000] if short else [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

    def presets(self) -> dict[str, Preset]:
        return {
            "The median": Preset(
                {"p": 0.5}, "Half of the requests take longer. With many leaves, the median is a rare time of one leaf."
            ),
            "A few slow leaves": Preset(
                {"leaf": LEAVES[2]},
                "One answer in forty takes forty times as long; a request to a hundred leaves meets one nearly always.",
            ),
            "Ask again at the median": Preset(
                {"hedge": 0.5},
                "Half of the leaves are asked twice: ten times as many copies as at 95 %, for 20 % less latency.",
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        drawn = law(point["leaf"], point["mean"])
        hedge, delay = float(point["hedge"]), math.inf
        if hedge < 1:
            delay = float(point["mean"] * exceeded(lambda t: survival(point["leaf"], t), np.array(1 - hedge)))

        def at(count: int) -> list[Curve]:
            once = drawn.sample(count, SEED)
            cancel.check("the simulation")
            twice = np.where(once > delay, np.minimum(once, delay + drawn.sample(count, SEED + 1)), once)
            most = MOST_REQUESTS if count > DRAWS else DRAWS // 10
            requests = np.array([min(count // int(n), most) for n in x.values])
            estimator = "quantile of independent requests, 95 % by order statistics; every x uses the same leaf times"

            def curve(name: str, times: np.ndarray) -> Curve:
                sizes = zip(x.values, requests, strict=True)
                values = [quantile(slowest(times, int(n), r), point["p"]) for n, r in sizes]
                return self.curve(name, x, values, requests, estimator)

            return [curve("plain", once), curve("hedged", twice)]

        yield from map(at, growing(DRAWS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        leaf, mean = point["leaf"], float(point["mean"])
        slow = -np.expm1(np.log(point["p"]) / x.values)  # 1 − p^(1/n) without cancellation
        plain, one_slow = hedged(leaf, 1.0), np.full(x.values.shape, 1 - point["p"])
        ways = {
            "plain": (plain, slow),
            "hedged": (hedged(leaf, float(point["hedge"])), slow),
            "one leaf": (plain, one_slow),
        }
        return [Curve(name, "predicted", x, self.unit, mean * exceeded(*way)) for name, way in ways.items()]


def slowest(times: np.ndarray, leaves: int, requests: int) -> np.ndarray:
    """Return the maximum of each of `requests` groups of `leaves` consecutive times."""
    return times[: leaves * requests].reshape(requests, leaves).max(axis=1)


def quantile(times: np.ndarray, p: float) -> tuple[float, float, float]:
    """Return (value, low, high) of the p-quantile of independent times, by order statistics.

    The interval holds for any distribution; it is NaN if there are too few times.
    """
    from scipy.special import bdtrik

    n, tails = len(times), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    low, high = (math.ceil(rank) for rank in bdtrik(tails, n, p))  # bounds of the number of times below the quantile
    ranks = [min(math.ceil(p * n), n) - 1, max(low - 1, 0), min(high, n - 1)]
    value, *ends = np.partition(times, ranks)[ranks]
    return (value, *ends) if low > 0 and high < n else (value, math.nan, math.nan)
