"""The reader's progress, and the report for a class: it says what signs it, and runs nothing that a reader wrote."""

import csv
import io

import pytest

from spe_lab import progress
from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal, report
from spe_lab.core.reader import progress as module
from spe_lab.core.reader.journal import Journal
from spe_lab.topics import memory


def at(minute):
    return f"2026-11-01T{10 + minute // 60:02}:{minute % 60:02}:00+00:00"


def kept(*minutes, id="memory.ramp", answer=10, state="right", reason="yes"):
    made = Journal()
    made.answered(id, answer, state, reason)
    made.exercises[id]["verdicts"] = [{"time": at(minute), "state": state} for minute in minutes]
    return made


@pytest.mark.parametrize(
    ("minutes", "spent"), [((), 0), ((5,), 0), ((0, 5, 14), 14), ((0, 5, 20, 25), 10), ((25, 0, 5, 20), 10)]
)
def test_time_is_the_sum_of_short_gaps(minutes, spent):
    assert module.minutes_of(module.times_of("memory", kept(*minutes))) == spent


def test_predictions_and_measurements_of_the_chapter_count():
    made = kept(0)
    made.data["shown"] = {"memory.stride size=1": at(10), "branches.rate": at(12)}
    made.predictions["a"] = {
        "lab": "memory.stride", "committed": {"time": at(8)}, "revised": [{"time": at(14)}], "scored": {"time": at(11)},
    }  # fmt: skip
    assert module.minutes_of(module.times_of("memory", made)) == 14
    assert module.of_journal("memory", ["ramp"], made).predictions == (1, 1)


def test_done_and_open_and_the_next_chapter_are_shown():
    memory.EXERCISES["ramp"].check(memory.EXERCISES["ramp"].answer)
    memory.EXERCISES["ramp"].check(-1)
    memory.EXERCISES["overlap"].check("x", run=None)
    found = progress("memory")
    assert found.done == ["ramp"] and found.open == list(memory.EXERCISES)[1:]
    text = found._repr_markdown_()
    assert f"1 of {len(memory.EXERCISES)} exercises are done." in text and "| 1 | ramp | ✔ right |" in text
    assert "Next: [03c · Access patterns](03c_access_patterns.ipynb)" in text and "Next: 03c" in repr(found)


@pytest.mark.parametrize("stem", registry.stems())
def test_every_chapter_has_a_progress_and_a_notebook_after_it(stem):
    found = progress(stem)
    assert found.done == [] and f"0 of {len(found.exercises)} exercises" in repr(found)
    title, link = module.following(stem)
    assert bool(title) == bool(link)


def test_a_damaged_journal_is_told():
    journal.path().write_text("{")
    assert "Your journal cannot be read" in progress("memory")._repr_markdown_()


@pytest.mark.parametrize(("minutes", "text"), [(0.4, "less than a minute"), (14, "14 min"), (125, "2 h 5 min")])
def test_time_is_told_in_words(minutes, text):
    assert module.Progress("memory", {}, (0, 0), minutes).time == text


def test_an_unknown_topic_is_refused():
    with pytest.raises(SpeLabError, match="stem must be one of"):
        progress("nothing")


# ---- The report

EVIL = '=HYPERLINK("http://evil")<script>alert(1)</script>'


def test_a_report_says_that_nothing_signs_it_and_escapes_what_a_reader_wrote():
    made = kept(0, 5, answer=EVIL, reason="<b>because</b>")
    page = report.to_html(made)
    assert "Not signed:" in page and report.UNSIGNED in page
    assert "<script" not in page and "&lt;script&gt;" in page and "&lt;b&gt;because" in page
    rows = list(csv.DictReader(io.StringIO(report.to_csv(made))))
    (row,) = [row for row in rows if row["name"] == "memory.ramp"]
    assert row["answer"] == f"'{EVIL}" and (row["state"], row["attempts"]) == ("right", "2")
    assert (row["first"], row["last"]) == (at(0), at(5)) and rows[-1]["name"] == "signed by nothing"
    assert {"chapter": "03b", "kind": "time", "answer": "5"}.items() <= next(
        row for row in rows if row["kind"] == "time"
    ).items()


def test_a_report_has_the_question_with_the_numbers_that_were_asked():
    made = Journal()
    made.answered("branches.sorted", 3, "right", "yes", draw=2, question="With 7 keys?")
    (row,) = [row for row in report.entries(made) if row["name"] == "branches.sorted"]
    assert row["question"] == "With 7 keys?" and row["answer"] == "3"


def test_predictions_are_in_it():
    made = Journal()
    facts = {"lab": "memory.stride", "kind": "range", "asked": "at stride 64 B", "settings": {}, "unit": "ns"}
    made.commit("a", "memory.stride", facts, {"low": 1.0, "high": 2.0}, "1 to 2 ns")
    (row,) = [row for row in report.entries(made) if row["kind"] == "prediction"]
    assert (row["chapter"], row["answer"], row["state"], row["attempts"]) == ("03b", "1 to 2 ns", "open", 1)
    made.predictions["a"] |= {"committed": None, "revised": []}
    assert "skipped" in report.to_csv(made)


def test_an_exercise_that_no_topic_has_any_more_is_kept():
    assert "gone.one" in report.to_csv(kept(0, id="gone.one"))


@pytest.mark.parametrize("name", ["mine.html", "mine.csv"])
def test_a_report_is_written_once(tmp_path, name):
    report.write(tmp_path / name, kept(0))
    assert "memory.ramp" in (tmp_path / name).read_text()
    with pytest.raises(SpeLabError, match="FILE must not exist yet"):
        report.write(tmp_path / name, kept(0))
    with pytest.raises(SpeLabError, match=r"FILE must end in \.html or \.csv"):
        report.write(tmp_path / "mine.pdf", kept(0))
