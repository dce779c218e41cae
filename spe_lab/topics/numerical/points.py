"""The lab numerical.points: the accuracy of a fit against its number of measured points."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Slider, Value, register
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import origin
from spe_lab.core.sampling.statistics import centre
from spe_lab.topics.numerical import bases
from spe_lab.topics.numerical.labs import SearchLab
from spe_lab.topics.numerical.searching import kernels, searches

SHOWN = ("power law", "piecewise linear", "monotone spline")
DRAWS, EXPECTED_DRAWS = 15, 6  # random choices of points: measured, and for a curve that follows a slider
SEED = 1
_EXPECTED_KEPT = 64  # numbers of points at some settings: a slider that moves back and forth needs them again
HALF_NORMAL = 0.6745  # the median of |N(0, 1)|


def held_out(
    n: np.ndarray, times: np.ndarray, points: int, basis: str, draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """Return the median relative error at held-out sizes for each of `draws` random choices of sizes.

    - n, times [ns]: all sizes, increasing, and their times
    - points: number of sizes in a choice: both ends (nothing is extrapolated) and one from each of equal parts between
    - basis: form of the fitted function
    - draws, seed: number of choices, and the seed of the random numbers

    NaN if no size is held out.
    """
    if points >= len(n):
        return np.full(draws, np.nan)
    rng, errors = np.random.default_rng(seed), []
    bounds = np.linspace(1, len(n) - 1, max(1, points - 1)).round().astype(int)  # of the parts
    for _ in range(draws):
        given = np.zeros(len(n), dtype=bool)
        given[[0, -1]] = True
        given[rng.integers(bounds[:-1], bounds[1:])] = True
        errors.append(np.median(np.abs(bases.fit(basis, n[given], times[given])(n[~given]) / times[~given] - 1)))
    return np.array(errors)


@register
class Points(SearchLab):
    """Lab: error between the points against their number."""

    id = "numerical.points"
    title = "How many points"
    question = (
        "How accurate is a fit to a number of measured points at the sizes between them, and from which number on do"
        " more points no longer help?"
    )
    axis = "points"
    quantity = "median error at the held-out sizes"
    unit = ""
    compared = ("piecewise linear", "expected linear")
    first = ("points", "search", "record", "noise")
    percent = True
    within = None  # the expected errors are too small: the machine is not the analytical model
    breaks = (
        "The expected errors assume that the analytical model is true and measurement errors are independent. The model"
        " leaves effects out, such as sizes that collide in a cache; no number of points removes these."
    )

    def make_sliders(self) -> list[Slider]:
        points = Slider.count("points", 8, "measured points to fit to", 4, 16, "as in numerical.fit", label="Points")
        meaning, source = "relative standard error of each measured time", "assumed: arrays that fit a cache"
        shown: dict[str, Any] = {
            "measured": False,
            "source": source,
            "label": "Noise of the times",
            "symbol": "noise of the times",
            "percent": True,
        }
        noise = Slider("noise", "", 0.005, meaning, 0, 0.2, **shown)
        return [points, *self.workload_sliders(), noise, *self.machine_sliders()]

    def presets(self) -> dict[str, Preset]:
        return {
            "No noise": Preset(
                {"noise": 0.0},
                "The expected curves hardly move: with few points the error comes from interpolation, not from noise.",
            ),
            "Noisy times": Preset(
                {"noise": 0.1}, "From five points on, straight lines hardly improve: they follow the noise."
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [4.0, 6.0, 12.0] if short else [4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        sizes = np.array(self.sizes(effort.short))

        def measured(result: Sweep) -> list[Curve]:
            seen = np.isfinite(result.estimate.value) & (result.estimate.value > 0)
            n, times = sizes[seen], result.estimate.value[seen]
            estimate = result.estimate
            kept, tried = (np.full(len(x.values), int(count.sum())) for count in (estimate.kept, estimate.tried))
            how = origin(result, kernels(), draws=DRAWS, sizes=n.tolist(), times_ns=times.tolist())
            curves = []
            for basis in SHOWN:
                rows = [(np.nan,) * 3] * len(x.values)
                if len(n) > 2:
                    rows = [centre(held_out(n, times, int(points), basis)) for points in x.values]
                value, low, high = np.array(rows).T
                curves.append(Curve(basis, "measured", x, "", value, low, high, kept, tried, how))
            return curves

        points = searches(point["search"], point["record"], sizes)
        return Plan(points, SHOWN, kernels(), curves=measured)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        expected = np.array([self.expected(point, int(points)) for points in x.values]).T
        noise = np.full(len(x.values), HALF_NORMAL * point["noise"])
        curves = zip(("expected linear", "expected law", "noise"), (*expected, noise), strict=True)
        return [Curve(name, "predicted", x, "", values) for name, values in curves]

    def expected(self, point: Mapping[str, Value], points: int) -> tuple[float, ...]:
        """Return the median errors of straight lines and the power law if the analytical model were true."""
        return self._expected(tuple((name, value) for name, value in point.items() if name != self.axis), points)

    @cached_property
    def _expected(self) -> Callable[[tuple, int], tuple[float, ...]]:
        return lru_cache(_EXPECTED_KEPT)(self._expect)

    def _expect(self, settings: tuple, points: int) -> tuple[float, ...]:
        point, sizes = dict(settings), np.array(self.sizes(short=False))
        noise = np.exp(point["noise"] * np.random.default_rng(SEED).standard_normal(len(sizes)))
        times = self.analytical_time(point, sizes) * noise
        errors = (held_out(sizes, times, points, basis, EXPECTED_DRAWS) for basis in ("piecewise linear", "power law"))
        return tuple(float(np.median(error)) for error in errors)
