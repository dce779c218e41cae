"""The reader's progress through the course."""

import re

import pytest

from spe_lab.core import course, registry
from spe_lab.core.reader.exercise import exercises
from spe_lab.core.reader.journal import Journal
from spe_lab.core.reader.overview import overview

FIRST, *_, LAST = course.written()


def ids(chapter):
    return [id for id in exercises() if registry.chapter(id.partition(".")[0]) == chapter]


def row(table, chapter):
    return re.search(rf"^\| {chapter.name} \| (.*?) \| (.*?) \|$", table, flags=re.M).groups()


def test_an_empty_journal_shows_every_chapter_and_where_to_begin():
    table = overview(Journal())
    assert table.count("\n| ") == len(course.written()) and "0 of" in row(table, LAST)[0]
    assert table.endswith(f"Your journal is empty. Begin with chapter {FIRST.name}.")


def test_right_answers_and_measured_predictions_are_counted():
    kept = Journal()
    right, wrong, *_ = ids(FIRST)
    kept.answered(right, 1, "right", "so it is")
    kept.answered(wrong, 1, "wrong", "it is not")
    kept.answered(right, 2, "wrong", "a right answer stays right")
    kept.answered(f"{right}_of_an_older_edition", 1, "right", "not asked any more")
    lab_id = next(lab_id for lab_id, lab in registry.labs().items() if lab.chapter == FIRST.number)
    kept.predictions["one"] = {"lab": lab_id, "committed": {}, "revised": [], "scored": {}}
    kept.predictions["other"] = {"lab": lab_id, "committed": {}, "revised": [], "scored": {"hit": True}}
    table = overview(kept)
    assert row(table, FIRST) == (f"1 of {len(ids(FIRST))}", "1 of 2")
    assert f"Go on with chapter {FIRST.name}: {len(ids(FIRST)) - 1} exercise" in table


def test_a_finished_chapter_leads_to_the_next_one_and_the_last_to_the_end():
    kept = Journal()
    for id in ids(FIRST):
        kept.answered(id, 1, "right", "so it is")
    assert overview(kept).endswith(f"Go on with chapter {course.neighbours(FIRST.number)[1].name}.")
    for id in exercises():
        kept.answered(id, 1, "right", "so it is")
    assert overview(kept).endswith("You have solved all exercises.")


def test_a_journal_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path))
    (tmp_path / "journal.json").write_text("{")
    assert overview().startswith("Your progress cannot be read: the journal")


@pytest.mark.parametrize("chapter", course.written(), ids=lambda chapter: chapter.number)
def test_every_chapter_has_exercises(chapter):
    assert len(ids(chapter)) >= 3
