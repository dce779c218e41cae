"""The contract of a lab: one question to the machine, with sliders, a measurement and a model.

A lab knows no widgets. The explorer, the command line, the static figure, the recorded data and the tests of every lab
follow from its declarations. Nothing flows back: a lab never changes. `measure` yields curves and training; `fit` turns
a recording of both into the fit that `predict` takes. Measured and predicted curves are joined where they are shown.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core import machine as machines
from spe_lab.core import units
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Comparison, Curve
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.machine import Machine
from spe_lab.core.mode import quick
from spe_lab.core.recording import Recording, Run
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.core.text import Text

BUDGET_S, SHORT_BUDGET_S = 6.0, 0.7
FIRST = 4  # sliders in an explorer's first view: more stand before the reader than a first look can use
NO_FIT = "too few samples were clean for a new fit: the model is fitted to the recorded data"


@dataclass(frozen=True)
class Effort:
    """How much a run may cost.

    - `budget_s`: seconds for timing; a simulation takes fixed counts, so that its results do not depend on the machine
    - `short`: few points and a first answer, as in continuous integration
    - `refine`: a simulation continues beyond its fixed counts while the budget lasts, for a figure on screen
    """

    budget_s: float = BUDGET_S
    short: bool = False
    refine: bool = False

    @classmethod
    def of(cls, budget_s: float | None, short: bool | None, refine: bool = False) -> "Effort":
        """Return the effort; None stands for the usual budget, and for a short run if SPE_LAB_QUICK is set."""
        short = quick() if short is None else short
        return cls((SHORT_BUDGET_S if short else BUDGET_S) if budget_s is None else budget_s, short, refine)


class Measured(NamedTuple):
    """A partial result: curves, and the training data that a fit needs beside them (JSON values)."""

    progress: float  # 0 to 1
    curves: Sequence[Curve]
    training: Mapping[str, Any] = {}


class Fitted(NamedTuple):
    """A recording, or None, and its fit; `notes` say if the fit comes from other data."""

    recording: Recording | None
    fit: Any
    notes: tuple[str, ...] = ()


class Lab(ABC):
    """One question to one machine. Subclasses set the class attributes and the abstract methods.

    A lab is immutable: it holds its machine, its constructor arguments, and values that follow from these.
    """

    id: str  # stem.lab
    chapter: str  # its number, which the registry takes from the topic's chapter.py
    title: str
    question: str
    axis: str  # the slider that a run sweeps
    quantity: str  # what the curves show, in words
    unit: str
    breaks: str  # one sentence: where the model and the machine disagree
    compared: tuple[str, str]  # names of the measured and the predicted curve to compare
    within: float | None = None  # largest acceptable median error; None where the lab teaches a failure
    scale: str = "log"  # of the figure's values: "log", or "linear" where they can be zero
    first: tuple[str, ...] = ()  # at most four sliders of the first view, the axis among them (see `first_view`)
    percent: bool = False  # True: its values are shares from 0 to 1, shown in per cent
    fitted_here: bool = (
        False  # True: the predicted curve of `compared` is fitted to the measurement it is compared with
    )
    simulated: bool = False  # True: its curves come from a simulation, and say so
    machine: Machine
    made_with: Mapping[str, Any]  # constructor arguments except the machine
    exact: bool = False  # True: the model gives the answer, so it waits for an open prediction as measurements do
    live: bool = False  # True: fast enough to be simulated again on every slider move (see `first_answer`)

    def __init__(self, machine: Machine | None = None, **made_with: Any) -> None:
        vars(self).update(made_with, machine=machine or machines.current(), made_with=made_with)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a lab never changes, got a new {name}; make another one, or use a fit")

    @abstractmethod
    def make_sliders(self) -> Sequence[Slider]:
        """Return the sliders, with ranges and defaults for `self.machine`."""

    @abstractmethod
    def default_values(self, short: bool) -> Sequence[float] | np.ndarray:
        """Return the values of the axis that a run covers by default; fewer for a `short` one."""

    @abstractmethod
    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        """Yield ever more precise curves, of the same names in the same order. The kinds of lab define it."""

    def fit(self, recording: Recording) -> Any:
        """Return what the model takes from a recording, or None. Pure: nothing is stored.

        Raises MeasurementError if too little of the recording is clean.
        """
        return None

    @abstractmethod
    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any) -> Sequence[Curve]:
        """Return predicted curves, in under a millisecond after the first call: predictions follow a slider."""

    def marks(self, point: Mapping[str, Value], fit: Any) -> Mapping[str, float]:
        """Return places on the axis that the figure marks, by name; NaN where a place does not exist."""
        return {}

    def presets(self) -> Mapping[str, Preset]:
        """Return settings to try on this machine; their names must fit on a button."""
        return {}

    def on(self, machine: Machine) -> "Lab":
        """Return the same lab for another machine, made with the same constructor arguments."""
        return type(self)(machine, **self.made_with)

    @cached_property
    def sliders(self) -> dict[str, Slider]:
        return {slider.name: slider for slider in self.make_sliders()}

    @cached_property
    def first_view(self) -> tuple[str, ...]:
        """The sliders of an explorer's first view: `first`, or the axis and the first others, measured ones first."""
        others = sorted(
            (slider for slider in self.sliders.values() if slider.name != self.axis), key=lambda s: not s.measured
        )
        return self.first or (self.axis, *(slider.name for slider in others))[:FIRST]

    def rendered(self, value: float) -> str:
        """Return a value of the lab's curves as text, with its unit."""
        return units.percent(value) if self.percent else units.render(value, self.unit)

    @cached_property
    def machine_dict(self) -> dict[str, Any]:
        """The machine as a recording stores it; computed once, since every frame of an explorer needs it."""
        return self.machine.to_dict()

    def point(self, settings: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """Return the values of all sliders: the defaults, with the checked `settings` in place of some."""
        point = {name: slider.default for name, slider in self.sliders.items()}
        for name, value in (settings or {}).items():
            point[name] = self.slider(name).checked(value)
        return point

    def slider(self, name: str) -> Slider:
        if name not in self.sliders:
            raise SpeLabError(f"{self.id} has no slider {name!r}; it has {', '.join(self.sliders)}")
        return self.sliders[name]

    def parameters(self, settings: Mapping[str, Value] | None = None) -> Text:
        """Return the model's parameters as a Markdown table: the meaning, value and source of each."""
        rows = ["| | meaning | value | source |", "|---|---|---|---|"]
        for name, value in self.point(settings).items():
            slider = self.sliders[name]
            if not slider.measured:
                source = slider.source if value == slider.default else "set by you"
                rows.append(f"| {name} | {slider.meaning} | {slider.rendered(value)} | {source} |")
        return Text("\n".join(rows))

    def x(self, values: Sequence[Value] | None = None, short: bool = False) -> Axis:
        """Return the axis over these values (checked, sorted, without repetitions), or over the default ones."""
        slider = self.sliders[self.axis]
        chosen = [slider.checked(value) for value in values] if values is not None else self.default_values(short)
        if not len(chosen):
            example = f"{self.axis}={slider.default:.15g}{slider.unit}"
            raise SpeLabError(
                f"the sweep over {self.axis} must have at least one value, got none; write for example {example}"
            )
        return Axis(self.axis, slider.unit, np.unique(np.asarray(chosen, dtype=float)))

    # Measuring

    def recordings(
        self,
        settings: Mapping[str, Value] | None = None,
        over: Sequence[Value] | None = None,
        *,
        budget_s: float | None = None,
        short: bool | None = None,
        refine: bool = False,
        cancel: Cancel | None = None,
    ) -> Iterator[tuple[float, Recording]]:
        """Measure and yield (progress, recording), more and more precise.

        - `over`: values of the axis; None for the default ones
        - `budget_s`: seconds for timing; None for 6 s, or 0.7 s for a short run
        - `short`: few points and a first answer; None for the setting of SPE_LAB_QUICK
        - `refine`: simulations continue while the budget lasts
        """
        effort = Effort.of(budget_s, short, refine)
        point, x = self.point(settings), self.x(over, effort.short)
        for progress, curves, training in self.measure(point, x, effort, Cancel() if cancel is None else cancel):
            yield progress, self.recording(point, curves, training)

    def recording(self, point: Mapping[str, Value], curves: Sequence[Curve], training: Mapping[str, Any]) -> Recording:
        """Return a recording of this lab on this machine."""
        fixed = {name: value for name, value in point.items() if name != self.axis}
        return Recording(self.id, fixed, curves[0].x, curves, training, self.machine_dict, version())

    def runs(self, *arguments: Any, **options: Any) -> Iterator[tuple[float, Run]]:
        """Yield (progress, run): recordings joined with predictions. Takes the arguments of `recordings`."""
        for progress, recording in self.recordings(*arguments, **options):
            yield progress, self.joined(self.fitted(recording))

    def run(self, *arguments: Any, **options: Any) -> Run:
        """Return the last and most precise run of `runs`. Ctrl-C and Jupyter's stop button end it."""
        *_, (_, recording) = self.recordings(*arguments, **options)
        return self.joined(self.fitted(recording))

    def first_answer(self, point: Mapping[str, Value]) -> Recording:
        """Return the first recording of a live lab, within some 60 ms and the same each time."""
        return next(self.recordings(point, short=False))[1]

    # Joining

    def recorded(self) -> Recording | None:
        """Return the recording from another machine that ships with the package, or None."""
        return self._shipped

    @cached_property
    def _shipped(self) -> Recording | None:
        path = Path(str(files("spe_lab") / "recorded" / f"{self.id}.json"))
        return Recording.load(path) if path.is_file() else None

    @cached_property
    def recorded_fit(self) -> Any:
        """The fit to the shipped recording, which is used until something is measured."""
        if type(self).fit is Lab.fit:
            return None
        recorded = self.recorded()
        if recorded is None:
            raise UnavailableError(
                "this lab must fit its model to a measurement, and there is no recorded one; run it on a machine with a"
                " compiler"
            )
        return self.fit(recorded)

    def fitted(self, recording: Recording | None = None) -> Fitted:
        """Return the recording with its fit, or with the shipped one's if it cannot be fitted or is None."""
        if recording is None:
            return Fitted(None, self.recorded_fit)
        try:
            return Fitted(recording, self.fit(recording))
        except MeasurementError:
            return Fitted(recording, self.recorded_fit, (NO_FIT,))

    def joined(
        self, fitted: Fitted, point: Mapping[str, Value] | None = None, predicted: Sequence[Curve] | None = None
    ) -> Run:
        """Return the run of a fitted recording: with predictions at its x values, and the comparison.

        - `point`: the sliders' values; sliders that a measurement depends on keep the recording's values
        - `predicted`: predictions at these settings, if they are known already
        """
        recording = fitted.recording
        held = {name: value for name, value in recording.point.items() if name in self.sliders}
        if point is not None:
            held = {name: value for name, value in held.items() if self.sliders[name].measured}
        point = {**(self.point() if point is None else point), **held}
        if predicted is None:
            predicted = self.predict(point, recording.x, fitted.fit)
        fixed = {name: value for name, value in point.items() if name != self.axis}
        comparison = self.compare(recording.measured, predicted)
        measured = (recording.lab, fixed, recording.x, recording.measured, recording.training)
        return Run(*measured, self.machine_dict, version(), predicted, comparison, fitted.notes)

    def compare(self, measured: Sequence[Curve], predicted: Sequence[Curve]) -> Comparison | None:
        """Return the comparison of the lab's compared pair; None if one of the two curves is missing."""
        pairs = zip((measured, predicted), self.compared, strict=True)
        pair = [next((curve for curve in curves if curve.name == name), None) for curves, name in pairs]
        return Comparison.of(*pair) if all(pair) else None

    def to_dict(self) -> dict[str, Any]:
        described = ("id", "chapter", "title", "question", "axis", "quantity", "unit")
        sources = ["simulated" if self.simulated else "measured", "predicted"]
        return {
            **{name: getattr(self, name) for name in described},
            "sliders": [slider.to_dict() for slider in self.sliders.values()],
            "breaks": self.breaks,
            "sources": [*sources, "recorded"] if self.recorded() else sources,
        }


@cache
def version() -> str:
    return metadata.version("spe-lab")
