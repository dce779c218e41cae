"""The explorer without a browser: what a reader's moves do to it."""

import dataclasses
import html
import math
import re
import threading
import time

import numpy as np
import pytest
from kinds import ALL_LABS

from spe_lab import explore, predict, predict_curve, predict_order
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.lab import Lab, Measured
from spe_lab.core.reader import journal
from spe_lab.core.slider import Slider
from spe_lab.ui import controls
from spe_lab.ui.explorer import Explorer
from spe_lab.ui.page_lock import TURN

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


def frame(explorer):
    return int(re.search(r'data-frame="(\d+)"', explorer.parts.twin.value)[1])


def picture(explorer):
    """Both layers."""
    return explorer.parts.ground.value + explorer.parts.moving.value


def table(explorer):
    """The rows of the table of values: name, source and value."""
    rows = re.findall(r"<tr>(.*?)</tr>", explorer.parts.twin.value)
    return [" ".join(html.unescape(re.sub("<[^>]+>", " ", row)).split()) for row in rows]


def test_moving_any_slider_draws_a_new_picture():
    explorer = explore("memory.stride")
    for name, widget in explorer.sliders.items():
        start, before = widget.value, picture(explorer)
        options = [option[1] if isinstance(option, tuple) else option for option in widget.options]
        pictures = set()
        for end in (options[0], options[-1]):
            number = frame(explorer)
            widget.value = end
            assert frame(explorer) == number + (end != start)  # no frame where nothing moved
            pictures.add(picture(explorer))
        assert pictures - {before}, name
        widget.value = start


def test_the_twin_names_the_sliders_and_the_prediction():
    explorer = explore("memory.working_set").set(size="64KiB", l_L1=4.0)
    assert "At S = 64 KiB" in explorer.parts.twin.value
    assert "predicted staircase 5.3 ns" in explorer.parts.twin.value  # 1.3 assumed for the first level, and 4


def test_a_value_between_two_stops_gets_a_stop_of_its_own():
    explorer = explore("memory.working_set", size="1000KiB")
    assert explorer.point["size"] == 1000 * 1024
    assert explorer.set(size=320 * 1024).point["size"] == 320 * 1024


@pytest.mark.parametrize("lab_id", ALL_LABS)
def test_a_dragged_slider_may_miss_its_steps_by_a_rounding_error(lab_id):
    explorer = explore(lab_id)
    for name, widget in explorer.sliders.items():
        slider = explorer.lab.sliders[name]
        if slider.scale == "linear" and slider.multiple_of and not controls.stepped(slider):
            for factor in (1 - 2e-16, 1 + 4e-16):
                widget.value, number = slider.default, frame(explorer)
                widget.value = (slider.high - slider.multiple_of) * factor
                assert explorer.point[name] == slider.high - slider.multiple_of
                assert frame(explorer) > number or slider.default == slider.high - slider.multiple_of


def test_a_model_that_fails_is_said_on_the_page(monkeypatch):
    explorer = explore("memory.working_set")

    def broken(*_):
        raise SpeLabError("out of range")

    monkeypatch.setattr(type(explorer.lab), "predict", broken)
    with pytest.raises(SpeLabError):
        explorer.sliders["l_L1"].index += 1
    assert "this point cannot be shown: out of range" in explorer.status


def test_bad_settings_are_refused_and_change_nothing():
    explorer = explore("memory.working_set")
    before = explorer.point
    with pytest.raises(SpeLabError, match="l_L1 must be between"):
        explorer.set(size="64KiB", l_L1=-1)
    assert explorer.point == before


def test_stops_have_distinct_labels_and_hold_the_ends_and_the_default():
    for lab_id in registry.labs():
        for slider in registry.get(lab_id).sliders.values():
            if slider.scale == "log":
                stops = controls.stops(slider)
                assert {slider.low, slider.default, slider.high} <= set(stops)
                assert len({label for label, _ in controls.control(slider).options}) == len(stops)
                assert all(slider.checked(stop) == stop for stop in stops)


@pytest.mark.machine
@needs_compiler
def test_points_fade_when_a_measured_slider_moves_and_return_with_it():
    explorer = explore("memory.stride")
    explorer.measured()
    size = explorer.point["size"]
    explorer.set(size="1MiB")
    assert "points were measured at Array size, S" in explorer.parts.twin.value
    explorer.set(l_L1=5.0, size=size)
    assert "points were measured at" not in explorer.parts.twin.value


