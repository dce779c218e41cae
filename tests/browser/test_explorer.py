"""The explorer in a real JupyterLab: what a reader does, and what the page answers."""

import time

import pytest

from spe_lab.core.c import native
from spe_lab.core.recording import Run

from .jupyter import Explorer, MissingError, jupyterlab, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.machine]

CELLS = {
    "working set": 'from spe_lab import explore\nexplorer = explore("memory.working_set")\nexplorer',
    "stride": 'explore("memory.stride")',
    "wait": "explorer.measured()",
    "answer": "6 * 7",
    "long": 'import os\nos.environ["SPE_LAB_QUICK"] = "0"',
    "short": 'os.environ["SPE_LAB_QUICK"] = "1"',
}
CELL = {name: index for index, name in enumerate(CELLS)}


needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "explorer.ipynb", *CELLS.values())
    try:
        with jupyterlab(folder) as lab:
            yield lab
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("explorer.ipynb") as notebook:
        yield notebook


@pytest.fixture
def explorer(notebook):
    """A new one for each test, in the same kernel; leaves no complaint on the page's console."""
    notebook.run(CELL["working set"])
    yield Explorer(notebook, CELL["working set"])
    assert notebook.console_errors == []


@pytest.fixture
def long_measurement(notebook, explorer):
    """One of some eight seconds is running on a page whose slider has answered once."""
    notebook.run(CELL["long"])
    # JupyterLab makes a thread of the kernel for widgets, and sends the first messages of a page to the main thread
    # until it is there. A reader moves a slider first; a measurement that is started from that thread must be as good
    # as any other.
    explorer.press("size", "ArrowRight")
    explorer.press("size", "ArrowLeft")
    measure(explorer)
    yield
    notebook.run(CELL["short"])
    if explorer.button("Cancel").is_visible():
        explorer.button("Cancel").click()
        ended(explorer)


def measure(explorer):
    explorer.button("Measure").click()
    explorer.button("Cancel").wait_for()


def ended(explorer, timeout_s=10):
    # Not Playwright's wait_for, which looks only every half second after the first.
    explorer.notebook.wait(explorer.button("Measure").is_visible, "the measurement has ended", timeout_s)


def has_points(explorer, timeout_s=20):
    explorer.wait_for_text("measured: median error", timeout_s)


def test_size_slider_moves_the_picture_and_the_text_names_the_new_size(explorer):
    before = explorer.pixels, explorer.readout("size")
    explorer.press("size", "ArrowRight")
    assert explorer.pixels != before[0]
    assert explorer.readout("size") != before[1]
    assert f"Working set, S {explorer.readout('size')} ·" in explorer.text


def test_each_slider_of_the_model_moves_the_picture(explorer):
    assert len(explorer.sliders()) <= 4
    explorer.unfold()
    explorer.slider("l_L3").wait_for()
    model = [name for name in explorer.sliders() if name != "size"]
    assert {"C_L1", "C_L2", "t0", "l_L3"} <= set(model)
    for label in model:
        before = explorer.pixels
        explorer.nudge(label)
        assert explorer.pixels != before, label


def test_picture_has_an_alternative_text_that_follows_it(explorer):
    before = explorer.picture.get_attribute("aria-label")
    assert "Time per access" in before
    explorer.unfold()
    explorer.press("l_L3", "ArrowRight")
    assert explorer.picture.get_attribute("aria-label") not in ("", before)


@needs_compiler
def test_measure_button_brings_measured_points(explorer):
    before = explorer.pixels
    measure(explorer)
    has_points(explorer)
    ended(explorer)
    assert explorer.pixels != before
    assert "Measured, dependent" in explorer.picture.get_attribute("aria-label")
    assert explorer.status.startswith("measured: ")


@needs_compiler
def test_sliders_answer_during_a_measurement(explorer, long_measurement):
    for _ in ("while the working sets are being built", "while samples are being taken"):
        before = explorer.readout("size")
        explorer.slider("size").press("ArrowRight")
        explorer.notebook.wait(lambda before=before: explorer.readout("size") != before, "the slider moved")
        explorer.wait_for_text(f"Working set, S {explorer.readout('size')} ·", timeout_s=2)
        assert explorer.button("Cancel").is_visible()
        has_points(explorer)


@needs_compiler
def test_cancel_ends_a_measurement_and_keeps_its_points(explorer, long_measurement):
    has_points(explorer)
    explorer.button("Cancel").click()
    ended(explorer, timeout_s=2)
    assert explorer.status.startswith("cancelled after ")
    assert "measured: median error" in explorer.text


@needs_compiler
def test_stop_button_ends_a_measurement(explorer, long_measurement):
    has_points(explorer)
    explorer.notebook.interrupt()
    ended(explorer, timeout_s=2)
    assert explorer.status.startswith("cancelled after ")
    assert answer(explorer.notebook) == "42"


@needs_compiler
def test_stop_button_ends_a_cell_that_waits_for_a_measurement(explorer, long_measurement):
    explorer.notebook.start(CELL["wait"])
    has_points(explorer)
    began = time.monotonic()
    explorer.notebook.interrupt()
    ended(explorer, timeout_s=2)
    explorer.notebook.finish()
    assert time.monotonic() - began < 2
    outputs = explorer.notebook.cells()[CELL["wait"]]["outputs"]
    assert [output.get("ename") for output in outputs] == ["KeyboardInterrupt"], outputs
    assert answer(explorer.notebook) == "42"


def answer(notebook):
    (output,) = notebook.run(CELL["answer"])
    return output["data"]["text/plain"]


@needs_compiler
def test_points_measured_at_other_settings_are_said_to_be(notebook, explorer):
    notebook.run(CELL["stride"])
    stride = Explorer(notebook, CELL["stride"])
    size = stride.readout("size")
    measure(stride)
    has_points(stride)
    ended(stride)
    assert "points were measured at" not in stride.text
    stride.press("size", "ArrowLeft")
    assert f"points were measured at Array size, S {size}" in stride.text
    stride.choose("pages", "huge")
    assert "points were measured at Pages 4K" in stride.text


@needs_compiler
def test_data_fold_offers_files_that_hold_the_run(explorer, tmp_path):
    measure(explorer)
    has_points(explorer)
    ended(explorer)
    explorer.root.get_by_text("Data and downloads").click()
    for kind in ("CSV", "JSON", "PNG"):
        with explorer.page.expect_download() as download:
            explorer.root.get_by_role("link", name=kind).click()
        assert download.value.suggested_filename == f"memory.working_set.{kind.lower()}"
        download.value.save_as(tmp_path / kind)
    run = Run.from_json((tmp_path / "JSON").read_text(encoding="utf-8"))
    assert [curve.source for curve in run.measured] == ["measured", "measured"]
    assert (tmp_path / "CSV").read_text(encoding="utf-8") == run.to_csv()
    assert (tmp_path / "PNG").read_bytes().startswith(b"\x89PNG")
