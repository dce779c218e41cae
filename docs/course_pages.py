"""Writes what follows from the table of chapters (spe_lab/core/course.py): nothing of it is written by hand.

    python docs/course_pages.py

- in each chapter's notebook, the cells `links-top` and `links-bottom`, and nbval's marks as tags
- in notebooks/index.ipynb, the map of the course, the paths through it and the glossary (docs/glossary.md)
- in README.md and book/index.md, the list of chapters

No notebook is executed, so this takes seconds. `make notebooks` and `make topic` run it.
"""

import re
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from spe_lab.core import course, registry
from spe_lab.core.chapter import Chapter, duration

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
INDEX = "index.ipynb"
TOP, BOTTOM = "links-top", "links-bottom"
GENERATED = "<!-- written by docs/course_pages.py -->"
TO_COME = "to come"
sys.path.insert(0, str(ROOT / "tests" / "notebooks"))

from canonical import canonical, text, write  # noqa: E402, the tests' module gives notebooks their form


def notebook_of(number: str) -> Path:
    """Return the path of an existing chapter's notebook."""
    (path,) = NOTEBOOKS.glob(course.notebook(number))
    return path


def link(chapter: Chapter, folder: str = "", name: str = "") -> str:
    """Return a chapter as a Markdown link from a page that has `folder` before its notebooks; no link if to come."""
    if chapter.number in course.stems():
        return f"[{name or chapter.name}]({folder}{notebook_of(chapter.number).name})"
    return f"*{name or chapter.name} ({TO_COME})*"


def listed(numbers: Sequence[str]) -> str:
    """Return chapters as links, by number alone."""
    table = {chapter.number: chapter for chapter in course.chapters()}
    return ", ".join(link(table[number], name=number) for number in numbers)


# Links of a chapter


def way(number: str) -> str:
    """Return the links to the neighbours and to the start page, in one line."""
    before, after = course.neighbours(number)
    parts = [
        before and link(before, name=f"← {before.name}"),
        f"[Start]({INDEX})",
        after and link(after, name=f"{after.name} →"),
    ]
    return " · ".join(part for part in parts if part)


def links_top(number: str) -> str:
    chapter = registry.chapter(course.stems()[number])
    table = {chapter.number: chapter for chapter in course.chapters()}
    needed = ", ".join(link(table[need]) for need in chapter.needs) or "none"
    return f"{way(number)}\n\n**Time:** {chapter.time}, exercises included. **Prerequisites:** {needed}."


def links_bottom(number: str) -> str:
    _, after = course.neighbours(number)
    outlook = f"**Next:** {link(after)} ({after.time}). {after.sentence}" if after else "This is the last chapter."
    return f"{way(number)}\n\n{outlook}"


def linked(notebook: NotebookNode, number: str) -> NotebookNode:
    """Return the notebook with its links in the first and the last cell. On slides the last cell alone is shown."""
    cells = [cell for cell in notebook.cells if cell.get("id") not in (TOP, BOTTOM)]
    top = new_markdown_cell(links_top(number), id=TOP, metadata={"slideshow": {"slide_type": "skip"}})
    bottom = new_markdown_cell(links_bottom(number), id=BOTTOM, metadata={"slideshow": {"slide_type": "slide"}})
    return nbformat.from_dict({**notebook, "cells": [top, *cells, bottom]})


# The start page


def map_of_the_course() -> str:
    """Return all chapters, by section, with what one learns, time and prerequisites."""
    rows = ["| Chapter | What you learn | Time | Needs |", "|---|---|---|---|"]
    for section, chapters in groupby(course.chapters(), key=lambda chapter: chapter.number[:2]):
        inside = list(chapters)
        if len(inside) > 1:
            rows.append(f"| **{int(section)} {course.SECTIONS.get(section, '')}** | | | |")
        for chapter in inside:
            known = chapter.number in course.stems()
            words = (chapter.sentence, one_line(chapter.time), listed(chapter.needs) or "–")
            rows.append(f"| {link(chapter)} | {' | '.join(words if known else faint(chapter))} |")
    known, all_of_them = course.written(), course.chapters()
    sums = (
        f"{len(known)} of {len(all_of_them)} chapters exist: {duration(course.minutes(known))}"
        f" of {duration(course.minutes(all_of_them))} of work."
    )
    return "\n".join([*rows, "", f"{sums} Chapters in italics are still to come; their times are estimates."])


def faint(chapter: Chapter) -> tuple[str, str, str]:
    return f"*{chapter.sentence}*", f"*{one_line(chapter.time)}*", ", ".join(chapter.needs) or "–"


def one_line(time: str) -> str:
    """Return a time that a narrow column does not break."""
    return time.replace(" ", "\N{NO-BREAK SPACE}")


def self_study() -> str:
    """Return the path of twelve weeks, its times computed from the table."""
    table = course.written()
    rows = ["| Week | Chapters | Time |", "|---|---|---|"]
    for number, week in enumerate(course.weeks(table), start=1):
        rows.append(f"| {number} | {', '.join(map(_sitting, week)) or 'repetition'} | {_time(week)} |")
    total = course.minutes(table)
    rows.append(f"| together | {len(table)} chapters | {duration(total)} |")
    heading = f"### Self-study in {course.WEEKS} weeks"
    return "\n".join([heading, "", f"All chapters in order, about {duration(total / course.WEEKS)} a week.", "", *rows])