@pytest.mark.machine
@needs_compiler
def test_a_measurement_can_be_cancelled_and_started_again(monkeypatch):
    monkeypatch.setenv("SPE_LAB_QUICK", "0")
    explorer = explore("memory.working_set")
    explorer.start()
    time.sleep(0.3)
    asked = time.monotonic()
    explorer.cancel()
    explorer.wait(5)
    # 0.2 s are promised; the margin is for a machine that is busy with other tests.
    assert time.monotonic() - asked < 1.5 and not explorer.measuring
    assert "cancelled" in explorer.status and explorer.parts.measure_button.description == "Measure"
    monkeypatch.setenv("SPE_LAB_QUICK", "1")
    explorer.start()
    assert explorer.measured().measured[0].source == "measured"


@pytest.mark.machine
@needs_compiler
def test_sliders_answer_while_a_measurement_runs(monkeypatch):
    monkeypatch.setenv("SPE_LAB_QUICK", "0")
    explorer = explore("memory.stride")
    explorer.start()
    for latency in (20.0, 30.0, 40.0):
        number = frame(explorer)
        explorer.set(l_L3=latency)
        assert explorer.measuring and frame(explorer) > number
    explorer.cancel()
    explorer.wait(5)


@needs_compiler
def test_what_goes_wrong_in_the_thread_is_said_on_the_page(monkeypatch):
    explorer = explore("memory.working_set")

    def broken(*_arguments, **_named):
        raise SpeLabError("size must be smaller; choose another")
        yield

    monkeypatch.setattr(type(explorer.lab), "measure", broken)
    with pytest.raises(SpeLabError, match="size must be smaller"):
        explorer.measured()
    assert "size must be smaller" in explorer.status and not explorer.measuring
    assert threading.active_count() >= 1


def test_a_cold_notebook_shows_the_picture_with_its_text():
    explorer = explore("memory.stride")
    data, _metadata = explorer._repr_mimebundle_()
    assert data["text/plain"] == explorer.text and "alt=" in data["text/html"]


@pytest.mark.machine
@needs_compiler
def test_downloads_are_offered_and_read_back(monkeypatch):
    import base64

    from spe_lab.core.recording import Run

    explorer = explore("memory.stride")
    explorer.measured()
    explorer.parts.folds.selected_index = 0
    links = dict(re.findall(r'download="memory\.stride\.(\w+)" href="data:[^,]*,([^"]*)"', explorer.parts.data.value))
    assert set(links) == {"csv", "json", "png"}
    assert Run.from_json(base64.b64decode(links["json"]).decode()).measured[0].source == "measured"
    assert base64.b64decode(links["png"]).startswith(b"\x89PNG")


@pytest.mark.machine
@needs_compiler
def test_a_measurement_scores_the_prediction_and_reveals_the_answer():
    explorer = explore("memory.working_set", predict("memory.working_set", at="4KiB", low=0.01, high=1000))
    explorer.measured()
    assert "inside your range of 0.01 to 1000 ns." in explorer.status
    assert "Your prediction at size 4 KiB: 0.01 to 1000 ns." in explorer.text
    (entry,) = journal.load().predictions.values()
    assert entry["scored"]["right"] == 1 and list(journal.load().data["shown"]) == ["memory.working_set"]


@pytest.mark.machine
@needs_compiler
def test_a_measurement_without_a_prediction_is_a_look_at_the_answer():
    explore("memory.working_set").measured()
    predict("memory.working_set", at="4KiB", low=0.01, high=1000)
    (entry,) = journal.load().predictions.values()
    assert entry["committed"] is None


def test_an_order_is_in_the_legend_and_a_range_and_a_curve_are_drawn():
    lab_id = "memory.working_set"
    predictions = [None, predict(lab_id, "1MiB", 5, 9), predict_curve(lab_id, {"4KiB": 2, "1MiB": 90})]
    pictures = {picture(explore(lab_id, prediction)) for prediction in predictions}
    assert len(pictures) == len(predictions)
    order = predict_order(lab_id, "16KiB", "1MiB")
    assert order.drawn.label in html.unescape(explore(lab_id, order).parts.twin.value)


@pytest.mark.parametrize("lab_id", ALL_LABS)
def test_presets_start_from_the_defaults_and_reset_leads_back(lab_id):
    explorer = explore(lab_id)
    start = frame(explorer)
    for number, (name, preset) in enumerate(explorer.lab.presets().items(), 1):
        explorer.presets.tries[name].click()
        assert explorer.point == explorer.lab.point(preset.settings)
        assert preset.look in explorer.presets.look.value
        assert frame(explorer) == start + number  # one frame, however many sliders move
    explorer.presets.reset.click()
    assert explorer.point == explorer.lab.point()


