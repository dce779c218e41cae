"""The figure of an explorer in narrow and wide windows and in a dark theme, in a real JupyterLab."""

import re

import pytest

from .jupyter import MissingError, jupyterlab, write_notebook

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "one.ipynb", 'from spe_lab import explore\nexplore("memory.stride")')
    try:
        with jupyterlab(folder, SPE_LAB_PREDICTIONS="skip") as lab:
            yield lab
    except MissingError as error:
        pytest.skip(str(error))


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
