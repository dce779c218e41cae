"""Predictions: committed before the machine answers, and scored in one sentence."""

import math

import numpy as np
import pytest

from spe_lab.core import registry
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal
from spe_lab.core.reader.prediction import predict, predict_curve, predict_order
from spe_lab.core.recording import Recording

LAB = "memory.working_set"
KIB = 1 << 10


def run(values=(1.0, 4.0), low=None, high=None, source="measured"):
    x = Axis("size", "B", [16 * KIB, 256 * KIB])
    return Recording(LAB, {}, x, [Curve("walk", source, x, "ns", values, low, high)], {}, {}, "0")


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


@pytest.mark.parametrize(
    ("at", "nearest"), [("1KiB", "16 KiB"), ("60KiB", "16 KiB"), ("68KiB", "256 KiB"), (2**20, "256 KiB")]
)
def test_the_nearest_point_on_a_logarithmic_axis_counts(at, nearest):
    assert predict(LAB, at, 1, 2).score(run()).startswith(f"At size {nearest} ")


def test_on_a_linear_axis_zero_is_a_place_like_any_other():
    x = Axis("p", "", [0.0, 0.4, 0.5])
    measured = Recording(
        "branches.selectivity", {}, x, [Curve("branching", "measured", x, "ns", [1.0, 3.0, 4.0])], {}, {}, "0"
    )
    for at, value in ((0.0, 1), (0.19, 1), (0.21, 3), (0.5, 4)):
        assert f"the time per element was {value} ns" in predict("branches.selectivity", at, 1, 2).score(measured)


def test_no_factor_lies_between_something_and_nothing():
    assert at_256(0, 0).score(run()).endswith("above your range of 0 to 0 ns.")


def test_without_an_interval_the_value_alone_is_scored():
    assert "was 4 ns (4 to 4): inside" in at_256(4, 4).score(run(low=[math.nan] * 2, high=[math.nan] * 2))


@pytest.mark.parametrize(("low", "high"), [(..., ...), (1, ...), (..., 2)])
def test_a_prediction_left_open_asks_for_two_numbers(low, high):
    assert (
        at_256(low, high).score(run())
        == "No prediction yet: put two numbers in the place of the dots, before you look."
    )


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


# ---- What a reader's journal makes of it
# -------------------------------------------------------------------------------


def test_a_restarted_kernel_finds_what_was_committed(capsys):
    at_256(3, 5)
    assert "at size 256 KiB: 3 to 5 ns. Kept in your journal." in capsys.readouterr().out
    found = predict(LAB, "256KiB", low=..., high=...)
    assert (found.low, found.high, found.committed) == (3, 5, True)
    assert capsys.readouterr().out.startswith("From your journal, at size 256 KiB: 3 to 5 ns, committed ")


def test_without_a_journal_an_untouched_prediction_says_nothing(capsys):
    assert (
        not predict(LAB, "256KiB").committed
        and not predict_order(LAB, ..., at="256KiB").committed
        and not predict_curve(LAB).committed
    )
    assert capsys.readouterr().out == ""


def test_after_the_reveal_a_better_prediction_does_not_count(capsys):
    first = at_256(1, 2)
    assert "does not count" not in first.score(run(low=(0.9, 3.8), high=(1.1, 4.2)))
    late = at_256(3, 5)
    assert "It does not count, since a measurement of this lab was shown before." in capsys.readouterr().out
    assert late.score(run()).endswith(
        "It does not count in your journal, since a measurement was shown before you committed it."
    )
    assert predict(LAB, "256KiB").low == 1
    (entry,) = journal.load().predictions.values()
    assert (entry["scored"]["right"], entry["scored"]["of"], entry["scored"]["value"], len(entry["revised"])) == (
        0,
        1,
        4.0,
        1,
    )


def test_measuring_before_predicting_is_noticed_and_data_of_another_machine_reveal_nothing():
    predict(LAB, "256KiB").score(run(source="recorded"))
    assert journal.load().data["shown"] == {}
    predict(LAB, "256KiB").score(run())
    assert list(journal.load().data["shown"]) == [LAB]
    assert "does not count" in at_256(3, 5).score(run())


