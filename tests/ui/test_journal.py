"""The page of one's own calibration says in words what its picture shows, and works before anything is in it."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from spe_lab import journal as page
from spe_lab.core.reader.journal import Journal, open_journal
from spe_lab.core.reader.prediction import predict, predict_order
from spe_lab.core.reader.track_record import Scored, TrackRecord
from spe_lab.topics import memory
from spe_lab.ui.journal import JournalPage, draw


def entry(lab, low, high, value, kind="range"):
    time = "2026-11-25T00:00:00+00:00"
    committed = {"time": time, "values": {"low": low, "high": high}, "words": f"{low:g} to {high:g} ns"}
    scored = {
        "time": time,
        "said": f"was {value:g} ns",
        "right": int(low <= value <= high),
        "of": 1,
        "value": value,
        "low": value,
        "high": value,
        "source": "measured",
        "machine": "",
    }
    return {
        "lab": lab,
        "kind": kind,
        "asked": "at <1>",
        "settings": {},
        "unit": "ns",
        "committed": committed,
        "revised": [],
        "scored": scored,
    }


def kept(*entries):
    journal = Journal()
    journal.predictions.update({str(i): each for i, each in enumerate(entries)})
    return journal


def test_an_empty_journal_says_how_to_begin():
    assert "Commit a range" in page().text and "<img" not in page()._repr_html_()
    assert repr(page()) == page().text


def test_predictions_of_all_chapters_are_on_it_with_their_scores():
    shown = JournalPage(
        kept(entry("memory.stride", 1, 2, 1.5), entry("branches.selectivity", 1, 2, 5), entry("gone.lab", 1, 2, 1))
    )
    assert "2 of 3 ranges held" in shown.text
    for said in ("03b · memory.stride · at <1> · 1 to 2 ns · was 1.5 ns", "03d · branches.selectivity", "gone.lab"):
        assert said in shown.text
    assert "branches.selectivity at <1>: predicted 1 to 2, measured 5 ns, missed." in shown.alt


def test_the_page_is_escaped_and_its_picture_has_a_text():
    source = JournalPage(kept(entry("memory.stride", 1, 2, 1.5)))._repr_html_()
    assert "at &lt;1&gt;" in source and "<1>" not in source
    assert (
        re.search(r'<img alt="Share of ranges that held: 1 of 1', source)
        and '<th scope="col"' in source
        and "<caption>" in source
    )


@pytest.mark.parametrize("value", [1e-3, 1.0, 1e6, 0.0])
def test_any_record_can_be_drawn(value):
    ranges = [
        Scored("memory.stride", "at stride 64 B", "ns", low, high, value, value, value)
        for low, high in ((0, 1), (1, 1), (1e-6, 1e9), (0, 0))
    ]
    for n in (1, len(ranges)):
        pixels = np.asarray(Image.open(io.BytesIO(draw(TrackRecord(ranges[:n])))).convert("L"))
        assert pixels.shape[1] == 820 and (pixels < 100).sum() > 200


def test_the_picture_fits_the_size_that_the_page_gives_it():
    source = JournalPage(kept(*[entry("memory.stride", 1, 2, 1.5)] * 12))._repr_html_()
    data, height = re.search(r'base64,([^"]+)"', source)[1], int(re.search(r'height="(\d+)"', source)[1])
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (820, height)


def test_what_a_reader_did_is_there_and_comes_back_from_a_file(tmp_path, monkeypatch):
    predict("memory.working_set", at="16MiB", low=50, high=200)
    predict_order("memory.working_set", "16KiB", "1MiB")
    memory.EXERCISES["ramp"].check(memory.EXERCISES["ramp"].answer)
    file = tmp_path / "mine.json"
    assert page().export(file) == f"Your journal is in {file}."
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "elsewhere"))
    assert "Predictions" not in page().text
    text = page().take_over(file).text
    for said in ("50 to 200 ns · not measured yet", "16 KiB < 1 MiB", "memory.ramp", "✔ right · 1 answer"):
        assert said in text
    assert page().text == text


def test_late_and_revised_predictions_say_so():
    with open_journal() as journal:
        journal.show("memory.working_set")
    predict("memory.working_set", at="16MiB", low=50, high=200)
    assert "committed after a measurement was shown: does not count" in page().text
