"""Everything that follows from the table of chapters is as docs/course_pages.py writes it."""

import re

import nbformat
import pytest
from canonical import canonical, text

from spe_lab.core import course, registry
from spe_lab.core.chapter import Chapter

pages = pytest.importorskip("course_pages", reason="not in this copy of the checkout")


@pytest.fixture(scope="module")
def written():
    return pages.pages()


@pytest.mark.parametrize("path", [path.relative_to(pages.ROOT) for path in pages.places()], ids=str)
def test_the_page_is_up_to_date(written, path):
    assert (pages.ROOT / path).read_text(encoding="utf-8") == written[pages.ROOT / path], "run docs/course_pages.py"


def test_doing_it_again_changes_nothing(written):
    path = pages.notebook_of("03b")
    again = text(canonical(pages.linked(nbformat.reads(written[path], as_version=4), "03b")))
    assert again == written[path]


def test_links_lead_to_the_neighbours_the_start_and_what_is_needed():
    top, bottom = pages.links_top("03c"), pages.links_bottom("03c")
    before, after = (pages.notebook_of(chapter.number).name for chapter in course.neighbours("03c"))
    for links in (top, bottom):
        assert f"]({before})" in links and f"]({after})" in links and "[Start](index.ipynb)" in links
    assert "3 h 30 min" in top and "[03b The memory hierarchy]" in top.partition("Prerequisites")[2]


def test_the_ends_of_the_course_have_one_neighbour():
    numbers = list(course.stems())
    assert "←" not in pages.links_top(numbers[0]) and "→" not in pages.links_top(numbers[-1])


def test_links_are_put_at_both_ends_whatever_was_there():
    notebook = nbformat.read(pages.notebook_of("03b"), as_version=4)
    notebook.cells = [*notebook.cells[::-1], notebook.cells[-1]]
    ids = [cell.id for cell in pages.linked(notebook, "03b").cells]
    assert (ids[0], ids[-1]) == ("links-top", "links-bottom")
    assert ids.count("links-top") == ids.count("links-bottom") == 1


def test_a_chapter_to_come_is_named_without_a_link():
    chapter = Chapter("97", "Nothing yet", "You learn nothing yet.", 60)
    assert pages.link(chapter) == "*97 Nothing yet (to come)*"


def test_the_map_names_every_chapter_and_links_those_that_exist():
    shown = pages.map_of_the_course()
    for chapter in course.chapters():
        assert chapter.title in shown and chapter.sentence in shown
        assert (f"[{chapter.name}](" in shown) == (chapter.number in course.stems())


def test_times_of_the_paths_add_up():
    rows = re.findall(r"\| ((?:\d+ h)?(?: ?\d+ min)?) \|$", pages.self_study(), flags=re.M)
    assert sum(map(_minutes, rows[:-1])) == _minutes(rows[-1]) == course.minutes(course.written())
    hall_and_home = re.findall(r"\| ([^|]+) \| ([^|]+) \|$", pages.lectures(), flags=re.M)[1:]
    together = [sum(_minutes(row[i]) for row in hall_and_home[:-1]) for i in (0, 1)]
    assert together == [_minutes(cell) for cell in hall_and_home[-1]]


def _minutes(time):
    hours, minutes = (re.search(rf"(\d+) {unit}\b", time) for unit in ("h", "min"))
    return 60 * int(hours[1] if hours else 0) + int(minutes[1] if minutes else 0)


def test_the_readme_lists_the_labs_of_every_chapter():
    table = pages.readme_table()
    assert set(re.findall(r"`(\w+\.\w+)`", table)) == set(registry.labs())


# The glossary


def test_the_glossary_is_sorted_and_every_term_links_to_a_chapter_that_exists():
    lines = pages.glossary().splitlines()[2:]
    terms = [re.match(r"- \*\*(.+?)\*\*: [^(]*.* \((\[.+\]\(.+\.ipynb\))\)$", line) for line in lines]
    assert all(terms) and len(terms) > 50
    names = [term[1].casefold() for term in terms]
    assert names == sorted(names) and len(set(names)) == len(names)
    assert "to come" not in pages.glossary()


@pytest.mark.parametrize(
    "term",
    [
        "stack distance",
        "Hermite's identity",
        "Lambert's W",
        "generating function",
        "M/M/c",
        "Poisson",
        "hyper-thread",
        "fence",
        "PMU",
        "SPE_OPAQUE",
        "provenance",
        "p99",
        "gshare",
        "stationary",
    ],
)
def test_the_glossary_explains_the_words_that_readers_missed(term):
    assert re.search(rf"^- \*\*[^*]*{re.escape(term)}", pages.glossary(), flags=re.M)


def test_an_entry_of_another_form_is_named(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "glossary.md").write_text("# Glossary\n\n- **term** without its chapter\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"an entry of docs/glossary.md must read .* got '\*\*term"):
        pages.glossary()
