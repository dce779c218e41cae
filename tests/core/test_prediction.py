"""Predictions: committed before the machine answers, and scored in one sentence."""

import math

import pytest

from spe_lab.core.curve import Axis, Curve, Run
from spe_lab.core.errors import SpeLabError
from spe_lab.core.prediction import predict

LAB = "memory.working_set"
KIB = 1 << 10


def run(values=(1.0, 4.0), low=None, high=None, source="measured"):
    x = Axis("size", "B", [16 * KIB, 256 * KIB])
    return Run(LAB, {}, x, [Curve("walk", source, x, "ns", values, low, high)], [], None, {}, "0")


def at_256(low, high):
    return predict(LAB, "256KiB", low, high)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (3, 5, "inside your range of 3 to 5 ns."),
        (4.1, 9, "inside your range of 4.1 to 9 ns."),  # it meets the interval
        (1, 2, "above your range of 1 to 2 ns, by a factor of 1.9."),
        (8.4, 9, "below your range of 8.4 to 9 ns, by a factor of 2."),
    ],
)
def test_a_prediction_is_scored_by_the_measured_interval(low, high, said):
    scored = at_256(low, high).score(run(low=(0.9, 3.8), high=(1.1, 4.2)))
    assert scored == f"At size 256 KiB the time per access was 4 ns (3.8 to 4.2): {said}"


@pytest.mark.parametrize(("at", "nearest"), [("1KiB", "16 KiB"), ("60KiB", "16 KiB"), ("68KiB", "256 KiB"), (2**20, "256 KiB")])
def test_the_nearest_point_on_a_logarithmic_axis_counts(at, nearest):
    assert predict(LAB, at, 1, 2).score(run()).startswith(f"At size {nearest} ")


def test_on_a_linear_axis_zero_is_a_place_like_any_other():
    x = Axis("p", "", [0.0, 0.4, 0.5])
    measured = Run("branches.selectivity", {}, x, [Curve("branching", "measured", x, "ns", [1.0, 3.0, 4.0])], [], None, {}, "0")
    for at, value in ((0.0, 1), (0.19, 1), (0.21, 3), (0.5, 4)):
        assert f"the time per element was {value} ns" in predict("branches.selectivity", at, 1, 2).score(measured)


def test_no_factor_lies_between_something_and_nothing():
    assert at_256(0, 0).score(run()).endswith("above your range of 0 to 0 ns.")


def test_without_an_interval_the_value_alone_is_scored():
    assert "was 4 ns (4 to 4): inside" in at_256(4, 4).score(run(low=[math.nan] * 2, high=[math.nan] * 2))


@pytest.mark.parametrize(("low", "high"), [(..., ...), (1, ...), (..., 2)])
def test_a_prediction_left_open_asks_for_two_numbers(low, high):
    assert at_256(low, high).score(run()) == "No prediction yet: put two numbers in the place of the dots, before you look."


@pytest.mark.parametrize("measured", [None, run(source="recorded")])
def test_data_of_another_machine_are_no_answer(measured):
    assert at_256(1, 2).score(measured) == "No measurement yet: press Measure."


def test_a_point_without_a_clean_sample_is_no_answer():
    assert "No clean sample" in at_256(1, 2).score(run(values=(1.0, math.nan)))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((LAB, "256KiB", 5, 3), "low must be at least 0 and at most high, got low=5, high=3; swap them"),
        ((LAB, "256KiB", -1, 3), "low must be at least 0"),
        ((LAB, "256KiB", math.nan, 3), "low must be a finite number"),
        ((LAB, "256KiB", 1, "3"), "high must be a finite number"),
        ((LAB, "256 ns", 1, 3), "size must be a quantity in B"),
        ((LAB, "1B", 1, 3), "size must be between"),
        (("memory.nope", "256KiB", 1, 3), "lab must be one of"),
    ],
)
def test_a_prediction_that_means_nothing_is_refused(arguments, complaint):
    with pytest.raises(SpeLabError, match=complaint):
        predict(*arguments)
