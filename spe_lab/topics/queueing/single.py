"""The lab queueing.single: one queue before one or more servers, any law of service, against load."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.curve import Axis, Comparison, Curve
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.queues import Law, Shared, System, birth_death, general
from spe_lab.topics.queueing.laws import ARRIVALS, ONE_IN_A_THOUSAND, SERVICES, service
from spe_lab.topics.queueing.simulated import STATISTICS, QueueLab

NAME, EXACT, NEAR, REFERENCE = "one queue", "exact", "Allen–Cunneen, approximate", "for exponential service"


@register
class Single(QueueLab):
    """Sojourn times of M/M/c, M/G/1 and what lies beyond them."""

    id = "queueing.single"
    title = "One queue"
    question = (
        "How long does a customer stay, at what load, and what do more servers or less even service times change?"
    )
    quantity = "sojourn time"
    compared = (NAME, EXACT)
    within = 0.035
    breaks = (
        "There is a closed form for exponential service, and for the mean with one server and Poisson arrivals;"
        " elsewhere the approximation is all there is for a mean, and for a percentile nothing. And nobody's customers"
        " arrive at one rate all day."
    )

    def make_sliders(self) -> list[Slider]:
        return [
            self.load_slider("where waiting begins to be felt"),
            Slider(
                "servers",
                "",
                1,
                "servers behind the one queue",
                1,
                64,
                "log",
                multiple_of=1,
                source="the simplest queue",
            ),
            Slider(
                "service",
                "",
                "exponential",
                "law of the service time",
                scale="choice",
                choices=tuple(SERVICES),
                source="the usual assumption",
            ),
            Slider(
                "scv",
                "",
                4,
                "variance ÷ mean² of lognormal and hyperexponential service",
                1,
                64,
                "log",
                source="of the order of what servers measure",
            ),
            Slider(
                "arrivals",
                "",
                "Poisson",
                "law of the gaps between arrivals",
                scale="choice",
                choices=tuple(ARRIVALS),
                source="many independent clients",
            ),
            self.statistic_slider("mean"),
            self.seed_slider(),
        ]

    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        return {NAME: Shared(int(point["servers"]))}

    def laws(self, point: Mapping[str, Value], load: float, system: System) -> tuple[Law, Law]:
        return ARRIVALS[point["arrivals"]](load * system.capacity), service(point["service"], float(point["scv"]))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        servers, gaps, law = (
            int(point["servers"]),
            ARRIVALS[point["arrivals"]](1.0),
            service(point["service"], float(point["scv"])),
        )
        markov = sojourn(point["statistic"], servers, x.values)
        nothing = np.full(x.values.shape, np.nan)
        exact = near = nothing
        if gaps.scv == law.scv == 1:
            exact, markov = markov, nothing
        elif point["statistic"] == "mean" and gaps.name == "Poisson" and servers == 1:
            exact = 1 + general.mean_wait(x.values, law.scv)
        elif point["statistic"] == "mean":
            near = 1 + allen_cunneen(servers, x.values, gaps.scv, law.scv)
        return [
            Curve(name, "predicted", x, self.unit, values)
            for name, values in ((EXACT, exact), (NEAR, near), (REFERENCE, markov))
        ]

    def compare(self, measured: Sequence[Curve], predicted: Sequence[Curve]) -> Comparison:
        """With what is exact; where nothing is, with the approximation."""
        curves = {curve.name: curve for curve in predicted}
        return Comparison.of(measured[0], curves[EXACT] if np.isfinite(curves[EXACT].values).any() else curves[NEAR])

    def presets(self) -> dict[str, Preset]:
        return {
            "16 servers": Preset(
                {"servers": 16},
                "The curve stays flat until far to the right: with many servers one is almost always about to be free.",
            ),
            "Every service alike": Preset(
                {"service": "deterministic"},
                "The wait is half of that with exponential service, and it still grows without end.",
            ),
            "1 in 1000 is long": Preset(
                {"service": ONE_IN_A_THOUSAND},
                "The same load, a hundred times the wait; and the intervals say how rare the rare is.",
            ),
            "Bursts, p99": Preset(
                {"arrivals": "bursty", "statistic": "p99"},
                "No formula gives this percentile. Only the line for Poisson arrivals is drawn.",
            ),
        }


def sojourn(name: str, servers: int, load: np.ndarray) -> np.ndarray:
    """Mean or percentile of the sojourn time of M/M/c, in mean services."""
    return (
        birth_death.mean_sojourn(servers, load)
        if STATISTICS[name] is None
        else birth_death.sojourn_quantile(STATISTICS[name], servers, load)
    )


def allen_cunneen(servers: int, load: np.ndarray, gaps_scv: float, service_scv: float) -> np.ndarray:
    """E(Wq) of G/G/c, about: that of M/M/c times half the sum of both squared coefficients of variation (Allen 1978).
    For one server it is Kingman's formula, and exact for Poisson arrivals.

    >>> float(allen_cunneen(4, np.array([0.8]), 1.0, 4.0).round(3)[0])  # 1.617 is what a simulation finds
    1.864
    """
    return birth_death.mean_wait(servers, load) * (gaps_scv + service_scv) / 2
