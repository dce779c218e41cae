"""The explorer for readers with a keyboard, a screen reader, a dark theme, a narrow window, a projector."""

import re

import pytest

from .accessibility import findings
from .jupyter import Explorer, MissingError, jupyterlab, write_notebook

pytestmark = pytest.mark.browser

OURS = ".jp-OutputArea-output > *"
EVERY_IMPACT = ("minor", "moderate", "serious", "critical")
BEYOND = """
const page = document.querySelector('.spe-page'), right = page.parentElement.getBoundingClientRect().right + 1;
return [...page.querySelectorAll('*')].filter(each => visible(each) && !each.closest('pre') && each.getBoundingClientRect().right > right)
  .map(each => each.className + ': ' + each.textContent.slice(0, 40));
""".replace("visible(each)", "each.checkVisibility()")
# WCAG's contrast of the text that `a` selects with what lies behind it. axe-core looks only at what the window shows.
CONTRAST = """
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const luminance = colour => numbers(colour).slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const text = document.querySelector(a);
let ground = text;
while (ground && (numbers(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
const [low, high] = [getComputedStyle(text).color, getComputedStyle(ground).backgroundColor].map(luminance).sort((x, y) => x - y);
return (high + 0.05) / (low + 0.05);
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    folder = tmp_path_factory.mktemp("access")
    write_notebook(
        folder / "access.ipynb", 'from spe_lab import explore\nexplorer = explore("memory.stride")\nexplorer'
    )
    try:
        with jupyterlab(folder) as lab, lab.open("access.ipynb") as notebook:
            notebook.run_all()
            notebook.evaluate("await jupyterapp.commands.execute('application:toggle-left-area')")
            yield notebook
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def explorer(notebook):
    return Explorer(notebook)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_and_text_can_be_read(notebook, explorer, theme):
    notebook.evaluate("await jupyterapp.commands.execute('apputils:change-theme', {theme: a})", theme)
    notebook.wait(
        lambda: notebook.evaluate("return document.body.dataset.jpThemeName") == theme, f"the theme is {theme}"
    )
    for fold in ("Data and downloads", "Beside another machine", "More"):
        explorer.unfold(fold)
        assert not findings(notebook.page, OURS, EVERY_IMPACT), fold
    for text in (
        ".spe-values th",
        ".spe-meanings small",
        ".spe-page .widget-label",
        ".spe-page .widget-readout",
        ".spe-page .widget-html-content",
    ):
        assert notebook.evaluate(CONTRAST, text) >= 4.5, text  # WCAG 2.2, 1.4.3


def test_a_slider_says_its_name_its_meaning_and_its_value_with_the_unit(explorer):
    handle = explorer.slider("stride")
    assert handle.get_attribute("aria-label").startswith("Stride, s: distance of two accesses")
    for _ in range(3):
        explorer.press("stride", "ArrowRight")
        assert handle.get_attribute("aria-valuetext") == explorer.readout("stride")
    assert re.fullmatch(r"[\d.]+ (B|KiB)", explorer.readout("stride"))


def test_every_control_is_reached_by_the_tab_key(notebook, explorer):
    explorer.unfold()
    explorer.slider("stride").focus()
    reached = set()
    for _ in range(60):
        reached.add(
            notebook.evaluate(
                "const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent.trim() ||"
                " e.tagName"
            )
        )
        notebook.page.keyboard.press("Tab")
    for control in (
        "Stride, s: ",
        "Array size, S: ",
        "4K",
        "Measure",
        "Array in a cache",
        "Reset",
        "L3 miss adds, lL3: ",
    ):
        assert any(each.startswith(control) or control in each for each in reached), f"{control} not among {reached}"


@pytest.mark.parametrize("width", [400, 600, 1280, 1920])
def test_nothing_is_cut_off_in_a_narrow_window_or_on_a_projector(notebook, explorer, width):
    notebook.page.set_viewport_size({"width": width, "height": 1080})
    notebook.wait(lambda: not notebook.evaluate(BEYOND), f"the page fits into {width} px", timeout_s=5)
    assert explorer.picture.bounding_box()["width"] <= width


def test_a_file_chosen_from_the_disk_stands_beside(notebook, explorer, tmp_path):
    from spe_lab.core import registry

    run = registry.get("memory.stride").recorded()
    run.save(tmp_path / "mine.json")
    explorer.unfold("Beside another machine")
    with notebook.page.expect_file_chooser() as chooser:
        explorer.button("A run from a file").click()
    chooser.value.set_files(tmp_path / "mine.json")
    explorer.wait_for_text("beside: recorded on ")
    assert "Recorded, dependent (strided), " in explorer.picture.get_attribute("aria-label")
    explorer.choose("beside", "nothing")
    assert "beside" not in explorer.text
