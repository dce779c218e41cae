"""The lab coherence.mesi: simulated caches, and the Markov chain that predicts their messages."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, accumulated, register
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.models.mesi import MOST_CORES
from spe_lab.topics.coherence import models
from spe_lab.topics.coherence.simulator import Bus

BATCHES = (5, 12, 24, 48)  # independent seeds after each step; their spread gives the interval
ACCESSES = 100_000  # counted in each batch, after as many uncounted ones: the chain describes the long run
LAYOUTS = {"shared lines": False, "lines of its own": True}
COUNTED = {"messages": ("bus_reads", "bus_owns", "bus_upgrades"), "write-backs": ("write_backs",)}


@register
class Mesi(SimulatedLab):
    """Lab: bus messages per access against the share of writes."""

    id = "coherence.mesi"
    title = "MESI"
    question = "How many bus messages does an access cause if several cores read and write the same lines?"
    axis = "w"
    quantity = "bus events per access"
    unit = ""
    scale = "linear"
    stem = "coherence"
    percent = True
    exact = True
    short_steps = 2
    first = ("w", "cores", "tenure", "lines")
    compared = ("messages", "messages, by the chain")
    within = 0.004
    breaks = (
        "In the model caches never fill up, an access ends before the next one begins, and all messages cost the same."
        " A store buffer, a directory in place of a bus, or a fifth state (Owned, Forward) changes the messages."
    )

    def make_sliders(self) -> list[Slider]:
        writes, cores, tenure, lines = (models.QUANTITIES[name].meaning for name in "wNkL")
        few, layout = "a few accesses before another core's turn", "whether cores share lines, or each has its own"
        return [
            Slider("w", "", 0.5, writes, 0, 1, source="as many writes as reads", label="Share of writes", percent=True),
            Slider.count(
                "cores", 2, cores, 2, MOST_CORES, "the smallest number that can share", label="Cores", symbol="N"
            ),
            Slider("tenure", "", 4.0, f"{tenure}, on average", 1, 1000, "log", source=few, label="Tenure", symbol="k"),
            Slider.count(
                "lines",
                1,
                f"{lines}, each equally likely",
                1,
                64,
                "one word that all use",
                "log",
                label="Lines",
                symbol="L",
            ),
            Slider.choice("layout", LAYOUTS, layout, "false or true sharing", label="Layout", group="Data"),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Turn by turn": Preset(
                {"tenure": 1.0},
                "Cores take turns at each access, so more messages are sent at each share of writes. At w = 1 every"
                " access sends one.",
            ),
            "Long turns": Preset(
                {"tenure": 100.0},
                "Fewer than 2 messages for 100 accesses: only the first accesses of a turn send messages.",
            ),
            "Eight cores": Preset(
                {"cores": 8.0},
                "Messages increase most where reads prevail, and not at w = 1: a writer fetches one copy, however many"
                " cores there are.",
            ),
            "Lines of its own": Preset(
                {"layout": "lines of its own"}, "No messages: after the first accesses no other core has a copy."
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
        if LAYOUTS[point["layout"]]:  # each line has one user, who sends no messages after the first accesses
            rates = dict.fromkeys(COUNTED, np.zeros(len(x.values)))
        else:
            rates = models.per_access(x.values, int(point["cores"]), point["tenure"], int(point["lines"]))
        return [Curve(f"{name}, by the chain", "predicted", x, "", rates[name]) for name in COUNTED]


def simulated(point: Mapping[str, Value], write: float, seed: int, cancel: Cancel) -> list[float]:
    """Return the counts in COUNTED per access in warm caches."""
    cores, lines, padded = int(point["cores"]), int(point["lines"]), LAYOUTS[point["layout"]]
    bus = Bus(cores, lines * (cores if padded else 1))
    settings = {"write": write, "tenure": point["tenure"], "lines": lines, "padded": padded, "cancel": cancel}
    before = bus.run_random(ACCESSES, seed=seed, **settings).counts
    after = bus.run_random(ACCESSES, seed=seed + (1 << 32), **settings).counts
    return [sum(after[name] - before[name] for name in names) / ACCESSES for names in COUNTED.values()]
