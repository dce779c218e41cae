"""What every kind of prediction has in common: it is committed, kept, scored against a measured interval, and drawn."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, SupportsIndex

import numpy as np

from spe_lab.core import registry, units
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.reader import journal
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value
from spe_lab.core.text import Text

UNCLEAN = "No clean sample at this point: measure again on a quieter machine."


@dataclass(frozen=True)
class Sketch:
    """What a prediction adds to a figure: from `low` to `high` at each x. One place is drawn as a bar, several as a
    band about a dashed line, none in the legend alone. `said` is the same in words.
    """

    said: str
    label: str = "your prediction"
    x: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class Prediction(Protocol):
    """What explorers and figures know of a prediction, whatever its kind."""

    @property
    def committed(self) -> bool: ...

    @property
    def drawn(self) -> Sketch | None:
        """None while nothing is committed."""
        ...

    def score(self, run: Recording | None) -> Text:
        """How close the prediction came to what was measured, in a sentence or two."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What a measurement says: in words, and as parts that are `right` `of` those that the machine could decide."""

    said: str
    right: int
    of: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Kept(ABC):
    """A prediction for a lab, kept in the reader's journal. `settings` are the sliders that do not stand at their
    defaults.
    """

    lab: str
    settings: tuple[tuple[str, Value], ...]
    kind: ClassVar[str]
    open_advice: ClassVar[str]  # what to do while nothing is committed

    @property
    @abstractmethod
    def asked(self) -> str:
        """What the prediction is of, such as "at size 16 MiB"; with the lab, the kind and the
        settings this names it.
        """

    @property
    @abstractmethod
    def values(self) -> dict[str, Any] | None:
        """What the reader committed, as JSON types; None while it is open."""

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What the reader committed, for a sentence."""

    @abstractmethod
    def sketched(self) -> Sketch:
        """What a committed prediction adds to a figure."""

    @abstractmethod
    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        """The verdict of a measured run; or a sentence, where the run does not decide."""

    @property
    def committed(self) -> bool:
        return self.values is not None

    @property
    def drawn(self) -> Sketch | None:
        return self.sketched() if self.committed else None

    def score(self, run: Recording | None) -> Text:
        """How close the prediction came to the measured interval, in a sentence or two; the first
        such verdict is kept.
        """
        measured = run is not None and run.measured and run.measured[0].source != "recorded"
        if not self.committed:
            if measured:
                reveal(run, lab_of(run))
            return Text(f"No prediction yet: {self.open_advice}, before you look.")
        if not measured:
            return Text("No measurement yet: press Measure.")
        lab = lab_of(run)
        if elsewhere := self._elsewhere(run, lab):
            return Text(elsewhere)
        found = self.outcome(run, lab)
        if isinstance(found, str):
            return Text(found)
        machine = str(run.machine.get("facts", {}).get("cpu") or "")
        scored = {**vars(found), "source": run.measured[0].source, "machine": machine}
        place, complaint = journal.attempt(lambda kept: kept.reveal(self.key, self.question, self.values, scored), "")
        late = (
            " It does not count in your journal, since a measurement was shown before you committed it."
            if place == "revised"
            else ""
        )
        return Text(" ".join(filter(None, [found.said + late, complaint])))

    def _elsewhere(self, run: Recording, lab: Lab) -> str:
        """Says where the run's sliders differ from what the prediction is for."""
        for name, expected in lab.point(dict(self.settings)).items():
            slider = lab.sliders[name]
            if slider.measured and name in run.point and run.point[name] != expected:
                here, there = (
                    value if isinstance(value, str) else units.render(value, slider.unit)
                    for value in (run.point[name], expected)
                )
                return f"This was measured at {name} {here}, and your prediction is for {name} {there}: measure there."
        return ""

    @property
    def question(self) -> str:
        """The lab and its settings: what a measurement answers."""
        return named(self.lab, dict(self.settings))

    @property
    def key(self) -> str:
        return f"{self.question}: {self.kind} {self.asked}"

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "lab": self.lab,
            "kind": self.kind,
            "asked": self.asked,
            "settings": dict(self.settings),
            "unit": registry.get(self.lab).unit,
        }

    def kept(self, tell: Callable[[str], None] = print) -> Self:
        """Commits to the journal and tells so; one that is open is filled in from there, if the journal has it.

        A journal that cannot be read or written is no reason not to predict: it is said, and the prediction holds in
        this kernel.
        """
        if self.committed:
            counts, complaint = journal.attempt(
                lambda kept: kept.commit(self.key, self.question, self.facts, self.values, self.in_words), False
            )
            note = complaint or (
                "" if counts else "It does not count, since a measurement of this lab was shown before."
            )
            tell(f"Your prediction, {self.asked}: {self.in_words}. {note or 'Kept in your journal.'}")
            return self
        try:
            found = journal.load().latest(self.key)
        except SpeLabError as error:
            tell(str(error))
            return self
        if not found:
            return self
        filled = self.filled(found["values"])
        tell(f"From your journal, {self.asked}: {filled.in_words}, committed {journal.told(found['time'])}.")
        return filled

    @abstractmethod
    def filled(self, values: Mapping[str, Any]) -> Self:
        """The same prediction with these committed values."""


def named(lab: str, settings: Mapping[str, Value]) -> str:
    return " ".join([lab, *(f"{name}={json.dumps(value)}" for name, value in sorted(settings.items()))])


def reveal(run: Recording, lab: Lab) -> None:
    """A measurement of `lab` is shown: what its reader predicts from now on of it, at these
    settings, does not count.
    """
    question = named(run.lab, deviating(lab, run.point))
    journal.attempt(lambda kept: kept.show(question), None)  # where it cannot be noted, no prediction can be either


def deviating(lab: Lab, settings: Mapping[str, Value]) -> dict[str, Value]:
    """Those of `settings`, checked, that a measurement depends on and that are not the defaults."""
    checked = {name: lab.slider(name).checked(value) for name, value in settings.items()}
    return {
        name: value
        for name, value in checked.items()
        if lab.sliders[name].measured and name != lab.axis and value != lab.sliders[name].default
    }


def lab_of(run: Recording) -> Lab:
    """The run's lab with the defaults of the machine that it was made on."""
    return registry.get(run.lab, Machine.from_dict(dict(run.machine)) if run.machine else None)


def nearest(curve: Curve, lab: Lab, at: float) -> int:
    """The place in the curve of the point nearest to `at`, by ratio where the axis is logarithmic."""
    along = math.log if lab.sliders[lab.axis].scale == "log" else float
    return min(range(curve.x.values.size), key=lambda k: abs(along(curve.x.values[k]) - along(at)))


def interval(curve: Curve, i: SupportsIndex) -> tuple[float, float, float]:
    """(value, low, high) at a point; the value thrice where it has no interval."""
    value, low, high = (float(ends[i]) for ends in (curve.values, curve.low, curve.high))
    return (value, low, high) if np.isfinite(low) else (value, value, value)
