"""Every notebook in a real JupyterLab: all cells run, every control can be seen, controls and figure of an explorer stand
in one window, and nothing goes wrong anywhere.

All that can be moved is moved in the notebooks that have one of each kind of lab, and with TOPIC= in a topic's own: the
frame that answers is the same everywhere, and what each slider does to each lab the labs' contract tests without a
browser, in a tenth of the time. test_controls.py moves one control of each kind in the first tier.
"""

import shutil
from pathlib import Path

import pytest

from .accessibility import findings
from .boxes import apart
from .jupyter import MissingError, jupyterlab
from .touch import Touch

pytestmark = pytest.mark.browser

OURS = (  # what is in an output; its frame, and whether a reader can scroll that by keyboard, is JupyterLab's
    ".jp-OutputArea-output > *"
)
MOVED = ("03b_memory.ipynb", "04c_coherence.ipynb")  # kernels and work; teams, a simulation and a player
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(NOTEBOOKS[0].parent, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    try:
        with jupyterlab(folder, SPE_LAB_PREDICTIONS="skip") as lab:
            yield lab
    except MissingError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_every_control_is_shown_and_nothing_complains(lab, name, tmp_path):
    # JupyterLab asks for a picture once more by the page's own address, which must then be that of the notebook.
    opened = lab.open(name) if name == "index.ipynb" else lab.open_next(name)
    look_at(opened, name, seen, tmp_path)


def seen(touch):
    return apart(touch.notebook) + touch.shown()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(path.name, marks=[] if path.name in MOVED else [pytest.mark.topic]) for path in NOTEBOOKS],
)
def test_every_control_answers_and_nothing_complains(lab, name, tmp_path):
    look_at(lab.open(name), name, Touch.everything, tmp_path)


def look_at(opened, name, how, folder):
    with opened as notebook:
        touch = Touch(notebook)
        notebook.run_all(timeout_s=120)
        complaints = notebook.cell_errors() + how(touch) + findings(notebook.page, OURS) + notebook.console_errors
        picture = folder / f"{Path(name).stem}.png"
        notebook.page.screenshot(path=picture)
        assert not complaints, "\n".join([*complaints, f"The page: {picture}"])
