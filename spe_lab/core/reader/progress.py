"""The reader's progress in a chapter: what is done, what is open, the time spent, and the next chapter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import notebooks
from spe_lab.core.reader import journal
from spe_lab.core.reader.journal import Journal
from spe_lab.core.reader.verdict import MARKS

PAUSE_S = 15 * 60  # a longer gap between two entries is a break


@dataclass(frozen=True)
class Progress:
    """Progress in the chapter of `stem`.

    - exercises: the state of each by name: "right", "wrong", "inconclusive" or "not attempted"
    - predictions: how many were committed in time, and how many of these are scored
    - minutes: time spent, from the journal: the sum of the gaps between entries that are below a quarter of an hour
    """

    stem: str
    exercises: Mapping[str, str]
    predictions: tuple[int, int]
    minutes: float
    complaint: str = ""

    @property
    def done(self) -> list[str]:
        """Names of the exercises that were answered right."""
        return [name for name, state in self.exercises.items() if state == "right"]

    @property
    def open(self) -> list[str]:
        """Names of the exercises without a right answer yet."""
        return [name for name, state in self.exercises.items() if state != "right"]

    @property
    def time(self) -> str:
        """The time spent in words."""
        if self.minutes < 1:
            return "less than a minute"
        hours, minutes = divmod(round(self.minutes), 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"

    def _lines(self) -> list[str]:
        n = len(self.exercises)
        committed, scored = self.predictions
        lines = [f"{len(self.done)} of {n} exercises are done{' – all of them' if n and not self.open else ''}."]
        lines += [f"{committed} predictions are committed, {scored} of them scored."] if committed else []
        spent = "between answers and measurements that lie less than a quarter of an hour apart"
        lines += [f"Time spent: {self.time} ({spent})."] if committed or self.done or self.minutes else []
        return [*lines, *([self.complaint] if self.complaint else [])]

    def _numbered(self) -> list[tuple[int, str, str]]:
        return [(i, name, state) for i, (name, state) in enumerate(self.exercises.items(), start=1)]

    def __repr__(self) -> str:
        rows = [f"  {MARKS[state]} {i} {name.replace('_', ' ')}: {state}" for i, name, state in self._numbered()]
        title, _ = following(self.stem)
        return "\n".join([*self._lines(), *rows, f"Next: {title}" if title else "This is the last chapter."])

    def _repr_markdown_(self) -> str:
        rows = ["| | exercise | |", "|---|---|---|"]
        rows += [f"| {i} | {name.replace('_', ' ')} | {MARKS[state]} {state} |" for i, name, state in self._numbered()]
        title, link = following(self.stem)
        after = f"Next: [{title}]({link})" if link else f"Next: {title}" if title else "This is the last chapter."
        return "\n\n".join([" ".join(self._lines()), "\n".join(rows), after])


def progress(stem: str) -> Progress:
    """Return the reader's progress in the chapter of this topic, from the journal."""
    names = exercise_names(stem)
    try:
        kept, complaint = journal.load(), ""
    except SpeLabError as error:
        kept, complaint = Journal(), f"Your journal cannot be read: {error}."
    return of_journal(stem, names, kept, complaint)


def exercise_names(stem: str) -> list[str]:
    """Return the names of a topic's exercises, in the order of the notebook."""
    if stem not in registry.stems():
        raise SpeLabError(f"stem must be one of {', '.join(registry.stems())}, got {stem!r}; write for example memory")
    (topic,) = registry.topics(stem)
    return list(getattr(topic, "EXERCISES", ()))


def of_journal(stem: str, names: list[str], kept: Journal, complaint: str = "") -> Progress:
    """Return the progress that a journal shows."""
    states = {name: _state(kept.exercises.get(f"{stem}.{name}")) for name in names}
    own = [entry for entry in kept.predictions.values() if entry["lab"].partition(".")[0] == stem]
    committed = [entry for entry in own if entry["committed"]]
    scored = sum(entry["scored"] is not None for entry in committed)
    return Progress(stem, states, (len(committed), scored), minutes_of(times_of(stem, kept)), complaint)


def _state(entry: Mapping[str, Any] | None) -> str:
    return "not attempted" if entry is None else "right" if entry["right"] else entry["last"]["state"]


def times_of(stem: str, kept: Journal) -> list[datetime]:
    """Return the times of all entries of a topic: answers, predictions, scores and measurements."""
    times = [each["time"] for id, entry in kept.exercises.items() if _of(id, stem) for each in entry["verdicts"]]
    times += [time for question, time in kept.data["shown"].items() if _of(question, stem)]
    for entry in kept.predictions.values():
        if _of(entry["lab"], stem):
            parts = [entry["committed"], entry["scored"], *entry["revised"]]
            times += [part["time"] for part in parts if part]
    return sorted(map(datetime.fromisoformat, times))


def minutes_of(times: list[datetime]) -> float:
    """Return the minutes between the first and the last time, without gaps above PAUSE_S."""
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    return sum(gap for gap in gaps if gap < PAUSE_S) / 60


def _of(name: str, stem: str) -> bool:
    return name.partition(".")[0] == stem


def following(stem: str) -> tuple[str, str]:
    """Return number and title of the next chapter, and its notebook's file name; "" where there is none."""
    stems = sorted(registry.stems(), key=lambda each: registry.chapter(each).number)
    place = stems.index(stem) + 1
    if place == len(stems):
        return "", ""
    chapter = registry.chapter(stems[place])
    found = sorted(notebooks().glob(f"{chapter.number}_*{stems[place]}.ipynb"))
    return f"{chapter.number} · {chapter.title}", found[0].name if found else ""
