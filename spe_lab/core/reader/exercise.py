"""Exercises: a question, hints, a solution, and a check that explains why an answer is wrong.

An answer of `...` (the placeholder in the notebook) is "not attempted", so that an untouched notebook runs to its end.
The reader's journal keeps the answers to a topic's exercises with their verdicts, for other kernels and notebooks.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.own_c.judged import judged
from spe_lab.core.reader import journal
from spe_lab.core.text import Source, Text

STATES = ("right", "wrong", "not attempted", "inconclusive")
MARKS = {"right": "✔", "wrong": "✘", "not attempted": "○", "inconclusive": "≈"}


@dataclass(frozen=True)
class Verdict:
    """The result of a check: one of STATES, a reason in a sentence, and whether it was `measured`."""

    state: str
    reason: str
    measured: bool = False

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SpeLabError(f"state must be one of {', '.join(STATES)}, got {self.state!r}")

    def __str__(self) -> str:
        return f"{MARKS[self.state]} {self.state}: {self.reason}"

    __repr__ = __str__


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    - judge: a function; `judge(answer, **given)` returns a Verdict
    - answer: the solution; if that depends on what is `given` (such as the reader's run), how to find it, in words
    - solve: `solve(**given)` computes the solution in that case
    - explanation: why the solution is right
    - id: its name in the journal, set by Exercises; without one, answers are not kept
    """

    question: str
    hints: tuple[str, ...]
    answer: Any
    explanation: str
    judge: Callable[..., Verdict]
    solve: Callable[..., Any] | None = None
    id: str | None = None

    def check(self, answer: Any = ..., **given: Any) -> Verdict:
        """Return the verdict; the journal keeps it with the answer. Without an answer, recall the journal's."""
        verdict = (
            Verdict("not attempted", "put your answer in the place of the dots and run this cell again")
            if answer is ...
            else self._judged(answer, given)
        )
        id = self.id
        if verdict.state == "not attempted":
            return replace(verdict, reason=verdict.reason + self._recalled(id))
        if id is None:
            return verdict
        _, complaint = journal.attempt(lambda opened: opened.answered(id, answer, verdict.state, verdict.reason), None)
        return replace(verdict, reason=f"{verdict.reason}. {complaint}") if complaint else verdict

    def answer_given(self) -> Any:
        """Return the reader's answer from the journal: the last right one, or else the last."""
        entry = journal.load().exercises.get(self.id)
        if entry is None:
            rule = "this exercise must have been answered before, got no answer in the journal"
            raise SpeLabError(f"{rule}; put one in the place of the dots")
        answer = (entry["right"] or entry["last"])["answer"]
        return Source(answer) if isinstance(answer, str) else answer

    def solved(self, **given: Any) -> Any:
        """Return the solution as an answer, computed from what the check is given where it depends on that."""
        return self.solve(**given) if self.solve else self.answer

    def _recalled(self, id: str | None) -> str:
        try:
            entry = journal.load().exercises.get(id)
        except SpeLabError as error:
            return f". Your earlier answers cannot be read: {error}"
        if entry is None:
            return ""
        best = entry["right"] or entry["last"]
        verdict = f"{best['state']}: {best['reason']}"
        return f". Your answer of {journal.told(best['time'])} was {verdict}. .answer_given() shows it"

    def _judged(self, answer: Any, given: Mapping[str, Any]) -> Verdict:
        """Return the judge's verdict. If a measurement finds "wrong", judge solution and answer again.

        On a busy machine any program can be slow: if the solution fails too, the verdict is "inconclusive".
        """
        try:
            verdict = self.judge(answer, **given)
            if verdict.state == "wrong" and verdict.measured:
                if self.judge(self.answer, **given).state != "right":
                    busy = "But just now even the solution fails on this machine; try again when it is quieter"
                    return Verdict("inconclusive", f"{verdict.reason} {busy}")
                verdict = self.judge(answer, **given)
            return verdict
        except (UnavailableError, MeasurementError) as error:
            return Verdict("inconclusive", str(error))  # the machine's fault, not the answer's
        except SpeLabError as error:
            return Verdict("wrong", str(error))

    def hint(self, number: int = 1) -> Text:
        """Return a hint by its number, from 1; later hints say more."""
        if not 1 <= number <= len(self.hints):
            raise SpeLabError(
                f"number must be between 1 and {len(self.hints)} for this exercise, got {number}; later hints say more"
            )
        return Text(self.hints[number - 1])

    def solution(self) -> Text:
        text = self.answer.strip() if isinstance(self.answer, str) else ""
        shown = f"```{'c' if '{' in text else ''}\n{text}\n```" if "{" in text or "\n" in text else f"**{self.answer}**"
        return Text(f"{shown}\n\n{self.explanation}")


class Exercises(Mapping[str, Exercise]):
    """A topic's exercises by name. Each gets the id `stem.name`, such as "memory.ramp", for the journal."""

    def __init__(self, stem: str, exercises: Mapping[str, Exercise]) -> None:
        self._exercises = {name: replace(exercise, id=f"{stem}.{name}") for name, exercise in exercises.items()}

    def __getitem__(self, name: str) -> Exercise:
        return self._exercises[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._exercises)

    def __len__(self) -> int:
        return len(self._exercises)


def exercises() -> dict[str, Exercise]:
    """Return all exercises by id. Each topic has its Exercises as EXERCISES."""
    every = (exercise for topic in registry.topics() for exercise in getattr(topic, "EXERCISES", {}).values())
    return {exercise.id: exercise for exercise in every}


def number(answer: Any, meaning: str) -> float:
    """Return an answer as a float; sympy numbers are accepted. Raise SpeLabError for other answers."""
    try:
        value = float(answer)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise SpeLabError(f"the answer must be a number, {meaning}, got {answer!r:.80}; write for example 2.5")
    return value


def c_text(answer: Any) -> str:
    """Return an answer that must be C source text. Raise UnavailableError if there is no C compiler."""
    if not isinstance(answer, str):
        raise SpeLabError(f"the answer must be C source text, got {type(answer).__name__}; start from the template")
    native.compiler()
    return answer


def judge_c(
    answer: Any,
    measure: Callable[[native.Library], tuple[float, float, float] | str],
    ratio_means: str,
    *,
    name: str,
    appended: str = "",
    limit: float,
    below: bool,
    right: str,
    wrong: str,
) -> Verdict:
    """Return the verdict on C source text that must bring a ratio below `limit` if `below`, else above.

    - measure: runs in the sandbox on the compiled answer; returns (low, ratio, high), or a sentence on the fault
    - ratio_means: a sentence with a place for the ratio; `right` or `wrong` is appended to it
    - name: of the answer, for messages
    - appended: our C, compiled behind the answer
    """
    outcome = judged(c_text(answer) + appended, name, measure)
    if isinstance(outcome, str):
        return Verdict("wrong", outcome)
    low, ratio, high = outcome
    result = f"{ratio_means.format(f'{ratio:.2f}')} (interval {low:.2f} to {high:.2f})"
    if not math.isfinite(low):
        return Verdict("inconclusive", f"{result}: too few clean samples; try again on a quieter machine")
    if high < limit or low > limit:
        is_right = below == (high < limit)
        return Verdict("right" if is_right else "wrong", result + (right if is_right else wrong), measured=True)
    return Verdict("inconclusive", f"{result}: the interval includes {limit}; try again on a quieter machine")
