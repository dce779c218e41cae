"""Every exercise is asked in a notebook, and its own solution convinces its judge.

A solution may be inconclusive on a machine that cannot show its effect; it is never wrong, and never unattempted. In the
notebook, where a reader would type it, nbval puts it to the judge (tests/harness/chapters.py).
"""

import inspect
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell
from solutions import ACCEPTED, asked_in, c_cell_of, c_text, checked_in, id_of, solved

from spe_lab.core.c import native
from spe_lab.core.reader.exercise import exercises
from spe_lab.core.reader.judging import same_code

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
EXERCISES = exercises()
ASKED = {id: (path, cell) for path in NOTEBOOKS for id, cell in asked_in(path).items()}
needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


def test_every_exercise_is_asked_once_and_in_its_order():
    for path in NOTEBOOKS:
        asked = list(asked_in(path))
        for stem in {id.partition(".")[0] for id in asked}:
            assert asked == [id for id in EXERCISES if id.startswith(f"{stem}.")], path.name
    assert sorted(ASKED) == sorted(EXERCISES)


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_dots_are_not_attempted_and_nothing_is_kept_of_them(id):
    assert EXERCISES[id].check(...).state == "not attempted"
    assert EXERCISES[id].check().reason == "put your answer in the place of the dots and run this cell again"


@pytest.mark.parametrize("id", sorted(id for id, (_, cell) in ASKED.items() if c_cell_of(cell)))
def test_the_c_cell_holds_the_exercise_s_template_which_is_not_attempted(id):
    path, cell = ASKED[id]
    text = c_text(path, cell)
    assert EXERCISES[id].template and same_code(text, EXERCISES[id].template), "copy the template into the %%c cell"
    assert EXERCISES[id].check(text).state == "not attempted"


@needs_compiler
@pytest.mark.machine
@pytest.mark.slow
@pytest.mark.parametrize(
    "id", sorted(id for id, exercise in EXERCISES.items() if len(inspect.signature(exercise.judge).parameters) == 1)
)
def test_the_solution_convinces_its_judge(id):
    """Exercises that judge a reader's own run are put to their judges in the notebooks, which have one; so are all others there."""
    verdict = EXERCISES[id].check(EXERCISES[id].answer)
    assert verdict.state in ACCEPTED, verdict


# How a cell is read


@pytest.mark.parametrize(
    ("source", "twin"),
    [
        ('q1 = exercise("memory", 1)\nq1.check(...)', "(verdict := q1.check(q1.solved()))"),
        ('q1 = exercise("memory", 1)\nq1.check({"a": ...}, run=x.run)', "q1.check(q1.solved(run=x.run), run=x.run)"),
        ('q1 = exercise("memory", "ramp")\nq1.check(own)', "(verdict := q1.check(q1.solved()))"),
        (
            'q1 = exercise("memory", 1)\nanswer = {"a": ...}\nq1.check(answer)',
            "answer = q1.solved()\n(verdict := q1.ch",
        ),
    ],
)
def test_each_form_has_a_twin_with_the_solution(source, twin):
    cell = new_code_cell(source, id="exercise-one")
    call = checked_in(cell)
    assert id_of(cell, call) == "memory.ramp"
    assert twin in solved(cell, call) and "assert verdict.state in" in solved(cell, call)


def test_a_cell_that_leaves_nothing_to_replace_is_refused():
    cell = new_code_cell('q1 = exercise("memory", 1)\nq1.check(10)', id="exercise-one")
    with pytest.raises(AssertionError, match="exercise-one: the check gets"):
        solved(cell, checked_in(cell))


def test_a_cell_in_c_is_no_check():
    assert checked_in(new_code_cell("%%c own\nint f(void) { return a.check(1); }", id="own")) is None
