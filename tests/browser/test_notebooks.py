"""Every notebook in a real JupyterLab: all cells run, every control can be seen, and nothing goes wrong anywhere. In the
second tier all that can be moved is moved; in the first, one control of each kind (test_controls.py).
"""

import shutil
from pathlib import Path

import pytest

from .accessibility import findings
from .jupyter import MissingError, jupyterlab
from .touch import Touch

pytestmark = pytest.mark.browser

OURS = (  # what is in an output; its frame, and whether a reader can scroll that by keyboard, is JupyterLab's
    ".jp-OutputArea-output > *"
)
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
    look_at(opened, name, Touch.shown, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
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
