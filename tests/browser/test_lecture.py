"""`make lecture`: a notebook's slides in a live JupyterLab."""

import hashlib
import importlib.util
import itertools
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from spe_lab.ui.slides import write

from .accessibility import findings
from .jupyter import Explorer, MissingError, jupyterlab

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / ".jupyter" / "lecture"
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CELLS = [
    new_markdown_cell("# A chapter", id="title"),
    new_code_cell("import math", id="imports"),
    new_markdown_cell("## Lab", id="lab"),
    new_code_cell("math.floor(2.5)", id="floor"),
    new_code_cell('from spe_lab import explore\nexplorer = explore("branches.selectivity")\nexplorer', id="explorer"),
    new_markdown_cell("Press *Measure*.", id="reveal"),
    new_code_cell("explorer.measured().measured[0].source", id="source"),
    new_markdown_cell("Say this: $l_2$.", id="notes", metadata={"tags": ["lecturer"]}),
    new_markdown_cell("A paragraph.\n\n" * 40, id="long"),
]
CODE = {"floor": 3, "explorer": 4, "source": 6}  # places in the copy

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not importlib.util.find_spec("jupyterlab_slideshow"):
        pytest.skip("needs what shows the slides: pip install 'spe-lab[lecture]'")
    folder = tmp_path_factory.mktemp("lecture")
    for name, cells in (("01_small", CELLS), ("02_next", [new_markdown_cell("# Another one", id="another")])):
        nbformat.write(new_notebook(cells=cells, metadata=METADATA), folder / f"{name}.ipynb")
    write(folder / "01_small.ipynb", folder / "small")
    write(ROOT / "notebooks" / "03b_memory.ipynb", folder / "real")
    private = {"JUPYTER_CONFIG_DIR": SETTINGS, "SPE_LAB_CONFIG_DIR": folder / "config"}
    try:
        with jupyterlab(folder, **{name: str(path) for name, path in private.items()}) as lab:
            yield lab
    except MissingError as error:
        pytest.skip(str(error))


def opened(server, path):
    """A generator of the chapter on a small projector."""
    with server.open(path) as notebook:
        notebook.page.set_viewport_size({"width": 1280, "height": 720})
        notebook.page.locator(".jp-Deck").wait_for()
        yield notebook


@pytest.fixture(scope="module")
def lecture(server):
    yield from opened(server, "small/01_small.ipynb")


@pytest.fixture
def chapter(server):
    yield from opened(server, "real/03b_memory.ipynb")


def shown(notebook):
    """Ids of the cells on the slide."""
    seen = "cells.filter(cell => cell.node.checkVisibility({visibilityProperty: true})).map(cell => cell.model.id)"
    return notebook.evaluate(f"const cells = jupyterapp.shell.currentWidget.content.widgets; return {seen}")


def go(notebook, key, expected):
    notebook.page.keyboard.press(key)
    notebook.wait(lambda: shown(notebook) == expected, f"the slide {expected} after {key}", timeout_s=30)


def run_ids(notebook):
    """Ids of the code cells that have run."""
    return [cell["id"] for cell in notebook.cells() if cell.get("execution_count")]


def screen(notebook):
    return hashlib.sha1(notebook.page.screenshot()).hexdigest()


def press_and_look(notebook, key, before):
    """Press a key, and return what the screen then shows, which must not be what it showed before."""
    notebook.page.keyboard.press(key)
    notebook.wait(lambda: screen(notebook) != before, f"another screen after {key}", timeout_s=30)
    notebook.page.wait_for_timeout(200)  # cells fade in for a tenth of a second
    return screen(notebook)


def test_each_press_changes_the_screen(chapter):
    chapter.wait(lambda: shown(chapter) == ["title"], "the first slide")
    chapter.page.wait_for_timeout(500)  # its widgets settle
    seen, looks = [shown(chapter)], [screen(chapter)]
    for key in itertools.islice(itertools.cycle(["ArrowRight", "ArrowDown", "Space", "PageDown"]), 16):
        looks.append(press_and_look(chapter, key, looks[-1]))
        seen.append(shown(chapter))
    assert len(set(looks)) == len(looks), "a screen came twice"
    assert not any("imports" in ids for ids in seen)
    for key in ("ArrowLeft", "ArrowUp", "Shift+Space", "PageUp"):
        press_and_look(chapter, key, screen(chapter))
    assert shown(chapter) in seen[:-4]
    chapter.page.keyboard.press("Home")
    chapter.wait(lambda: shown(chapter) == ["title"], "the first slide after Home")
    bottom = "return Math.max(...[...document.querySelectorAll('.jp-deck-mod-visible')].map(c => c.getBoundingClientRect().bottom))"
    assert chapter.evaluate(bottom) <= 720, "the title slide keeps its contents"
    assert not chapter.console_errors


