"""An explorer beside an open prediction: no measurement, no recorded data, no marks, and nothing is spoiled."""

import html
import math

import numpy as np
import pytest

from spe_lab import explore, predict, predict_choice, sketch
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.reader import journal
from spe_lab.core.reader.waiting import Waiting

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
LAB = "branches.selectivity"  # with marks, recorded data and two measured curves
ADVICE = "Commit a range above, or press Skip."


@pytest.fixture
def box():
    return predict(LAB, at=0.5)


def everything(explorer):
    parts = explorer.parts
    return " ".join([parts.ground.value, parts.moving.value, parts.twin.value, parts.data.value, explorer.text])


def test_an_open_prediction_holds_back_marks_points_and_recorded_data(box):
    explorer = explore(LAB, box)
    assert explorer.status == ADVICE and explorer.recording is None
    assert "crossover" not in everything(explorer) and "crossover" not in explorer.in_state()
    for press in (explorer.parts.measure_button, explorer.parts.recorded_button):
        explorer.parts.status.value = ""
        press.click()
        assert explorer.status == ADVICE and explorer.recording is None and not explorer.measuring
    explorer.overlay(registry.get(LAB).recorded())
    assert not explorer._elsewhere(explorer.point) and explorer.status == ADVICE
    explorer.parts.folds.selected_index = 1
    assert "crossover" not in everything(explorer)


def test_curves_that_come_from_a_measurement_wait_and_the_model_alone_is_shown(box):
    explorer = explore(LAB, box)
    waiting = {curve.name: bool(np.isnan(curve.values).all()) for curve in explorer.frame.predicted}
    assert waiting == {"counter": False, "fitted": True, "predicated, fitted": True}
    box.skip()
    assert not any(np.isnan(curve.values).all() for curve in explorer.frame.predicted)


def test_what_cells_ask_of_it_waits_and_spoils_nothing(box):
    explorer = explore(LAB, box)
    for asked in (explorer.measured(), explorer.run, explorer.fit, explorer.marks, box.score(explorer.measured())):
        assert (
            isinstance(asked, Waiting) and str(asked) == "Commit a range above, or press Skip, and run this cell again."
        )
    assert str(explorer.fit.summary()) == str(explorer.measured())
    assert journal.load().data["shown"] == {}
    box.commit(1, 5)
    (entry,) = journal.load().predictions.values()
    assert entry["committed"] is not None


@pytest.mark.parametrize("go_on", ["commit", "skip"])
def test_the_explorer_follows_at_once(box, go_on):
    explorer = explore(LAB, box)
    before = everything(explorer)
    box.commit(1, 5) if go_on == "commit" else box.skip()
    after = everything(explorer)
    assert after != before and "crossover at 0" in explorer.in_state()
    assert native.available() == explorer.status.startswith("Move a slider")
    assert ("Your prediction at p 0.5: 1 to 5 ns." in explorer.text) == (go_on == "commit")
    explorer.show_recorded()
    assert explorer.run.measured[0].source == "recorded" and not isinstance(explorer.fit, Waiting)


def test_without_a_compiler_recorded_data_appear_after_skip(box, monkeypatch):
    monkeypatch.setattr(native, "missing", lambda: native.NO_COMPILER)
    explorer = explore(LAB, box)
    assert explorer.recording is None and explorer.status == ADVICE
    box.skip()
    assert explorer.recording.measured[0].source == "recorded" and explorer.status.startswith(native.NO_COMPILER)


@needs_compiler
def test_a_live_lab_simulates_after_commit_and_not_before():
    choice = predict_choice("queueing.disciplines", at=0.7)
    explorer = explore("queueing.disciplines", choice)
    explorer.set(load=0.5)
    assert explorer.recording is None and "Commit a choice above" in explorer.status
    choice.commit("split PS")
    assert explorer.recording is not None
    assert "your choice" in choice.score(explorer.run).lower() or "you were right" in choice.score(explorer.run)
    (entry,) = journal.load().predictions.values()
    assert entry["committed"] and entry["scored"]


@needs_compiler
def test_a_live_lab_follows_a_skip():
    box = predict("queueing.single", at=0.8)
    explorer = explore("queueing.single", box)
    box.skip_button.click()
    assert explorer.recording is not None


def test_a_cell_that_runs_again_is_the_same_question(box):
    """The explorer below refers to the box of the first run."""
    explorer = explore(LAB, box)
    again = predict(LAB, at=0.5)
    again.commit(1, 5)
    assert box.committed and "Your prediction at p 0.5" in explorer.text and not explorer.gate.closed
    assert "Kept in your journal" in box.note.value


def test_other_settings_are_another_question(box):
    explorer = explore(LAB, box)
    predict(LAB, at=0.5, payload="64 B").commit(1, 5)
    assert explorer.gate.closed


def test_a_drawn_curve_opens_its_explorer():
    for go_on in ("commit", "skip"):
        drawn = sketch("memory.stride")
        explorer = explore("memory.stride", drawn)
        assert explorer.status == "Commit a curve above, or press Skip." and not explorer.measured()
        getattr(drawn, f"{go_on}_button").click()
        assert not explorer.gate.closed and explorer.status.startswith("Move a slider")
        journal.path().unlink(missing_ok=True)


def test_a_mark_is_drawn_as_a_bar_along_the_axis():
    lab_id = "scaling.cost"
    box = predict(lab_id, mark="out pays from")
    explorer = explore(lab_id, box)
    before = explorer.parts.ground.value
    assert "out pays from" not in everything(explorer)
    box.commit(3, 30)
    assert explorer.parts.ground.value != before and "out pays from at " in explorer.in_state()
    assert "Your prediction for the mark “out pays from”: 3 to 30." in explorer.text


def test_the_environment_skips_every_prediction(box, monkeypatch):
    monkeypatch.setenv("SPE_LAB_PREDICTIONS", "skip")
    explorer = explore(LAB, box)
    assert box.skipped and "crossover at 0" in explorer.in_state() and not isinstance(explorer.fit, Waiting)


@needs_compiler
def test_a_committed_range_is_simulated_by_the_button_and_counts():
    box = predict("queueing.single", at=0.8)
    explorer = explore("queueing.single", box)
    explorer.measured()
    box.fields[0].value, box.fields[1].value = "0.01", "1000"
    box.commit_button.click()
    explorer.parts.measure_button.click()
    explorer.wait()
    assert "inside your range of 0.01 to 1000 E(S). Your score is 12" in explorer.status
    (entry,) = journal.load().predictions.values()
    assert entry["committed"] and entry["scored"]["right"] == 1
    assert entry["scored"]["score"] == pytest.approx(math.log(1e5))


def test_an_open_prediction_holds_back_what_a_preset_shows(box):
    explorer = explore(LAB, box)
    (name, preset), *_ = explorer.lab.presets().items()
    button, look = explorer.presets.tries[name], explorer.presets.look
    button.click()
    assert preset.look not in button.tooltip and not look.value
    box.skip()
    assert preset.look in button.tooltip and preset.look in html.unescape(look.value)
