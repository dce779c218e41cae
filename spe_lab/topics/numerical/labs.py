"""The lab numerical.fit: a measured curve, and what can be known of it from some of its points."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import MeasurementError
from spe_lab.core.kinds import KernelLab, Plan
from spe_lab.core.lab import Effort
from spe_lab.core.machine import Parameter, claim
from spe_lab.core.recording import Recording
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.text import Text
from spe_lab.topics.numerical import analytical, bases, sampling
from spe_lab.topics.numerical.fitting import SETTINGS, Errors, Sample, share
from spe_lab.topics.numerical.searching import KEY_BYTES, KINDS, LEAST, MOST, RECORDS, kernels, searches

if TYPE_CHECKING:
    import sympy

LARGEST = MOST * KEY_BYTES  # bytes, of keys alone
BEYOND = (
    2  # fitted functions are drawn up to so many times the largest measured time, and down to that part of the least
)
# Cycles of what depends on each other. A step, beside its load: compare, set, negate, and, a scaled address (2).
# Between two lookups: three multiplications of 3 cycles and eleven plain instructions make the next target.
CYCLES = {"step": 6, "lookup": 20}
_SAMPLES_KEPT = 8  # by settings: a slider that goes back and forth needs them again
ASSUMED_GHZ, ASSUMED_PENALTY_NS = 3.5, 5.0
PARAMETERS = {
    "C1": "l1_capacity",
    "C2": "l2_capacity",
    "C3": "tlb_reach",
    "C4": "l3_capacity",
    "l1": "l2_latency",
    "l2": "l3_latency",
    "l3": "tlb_latency",
    "l4": "memory_latency",
}


class SearchLab(KernelLab):
    """What the labs of this chapter share: the searches, and the analytical model of them."""

    def size_slider(self) -> Slider:
        return Slider(
            "n",
            "",
            1 << 16,
            "records in the sorted array",
            LEAST,
            MOST,
            "log",
            multiple_of=1,
            source="a table that a second-level cache holds",
        )

    def workload_sliders(self) -> list[Slider]:
        return [
            Slider(
                "search",
                "",
                KINDS[0],
                "how a step chooses its half: by a mask, or by a branch",
                scale="choice",
                choices=KINDS,
                source="the simpler time",
            ),
            Slider(
                "record",
                "",
                "4 B",
                "size of a record, its key included",
                scale="choice",
                choices=tuple(RECORDS),
                source="keys alone",
            ),
        ]

    def machine_sliders(self) -> list[Slider]:
        """What the analytical model is most sensitive to and the system states worst; the rest comes from the machine
        as it is.
        """
        made = []
        for name, unit, low, high in (("t", "ns", 0.5, 20), ("C4", "B", 1 << 18, LARGEST / 2), ("l4", "ns", 1, 1000)):
            found = self.known(name)
            value, said = found.value, f"{found.origin}: {found.source}"
            if name == "C4" and value > high:
                value, said = high, f"{said}; cut to half of the largest array, since a step beyond could not be seen"
            low, high = min(low, value), max(high, value)
            made.append(
                Slider(
                    name,
                    unit,
                    value,
                    analytical.QUANTITIES[name].meaning,
                    low,
                    high,
                    "log",
                    measured=False,
                    source=said,
                )
            )
        return made

    def sizes(self, short: bool) -> list[float]:
        """Powers of two and √2 times each: alternately every second and no second one in a short sweep."""
        halves = range(2 * round(math.log2(LEAST)), 2 * round(math.log2(MOST)) + 1)
        return [float(round(2 ** (k / 2))) for k in halves if not short or k % 4 in (0, 3)]

    def known(self, name: str) -> Parameter:
        """A parameter of the analytical model: from the machine where it has it, else assumed."""
        has = {key: each for key, each in self.machine.parameters.items() if each.value is not None}
        if name in PARAMETERS:
            wanted = PARAMETERS[name]
            if wanted not in has and wanted not in claim():
                wanted = "l2_capacity"  # two levels of cache: memory lies behind the second
            return has.get(wanted) or claim()[wanted]
        if name == "P":
            return has.get(
                "branch_penalty", Parameter(ASSUMED_PENALTY_NS, "ns", "assumed", "order of magnitude of a current core")
            )
        cycle = 1 / (has["core_clock"].value if "core_clock" in has else ASSUMED_GHZ)
        if name == "c":
            return Parameter(
                CYCLES["lookup"] * cycle, "ns", "assumed", f"{CYCLES['lookup']} cycles between two lookups"
            )
        hit = has.get("l1_latency") or claim()["l1_latency"]
        return Parameter(
            round(hit.value + CYCLES["step"] * cycle, 2),
            "ns",
            "assumed",
            f"a hit of {hit.value:.2g} ns ({hit.origin}), {CYCLES['step']} cycles",
        )

    def analytical_time(self, point: Mapping[str, Value], n: np.ndarray) -> np.ndarray:
        """ns per lookup among `n` records, from the machine's parameters alone."""
        return analytical.lookup_time()(n=n, k=np.ceil(np.log2(n)), **self.values(point))

    def values(self, point: Mapping[str, Value]) -> dict[str, float]:
        """The parameters of the analytical model at these settings."""
        known = {name: self.known(name).value for name in analytical.QUANTITIES if name[0] in "cPtCl"}
        waits, missed = (1.0, 0.0) if point["search"] == "predicated" else (0.5, 0.5)
        return (
            known
            | {name: point[name] for name in known if name in point}
            | {"r": RECORDS[point["record"]], "w": waits, "m": missed}
        )

    def equation(self, settings: Mapping[str, Value] | None = None) -> "sympy.Eq":
        """The analytical model with this machine's parameters in it, over u = log₂ n, for typesetting."""
        return analytical.in_octaves(self.values(self.point(settings)))


