"""The form of a prediction: what a reader types is committed, or answered in one sentence."""

import gc
import time

import pytest

from spe_lab import explore, predict, predict_choice, predict_curve, predict_order
from spe_lab.core.reader import journal
from spe_lab.ui import box as boxes

LAB = "memory.working_set"
BOXES = {
    "range": lambda **more: predict(LAB, at="1MiB", **more),
    "mark": lambda **more: predict("scaling.cost", mark="out pays from", **more),
    "order": lambda **more: predict_order("branches.selectivity", ..., at=0.5, **more),
    "places": lambda **more: predict_order(LAB, among=["16KiB", "1MiB"], **more),
    "choice": lambda **more: predict_choice("queueing.disciplines", at=0.7, **more),
}


def fill(box):
    """Give each field an answer."""
    values = {"Text": ("5", "20")}
    for place, field in enumerate(box.fields):
        offered = values.get(type(field).__name__) or [
            option[1] if isinstance(option, tuple) else option for option in field.options
        ]
        offered = [value for value in offered if value is not None]
        field.value = offered[place]


@pytest.mark.parametrize("kind", BOXES)
def test_what_is_typed_is_committed_by_the_button_and_comes_back(kind, capsys):
    box = BOXES[kind]()
    assert box.open and not box.committed and "Not committed yet." in box.note.value
    fill(box)
    assert box.open and "Not committed yet: " in box.note.value and "…" not in box.note.value  # before the press
    box.commit_button.click()
    assert (
        box.committed
        and not box.open
        and "Kept in your journal." in box.note.value
        and 'role="status"' in box.note.value
    )
    typed = [field.value for field in box.fields]
    again = BOXES[kind]()
    assert again.committed and again.values == box.values and [field.value for field in again.fields] == typed
    assert "From your journal" in again.note.value and "From your journal" in again.text
    again.commit_button.click()  # twice is once
    (entry,) = journal.load().predictions.values()
    assert entry["committed"]["values"] == box.values and entry["revised"] == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", BOXES)
def test_an_empty_form_is_answered_in_a_sentence_and_skip_goes_on(kind):
    box = BOXES[kind]()
    box.commit_button.click()
    assert box.open and not box.committed and "; " in box.note.value
    box.skip_button.click()
    assert box.skipped and not box.open and "Skipped: there is no prediction to score." in box.note.value
    assert BOXES[kind](skip=True).skipped
    fill(box)
    box.commit_button.click()  # nothing was shown: it counts
    assert box.committed and "Kept in your journal." in box.note.value
    box.skip_button.click()
    assert box.committed and "it stays" in box.note.value


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("", "5", "Low must be a number, got nothing; write for example low=20 ns."),
        ("5", " ", "High must be a number, got nothing"),
        ("9", "5", "Low must be at most high, got low=9 ns and high=5 ns; swap them."),
        ("-1", "5", "Low must be above 0, as the figure is logarithmic, got -1 ns"),
        ("0", "5", "Low must be above 0"),
        ("nan", "5", "Low must be a quantity in ns, got &#x27;nan&#x27;"),
        ("1", "inf", "High must be a quantity in ns"),
        ("1", "1e308", "High must be a value that a figure can show"),
        ("1", "1e999", "High must be a quantity in ns"),
        ("1", "5 KiB", "High must be a quantity in ns"),
        ("1", "<script>alert(1)</script>", "High must be a quantity in ns, got &#x27;&lt;script&gt;"),
        ("1" * 100_000, "5", "of 100000 characters"),
        ("1, 2", "5", "Low must be a quantity in ns"),
        ("5 ns; import os", "9", "Low must be a quantity in ns"),
    ],
)
def test_silly_ends_are_answered_beside_the_button(low, high, said):
    box = BOXES["range"]()
    for field, text in zip(box.fields, (low, high), strict=True):
        field.value = text
    box.commit_button.click()
    assert said in box.note.value and len(box.note.value) < 500
    assert box.open and journal.load().predictions == {}


def test_ends_take_units_and_are_shown_in_the_labs_unit():
    box = BOXES["range"]()
    box.fields[0].value, box.fields[1].value = " 5ns ", "0.1 µs"
    box.commit_button.click()
    assert (box.low, box.high) == (5, 100) and [field.value for field in box.fields] == ["5", "100"]
    capacity = predict("machine.facts", 1, low="16KiB", high="64 KiB")
    assert [field.value for field in capacity.fields] == ["16 KiB", "64 KiB"]


