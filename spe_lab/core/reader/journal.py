"""The reader's journal: predictions with their scores, and answers to exercises.

The journal is one JSON file in the user's data folder, or in $SPE_LAB_CONFIG_DIR: restarted kernels and copied
notebooks share it. Each change is written atomically and under a lock, so that two kernels never undo each other's
entries. A journal that cannot be read is never overwritten.

A prediction counts if it was committed before the first measurement of its lab at its settings was shown. A later one
is kept as revised. Only the first measurement scores a prediction; otherwise a reader could measure until it fits.

The JSON format and its history: journal_format.py.
"""

import contextlib
import copy
import json
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import checked_json, read_text, write_atomically
from spe_lab.core.folders import settings_folder, unwritable
from spe_lab.core.reader.journal_format import JOURNAL, empty, upgraded

LOCK_PATIENCE_S = 5.0  # a change takes milliseconds
LONGEST = 50  # stored revisions of one prediction, and stored verdicts on one exercise
LARGEST_ANSWER = 100_000  # characters; the longest solution in C has two thousand

T = TypeVar("T")


class Journal:
    """The content of a journal and the rules for its changes; `open_journal` saves it."""

    def __init__(self, data: dict[str, Any] | None = None) -> None:
        self.data = upgraded(data or empty())

    @property
    def predictions(self) -> dict[str, dict[str, Any]]:
        return self.data["predictions"]

    @property
    def exercises(self) -> dict[str, dict[str, Any]]:
        return self.data["exercises"]

    def show(self, question: str) -> None:
        """Record that the reader has seen a measurement of `question`; later predictions of it do not count."""
        self.data["shown"].setdefault(question, now())

    def latest(self, key: str) -> dict[str, Any] | None:
        """Return the entry committed under `key`: the one that counts, or else the last revision."""
        entry = self.predictions.get(key)
        return entry and (entry["committed"] or entry["revised"][-1])

    def commit(self, key: str, question: str, facts: Mapping[str, Any], values: Mapping[str, Any], words: str) -> bool:
        """Store a prediction and return True if it counts. Until the reveal it replaces an earlier one.

        - key, question: names of the prediction, and of its lab and settings
        - facts: lab, kind, asked, settings and unit, for a new entry
        - values, words: the prediction as JSON types, and as a phrase
        """
        entry = self.predictions.get(key) or {**facts, "committed": None, "revised": [], "scored": None}
        former = [version for version in (entry["committed"], *entry["revised"][-1:]) if version]
        same = next((version for version in former if version["values"] == values), None)
        current = same or {"time": now(), "values": dict(values), "words": words}
        if question not in self.data["shown"]:
            entry["committed"] = current
        elif same is None:
            entry["revised"] = [*entry["revised"], current][-LONGEST:]
        self.predictions[key] = entry
        return current is entry["committed"]

    def reveal(self, key: str, question: str, values: Mapping[str, Any], scored: Mapping[str, Any]) -> str:
        """Store the first score of `values`; return "counts", "revised", or "" if they are not stored."""
        self.show(question)
        entry = self.predictions.get(key)
        if entry is None:
            return ""
        if entry["committed"] is not None and entry["committed"]["values"] == values:
            entry["scored"] = entry["scored"] or {"time": now(), **scored}
            return "counts"
        return "revised" if any(late["values"] == values for late in entry["revised"]) else ""

    def answered(
        self, exercise: str, answer: Any, state: str, reason: str, draw: int | None = None, question: str = ""
    ) -> None:
        """Store an answer with its verdict; the last right answer is kept beside the last one.

        `draw` and `question` belong to an exercise whose numbers are drawn.
        """
        given = {"time": now(), "answer": plain(answer), "state": state, "reason": reason}
        if draw is not None:
            given |= {"draw": draw, "question": question}
        former = self.exercises.get(exercise, {"right": None, "verdicts": []})
        verdicts = [*former["verdicts"], {"time": given["time"], "state": state}][-LONGEST:]
        self.exercises[exercise] = {
            "last": given,
            "right": given if state == "right" else former["right"],
            "verdicts": verdicts,
        }

    def seed(self) -> int:
        """Return the seed of the reader's numbers; the first call draws it."""
        reader = self.data["reader"]
        if reader["seed"] is None:
            reader["seed"] = secrets.randbelow(2**31)
        return reader["seed"]

    def draw(self, exercise: str) -> int:
        """Return how often the reader asked for new numbers in this exercise."""
        return self.data["reader"]["draws"].get(exercise, 0)

    def set_draw(self, exercise: str, draw: int) -> None:
        self.data["reader"]["draws"][exercise] = draw

    def merge(self, other: "Journal") -> None:
        """Add the entries of `other`. Of two predictions keep the committed, scored, then earlier one.

        The reader's seed stays; without one, that of `other` is taken with its draws.
        """
        if self.data["reader"]["seed"] is None:
            self.data["reader"] = copy.deepcopy(other.data["reader"])
        for question, time_ in other.data["shown"].items():
            self.data["shown"][question] = min(time_, self.data["shown"].get(question, time_))
        for key, theirs in other.predictions.items():
            own = self.predictions.get(key)
            self.predictions[key] = theirs if own is None else min(own, theirs, key=_seniority)
        for exercise, theirs in other.exercises.items():
            own = self.exercises.get(exercise)
            self.exercises[exercise] = theirs if own is None else _merged(own, theirs)

    def to_json(self) -> str:
        return json.dumps(self.data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _seniority(entry: Mapping[str, Any]) -> tuple[bool, bool, str]:
    committed = entry["committed"]
    return committed is None, entry["scored"] is None, (committed or {"time": ""})["time"]


def _merged(own: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    rights = [entry["right"] for entry in (own, theirs) if entry["right"]]
    verdicts = {(verdict["time"], verdict["state"]): verdict for verdict in (*own["verdicts"], *theirs["verdicts"])}
    return {
        "last": max(own["last"], theirs["last"], key=lambda given: given["time"]),
        "right": max(rights, key=lambda given: given["time"], default=None),
        "verdicts": [verdicts[place] for place in sorted(verdicts)][-LONGEST:],
    }


def path() -> Path:
    """Return the journal's file: in $SPE_LAB_CONFIG_DIR if that is set, else in the user's data folder."""
    return settings_folder("data") / "journal.json"


def load(file: Path | None = None) -> Journal:
    """Return the journal in `file`, or the reader's (empty at first). Raise SpeLabError if unreadable."""
    own = file is None
    file = path() if own else Path(file)
    cure = "repair it, or move it away to begin a new one" if own else "export one with spe-lab journal --export FILE"
    if own and not os.path.lexists(file):
        return Journal()
    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError) as error:
        raise SpeLabError(f"the journal must be readable text, got {file}: {error}; {cure}") from None
    try:
        return Journal(checked_json(text, JOURNAL, f"the journal {file}"))
    except SpeLabError as error:
        raise SpeLabError(f"{str(error).removesuffix('; write it anew')}; {cure}") from None


@contextlib.contextmanager
def open_journal() -> Iterator[Journal]:
    """Give the reader's journal under a lock, and save its changes at the end of the block."""
    import filelock  # loads asyncio and sqlite3

    file = path()
    lock = filelock.FileLock(file.with_suffix(".lock"), LOCK_PATIENCE_S, mode=0o600, poll_interval=0.01)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with lock:  # the system gives it back if its holder dies
            journal = load()
            before = copy.deepcopy(journal.data)
            yield journal
            if journal.data != before:
                write_atomically(file, journal.to_json(), private=True)
    except filelock.Timeout:
        rule = f"the journal must be free within {LOCK_PATIENCE_S:g} s, and another process holds {lock.lock_file}"
        raise SpeLabError(f"{rule}; end that process and run the cell again") from None
    except OSError as error:
        raise unwritable("the journal", file, error) from None


def attempt(action: Callable[[Journal], T], otherwise: T) -> tuple[T, str]:
    """Run `action` on the reader's journal; return (result, ""), or (`otherwise`, reason) on failure.

    For work that does not need a journal: predictions are scored and answers judged without one, too.
    """
    try:
        with open_journal() as journal:
            return action(journal), ""
    except SpeLabError as error:
        return otherwise, f"Not kept: {error}."


def export(file: Path) -> Journal:
    """Write a copy of the reader's journal to a new file, for another machine or a lecturer."""
    file = Path(file)
    if os.path.lexists(file):
        raise SpeLabError(f"FILE must not exist yet, as it would be overwritten, got {file}; choose another name")
    journal = load()
    write_atomically(file, journal.to_json(), private=True)
    return journal


def take_over(file: Path) -> Journal:
    """Add the entries of an exported journal to the reader's own."""
    other = load(Path(file))
    with open_journal() as journal:
        journal.merge(other)
        return journal


def plain(answer: Any) -> Any:
    """Return an answer as numbers, texts, lists and dicts of these; anything else as its printed text.

    Whatever is returned can be written and read again: a whole number beyond every float becomes its digits, and half
    of a surrogate pair, which UTF-8 lacks, a question mark.

    >>> import fractions
    >>> plain((1, 2.5, "x")), plain(fractions.Fraction(1, 3)), plain(float("nan")), plain([10**309])[0][:3]
    ([1, 2.5, 'x'], '1/3', 'nan', '100')
    """
    listed = answer.tolist() if type(answer).__module__ == "numpy" and hasattr(answer, "tolist") else answer
    try:
        text = json.dumps(listed, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(printed(answer), ensure_ascii=False)
    text = text.encode(errors="replace").decode()
    too_long = f"an answer of {len(text)} characters, too long to be kept"
    return json.loads(text, parse_int=_whole) if len(text) <= LARGEST_ANSWER else too_long


def printed(answer: Any) -> str:
    """Return an answer as text; for one that cannot be printed, such as a number of 5000 digits, its type."""
    try:
        return str(answer)
    except Exception:  # the reader's own object, or a whole number of more digits than Python prints
        return f"a {type(answer).__name__} that cannot be printed"


def _whole(digits: str) -> int | str:
    """Return a whole number; one that no float can hold as text, since a journal with it could not be read again."""
    return int(digits) if math.isfinite(float(digits)) else digits


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def told(time_: str) -> str:
    """Return a time of the journal as text, in local time."""
    return f"{datetime.fromisoformat(time_).astimezone():%-d %B %Y, %H:%M}"