def _sitting(sitting: course.Sitting) -> str:
    part = f", part {sitting.part} of {sitting.parts}" if sitting.parts > 1 else ""
    return f"{link(sitting.chapter, name=sitting.chapter.number)}{part}"


def _time(week: Sequence[course.Sitting]) -> str:
    return duration(sum(sitting.minutes for sitting in week))


def evening() -> str:
    """Return the shortest path that shows what the workbook is about."""
    table = [chapter for chapter in course.written() if chapter.number in course.EVENING]
    steps = [f"{i}. {link(chapter)}, {chapter.time}: {chapter.sentence}" for i, chapter in enumerate(table, start=1)]
    return "\n".join(["### One evening", "", f"{duration(course.minutes(table))} in all.", "", *steps])


def lectures() -> str:
    """Return the path of a lecturer: 45 minutes in the hall for each chapter, the other minutes at home."""
    table = course.written()
    rows = ["| Lecture | Chapter | In the hall | At home |", "|---|---|---|---|"]
    for number, chapter in enumerate(table, start=1):
        home = duration(max(0, chapter.minutes - course.LECTURE_MIN))
        rows.append(f"| {number} | {link(chapter)} | {duration(course.LECTURE_MIN)} | {home} |")
    hall = course.LECTURE_MIN * len(table)
    at_home = sum(max(0, chapter.minutes - course.LECTURE_MIN) for chapter in table)
    rows.append(f"| together | {len(table)} chapters | {duration(hall)} | {duration(at_home)} |")
    intro = (
        f"### Lecture\n\nEach chapter has a path of {course.LECTURE_MIN} minutes for the hall; labs and exercises are"
        " homework. The section *For the lecturer* of each chapter says what to show."
        " Start it with `make lecture NOTEBOOK=notebooks/…`."
    )
    return "\n".join([intro, "", *rows])


def glossary() -> str:
    """Return docs/glossary.md as a cell of the start page: each term links to the chapters that use it."""
    _, *entries = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("\n- ")
    lines = []
    for entry in entries:
        found = re.fullmatch(r"(\*\*.+?\*\*): (.+) \(((?:\d\d[a-z]?(?:, )?)+)\)", " ".join(entry.split()))
        if not found:
            raise ValueError(f"an entry of docs/glossary.md must read `- **term**: words (chapters)`, got {entry!r}")
        term, words, numbers = found.groups()
        lines.append(f"- {term}: {words} ({listed(numbers.split(', '))})")
    lines.sort(key=lambda line: line.strip("- *$\\").casefold())
    return "\n".join(["## Glossary", "", *lines])


CELLS: dict[str, Callable[[], str]] = {
    "course-map": map_of_the_course,
    "path-self-study": self_study,
    "path-evening": evening,
    "path-lecture": lectures,
    "glossary": glossary,
}


def indexed(notebook: NotebookNode) -> NotebookNode:
    """Return the start page with its generated cells written anew."""
    missing = set(CELLS) - {cell.id for cell in notebook.cells}
    if missing:
        raise ValueError(f"{INDEX} must have cells with the ids {', '.join(sorted(missing))}; add them")
    for cell in notebook.cells:
        if cell.id in CELLS:
            cell.source = CELLS[cell.id]()
    return notebook


# Pages


def readme_table() -> str:
    rows = ["| chapter | what you learn | time | labs |", "|---|---|---|---|"]
    for chapter in course.written():
        stem = course.stems()[chapter.number]
        labs = ", ".join(f"`{lab_id}`" for lab_id in registry.labs() if lab_id.startswith(f"{stem}."))
        rows.append(f"| {link(chapter, 'notebooks/')} | {chapter.sentence} | {one_line(chapter.time)} | {labs} |")
    return "\n".join(rows)


def book_list() -> str:
    rows = ["| chapter | what you learn | time |", "|---|---|---|"]
    for chapter in course.written():
        rows.append(f"| {link(chapter, 'notebooks/')} | {chapter.sentence} | {one_line(chapter.time)} |")
    return "\n".join(rows)


def replaced(page: str, generated: str) -> str:
    """Return a page with the table below GENERATED written anew."""
    head, mark, rest = page.partition(f"{GENERATED}\n")
    if not mark:
        raise ValueError(f"the page must have the line {GENERATED}")
    after = re.sub(r"\A\n*(\|.*\n)*\n*", "", rest)
    return f"{head}{mark}\n{generated}\n\n{after}"


def places() -> list[Path]:
    """Return the files that are written."""
    notebooks = [notebook_of(number) for number in course.stems()]
    return [ROOT / "README.md", ROOT / "book" / "index.md", *notebooks, NOTEBOOKS / INDEX]


def pages() -> dict[Path, str]:
    """Return the content that each file should have."""
    readme, book, *chapters, index = places()
    numbers = dict(zip(chapters, course.stems(), strict=True))
    return {
        readme: replaced(readme.read_text(encoding="utf-8"), readme_table()),
        book: replaced(book.read_text(encoding="utf-8"), book_list()),
        **{path: _text(linked(nbformat.read(path, as_version=4), numbers[path])) for path in chapters},
        index: _text(indexed(nbformat.read(index, as_version=4))),
    }


def _text(notebook: NotebookNode) -> str:
    return text(canonical(notebook))


def main() -> None:
    for path, content in pages().items():
        if content != path.read_text(encoding="utf-8"):
            write(path, content)
            print(f"{path.relative_to(ROOT)}: written")


if __name__ == "__main__":
    main()
