"""Exercises: a question, hints, a solution, and a check that explains why an answer is wrong.

An answer of `...` (the placeholder in the notebook) is "not attempted", so that an untouched notebook runs to its end;
so is an unchanged template in C. The reader's journal keeps the answers to a topic's exercises with their verdicts, for
other kernels and notebooks. Topics import everything that they write exercises with from here.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spe_lab.core import registry
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.mode import building_book
from spe_lab.core.reader import journal
from spe_lab.core.reader.judging import c_text, compared, judge_c, number, own_run, same_code
from spe_lab.core.reader.seeded import reader_draw, reader_seed
from spe_lab.core.reader.verdict import Verdict
from spe_lab.core.text import Folded, Source, Text

__all__ = [
    "Exercise",
    "Exercises",
    "Seeded",
    "Verdict",
    "c_text",
    "compared",
    "exercises",
    "judge_c",
    "number",
    "own_run",
]

PUT = "put your answer in the place of the dots and run this cell again"
_MOST_TRIES = 100  # draws until a question differs
_FLOAT_BITS = 1024  # a whole number of more bits exceeds every float
CHANGE = "change the C code in its cell, run that cell and then this one"


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    - judge: a function; `judge(answer, **given)` returns a Verdict
    - answer: the solution; if that depends on what is `given` (such as the reader's run), how to find it, in words
    - solve: `solve(**given)` computes the solution in that case
    - explanation: why the solution is right
    - template: C source text that the notebook's `%%c` cell holds for the reader to change
    - id: its name in the journal, set by Exercises; without one, answers are not kept
    - draw: which numbers were drawn, set by Seeded; None if the numbers are fixed
    """

    question: str
    hints: tuple[str, ...]
    answer: Any
    explanation: str
    judge: Callable[..., Verdict]
    solve: Callable[..., Any] | None = None
    template: str | None = None
    id: str | None = None
    draw: int | None = None

    def check(self, answer: Any = ..., **given: Any) -> Verdict:
        """Return the verdict; the journal keeps it with the answer. Without an answer, recall the journal's.

        `answer` is a number, a text or the like; in C the cell object of `%%c`, or source text.
        """
        if isinstance(answer, int) and answer.bit_length() > _FLOAT_BITS:
            answer = math.inf if answer > 0 else -math.inf  # Python refuses to print thousands of digits
        source = getattr(answer, "source", answer)
        code = source if isinstance(source, str) else None
        if untouched := self._untouched(answer, code):
            return untouched
        verdict = self._judged(answer, given)
        id, given_answer = self.id, answer if code is None else code
        if verdict.state == "not attempted":
            return self._with_question(replace(verdict, reason=verdict.reason + self._recalled()))
        if id is None:
            return verdict
        _, complaint = journal.attempt(
            lambda kept: kept.answered(
                id, given_answer, verdict.state, verdict.reason, draw=self.draw, question=self.question
            ),
            None,
        )
        again = ".another() asks again with other numbers" if self.draw is not None and verdict.state == "right" else ""
        return replace(verdict, reason=". ".join(filter(None, (verdict.reason, again, complaint))))

    def _untouched(self, answer: Any, code: str | None) -> Verdict | None:
        """Return the verdict on dots or on an unchanged template; None for an answer."""
        put = "a running notebook checks answers; the solution can be unfolded here" if building_book() else PUT
        if answer is ...:
            return self._with_question(Verdict("not attempted", put + self._recalled()))
        if self.template is None or code is None or not same_code(code, self.template):
            return None
        if isinstance(reason := getattr(answer, "reason", None), str):  # nothing compiles here
            return Verdict("inconclusive", reason)
        return Verdict("not attempted", (put if building_book() else CHANGE) + self._recalled())

    def _with_question(self, verdict: Verdict) -> Verdict:
        return verdict if self.draw is None else replace(verdict, question=self.question)

    def answer_given(self) -> Any:
        """Return the reader's answer from the journal: the last right one, or else the last.

        For drawn numbers, only an answer to the numbers of now is returned.
        """
        entry = journal.load().exercises.get(self.id, {"right": None, "last": None})
        kept = [given for given in (entry["right"], entry["last"]) if given and self._is_to_this(given)]
        if not kept:
            numbers = "" if self.draw is None else " with these numbers"
            rule = f"this exercise must have been answered before{numbers}, got no answer in the journal"
            raise SpeLabError(f"{rule}; put one in the place of the dots")
        answer = kept[0]["answer"]
        return Source(answer) if isinstance(answer, str) else answer

    def _is_to_this(self, given: Mapping[str, Any]) -> bool:
        return self.draw is None or given.get("question") == self.question

    def solved(self, **given: Any) -> Any:
        """Return the solution as an answer, computed from what the check is given where it depends on that.

        If that is no measurement of the reader's own, return how to find it: the check is inconclusive then.
        """
        try:
            return self.solve(**given) if self.solve else self.answer
        except (UnavailableError, MeasurementError):
            return self.answer

    def _recalled(self) -> str:
        try:
            entry = journal.load().exercises.get(self.id)
        except SpeLabError as error:
            return f". Your earlier answers cannot be read: {error}"
        if entry is None:
            return ""
        best = next((given for given in (entry["right"], entry["last"]) if given and self._is_to_this(given)), None)
        shown = best or entry["right"] or entry["last"]
        verdict = f"{shown['state']}: {shown['reason']}"
        numbers, where = ("", ". .answer_given() shows it") if best else (", to other numbers,", "")
        return f". Your answer of {journal.told(shown['time'])}{numbers} was {verdict}{where}"

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

    def hint(self, number: int | None = None) -> Text:
        """Return all hints, each folded; or one by its number, from 1. Later hints say more."""
        if number is None:
            return Folded(*((f"Hint {i}", hint) for i, hint in enumerate(self.hints, start=1)))
        if not 1 <= number <= len(self.hints):
            raise SpeLabError(
                f"number must be between 1 and {len(self.hints)} for this exercise, got {number}; later hints say more"
            )
        return Text(self.hints[number - 1])

    def solution(self) -> Text:
        """Return the solution with its explanation, folded."""
        text = self.answer.strip() if isinstance(self.answer, str) else ""
        if "{" in text or "\n" in text:
            shown = f"```{'c' if '{' in text else ''}\n{text}\n```"
        else:
            shown = f"**{self.answer:.4g}**" if isinstance(self.answer, float) else f"**{self.answer}**"
        return Folded(("Solution", f"{shown}\n\n{self.explanation}"))