def test_slide_runs_alone_and_shows_no_selection(lecture):
    lecture.wait(lambda: shown(lecture) == ["title"], "the first slide")
    size = lecture.page.locator(".jp-MarkdownOutput h1").first.evaluate("h => parseFloat(getComputedStyle(h).fontSize)")
    assert size >= 40, "type for the last row"
    go(lecture, "ArrowRight", ["lab", "floor"])
    lecture.page.keyboard.press("F9")
    lecture.wait(lambda: "floor" in run_ids(lecture), "the slide has run", timeout_s=120)
    assert run_ids(lecture) == ["imports", "floor"]
    assert shown(lecture) == ["lab", "floor"]
    paint = (
        "return [...document.querySelectorAll('.jp-deck-mod-visible')].map(c => getComputedStyle(c).backgroundColor)"
    )
    assert set(lecture.evaluate(paint)) == {"rgba(0, 0, 0, 0)"}
    go(lecture, "PageDown", ["explorer"])
    lecture.page.keyboard.press("Shift+F9")
    lecture.wait(lambda: "explorer" in run_ids(lecture), "all cells up to this slide have run", timeout_s=120)
    assert "source" not in run_ids(lecture)


def test_sliders_work_and_keys_pass_them_by(lecture):
    explorer = Explorer(lecture, CODE["explorer"])
    before = explorer.pixels
    explorer.nudge("p")
    assert explorer.pixels != before
    explorer.slider("p").focus()
    go(lecture, "PageDown", ["reveal", "source"])
    go(lecture, "PageUp", ["explorer"])
    width = explorer.picture.bounding_box()["width"]
    lecture.page.set_viewport_size({"width": 1920, "height": 1080})
    lecture.wait(lambda: explorer.picture.bounding_box()["width"] > 1.4 * width, "a figure that grows with the screen")
    lecture.page.set_viewport_size({"width": 1280, "height": 720})


def test_one_button_shows_recorded_data_and_gives_the_keys_back(lecture):
    explorer = Explorer(lecture, CODE["explorer"])
    explorer.button("Recorded").click()
    explorer.wait_for_text("recorded")
    go(lecture, "Space", ["reveal", "source"])
    lecture.page.keyboard.press("F9")
    lecture.wait(lambda: "source" in run_ids(lecture), "the slide has run", timeout_s=120)
    (output,) = lecture.cells()[CODE["source"]]["outputs"]
    assert "'recorded'" in output["data"]["text/plain"], "a cell that would measure is content with what is shown"
    go(lecture, "PageUp", ["explorer"])


def test_what_is_ours_on_a_slide_is_accessible(lecture):
    assert Explorer(lecture, CODE["explorer"]).picture.is_visible()
    found = findings(lecture.page, ".jp-OutputArea")
    assert not found, "\n".join(found)


def test_tall_slide_is_walked_through(lecture):
    go(lecture, "PageDown", ["reveal", "source"])
    go(lecture, "PageDown", ["long"])
    for _ in range(20):
        if shown(lecture) != ["long"]:
            break
        press_and_look(lecture, "Space", screen(lecture))
    assert shown(lecture) == ["links-bottom"]


def test_notes_open_beside_the_slides(lecture):
    lecture.page.keyboard.press("Home")
    lecture.wait(lambda: shown(lecture) == ["title"], "the first slide")
    for open_them in (
        lambda: lecture.page.keyboard.press("n"),
        lecture.page.get_by_role("link", name="Notes for the lecturer").click,
    ):
        with lecture.page.expect_popup() as popup:
            open_them()
        notes = popup.value
        notes.get_by_text("Say this").wait_for()
        assert notes.locator("img.formula").evaluate("async image => { await image.decode(); return image.width }") > 5
        notes.close()
    assert shown(lecture) == ["title"]


def test_next_chapter_opens_as_slides(lecture):
    lecture.page.keyboard.press("End")
    lecture.wait(lambda: shown(lecture) == ["links-bottom"], "the last slide")
    lecture.page.get_by_role("link", name="Another one").click()
    lecture.wait(lambda: shown(lecture) == ["another"], "the next chapter's first slide", timeout_s=120)
    go(lecture, "Space", ["links-bottom"])
    lecture.page.keyboard.press("Shift+PageUp")
    path = "return jupyterapp.shell.currentWidget.context.path"
    lecture.wait(lambda: lecture.evaluate(path) == "small/01_small.ipynb", "the chapter before")


def test_one_key_runs_everything(lecture):
    before = [cell["execution_count"] for cell in lecture.cells() if cell.get("execution_count")]
    lecture.page.keyboard.press("Control+F9")

    def all_again():
        after = [cell.get("execution_count") for cell in lecture.cells() if cell["cell_type"] == "code"]
        return all(after) and not {*after} & {*before}

    # The last one measures, for which a busy machine may leave no time: that it ran is what counts.
    lecture.wait(all_again, "all cells have run", timeout_s=120)


def test_no_slide_complained(lecture):
    assert lecture.console_errors == []


# Last: it opens another page of the same JupyterLab, whose end takes the kernel of the first one with it.
def test_running_everything_leaves_predictions_open(chapter):
    chapter.page.keyboard.press("Control+F9")

    def all_ran():
        return all(cell.get("execution_count") for cell in chapter.cells() if cell["cell_type"] == "code")

    chapter.wait(all_ran, "all cells have run", timeout_s=180)
    assert not chapter.cell_errors()
    assert any("press Skip" in str(cell.get("outputs")) for cell in chapter.cells()), "a prediction waits"
