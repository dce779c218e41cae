"""The exercises on planning: what a changed graph must keep, and the first failure by simulation."""

import re

import numpy as np
import pytest

from spe_lab.models.task_graph import PAGE
from spe_lab.topics import scaling
from spe_lab.topics.scaling import planning

CHECK = scaling.EXERCISES["page"].check


def test_the_page_is_too_slow_and_the_solution_is_not():
    assert CHECK(...).state == "not attempted"
    assert "no schedule is shorter than the span" in CHECK(PAGE).reason
    assert CHECK(planning.PAGE_SOLUTION).state == "right"


def test_cutting_the_hot_path_is_not_the_solution():
    parts = "\n".join(f"resize.{i}.{k} 1.5ms after parse" for i in range(1, 9) for k in (1, 2))
    rest = "\n".join(line for line in PAGE.splitlines() if line and not line.startswith(("resize", "send")))
    names = ", ".join(f"resize.{i}.{k}" for i in range(1, 9) for k in (1, 2))
    verdict = CHECK(f"{rest}\n{parts}\nsend 1ms after render, {names}")
    assert verdict.state == "wrong" and "span: 17 ms" in verdict.reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("query.1   3ms", "query.1   2ms"),
            "the parts of query must take 6 ms together, as in the page, and they take 5 ms",
        ),
        (
            ("rank.1    2ms after query.1, query.2", "rank.1    2ms after query.1"),
            "rank.1 must wait for all of query, and it does not wait for query.2",
        ),
        (("parse     2ms", "parse     2ms\nextra 1ms"), "no task of the code extra"),
        (("render.2, ", ""), "send must wait for all of render"),
        (("send      1ms after", "resize.9  0.01ms after"), "this graph has no task of the code send"),
        (("parse     2ms", "parse     2"), ""),
        (("parse     2ms", "parse"), "line 1: a task must be"),
    ],
)
def test_what_the_page_must_keep_is_said(change, said):
    verdict = CHECK(planning.PAGE_SOLUTION.strip().replace(*change))
    assert verdict.state == ("wrong" if said else "right")
    assert said in verdict.reason


def test_something_else_than_text_is_refused():
    assert "must be a graph as text, got int" in CHECK(7).reason


def test_the_first_simulated_failure_comes_when_the_exercise_says():
    drawn = scaling.EXERCISES.entries["first_failure"].exercise(3)
    fleet, years = map(int, re.findall(r"\d+", drawn.question))
    lifetimes = np.random.default_rng(1).exponential(years * 365.25, (20_000, fleet))
    # The standard error of the mean of 20,000 exponential times is 0.7 %.
    assert lifetimes.min(axis=1).mean() == pytest.approx(drawn.answer, rel=0.03)


@pytest.mark.parametrize("name", sorted(planning.PLANNING))
def test_every_exercise_has_hints_and_a_solution(name):
    exercise = scaling.EXERCISES[name]
    assert exercise.question.rstrip().endswith(("?", ".")) and len(exercise.hints) >= 2 and str(exercise.solution())
    assert exercise.check(exercise.answer).state == "right"
