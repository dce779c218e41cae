"""Exercises: what a check says of a right, a wrong, a missing and an impossible answer."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.exercise import STATES, Exercise, Verdict, number


def judge(answer, tolerance=0):
    if abs(number(answer, "the share") - 0.5) <= tolerance:
        return Verdict("right", "half of them")
    return Verdict("wrong", "count again")


def exercise(judge=judge, answer=0.5):
    return Exercise("How many?", ("Look.", "Count the halves."), answer, "Each second one.", judge)


def test_a_right_answer_and_a_wrong_one_are_told_with_the_reason():
    assert str(exercise().check(0.5)) == "✔ right: half of them"
    assert repr(exercise().check(0.6)) == "✘ wrong: count again"


def test_the_solution_passes_its_own_judge():
    asked = exercise()
    assert asked.check(asked.answer).state == "right"


def test_dots_or_nothing_at_all_are_not_attempted():
    assert exercise().check(...).state == exercise().check().state == "not attempted"


def test_what_the_check_is_given_reaches_the_judge():
    assert exercise().check(0.6, tolerance=0.2).state == "right"


@pytest.mark.parametrize("answer", ["half", None, [1, 2], 1j, sympy.Symbol("x"), float("nan"), float("inf"), 10**400, np.zeros(2)])
def test_what_is_no_number_is_refused_with_an_example(answer):
    verdict = exercise().check(answer)
    assert verdict.state == "wrong" and verdict.reason.startswith("the answer must be a number, the share, got ") and "2.5" in verdict.reason


@pytest.mark.parametrize("answer", [0.5, "0.5", Fraction(1, 2), Decimal("0.5"), sympy.Rational(1, 2), np.float32(0.5)])
def test_numbers_of_every_kind_are_taken(answer):
    assert exercise().check(answer).state == "right"


@pytest.mark.parametrize("error", [UnavailableError("no compiler"), MeasurementError("no clean sample")])
def test_what_the_machine_could_not_do_is_not_held_against_the_answer(error):
    def judge(_):
        raise error

    assert exercise(judge).check(1) == Verdict("inconclusive", str(error))


def test_a_defect_of_the_judge_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        exercise(lambda answer: 1 / answer).check(0)


def test_an_unknown_state_is_refused():
    with pytest.raises(SpeLabError, match=f"state must be one of {', '.join(STATES)}, got 'maybe'"):
        Verdict("maybe", "")


def test_hints_are_counted_from_one():
    assert (exercise().hint(), exercise().hint(2)) == ("Look.", "Count the halves.")


@pytest.mark.parametrize("beyond", [0, -1, 3])
def test_a_hint_that_does_not_exist_is_refused(beyond):
    with pytest.raises(SpeLabError, match=f"number must be between 1 and 2 for this exercise, got {beyond}"):
        exercise().hint(beyond)


def test_the_solution_shows_the_answer_and_why_and_c_as_a_listing():
    assert exercise().solution() == "**0.5**\n\nEach second one."
    assert exercise(answer="\nint f(void) { return 1; }\n").solution().startswith("```c\nint f(void) { return 1; }\n```\n")
    assert exercise().solution()._repr_markdown_() == str(exercise().solution())
    assert exercise(answer="\na\nb\n").solution().startswith("```\na\nb\n```\n")
