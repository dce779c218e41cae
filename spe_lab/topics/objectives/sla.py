"""The lab objectives.sla: the price of missing an objective against the price of servers that would meet it.

The objective is one of waiting: a request must be begun within w. What its service takes is its own affair, and no
number of servers shortens it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import SimulatedLab, growing
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.queues import Shared, batches, exponential, poisson, simulate
from spe_lab.topics.objectives import models, pools
from spe_lab.topics.objectives.sharing import SEED, share

CUSTOMERS = 40_000  # for each number of servers, in a first answer
MOST_SPARE = 40


@register
class Sla(SimulatedLab):
    """Hourly cost of a pool, its penalties for late answers included, against its spare servers."""

    id = "objectives.sla"
    title = "The price of an objective"
    question = "How many spare servers are worth their price if every late answer costs something?"
    axis = "spare"
    quantity = "hourly cost"
    unit = "€/h"
    stem = "queueing"
    steps = 3
    live = True
    compared = ("servers and penalties", "servers and penalties")
    within = 0.04
    breaks = (
        "Contracts rarely pay by the late answer: they promise a percentile for a month, and owe a step of the bill"
        " once it is missed; and what a late answer costs in lost customers nobody knows to three digits."
    )

    def make_sliders(self) -> list[Slider]:
        def slider(
            name: str,
            symbol: str,
            default: float,
            low: float,
            high: float,
            scale: str,
            source: str,
            unit: str = "",
            step: float = 0.0,
        ) -> Slider:
            known = models.QUANTITIES[symbol]
            return Slider(
                name, unit or known.unit, default, known.meaning, low, high, scale, multiple_of=step, source=source
            )

        return [
            slider("spare", "m", 6, 1, MOST_SPARE, "linear", "a guess", step=1),
            slider("offered", "a", 20, 1, 200, "log", "assumed", step=1),
            slider("service", "S", 100, 1, 1000, "log", "assumed", "ms"),
            Slider(
                "w",
                "",
                0.5,
                models.QUANTITIES["w"].meaning + ", in mean service times",
                0.01,
                10,
                "log",
                source="assumed",
            ),
            slider("price", "c", 0.5, 0.01, 10, "log", "assumed: a rented server"),
            slider("fine", "f", 1.0, 0.01, 100, "log", "assumed"),
        ]

    def default_values(self, short: bool) -> list[float]:
        return [1, 3, 5, 7, 9, 12, 16, 24] if short else [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 30]

    def presets(self) -> dict[str, Preset]:
        return {
            "A large pool": Preset(
                {"offered": 200},
                "Ten times the load, and not twice the spare servers: chance evens out in a large pool.",
            ),
            "A strict contract": Preset(
                {"fine": 20.0},
                "Twenty times the fine buys three spare servers more: each of them divides what is late.",
            ),
            "Patient users": Preset(
                {"w": 3.0}, "Six times the patience: three spare servers are enough in place of nine."
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        def late(spare: float, customers: int) -> batches.Estimate:
            servers = int(point["offered"] + spare)
            run = simulate(
                Shared(servers), poisson(float(point["offered"])), exponential(1.0), customers, SEED, cancel=cancel
            )
            return share(run.waiting > point["w"])

        def at(customers: int) -> list[Curve]:
            shares = np.array([late(spare, customers) for spare in x.values])
            costs = [self.cost(point, x.values, shares[:, i]) for i in (0, -2, -1)]
            estimator = (
                "share of late answers of one run, the same requests for every x; 95 % by batch means, the first"
                " requests left out"
            )
            return [self.curve("servers and penalties", x, np.transpose(costs), customers, estimator)]

        yield from map(at, growing(CUSTOMERS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        shares = {"servers and penalties": self.late(point, x.values), "servers alone": np.zeros(x.values.shape)}
        return [
            Curve(name, "predicted", x, self.unit, self.cost(point, x.values, share)) for name, share in shares.items()
        ]

    def late(self, point: Mapping[str, Value], spare: np.ndarray) -> np.ndarray:
        """Share of late answers with so many spare servers."""
        return pools.waits_longer(point["w"], point["offered"] + spare, point["offered"] / (point["offered"] + spare))

    def cost(self, point: Mapping[str, Value], spare: np.ndarray, late: np.ndarray) -> np.ndarray:
        return models.hourly_cost()(
            a=point["offered"], m=spare, c=point["price"], f=point["fine"], L=late, S=point["service"] / 1000
        )

    def cheapest(self, settings: Mapping[str, Value] | None = None) -> int:
        """The number of spare servers, up to 40, with the lowest predicted cost."""
        point, spare = self.point(settings), np.arange(1, MOST_SPARE + 1)
        return int(spare[np.argmin(self.cost(point, spare, self.late(point, spare)))])

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        return {"cheapest": self.cheapest(point)}
