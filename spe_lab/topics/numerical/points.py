"""The lab numerical.points: how many measured points buy how much accuracy."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import Plan
from spe_lab.core.lab import Effort
from spe_lab.core.registry import register
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import origin
from spe_lab.core.sampling.statistics import centre
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.topics.numerical import bases
from spe_lab.topics.numerical.labs import SearchLab
from spe_lab.topics.numerical.searching import kernels, searches

SHOWN = ("power law", "piecewise linear", "monotone spline")
DRAWS, EXPECTED_DRAWS = (
    15,
    6,
)  # random choices of points for each number of them: measured, and for a line that follows a slider
SEED = 1
_EXPECTED_KEPT = 64  # numbers of points at some settings: a slider that goes back and forth needs them again
HALF_NORMAL = 0.6745  # the median of |N(0, 1)|


def held_out(
    n: np.ndarray, times: np.ndarray, points: int, basis: str, draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """Median relative error at the sizes that a fit through `points` of them was not given, for each of `draws`
    choices.

    A choice has both ends, so that nothing is extrapolated, and one random size from each of `points` − 2 equal parts
    of the rest. NaN where no size is left over.
    """
    if points >= len(n):
        return np.full(draws, np.nan)
    rng, found = np.random.default_rng(seed), []
    bounds = np.linspace(1, len(n) - 1, max(1, points - 1)).round().astype(int)  # of the parts
    for _ in range(draws):
        given = np.zeros(len(n), dtype=bool)
        given[[0, -1]] = True
        given[rng.integers(bounds[:-1], bounds[1:])] = True
        found.append(np.median(np.abs(bases.fit(basis, n[given], times[given])(n[~given]) / times[~given] - 1)))
    return np.array(found)


@register
class Points(SearchLab):
    """Error between the points against their number."""

    id = "numerical.points"
    title = "How many points"
    question = (
        "How many measured points buy how much accuracy at the sizes between them, and when do more of them no longer"
        " help?"
    )
    axis = "points"
    quantity = "median error at the held-out sizes"
    unit = ""
    compared = ("piecewise linear", "expected linear")
    within = None  # the expected lines are too good: the machine is not the analytical model
    breaks = (
        "The expected lines take the analytical model for the truth and errors of measuring for independent: what the"
        " analytical model has not heard of, such as sizes that collide in a cache, no number of points smooths away."
    )

    def make_sliders(self) -> list[Slider]:
        points = Slider(
            "points", "", 8, "measured points that a fit is given", 4, 16, multiple_of=1, source="as in numerical.fit"
        )
        noise = Slider(
            "noise",
            "",
            0.005,
            "relative standard error of each measured time",
            0,
            0.2,
            measured=False,
            source="assumed: what fits a cache",
        )
        return [points, *self.workload_sliders(), noise, *self.machine_sliders()]

    def presets(self) -> dict[str, Preset]:
        return {
            "No noise": Preset(
                {"noise": 0.0},
                "The expected lines hardly move: with few points, the error comes from between them and not from"
                " measuring.",
            ),
            "Noisy times": Preset(
                {"noise": 0.1}, "From five points on, straight lines hardly gain: what they are led through is noise."
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [4.0, 6.0, 12.0] if short else [4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        sizes = np.array(self.sizes(effort.short))

        def measured(result: Sweep) -> list[Curve]:
            seen = np.isfinite(result.estimate.value) & (result.estimate.value > 0)
            n, times = sizes[seen], result.estimate.value[seen]
            counts = (np.full(len(x.values), int(c.sum())) for c in (result.estimate.kept, result.estimate.tried))
            kept, tried = counts
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
        return [
            *(
                Curve(name, "predicted", x, "", values)
                for name, values in zip(("expected linear", "expected law"), expected, strict=True)
            ),
            Curve("noise", "predicted", x, "", np.full(len(x.values), HALF_NORMAL * point["noise"])),
        ]

    def expected(self, point: Mapping[str, Value], points: int) -> tuple[float, ...]:
        """Median errors of the piecewise linear function and the power law if the analytical model were the machine."""
        return self._expected(tuple((name, value) for name, value in point.items() if name != self.axis), points)

    @cached_property
    def _expected(self) -> Callable[[tuple, int], tuple[float, ...]]:
        return lru_cache(_EXPECTED_KEPT)(self._expect)

    def _expect(self, settings: tuple, points: int) -> tuple[float, ...]:
        point, sizes = dict(settings), np.array(self.sizes(short=False))
        noise = np.exp(point["noise"] * np.random.default_rng(SEED).standard_normal(len(sizes)))
        times = self.analytical_time(point, sizes) * noise
        errors = (held_out(sizes, times, points, basis, EXPECTED_DRAWS) for basis in ("piecewise linear", "power law"))
        return tuple(float(np.median(each)) for each in errors)
