"""The lab objectives.sla: penalties for late answers against the price of more servers.

The objective limits the wait: the service of a request must begin within w. More servers do not shorten the service.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, growing, register
from spe_lab.models.queues import Shared, batches, exponential, poisson, simulate
from spe_lab.topics.objectives import models, pools
from spe_lab.topics.objectives.sharing import SEED, share

CUSTOMERS = 40_000  # for each number of servers, in a first answer
MOST_SPARE = 40


@register
class Sla(SimulatedLab):
    """Hourly cost of a pool, including penalties for late answers, against its number of spare servers."""

    id = "objectives.sla"
    title = "The price of an objective"
    question = "How many spare servers are worth their price if every late answer costs something?"
    axis = "spare"
    quantity = "hourly cost"
    unit = "€/h"
    stem = "queueing"
    steps = 3
    live = True
    exact = True
    compared = ("servers and penalties", "servers and penalties")
    within = 0.04
    first = ("spare", "offered", "price", "fine")
    breaks = (
        "Contracts rarely charge for each late answer: they promise a percentile for a month, and refund part of the"
        " bill if it is missed. The cost of a late answer in lost customers is not known to three digits."
    )

    def make_sliders(self) -> list[Slider]:
        def slider(name: str, symbol: str, *domain: Any, unit: str = "", **shown: Any) -> Slider:
            known, (default, low, high, scale) = models.QUANTITIES[symbol], domain
            return Slider(name, unit or known.unit, default, known.meaning, low, high, scale, symbol=symbol, **shown)

        spare, offered, w = (models.QUANTITIES[name].meaning for name in "maw")
        return [
            Slider.count("spare", 6, spare, 1, MOST_SPARE, "a guess", label="Spare servers", symbol="m"),
            Slider.count("offered", 20, offered, 1, 200, "assumed", "log", label="Offered load", symbol="a"),
            slider(
                *("service", "S", 100, 1, 1000, "log"),
                unit="ms",
                source="assumed",
                label="Service time",
                group="Requests",
            ),
            Slider(
                *("w", "", 0.5, f"{w}, in mean service times", 0.01, 10, "log"),
                source="assumed",
                label="Longest wait",
                group="Requests",
            ),
            slider(
                *("price", "q", 0.5, 0.01, 10, "log"),
                source="assumed: a rented server",
                label="Price of a server",
            ),
            slider("fine", "f", 1.0, 0.01, 100, "log", source="assumed", label="Fine for 1000 late"),
        ]

    def default_values(self, short: bool) -> list[float]:
        return [1, 3, 5, 7, 9, 12, 16, 24] if short else [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 30]

    def presets(self) -> dict[str, Preset]:
        return {
            "A large pool": Preset(
                {"offered": 200},
                "Ten times the load needs less than twice the spare servers: random variations even out there.",
            ),
            "A strict contract": Preset(
                {"fine": 20.0},
                "Twenty times the fine pays for three more spare servers: each divides the share of late answers.",
            ),
            "Patient users": Preset(
                {"w": 3.0}, "Six times the patience: three spare servers are enough instead of nine."
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        def late(spare: float, customers: int) -> batches.Estimate:
            system, gaps = Shared(int(point["offered"] + spare)), poisson(float(point["offered"]))
            run = simulate(system, gaps, exponential(1.0), customers, SEED, cancel=cancel)
            return share(run.waiting > point["w"])

        def at(customers: int) -> list[Curve]:
            shares = np.array([late(spare, customers) for spare in x.values])
            costs = [self.cost(point, x.values, shares[:, i]) for i in (0, -2, -1)]
            estimator = "late share of one run, the same requests for every x, without the first; 95 % by batch means"
            return [self.curve("servers and penalties", x, np.transpose(costs), customers, estimator)]

        yield from map(at, growing(CUSTOMERS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        shares = {"servers and penalties": self.late(point, x.values), "servers alone": np.zeros(x.values.shape)}
        return [
            Curve(name, "predicted", x, self.unit, self.cost(point, x.values, share)) for name, share in shares.items()
        ]

    def late(self, point: Mapping[str, Value], spare: np.ndarray) -> np.ndarray:
        """Return the share of late answers with `spare` servers beyond the offered load."""
        servers = point["offered"] + spare
        return pools.waits_longer(point["w"], servers, point["offered"] / servers)

    def cost(self, point: Mapping[str, Value], spare: np.ndarray, late: np.ndarray) -> np.ndarray:
        return models.hourly_cost()(
            a=point["offered"], m=spare, q=point["price"], f=point["fine"], L=late, S=point["service"] / 1000
        )

    def cheapest(self, settings: Mapping[str, Value] | None = None) -> int:
        """Return the number of spare servers, up to 40, with the lowest predicted cost."""
        point, spare = self.point(settings), np.arange(1, MOST_SPARE + 1)
        return int(spare[np.argmin(self.cost(point, spare, self.late(point, spare)))])

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        return {"cheapest": self.cheapest(point)}
