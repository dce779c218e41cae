"""The lab branches.predictor: simulated predictors, and the Markov chain that predicts their rates."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, accumulated, register
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.models import predictor as models
from spe_lab.topics.branches.simulator import HISTORY, KINDS, LAWS, simulate

BATCHES = (5, 12, 24, 48)  # independent seeds after each step; their spread gives the interval
BRANCHES_PER_BATCH = 200_000
STARTS = ("strongly not taken", "weakly not taken", "weakly taken", "strongly taken")


@register
class Predictor(SimulatedLab):
    """Lab: misprediction rate of simulated predictors against the share of taken branches."""

    id = "branches.predictor"
    title = "Predictors"
    first = ("p", "states", "branches", "law")
    percent = True
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
        "The chain has one counter and knows no other branches. A table indexed by history learns patterns that are"
        " random to the chain, but each of its counters is used rarely and learns slowly."
    )

    def make_sliders(self) -> list[Slider]:
        share, source = models.QUANTITIES["p"].meaning, "here a two-bit counter and a machine differ most"
        shift = "number of states by which the threshold lies above the middle, within the counter's range"
        repeats = "random outcomes: probability that an outcome repeats the previous one"
        run = "branches in a run, from its start"
        return [
            Slider("p", "", 0.3, share, 0, 1, source=source, label="Share taken", percent=True),
            Slider.count(
                "states",
                4,
                "states of each counter",
                2,
                16,
                "a two-bit counter, as in textbooks",
                label="Counter states",
                symbol="n",
            ),
            Slider.count(
                "shift",
                0,
                shift,
                -7,
                7,
                "the middle",
                label="Threshold shift",
                symbol="Threshold shift",
                group="Counter",
            ),
            Slider.choice(
                "start",
                STARTS,
                "initial state of a run",
                "nothing known yet",
                label="Initial state",
                symbol="Initial state",
                group="Counter",
            ),
            Slider.count(
                "branches",
                1e6,
                run,
                1,
                1_000_000,
                "a long loop",
                "log",
                label="Branches in a run",
                symbol="Branches in a run",
            ),
            Slider.choice(
                "law",
                LAWS,
                "order of the taken branches",
                "data in random order",
                label="Order of outcomes",
                symbol="Order of outcomes",
            ),
            Slider(
                "correlation",
                "",
                0.0,
                repeats,
                0,
                0.95,
                source="independent outcomes",
                label="Repetition",
                symbol="Repetition",
                group="Outcomes",
                percent=True,
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        return [i / 10 for i in range(11)] if short else [i / 20 for i in range(21)]

    def counter(self, point: Mapping[str, Value]) -> dict[str, int]:
        """Return states, threshold and initial state as whole numbers."""
        states = int(point["states"])
        threshold = min(max((states + 1) // 2 + int(point["shift"]), 1), states - 1)
        initial = dict(zip(STARTS, (0, threshold - 1, threshold, states - 1), strict=True))[point["start"]]
        return {"states": states, "threshold": threshold, "initial": initial}

    def presets(self) -> dict[str, Preset]:
        return {
            "A pattern": Preset(
                {"law": LAWS[1], "branches": 1e4},
                "A pattern can be learned: the ideal rate is zero. Simulate, and see which predictor learns it.",
            ),
            "In runs": Preset(
                {"correlation": 0.9, "branches": 1e4},
                "Repetition is easy to predict: the counter lies far below the long run of independent outcomes.",
            ),
            "A short loop": Preset(
                {"branches": 100.0},
                "The tables have hardly learned anything: for p near 1 each of their 256 counters is wrong at first.",
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
