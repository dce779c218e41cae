"""A chapter's number, title, sentence, time and prerequisites stand once; whatever repeats them follows from that."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from spe_lab.core import course, registry
from spe_lab.core.chapter import Chapter
from spe_lab.core.errors import SpeLabError

ROOT = Path(__file__).parents[2]
CHAPTERS = {stem: registry.chapter(stem) for stem in registry.stems()}
SENTENCE = "You learn what a lock costs."


def notebook(stem):
    (path,) = (ROOT / "notebooks").glob(f"{CHAPTERS[stem].number}_*{stem}.ipynb")
    return path


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_notebook_begins_with_the_chapter_s_number_and_every_lab_has_it(stem):
    chapter = CHAPTERS[stem]
    links, title = json.loads(notebook(stem).read_text())["cells"][:2]
    assert links["id"] == "links-top"
    assert title["source"][0].startswith(f"# {chapter.number} · ")
    assert {lab.chapter for lab_id, lab in registry.labs().items() if lab_id.startswith(f"{stem}.")} == {chapter.number}


# The table


def test_a_topic_s_chapter_takes_the_place_of_the_planned_one(monkeypatch):
    monkeypatch.setattr(course, "TO_COME", (Chapter("03b", "A plan", SENTENCE, 60), *course.TO_COME))
    titles = {chapter.number: chapter.title for chapter in course.chapters()}
    assert titles["03b"] == CHAPTERS["memory"].title
    assert course.planned("05b").title == "Synchronisation" and course.planned("03c") is None


def test_numbers_are_in_order_and_belong_to_a_section():
    numbers = [chapter.number for chapter in course.chapters()]
    assert numbers == sorted(set(numbers)) and len(numbers) >= 27
    assert {number[:2] for number in numbers if number[:2] in course.SECTIONS} == set(course.SECTIONS)


@pytest.mark.parametrize("chapter", course.chapters(), ids=lambda chapter: chapter.number)
def test_a_chapter_needs_chapters_that_exist_or_are_planned_and_come_before_it(chapter):
    before = [other.number for other in course.chapters() if other.number < chapter.number]
    assert set(chapter.needs) <= set(before)


def test_a_chapter_that_exists_needs_nothing_that_is_still_to_come():
    assert all(set(chapter.needs) <= set(course.stems()) for chapter in CHAPTERS.values() if chapter.number < "90")


def test_neighbours_are_the_existing_chapters():
    numbers = list(course.stems())
    for before, after in pairwise(numbers):
        assert course.neighbours(before)[1].number == after and course.neighbours(after)[0].number == before
    assert course.neighbours(numbers[0])[0] is None and course.neighbours(numbers[-1])[1] is None


def test_a_notebook_of_a_chapter_that_is_to_come_is_refused():
    with pytest.raises(SpeLabError, match=r"chapter must be one of 00, .*, got '05z'; the others are still to come"):
        course.notebook("05z")


# Paths: their times add up


@pytest.mark.parametrize("table", [course.written(), course.chapters(), course.written()[:2]])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_weeks_hold_all_sittings_in_order_and_their_times_add_up(table, count):
    weeks = course.weeks(table, count)
    assert len(weeks) == count
    assert [sitting for week in weeks for sitting in week] == course.sittings(table)
    assert sum(sitting.minutes for week in weeks for sitting in week) == course.minutes(table)


def test_no_week_could_be_shorter():
    """Against all ways to cut seven sittings into three weeks."""
    table = [Chapter(f"1{i}", "T", SENTENCE, minutes) for i, minutes in enumerate((30, 90, 20, 100, 60, 40, 70))]
    every = [
        max(sum(c.minutes for c in table[a:b]) for a, b in ((0, i), (i, j), (j, 7)))
        for i in range(1, 6)
        for j in range(i + 1, 7)
    ]
    found = max(sum(sitting.minutes for sitting in week) for week in course.weeks(table, 3))
    assert found == min(every)


def test_sittings_of_a_chapter_are_short_and_equal_to_the_minute():
    sittings = course.sittings([Chapter("10", "T", SENTENCE, 205)])
    assert [(s.part, s.parts, s.minutes) for s in sittings] == [(1, 3, 68), (2, 3, 68), (3, 3, 69)]


def test_the_evening_s_chapters_exist_and_need_no_others():
    evening = [chapter for chapter in course.written() if chapter.number in course.EVENING]
    assert [chapter.number for chapter in evening] == list(course.EVENING)
    assert all(set(chapter.needs) <= set(course.EVENING) for chapter in evening)
    assert course.minutes(evening) <= 180


# Bad entries


@pytest.mark.parametrize("number", ["5b", "05bb", "", "five"])
def test_a_number_of_another_form_is_refused(number):
    for wrong in ({"number": number}, {"number": "05b", "needs": (number,)}):
        with pytest.raises(SpeLabError, match="number must be two digits"):
            Chapter(**{"title": "T", "sentence": SENTENCE, "minutes": 60, **wrong})


@pytest.mark.parametrize("sentence", ["", "No full stop", f"{'word ' * 21}end."])
def test_a_sentence_is_a_sentence(sentence):
    with pytest.raises(SpeLabError, match="sentence must be at most 20 words and end with a full stop"):
        Chapter("05b", "T", sentence, 60)


@pytest.mark.parametrize("minutes", [0, 4, 601])
def test_minutes_are_those_of_a_chapter(minutes):
    with pytest.raises(SpeLabError, match="minutes must be 5 to 600"):
        Chapter("05b", "T", SENTENCE, minutes)
