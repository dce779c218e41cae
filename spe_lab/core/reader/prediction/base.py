"""The base of all predictions: committing, keeping in the journal, scoring and drawing."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, SupportsIndex

import numpy as np

from spe_lab.core import mode, registry, units
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.reader import journal
from spe_lab.core.reader.waiting import Waiting
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value
from spe_lab.core.text import Text

NO_LONGER = "a prediction no longer counts"
UNCLEAN = "No clean sample at this point: measure again on a quieter machine."


@dataclass(frozen=True)
class Sketch:
    """What a prediction adds to a figure: from `low` to `high` at each x, and `said`, the same in words.

    One x is drawn as a bar, several as a band about a dashed line. `across`, two places on the axis, is drawn as a
    horizontal bar. Without both there is a legend entry alone.
    """

    said: str
    label: str = "your prediction"
    x: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    across: tuple[float, ...] = ()


class Prediction(Protocol):
    """The interface of a prediction for explorers and figures."""

    @property
    def committed(self) -> bool: ...

    @property
    def open(self) -> bool:
        """True while an explorer must hold the answer back."""
        ...

    @property
    def advice(self) -> str:
        """What to do while the prediction is open, in one sentence."""
        ...

    @property
    def drawn(self) -> Sketch | None:
        """None while nothing is committed."""
        ...

    def score(self, run: Recording | Waiting | None) -> Text | Waiting:
        """Return how close the prediction came to the measurement, in a few sentences; wait while it is open."""
        ...

    def on_change(self, follow: Callable[[], None]) -> None:
        """Call `follow` whenever the prediction is committed or skipped."""
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
    score: float | None = None  # of a range; smaller is better


@dataclass(frozen=True)
class JournalEntry(ABC):
    """A prediction that the reader's journal keeps.

    - `settings`: sliders that differ from their defaults
    - `skip`: True if the reader goes on without a prediction
    """

    lab: str
    settings: tuple[tuple[str, Value], ...]
    skip: bool = field(default=False, kw_only=True, compare=False)
    kind: ClassVar[str]
    thing: ClassVar[str]  # what the reader commits, such as "a range"

    @property
    @abstractmethod
    def asked(self) -> str:
        """The predicted place, such as "at size 16 MiB". Lab, settings, kind and place identify a prediction."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """The question to the reader, as a phrase such as "the time per access at size 16 MiB"."""

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
    def skipped(self) -> bool:
        """True if the reader, or the environment (`mode.skipping_predictions`), goes on without a prediction."""
        return not self.committed and (self.skip or mode.skipping_predictions())

    @property
    def open(self) -> bool:
        """True while a commitment still counts and is awaited: neither committed nor skipped, and nothing shown."""
        return not self.committed and not self.skipped and shown_at(self.question) is None

    @property
    def advice(self) -> str:
        return f"Commit {self.thing} above, or press Skip."

    @property
    def waiting(self) -> Waiting:
        """The value of a measurement or a score while the prediction is open."""
        return Waiting.until(self.advice)

    @property
    def state(self) -> str:
        """The prediction in a sentence for the reader."""
        if self.committed:
            return f"Committed: {self.in_words}."
        if self.skipped:
            everywhere = "" if self.skip else " Here all predictions are skipped (SPE_LAB_PREDICTIONS, or the book)."
            return f"Skipped: there is no prediction to score.{everywhere}"
        if shown := shown_at(self.question):
            return f"A measurement was shown on {journal.told(shown)}: {NO_LONGER}."
        return "Not committed yet."

    def on_change(self, follow: Callable[[], None]) -> None:
        """Forget `follow`: this object never changes (see `Asked`)."""
        del follow

    @property
    def drawn(self) -> Sketch | None:
        return self.sketched() if self.committed else None

    def score(self, run: Recording | Waiting | None) -> Text | Waiting:
        """Return how close the prediction came, in a few sentences; the journal keeps the first score.

        An open prediction waits, so that running a cell too early spoils nothing.
        """
        if self.open:
            return self.waiting
        measured = run if isinstance(run, Recording) and run.measured else None
        own = measured if measured and measured.measured[0].source != "recorded" else None
        if not self.committed:
            said = self.state  # before this measurement is noted
            if own:
                reveal(own, lab_of(own))
            return Text(said)
        if own is None:
            verb = "Simulate" if registry.get(self.lab).simulated else "Measure"
            return Text(f"No measurement yet: press {verb}.")
        lab = lab_of(own)
        if elsewhere := self._elsewhere(own, lab):
            return Text(elsewhere)
        outcome = self.outcome(own, lab)
        if isinstance(outcome, str):
            return Text(outcome)
        machine = str(own.machine.get("facts", {}).get("cpu") or "")
        scored = {**vars(outcome), "source": own.measured[0].source, "machine": machine}
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
            if not entry:
                return self
            filled = self.filled(entry["values"])
        except SpeLabError as error:
            tell(f"Your earlier prediction cannot be read: {error}.")
            return self
        tell(f"From your journal, {self.asked}: {filled.in_words}, committed {journal.told(entry['time'])}.")
        return filled

    @abstractmethod
    def filled(self, values: Mapping[str, Any]) -> Self:
        """Return this prediction with committed values from the journal."""

    @abstractmethod
    def given(self, *values: Any, **named: Any) -> Self:
        """Return this prediction with the reader's values, validated; they may be text with units."""

    def skipping(self) -> Self:
        """Return this prediction, skipped."""
        return replace(self, skip=True)


