"""Every exercise is asked in a notebook, and its own solution convinces its judge.

A solution may be inconclusive on a machine that cannot show its effect; it is never wrong, and never unattempted. In the
notebook, where a reader would type it, nbval puts it to the judge (tests/harness/chapters.py).
"""

import inspect
from pathlib import Path

import pytest
from solutions import ACCEPTED, asked_in

from spe_lab.core.c import native
from spe_lab.core.reader.exercise import exercises

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
EXERCISES = exercises()
needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


def test_exercises_are_found_in_every_topic_that_has_a_notebook():
    assert {id.partition(".")[0] for path in NOTEBOOKS for id in asked_in(path)} == {
        id.partition(".")[0] for id in EXERCISES
    }


def test_every_exercise_is_asked_in_a_notebook():
    assert sorted(id for path in NOTEBOOKS for id in asked_in(path)) == sorted(EXERCISES)


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_dots_are_not_attempted_and_nothing_is_kept_of_them(id):
    assert EXERCISES[id].check(...).state == "not attempted"
    assert EXERCISES[id].check().reason == "put your answer in the place of the dots and run this cell again"


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
