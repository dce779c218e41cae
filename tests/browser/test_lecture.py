"""`make lecture`: a notebook's slides in a live JupyterLab."""

import importlib.util
import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from spe_lab.ui.slides import slides

from .accessibility import findings
from .jupyter import Explorer, MissingError, jupyterlab

SETTINGS = Path(__file__).parents[2] / ".jupyter" / "lecture"
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CELLS = [
    new_markdown_cell("# A chapter", id="title"),
    new_markdown_cell("## Lab", id="lab"),
    new_code_cell('from spe_lab import explore\nexplorer = explore("branches.selectivity")\nexplorer', id="explorer"),
    new_markdown_cell("Press *Measure*.", id="reveal"),
    new_code_cell("explorer.measured().measured[0].source", id="source"),
]

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def lecture(tmp_path_factory):
    if not importlib.util.find_spec("jupyterlab_slideshow"):
        pytest.skip("needs what shows the slides: pip install 'spe-lab[lecture]'")
    folder = tmp_path_factory.mktemp("lecture")
    notebook = slides(json.loads(nbformat.writes(new_notebook(cells=CELLS, metadata=METADATA))))
    (folder / "chapter.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    try:
        with jupyterlab(folder, JUPYTER_CONFIG_DIR=str(SETTINGS)) as lab, lab.open("chapter.ipynb") as notebook:
            notebook.page.set_viewport_size({"width": 1280, "height": 720})
            notebook.page.locator(".jp-Deck").wait_for()
            yield notebook
    except MissingError as error:
        pytest.skip(str(error))


def shown(notebook):
    """Ids of the cells on the slide."""
    seen = "cells.filter(cell => cell.node.checkVisibility({visibilityProperty: true})).map(cell => cell.model.id)"
    return notebook.evaluate(f"const cells = jupyterapp.shell.currentWidget.content.widgets; return {seen}")


def go(notebook, key, expected):
    notebook.page.keyboard.press(key)
    notebook.wait(lambda: shown(notebook) == expected, f"the slide {expected} after {key}")


def test_slides_follow_the_headings_and_hold_working_sliders(lecture):
    lecture.wait(lambda: shown(lecture) == ["title"], "the first slide")
    size = lecture.page.locator(".jp-MarkdownOutput h1").first.evaluate("h => parseFloat(getComputedStyle(h).fontSize)")
    assert size >= 40, "type for the last row"
    lecture.evaluate("await jupyterapp.commands.execute('notebook:enter-command-mode')")
    go(lecture, "ArrowRight", ["lab"])
    go(lecture, "PageDown", ["explorer"])
    go(lecture, "PageDown", ["reveal", "source"])
    go(lecture, "PageUp", ["explorer"])
    lecture.page.keyboard.press("F9")
    lecture.wait(lambda: not lecture.cell_errors(), "all cells have run after F9", timeout_s=30)
    lecture.wait(lambda: shown(lecture) == ["title"], "the first slide after F9")
    for slide in (["lab"], ["explorer"]):
        go(lecture, "PageDown", slide)
    explorer = Explorer(lecture, 2)
    before = explorer.pixels
    explorer.nudge("p")
    assert explorer.pixels != before
    width = explorer.picture.bounding_box()["width"]
    lecture.page.set_viewport_size({"width": 1920, "height": 1080})
    lecture.wait(lambda: explorer.picture.bounding_box()["width"] > 1.4 * width, "a figure that grows with the screen")


def test_one_button_shows_recorded_data(lecture):
    explorer = Explorer(lecture, 2)
    explorer.button("Recorded").click()
    explorer.wait_for_text("recorded")
    (output,) = lecture.run(4)
    assert output["data"]["text/plain"] == "'recorded'", "a cell that would measure is content with what is shown"


def test_what_is_ours_on_a_slide_is_accessible(lecture):
    lecture.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 2")
    lecture.wait(lambda: shown(lecture) == ["explorer"], "the slide with the explorer")
    assert Explorer(lecture, 2).picture.is_visible()
    found = findings(lecture.page, ".jp-OutputArea")
    assert not found, "\n".join(found)


def test_no_slide_complained(lecture):
    assert lecture.console_errors == []
