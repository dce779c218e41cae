"""Where slides begin."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spe_lab.ui.slides import slides

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def kinds(*cells):
    """The slide types that cells of ("markdown" or "code", source) are given."""
    notebook = {"cells": [{"cell_type": kind, "source": source, "metadata": {}} for kind, source in cells]}
    return [cell["metadata"].get("slideshow", {}).get("slide_type") for cell in slides(notebook)["cells"]]


def test_headings_begin_slides_and_steps_go_down_from_them():
    assert kinds(
        ("markdown", "# Title"),
        ("markdown", "More of it."),
        ("code", "import sympy"),
        ("markdown", "Then, step by step:"),
        ("code", "formula()"),
        ("markdown", "## Lab\n\nMove the slider."),
        ("code", ["figure = explore('memory.stride')\n", "figure"]),
        ("code", "figure.measured()"),
        ("markdown", "### Explain"),
    ) == ["slide", None, None, "subslide", None, "slide", "subslide", None, "slide"]


def test_comment_in_a_listing_is_no_heading():
    assert kinds(("markdown", "# Title"), ("markdown", "```sh\n# a comment\n```")) == ["slide", None]


def test_what_a_cell_says_itself_is_kept_and_the_argument_left_alone():
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": "## Exercises", "metadata": {"slideshow": {"slide_type": "skip"}}}
        ]
    }
    before = json.dumps(notebook)
    assert slides(notebook)["cells"][0]["metadata"]["slideshow"] == {"slide_type": "skip"}
    assert json.dumps(notebook) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_chapter_begins_with_a_slide_and_no_slide_is_endless(path):
    cells = slides(json.loads(path.read_text(encoding="utf-8")))["cells"]
    starts = [i for i, cell in enumerate(cells) if "slideshow" in cell["metadata"]]
    assert starts[0] == 0
    assert max(b - a for a, b in zip(starts, [*starts[1:], len(cells)], strict=True)) <= 5


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "spe_lab.ui.slides", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_command_writes_a_copy(tmp_path):
    assert run(NOTEBOOKS[0], tmp_path / "new").returncode == 0
    assert json.loads((tmp_path / "new" / NOTEBOOKS[0].name).read_text(encoding="utf-8")) == slides(
        json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    )


def test_command_names_what_it_cannot_read(tmp_path):
    (tmp_path / "notes.txt").write_text("no notebook")
    for wrong in (tmp_path / "missing.ipynb", tmp_path / "notes.txt"):
        answer = run(wrong, tmp_path)
        assert answer.returncode == 2
        assert "NOTEBOOK must be a readable notebook" in answer.stderr
