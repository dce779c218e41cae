"""A chapter's number and title stand once, in its topic; whatever repeats them is compared with that."""

import json
import re
from pathlib import Path

import pytest

from spe_lab.core import registry
from spe_lab.core.chapter import Chapter
from spe_lab.core.errors import SpeLabError

ROOT = Path(__file__).parents[2]
CHAPTERS = {stem: registry.chapter(stem) for stem in registry.stems()}


def rows(text):
    """(number and title, notebook, labs) of each row of the README's table."""
    return re.findall(r"^\| (\d\d[a-z]? .*?) \| \[(.*?)\]\(notebooks/.*?\) \| (.*?) \|$", text, re.M)


def notebook(stem):
    (path,) = (ROOT / "notebooks").glob(f"{CHAPTERS[stem].number}_*{stem}.ipynb")
    return path


def test_the_readme_lists_every_chapter_with_its_notebook_and_its_labs():
    expected = []
    for stem, chapter in sorted(CHAPTERS.items(), key=lambda item: item[1].number):
        labs = {lab_id for lab_id in registry.labs() if lab_id.startswith(f"{stem}.")}
        expected.append((f"{chapter.number} {chapter.title}", notebook(stem).name, labs))
    found = [
        (title, name, set(re.findall(r"`(.*?)`", labs))) for title, name, labs in rows((ROOT / "README.md").read_text())
    ]
    assert found == expected


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_notebook_begins_with_the_chapter_s_number_and_every_lab_has_it(stem):
    chapter = CHAPTERS[stem]
    heading = json.loads(notebook(stem).read_text())["cells"][0]["source"][0]
    assert heading.startswith(f"# {chapter.number} · ")
    assert {lab.chapter for lab_id, lab in registry.labs().items() if lab_id.startswith(f"{stem}.")} == {chapter.number}


def test_the_book_s_index_lists_every_notebook():
    index = (ROOT / "book" / "index.md").read_text()
    assert (
        ":glob:\n" in index and "\nnotebooks/*\n" in index
    )  # in the order of their names, which begin with the numbers


@pytest.mark.parametrize("number", ["5b", "05bb", "", "five"])
def test_a_number_of_another_form_is_refused(number):
    with pytest.raises(SpeLabError, match="number must be two digits"):
        Chapter(number, "A title")
