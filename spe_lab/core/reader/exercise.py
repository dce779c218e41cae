"""Exercises: a question, hints, a solution, and a check that says why an answer is wrong.

An answer of `...` (the placeholder in the notebook) is "not attempted", so that an untouched notebook runs to its end.
Answers to a topic's exercises are kept in the reader's journal with their verdicts; a restarted kernel and another copy
of the notebook find them there.
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
    """What a check found: one of STATES, and the reason in a sentence; `measured` if it rests on a measurement made for
    it.
    """

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
    """`judge(answer, **given)` returns a Verdict; `answer` is the solution itself, which the tests put to the judge.

    Where the right answer depends on what is `given` (a run of the reader's own), `answer` says in words how one gets
    it, and `solve(**given)` gets it. `explanation` says why the solution is one. `id` is given by Exercises; without
    one, answers are not kept.
    """

    question: str
    hints: tuple[str, ...]
    answer: Any
    explanation: str
    judge: Callable[..., Verdict]
    solve: Callable[..., Any] | None = None
    id: str | None = None

    def check(self, answer: Any = ..., **given: Any) -> Verdict:
        """The verdict, which the journal keeps with the answer. Without an answer, what the journal has is recalled."""
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
        _, complaint = journal.attempt(lambda kept: kept.answered(id, answer, verdict.state, verdict.reason), None)
        return replace(verdict, reason=f"{verdict.reason}. {complaint}") if complaint else verdict

    def answer_given(self) -> Any:
        """The reader's own answer from the journal: the last right one, or else the last."""
        kept = journal.load().exercises.get(self.id)
        if kept is None:
            raise SpeLabError(
                "this exercise must have been answered before, got no answer in the journal; put one in the place of"
                " the dots"
            )
        answer = (kept["right"] or kept["last"])["answer"]
        return Source(answer) if isinstance(answer, str) else answer

    def solved(self, **given: Any) -> Any:
        """The solution as an answer, worked out from what the check is given where it depends on that."""
        return self.solve(**given) if self.solve else self.answer

    def _recalled(self, id: str | None) -> str:
        try:
            kept = journal.load().exercises.get(id)
        except SpeLabError as error:
            return f". Your earlier answers cannot be read: {error}"
        if kept is None:
            return ""
        told = kept["right"] or kept["last"]
        return (
            f". Your answer of {journal.told(told['time'])} was {told['state']}: {told['reason']}. .answer_given()"
            " shows it"
        )

    def _judged(self, answer: Any, given: Mapping[str, Any]) -> Verdict:
        """The judge's verdict. "Wrong" by a measurement must hold a second time, after the solution was found right
        between the two: a machine that is busy now can make any program slow.
        """
        try:
            verdict = self.judge(answer, **given)
            if verdict.state == "wrong" and verdict.measured:
                if self.judge(self.answer, **given).state != "right":
                    return Verdict(
                        "inconclusive",
                        f"{verdict.reason} But just now even the solution fails on this machine; try again when it is"
                        " quieter",
                    )
                verdict = self.judge(answer, **given)
            return verdict
        except (UnavailableError, MeasurementError) as error:
            return Verdict("inconclusive", str(error))  # the machine's fault, not the answer's
        except SpeLabError as error:
            return Verdict("wrong", str(error))

    def hint(self, number: int = 1) -> Text:
        """The hint of that number, from 1; later ones say more."""
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
    """A topic's exercises by name. Each gets the id `stem.name`, such as "memory.ramp", which the journal keeps."""

    def __init__(self, stem: str, exercises: Mapping[str, Exercise]) -> None:
        self._exercises = {name: replace(each, id=f"{stem}.{name}") for name, each in exercises.items()}

    def __getitem__(self, name: str) -> Exercise:
        return self._exercises[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._exercises)

    def __len__(self) -> int:
        return len(self._exercises)


def exercises() -> dict[str, Exercise]:
    """Every exercise by id. A topic shows its Exercises as EXERCISES."""
    return {each.id: each for topic in registry.topics() for each in getattr(topic, "EXERCISES", {}).values()}


def number(answer: Any, meaning: str) -> float:
    """An answer that should be a number (or an exact sympy one); anything else is refused with the cure."""
    try:
        value = float(answer)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise SpeLabError(f"the answer must be a number, {meaning}, got {answer!r:.80}; write for example 2.5")
    return value


def c_text(answer: Any) -> str:
    """An answer that should be C source text. Raises UnavailableError where no C can be compiled."""
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
    """The verdict on C source text that must change a ratio of times: to less than `limit` if `below`, else to more.

    - `measure` runs in the sandbox on the compiled answer; it gives (low, ratio, high), or a sentence on what is wrong.
    - `ratio_means` has a place for the ratio; `right` and `wrong` end its sentence.
    - `name` names the answer in messages; `appended` is C of ours that is compiled behind it.
    """
    outcome = judged(c_text(answer) + appended, name, measure)
    if isinstance(outcome, str):
        return Verdict("wrong", outcome)
    low, ratio, high = outcome
    said = f"{ratio_means.format(f'{ratio:.2f}')} (interval {low:.2f} to {high:.2f})"
    if not math.isfinite(low):
        return Verdict("inconclusive", f"{said}: too few clean samples; try again on a quieter machine")
    if high < limit or low > limit:
        is_right = below == (high < limit)
        return Verdict("right" if is_right else "wrong", said + (right if is_right else wrong), measured=True)
    return Verdict("inconclusive", f"{said}: the interval includes {limit}; try again on a quieter machine")
