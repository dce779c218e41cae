"""What becomes of a notebook's cells in the book."""

import ast
import json
import re
from pathlib import Path

import pytest

from spe_lab.ui.book_page import page

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# Chapters whose prose has not got its tags yet.
NOT_YET = {path.name for path in NOTEBOOKS} - {"index.ipynb", "09a_objectives.ipynb"}
NEEDS_KERNEL = re.compile(
    r"\b(Press|press|Click|click)\b[^.]*\*(Measure|Simulate|Calibrate|Recorded|Play|Commit|Skip)\*"
)


def cell(kind, source, *tags, id="some-cell"):
    return {"cell_type": kind, "id": id, "source": source, "metadata": {"tags": list(tags)} if tags else {}}


def sources(*cells):
    return ["".join(cell["source"]) for cell in page({"cells": list(cells)})["cells"]]


def test_code_that_needs_a_kernel_is_left_out_and_other_cells_stay():
    assert sources(cell("code", "calibrate()", "kernel"), cell("code", "formula()"), cell("markdown", "Text.")) == [
        "formula()",
        "Text.",
    ]


def test_prose_that_needs_a_kernel_is_framed_below_its_heading():
    (source,) = sources(cell("markdown", ["## Calibrate\n", "\n", "Press *Calibrate*."], "kernel"))
    assert (
        source == "## Calibrate\n\n``````{admonition} With a running kernel\n:class: note\n\nPress *Calibrate*.\n``````"
    )


def test_a_heading_alone_gets_no_frame():
    assert sources(cell("markdown", "### Lab", "kernel")) == ["### Lab"]


def test_notes_for_a_lecturer_are_folded_between_their_headings():
    (source,) = sources(
        cell("markdown", "## For the lecturer\n\nSay this.\n\n### If it fails\n\nSay that.", "lecturer")
    )
    assert source.count("<details>") == source.count("</details>") == 2
    assert re.findall(r"^#+ .*$", source, flags=re.M) == ["## For the lecturer", "### If it fails"]
    assert "</summary>\n\nSay this.\n\n</details>" in source


def test_a_comment_in_a_listing_is_no_heading():
    (source,) = sources(cell("markdown", "Do:\n\n```sh\n# a comment\n```\n\nThen look.", "kernel"))
    assert source.count("admonition") == 1 and "```sh\n# a comment\n```" in source


def test_the_theme_s_own_links_take_the_place_of_the_last_cell():
    assert sources(cell("markdown", "← →", id="links-bottom"), cell("markdown", "← →", id="links-top")) == ["← →"]


def test_the_argument_is_left_alone():
    notebook = {"cells": [cell("markdown", "Press it.", "kernel")], "metadata": {}}
    before = json.dumps(notebook)
    assert page(notebook)["metadata"] == {} and json.dumps(notebook) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_cells_that_the_book_runs_need_none_that_it_leaves_out(path):
    code = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    made, used = set(), set()
    for each in code:
        left_out = "kernel" in each["metadata"].get("tags", [])
        for node in names("".join(each["source"])):
            if isinstance(node.ctx, ast.Store) and left_out:
                made.add(node.id)
            elif isinstance(node.ctx, ast.Load) and not left_out:
                used.add(node.id)
    assert not made & used, "made in a cell with the tag `kernel`, used in one without"


def names(source):
    """The names that a cell's Python assigns, imports or reads."""
    for node in ast.walk(ast.parse("" if source.startswith("%%") else re.sub(r"^[%!].*$", "", source, flags=re.M))):
        if isinstance(node, ast.Name):
            yield node
        elif isinstance(node, ast.alias):
            yield ast.Name(node.asname or node.name.partition(".")[0], ast.Store())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_prose_that_asks_for_a_button_is_tagged(path):
    if path.name in NOT_YET:
        pytest.skip("its prose has no tags yet")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    wrong = [
        cell["id"]
        for cell in cells
        if cell["cell_type"] == "markdown"
        and NEEDS_KERNEL.search("".join(cell["source"]))
        and not {"kernel", "lecturer"} & set(cell["metadata"].get("tags", []))
    ]
    assert not wrong, f"tag with `kernel`: {wrong}"
