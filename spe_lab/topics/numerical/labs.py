"""The lab numerical.fit: functions fitted to some points of a measured curve, judged at the others."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, KernelLab, Plan, Preset, Recording, Slider, Value, register
from spe_lab.core.machine import Parameter, claim
from spe_lab.core.text import Text
from spe_lab.topics.numerical import analytical, bases, sampling
from spe_lab.topics.numerical.fitting import SETTINGS, Errors, Sample, share
from spe_lab.topics.numerical.searching import KEY_BYTES, KINDS, LEAST, MOST, RECORDS, kernels, searches

LARGEST = MOST * KEY_BYTES  # bytes of the largest array of keys without payload
BEYOND = 2  # fitted curves are drawn from 1/2 of the shortest to 2 times the longest measured time
# Cycles of dependent instructions. A step, without its load: compare, set, negate, and, a scaled address (2).
# Between two lookups: three multiplications of 3 cycles and eleven plain instructions compute the next target.
CYCLES = {"step": 6, "lookup": 20}
_SAMPLES_KEPT = 8  # by settings: a slider that moves back and forth needs them again
ASSUMED_GHZ, ASSUMED_PENALTY_NS = 3.5, 5.0
WORKLOAD, FITTED, MACHINE = "What is measured", "The fitted function", "The analytical model"
LABELS = {"t": "Step in L1", "C_L3": "L3 capacity", "l_L3": "L3 miss adds"}
PARAMETERS = {
    "C_L1": "l1_capacity",
    "C_L2": "l2_capacity",
    "C_TLB": "tlb_reach",
    "C_L3": "l3_capacity",
    "l_L1": "l2_latency",
    "l_L2": "l3_latency",
    "l_TLB": "tlb_latency",
    "l_L3": "memory_latency",
}


class SearchLab(KernelLab):
    """Base of this chapter's labs: the searches and their analytical model."""

    def size_slider(self) -> Slider:
        source = "a table that fits a second-level cache"
        meaning = "records in the sorted array"
        return Slider.count("n", 1 << 16, meaning, LEAST, MOST, source, "log", label="Records")

    def workload_sliders(self) -> list[Slider]:
        search, record = "how a step chooses its half: by a mask, or by a branch", "size of a record, its key included"
        return [
            Slider.choice("search", KINDS, search, "its time is simpler to model", label="Search", group=WORKLOAD),
            Slider.choice("record", RECORDS, record, "keys without payload", label="Record", group=WORKLOAD),
        ]

    def machine_sliders(self) -> list[Slider]:
        """Return sliders for the parameters that matter most and that the operating system states worst."""
        sliders = []
        for name, unit, low, high in (
            ("t", "ns", 0.5, 20),
            ("C_L3", "B", 1 << 18, LARGEST / 2),
            ("l_L3", "ns", 1, 1000),
        ):
            parameter, meaning = self.known(name), analytical.QUANTITIES[name].meaning
            value, source = parameter.value, f"{parameter.origin}: {parameter.source}"
            if name == "C_L3" and value > high:
                value, source = high, f"{source}; cut to half of the largest array, as a step beyond could not be seen"
            low, high = min(low, value), max(high, value)
            shown: dict[str, Any] = {"measured": False, "source": source, "label": LABELS[name], "group": MACHINE}
            sliders.append(Slider(name, unit, value, meaning, low, high, "log", **shown))
        return sliders

    def sizes(self, short: bool) -> list[float]:
        """Return powers of two and √2 times each; a short sweep takes half of them, at alternating gaps."""
        halves = range(2 * round(math.log2(LEAST)), 2 * round(math.log2(MOST)) + 1)
        return [float(round(2 ** (k / 2))) for k in halves if not short or k % 4 in (0, 3)]

    def known(self, name: str) -> Parameter:
        """Return a parameter of the analytical model: from the machine's profile, or else claimed or assumed."""
        has = {key: parameter for key, parameter in self.machine.parameters.items() if parameter.value is not None}
        if name in PARAMETERS:
            wanted = PARAMETERS[name]
            if wanted not in has and wanted not in claim():
                wanted = "l2_capacity"  # two levels of cache: memory lies behind the second
            return has.get(wanted) or claim()[wanted]
        if name == "P":
            assumed = Parameter(ASSUMED_PENALTY_NS, "ns", "assumed", "order of magnitude of a current core")
            return has.get("branch_penalty", assumed)
        cycle = 1 / (has["core_clock"].value if "core_clock" in has else ASSUMED_GHZ)
        if name == "c":
            source = f"{CYCLES['lookup']} cycles between two lookups"
            return Parameter(CYCLES["lookup"] * cycle, "ns", "assumed", source)
        hit = has.get("l1_latency") or claim()["l1_latency"]
        source = f"a hit of {hit.value:.2g} ns ({hit.origin}), {CYCLES['step']} cycles"
        return Parameter(round(hit.value + CYCLES["step"] * cycle, 2), "ns", "assumed", source)

    def analytical_time(self, point: Mapping[str, Value], n: np.ndarray) -> np.ndarray:
        """Return ns per lookup among `n` records, from the machine's parameters alone."""
        return analytical.lookup_time()(n=n, k=np.ceil(np.log2(n)), **self.values(point))

    def values(self, point: Mapping[str, Value]) -> dict[str, float]:
        """Return the parameters of the analytical model at these settings."""
        known = {name: self.known(name).value for name in analytical.QUANTITIES if name[0] in "cPtCl"}
        moved = {name: point[name] for name in known if name in point}
        waits, missed = (1.0, 0.0) if point["search"] == "predicated" else (0.5, 0.5)
        return known | moved | {"r": RECORDS[point["record"]], "w": waits, "m": missed}

    def equation(self, settings: Mapping[str, Value] | None = None) -> Text:
        """Return the analytical model with this machine's parameters, over u = log₂ n, for typesetting."""
        return analytical.typeset(self.values(self.point(settings)))


