"""The lab queueing.single: sojourn time against load of one queue, for any distribution of service."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.curve import Axis, Comparison, Curve
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.queues import Law, Shared, System, birth_death, general
from spe_lab.topics.queueing.laws import ARRIVALS, ONE_IN_A_THOUSAND, SERVICES, service
from spe_lab.topics.queueing.simulated import STATISTICS, QueueLab

NAME, EXACT, NEAR, REFERENCE = "one queue", "exact", "Allen–Cunneen (approx.)", "exponential service"


@register
class Single(QueueLab):
    """Sojourn times of M/M/c, M/G/1 and G/G/c."""

    id = "queueing.single"
    title = "One queue"
    question = (
        "How long does a customer stay at a given load, and how do servers and the variance of service change it?"
    )
    quantity = "sojourn time"
    compared = (NAME, EXACT)
    within = 0.035
    first = ("load", "servers", "service", "statistic")
    breaks = (
        "Closed forms exist for exponential service, and for the mean with one server and Poisson arrivals. Other means"
        " have an approximation only, other percentiles have none. Real arrival rates change during the day."
    )

    def make_sliders(self) -> list[Slider]:
        scv = "squared coefficient of variation, variance ÷ mean², of lognormal and hyperexponential service"
        return [
            self.load_slider("here waiting becomes noticeable"),
            Slider.count(
                "servers",
                1,
                "servers behind the queue",
                1,
                64,
                "the simplest queue",
                "log",
                label="Servers",
                symbol="c",
            ),
            self.service_slider(SERVICES, "the usual assumption"),
            Slider(
                *("scv", "", 4, scv, 1, 64, "log"),
                source="order of magnitude of real servers",
                label="Variability",
                symbol="C_s²",
                group="Distributions",
            ),
            Slider.choice(
                *("arrivals", ARRIVALS, "distribution of the gaps between arrivals", "many independent clients"),
                label="Arrivals",
                group="Distributions",
            ),
            self.statistic_slider("mean"),
            self.seed_slider(),
        ]

    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        return {NAME: Shared(int(point["servers"]))}

    def laws(self, point: Mapping[str, Value], load: float, system: System) -> tuple[Law, Law]:
        return ARRIVALS[point["arrivals"]](load * system.capacity), service(point["service"], float(point["scv"]))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        servers, gaps = int(point["servers"]), ARRIVALS[point["arrivals"]](1.0)
        law = service(point["service"], float(point["scv"]))
        markov = sojourn(point["statistic"], servers, x.values)
        nothing = np.full(x.values.shape, np.nan)
        exact = near = nothing
        if gaps.scv == law.scv == 1:
            exact, markov = markov, nothing
        elif point["statistic"] == "mean" and gaps.name == "Poisson" and servers == 1:
            exact = 1 + general.mean_wait(x.values, law.scv)
        elif point["statistic"] == "mean":
            near = 1 + allen_cunneen(servers, x.values, gaps.scv, law.scv)
        named = ((EXACT, exact), (NEAR, near), (REFERENCE, markov))
        return [Curve(name, "predicted", x, self.unit, values) for name, values in named]

    def compare(self, measured: Sequence[Curve], predicted: Sequence[Curve]) -> Comparison:
        """Compare with the exact curve if there is one, else with the approximation."""
        curves = {curve.name: curve for curve in predicted}
        return Comparison.of(measured[0], curves[EXACT] if np.isfinite(curves[EXACT].values).any() else curves[NEAR])

    def presets(self) -> dict[str, Preset]:
        return {
            "16 servers": Preset(
                {"servers": 16},
                "The curve stays flat up to high loads: among many servers, one almost always becomes free soon.",
            ),
            "Every service alike": Preset(
                {"service": "deterministic"},
                "The wait is half of that with exponential service, and it still grows without bound.",
            ),
            "1 in 1000 is long": Preset(
                {"service": ONE_IN_A_THOUSAND},
                "The same load, a hundred times the wait; wide intervals show how rare the long jobs are.",
            ),
            "Bursts, p99": Preset(
                {"arrivals": "bursty", "statistic": "p99"},
                "No formula gives this percentile. The figure shows only the curve for Poisson arrivals.",
            ),
        }


def sojourn(name: str, servers: int, load: np.ndarray) -> np.ndarray:
    """Return the mean or a percentile of the sojourn time of M/M/c, in mean services."""
    if STATISTICS[name] is None:
        return birth_death.mean_sojourn(servers, load)
    return birth_death.sojourn_quantile(STATISTICS[name], servers, load)


def allen_cunneen(servers: int, load: np.ndarray, gaps_scv: float, service_scv: float) -> np.ndarray:
    """Approximate E(Wq) of G/G/c: that of M/M/c times the mean of both scv (Allen 1978).

    For one server it is Kingman's formula, which is exact for Poisson arrivals.

    >>> float(allen_cunneen(4, np.array([0.8]), 1.0, 4.0).round(3)[0])  # a simulation gives 1.617
    1.864
    """
    return birth_death.mean_wait(servers, load) * (gaps_scv + service_scv) / 2