def test_the_data_fold_has_the_state_as_lines_to_paste():
    explorer = explore("memory.stride", size="1MiB")
    explorer.parts.folds.selected_index = 0
    assert "explore(&quot;memory.stride&quot;, size=&quot;1MiB&quot;)" in explorer.parts.data.value
    assert "spe-lab run memory.stride --set size=1MiB" in explorer.parts.data.value


def test_the_table_has_the_value_of_each_curve_at_the_marker_and_says_what_is_stale():
    explorer = explore("branches.selectivity", p=0.3)
    explorer.show_recorded()
    at_a_point = table(explorer)
    assert at_a_point[0].startswith("branching recorded ") and " at " not in at_a_point[0]
    assert any(row.startswith("counter predicted ") for row in at_a_point)
    explorer.set(p=0.31)
    assert "At p = 31 %" in explorer.parts.twin.value and table(explorer)[0].endswith(" at 30 %")
    explorer.set(payload="64 B")
    assert table(explorer)[0].startswith("branching recorded, stale ")
    assert "points were recorded at Payload none" in explorer.parts.twin.value


def test_the_caption_names_the_pair_the_median_and_the_worst_point():
    explorer = explore("memory.selftuning")
    explorer.show_recorded()
    (said,) = re.findall(r'<p class="spe-said">(.*?)</p>', explorer.parts.twin.value)
    assert re.match(
        r"dependent \(random cycle\) ÷ fitted.*: median [\d.]+ %, worst ×[\d./]+ at [\d.]+ (B|KiB|MiB)", said
    )


@pytest.mark.parametrize("lab_id", ALL_LABS)
def test_every_slider_has_its_place_and_the_meaning_of_each_is_listed(lab_id):
    explorer = explore(lab_id)
    first, (more,) = explorer.parts.side.children[0].children, explorer.parts.more.children
    assert list(first) == [explorer.sliders[name] for name in explorer.lab.first_view]
    folded = [widget for box in more.children for widget in getattr(box, "children", ())]
    assert {id(widget) for widget in (*first, *folded)} == {id(widget) for widget in explorer.sliders.values()}
    assert len(first) + len(folded) == len(explorer.sliders)
    for slider in explorer.lab.sliders.values():
        assert html.escape(slider.meaning) in more.children[-1].value


def test_headings_stand_above_the_sliders_of_their_group():
    (more,) = explore("branches.predictor").parts.more.children
    headings = [widget.value for widget in more.children[:-1] if not getattr(widget, "children", ())]
    assert headings == ["Counter", "Outcomes"]


def test_without_a_compiler_the_button_says_why(monkeypatch):
    monkeypatch.setattr(native, "missing", lambda: native.NO_COMPILER)
    parts = explore("memory.stride").parts
    for button in (parts.measure_button, parts.uncalibrated.calibrate.button):
        assert button.disabled and button.tooltip == native.NO_COMPILER


def test_a_live_lab_whose_kernels_do_not_compile_shows_recorded_data_and_says_why(monkeypatch):
    def lacking(stem):
        raise UnavailableError("kernels must compile, and they do not; install the headers")

    monkeypatch.setattr(native, "load", lacking)
    monkeypatch.setattr(native, "missing", lambda: "")
    explorer = explore("queueing.single")
    assert explorer.status == "kernels must compile, and they do not; install the headers"
    assert explorer.recording.to_json() == explorer.lab.recorded().to_json()


def test_the_status_of_a_live_lab_does_not_ask_for_what_is_drawn_already():
    explorer = Explorer(Live())
    assert explorer.status.startswith("simulated again at each move") and "Move a slider" not in explorer.status


THROWS = {}  # how often each lab threw in its last measurement, since a lab keeps nothing


class Live(Lab):
    """A die that is thrown again at each move, and more often while it is refined."""

    id, chapter, title, question, axis, quantity, unit = "live.dice", "99", "Dice", "How many?", "faces", "mean", ""
    breaks, compared, scale, simulated, live = "nowhere", ("thrown", "expected"), "linear", True, True

    def make_sliders(self):
        return [
            Slider("faces", "", 6.0, "faces of the die", 2, 20, multiple_of=1),
            Slider("dice", "", 1.0, "dice thrown together", 1, 9, multiple_of=1),
        ]

    def default_values(self, short):
        return [2, 6] if short else [2, 6, 12, 20]

    def measure(self, point, x, effort, cancel):
        throws_made = THROWS[id(self)] = []
        for throws in (1000, *([4000] * 50 if effort.refine else [])):
            if cancel.is_set():
                return
            throws_made.append(throws)
            dice = np.random.default_rng(1).integers(1, x.values + 1, (throws, int(point["dice"]), x.values.size))
            rolled = dice.sum(axis=1)
            half, mean = 2 * rolled.std(axis=0) / throws**0.5, rolled.mean(axis=0)
            counts = np.full(x.values.size, throws)
            curve = Curve("thrown", "simulated", x, "", mean, mean - half, mean + half, counts, counts)
            yield Measured(throws / 4000, [curve])
            time.sleep(0.01 if effort.refine else 0)

    def predict(self, point, x, fit):
        return [Curve("expected", "predicted", x, "", point["dice"] * (x.values + 1) / 2)]


