"""What stands in a widget's place while the book is built."""

import html
import re

import pytest

from spe_lab.core import registry
from spe_lab.ui import book
from spe_lab.ui.explorer import explore
from spe_lab.ui.static import lab_of
from spe_lab.ui.stepper import Stepper

IMAGE = re.compile(r"<img\b[^>]*>")
FRAMES = [(f'<svg role="img" aria-label="state {i}"></svg>', f"State {i}.") for i in range(3)]


@pytest.fixture
def building(monkeypatch):
    monkeypatch.setenv("SPE_LAB_BOOK", "1")


@pytest.mark.parametrize("lab_id", registry.labs())
def test_every_lab_has_two_telling_settings_that_change_its_prediction(lab_id):
    recorded = registry.get(lab_id).recorded()
    lab = lab_of(recorded) if recorded else registry.get(lab_id)
    found = book.telling_settings(lab)
    assert len(found) == 2
    assert list(found)[: len(lab.presets())] == list(lab.presets())[:2], (
        "what the lab itself says is worth trying comes first"
    )
    for label, settings in found.items():
        assert lab.point(settings) != lab.point()
        assert label in lab.presets() or label.startswith(f"{next(iter(settings))} ")


def test_explorer_of_the_book_shows_recorded_data_at_three_settings(building):
    explorer = explore("branches.selectivity")
    assert explorer.recording.measured[0].source == "recorded"
    assert explorer.measured().measured is explorer.recording.measured
    assert explorer.lab.machine.facts["cpu"] == explorer.recording.machine["facts"]["cpu"], (
        "the model is of the machine that was measured"
    )
    before = explorer.point
    data, _ = explorer._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}, "no widget: it would need a kernel"
    images = IMAGE.findall(data["text/html"])
    assert len(images) == len(set(images)) == 3
    alts = [re.search(r'alt="([^"]+)"', image)[1] for image in images]
    assert all("Recorded, branching" in alt for alt in alts)
    assert len(set(alts)) == 3
    assert f"data recorded on {html.escape(explorer.lab.machine.facts['cpu'])}" in data["text/html"]
    assert explorer.point == before


def test_stepper_of_the_book_shows_all_its_frames(building):
    data, _ = Stepper(FRAMES)._repr_mimebundle_()
    assert [data["text/html"].count(f"<p>{said}</p>") for _, said in FRAMES] == [1, 1, 1]
    assert data["text/html"].count('type="radio"') == 3


def test_plates_are_labelled_and_one_is_chosen():
    first, second = (book.plates('a "title"', [("a < b", "<b>one</b>"), ("c", "two")]) for _ in range(2))
    assert 'aria-label="a &quot;title&quot;"' in first
    assert first.count(" checked") == 1
    assert ">a &lt; b</label>" in first and "<b>one</b>" in first
    ids = re.findall(r' id="([^"]+)"', first + second)
    assert len(set(ids)) == 4
    assert re.findall(r' for="([^"]+)"', first + second) == ids
