"""The base of all predictions: committing, keeping in the journal, scoring and drawing."""

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
    """What a prediction adds to a figure: from `low` to `high` at each x, and `said`, the same in words.

    One x is drawn as a bar, several as a band about a dashed line; without x there is a legend entry alone.
    """

    said: str
    label: str = "your prediction"
    x: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class Prediction(Protocol):
    """The interface of a prediction for explorers and figures."""

    @property
    def committed(self) -> bool: ...

    @property
    def drawn(self) -> Sketch | None:
        """None while nothing is committed."""
        ...

    def score(self, run: Recording | None) -> Text:
        """Return how close the prediction came to the measurement, in one or two sentences."""
        ...


@dataclass(frozen=True)
class Outcome:
    """The score of a prediction: in words, and `right` parts `of` those that the measurement decides."""

    said: str
    right: int
    of: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class JournalEntry(ABC):
    """A prediction that the reader's journal keeps; `settings` are sliders that differ from defaults."""

    lab: str
    settings: tuple[tuple[str, Value], ...]
    kind: ClassVar[str]
    open_advice: ClassVar[str]  # what to do while nothing is committed

    @property
    @abstractmethod
    def asked(self) -> str:
        """The predicted place, such as "at size 16 MiB". Lab, settings, kind and place identify a prediction."""

    @property
    @abstractmethod
    def values(self) -> dict[str, Any] | None:
        """The committed values as JSON types; None while the prediction is open."""

    @property
    @abstractmethod
    def in_words(self) -> str:
        """The committed values as a phrase."""

    @abstractmethod
    def sketched(self) -> Sketch:
        """Return what a committed prediction adds to a figure."""

    @abstractmethod
    def outcome(self, run: Recording, lab: Lab) -> Outcome | str:
        """Return the score by a measured run; or a sentence, if the run does not decide."""

    @property
    def committed(self) -> bool:
        return self.values is not None

    @property
    def drawn(self) -> Sketch | None:
        return self.sketched() if self.committed else None

    def score(self, run: Recording | None) -> Text:
        """Return how close the prediction came, in one or two sentences; the journal keeps the first score."""
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
        outcome = self.outcome(run, lab)
        if isinstance(outcome, str):
            return Text(outcome)
        machine = str(run.machine.get("facts", {}).get("cpu") or "")
        scored = {**vars(outcome), "source": run.measured[0].source, "machine": machine}
        state, complaint = journal.attempt(
            lambda opened: opened.reveal(self.key, self.question, self.values, scored), ""
        )
        late = "It does not count in your journal, since a measurement was shown before you committed it."
        return Text(" ".join(filter(None, [outcome.said, late if state == "revised" else "", complaint])))

    def _elsewhere(self, run: Recording, lab: Lab) -> str:
        """Return a sentence if the run was measured at other settings than the prediction is for, else ""."""
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
        """The lab and its settings, which a measurement shows."""
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
        """Save a committed prediction in the journal and confirm it; fill an open one from the journal.

        If the journal cannot be read or written, tell the reader; the prediction then holds in this kernel.
        """
        if self.committed:
            counts, complaint = journal.attempt(
                lambda opened: opened.commit(self.key, self.question, self.facts, self.values, self.in_words), False
            )
            late = "It does not count, since a measurement of this lab was shown before."
            note = complaint or ("Kept in your journal." if counts else late)
            tell(f"Your prediction, {self.asked}: {self.in_words}. {note}")
            return self
        try:
            entry = journal.load().latest(self.key)
        except SpeLabError as error:
            tell(str(error))
            return self
        if not entry:
            return self
        filled = self.filled(entry["values"])
        tell(f"From your journal, {self.asked}: {filled.in_words}, committed {journal.told(entry['time'])}.")
        return filled

    @abstractmethod
    def filled(self, values: Mapping[str, Any]) -> Self:
        """Return this prediction with the given committed values."""


def named(lab: str, settings: Mapping[str, Value]) -> str:
    return " ".join([lab, *(f"{name}={json.dumps(value)}" for name, value in sorted(settings.items()))])


def reveal(run: Recording, lab: Lab) -> None:
    """Record that the reader has seen this measurement; later predictions at its settings do not count."""
    question = named(run.lab, deviating(lab, run.point))
    journal.attempt(lambda opened: opened.show(question), None)  # if this fails, predictions cannot be kept either


def deviating(lab: Lab, settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return the settings that affect a measurement and differ from their defaults, validated."""
    checked = {name: lab.slider(name).checked(value) for name, value in settings.items()}
    return {
        name: value
        for name, value in checked.items()
        if lab.sliders[name].measured and name != lab.axis and value != lab.sliders[name].default
    }


def lab_of(run: Recording) -> Lab:
    """Return the run's lab with the defaults of the run's machine."""
    return registry.get(run.lab, Machine.from_dict(dict(run.machine)) if run.machine else None)


def nearest(curve: Curve, lab: Lab, at: float) -> int:
    """Return the index of the curve's point nearest to `at`, by ratio on a logarithmic axis."""
    along = math.log if lab.sliders[lab.axis].scale == "log" else float
    return min(range(curve.x.values.size), key=lambda k: abs(along(curve.x.values[k]) - along(at)))


def interval(curve: Curve, i: SupportsIndex) -> tuple[float, float, float]:
    """Return (value, low, high) at point i; the value three times if it has no interval."""
    value, low, high = (float(ends[i]) for ends in (curve.values, curve.low, curve.high))
    return (value, low, high) if np.isfinite(low) else (value, value, value)