def test_a_live_lab_is_simulated_at_each_move_and_never_stale():
    explorer = Explorer(Live())
    assert explorer.recording.measured[0].kept.tolist() == [1000] * 4
    for dice in (2, 5):
        explorer.set(dice=dice)
        again = explorer.lab.first_answer(explorer.point)
        assert explorer.recording.point["dice"] == dice and np.array_equal(
            explorer.recording.measured[0].values, again.measured[0].values
        )
        assert "points were" not in explorer.parts.twin.value and "(stale)" not in explorer.text
    shown = explorer.recording
    explorer.set(faces=12)
    assert explorer.recording is shown  # the marker alone has moved
    assert explorer.measured().measured is shown.measured


def test_a_move_ends_the_refinement_of_what_was_there_before(monkeypatch):
    monkeypatch.setenv("SPE_LAB_QUICK", "0")
    explorer = Explorer(Live())
    explorer.start()
    deadline = time.monotonic() + 10
    while len(THROWS[id(explorer.lab)]) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    refined = explorer.recording.measured[0].kept[0]
    explorer.set(dice=4)
    explorer.wait(10)
    assert refined == 4000 and explorer.recording.point["dice"] == 4 and explorer.recording.measured[0].kept[0] == 1000
    explorer.start()
    assert explorer.measured().measured[0].kept[0] == 4000 and explorer.recording.point["dice"] == 4


def test_recorded_data_hold_until_the_simulation_is_asked_for(monkeypatch):
    explorer = Explorer(Live())
    elsewhere = dataclasses.replace(explorer.recording, machine={"facts": {"cpu": "another"}})
    monkeypatch.setattr(Live, "recorded", lambda self: elsewhere)
    explorer.show_recorded()
    recorded = explorer.recording
    explorer.set(dice=3)
    assert explorer.recording is recorded and "points were simulated at dice 1" in explorer.parts.twin.value
    explorer.start()
    assert explorer.measured().point["dice"] == 3


class Promise:
    """A prediction that stands on the figure."""

    drawn, committed, advice = None, False, "Commit it above."
    follow = None

    @property
    def open(self):
        return not self.committed

    def on_change(self, follow):
        self.follow = follow

    def score(self, run):
        return "scored"


def test_a_prediction_is_committed_before_the_simulation_shows():
    promise = Promise()
    explorer = Explorer(Live(), promise)
    explorer.set(dice=2)
    assert explorer.recording is None
    explorer.parts.measure_button.click()
    assert explorer.status == "Commit it above." and not explorer.measuring and not explorer.measured()
    promise.committed = True
    promise.follow()
    assert explorer.recording.point["dice"] == 2 and explorer.status.startswith("simulated again at each move")


class Refining(Live):
    """The same, not live: its points belong to a button."""

    id, live = "live.refining", False


def test_points_wait_while_a_slider_moves_and_the_last_ones_are_shown(monkeypatch):
    for name in ("_REST_S", "_HELD_BACK_S"):
        monkeypatch.setattr(f"spe_lab.ui.explorer.{name}", math.inf)
    explorer, frames = Explorer(Refining()), []
    explorer.set(dice=2)
    explorer.sliders["dice"].value = 3.0  # as a key press does it: this slider has not come to rest
    monkeypatch.setattr(explorer, "refresh", lambda: frames.append(explorer.recording))
    explorer.start()
    last = explorer.measured()
    assert len(frames) == 2 and frames[0].measured[0].kept[0] == 1000 and frames[1].measured is last.measured
    assert len(THROWS[id(explorer.lab)]) > 10 and last.measured[0].kept[0] == 4000


def test_a_fold_that_is_opened_draws_no_picture_while_a_measurement_draws_one(monkeypatch):
    explorer, owned = explore("memory.stride"), []
    explorer.show_recorded()
    picture = explorer.figure.picture
    monkeypatch.setattr(explorer.figure, "picture", lambda form: owned.append(TURN._is_owned()) or picture(form))
    explorer.parts.folds.selected_index = 0
    explorer.html()
    assert owned == [True, True]
