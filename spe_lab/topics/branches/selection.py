"""The labs branches.selectivity and branches.rate: selecting with a branch and without."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.verified import verified
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.files import plain
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, KernelLab, Plan, Preset, Recording, Slider, Value, register
from spe_lab.core.machine import Machine, Parameter, memory_available
from spe_lab.core.sampling.kernels import Point, Sweep
from spe_lab.core.sampling.provenance import curves, origin
from spe_lab.core.sampling.statistics import centre
from spe_lab.core.text import Text
from spe_lab.models import predictor as models
from spe_lab.topics.branches import fitting as fits

KEYS = 1 << 20  # far more than the tens of thousands of outcomes that predictors memorise (branches.memorisation)
KEY_RANGE = 1 << 30
PAYLOADS = {"none": 0, "4 B": 4, "64 B": 64}
TRAINING = (0.0, 0.075, 0.15, 0.225, 0.3, 0.375, 0.5, 0.625, 0.7, 0.775, 0.85, 0.925, 1.0)  # shares to fit to
ANCHORS = tuple(TRAINING.index(p) for p in (0.0, 0.5, 1.0))
SEED = 1
# No operating system states these times: they hold until there is a profile or a measurement.
ASSUMED_NS = {"t0": 1.0, "t1": 1.0, "P": 5.0, "line in order": 2.5, "line at random": 10.0}


class SelectionLab(KernelLab):
    """Base of both labs: the loop, the points to fit to, and the fit."""

    axis = "p"
    scale = "linear"

    def share_slider(self) -> Slider:
        meaning, source = "share of elements that are selected", "here a two-bit counter and a machine differ most"
        return Slider("p", "", 0.3, meaning, 0, 1, source=source, label="Share selected", percent=True)

    def states_slider(self) -> Slider:
        meaning, source = "states of the modelled counter", "a two-bit counter, as in textbooks"
        return Slider.count("states", 4, meaning, 2, 16, source, measured=False, label="Counter states", symbol="n")

    def default_values(self, short: bool) -> list[float]:
        return [i / 10 for i in range(11)] if short else [i / 20 for i in range(21)]

    def samples(self, x: Axis, payload: str) -> list[Point]:
        """Return points: branching at x, predicated at x, then branching and predicated at TRAINING."""
        arrays, kinds = Data(PAYLOADS[payload]), ("branching", "predicated")
        return [arrays.point(kind, p) for shares in (x.values, TRAINING) for kind in kinds for p in shares]

    @staticmethod
    def training(result: Sweep, n: int, payload: str) -> dict[str, Any]:
        """Return the training data of a sweep over n shares: its blocks at TRAINING."""
        branching, predicated = np.split(result.blocks()[:, 2 * n : 2 * (n + len(TRAINING))], 2, axis=1)
        blocks = {"branching": plain(branching), "predicated": plain(predicated)}
        return {"payload": payload, "p": list(TRAINING), **blocks}

    def fit(self, recording: Recording) -> "Selection":
        """Fit states, penalty and base times to the training points."""
        training = recording.training
        clean = [time for block in training["predicated"] for time in block if time is not None]
        if not clean:
            rule = "the loop without a branch must have clean samples"
            raise MeasurementError(f"{rule}, got none; measure again on a quieter machine")
        blocks = np.array(training["branching"], dtype=float)
        return Selection(fits.fit(training["p"], blocks, PAYLOADS[training["payload"]]), median(clean))


@dataclass(frozen=True)
class Selection:
    """A fitted selection: the model of the branching loop, and `predicated_ns`, the time without a branch."""

    branching: fits.Fitted
    predicated_ns: float

    def summary(self) -> Text:
        """Return the fitted model in a sentence."""
        return self.branching.summary()

    def crossings(self) -> tuple[float, float]:
        """Return the shares between which the loop without a branch is faster; NaN where there is none."""
        p = np.linspace(0, 1, 2001)
        above = self.branching.predict(p) > self.predicated_ns
        changes = np.flatnonzero(above[1:] != above[:-1])
        rising = next((p[i] for i in changes if above[i + 1]), math.nan)
        falling = next((p[i] for i in changes[::-1] if above[i]), math.nan)
        return round(float(rising), 4), round(float(falling), 4)

    def crossover(self) -> Text:
        """Return in a sentence where the fitted curve crosses the time without a branch."""
        low, high = self.crossings()
        between = [f"{'above' if end is low else 'below'} p = {end:.3g}" for end in (low, high) if math.isfinite(end)]
        if between:
            return Text(f"On this machine the fitted curve is above the predicated loop {' and '.join(between)}.")
        return Text("On this machine the fitted curve does not cross the predicated loop.")


def assumed(machine: Machine, name: str) -> Parameter:
    """Return a time [ns] from the machine's profile, or an assumed one if the profile has none."""
    known = machine.parameters
    wanted = {
        "P": lambda: known["branch_penalty"].value,
        "line in order": lambda: fits.LINE_BYTES / known["memory_bandwidth"].value,
        "line at random": lambda: known["memory_latency"].value / known["memory_parallelism"].value,
    }
    try:
        return Parameter(float(wanted[name]()), "ns", "measured", "this machine's profile")
    except (KeyError, TypeError):  # not in the profile, or not resolvable there
        return Parameter(ASSUMED_NS[name], "ns", "assumed", "order of magnitude of a current core")


