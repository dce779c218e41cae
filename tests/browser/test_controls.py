"""One control of each kind in a real JupyterLab, moved with the mouse or a key: each answers, and nothing complains."""

import pytest

from spe_lab.core.c import native

from .jupyter import MissingError, jupyterlab, write_notebook
from .touch import Touch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure"),
]
STATES = ["<svg role='img' aria-label='a' width='9' height='9'><circle r='4'/></svg>", "<svg role='img' width='9'/>"]
CELLS = {
    "sliders, lists, buttons and folds": 'from spe_lab import explore\nexplore("branches.selectivity")',
    "an explorer that follows": 'explore("objectives.slo")',
    "a drawn prediction": 'from spe_lab import sketch\nsketch("branches.rate")',
    "states": f"from spe_lab.ui.stepper import Stepper\nStepper([({STATES[0]!r}, 'One.'), ({STATES[1]!r}, 'Two.')])",
    "a player": "from spe_lab.topics import queueing\nfrom spe_lab.ui.player import Player\nPlayer(queueing.Watched())",
    "calibration": "from spe_lab import calibrate\ncalibrate()",
    "the journal": "from spe_lab import journal\njournal()",
    "C": "%load_ext spe_lab",
    "a function": "%%c own\nint twice(int x) { return 2 * x; }",
    "a function's sliders": 'own.sliders("twice", x=(1, 50))',
}


def test_each_kind_of_control_answers(tmp_path):
    write_notebook(tmp_path / "controls.ipynb", *CELLS.values())
    try:
        with jupyterlab(tmp_path) as lab, lab.open("controls.ipynb") as notebook:
            touch = Touch(notebook)
            notebook.run_all(timeout_s=120)
            complaints = notebook.cell_errors() + touch.everything() + notebook.console_errors
            assert not complaints, "\n".join(complaints)
    except MissingError as error:
        pytest.skip(str(error))