@dataclass(frozen=True)
class Seeded:
    """An exercise whose numbers are drawn: `make(rng)` returns the Exercise with numbers from `rng`.

    `make` must use `rng` for every choice, write the numbers into the question, and judge by them.
    """

    make: Callable[[random.Random], Exercise]
    id: str | None = None

    def exercise(self, seed: int, draw: int = 0) -> Exercise:
        """Return the exercise of this seed and draw."""
        return replace(self.make(random.Random(f"{seed} {self.id} {draw}")), id=self.id, draw=draw)

    def next_draw(self, seed: int, draw: int) -> int:
        """Return the next draw whose question differs from the question of `draw`."""
        asked = self.exercise(seed, draw).question
        for following in range(draw + 1, draw + _MOST_TRIES):
            if self.exercise(seed, following).question != asked:
                return following
        raise SpeLabError(f"{self.id} must draw different numbers, got the same question {_MOST_TRIES} times")


class Exercises(Mapping[str, Exercise]):
    """A topic's exercises by name, in the order of the notebook. Each gets the id `stem.name`, such as "memory.ramp".

    A Seeded one is given with the numbers of this reader; `entries` has it as it was written.
    """

    def __init__(self, stem: str, exercises: Mapping[str, Exercise | Seeded]) -> None:
        self.entries = {name: replace(entry, id=f"{stem}.{name}") for name, entry in exercises.items()}

    def __getitem__(self, name: str) -> Exercise:
        entry = self.entries[name]
        return entry.exercise(reader_seed(), reader_draw(entry.id)) if isinstance(entry, Seeded) else entry

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def exercises() -> dict[str, Exercise]:
    """Return all exercises by id. Each topic has its Exercises as EXERCISES."""
    every = (exercise for topic in registry.topics() for exercise in getattr(topic, "EXERCISES", {}).values())
    return {exercise.id: exercise for exercise in every}