def named(lab: str, settings: Mapping[str, Value]) -> str:
    return " ".join([lab, *(f"{name}={json.dumps(value)}" for name, value in sorted(settings.items()))])


def reveal(run: Recording, lab: Lab) -> None:
    """Record that the reader has seen this measurement; later predictions at its settings do not count."""
    question = named(run.lab, deviating(lab, run.point))
    journal.attempt(lambda opened: opened.show(question), None)  # if this fails, predictions cannot be kept either


def shown_at(question: str) -> str | None:
    """Return the time at which a measurement of `question` was shown first, by the journal; None if never.

    An explorer asks at each move of a slider, so the journal is read again only if its file has changed.
    """
    file = journal.path()
    try:
        found = file.stat()
        return _shown(file, found.st_mtime_ns, found.st_size, found.st_ino).get(question)
    except (OSError, SpeLabError):
        return None


@lru_cache(maxsize=1)
def _shown(file: Path, *_version: int) -> Mapping[str, str]:
    return journal.load().data["shown"]


def with_interval(lab: Lab, value: float, low: float, high: float) -> str:
    """Return a measured value of the lab with its interval, as text."""
    return f"{units.render(value, lab.unit)} ({low:.3g} to {high:.3g})"


def capitalised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def curve_names(lab: Lab) -> list[str]:
    """Return the names of the lab's measured curves, from its recorded run; none without one."""
    recorded = lab.recorded()
    return [curve.name for curve in recorded.measured] if recorded else []


def curve_named(lab: Lab, beginning: Any, example: str) -> str:
    """Return the name of the measured curve that starts so. `example` is a call that works, for the message."""
    names = curve_names(lab)
    if not names and isinstance(beginning, str):
        return beginning
    matches = [name for name in names if isinstance(beginning, str) and name.startswith(beginning)]
    if beginning in names or len(matches) == 1:
        return beginning if beginning in names else matches[0]
    rule = f"candidates must be measured curves of {lab.id} ({', '.join(map(repr, names))})"
    raise SpeLabError(f"{rule}, got {shortened(beginning)}; write for example {example}")


def shortened(value: Any) -> str:
    """Return the value as Python writes it, 40 characters at most."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def set_to(lab: Lab, settings: Mapping[str, Value]) -> str:
    """Return the settings in words, to follow a question; "" for the defaults."""
    shown = {
        name: units.render(v, lab.sliders[name].unit) if isinstance(v, int | float) else v
        for name, v in settings.items()
    }
    return "".join(f", with {name} {value}" for name, value in shown.items())


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


def placed(lab: Lab, at: float) -> str:
    """Return a place on the lab's axis as a name or as a number with its unit."""
    slider = lab.sliders[lab.axis]
    return slider.rendered(at) if slider.places else units.render(float(at), slider.unit, 6)


def nearest(curve: Curve, lab: Lab, at: float) -> int:
    """Return the index of the curve's point nearest to `at`, by ratio on a logarithmic axis."""
    along = math.log if lab.sliders[lab.axis].scale == "log" else float
    return min(range(curve.x.values.size), key=lambda k: abs(along(curve.x.values[k]) - along(at)))


def interval(curve: Curve, i: SupportsIndex) -> tuple[float, float, float]:
    """Return (value, low, high) at point i; the value three times if it has no interval."""
    value, low, high = (float(ends[i]) for ends in (curve.values, curve.low, curve.high))
    return (value, low, high) if np.isfinite(low) else (value, value, value)