LABELS = {
    "t0": ("Time, none selected", "t_0"),
    "t1": ("Time, all selected", "t_1"),
    "P": ("Misprediction penalty", "P"),
}


def time_slider(name: str, time: Parameter) -> Slider:
    """Return a model slider for a time [ns] whose default is `time`."""
    meaning, source = models.QUANTITIES[name].meaning, f"{time.origin}: {time.source}"
    label, symbol = LABELS[name]
    shown: dict[str, Any] = {"label": label, "symbol": symbol, "group": "Times of the model"}
    return Slider(name, "ns", time.value, meaning, 0.1, 100, "log", measured=False, source=source, **shown)


@register
class Selectivity(SelectionLab):
    """Lab: time per element against the share that is selected, with a branch and without."""

    id = "branches.selectivity"
    title = "Selectivity"
    question = (
        "How long does an element take if a branch selects a random share p of the elements, and when is the loop"
        " faster without a branch?"
    )
    quantity = "time per element"
    unit = "ns"
    compared = ("branching", "fitted")
    first = ("p", "payload", "states", "P")
    fitted_here = True
    within = 0.03
    breaks = (
        "The time of a predicted branch is not exactly linear between none and all selected. Real predictors keep more"
        " than one counter. A mispredicted load may still fetch a line that is needed later."
    )

    def make_sliders(self) -> list[Slider]:
        meaning = "data read of a selected element in addition to its key"
        payload = Slider.choice("payload", PAYLOADS, meaning, "the loop without records", label="Payload")
        times = [time_slider(name, assumed(self.machine, name)) for name in ("t0", "t1", "P")]
        return [self.share_slider(), payload, self.states_slider(), *times]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        n, payload, kinds = len(x.values), point["payload"], ("branching", "predicated")

        def measured(result: Sweep) -> list[Curve]:
            inferred = infer(result, x.values)
            rates = {
                "inferred": plain(centre(column)[0] for column in inferred.T),
                "ideal": plain(fits.rate(x.values, fits.IDEAL)),
            }
            rates |= {f"{n} states": plain(fits.rate(x.values, n)) for n in (2, 4, 6, 8)}
            how = {"payload": payload, "data_seed": SEED, "rates": rates}
            return curves(result, kinds, x, kernels(), **how)

        training = partial(self.training, n=n, payload=payload)
        return Plan(self.samples(x, payload), kinds, kernels(), curves=measured, training=training)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Selection) -> list[Curve]:
        p, payload = x.values, PAYLOADS[point["payload"]]
        missed, times = fits.rate(p, int(point["states"])), {name: point[name] for name in ("t0", "t1", "P")}
        time = models.element_time()(p=p, m=missed, **times)
        if payload:
            lines = zip(fits.lines(p, payload), ("in order", "at random"), strict=True)
            time = time + sum(share * assumed(self.machine, f"line {how}").value for share, how in lines)
        fitted = fit.branching
        states = {"states": fitted.states, "states_low": fitted.low, "states_high": fitted.high}
        how: dict[str, Any] = {name: number or "ideal" for name, number in states.items()}
        how |= {"penalty_ns": fitted.penalty, "t0_ns": fitted.t0, "t1_ns": fitted.t1}
        return [
            Curve("counter", "predicted", x, "ns", time),
            Curve("fitted", "predicted", x, "ns", fitted.predict(p), provenance=how),
            Curve(
                "predicated, fitted",
                "predicted",
                x,
                "ns",
                np.full(p.shape, fit.predicated_ns),
                provenance={"predicated_ns": fit.predicated_ns},
            ),
        ]

    def presets(self) -> dict[str, Preset]:
        penalty = self.slider("P")
        return {
            "Penalty 3 × as high": Preset(
                {"P": penalty.rounded(3 * penalty.default)},
                "The counter's hill grows and its ends stay: at p = 0 and p = 1 hardly any branch is mispredicted.",
            ),
            "One-bit counter": Preset(
                {"states": 2.0},
                "The counter's hill gets wider, not higher: at p = ½ every predictor is wrong half of the time.",
            ),
            "64 B payload": Preset(
                {"payload": "64 B"},
                "The counter's curve is no longer symmetrical: each selected element needs a further cache line.",
            ),
        }

    def marks(self, point: Mapping[str, Value], fit: Selection) -> dict[str, float]:
        """Return the shares at which the fitted curve crosses the time without a branch."""
        return dict(zip(("crossover", "crossover back"), fit.crossings(), strict=True))


