"""The handle of a notebook's cells: its question, drawn numbers that outlive a kernel, and answers in C."""

import random

import pytest

from spe_lab import exercise
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.reader import handle, journal, seeded
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, number
from spe_lab.core.reader.handle import AskedExercise
from spe_lab.core.reader.journal import Journal
from spe_lab.ui.cell import Uncompiled


def doubled(rng: random.Random) -> Exercise:
    n = rng.randrange(1000)
    right, wrong = Verdict("right", "twice"), Verdict("wrong", "no")
    return Exercise(
        f"Twice {n}?",
        ("Add.", "Add it."),
        2 * n,
        "So.",
        lambda answer: right if number(answer, "n") == 2 * n else wrong,
    )


ASKED = Exercises("topic", {"twice": Seeded(doubled)})


@pytest.fixture
def long(monkeypatch):
    """As for a reader: neither a short run nor the book."""
    monkeypatch.setattr(seeded, "is_fixed", lambda: False)


def made() -> AskedExercise:
    return AskedExercise(1, ASKED.entries["twice"])


def test_an_exercise_is_asked_by_number_or_name():
    assert exercise("memory", 1).id == exercise("memory", "ramp").id == "memory.ramp"
    assert repr(exercise("memory", 1)).startswith("Exercise 1. In the refined model")
    assert exercise("memory", 1)._repr_markdown_().startswith("**Exercise 1.** In the refined model")
    right = exercise("memory", 1).solved()  # of the numbers that are drawn for this reader
    assert exercise("memory", 1).check(right).state == "right" and exercise("memory", 1).answer_given() == right
    assert "Hint 1" in exercise("memory", 1).hint()


@pytest.mark.parametrize(
    ("stem", "which", "said"),
    [("nothing", 1, "stem must be one of"), ("memory", 0, "which must be a number from 1 to"), ("memory", "x", "ramp")],
)
def test_what_is_not_there_is_told(stem, which, said):
    with pytest.raises(SpeLabError, match=said):
        exercise(stem, which)


def test_short_runs_ask_every_reader_the_same():
    assert made().question == ASKED["twice"].question == ASKED.entries["twice"].exercise(seeded.FIXED).question
    again = made()
    first = again.question
    assert again.another() is again and again.question != first
    assert journal.load().data["reader"] == {"seed": None, "draws": {}}


def test_a_reader_s_numbers_outlive_the_kernel(long):
    question = made().question
    assert made().question == ASKED["twice"].question == question
    assert journal.load().data["reader"]["seed"] is not None
    other = made().another().question
    assert other != question and made().question == ASKED["twice"].question == other


def test_the_question_is_shown_until_it_is_answered(long):
    asked = made()
    untouched = asked.check(...)
    assert (
        str(untouched).startswith(f"{asked.question}\n\n○ not attempted: ")
        and asked.question in untouched._repr_html_()
    )
    right = asked.check(asked.solved())
    assert right.question == "" and right.reason == "twice. .another() asks again with other numbers"


def test_an_answer_belongs_to_its_numbers(long):
    asked = made()
    asked.check(asked.solved())
    entry = journal.load().exercises["topic.twice"]["right"]
    assert (entry["draw"], entry["question"]) == (0, asked.question)
    former = asked.answer_given()
    asked.another()
    assert "to other numbers, was right" in asked.check(...).reason
    with pytest.raises(SpeLabError, match="answered before with these numbers"):
        asked.answer_given()
    asked.check(-1)
    assert asked.answer_given() == -1 and journal.load().exercises["topic.twice"]["right"]["answer"] == former


def test_a_damaged_journal_leaves_the_fixed_numbers_and_is_told(long):
    journal.path().parent.mkdir(parents=True, exist_ok=True)
    journal.path().write_text("{")
    asked = made()
    assert asked.question == ASKED.entries["twice"].exercise(seeded.FIXED).question
    assert "Not kept: the journal" in repr(asked.another())


def test_fixed_numbers_have_no_others():
    with pytest.raises(SpeLabError, match="must have numbers that are drawn"):
        exercise("memory", "overlap").another()


def test_an_exercise_that_draws_nothing_is_a_defect():
    with pytest.raises(SpeLabError, match="must draw different numbers"):
        Seeded(lambda _: doubled(random.Random(1)), "x.y").next_draw(1, 0)


def test_a_reader_s_seed_stays_when_another_journal_is_taken_over():
    own, other = Journal(), Journal()
    other.seed()
    other.set_draw("topic.twice", 3)
    own.merge(other)
    assert own.data["reader"] == other.data["reader"] and own.draw("topic.twice") == 3
    before = own.seed()
    third = Journal()
    third.seed()
    own.merge(third)
    assert own.seed() == before


def test_a_journal_of_format_1_is_read_and_written_as_format_2(long):
    old = Journal().data
    del old["reader"]
    journal.path().parent.mkdir(parents=True, exist_ok=True)
    journal.path().write_text(Journal({**old, "format": 1}).to_json().replace('"format": 2', '"format": 1'))
    with journal.open_journal() as kept:
        kept.answered("memory.ramp", 10, "right", "yes")
    assert journal.load().data["format"] == 2 and journal.load().exercises["memory.ramp"]["right"]["answer"] == 10


# ---- Answers in C

TEMPLATE = "int f(void)\n{\n    return 0;  /* to be changed */\n}\n"


class CompiledCell:
    def __init__(self, source):
        self.source = source


@pytest.fixture
def in_c():
    made_ = Exercise(
        "Change f.", ("Look.", "At it."), "int f;", "So.", lambda _: Verdict("right", "it compiles"), template=TEMPLATE
    )
    return Exercises("topic", {"c": made_})["c"]


def test_an_unchanged_template_is_not_attempted_and_not_kept(in_c):
    unchanged = CompiledCell("\n" + TEMPLATE.replace("/* to be changed */", "// mine"))
    assert in_c.check(unchanged).state == "not attempted" and "change the C code" in in_c.check(unchanged).reason
    assert journal.load().exercises == {}


def test_a_changed_cell_is_judged_and_its_source_is_kept(in_c):
    changed = TEMPLATE.replace("0", "1")
    assert in_c.check(CompiledCell(changed)).state == "right"
    assert in_c.answer_given() == changed


def test_a_cell_without_a_compiler_is_inconclusive():
    from spe_lab.core.reader.exercise import c_text

    for source in (TEMPLATE, TEMPLATE.replace("0", "1")):
        asked = Exercise("?", ("a", "b"), "", "So.", lambda code: Verdict("right", c_text(code)), template=TEMPLATE)
        verdict = asked.check(Uncompiled(source, "there is no C compiler; install one"))
        assert verdict == Verdict("inconclusive", "there is no C compiler; install one")
    with pytest.raises(UnavailableError):
        c_text(Uncompiled("int f;", "no"))
    with pytest.raises(SpeLabError, match="must be the cell of your C code, got int"):
        c_text(1)


def test_the_book_says_that_answers_are_checked_elsewhere(monkeypatch, in_c):
    monkeypatch.setenv("SPE_LAB_BOOK", "1")
    for answer in (..., TEMPLATE):
        assert "a running notebook checks answers" in in_c.check(answer).reason


def test_a_verdict_is_escaped_and_says_in_words_what_its_colour_says():
    source = Verdict("wrong", "`a < b` & <script>")._repr_html_()
    assert "<code>a &lt; b</code> &amp; &lt;script&gt;" in source and "✘ <b>wrong</b>" in source


def test_the_package_exports_it():
    assert exercise is handle.exercise
