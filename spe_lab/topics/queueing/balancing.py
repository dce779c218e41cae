"""The lab queueing.balancing: load balancers that choose one of many queues."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Curve, Preset, Slider, Value, register
from spe_lab.models.queues import Split, System, general
from spe_lab.topics.queueing import models
from spe_lab.topics.queueing.laws import ONE_IN_TEN, service
from spe_lab.topics.queueing.simulated import STATISTICS, QueueLab
from spe_lab.topics.queueing.single import sojourn

LIMIT = "shortest of d (limit)"
CHOICES = ("exponential", "deterministic", ONE_IN_TEN)


@register
class Balancing(QueueLab):
    """Sojourn times behind a load balancer that inspects none, some or all of the queues."""

    id = "queueing.balancing"
    title = "Which queue to join"
    question = "How much does a balancer gain if it inspects two queues, and how much if it inspects all?"
    quantity = "sojourn time"
    compared = ("shortest of d", LIMIT)
    within = 0.04
    first = ("load", "choices", "servers", "statistic")
    breaks = (
        "The limit is for infinitely many servers and exponential service; queues of few servers are less independent."
        " Real balancers see old queue lengths, and several balancers then choose the same queue."
    )

    def make_sliders(self) -> list[Slider]:
        return [
            self.load_slider("here the four curves lie far apart"),
            Slider.count(
                *("servers", 64, "servers, each with a queue of its own", 2, 512, "a small cluster", "log"),
                label="Servers",
                symbol="c",
            ),
            Slider.count(
                *("choices", 2, "queues that the balancer inspects", 2, 16, "the default of Envoy's balancer"),
                label="Queues inspected",
                symbol="d",
            ),
            self.service_slider(CHOICES, "the limit assumes it"),
            self.statistic_slider("mean"),
            self.seed_slider(),
        ]

    def systems(self, point: Mapping[str, Value]) -> dict[str, System]:
        servers, d = int(point["servers"]), int(point["choices"])
        looked_at: dict[str, int | str] = {
            "random": "random",
            "round robin": "round robin",
            "shortest of d": d,
            "shortest of all": servers,
        }
        return {name: Split(servers, choices) for name, choices in looked_at.items()}

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        load, name, law = x.values, point["statistic"], service(point["service"])
        split, limit, one = (np.full(load.shape, np.nan) for _ in range(3))
        if law.name == "exponential":
            split, one = sojourn(name, 1, load), sojourn(name, int(point["servers"]), load)
            p, d = STATISTICS[name], int(point["choices"])
            limit = models.supermarket_mean(load, d) if p is None else models.supermarket_quantile(p, load, d)
        elif name == "mean":
            split = 1 + general.mean_wait(load, law.scv)
        predicted = {"random split": split, LIMIT: limit, "one shared queue": one}
        return [Curve(label, "predicted", x, self.unit, values) for label, values in predicted.items()]

    def presets(self) -> dict[str, Preset]:
        return {
            "Three choices": Preset(
                {"choices": 3.0},
                "The second choice removed most of the wait; the third gains little, and a fourth would gain less.",
            ),
            "p99": Preset(
                {"statistic": "p99"},
                "The 99th percentile of a random split leaves the figure first: inspection reduces tails most.",
            ),
            "Four servers": Preset(
                {"servers": 4.0},
                "With few servers the limit is too optimistic, and one shared queue clearly beats the shortest of all.",
            ),
            "Every service alike": Preset(
                {"service": "deterministic"},
                "Round robin catches up: if all jobs are equal, it balances as well as inspection does.",
            ),
        }
