"""Every link inside the workbook leads somewhere, in all notebooks, the README, the book and the documentation. Without a
network: links to other sites are checked for their form.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from spe_lab.core import course

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*NOTEBOOKS, *sorted(path for folder in (ROOT, ROOT / "docs", ROOT / "book") for path in folder.glob("*.md"))]
LISTING = re.compile(r"^ *(```|~~~).*?^ *\1|`[^`\n]+`|^    .*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
IN_HTML = re.compile(r"<(?:a|img)\b[^>]*\b(?:href|src)=\"([^\"]+)\"")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
# Chapters whose prose is not yet in the form of the course.
NOT_YET: tuple[str, ...] = ()
# A chapter's number with a letter, or one after the word: 03b, "chapter 06", "chapters 00 and 01".
MENTION = re.compile(r"\b0[1-9][a-e]\b|(?<=\bchapter )\d\d\b|(?<=\bChapter )\d\d\b")


def prose(path):
    """The Markdown of a page, without listings."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        whole = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        whole = path.read_text(encoding="utf-8")
    return LISTING.sub("", whole)


def links(text):
    return [*LINK.findall(text), *IN_HTML.findall(text)]


@cache
def anchors(path):
    """The names of a page's headings: as JupyterLab (and the book, which is told so) makes them, or as GitHub does."""
    headings = [re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(prose(path))]
    if path.suffix == ".ipynb":
        return {heading.replace(" ", "-") for heading in headings}
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fault(target, page):
    """What is wrong with a link on a page; None if it leads somewhere."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        sound = parts.scheme in ("http", "https") and re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", parts.netloc)
        return None if sound else "is no address of a site"
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if parts.path.startswith("/") or ROOT not in path.parents:
        return "leads out of the workbook"
    if not path.exists():
        return "leads nowhere"
    if page.suffix == ".ipynb" and page.parent not in path.parents:
        return "leads out of the folder of notebooks, and a lecture or `spe-lab notebooks` copies that folder alone"
    if parts.fragment and unquote(parts.fragment) not in anchors(path):
        return f"names no heading; there are {', '.join(sorted(anchors(path)))}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    wrong = [f"{target}: {what}" for target in links(prose(page)) if (what := fault(target, page))]
    assert not wrong, "\n".join(wrong)


def test_the_start_page_leads_to_every_chapter_and_back():
    index = ROOT / "notebooks" / "index.ipynb"
    assert {path.name for path in NOTEBOOKS} - {index.name} <= set(links(prose(index)))
    assert all(index.name in links(prose(path)) for path in NOTEBOOKS if path != index)


def dead_mentions(text):
    """Chapters that a text names, that do not exist and are not said to be to come."""
    wrong = []
    for found in MENTION.finditer(text):
        after = text[found.end() : found.end() + 60]
        said = re.match(r"[^.;:|]*?\(to come\)", after)
        if found[0] not in course.stems() and not said:
            wrong.append(f"…{text[max(0, found.start() - 40) : found.end() + 20]}…".replace("\n", " "))
    return wrong


@pytest.mark.parametrize("page", NOTEBOOKS, ids=lambda path: path.name)
def test_a_chapter_that_a_notebook_names_exists_or_is_to_come(page):
    if page.name in NOT_YET:
        pytest.skip("not yet in the form of the course")
    cells = nbformat.read(page, as_version=4).cells
    ours = ("course-map", "links-top", "links-bottom")  # a map of all chapters says by its form which are to come
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown" and cell.id not in ours)
    wrong = dead_mentions(LISTING.sub("", text))
    assert not wrong, "\n".join(wrong)


# The checks themselves


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[a](03b_memory.ipynb) and ![b](pictures/explorer.png "title")',
            ["03b_memory.ipynb", "pictures/explorer.png"],
        ),
        ("[← `x` [y] z](index.ipynb#Glossary)", ["index.ipynb#Glossary"]),
        ('<img src="a.png" alt="">', ["a.png"]),
        ("no link: f[x](y) in a sentence has the form of one", ["y"]),
    ],
)
def test_links_are_found(text, expected):
    assert links(text) == expected


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("03b_memory.ipynb", None),
        ("#Glossary", None),
        ("index.ipynb#Map-of-the-course", None),
        ("https://doi.org/10.1145/1", None),
        ("03z_nothing.ipynb", "leads nowhere"),
        ("#glossary", "names no heading"),
        ("../docs/design.md", "leads out of the folder of notebooks"),
        ("/notebooks/03b_memory.ipynb", "leads out of the workbook"),
        ("https://", "is no address"),
        ("mailto:a@b.c", "is no address"),
    ],
)
def test_each_fault_of_a_link_is_named(target, what):
    found = fault(target, ROOT / "notebooks" / "index.ipynb")
    assert (found is None) if what is None else found.startswith(what), found


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("chapter 03b explains it", 0),
        ("chapter 05c explains it", 1),
        ("that is the subject of chapter 05c (to come)", 0),
        ("*05c Tasks (to come)*", 0),
        ("02, 03d", 0),
        ("chapter 02 and 03e", 2),
        ("chapter 06 (to come)", 0),
    ],
)
def test_dead_mentions_are_found(text, count):
    assert len(dead_mentions(text)) == count
