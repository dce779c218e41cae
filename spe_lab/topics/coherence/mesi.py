"""The lab coherence.mesi: simulated caches beside the chain that predicts their messages."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import SimulatedLab, accumulated
from spe_lab.core.registry import register
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.mesi import MOST_CORES
from spe_lab.topics.coherence import models
from spe_lab.topics.coherence.simulator import Bus

BATCHES = (5, 12, 24, 48)  # independent seeds after each step, whose spread gives the interval
ACCESSES = 100_000  # of each batch, after as many that are not counted: the chain tells of the long run
LAYOUTS = {"shared lines": False, "lines of its own": True}
COUNTED = {"messages": ("bus_reads", "bus_owns", "bus_upgrades"), "write-backs": ("write_backs",)}


@register
class Mesi(SimulatedLab):
    """Bus messages per access against the share of writes."""

    id = "coherence.mesi"
    title = "MESI"
    question = "How many bus messages does an access cost if several cores read and write the same lines?"
    axis = "w"
    quantity = "per access"
    unit = ""
    scale = "linear"
    stem = "coherence"
    short_steps = 2
    compared = ("messages", "messages, by the chain")
    within = 0.004
    breaks = (
        "Caches here never run full, an access is done before the next one begins, and every message costs the same; "
        "a store buffer, a directory in place of a bus, or a fifth state (Owned, Forward) changes what is sent."
    )

    def make_sliders(self) -> list[Slider]:
        quantity = models.QUANTITIES
        layout = "whether the cores' data lie on the same lines, or each core's on lines of its own"
        return [
            Slider("w", "", 0.5, quantity["w"].meaning, 0, 1, source="as many writes as reads"),
            Slider(
                "cores",
                "",
                2,
                quantity["N"].meaning,
                2,
                MOST_CORES,
                multiple_of=1,
                source="the smallest number that can share",
            ),
            Slider(
                "tenure",
                "",
                4.0,
                f"{quantity['k'].meaning}, on average",
                1,
                1000,
                "log",
                source="a few accesses before another core's turn",
            ),
            Slider(
                "lines",
                "",
                1,
                f"{quantity['L'].meaning}, each equally likely",
                1,
                64,
                "log",
                multiple_of=1,
                source="one word that all use",
            ),
            Slider(
                "layout",
                "",
                "shared lines",
                layout,
                scale="choice",
                choices=tuple(LAYOUTS),
                source="false or true sharing",
            ),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Turn by turn": Preset(
                {"tenure": 1.0},
                "With no two accesses in a row, each share of writes sends more messages, until at w = 1 every access"
                " sends one.",
            ),
            "Long turns": Preset(
                {"tenure": 100.0},
                "Fewer than 2 messages for 100 accesses: the first ones of a turn pay for all that follow.",
            ),
            "Eight cores": Preset(
                {"cores": 8.0},
                "Most is added where reads prevail, and at w = 1 nothing: a writer fetches one copy, however many cores"
                " there are.",
            ),
            "Lines of its own": Preset(
                {"layout": "lines of its own"}, "No message at all: after the first accesses nobody else has a copy."
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [i / 10 for i in range(11)] if short else [i / 20 for i in range(21)]

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        def rates(batch: int) -> np.ndarray:
            seeds = 1 + batch * len(x.values) + np.arange(len(x.values))
            pairs = zip(x.values, seeds, strict=True)
            return np.array([simulated(point, float(w), int(seed), cancel) for w, seed in pairs]).T

        for batches in accumulated(rates, BATCHES):
            estimator, counts = f"mean of {len(batches)} seeds, two standard errors", len(batches) * ACCESSES
            yield [
                self.curve(name, x, np.maximum(two_standard_errors(batches[:, k]), 0), counts, estimator)
                for k, name in enumerate(COUNTED)
            ]

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        if LAYOUTS[point["layout"]]:
            found = {
                name: np.zeros(len(x.values)) for name in COUNTED
            }  # each line has one user: after the first accesses nobody asks
        else:
            found = models.per_access(x.values, int(point["cores"]), point["tenure"], int(point["lines"]))
        return [Curve(f"{name}, by the chain", "predicted", x, "", found[name]) for name in COUNTED]


def simulated(point: Mapping[str, Value], write: float, seed: int, cancel: Cancel) -> list[float]:
    """What COUNTED names per access, once the caches are warm."""
    cores, padded = int(point["cores"]), LAYOUTS[point["layout"]]
    lines = int(point["lines"])
    bus = Bus(cores, lines * (cores if padded else 1))
    law = {"write": write, "tenure": point["tenure"], "lines": lines, "padded": padded, "cancel": cancel}
    before = bus.run_random(ACCESSES, seed=seed, **law).counts
    after = bus.run_random(ACCESSES, seed=seed + (1 << 32), **law).counts
    return [sum(after[name] - before[name] for name in names) / ACCESSES for names in COUNTED.values()]
