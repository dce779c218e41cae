"""Notebooks as slides: headings and steps decide where each slide begins.

    python -m spe_lab.ui.slides notebooks/03b_memory.ipynb dist/lecture

writes a copy of every notebook beside it, with the `slideshow` metadata that presentation tools read, and a page of
notes for the lecturer to each. `make lecture` does this and opens the copy.
"""

import argparse
import ast
import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from spe_lab.ui.lecture_notes import NOTES, SHORT, TITLE, Cell, notes_name, notes_page, source, tags, title

PICTURES = "pictures"  # the folder that Markdown cells show pictures from
_HEADING = re.compile(r"^#{1,3} ", re.MULTILINE)
_LISTING = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)  # a # in it is a comment
_TALL = re.compile(
    r"\b(explore|Stepper|Player|sketch|predict_curve)\(|\.(sliders|beside)\("
)  # their output fills a screen
_FORM = re.compile(r"\bpredict(_order|_choice)?\(")  # shows a form: its code needs no room
_LINE = 90  # characters of prose that leave room for a figure below them
_C = re.compile(r"%%c +(\w+)")
_MAGIC = re.compile(r"^%.*$", re.MULTILINE)
_KEYS = "<small>→ next · F9 run this slide · Shift F9 run all up to here · [Notes for the lecturer]({}) (N)</small>"


