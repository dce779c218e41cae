"""The lab branches.predictor: simulated predictors beside the chain that predicts them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import Lab, Preset, Slider, Value
from spe_lab.core.registry import register
from spe_lab.core.sampling.provenance import simulated_origin
from spe_lab.models import predictor as models
from spe_lab.topics.branches.simulator import HISTORY, KINDS, LAWS, simulate

BATCHES = 12  # independent seeds, whose spread gives the interval
BRANCHES_PER_BATCH = 200_000
STARTS = ("strongly not taken", "weakly not taken", "weakly taken", "strongly taken")


@register
class Predictor(Lab):
    """Misprediction rate of simulated predictors against the share of taken branches."""

    id = "branches.predictor"
    chapter = "03d"
    title = "Predictors"
    question = (
        "How often does a saturating counter mispredict, and what do more states, a history or a longer run change?"
    )
    axis = "p"
    quantity = "mispredictions per branch"
    unit = ""
    scale = "linear"
    simulated = True
    compared = ("saturating counter", "counter, from its start")
    breaks = (
        "The chain has one counter and knows nothing of other branches; a table selected by history learns patterns"
        " that the chain takes for chance, and pays for it with counters that are rarely met."
    )

    def declare(self) -> list[Slider]:
        return [
            Slider(
                "p",
                "",
                0.3,
                models.QUANTITIES["p"].meaning,
                0,
                1,
                source="where a two-bit counter and a machine differ most",
            ),
            Slider(
                "states",
                "",
                4,
                "states of each counter",
                2,
                16,
                multiple_of=1,
                source="a two-bit counter, as in the notes",
            ),
            Slider(
                "shift",
                "",
                0,
                "states by which the threshold lies above the middle, as far as there are any",
                -7,
                7,
                multiple_of=1,
                source="the middle",
            ),
            Slider(
                "start",
                "",
                "strongly not taken",
                "state in which a run begins",
                scale="choice",
                choices=STARTS,
                source="nothing known yet",
            ),
            Slider(
                "branches",
                "",
                100,
                "branches in a run, the first ones included",
                1,
                1_000_000,
                "log",
                multiple_of=1,
                source="a short loop",
            ),
            Slider(
                "law",
                "",
                LAWS[0],
                "how the taken branches follow each other",
                scale="choice",
                choices=LAWS,
                source="data in random order",
            ),
            Slider(
                "correlation",
                "",
                0.0,
                "random law: probability that an outcome repeats the one before",
                0,
                0.95,
                source="independent outcomes",
            ),
        ]

    def sweep(self, short: bool) -> list[float]:
        return [i / 10 for i in range(11)] if short else [i / 20 for i in range(21)]

    def counter(self, point: Mapping[str, Value]) -> dict[str, int]:
        """States, threshold and initial state as whole numbers."""
        states = int(point["states"])
        threshold = min(max((states + 1) // 2 + int(point["shift"]), 1), states - 1)
        initial = {
            "strongly not taken": 0,
            "weakly not taken": threshold - 1,
            "weakly taken": threshold,
            "strongly taken": states - 1,
        }[point["start"]]
        return {"states": states, "threshold": threshold, "initial": initial}

    def presets(self) -> dict[str, Preset]:
        return {
            "A pattern": Preset(
                {"law": LAWS[1], "branches": 1e4},
                "A pattern can be known: the ideal is zero. Simulate, and see which predictor learns it.",
            ),
            "In runs": Preset(
                {"correlation": 0.9, "branches": 1e4},
                "Repetition is easy: the counter lies far below the long run of independent outcomes.",
            ),
            "The first branch": Preset(
                {"branches": 1.0},
                "A counter that starts at strongly not taken mispredicts its first branch with probability p.",
            ),
        }

    def measure(
        self, point: Mapping[str, Value], x: Axis, budget_s: float, cancel: Cancel
    ) -> Iterator[tuple[float, list[Curve]]]:
        branches = int(point["branches"])
        runs = max(1, BRANCHES_PER_BATCH // branches)
        rates = np.empty((BATCHES, len(KINDS), len(x.values)))
        settings: dict[str, Any] = self.counter(point) | {
            "law": point["law"],
            "correlation": point["correlation"],
            "cancel": cancel,
        }
        for seed in range(BATCHES):
            for k, kind in enumerate(KINDS):
                for i, p in enumerate(x.values):
                    missed = simulate(
                        float(p), branches, runs, kind=kind, seed=1 + seed * len(x.values) + i, **settings
                    )
                    rates[seed, k, i] = missed.mean() / branches
            if seed in (BATCHES // 3, BATCHES - 1):
                yield (seed + 1) / BATCHES, self.curves(rates[: seed + 1], x, branches * runs)

    def curves(self, rates: np.ndarray, x: Axis, branches: int) -> list[Curve]:
        """Mean over batches with an interval of two standard errors."""
        value, error = rates.mean(axis=0), rates.std(axis=0, ddof=1) / np.sqrt(len(rates))
        counts = np.full(len(x.values), len(rates) * branches)
        origin = simulated_origin("branches", f"mean of {len(rates)} seeds, two standard errors", history_bits=HISTORY)
        names = ("saturating counter", *(f"{kind}, {HISTORY} bits" for kind in list(KINDS)[1:]))
        low, high = value - 2 * error, value + 2 * error
        return [
            Curve(name, "simulated", x, "", value[k], low[k], high[k], counts, counts, origin)
            for k, name in enumerate(names)
        ]

    def predict(self, point: Mapping[str, Value], x: Axis) -> list[Curve]:
        counter, branches, correlation = self.counter(point), int(point["branches"]), float(point["correlation"])
        if point["law"] == LAWS[0]:
            start = models.average_rate(x.values, branches, **counter, correlation=correlation)
            ideal = models.ideal_rate(x.values, correlation)
        else:
            start, ideal = models.pattern_rate(x.values, branches, **counter), np.zeros(len(x.values))
        long_run = models.rate(x.values, counter["states"], counter["threshold"])
        return [
            Curve("counter, from its start", "predicted", x, "", start),
            Curve("long run, independent outcomes", "predicted", x, "", long_run),
            Curve("ideal", "predicted", x, "", ideal),
        ]
