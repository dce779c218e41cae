"""Predictions: committed before the machine answers, and scored in one sentence."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from spe_lab.core import registry
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal
from spe_lab.core.reader.prediction import predict, predict_choice, predict_curve, predict_order
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
    assert scored.startswith(f"At size 256 KiB the time per access was 4 ns (3.8 to 4.2): {said} Your score is ")


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
    x = Axis("p", "", [0.0, 0.5])
    measured = Recording(LAB, {}, x, [Curve("branching", "measured", x, "ns", [1.0, 3.0])], {}, {}, "0")
    measured = replace(measured, lab="branches.selectivity")
    assert "above your range of 0 to 0 ns. Your score" in predict("branches.selectivity", 0.5, 0, 0).score(measured)


def test_without_an_interval_the_value_alone_is_scored():
    assert "was 4 ns (4 to 4): inside" in at_256(4, 4).score(run(low=[math.nan] * 2, high=[math.nan] * 2))


@pytest.mark.parametrize(("low", "high"), [(..., ...), (1, ...), (..., 2)])
def test_a_prediction_left_open_waits_and_reveals_nothing(low, high):
    waiting = at_256(low, high).score(run())
    assert not waiting and str(waiting) == "Commit a range above, or press Skip, and run this cell again."
    assert journal.load().data["shown"] == {}


@pytest.mark.parametrize("measured", [None, run(source="recorded")])
def test_data_of_another_machine_are_no_answer(measured):
    assert at_256(1, 2).score(measured) == "No measurement yet: press Measure."


def test_a_point_without_a_clean_sample_is_no_answer():
    assert "No clean sample" in at_256(1, 2).score(run(values=(1.0, math.nan)))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((LAB, "256KiB", 5, 3), "low must be at most high, got low=5 ns and high=3 ns; swap them"),
        ((LAB, "256KiB", -1, 3), "low must be above 0, as the figure is logarithmic, got -1 ns; write the smallest"),
        ((LAB, "256KiB", 0, 3), "low must be above 0"),
        (("branches.selectivity", 0.5, -1, 3), "low must be at least 0, got -1 ns; write the smallest"),
        ((LAB, "256KiB", math.nan, 3), r"low must be a finite number \(of ns\), got nan; write for example low=20 ns"),
        ((LAB, "256KiB", 1, math.inf), "high must be a finite number"),
        ((LAB, "256KiB", 1, 10**400), "high must be a finite number"),
        ((LAB, "256KiB", 1, 1e308), "high must be a value that a figure can show, got 1e.308"),
        ((LAB, "256KiB", 1e-300, 1), "low must be a value that a figure can show"),
        ((LAB, "256KiB", 1, None), "high must be a finite number"),
        ((LAB, "256KiB", [1], 2), "low must be a finite number"),
        ((LAB, "256KiB", True, 2), "low must be a finite number"),
        ((LAB, "256KiB", 1, "3 KiB"), "high must be a quantity in ns, got '3 KiB'; write for example high="),
        ((LAB, "256KiB", "", 3), "low must be a number, got nothing; write for example low=20 ns"),
        ((LAB, "256KiB", "some", 3), "low must be a quantity in ns, got 'some'"),
        ((LAB, "256KiB", "x" * 100_000, 3), "low must be a quantity in ns, got 'xxxxxxxxxxxxxxxxxxxx'… of 100000 char"),
        ((LAB, None, 1, 3), "predict must get one of at and mark, got neither"),
        ((LAB, "256 ns", 1, 3), "size must be a quantity in B"),
        ((LAB, "1B", 1, 3), "size must be between"),
        (("memory.nope", "256KiB", 1, 3), "lab must be one of"),
    ],
)
def test_a_prediction_that_means_nothing_is_refused(arguments, complaint):
    with pytest.raises(SpeLabError, match=complaint):
        predict(*arguments)


@pytest.mark.parametrize(
    ("low", "high", "words"), [("5ns", "0.1 us", "5 to 100 ns"), (" 5 ", "7", "5 to 7 ns"), ("1e1", 20, "10 to 20 ns")]
)
def test_ends_may_be_text_with_units(low, high, words):
    assert at_256(low, high).in_words == words


def test_shares_may_be_given_in_per_cent_and_bytes_with_their_prefix():
    assert predict("branches.predictor", 0.5, "20 %", "40").values == {"low": 0.2, "high": 0.4}
    assert predict("machine.facts", 1, "16KiB", "64 KiB").in_words == "16 KiB to 64 KiB"


def test_a_range_of_another_curve_is_scored_by_that_curve():
    second = predict(LAB, "256KiB", 1.5, 3, curve="independent")
    assert "independent (strided sum)) was 2 ns" in second.score(two_curves())
    assert second.asked == "independent (strided sum) at size 256 KiB" and second.key != at_256(1, 2).key
    with pytest.raises(SpeLabError, match=r"must be measured curves of memory.working_set .*, got 'slow'"):
        predict(LAB, "256KiB", 1, 2, curve="slow")


def test_a_mark_is_scored_by_the_model_of_the_run(monkeypatch):
    lab = registry.get("scaling.cost")
    run = lab.recorded()
    run = replace(run, measured=[replace(curve, source="measured") for curve in run.measured])
    place = lab.marks({**lab.point(), **run.point}, lab.fitted(run).fit)["out pays from"]
    inside = predict(lab.id, mark="out pays from", low=place / 2, high=2 * place)
    assert inside.score(run).startswith("“out pays from” is at N ") and "inside your range" in inside.score(run)
    assert inside.drawn.across == (place / 2, 2 * place) and inside.drawn.x == ()
    (entry,) = journal.load().predictions.values()
    assert (entry["kind"], entry["asked"], entry["unit"]) == ("mark", "for the mark “out pays from”", "")
    assert entry["scored"]["value"] == pytest.approx(place) and entry["scored"]["score"] == pytest.approx(math.log(4))
    monkeypatch.setattr(type(lab), "marks", lambda *_: {"out pays from": math.nan})
    assert "there is no place to mark" in inside.score(run)
    with pytest.raises(SpeLabError, match=r"mark must be one of scaling.cost .'out pays from'.*, got 'cheap'"):
        predict(lab.id, mark="cheap")


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
        not predict_choice(LAB, at="256KiB").committed
        and not predict(LAB, "256KiB").committed
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
    skipped = predict(LAB, "256KiB", skip=True)
    assert skipped.score(run(source="recorded")) == "Skipped: there is no prediction to score."
    assert journal.load().data["shown"] == {}
    skipped.score(run())
    assert list(journal.load().data["shown"]) == [LAB]
    late = predict(LAB, "256KiB")
    assert not late.open and late.state.startswith("A measurement was shown on ")
    assert late.state.endswith(": a prediction no longer counts.") and late.score(run()) == late.state
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
    assert " Not kept: the journal " in at_256(3, 5).score(run())
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


def test_an_order_may_be_a_list():
    names = ["independent", "dependent"]
    assert predict_order(LAB, names, at="256KiB") == predict_order(LAB, *names, at="256KiB")
    assert predict_order(LAB, [...], at="256KiB") == predict_order(LAB, ..., at="256KiB")


def test_a_form_offers_all_curves_or_what_is_named():
    assert predict_order(LAB, at="256KiB").among == ("dependent (random cycle)", "independent (strided sum)")
    assert predict_order(LAB, among=["16KiB", "1MiB"]).among == (16 * KIB, 1 << 20)
    assert len(predict_order(LAB).among) == 4


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
        (("dependent", "fast"), "256KiB", "must be measured curves of memory.working_set .*, got 'fast'; write for ex"),
        (("dependent", "independent"), None, "names of curves must be compared at one place, got no at; write for "),
        ((["dependent"],), "256KiB", "must be two or more"),
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


# ---- Choices
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "of", "spread", "said", "right"),
    [
        ("independent", "smallest", 0.1, ", 2 ns (1.8 to 2.2): you were right.", 1),
        ("dependent", "largest", 0.1, "the largest time per access was dependent (random cycle), 4 ns", 1),
        (
            "dependent",
            "smallest",
            0.1,
            "Your choice was dependent (random cycle), 4 ns (3.6 to 4.4): it was not the",
            0,
        ),
        ("dependent", "smallest", 0.5, "This machine cannot tell it from your choice", 1),
    ],
)
def test_a_choice_is_right_if_it_cannot_be_told_from_the_best(choice, of, spread, said, right):
    assert said in predict_choice(LAB, choice, at="256KiB", of=of).score(two_curves(spread=spread))
    (entry,) = journal.load().predictions.values()
    assert (entry["kind"], entry["scored"]["right"], entry["scored"]["of"]) == ("choice", right, 1)


def test_a_choice_is_found_again_and_needs_clean_points():
    made = predict_choice(LAB, "dependent", at="256KiB")
    assert predict_choice(LAB, at="256KiB") == made and made.drawn.label == "your prediction: dependent (random cycle)"
    assert "No clean sample" in made.score(two_curves(independent=(1, math.nan)))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"choice": "fast"}, "must be measured curves"),
        ({"choice": 3}, "must be measured curves"),
        ({"of": "best"}, "of must be one of smallest, largest, got 'best'"),
        ({"choice": "dependent", "among": ["independent"]}, "choice must be one of 'independent .strided sum.'"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(arguments, complaint):
    with pytest.raises(SpeLabError, match=complaint):
        predict_choice(LAB, at="256KiB", **arguments)


# ---- What all kinds have in common
# -------------------------------------------------------------------------------------

KINDS = {
    "range": lambda: at_256(1, 2),
    "order": lambda: predict_order(LAB, "16KiB", "256KiB"),
    "choice": lambda: predict_choice(LAB, "dependent", at="256KiB"),
    "curve": lambda: predict_curve(LAB, {"16KiB": 1, "256KiB": 5}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_committed_scored_kept_and_drawn(kind):
    prediction = KINDS[kind]()
    assert prediction.committed and prediction.drawn.said.startswith("your prediction") and prediction.in_words
    assert prediction.score(None) == "No measurement yet: press Measure."
    prediction.score(two_curves())
    (entry,) = journal.load().predictions.values()
    assert (entry["kind"], entry["lab"]) == (kind, LAB) and entry["scored"]["of"] >= entry["scored"]["right"] >= 0
    assert prediction.filled(prediction.values) == prediction


@pytest.mark.parametrize(
    ("make", "thing"),
    [
        (partial(predict, LAB, "1MiB"), "a range"),
        (partial(predict, "scaling.cost", mark="out pays from"), "a range"),
        (partial(predict_order, LAB, ...), "an order"),
        (partial(predict_choice, LAB, ..., "1MiB"), "a choice"),
        (partial(predict_curve, LAB), "a curve"),
    ],
)
def test_every_kind_can_be_left_open_or_skipped(make, thing, monkeypatch):
    prediction = make()
    assert prediction.drawn is None and prediction.open and not prediction.skipped
    assert prediction.advice == f"Commit {thing} above, or press Skip."
    assert str(prediction.score(run())) == f"Commit {thing} above, or press Skip, and run this cell again."
    skipped = make(skip=True)
    assert skipped.skipped and not skipped.open
    monkeypatch.setenv("SPE_LAB_PREDICTIONS", "skip")
    assert make().skipped and not make().open


def test_a_measurement_by_another_kernel_closes_an_open_prediction():
    prediction = predict(LAB, "256KiB")
    assert prediction.open
    with journal.open_journal() as opened:
        opened.show(LAB)
    assert not prediction.open


def test_entries_of_an_earlier_version_are_read_drawn_and_scored(capsys):
    """A range from 0 on a logarithmic figure, or up to 1e308, was accepted then."""
    key = at_256(1, 2).key
    for low, high in ((0.0, 5.0), (1.0, 1e308)):
        with journal.open_journal() as opened:
            opened.predictions[key]["committed"]["values"] = {"low": low, "high": high}
            opened.predictions[key]["scored"] = None
        found = predict(LAB, "256KiB")
        assert (found.low, found.high) == (low, high)
        assert 0 < found.drawn.low[0] < found.drawn.high[0] <= 1e15
        assert "inside your range" in found.score(run())
    with journal.open_journal() as opened:
        opened.predictions[key]["committed"]["values"] = {}
    assert not predict(LAB, "256KiB").committed
    assert "Your earlier prediction cannot be read: low must be a finite number" in capsys.readouterr().out
