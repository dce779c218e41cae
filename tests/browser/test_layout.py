"""Controls and figure of an explorer are seen together: by bounding boxes, in a real JupyterLab."""

import json
import re
import shutil
from pathlib import Path

import pytest

from .jupyter import MissingError, jupyterlab, write_notebook

pytestmark = pytest.mark.browser

WINDOWS = ((1440, 900), (1280, 720))
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# JupyterLab takes cells out of the page that are far away: each one is scrolled to.
BOXES = """
const {content} = jupyterapp.shell.currentWidget, found = [], frame = () => new Promise(requestAnimationFrame);
const parts = {slider: '.spe-control', button: '.spe-side button', figure: '.spe-picture'};
const box = part => part.getBoundingClientRect().toJSON();
for (let index = 0; index < content.widgets.length; index++) {
  if (!/explore\\(/.test(content.widgets[index].model.sharedModel.source)) continue;
  await content.scrollToItem(index, 'start');
  const explorer = () => content.widgets[index].node.querySelector('.spe-explorer');
  for (let tries = 0; tries < 60 && !explorer(); tries++) await frame();
  if (!explorer()) continue;  // a cell that only makes one
  // Cells above are drawn meanwhile, and move this one: until it rests.
  for (let tries = 0, top = NaN, rests = 0; tries < 60 && rests < 3; tries++) {
    explorer().scrollIntoView({block: 'start'});
    await new Promise(done => setTimeout(done, 50));
    rests = explorer().getBoundingClientRect().top === top ? rests + 1 : 0;
    top = explorer().getBoundingClientRect().top;
  }
  found.push({cell: index, panel: box(explorer().closest('.jp-WindowedPanel-outer')),
    ...Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, box(explorer().querySelector(part))]))});
}
return found;
"""


def hidden(notebook, width, height):
    """What is not whole in a window of this size, for each explorer: its cell, the part and the boxes."""
    notebook.page.set_viewport_size({"width": width, "height": height})
    notebook.page.wait_for_timeout(300)
    complaints, explorers = [], notebook.evaluate(BOXES)
    for boxes in explorers:
        panel, where = boxes["panel"], f"cell {boxes['cell']}, {width} × {height}"
        for part in ("slider", "button", "figure"):
            box = boxes[part]
            whole = panel["top"] - 1 <= box["top"] and box["bottom"] <= panel["bottom"] + 1
            if not (whole and box["width"] > 60 and box["right"] <= panel["right"] + 1):
                complaints.append(f"{where}: {part} {json.dumps(box)} in {json.dumps(panel)}")
        if boxes["figure"]["left"] < boxes["slider"]["right"]:
            complaints.append(f"{where}: the figure does not stand beside the controls")
    return complaints if explorers else ["no explorer was found"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    for notebook in NOTEBOOKS:
        shutil.copy(notebook, folder)
    write_notebook(folder / "one.ipynb", 'from spe_lab import explore\nexplore("memory.stride")')
    try:
        with jupyterlab(folder, SPE_LAB_PREDICTIONS="skip") as lab:
            yield lab
    except MissingError as error:
        pytest.skip(str(error))


FIRST = "03d_branches.ipynb"


@pytest.mark.parametrize(
    "name", [pytest.param(each.name, marks=[] if each.name == FIRST else [pytest.mark.slow]) for each in NOTEBOOKS]
)
def test_slider_button_and_whole_figure_are_in_one_window(lab, name):
    """With the folder list open, as JupyterLab starts, and without it."""
    with lab.open(name) as notebook:
        notebook.run_all(timeout_s=120)
        complaints = []
        for _ in ("open", "closed"):
            for window in WINDOWS:
                complaints += hidden(notebook, *window)
            notebook.evaluate("await jupyterapp.commands.execute('application:toggle-left-area')")
        assert not complaints, "\n".join(complaints)


def test_the_figure_follows_the_width_of_its_cell_and_a_dark_theme(lab):
    with lab.open("one.ipynb") as notebook:
        notebook.run_all()
        notebook.evaluate("await jupyterapp.commands.execute('application:toggle-left-area')")
        picture, slider = (notebook.page.locator(part).first for part in (".spe-picture", ".spe-control"))
        widths = {}
        for width in (700, 1280, 1440):
            notebook.page.set_viewport_size({"width": width, "height": 900})
            notebook.page.wait_for_timeout(200)
            widths[width] = picture.bounding_box()["width"]
        assert widths[1280] < widths[1440] <= 900 and 380 <= widths[700] <= 700
        notebook.page.set_viewport_size({"width": 700, "height": 900})
        notebook.page.wait_for_timeout(200)
        assert picture.bounding_box()["y"] > slider.bounding_box()["y"] + 100  # below the controls
        filters = []
        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            notebook.evaluate("await jupyterapp.commands.execute('apputils:change-theme', {theme: a})", theme)
            notebook.wait(
                lambda theme=theme: notebook.evaluate("return document.body.dataset.jpThemeName") == theme, theme
            )
            filters.append(picture.evaluate("each => getComputedStyle(each).filter"))
        assert re.match(r"invert\(1\) hue-rotate\(", filters[0]) and filters[1] == "none"
