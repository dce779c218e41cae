"""The lab scaling.usl: contention and coherency fitted to a measured speed-up, and the number of threads that is too
many.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import MeasurementError
from spe_lab.core.files import plain
from spe_lab.core.kinds import Plan
from spe_lab.core.lab import Effort
from spe_lab.core.recording import Recording
from spe_lab.core.registry import register
from spe_lab.core.sampling.statistics import redrawn
from spe_lab.core.sampling.teams import Trials, block_ratios
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.text import Text
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.amdahl import SpeedUpLab
from spe_lab.topics.scaling.fork_join import Costs, ForkJoin, threads_slider, work_sliders

TRAINING = (
    1,
    2,
    3,
    5,
    7,
    10,
    14,
    20,
    28,
    40,
    56,
)  # what the fit is given; of the figure's points, 1 and 2 are among them
DRAWS = 200


@dataclass(frozen=True)
class FittedLaw:
    """Contention and coherency with the interval of 95 % of the draws, and N of the maximum (infinite without
    coherency).
    """

    sigma: float
    kappa: float
    sigma_interval: tuple[float, float]
    kappa_interval: tuple[float, float]
    most_interval: tuple[float, float]

    @property
    def most(self) -> float:
        return most_threads(self.sigma, self.kappa)

    def summary(self) -> Text:
        """What was found, in a sentence."""
        intervals = (self.sigma_interval, self.kappa_interval, self.most_interval)
        sigma, kappa, most = (f"{low:.3g} to {high:.3g}" for low, high in intervals)
        return Text(
            f"contention sigma = {self.sigma:.3g} (95 % interval: {sigma}), coherency kappa = {self.kappa:.2g}"
            f" ({kappa}); most at N = {self.most:.3g} ({most})"
        )


class UslFit(NamedTuple):
    """The law fitted to a run, and what threads cost in it."""

    law: FittedLaw
    costs: Costs

    def summary(self) -> Text:
        """The fitted law in a sentence."""
        return self.law.summary()


def most_threads(sigma: float, kappa: float) -> float:
    """N at which the law has its maximum: one thread if the others only disturb, infinite if
    nothing is paid for pairs.
    """
    if sigma >= 1:
        return 1.0
    return max(1.0, float(models.usl_maximum()(sigma=sigma, kappa=kappa))) if kappa > 0 else math.inf


def fit_law(counts: Sequence[int] | np.ndarray, speed_ups: np.ndarray, seed: int = 1) -> FittedLaw:
    """The law that fits best, by least squares of N / speed-up, which is linear in sigma and kappa; neither is
    negative.

    `speed_ups`: blocks × counts, NaN where not clean. The intervals are a bootstrap's over whole blocks, whose points
    share the minute that they were taken in. MeasurementError if fewer than three numbers of threads beyond one have a
    value.
    """
    threads, speed_ups = np.asarray(counts, dtype=float), np.asarray(speed_ups, dtype=float)
    seen = (threads > 1) & ~np.isnan(speed_ups).all(axis=0)
    if seen.sum() < 3:
        raise MeasurementError(
            f"the fit must have clean trials for three numbers of threads beyond one, got {seen.sum()}; measure again"
            " on a quieter machine"
        )
    threads, speed_ups = threads[seen], speed_ups[:, seen]
    sigma, kappa = _best(threads, np.nanmedian(speed_ups, axis=0))
    rng = np.random.default_rng(seed)
    draws = [_best(threads, redrawn(speed_ups, rng)) for _ in range(DRAWS if len(speed_ups) >= 6 else 0)] or [
        (sigma, kappa)
    ]
    most = [most_threads(*each) for each in draws]
    intervals = [
        tuple(np.quantile(column, (0.025, 0.975), method="nearest").tolist()) for column in (*np.transpose(draws), most)
    ]
    return FittedLaw(sigma, kappa, *intervals)


def _best(counts: np.ndarray, speed_up: np.ndarray) -> tuple[float, float]:
    """Weighted by the speed-up over N, so that relative errors of the speed-up count alike."""
    from scipy.optimize import nnls

    weights = speed_up / counts
    columns = np.stack([counts - 1, counts * (counts - 1)], axis=1) * weights[:, None]
    sigma, kappa = nnls(columns, (counts / speed_up - 1) * weights)[0]
    return float(sigma), float(kappa)


@register
class Usl(SpeedUpLab):
    """The universal scalability law, fitted."""

    id = "scaling.usl"
    title = "The universal scalability law"
    question = "At how many threads does more of them make the work slower, and can that be told from a few points?"
    compared = ("speed-up", "fitted")
    within = 0.04
    breaks = (
        "Two numbers stand for everything that threads do to each other. A law fitted at few threads may see no"
        " coherency at all, and then promises a maximum far beyond the true one; and the number of cores is not in it."
    )

    def make_sliders(self) -> list[Slider]:
        P, sigma, kappa = (models.QUANTITIES[name].meaning for name in ("P", "sigma", "kappa"))
        work, threads = work_sliders()
        created = Slider(
            "threads",
            "",
            "created",
            threads.meaning,
            scale="choice",
            choices=threads.choices,
            source="creating threads is what grows with each",
        )
        return [
            threads_slider(),
            Slider("P", "", 0.95, P, 0, 1, source="a twentieth is serial"),
            work,
            created,
            Slider(
                "T1",
                "ns",
                10e6,
                models.QUANTITIES["T1"].meaning,
                50e3,
                100e6,
                "log",
                source="short enough that creating threads counts",
            ),
            Slider("sigma", "", 0.05, sigma, 0, 1, measured=False, source="1 − P of this lab"),
            Slider("kappa", "", 0.002, kappa, 0, 0.02, measured=False, source="25 µs to create a thread, of 10 ms"),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "No coherency": Preset(
                {"kappa": 0.0},
                "The curve of sigma and kappa as set has no maximum any more: it is Amdahl's law for P = 0.95.",
            ),
            "No contention": Preset(
                {"sigma": 0.0},
                "The same curve begins as a straight line and has a maximum all the same: pairs of threads grow"
                " with N².",
            ),
            "Coherency × 10": Preset(
                {"kappa": 0.02}, "Its maximum comes at 7 threads in place of 22, and 64 threads are slower than one."
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [1, 2, 4, 8, 16, 32] if short else [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        P, T1 = point["P"], point["T1"]
        counts = [int(n) for n in x.values]
        threads = [n for n in TRAINING if n <= max(10, *counts)][:: 2 if effort.short else 1]
        one = len(counts)  # the first of the training points is one thread
        pieces = [(n, (1 - P) * T1, P * T1 / n) for n in [*counts, *threads]]

        def training(result: Trials) -> dict[str, Any]:
            blocks = result.blocks()[:, : len(pieces)]
            return {"threads": threads, "blocks": plain(blocks[:, [one]] / blocks[:, one:])}

        def speed_ups(blocks: np.ndarray) -> tuple[np.ndarray, ...]:
            return block_ratios(blocks, reference=one)

        work = ForkJoin(point["work"], point["threads"], cancel)
        return self.speed_ups(pieces, speed_ups, work, x, effort, training)

    def fit(self, recording: Recording) -> "UslFit":
        """The law through the training points, and what threads cost."""
        training = recording.training
        law = fit_law(training["threads"], np.array(training["blocks"], dtype=float))
        return UslFit(law, super().fit(recording))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "UslFit") -> list[Curve]:
        N, fitted, costs = x.values, fit.law, self.costs(point, fit.costs)
        said = {
            "sigma": fitted.sigma,
            "kappa": fitted.kappa,
            "sigma_interval": fitted.sigma_interval,
            "kappa_interval": fitted.kappa_interval,
        }
        return [
            Curve(
                "fitted",
                "predicted",
                x,
                "",
                models.usl_law()(N=N, sigma=fitted.sigma, kappa=fitted.kappa),
                provenance=said,
            ),
            Curve(
                "sigma and kappa as set",
                "predicted",
                x,
                "",
                models.usl_law()(N=N, sigma=point["sigma"], kappa=point["kappa"]),
            ),
            Curve(
                "sigma = 1 − P, kappa = c / T1",
                "predicted",
                x,
                "",
                models.usl_law()(N=N, sigma=1 - point["P"], kappa=costs.each / point["T1"]),
                provenance={"costs": costs.to_dict()},
            ),
        ]

    def marks(self, point: Mapping[str, Value], fit: "UslFit") -> dict[str, float]:
        """Where the fitted law has its maximum."""
        most = fit.law.most
        return {"most (fitted)": round(most, 2) if math.isfinite(most) else math.nan}
