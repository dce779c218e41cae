"""The lab scaling.usl: contention and coherency fitted to a speed-up, and the best number of threads."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.core.files import plain
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Recording, Slider, Value, register
from spe_lab.core.sampling.statistics import redrawn
from spe_lab.core.sampling.teams import Trials, block_ratios
from spe_lab.core.text import Text
from spe_lab.topics.scaling import models
from spe_lab.topics.scaling.amdahl import SpeedUpLab
from spe_lab.topics.scaling.fork_join import Costs, ForkJoin, threads_slider, work_sliders

# Threads of the points that the law is fitted to; the figure has 1 and 2 in common with them.
TRAINING = (1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56)
DRAWS = 200


@dataclass(frozen=True)
class FittedLaw:
    """Fitted contention and coherency, and the N of the maximum, with 95 % bootstrap intervals."""

    sigma: float
    kappa: float
    sigma_interval: tuple[float, float]
    kappa_interval: tuple[float, float]
    most_interval: tuple[float, float]

    @property
    def most(self) -> float:
        return most_threads(self.sigma, self.kappa)

    def summary(self) -> Text:
        """Return the fitted values and their intervals in a sentence."""
        intervals = (self.sigma_interval, self.kappa_interval, self.most_interval)
        sigma, kappa, most = (f"{low:.2g} to {high:.2g}" for low, high in intervals)
        return Text(
            f"Contention σ = {self.sigma:.2g} (95 % interval: {sigma}), coherency κ = {self.kappa:.2g} ({kappa});"
            f" fastest at {self.most:.3g} threads ({most})."
        )


class UslFit(NamedTuple):
    """The law fitted to a run, and the costs of threads measured in it."""

    law: FittedLaw
    costs: Costs

    def summary(self) -> Text:
        """Return the fitted law in a sentence."""
        return self.law.summary()


def most_threads(sigma: float, kappa: float) -> float:
    """Return the N of the law's maximum: 1 if further threads gain nothing, infinite without coherency."""
    if sigma >= 1:
        return 1.0
    return max(1.0, float(models.usl_maximum()(sigma=sigma, kappa=kappa))) if kappa > 0 else math.inf


def fit_law(counts: Sequence[int] | np.ndarray, speed_ups: np.ndarray, seed: int = 1) -> FittedLaw:
    """Fit sigma, kappa ≥ 0 by non-negative least squares of N / speed-up, which is linear in both.

    `speed_ups`: blocks × counts, NaN where no trial was clean. The intervals come from a bootstrap over whole blocks,
    since the points of a block share its disturbances. Raise MeasurementError if fewer than three numbers of threads
    above one have a value.
    """
    threads, speed_ups = np.asarray(counts, dtype=float), np.asarray(speed_ups, dtype=float)
    seen = (threads > 1) & ~np.isnan(speed_ups).all(axis=0)
    if seen.sum() < 3:
        raise MeasurementError(
            f"the fit needs clean trials for three numbers of threads above one, got {seen.sum()}; measure again on a"
            " quieter machine"
        )
    threads, speed_ups = threads[seen], speed_ups[:, seen]
    sigma, kappa = _best(threads, np.nanmedian(speed_ups, axis=0))
    rng = np.random.default_rng(seed)
    draws = [(sigma, kappa)]
    if len(speed_ups) >= 6:
        draws = [_best(threads, redrawn(speed_ups, rng)) for _ in range(DRAWS)]
    columns = (*np.transpose(draws), [most_threads(*draw) for draw in draws])
    intervals = [tuple(np.quantile(column, (0.025, 0.975), method="nearest").tolist()) for column in columns]
    return FittedLaw(sigma, kappa, *intervals)


def _best(counts: np.ndarray, speed_up: np.ndarray) -> tuple[float, float]:
    """Return (sigma, kappa); weights of speed-up / N give equal relative errors equal weight."""
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
    question = "From how many threads on does another thread make the work slower, and can a few points predict that?"
    scale = "linear"  # a maximum shows better there
    first = ("N", "threads", "sigma", "kappa")
    compared = ("speed-up", "fitted")
    fitted_here = True
    within = 0.04
    breaks = (
        "Two numbers describe all interactions of threads. A law fitted at few threads may find no coherency at all,"
        " and then its maximum lies far beyond the true one. The number of cores is not part of the law."
    )

    def make_sliders(self) -> list[Slider]:
        P, sigma, kappa = (models.QUANTITIES[name].meaning for name in ("P", "sigma", "kappa"))
        work, threads = work_sliders()
        created = replace(threads, default="created", source="the time to create threads grows with their number")
        T1, source = models.QUANTITIES["T1"].meaning, "short enough that creating threads counts"

        def own(name: str, default: float, meaning: str, high: float, source: str, label: str, symbol: str) -> Slider:
            """Return a slider of the curve that the reader moves."""
            shown: dict[str, Any] = {"label": label, "symbol": symbol}
            return Slider(name, "", default, meaning, 0, high, measured=False, source=source, **shown)

        return [
            threads_slider(),
            Slider("P", "", 0.95, P, 0, 1, source="a twentieth is serial", label="Parallel share"),
            work,
            created,
            Slider("T1", "ns", 10e6, T1, 50e3, 100e6, "log", source=source, label="Time with one thread", symbol="T_1"),
            own("sigma", 0.05, sigma, 1, "1 − P of this lab", "Contention", "σ"),
            own("kappa", 0.002, kappa, 0.02, "20 µs to create a thread, of 10 ms", "Coherency", "κ"),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "No coherency": Preset(
                {"kappa": 0.0},
                "The curve *σ and κ as set* has no maximum any more: it is Amdahl's law for P = 0.95.",
            ),
            "No contention": Preset(
                {"sigma": 0.0},
                "The curve begins as a straight line and still has a maximum: the number of pairs grows with N².",
            ),
            "Coherency × 10": Preset(
                {"kappa": 0.02}, "The maximum is at 7 threads instead of 22, and 64 threads are slower than one."
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
        """Fit the law to the training points; return it with the costs of threads."""
        training = recording.training
        law = fit_law(training["threads"], np.array(training["blocks"], dtype=float))
        return UslFit(law, super().fit(recording))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "UslFit") -> list[Curve]:
        N, fitted, costs = x.values, fit.law, self.costs(point, fit.costs)
        names = ("sigma", "kappa", "sigma_interval", "kappa_interval")
        found, kappa = {name: getattr(fitted, name) for name in names}, costs.each / point["T1"]

        def curve(name: str, sigma: float, kappa: float, provenance: dict[str, Any]) -> Curve:
            values = models.usl_law()(N=N, sigma=sigma, kappa=kappa)
            return Curve(name, "predicted", x, "", values, provenance=provenance)

        return [
            curve("fitted", fitted.sigma, fitted.kappa, found),
            curve("σ and κ as set", point["sigma"], point["kappa"], {}),
            curve("σ = 1 − P and κ = c/T₁", 1 - point["P"], kappa, {"costs": costs.to_dict()}),
        ]

    def marks(self, point: Mapping[str, Value], fit: "UslFit") -> dict[str, float]:
        """Return the N of the fitted law's maximum."""
        most = fit.law.most
        return {"fastest at": round(most, 2) if math.isfinite(most) else math.nan}