def test_an_order_names_each_candidate_once():
    box = BOXES["order"]()
    for field in box.fields:
        field.value = "branching"
    box.commit_button.click()
    assert "Candidates must be two or more different ones" in box.note.value and box.open
    box.fields[1].value = None
    box.commit_button.click()
    assert "Each place must have a candidate" in box.note.value and box.open


def test_a_box_is_committed_in_code_as_well():
    box = predict(LAB, at="1MiB")
    box.commit(5, "20ns")
    assert box.values == {"low": 5, "high": 20} and [field.value for field in box.fields] == ["5", "20"]
    order = predict_order("branches.selectivity", ["predicated", "branching"], at=0.5)
    assert order.candidates == ("predicated", "branching")
    order.commit(["branching", "predicated"])
    assert [field.value for field in order.fields] == ["branching", "predicated"]
    choice = BOXES["choice"]()
    choice.commit("split PS")
    assert choice.fields[0].value == "split PS"
    curve = predict_curve("memory.stride", {"16 B": 2, "1KiB": 40})
    assert curve.committed and curve.prediction.knots == ((16, 2), (1024, 40))
    curve.commit({"16 B": 3, "1KiB": 40})
    assert curve.prediction.knots[0] == (16, 3)


def test_after_a_look_a_form_says_that_it_no_longer_counts():
    with journal.open_journal() as opened:
        opened.show(LAB)
    box = BOXES["range"]()
    assert not box.open and "A measurement was shown on " in box.note.value
    assert ": a prediction no longer counts." in box.note.value
    fill(box)
    box.commit_button.click()
    assert "It does not count, since a measurement of this lab was shown before." in box.note.value


def test_two_kernels_share_a_journal():
    """The other kernel is played by the journal's own functions."""
    here = BOXES["range"]()
    entry = (here.key, here.prediction.question, here.facts)
    with journal.open_journal() as opened:
        opened.commit(*entry, {"low": 1, "high": 2}, "1 to 2 ns")
    fill(here)
    here.commit_button.click()
    assert journal.load().predictions[here.key]["committed"]["values"] == {"low": 5, "high": 20}
    with journal.open_journal() as opened:
        opened.show(LAB)
    here.commit(6, 7)
    entry = journal.load().predictions[here.key]
    assert entry["committed"]["values"] == {"low": 5, "high": 20} and len(entry["revised"]) == 1
    assert "does not count" in here.note.value


def test_a_broken_journal_is_told_and_the_prediction_holds_here():
    box = BOXES["range"]()
    journal.path().write_text("{")
    fill(box)
    box.commit_button.click()
    assert box.committed and "Not kept: the journal " in box.note.value


def test_an_open_box_is_no_longer_kept_once_nothing_refers_to_it():
    box = BOXES["range"]()
    key = box.key
    explorer = explore(LAB, box)
    assert explorer.gate.closed
    del box, explorer
    import ipywidgets

    ipywidgets.Widget.close_all()
    gc.collect()
    from spe_lab.core.reader.prediction.asked import _live

    assert key not in _live


def test_a_press_on_the_page_waits_for_the_fields_that_it_has_overtaken(monkeypatch):
    monkeypatch.setattr(boxes, "SETTLED_S", 0.05)
    box = BOXES["range"]()
    press = {"content": {"data": {"method": "custom", "content": {"event": "click"}}}, "buffers": []}
    box.commit_button.comm.handle_msg(press)
    for field, value in zip(box.fields, ("5", "20"), strict=True):
        field.comm.handle_msg({"content": {"data": {"method": "update", "state": {"value": value}}}})
    deadline = time.monotonic() + 20
    while not box.committed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert box.values == {"low": 5, "high": 20}


def test_the_book_has_the_question_and_no_form(monkeypatch):
    monkeypatch.setenv("SPE_LAB_BOOK", "1")
    data, _ = BOXES["range"]()._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"} and "time per access" in data["text/html"]


@pytest.mark.parametrize("kind", BOXES)
def test_every_control_of_a_form_has_a_name(kind):
    box = BOXES[kind]()
    assert all(field.description for field in (*box.fields, box.commit_button, box.skip_button))
    data, _ = box._repr_mimebundle_()
    assert data["text/plain"].startswith("Your prediction. ")
