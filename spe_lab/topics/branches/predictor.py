"""The lab branches.predictor: simulated predictors beside the chain that predicts them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import SimulatedLab, accumulated
from spe_lab.core.registry import register
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models import predictor as models
from spe_lab.topics.branches.simulator import HISTORY, KINDS, LAWS, simulate

BATCHES = (5, 12, 24, 48)  # independent seeds after each step, whose spread gives the interval
BRANCHES_PER_BATCH = 200_000
STARTS = ("strongly not taken", "weakly not taken", "weakly taken", "strongly taken")


@register
class Predictor(SimulatedLab):
    """Misprediction rate of simulated predictors against the share of taken branches."""

    id = "branches.predictor"
    title = "Predictors"
    question = (
        "How often does a saturating counter mispredict, and what do more states, a history or a longer run change?"
    )
    axis = "p"
    quantity = "mispredictions per branch"
    unit = ""
    scale = "linear"
    stem = "branches"
    short_steps = 2
    compared = ("saturating counter", "counter, from its start")
    within = 0.003
    breaks = (
        "The chain has one counter and knows nothing of other branches; a table selected by history learns patterns"
        " that the chain takes for chance, and pays for it with counters that are rarely met."
    )

    def make_sliders(self) -> list[Slider]:
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

    def default_values(self, short: bool) -> list[float]:
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

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        branches = int(point["branches"])
        runs = max(1, BRANCHES_PER_BATCH // branches)
        settings: dict[str, Any] = self.counter(point) | {"law": point["law"], "correlation": point["correlation"]}

        def rates(batch: int) -> np.ndarray:
            seeds = 1 + batch * len(x.values) + np.arange(len(x.values))
            missed = [
                [
                    simulate(float(p), branches, runs, kind=kind, seed=int(seed), cancel=cancel, **settings).mean()
                    for p, seed in zip(x.values, seeds, strict=True)
                ]
                for kind in KINDS
            ]
            return np.array(missed) / branches

        names = ("saturating counter", *(f"{kind}, {HISTORY} bits" for kind in list(KINDS)[1:]))
        for batches in accumulated(rates, BATCHES):
            estimator, counts = f"mean of {len(batches)} seeds, two standard errors", len(batches) * branches * runs
            yield [
                self.curve(name, x, two_standard_errors(batches[:, k]), counts, estimator, history_bits=HISTORY)
                for k, name in enumerate(names)
            ]

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
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
