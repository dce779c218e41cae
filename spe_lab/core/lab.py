"""The contract of a lab: one question put to the machine. Sliders, something measured, a model that predicts it.

A lab says nothing of widgets. From what it declares follow the explorer, the command line, the static figure, the
recorded data and the tests that every lab must pass. Nothing flows back: a lab never changes. `measure` yields curves
and training, `fit` turns a recording of both into what `predict` takes, and measured and predicted are joined where
they are shown.
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
NO_FIT = "too little was clean for a new fit: the model is fitted to the recorded data"


@dataclass(frozen=True)
class Effort:
    """How much a run may cost.

    - `budget_s`: seconds for timing; a simulation takes fixed counts, so that its results do not depend on the machine
    - `short`: few points and a first answer, as in continuous integration
    - `refine`: a simulation goes on beyond its fixed counts while the budget lasts, for a figure that somebody watches
    """

    budget_s: float = BUDGET_S
    short: bool = False
    refine: bool = False

    @classmethod
    def of(cls, budget_s: float | None, short: bool | None, refine: bool = False) -> "Effort":
        """The effort asked for; None: the usual budget, and short where SPE_LAB_QUICK says so."""
        short = quick() if short is None else short
        return cls((SHORT_BUDGET_S if short else BUDGET_S) if budget_s is None else budget_s, short, refine)


class Measured(NamedTuple):
    """What is known after a part of a measurement: curves, and what a fit needs beside them (as JSON has it)."""

    progress: float  # 0 to 1
    curves: Sequence[Curve]
    training: Mapping[str, Any] = {}


class Fitted(NamedTuple):
    """A recording, or None, and the fit that belongs to it; `notes` say where the fit is that of other data."""

    recording: Recording | None
    fit: Any
    notes: tuple[str, ...] = ()


class Lab(ABC):
    """One question to one machine. Subclasses set the class attributes and the abstract methods.

    A lab is immutable: it holds its machine and what it was made with, and what follows from these.
    """

    id: str  # stem.lab
    chapter: str  # its number; the registry takes it from the topic's chapter.py
    title: str
    question: str
    axis: str  # the slider that a run sweeps
    quantity: str  # what the curves are, in words
    unit: str
    breaks: str  # one sentence: where the model and the machine part
    compared: tuple[str, str]  # names of the measured and the predicted curve that are compared
    within: float | None = None  # how far they may lie apart at the median; None where the lab teaches a failure
    scale: str = "log"  # of the figure's values: "log", or "linear" where zero is one of them
    simulated: bool = False  # True: its machine is a simulation, and its curves say so
    machine: Machine
    made_with: Mapping[str, Any]  # constructor arguments beside the machine
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
        """Yield better and better curves, always of the same names in the same order. The kinds of lab define it."""

    def fit(self, recording: Recording) -> Any:
        """Return what the model takes from a recording; None where it takes nothing. Pure: nothing is remembered.

        Raises MeasurementError if too little of the recording is clean.
        """
        return None

    @abstractmethod
    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any) -> Sequence[Curve]:
        """Return predicted curves; fast enough to follow a slider (under a millisecond after the first call)."""

    def marks(self, point: Mapping[str, Value], fit: Any) -> Mapping[str, float]:
        """Return places on the axis that the figure marks, by name; NaN where a place does not exist here."""
        return {}

    def presets(self) -> Mapping[str, Preset]:
        """Return what to try on this machine, by names short enough for a button."""
        return {}

    def on(self, machine: Machine) -> "Lab":
        """Return the same lab for another machine: it is made with the same arguments."""
        return type(self)(machine, **self.made_with)

    @cached_property
    def sliders(self) -> dict[str, Slider]:
        return {slider.name: slider for slider in self.make_sliders()}

    @cached_property
    def machine_dict(self) -> dict[str, Any]:
        """The machine as it goes into a recording; made once, since every frame of an explorer asks for it."""
        return self.machine.to_dict()

    def point(self, settings: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """All sliders' values: the defaults, and the checked `settings` in place of some."""
        point = {name: slider.default for name, slider in self.sliders.items()}
        for name, value in (settings or {}).items():
            point[name] = self.slider(name).checked(value)
        return point

    def slider(self, name: str) -> Slider:
        if name not in self.sliders:
            raise SpeLabError(f"{self.id} has no slider {name!r}; it has {', '.join(self.sliders)}")
        return self.sliders[name]

    def parameters(self, settings: Mapping[str, Value] | None = None) -> Text:
        """The model's parameters as a Markdown table: what each means, its value, and where that value comes from."""
        rows = ["| | meaning | value | source |", "|---|---|---|---|"]
        for name, value in self.point(settings).items():
            slider = self.sliders[name]
            if not slider.measured:
                source = slider.source if value == slider.default else "set by you"
                shown = value if slider.scale == "choice" else units.render(value, slider.unit)
                rows.append(f"| {name} | {slider.meaning} | {shown} | {source} |")
        return Text("\n".join(rows))

    def x(self, values: Sequence[Value] | None = None, short: bool = False) -> Axis:
        """The axis over these values (checked, sorted, each once), or over the default ones."""
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
        """Measure and yield (progress, recording), better and better.

        - `over`: values of the axis; None for the default ones
        - `budget_s`: seconds for timing; None for 6 s, or 0.7 s for a short run
        - `short`: few points and a first answer; None for what SPE_LAB_QUICK says
        - `refine`: simulations go on while the budget lasts
        """
        effort = Effort.of(budget_s, short, refine)
        point, x = self.point(settings), self.x(over, effort.short)
        for progress, curves, training in self.measure(point, x, effort, Cancel() if cancel is None else cancel):
            yield progress, self.recording(point, curves, training)

    def recording(self, point: Mapping[str, Value], curves: Sequence[Curve], training: Mapping[str, Any]) -> Recording:
        """A recording of this lab on this machine."""
        fixed = {name: value for name, value in point.items() if name != self.axis}
        return Recording(self.id, fixed, curves[0].x, curves, training, self.machine_dict, version())

    def runs(self, *arguments: Any, **options: Any) -> Iterator[tuple[float, Run]]:
        """The same with predictions: yields (progress, run), with the arguments of `recordings`."""
        for progress, recording in self.recordings(*arguments, **options):
            yield progress, self.joined(self.fitted(recording))

    def run(self, *arguments: Any, **options: Any) -> Run:
        """The last and best of `recordings` with predictions. Ctrl-C and Jupyter's stop button end it."""
        *_, (_, recording) = self.recordings(*arguments, **options)
        return self.joined(self.fitted(recording))

    def first_answer(self, point: Mapping[str, Value]) -> Recording:
        """The first answer of a live lab, for a page that cannot wait: within some 60 ms, the same each time."""
        return next(self.recordings(point, short=False))[1]

    # Joining

    def recorded(self) -> Recording | None:
        """The recording from another machine that ships with the package, if there is one."""
        path = Path(str(files("spe_lab") / "recorded" / f"{self.id}.json"))
        return Recording.load(path) if path.is_file() else None

    @cached_property
    def recorded_fit(self) -> Any:
        """The fit to the shipped recording, which stands in until something is measured."""
        if type(self).fit is Lab.fit:
            return None
        recorded = self.recorded()
        if recorded is None:
            raise UnavailableError(
                "this lab needs a measurement to fit to, and there is no recorded one; run it on a machine with a"
                " compiler"
            )
        return self.fit(recorded)

    def fitted(self, recording: Recording | None = None) -> Fitted:
        """The recording with its fit; where it cannot be fitted, or is None, with the fit to the shipped recording."""
        if recording is None:
            return Fitted(None, self.recorded_fit)
        try:
            return Fitted(recording, self.fit(recording))
        except MeasurementError:
            return Fitted(recording, self.recorded_fit, (NO_FIT,))

    def joined(
        self, fitted: Fitted, point: Mapping[str, Value] | None = None, predicted: Sequence[Curve] | None = None
    ) -> Run:
        """A recording with predictions at its x, and the comparison of both.

        - `point`: the sliders' values; those that a measurement depends on stay as they were when it was made
        - `predicted`: predictions at these settings, if they are known already
        """
        recording = fitted.recording
        known = {name: value for name, value in recording.point.items() if name in self.sliders}
        kept = known if point is None else {name: v for name, v in known.items() if self.sliders[name].measured}
        point = {**(self.point() if point is None else point), **kept}
        if predicted is None:
            predicted = self.predict(point, recording.x, fitted.fit)
        fixed = {name: value for name, value in point.items() if name != self.axis}
        return Run(
            recording.lab,
            fixed,
            recording.x,
            recording.measured,
            recording.training,
            self.machine_dict,
            version(),
            predicted,
            self.compare(recording.measured, predicted),
            fitted.notes,
        )

    def compare(self, measured: Sequence[Curve], predicted: Sequence[Curve]) -> Comparison | None:
        """The comparison of the lab's compared pair; None if one of the two curves is missing."""
        pairs = zip((measured, predicted), self.compared, strict=True)
        pair = [next((curve for curve in curves if curve.name == name), None) for curves, name in pairs]
        return Comparison.of(*pair) if all(pair) else None

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "chapter": self.chapter,
            "title": self.title,
            "question": self.question,
            "axis": self.axis,
            "quantity": self.quantity,
            "unit": self.unit,
            "sliders": [slider.to_dict() for slider in self.sliders.values()],
            "breaks": self.breaks,
            "sources": [
                "simulated" if self.simulated else "measured",
                "predicted",
                *(["recorded"] if self.recorded() else []),
            ],
        }


@cache
def version() -> str:
    return metadata.version("spe-lab")