@register
class Fit(SearchLab):
    """Lab: time of a lookup against the size of the array, and functions fitted to some points."""

    id = "numerical.fit"
    title = "Fitted functions"
    question = "How well does a function through some measured points predict the time at the others, and beyond them?"
    axis = "n"
    quantity = "time per lookup"
    unit = "ns"
    compared = ("search", "fitted")
    first = ("n", "basis", "points", "high")
    fitted_here = True
    within = 0.08
    breaks = (
        "A fitted function knows only its points and its form. It contains no step between two points, no cache beyond"
        " the last point and no other kind of record, and nothing in it warns of that."
    )

    def make_sliders(self) -> list[Slider]:
        def whole(
            name: str, label: str, value: float, meaning: str, source: str, low: float, high: float, scale: str
        ) -> Slider:
            shown: dict[str, Any] = {"measured": False, "label": label, "symbol": label, "group": FITTED}
            return Slider.count(name, value, meaning, low, high, source, scale, **shown)

        terms, fits_caches = (
            "terms of the polynomial, or coefficients of the smooth spline",
            "arrays that fit the caches",
        )
        form, spacing = "form of the fitted function", "spacing of these points"
        shown: dict[str, Any] = {"measured": False, "group": FITTED}
        return [
            self.size_slider(),
            *self.workload_sliders(),
            Slider.choice(
                "basis", bases.BASES, form, "the most usual form", default="polynomial", label="Basis", **shown
            ),
            whole("terms", "Terms", 4, terms, "a cubic", 1, 16, "linear"),
            whole("points", "Points", 8, "measured points to fit to", "one for every second doubling", 2, 32, "linear"),
            Slider.choice("spacing", sampling.SPACINGS, spacing, "equal ratios", label="Spacing", **shown),
            whole("low", "Smallest size", 16.0, "smallest size to fit to", fits_caches, LEAST, MOST, "log"),
            whole("high", "Largest size", float(1 << 17), "largest size to fit to", fits_caches, LEAST, MOST, "log"),
            *self.machine_sliders(),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Eight terms": Preset(
                {"terms": 8.0},
                "The polynomial meets all eight points, and soon after the last one it is far from the measured times.",
            ),
            "Points up to 2²¹": Preset(
                {"high": float(1 << 21)},
                "The cross-validated curve now rises with the measured times: sizes outside its points are now between"
                " them.",
            ),
            "Large sizes only": Preset(
                {"low": float(1 << 14)},
                "On the left both fitted curves are far off: they know nothing outside the range of their points.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return self.sizes(short)

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        points = searches(point["search"], point["record"], x.values)
        return Plan(points, self.compared[:1], kernels(), {"search": point["search"], "record": point["record"]})

    def fit(self, recording: Recording) -> "Samples":
        """Return samples of the measured curve; the sliders choose the points to fit to."""
        if not np.isfinite(recording.measured[0].values).any():
            raise MeasurementError("a fit must have clean samples, got none; measure again on a quieter machine")
        return Samples(self, recording.measured[0])

    def predict(self, point: Mapping[str, Value], x: Axis, fit: "Samples") -> list[Curve]:
        sample = fit.of(point)
        least, most = sample.times.min() / BEYOND, sample.times.max() * BEYOND
        how = {"given": sample.n[sample.given].tolist(), "basis": point["basis"], "cross_validated": sample.best}
        fitted, validated = (
            np.clip(sample.fit(basis)(x.values), least, most) for basis in (point["basis"], sample.best)
        )
        return [
            Curve("fitted", "predicted", x, "ns", fitted, provenance=how),
            Curve("cross-validated", "predicted", x, "ns", validated, provenance=how),
            Curve("analytical", "predicted", x, "ns", self.analytical_time(point, x.values)),
        ]

    def marks(self, point: Mapping[str, Value], fit: "Samples") -> dict[str, float]:
        """Return the ends of the sampled range, beyond which a fitted function extrapolates."""
        sample = fit.of(point)
        first, last = sample.n[sample.given[[0, -1]]]
        return {"first given": float(first), "last given": float(last)}


class Samples:
    """A measured curve, and the errors of functions fitted to some of its points.

    - `lab`: the lab whose sliders choose the points
    - `curve`: measured times over sizes
    """

    def __init__(self, lab: Fit, curve: Curve) -> None:
        self.lab, self.curve = lab, curve
        self._chosen = lru_cache(_SAMPLES_KEPT)(lambda settings: Sample.of(curve, dict(settings)))

    def of(self, point: Mapping[str, Value]) -> Sample:
        """Return the points that these settings choose."""
        return self._chosen(tuple((name, point[name]) for name in SETTINGS if name != "basis"))

    def errors(self, settings: Mapping[str, Value] | None = None) -> Errors:
        """Return the errors of the function that these settings fit."""
        point = self.lab.point(settings)
        return Errors.of(self.of(point), point["basis"])

    def bases(self, settings: Mapping[str, Value] | None = None) -> Text:
        """Return a table of all bases through the same points: errors in cross-validation, between and outside."""
        sample = self.of(self.lab.point(settings))
        rows = ["| basis | cross-validation | between | outside |", "|---|---|---|---|"]
        for basis, score in sample.scores.items():
            errors, name = Errors.of(sample, basis), f"**{basis}**" if basis == sample.best else basis
            cells = (name, share(score), share(errors.median("between")), share(errors.median("outside")))
            rows.append(f"| {' | '.join(cells)} |")
        return Text("\n".join(rows))
