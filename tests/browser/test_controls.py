"""One control of each kind in a real JupyterLab, moved with the mouse or a key: each answers, and nothing complains."""

import pytest

from spe_lab.core.c import native

from .jupyter import MissingError, jupyterlab, write_notebook
from .touch import Touch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure"),
]
CIRCLE = "<svg role='img' aria-label='{0}' width='99' height='99'><circle cx='50' cy='50' r='{0}'/></svg>"
STATES = [(CIRCLE.format(radius), f"Radius {radius}.") for radius in (10, 20, 30, 40)]
CELLS = {
    "sliders, lists, buttons and folds": 'from spe_lab import explore\nexplore("branches.selectivity")',
    "a live explorer": 'from spe_lab import explore\nexplore("objectives.slo")',
    "a drawn prediction": 'from spe_lab import sketch\nsketch("branches.rate")',
    "a predicted order": 'from spe_lab import predict_order\npredict_order("branches.rate", among=[0.1, 0.5])',
    "states": f"from spe_lab.ui.stepper import Stepper\nStepper({STATES!r})",
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
