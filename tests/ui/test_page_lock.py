"""A kernel serves a page in two threads, and hears a button before a slider that was moved earlier:
neither may show.
"""

import threading
from types import SimpleNamespace

import pytest

from spe_lab import calibrate, explore, sketch
from spe_lab.core.c import native
from spe_lab.core.reader import journal
from spe_lab.topics.queueing import Watched
from spe_lab.ui import page_lock
from spe_lab.ui.cell import NotebookCell
from spe_lab.ui.player import Player
from spe_lab.ui.stepper import Stepper

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


def stops(widget):
    if hasattr(widget, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in widget.options]
    return [widget.min, widget.min + widget.step, widget.max - widget.step, widget.max]


def move(widget, value):
    """As the page does it: of a list it sends the number of the option."""
    state = {"index": stops(widget).index(value)} if hasattr(widget, "options") else {"value": value}
    widget.comm.handle_msg({"content": {"data": {"method": "update", "state": state}}})


def press(button):
    button.comm.handle_msg({"content": {"data": {"method": "custom", "content": {"event": "click"}}}, "buffers": []})


@pytest.fixture
def told(monkeypatch):
    """What the page takes for a widget's state, kept up to date."""

    def listen(widget):
        state = widget.get_state()
        monkeypatch.setattr(
            widget.comm, "publish_msg", lambda _kind, data=None, **_more: state.update(data.get("state", {}))
        )
        return state

    return listen


@pytest.mark.parametrize(
    "make",
    [
        calibrate,
        lambda: explore("branches.rate"),
        lambda: sketch("branches.rate"),
        lambda: Stepper([("<svg/>", "a"), ("<svg/>", "b")]),
        pytest.param(lambda: Player(Watched()), marks=needs_compiler),
        pytest.param(
            lambda: NotebookCell("int twice(int x) { return 2 * x; }", "own").sliders("twice"), marks=needs_compiler
        ),
    ],
    ids=["calibrate", "explore", "sketch", "stepper", "player", "cell"],
)
def test_what_a_page_sends_waits_for_its_turn(make):
    """A request for its state, of the innermost of a page's first parts."""
    part = make().page
    while children := getattr(part, "children", ()):
        part = children[0]
    served = threading.Thread(target=part.comm.handle_msg, args=({"content": {"data": {"method": "request_state"}}},))
    with page_lock.TURN:
        served.start()
        served.join(0.05)
        assert served.is_alive()
    served.join(5)
    assert not served.is_alive()


@pytest.fixture
def at_once(monkeypatch):
    """Moves and presses at the same moment, also on a machine that is busy for longer than a move may be late."""
    monkeypatch.setattr(page_lock, "time", SimpleNamespace(monotonic=lambda: 1.0))


def test_a_preset_waits_for_the_slider_that_is_being_served(told):
    explorer = explore("branches.rate")
    slider, preset = explorer.sliders["states"], explorer.presets.tries["16 states"]
    page, second, meanwhile = told(slider), threading.Thread(target=press, args=(preset,)), []

    def between(_change):
        if not meanwhile:
            second.start()
            second.join(0.3)
            meanwhile.append(second.is_alive())

    slider.observe(between, "value")
    move(slider, 11.0)
    second.join()
    assert meanwhile == [True]
    assert slider.value == page["value"] == 16 and "Counter states, n 16" in explorer.parts.twin.value


@pytest.mark.parametrize(
    ("lab_id", "preset", "name"),
    [
        ("branches.rate", "16 states", "states"),
        ("branches.rate", "16 states", "p"),
        ("memory.stride", "Array in a cache", "size"),
        ("coherence.false_sharing", "Only loads", "operation"),
    ],
)
def test_a_move_that_a_preset_overtook_gives_way_to_it_and_a_later_one_does_not(lab_id, preset, name, told, at_once):
    explorer = explore(lab_id)
    slider, asked = explorer.sliders[name], explorer.lab.point(explorer.lab.presets()[preset].settings)
    first, second = [value for value in stops(slider) if value not in (asked[name], slider.value)][:2]
    page, key = told(slider), "index" if hasattr(slider, "options") else "value"
    move(slider, first)
    press(explorer.presets.tries[preset])
    move(slider, second)
    assert explorer.point == asked and page[key] == getattr(slider, key)
    move(slider, second)
    assert explorer.point == {**asked, name: second} and page[key] == getattr(slider, key)


def test_code_that_sets_a_slider_overtakes_nothing():
    explorer = explore("branches.rate")
    slider = explorer.sliders["states"]
    move(slider, 11.0)
    press(explorer.presets.tries["16 states"])
    slider.value = 12
    explorer.set(p=0.7)
    assert explorer.point == {"p": 0.7, "states": 12}


@pytest.mark.parametrize(("before_s", "after_s", "states"), [(0.3, 0.3, 16), (0.7, 0.3, 11), (0.3, 0.7, 11)])
def test_only_a_slider_that_just_moved_is_overtaken_and_only_for_a_moment(before_s, after_s, states, monkeypatch):
    clock = SimpleNamespace(now=1.0)
    monkeypatch.setattr(page_lock, "time", SimpleNamespace(monotonic=lambda: clock.now))
    explorer = explore("branches.rate")
    slider = explorer.sliders["states"]
    move(slider, 10.0)
    clock.now += before_s
    press(explorer.presets.tries["16 states"])
    clock.now += after_s
    move(slider, 11.0)
    assert explorer.point["states"] == states


@pytest.mark.machine
@needs_compiler
def test_measuring_begins_where_the_sliders_stood_when_the_button_was_pressed(monkeypatch):
    monkeypatch.setenv("SPE_LAB_QUICK", "1")
    explorer = explore("branches.rate")
    press(explorer.parts.measure_button)
    move(explorer.sliders["states"], 11.0)
    assert explorer.measured().point["states"] == 11


def test_a_move_that_commit_overtook_is_committed_and_a_later_one_is_not(at_once):
    drawing = sketch("memory.stride")
    first, *_ = drawing.sliders.values()
    move(first, 10**1.1)
    press(drawing.commit_button)
    move(first, 10**1.3)
    assert (
        drawing.text.startswith("Committed: 20 ns at ")
        and journal.load().latest(drawing.prediction.key)["values"]["knots"][0][1] == first.value
    )
    move(first, 10**1.5)
    assert (
        drawing.text.startswith("Not committed: ")
        and journal.load().latest(drawing.prediction.key)["values"]["knots"][0][1] != first.value
    )
