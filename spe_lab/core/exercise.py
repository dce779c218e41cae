"""Exercises: a question, hints, a solution, and a check that says why an answer is wrong.

An answer of `...` (the placeholder in the notebook) is "not attempted", so that an untouched notebook runs to its end.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spe_lab.core import native, worker
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.text import Text

STATES = ("right", "wrong", "not attempted", "inconclusive")
_MARKS = {"right": "✔", "wrong": "✘", "not attempted": "○", "inconclusive": "≈"}


@dataclass(frozen=True)
class Verdict:
    """What a check found: one of STATES, and the reason in a sentence."""

    state: str
    reason: str

    def __post_init__(self):
        if self.state not in STATES:
            raise SpeLabError(f"state must be one of {', '.join(STATES)}, got {self.state!r}")

    def __str__(self) -> str:
        return f"{_MARKS[self.state]} {self.state}: {self.reason}"

    __repr__ = __str__


@dataclass(frozen=True)
class Exercise:
    """`judge(answer, **given)` returns a Verdict; `answer` is the solution itself, which the tests put to the judge.

    `explanation` says why the solution is one.
    """

    question: str
    hints: tuple[str, ...]
    answer: Any
    explanation: str
    judge: Callable[..., Verdict]

    def check(self, answer: Any = ..., **given: Any) -> Verdict:
        if answer is ...:
            return Verdict("not attempted", "put your answer in the place of the dots and run this cell again")
        try:
            return self.judge(answer, **given)
        except (UnavailableError, MeasurementError) as error:
            return Verdict("inconclusive", str(error))  # the machine's fault, not the answer's
        except SpeLabError as error:
            return Verdict("wrong", str(error))

    def hint(self, number: int = 1) -> Text:
        """The hint of that number, from 1; later ones say more."""
        if not 1 <= number <= len(self.hints):
            raise SpeLabError(f"number must be between 1 and {len(self.hints)} for this exercise, got {number}; later hints say more")
        return Text(self.hints[number - 1])

    def solution(self) -> Text:
        text = self.answer.strip() if isinstance(self.answer, str) else ""
        shown = f"```{'c' if '{' in text else ''}\n{text}\n```" if "{" in text or "\n" in text else f"**{self.answer}**"
        return Text(f"{shown}\n\n{self.explanation}")


def number(answer: Any, meaning: str) -> float:
    """An answer that should be a number (or an exact sympy one); anything else is refused with the cure."""
    try:
        value = float(answer)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise SpeLabError(f"the answer must be a number, {meaning}, got {answer!r:.80}; write for example 2.5")
    return value


def judge_c(answer: Any, measure: Callable[[str], tuple[float, float, float] | str], ratio_means: str, *, limit: float, below: bool,
            right: str, wrong: str) -> Verdict:  # fmt: skip
    """The verdict on C source text that must change a ratio of times: to less than `limit` if `below`, else to more.

    `measure` runs in a worker process; it gives (low, ratio, high), or a sentence on what the code does wrong. `ratio_means`
    has a place for the ratio; `right` and `wrong` end its sentence.
    """
    if not isinstance(answer, str):
        raise SpeLabError(f"the answer must be C source text, got {type(answer).__name__}; start from the template")
    if not native.available():
        return Verdict("inconclusive", native.NO_COMPILER)
    outcome = worker.call(measure, answer, timeout_s=60)
    if isinstance(outcome, str):
        return Verdict("wrong", outcome)
    low, ratio, high = outcome
    said = f"{ratio_means.format(f'{ratio:.2f}')} (interval {low:.2f} to {high:.2f})"
    if not math.isfinite(low):
        return Verdict("inconclusive", f"{said}: too few clean samples; try again on a quieter machine")
    if high < limit:
        return Verdict("right", said + right) if below else Verdict("wrong", said + wrong)
    if low > limit:
        return Verdict("wrong", said + wrong) if below else Verdict("right", said + right)
    return Verdict("inconclusive", f"{said}: the interval includes {limit}; try again on a quieter machine")