def test_a_measurement_at_other_settings_is_no_answer():
    there = Recording(
        "branches.selectivity", {"payload": "64 B"}, Axis("p", "", [0.0, 0.5]), run().measured, {}, {}, "0"
    )
    said = predict("branches.selectivity", 0.5, 1, 2).score(there)
    assert said == "This was measured at payload 64 B, and your prediction is for payload none: measure there."
    assert journal.load().data["shown"] == {}
    x = Axis("p", "", [0.0, 0.5])
    moved = Recording(
        "branches.selectivity", {"payload": "64 B"}, x, [Curve("branching", "measured", x, "ns", [1, 4])], {}, {}, "0"
    )
    assert "inside your range" in predict("branches.selectivity", 0.5, 3, 5, payload="64 B").score(moved)


def test_a_damaged_journal_is_said_and_stops_nobody(capsys):
    journal.path().write_text("{")
    assert "inside your range of 3 to 5 ns. Not kept: the journal " in at_256(3, 5).score(run())
    assert "repair it, or move it away" in capsys.readouterr().out
    assert not predict(LAB, "256KiB").committed
    assert journal.path().read_text() == "{"


# ---- Orders
# ------------------------------------------------------------------------------------------------------------


def two_curves(dependent=(1.0, 4.0), independent=(0.5, 2.0), spread=0.1):
    x = Axis("size", "B", [16 * KIB, 256 * KIB])
    curves = [
        Curve(name, "measured", x, "ns", values, [v * (1 - spread) for v in values], [v * (1 + spread) for v in values])
        for name, values in (("dependent (random cycle)", dependent), ("independent (strided sum)", independent))
    ]
    return Recording(LAB, {}, x, curves, {}, {}, "0")


def test_an_order_of_curves_is_scored_by_pairs():
    right, wrong = (
        predict_order(LAB, *names, at="256KiB")
        for names in (("independent", "dependent"), ("dependent", "independent"))
    )
    assert (
        right.score(two_curves())
        == "At size 256 KiB, from the smallest: independent (strided sum) 2 ns (1.8 to 2.2), dependent (random cycle) 4"
        " ns (3.6 to 4.4). Your order has 1 of 1 pairs right."
    )
    assert "has 0 of 1 pairs right" in wrong.score(two_curves())


def test_pairs_that_cannot_be_told_apart_count_for_neither():
    said = predict_order(LAB, "dependent", "independent", at="256KiB").score(two_curves(spread=0.5))
    assert said.endswith(
        "has 0 of 0 pairs right. 1 of all pairs cannot be told apart on this machine and counts for neither."
    )


def test_an_order_of_places_is_scored_on_the_first_curve():
    assert "has 1 of 1 pairs right" in predict_order(LAB, "16KiB", "256KiB").score(two_curves())
    assert predict_order(LAB, "16KiB", "256KiB").drawn.label == "your prediction: 16 KiB < 256 KiB"


def test_an_order_is_found_again():
    predict_order(LAB, "independent", "dependent", at="256KiB")
    assert predict_order(LAB, ..., at="256KiB").candidates == ("independent (strided sum)", "dependent (random cycle)")
    predict_order(LAB, "1MiB", "16KiB")
    assert predict_order(LAB, ...).candidates == (1 << 20, 16 * KIB)


def test_an_order_without_two_clean_points_is_not_decided():
    assert "No clean sample" in predict_order(LAB, "dependent", "independent", at="256KiB").score(
        two_curves(independent=(1, math.nan))
    )