@register
class Fit(SearchLab):
    """Time of a lookup against the size of the array, and functions fitted to some of its points."""

    id = "numerical.fit"
    title = "Fitted functions"
    question = "How well does a function through some measured points tell the time at the others, and beyond them?"
    axis = "n"
    quantity = "time per lookup"
    unit = "ns"
    compared = ("search", "fitted")
    within = 0.08
    breaks = (
        "A fitted function knows its points and its form: a step between two points, a cache behind the last one or"
        " another kind of record is not in it, and nothing in it says so."
    )

    def make_sliders(self) -> list[Slider]:
        ends = [
            ("low", 16.0, "smallest size that the fit may see"),
            ("high", float(1 << 17), "largest size that the fit may see"),
        ]
        return [
            self.size_slider(),
            *self.workload_sliders(),
            Slider(
                "basis",
                "",
                "polynomial",
                "form of the fitted function",
                scale="choice",
                choices=tuple(bases.BASES),
                measured=False,
                source="the most usual form",
            ),
            Slider(
                "terms",
                "",
                4,
                "terms of the polynomial, or coefficients of the smooth spline",
                1,
                16,
                multiple_of=1,
                measured=False,
                source="a cubic",
            ),
            Slider(
                "points",
                "",
                8,
                "measured points that the fit is given",
                2,
                32,
                multiple_of=1,
                measured=False,
                source="one for every second doubling",
            ),
            Slider(
                "spacing",
                "",
                "log",
                "how these points are spread",
                scale="choice",
                choices=sampling.SPACINGS,
                measured=False,
                source="equal ratios",
            ),
            *(
                Slider(
                    name,
                    "",
                    value,
                    meaning,
                    LEAST,
                    MOST,
                    "log",
                    multiple_of=1,
                    measured=False,
                    source="what caches hold here; larger sizes are left out",
                )
                for name, value, meaning in ends
            ),
            *self.machine_sliders(),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Eight terms": Preset(
                {"terms": 8.0},
                "The polynomial meets all eight points, and soon after the last one it is nowhere near the times.",
            ),
            "Points up to 2²¹": Preset(
                {"high": float(1 << 21)},
                "The cross-validated curve now climbs with the measured times: what lay outside of its points lies"
                " between them.",
            ),
            "Large sizes only": Preset(
                {"low": float(1 << 14)},
                "On the left both fitted curves are far off: they know nothing beyond the range of their points.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return self.sizes(short)

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        points = searches(point["search"], point["record"], x.values)
        return Plan(points, self.compared[:1], kernels(), {"search": point["search"], "record": point["record"]})

    def fit(self, recording: Recording) -> "Samples":
        """Samples of the measured curve, from which the sliders choose the points that functions are fitted to."""
        if not np.isfinite(recording.measured[0].values).any():
            raise MeasurementError("a fit must have clean samples, got none; measure again on a quieter machine")
        return Samples(self, recording.measured[0])

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "Samples") -> list[Curve]:
        sample = fit.of(point)
        least, most = sample.times.min() / BEYOND, sample.times.max() * BEYOND
        said = {"given": sample.n[sample.given].tolist(), "basis": point["basis"], "cross_validated": sample.best}
        fitted, validated = (
            np.clip(sample.fit(basis)(x.values), least, most) for basis in (point["basis"], sample.best)
        )
        return [
            Curve("fitted", "predicted", x, "ns", fitted, provenance=said),
            Curve("cross-validated", "predicted", x, "ns", validated, provenance=said),
            Curve("analytical", "predicted", x, "ns", self.analytical_time(point, x.values)),
        ]

    def marks(self, point: Mapping[str, Value], fit: "Samples") -> dict[str, float]:
        """The ends of the sampled range: beyond them a fitted function extrapolates."""
        sample = fit.of(point)
        first, last = sample.n[sample.given[[0, -1]]]
        return {"first given": float(first), "last given": float(last)}


class Samples:
    """A measured curve, and what functions through some of its points know of the rest.

    - `lab`: whose sliders choose the points
    - `curve`: measured times over sizes
    """

    def __init__(self, lab: Fit, curve: Curve) -> None:
        self.lab, self.curve = lab, curve
        self._chosen = lru_cache(_SAMPLES_KEPT)(lambda settings: Sample.of(curve, dict(settings)))

    def of(self, point: Mapping[str, Value]) -> Sample:
        """The points that these settings choose."""
        return self._chosen(tuple((name, point[name]) for name in SETTINGS if name != "basis"))

    def errors(self, settings: Mapping[str, Value] | None = None) -> Errors:
        """How wrong the fitted function of these settings is, and where."""
        point = self.lab.point(settings)
        return Errors.of(self.of(point), point["basis"])

    def bases(self, settings: Mapping[str, Value] | None = None) -> Text:
        """A table of every basis through the same points: its cross-validated error, and its errors between and
        outside the points.
        """
        sample = self.of(self.lab.point(settings))
        rows = ["| basis | cross-validation | between | outside |", "|---|---|---|---|"]
        for basis, score in sample.scores.items():
            found = Errors.of(sample, basis)
            name = f"**{basis}**" if basis == sample.best else basis
            rows.append(
                f"| {name} | {share(score)} | {share(found.median('between'))} | {share(found.median('outside'))} |"
            )
        return Text("\n".join(rows))
