"""Where slides begin, and what is on them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spe_lab.ui.slides import is_imports, slides

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def cell(kind, source, *tags, **rest):
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)} if tags else {}} | rest


def sources(*cells, **options):
    return [c["source"] for c in slides({"cells": list(cells)}, **options)["cells"][:-1]]


def kinds(*cells):
    """The slide types that cells of ("markdown" or "code", source) are given; "layer" on the slide of another one."""
    *marked, last = slides({"cells": [cell(*each) for each in cells]})["cells"]
    assert last["metadata"]["slideshow"]["slide_type"] == "slide"
    return [
        c["metadata"].get("slideshow", {}).get("slide_type")
        or c["metadata"]["jupyterlab-slideshow"]["layer"] + "'s layer"
        for c in marked
    ]


def test_headings_begin_slides_and_steps_go_down_from_them():
    assert kinds(
        ("markdown", "# Title"),
        ("markdown", "More of it."),
        ("code", "import sympy\n%load_ext spe_lab"),
        ("markdown", "Still the title."),
        ("code", "formula()"),
        ("markdown", "Then, step by step:"),
        ("code", "formula()"),
        ("markdown", "## Lab\n\nMove the slider."),
        ("code", ["figure = explore('memory.stride')\n", "figure"]),
        ("code", "figure.measured()"),
        ("code", "score()"),
        ("markdown", "### Explain"),
    ) == [
        "slide",
        "slide's layer",
        "skip",
        "slide's layer",
        "slide's layer",
        "subslide",
        "slide's layer",
        "slide",
        "subslide",
        "subslide",
        "slide's layer",
        "slide",
    ]


def test_line_of_prose_stays_above_its_figure():
    text = ("markdown", "Now with your curve:")
    assert kinds(("markdown", "# T"), ("code", "f()"), text, ("code", "explore('a.b')"))[2:] == [
        "subslide",
        "slide's layer",
    ]
    text = ("markdown", "Now with your curve, " * 9)
    assert kinds(("markdown", "# T"), ("code", "f()"), text, ("code", "explore('a.b')"))[2:] == ["subslide", "subslide"]


def test_comment_in_a_listing_is_no_heading():
    assert kinds(("markdown", "# Title"), ("markdown", "```sh\n# a comment\n```")) == ["slide", "slide's layer"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sympy\n\nfrom spe_lab import explore", True),
        ("%load_ext spe_lab\nimport numpy as np  # arrays", True),
        ("import sympy\nsympy.init_printing()", False),
        ("", False),
        ("%%c own\nint f(void);", False),
        ("not python", False),
    ],
)
def test_imports_do_nothing_else(code, expected):
    assert is_imports(code) is expected


def test_what_a_cell_says_itself_is_kept_and_the_argument_left_alone():
    notebook = {"cells": [cell("markdown", "## Exercises") | {"metadata": {"slideshow": {"slide_type": "skip"}}}]}
    before = json.dumps(notebook)
    assert slides(notebook)["cells"][0]["metadata"] == {"slideshow": {"slide_type": "skip"}}
    assert json.dumps(notebook) == before


def test_links_and_notes_are_not_shown():
    assert sources(
        cell("markdown", "← previous", id="links-top"),
        cell("code", "formula()"),
        cell("markdown", "## For the lecturer", "lecturer"),
    ) == ["formula()"]


def test_short_path_has_the_tagged_cells_and_the_code_that_they_need():
    path = [
        cell("markdown", "# Title"),
        cell("code", "import math"),
        cell("markdown", "## Left out"),
        cell("code", "x = 1"),
        cell("code", "y = x + 1"),
        cell("code", "x = 3"),
        cell("code", "%%c own\nint f(void);"),
        cell("code", "%%c other\nint f(void);"),
        cell("code", "z = 2", "lecture"),
        cell("markdown", "## Shown", "lecture"),
        cell("code", "own.f(y)", "lecture"),
    ]
    assert sources(*path, short=True) == [path[i]["source"] for i in (0, 1, 3, 4, 6, 8, 9, 10)]
    untagged = path[:6]
    assert sources(*untagged, short=True) == sources(*untagged)


def test_last_slide_leads_to_the_neighbours():
    chapters = {"index.ipynb": "Start", "01_a.ipynb": "01 · A", "02_b.ipynb": "02 · B"}
    copy = slides({"cells": [cell("markdown", "# A")]}, name="01_a.ipynb", chapters=chapters)
    assert "Next: [02 · B](02_b.ipynb)" in copy["cells"][-1]["source"]
    assert "Previous: [Start](index.ipynb)" in copy["cells"][-1]["source"]
    assert copy["metadata"]["lecture"] == {"notes": "01_notes.html", "previous": "index.ipynb", "next": "02_b.ipynb"}
    assert "(01_notes.html)" in copy["cells"][0]["source"]


def test_links_of_the_notebook_itself_come_first():
    links = cell("markdown", "[03c](03c.ipynb)", id="links-bottom")
    *_, last = slides({"cells": [cell("markdown", "# A"), links]}, name="a.ipynb", chapters={"a.ipynb": "A"})["cells"]
    assert last["source"].endswith(links["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_chapter_begins_with_a_slide_and_no_slide_is_endless(path):
    cells = slides(json.loads(path.read_text(encoding="utf-8")))["cells"]
    shown = [c["metadata"] for c in cells if c["metadata"].get("slideshow", {}).get("slide_type") != "skip"]
    starts = [i for i, metadata in enumerate(shown) if "slideshow" in metadata]
    assert starts[0] == 0
    assert (
        max(b - a for a, b in zip(starts, [*starts[1:], len(shown)], strict=True)) <= 6
    )  # an exercise in C, with hint and solution


def run(*arguments):
    pytest.importorskip("mdit_py_plugins", reason="needs what make lecture needs: pip install 'spe-lab[lecture]'")
    return subprocess.run(
        [sys.executable, "-m", "spe_lab.ui.slides", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_command_writes_copies_of_all_chapters_and_their_notes(tmp_path):
    answer = run(NOTEBOOKS[0], tmp_path / "new")
    assert answer.returncode == 0, answer.stderr
    assert {path.name for path in (tmp_path / "new").glob("*.ipynb")} == {path.name for path in NOTEBOOKS}
    assert len([*(tmp_path / "new").glob("*_notes.html")]) == len(NOTEBOOKS)
    assert f"Notes for the lecturer: {tmp_path / 'new'}" in answer.stdout
    assert (tmp_path / "new" / "pictures" / "explorer.png").is_file()


def test_command_says_that_there_is_no_short_path(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell("markdown", "# A")]}))
    (tmp_path / "broken.ipynb").write_text("no notebook")
    answer = run("--short", tmp_path / "a.ipynb", tmp_path / "new")
    assert answer.returncode == 0
    assert "tagged `lecture` yet" in answer.stderr
    assert "broken.ipynb is left out" in answer.stderr


def test_command_names_what_it_cannot_read(tmp_path):
    (tmp_path / "notes.txt").write_text("no notebook")
    for wrong in (tmp_path / "missing.ipynb", tmp_path / "notes.txt"):
        answer = run(wrong, tmp_path)
        assert answer.returncode == 2
        assert "NOTEBOOK must be a readable notebook" in answer.stderr
