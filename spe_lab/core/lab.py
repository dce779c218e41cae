"""The contract of a lab: one question put to the machine. Sliders, something measured, a model that predicts it.

A lab says nothing of widgets. From what it declares follow the explorer, the command line, the static figure, the
recorded data and the tests that every lab must pass. A topic module registers its labs with `@register`; modules in
spe_lab/topics are found by themselves, so that a new topic adds a line nowhere else.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections import deque
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
from spe_lab.core.curve import Axis, Comparison, Curve, Run
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import Machine
from spe_lab.core.mode import quick
from spe_lab.core.text import Text

Value = Any  # a number or, for a choice, a str: which of the two, the name of the slider decides
SHORT_BUDGET_S = 0.7


@dataclass(frozen=True)
class Slider:
    """A parameter that the reader moves.

    `scale` is "linear", "log" (positive numbers, shown in steps of equal ratio) or "choice" (one of `choices`).
    `multiple_of` restricts values to multiples of it. `measured` says whether a measurement depends on it: moving such
    a slider makes the points on the figure stale, moving another one changes the model alone. `source` says where the
    default comes from.
    """

    name: str
    unit: str
    default: Value
    meaning: str
    low: float = 0.0
    high: float = math.inf
    scale: str = "linear"
    choices: tuple[str, ...] = ()
    multiple_of: float = 0.0
    measured: bool = True
    source: str = ""

    def checked(self, value: Value) -> Value:
        """`value` if it is in the domain; text is parsed with its unit. The error says the rule, the value and the
        cure.
        """
        if self.scale == "choice":
            if value not in self.choices:
                rule = f"{self.name} must be one of {', '.join(self.choices)}"
                raise SpeLabError(f"{rule}, got {value!r}; write for example {self.name}={self.default}")
            return value
        number = units.finite(units.parse(value, self.unit, self.name) if isinstance(value, str) else value, self.name)
        if math.isclose(number, self.rounded(number), rel_tol=1e-9):
            number = self.rounded(number)  # a slider that is dragged adds up its steps, and ends at 10.999999999999998
        if not self.low <= number <= self.high:
            low, high = units.render(self.low, self.unit), units.render(self.high, self.unit)
            found = units.render(number, self.unit)
            raise SpeLabError(
                f"{self.name} must be between {low} and {high}, got {found}; choose a value in that range"
            )
        if self.multiple_of and number % self.multiple_of:
            step = units.render(self.multiple_of, self.unit)
            raise SpeLabError(
                f"{self.name} must be a multiple of {step}, got {number:.15g} {self.unit}; try"
                f" {self.rounded(number):.15g}{self.unit}"
            )
        return number

    def rounded(self, value: float) -> float:
        """The value in the domain that is nearest to `value`."""
        if self.multiple_of:
            value = round(value / self.multiple_of) * self.multiple_of
            value = max(value, math.ceil(self.low / self.multiple_of) * self.multiple_of)
        return min(max(value, self.low), self.high)

    def to_dict(self) -> dict[str, Any]:
        domain = {"choices": list(self.choices)} if self.scale == "choice" else {"low": self.low, "high": self.high}
        return {
            "name": self.name,
            "unit": self.unit,
            "default": self.default,
            "scale": self.scale,
            **domain,
            "multiple_of": self.multiple_of,
            "measured": self.measured,
            "meaning": self.meaning,
            "source": self.source,
        }


class Preset(NamedTuple):
    """Settings worth trying, with all other sliders at their defaults, and one sentence on what to look for."""

    settings: Mapping[str, Value]
    look: str


class Lab(ABC):
    """One question to one machine. Subclasses set the class attributes and the five methods below them."""

    id: str  # stem.lab
    chapter: str
    title: str
    question: str
    axis: str  # the slider that a run sweeps
    quantity: str  # what the curves are, in words
    unit: str
    breaks: str  # one sentence: where the model and the machine part
    compared: tuple[str, str]  # names of the measured and the predicted curve that are compared
    scale: str = "log"  # of the figure's values: "log", or "linear" where zero is one of them
    simulated: bool = False  # whether its machine is a simulation: its curves then say so
    follows: bool = False  # whether that is fast enough to be run anew at each move of a slider (see `glimpse`)

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine or machines.current()

    @abstractmethod
    def declare(self) -> Sequence[Slider]:
        """The sliders, with ranges and defaults for `self.machine`."""

    @abstractmethod
    def sweep(self, short: bool) -> Sequence[float] | np.ndarray:
        """Values of the axis that a run covers by default; fewer for a `short` one."""

    @abstractmethod
    def measure(
        self, point: Mapping[str, Value], x: Axis, budget_s: float, cancel: Cancel
    ) -> Iterator[tuple[float, Sequence[Curve]]]:
        """Yields (progress, measured curves), better and better. The curves always have the same names in the same
        order.
        """

    @abstractmethod
    def predict(self, point: Mapping[str, Value], x: Axis) -> Sequence[Curve]:
        """Predicted curves; fast enough to follow a slider (under a millisecond after the first call)."""

    def learn(self, measured: Sequence[Curve]) -> None:  # noqa: B027, most models are fitted to nothing
        """Takes what its model is fitted to from these measured or recorded curves; the others take nothing."""

    def learn_from_recorded(self) -> None:
        """`learn` from the recorded run: for a lab that has measured nothing yet."""
        recorded = self.recorded()
        if recorded is None:
            raise UnavailableError(
                "this lab needs a measurement to fit to, and there is no recorded one; run it on a machine with a"
                " compiler"
            )
        self.learn(recorded.measured)

    def marks(self, point: Mapping[str, Value]) -> Mapping[str, float]:
        """Places on the axis that the figure marks, by name; NaN where a place does not exist at these settings."""
        return {}

    def presets(self) -> Mapping[str, Preset]:
        """What to try on this machine, by names short enough for a button."""
        return {}

    def on(self, machine: Machine) -> "Lab":
        """The same lab for another machine: what it was made with stays, what follows from the machine is worked out
        anew.
        """
        worked_out = {
            name
            for kind in type(self).__mro__
            for name, value in vars(kind).items()
            if isinstance(value, cached_property)
        }
        other = copy.copy(self)
        other.__dict__ = {name: value for name, value in vars(self).items() if name not in worked_out} | {
            "machine": machine
        }
        return other

    @cached_property
    def sliders(self) -> dict[str, Slider]:
        return {slider.name: slider for slider in self.declare()}

    @cached_property
    def machine_dict(self) -> dict[str, Any]:
        """The machine as it goes into a run; made once, since every frame of an explorer is a run."""
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
        """The axis over these values (checked, sorted, each once), or over the default sweep."""
        slider = self.sliders[self.axis]
        chosen = [slider.checked(value) for value in values] if values is not None else self.sweep(short)
        if not len(chosen):
            example = f"{self.axis}={slider.default:.15g}{slider.unit}"
            raise SpeLabError(
                f"the sweep over {self.axis} must have at least one value, got none; write for example {example}"
            )
        return Axis(self.axis, slider.unit, np.unique(np.asarray(chosen, dtype=float)))

    def compare(self, measured: Sequence[Curve], predicted: Sequence[Curve]) -> Comparison | None:
        found = zip((measured, predicted), self.compared, strict=True)
        pair = [next((curve for curve in curves if curve.name == name), None) for curves, name in found]
        return Comparison.of(*pair) if all(pair) else None

    def assemble(
        self, point: Mapping[str, Value], measured: Sequence[Curve], predicted: Sequence[Curve] | None = None
    ) -> Run:
        """A run from measured (or recorded) curves at `point`: predictions at the same x, asked for unless given, and
        the comparison.
        """
        x = measured[0].x
        predicted = self.predict(point, x) if predicted is None else predicted
        fixed = {name: value for name, value in point.items() if name != self.axis}
        return Run(
            self.id, fixed, x, measured, predicted, self.compare(measured, predicted), self.machine_dict, version()
        )

    def runs(
        self,
        settings: Mapping[str, Value] | None = None,
        over: Sequence[Value] | None = None,
        *,
        budget_s: float = 6.0,
        short: bool | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[tuple[float, Run]]:
        """Measures and yields (progress, run), better and better. A `short` one takes under two seconds;
        SPE_LAB_QUICK=1 makes every run a short one.
        """
        short = quick() if short is None else short
        point, x = self.point(settings), self.x(over, short)
        budget_s = min(budget_s, SHORT_BUDGET_S) if short else budget_s
        for progress, measured in self.measure(point, x, budget_s, Cancel() if cancel is None else cancel):
            yield progress, self.assemble(point, measured)

    def glimpse(self, point: Mapping[str, Value]) -> Run:
        """The first answer of a lab that `follows`, for a page that cannot wait: within some 60 ms, the same at each
        repetition.
        """
        return next(self.runs(point, budget_s=0.0, short=False))[1]

    def run(
        self,
        settings: Mapping[str, Value] | None = None,
        over: Sequence[Value] | None = None,
        *,
        budget_s: float = 6.0,
        short: bool | None = None,
    ) -> Run:
        """The last and best of `runs`. Ctrl-C and Jupyter's stop button end it."""
        return deque(self.runs(settings, over, budget_s=budget_s, short=short), maxlen=1).pop()[1]

    def recorded(self) -> Run | None:
        """A run from another machine that ships with the package, if there is one."""
        path = Path(str(files("spe_lab") / "recorded" / f"{self.id}.json"))
        return Run.load(path) if path.is_file() else None

    def beside(self, recorded: Run, point: Mapping[str, Value]) -> Run:
        """A recorded run with this machine's model beside it: what was measured keeps the sliders
        it was measured at.
        """
        fixed = {
            name: recorded.point[name]
            for name, slider in self.sliders.items()
            if slider.measured and name in recorded.point
        }
        return self.assemble({**point, **fixed}, recorded.measured)

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