@register
class Rate(SelectionLab):
    """Lab: misprediction rate, inferred from the time of the same loop."""

    id = "branches.rate"
    title = "Misprediction rate"
    question = "Which share of the branches does this machine mispredict, and which kind of predictor would do so?"
    quantity = "mispredictions per branch"
    unit = ""
    compared = ("inferred from time", "ideal")
    percent = True
    within = 0.08
    breaks = (
        "The rate is inferred: the time of predicted branches is taken as a straight line from p = 0 to p = 1. At"
        " p = 1/2 the rate is set to one half, so this point is an anchor and not a result."
    )

    def make_sliders(self) -> list[Slider]:
        return [self.share_slider(), self.states_slider()]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        n, name = len(x.values), self.compared[0]

        def measured(result: Sweep) -> list[Curve]:
            values, low, high = np.array([centre(column) for column in infer(result, x.values).T]).T
            counts = result.estimate.kept[:n], result.estimate.tried[:n]
            how = origin(result, kernels(), data_seed=SEED)
            return [Curve(name, "measured", x, "", values, low, high, *counts, how)]

        training = partial(self.training, n=n, payload="none")
        return Plan(self.samples(x, "none"), (name,), kernels(), curves=measured, training=training)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        return [
            Curve("counter", "predicted", x, "", fits.rate(x.values, int(point["states"]))),
            Curve("ideal", "predicted", x, "", fits.rate(x.values, fits.IDEAL)),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "One-bit counter": Preset(
                {"states": 2.0},
                "The gap to the ideal is largest between ends and middle: one outcome decides the next prediction.",
            ),
            "16 states": Preset(
                {"states": 16.0},
                "The counter's curve almost lies on the ideal: it follows the majority of outcomes, not the last.",
            ),
        }


class Data:
    """Arrays of random keys and of payloads, and the points that read them."""

    def __init__(self, payload_bytes: int) -> None:
        limit = memory_available() // 4
        if KEYS * (4 + payload_bytes) > limit:
            rule = f"payload must leave the arrays below a quarter of the memory available ({limit} B)"
            raise SpeLabError(f"{rule}, got {payload_bytes} B; choose none")
        rng = np.random.default_rng(SEED)
        self.keys = rng.integers(0, KEY_RANGE, KEYS, dtype=np.int32)
        self.width = max(1, payload_bytes // 4)
        self.payload = rng.integers(0, KEY_RANGE, KEYS * self.width, dtype=np.int32) if payload_bytes else self.keys
        self.action = "read" if payload_bytes else "sum"

    def point(self, kernel: str, p: float) -> Point:
        library, name = kernels(), f"{self.action}_{kernel}"
        state = library.struct("selection")(
            self.keys.ctypes.data, self.payload.ctypes.data, KEYS, self.width, 0, round(p * KEY_RANGE)
        )
        return Point(f"{name} {p}", library.address(name), state, keep=self)


def infer(result: Sweep, p: np.ndarray) -> np.ndarray:
    """Return misprediction rates (blocks × shares) from the anchors of each block at p = 0, ½ and 1."""
    blocks, n = result.blocks(), len(p)
    never, often, always = (blocks[:, 2 * n + i, None] for i in ANCHORS)
    line = never + (always - never) * p
    return (blocks[:, :n] - line) / (2 * (often - (never + always) / 2))


@verified("branches")
def kernels(library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """Load kernels_c/branches.c and check each loop against numpy on edge sizes."""
    for n, threshold in ((1, 0), (1, KEY_RANGE), (7, KEY_RANGE // 2), (1000, KEY_RANGE // 3)):
        keys, payload = (np.random.default_rng(n).integers(0, KEY_RANGE, n * width, dtype=np.int32) for width in (1, 4))
        work = 3 * n + 1
        chosen = np.resize(np.arange(n), work)[np.resize(keys, work) < threshold]
        expected = {"sum": int(keys[chosen].sum(dtype=np.int64)), "read": int(payload[4 * chosen].sum(dtype=np.int64))}
        for kernel in ("sum_branching", "sum_predicated", "read_branching", "read_predicated"):
            state = library.struct("selection")(keys.ctypes.data, payload.ctypes.data, n, 4, 0, threshold)
            yield f"{kernel} of {n} keys", expected[kernel.partition("_")[0]], getattr(library, kernel)(state, work)