@pytest.mark.parametrize(
    ("candidates", "at", "complaint"),
    [
        (("dependent", "fast"), "256KiB", "must be measured curves of memory.working_set .*, got 'fast'"),
        (("dependent", 3), "256KiB", "must be measured curves"),
        (("dependent", "dependent"), "256KiB", "must be two or more different ones"),
        (("dependent",), "256KiB", "must be two or more"),
        (("16KiB", "16384"), None, "must be two or more different ones"),
        (("16KiB", "1 ns"), None, "size must be a quantity in B"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(candidates, at, complaint):
    with pytest.raises(SpeLabError, match=complaint):
        predict_order(LAB, *candidates, at=at)


# ---- Curves
# ------------------------------------------------------------------------------------------------------------


def test_a_curve_is_straight_on_the_axes_of_the_figure():
    curve = predict_curve(LAB, {"16KiB": 1, "1MiB": 100})
    assert curve.at(np.array([16.0 * KIB, 128 * KIB, 1 << 20]), registry.get(LAB)) == pytest.approx([1, 10, 100])
    linear = predict_curve("branches.predictor", {0: 0, 1: 0.5})
    assert linear.at(np.array([0.0, 0.5, 1]), registry.get("branches.predictor")) == pytest.approx([0, 0.25, 0.5])


def test_a_curve_is_scored_at_the_measured_points_that_it_spans():
    measured = run((1.0, 4.0), (0.9, 3.8), (1.1, 4.2))
    assert (
        predict_curve(LAB, {"16KiB": 1.2, "256KiB": 5}).score(measured)
        == "Of 2 points measured between size 16 KiB and 256 KiB, 2 lie within a factor of 1.5 of your curve. "
        "Farthest off at size 256 KiB: measured 4 ns (3.8 to 4.2), yours 5 ns, a factor of 1.2."
    )
    assert "2 points measured between size 8 KiB and 1 MiB, 0 lie" in predict_curve(
        LAB, {"8KiB": 100, "1MiB": 100}
    ).score(measured)
    assert ", 1 lie within a factor of 1.1 of" in predict_curve(LAB, {"16KiB": 1, "256KiB": 5}, within=1.1).score(
        measured
    )
    assert "No clean sample" in predict_curve(LAB, {"512KiB": 1, "1MiB": 5}).score(measured)


def test_a_model_can_be_chosen_as_the_curve():
    chosen = predict_curve(LAB, "staircase")
    assert chosen.in_words.startswith("the curve staircase, from ")
    (model,) = [curve for curve in chosen_models() if curve.name == "staircase"]
    assert chosen.at(model.x.values, registry.get(LAB)) == pytest.approx(model.values)
    assert predict_curve(LAB).knots == chosen.knots and predict_curve(LAB).name == "staircase"


def chosen_models():
    lab = registry.get(LAB)
    return lab.predict(lab.point(), lab.x(), lab.recorded_fit)


def test_the_band_of_a_curve_is_what_counts_as_hit():
    sketch = predict_curve(LAB, {"16KiB": 1, "1MiB": 100}, within=2).drawn
    assert (sketch.low[0], sketch.high[0], sketch.low[-1], sketch.high[-1]) == pytest.approx((0.5, 2, 50, 200))


@pytest.mark.parametrize(
    ("curve", "within", "complaint"),
    [
        ("cliff", 1.5, "curve must be a model of memory.working_set .*, got 'cliff'"),
        ({"16KiB": 1}, 1.5, "curve must have two or more points"),
        ({"16KiB": 1, 16 * KIB: 2}, 1.5, "curve must have two or more points at different size"),
        ({"16KiB": 1, "1MiB": 0}, 1.5, "values of the curve must be above 0, got 0"),
        ({"16KiB": 1, "1MiB": math.nan}, 1.5, "the value at 1MiB must be a finite number"),
        ({}, 1.5, "curve must have two or more points"),
        (7, 1.5, "curve must be points"),
        ({"16KiB": 1, "1MiB": 2}, 0.5, "within must be a factor of at least 1"),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(curve, within, complaint):
    with pytest.raises(SpeLabError, match=complaint):
        predict_curve(LAB, curve, within)


# ---- What all kinds have in common
# -------------------------------------------------------------------------------------

KINDS = {
    "range": lambda: at_256(1, 2),
    "order": lambda: predict_order(LAB, "16KiB", "256KiB"),
    "curve": lambda: predict_curve(LAB, {"16KiB": 1, "256KiB": 5}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_committed_scored_kept_and_drawn(kind):
    prediction = KINDS[kind]()
    assert prediction.committed and prediction.drawn.said.startswith("your prediction") and prediction.in_words
    assert prediction.score(None) == "No measurement yet: press Measure."
    prediction.score(run())
    (entry,) = journal.load().predictions.values()
    assert (entry["kind"], entry["lab"]) == (kind, LAB) and entry["scored"]["of"] >= entry["scored"]["right"] >= 0
    assert prediction.filled(prediction.values) == prediction


@pytest.mark.parametrize(
    "prediction", [lambda: predict(LAB, "1MiB"), lambda: predict_order(LAB, ...), lambda: predict_curve(LAB)]
)
def test_every_kind_can_be_left_open(prediction):
    assert prediction().drawn is None and prediction().score(run()).startswith("No prediction yet: ")