def slides(
    notebook: dict[str, Any], *, short: bool = False, name: str = "", chapters: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return a copy of a notebook (as its JSON has it) with slide metadata on its cells.

    A heading begins a slide (to the right). Prose after code, code whose output fills a screen, and code after such
    code begin a sub-slide (below); a line of prose stays above a figure. The other cells of a slide are *layers* of it:
    they are on the screen with its first cell, and no key stops at them. Imports are not shown. Slide metadata that a
    cell has are kept.

    `short`: only cells tagged `lecture`, and the code that they need. `name` is the notebook's file, `chapters` maps
    the files of all chapters, in order, to their titles: the last slide leads to the chapters before and after.
    """
    copy = deepcopy(notebook)
    cells = [cell | {"source": source(cell)} for cell in copy["cells"]]
    links = next((cell for cell in cells if cell.get("id") == "links-bottom"), None)
    cells = [c for c in cells if c.get("id") not in ("links-top", "links-bottom") and NOTES not in tags(c)]
    if short:
        cells = _short(cells)
    if name:
        _show_keys(cells, name)
    before, after = _neighbours(name, list(chapters or {}))
    _mark(cells)
    copy["cells"] = [*cells, _last_slide(links, before, after, chapters or {})]
    copy.setdefault("metadata", {})["lecture"] = {
        "notes": notes_name(name) if name else "",
        "previous": before,
        "next": after,
    }
    return copy


def is_imports(code: str) -> bool:
    """Return True for code that imports modules or loads extensions, and does nothing else."""
    try:
        body = ast.parse(re.sub(r"^%load_ext .*$", "pass", code, flags=re.MULTILINE)).body
    except SyntaxError:
        return False  # a cell magic, or the dots of an unfinished exercise
    return bool(body) and all(isinstance(line, ast.Import | ast.ImportFrom | ast.Pass) for line in body)


def _mark(cells: Iterable[Cell]) -> None:
    """Write into each cell where it is shown."""
    above: Cell | None = None
    for cell in cells:
        text, metadata = cell["source"], cell["metadata"]
        code = cell["cell_type"] == "code"
        if code and (_TALL.search(text) or _FORM.search(text)):
            metadata["jupyter"] = {"source_hidden": True}  # a click on its place shows it
        if "slideshow" in metadata:
            hidden = metadata["slideshow"].get("slide_type") in ("skip", "notes")
        elif hidden := code and is_imports(text):
            metadata["slideshow"] = {"slide_type": "skip"}
        elif kind := _beginning(cell, above):
            metadata["slideshow"] = {"slide_type": kind}
        else:
            metadata["jupyterlab-slideshow"] = {"layer": "slide"}
        above = above if hidden else cell


def _beginning(cell: Cell, above: Cell | None) -> str | None:
    if above is None:
        return "slide"
    after_code = above["cell_type"] == "code"
    if cell["cell_type"] == "markdown":
        if _HEADING.search(_LISTING.sub("", cell["source"])):
            return "slide"
        return "subslide" if after_code else None
    if _TALL.search(cell["source"]):
        return "subslide" if after_code or len(above["source"]) > _LINE or _HEADING.search(above["source"]) else None
    return "subslide" if after_code and _TALL.search(above["source"]) else None


def _short(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells tagged `lecture`, the title, imports, and the code whose names these use.

    A notebook without such tags is returned whole.
    """
    kept = {i for i, cell in enumerate(cells) if SHORT in tags(cell)}
    if not kept:
        return list(cells)
    kept |= {i for i, cell in enumerate(cells) if cell["cell_type"] == "code" and is_imports(cell["source"])}
    kept |= {i for i, cell in enumerate(cells) if cell is _title_cell(cells)}
    needed: set[str] = set()
    for i in reversed(range(len(cells))):
        if cells[i]["cell_type"] == "code":
            bound, used = _names(cells[i]["source"])
            if i in kept or bound & needed:
                kept.add(i)
                needed = needed - bound | used
    return [cells[i] for i in sorted(kept)]


def _names(code: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell's code binds, and those that it uses."""
    if magic := _C.match(code):
        return {magic[1]}, set()
    try:
        tree = ast.parse(_MAGIC.sub("", code))
    except SyntaxError:
        return set(), set()
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return bound, {node.id for node in names if isinstance(node.ctx, ast.Load)}


def _title_cell(cells: Iterable[Cell]) -> Cell | None:
    return next((cell for cell in cells if cell["cell_type"] == "markdown" and TITLE.search(cell["source"])), None)


def _show_keys(cells: Iterable[Cell], name: str) -> None:
    """Add the keys and a link to the notes to the title."""
    if cell := _title_cell(cells):
        cell["source"] += "\n\n" + _KEYS.format(notes_name(name))


def _neighbours(name: str, names: Sequence[str]) -> tuple[str, str]:
    """Return the files of the chapters before and after this one; "" where there is none."""
    if name not in names:
        return "", ""
    i = names.index(name)
    return (names[i - 1] if i else ""), (names[i + 1] if i + 1 < len(names) else "")


def _last_slide(links: Cell | None, before: str, after: str, chapters: dict[str, str]) -> Cell:
    """Return the slide behind the last one, with links to other chapters.

    It always stands alone: jupyterlab-slideshow puts the layers of a last slide on the first one.
    """
    if links:
        text = links["source"]
    else:
        text = "\n".join(f"- {word}: [{chapters[file] or file}]({file})" for word, file in
                           (("Next", after), ("Previous", before)) if file)  # fmt: skip
    slide = {"slideshow": {"slide_type": "slide"}, "tags": ["links"]}
    heading = "## End of this chapter\n\n"
    return {"cell_type": "markdown", "id": "links-bottom", "metadata": slide, "source": heading + text}


def write(opened: Path, folder: Path, *, short: bool = False) -> Path:
    """Write copies of all notebooks beside `opened`, and notes for the lecturer; return the notes to `opened`.

    The pictures that the notebooks show are copied, too.
    A neighbour that is no readable notebook is left out, and its name printed.
    """
    notebooks = {opened.name: json.loads(opened.read_text(encoding="utf-8"))}
    titles = {opened.name: title(notebooks[opened.name])}
    for path in sorted(opened.parent.glob("*.ipynb")):
        try:
            notebooks[path.name] = json.loads(path.read_text(encoding="utf-8"))
            titles[path.name] = title(notebooks[path.name])
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"{path} is left out, since it is no readable notebook: {error}", file=sys.stderr)
            notebooks.pop(path.name, None)
    # The index is a start, not a chapter: it comes first.
    names = sorted(notebooks, key=lambda name: (not name.startswith("index"), name))
    chapters = {name: titles[name] for name in names}
    folder.mkdir(parents=True, exist_ok=True)
    if (opened.parent / PICTURES).is_dir():
        shutil.copytree(opened.parent / PICTURES, folder / PICTURES, dirs_exist_ok=True)
    for name, notebook in notebooks.items():
        copy = slides(notebook, short=short, name=name, chapters=chapters)
        (folder / name).write_text(json.dumps(copy, ensure_ascii=False, indent=1), encoding="utf-8")
        (folder / notes_name(name)).write_text(notes_page(notebook, name), encoding="utf-8")
    return folder / notes_name(opened.name)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write copies of notebooks whose cells say where a slide begins.")
    parser.add_argument("notebook", type=Path, help="the chapter; those beside it are copied, too")
    parser.add_argument("folder", type=Path, help="where the copies go; older ones are replaced")
    parser.add_argument("--short", action="store_true", help="only the path of 45 minutes: cells tagged `lecture`")
    arguments = parser.parse_args()
    try:
        notes = write(arguments.notebook, arguments.folder, short=arguments.short)
        notebook = json.loads(arguments.notebook.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        rule = f"NOTEBOOK must be a readable notebook and FOLDER a writable folder, got {error}"
        parser.error(f"{rule}; name one of notebooks/*.ipynb")
    if arguments.short and not any(SHORT in tags(cell) for cell in notebook["cells"]):
        print(f"No cell of {arguments.notebook} is tagged `{SHORT}` yet, so all of them are shown.", file=sys.stderr)
    print(f"Notes for the lecturer: {notes}")


if __name__ == "__main__":
    main()
