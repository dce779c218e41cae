"""Run All on an untouched notebook, then a prediction committed in its form, then the lab: the score counts."""

import json
import re
import shutil
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from spe_lab.core.c import native

from .accessibility import findings
from .jupyter import MissingError, jupyterlab, write_notebook

pytestmark = [
    pytest.mark.browser,
    pytest.mark.machine,
    pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure"),
]

CELLS = (
    "from spe_lab import explore, predict, predict_choice, predict_order",
    'prediction = predict("queueing.single", at=0.8, low=..., high=...)\nprediction',
    'single = explore("queueing.single", prediction)\nsingle',
    "prediction.score(single.measured())",
    'order = predict_order("queueing.disciplines", ..., at=0.7)\norder',
    'choice = predict_choice("queueing.balancing", at=0.7)\nchoice',
)
WIDE = "0.000001", "1000000000"  # a range that holds anywhere
PRESSES = 5  # a machine that is busy may have no clean sample at first
BOX = re.compile(r"^(\w+) = predict(?:_order|_choice)?\(.*^\1$", re.MULTILINE | re.DOTALL)


def first_box(path: Path) -> str:
    """The name of the first prediction that a notebook shows as a form; "" without one."""
    cells = nbformat.read(path, as_version=4).cells
    found = (BOX.search(cell.source) for cell in cells if cell.cell_type == "code")
    return next((match[1] for match in found if match), "")


FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = [path.name for path in sorted(FOLDER.glob("*.ipynb")) if first_box(path)]
FIRST = "03d_branches.ipynb"  # of the first tier


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return tmp_path_factory.mktemp("config")


@pytest.fixture(scope="module")
def lab(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("notebooks")
    for name in NOTEBOOKS:
        shutil.copy(FOLDER / name, folder)
    write_notebook(folder / "forms.ipynb", *CELLS)
    try:
        with jupyterlab(folder, SPE_LAB_CONFIG_DIR=str(config)) as lab:
            yield lab
    except MissingError as error:
        pytest.skip(str(error))


class Output:
    """The output of one cell, scrolled into sight."""

    def __init__(self, notebook, index):
        notebook.evaluate("await jupyterapp.shell.currentWidget.content.scrollToItem(a, 'start')", index)
        self.notebook = notebook
        self.root = notebook.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .jp-OutputArea")
        self.root.locator("button").first.wait_for()

    def answer(self):
        """Fill in the form: a wide range, each candidate once, or the first choice."""
        if lists := self.root.locator("select").all():
            for place, each in enumerate(lists):
                each.select_option(index=place + 1)
        elif (radio := self.root.locator("input[type=radio]")).count():
            radio.first.check()
        else:
            for label, text in zip(("low", "high"), WIDE, strict=True):
                self.root.get_by_label(label).fill(text)

    def press(self, name):
        self.root.get_by_role("button", name=re.compile(rf"\b{name}$")).click()

    @property
    def said(self):
        return " ".join(self.root.locator(".widget-html-content").all_text_contents())

    def wait_for(self, text, timeout_s=20):
        self.notebook.wait(lambda: text in self.said, f"the page says {text!r}, and not {self.said!r}", timeout_s)


def index_of(notebook, found):
    """The number of the first code cell whose source `found` finds."""
    cells = enumerate(notebook.cells())
    return next(i for i, cell in cells if cell["cell_type"] == "code" and found("".join(cell["source"])))


def scored(config):
    """What the journal holds: entries that count and have a score."""
    kept = json.loads((config / "journal.json").read_text(encoding="utf-8"))
    return [entry for entry in kept["predictions"].values() if entry["committed"] and entry["scored"]]


def commit_and_measure(notebook, config, name):
    """Commit in the form of the prediction `name`, and press its explorer's button until it is scored."""
    form = Output(notebook, index_of(notebook, lambda source: re.search(rf"^{name} = predict", source, re.MULTILINE)))
    form.answer()
    form.press("Commit")
    form.wait_for("Kept in your journal.")
    explorer = Output(notebook, index_of(notebook, lambda source: re.search(rf"explore\([^)]*\b{name}\b", source)))
    before = len(scored(config))
    for _ in range(PRESSES):
        explorer.press("(Measure|Simulate)")
        with suppress(TimeoutError):
            notebook.wait(lambda: len(scored(config)) > before, "a score", timeout_s=20)
            return scored(config)[-1]
    raise AssertionError(f"not scored: {explorer.said}")


@pytest.mark.parametrize(
    "name", [name if name == FIRST else pytest.param(name, marks=pytest.mark.slow) for name in NOTEBOOKS]
)
def test_run_all_spoils_nothing_and_a_prediction_counts_afterwards(lab, config, name):
    (config / "journal.json").unlink(missing_ok=True)
    with lab.open(name) as notebook:
        notebook.run_all(timeout_s=120)
        assert not notebook.cell_errors()
        assert commit_and_measure(notebook, config, first_box(FOLDER / name))["revised"] == []
        assert notebook.console_errors == []


def test_the_forms_of_all_kinds_commit_and_are_accessible(lab, config):
    (config / "journal.json").unlink(missing_ok=True)
    with lab.open("forms.ipynb") as notebook:
        notebook.run_all()
        assert not notebook.cell_errors()
        explorer = Output(notebook, 2)
        explorer.press("Simulate")
        explorer.wait_for("Commit a range above, or press Skip.")
        (waiting,) = notebook.cells()[3]["outputs"]
        assert waiting["data"]["text/plain"] == "Commit a range above, or press Skip, and run this cell again."
        assert not findings(notebook.page, ".jp-OutputArea-output > *")
        form = Output(notebook, 1)
        for text, said in (("5 apples", "Low must be a quantity in E(S)"), ("9", "High must be a number, got nothing")):
            form.root.get_by_label("low").fill(text)
            form.press("Commit")
            form.wait_for(said)
        entry = commit_and_measure(notebook, config, "prediction")
        assert entry["scored"]["right"] == 1 and entry["scored"]["score"] > 30
        for index, words in ((4, "<"), (5, "random")):
            form = Output(notebook, index)
            form.answer()
            form.wait_for("Not committed yet: ")
            form.press("Commit")
            form.wait_for("Kept in your journal.")
            assert words in form.said
        assert notebook.console_errors == []
