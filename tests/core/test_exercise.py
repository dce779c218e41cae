"""Exercises: what a check says of a right, a wrong, a missing and an impossible answer."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.errors import MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.reader import journal
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, exercises, number
from spe_lab.core.reader.verdict import STATES


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


@pytest.mark.parametrize(
    "answer",
    [
        "half",
        None,
        [1, 2],
        1j,
        sympy.Symbol("x"),
        float("nan"),
        float("inf"),
        10**400,
        pytest.param(-(10**5000), id="huge"),
        np.zeros(2),
    ],
)
def test_what_is_no_number_is_refused_with_an_example(answer):
    verdict = exercise().check(answer)
    assert (
        verdict.state == "wrong"
        and verdict.reason.startswith("the answer must be a number, the share, got ")
        and "2.5" in verdict.reason
    )


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
    assert (exercise().hint(1), exercise().hint(2)) == ("Look.", "Count the halves.")


@pytest.mark.parametrize("beyond", [0, -1, 3])
def test_a_hint_that_does_not_exist_is_refused(beyond):
    with pytest.raises(SpeLabError, match=f"number must be between 1 and 2 for this exercise, got {beyond}"):
        exercise().hint(beyond)


def test_the_solution_shows_the_answer_and_why_and_c_as_a_listing():
    assert exercise().solution() == "Solution: **0.5**\n\nEach second one."
    listing = exercise(answer="\nint f(void) { return 1; }\n").solution()
    assert listing.startswith("Solution: ```c\nint f(void) { return 1; }\n```\n")
    folded = "<details><summary>Solution</summary>\n\n**0.5**\n\nEach second one.\n\n</details>"
    assert exercise().solution()._repr_markdown_() == folded
    assert exercise(answer="\na\nb\n").solution().startswith("Solution: ```\na\nb\n```\n")


def test_all_hints_are_folded_one_by_one_and_printed_in_a_terminal():
    hints = exercise().hint()
    assert repr(hints) == "Hint 1: Look.\n\nHint 2: Count the halves."
    assert hints._repr_markdown_().count("<details><summary>Hint ") == 2


# ---- What a reader's journal makes of it
# -------------------------------------------------------------------------------


@pytest.fixture
def known():
    """An exercise that a topic has."""
    return Exercises("topic", {"halves": exercise()})["halves"]


def test_every_topic_s_registry_is_found():
    found = exercises()
    assert {"memory.ramp", "branches.sorted", "machine.cycles"} <= set(found)
    assert all(asked.id == id for id, asked in found.items())
    assert exercise().id is None
    for topic in registry.topics():
        stem = topic.__name__.rpartition(".")[2]
        assert topic.EXERCISES and all(each.id == f"{stem}.{name}" for name, each in topic.EXERCISES.items())


def test_checking_an_exercise_imports_no_other_topic():
    program = """
import sys
from spe_lab.topics import memory
ramp = memory.EXERCISES["ramp"]
print(ramp.check(ramp.answer).state, memory.EXERCISES["ramp"].check(...).state)
print(*sorted(name for name in sys.modules if name.startswith("spe_lab.topics.") and name.count(".") == 2))
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert said.splitlines() == ["right not attempted", "spe_lab.topics.memory"]


def test_a_restarted_kernel_finds_answers_and_verdicts(known):
    known.check(0.4)
    assert known.answer_given() == 0.4 and "was wrong: count again" in known.check(...).reason
    known.check(0.5)
    known.check(0.6)
    untouched = known.check(...)
    assert (
        untouched.state == "not attempted" and "was right: half of them. .answer_given() shows it" in untouched.reason
    )
    assert known.answer_given() == 0.5
    assert journal.load().exercises["topic.halves"]["last"]["answer"] == 0.6


def test_an_answer_in_c_comes_back_as_it_was_typed():
    asked = Exercises("topic", {"c": exercise(lambda answer: Verdict("right", "it compiles"))})["c"]
    source = "int f(void)\n{\n    return 1;\n}\n"
    asked.check(source)
    assert asked.answer_given() == source and repr(asked.answer_given()) == source


def test_what_was_never_answered_cannot_be_given(known):
    assert known.check(...).reason == "put your answer in the place of the dots and run this cell again"
    with pytest.raises(SpeLabError, match="no answer in the journal"):
        known.answer_given()


def test_a_damaged_journal_is_said_and_the_answer_is_judged(known):
    journal.path().write_text("{")
    verdict = known.check(0.5)
    assert verdict.state == "right" and "Not kept: the journal" in verdict.reason
    assert "cannot be read" in known.check(...).reason
    assert journal.path().read_text() == "{"


def test_dots_in_parts_are_the_judge_s_to_tell_and_not_kept():
    def judge(answer):
        return Verdict("not attempted" if ... in answer else "wrong", "b is missing")

    asked = Exercises("topic", {"parts": exercise(judge)})["parts"]
    assert asked.check([1, ...]) == Verdict("not attempted", "b is missing") and journal.load().exercises == {}
    asked.check([1, 2])
    assert asked.check([..., ...]).reason.startswith("b is missing. Your answer of ")


# ---- Wrong by a measurement
# --------------------------------------------------------------------------------------------


def measuring(*states):
    """An exercise whose judge finds these states, one after the other; and the answers that it was asked about."""
    left, asked = list(states), []

    def judge(answer):
        asked.append(answer)
        return Verdict(left.pop(0), "as measured.", measured=True)

    return exercise(judge, answer="solution"), asked


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (("right",), "right"),
        (("wrong", "right", "wrong"), "wrong"),
        (("wrong", "right", "right"), "right"),
        (("wrong", "wrong"), "inconclusive"),
        (("wrong", "inconclusive"), "inconclusive"),
        (("inconclusive",), "inconclusive"),
    ],
)
def test_wrong_by_a_measurement_must_hold_beside_the_solution(states, state):
    asked, answers = measuring(*states)
    assert asked.check("mine").state == state
    assert answers == ["mine", "solution", "mine"][: len(states)]


def test_a_solution_that_depends_on_a_run_is_worked_out_from_it():
    asked = Exercise("How many?", ("Look.", "Count."), "the last value", "So.", judge, solve=lambda run: run[-1])
    assert asked.solved(run=[1, 2, 0.5]) == 0.5 and exercise().solved() == 0.5
    assert asked.solution().startswith("Solution: **the last value**")


@pytest.mark.machine
@pytest.mark.slow
@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
@pytest.mark.parametrize(
    "id", sorted(id for id, each in exercises().items() if isinstance(each.answer, str) and "{" in each.answer)
)
def test_a_judge_of_c_says_the_same_here_as_in_a_process_of_its_own(id, monkeypatch):
    monkeypatch.setattr(
        "spe_lab.core.reader.judging.judged", lambda text, name, function: function(native.compile_text(text, name))
    )
    asked = exercises()[id]
    verdict = asked.judge(asked.answer)
    assert verdict.state in ("right", "inconclusive"), verdict
    assert asked.check("int x;").state == "wrong"
