"""SPE Lab: C kernels measured on your own machine beside models that predict them.

    from spe_lab import explore, lab, predict
    explore("memory.working_set")

Importing this package is fast: each name is imported at its first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_HOME = {
    "calibrate": "spe_lab.ui.calibrator:Calibrator",
    "claims": "spe_lab.core.reader.claims",
    "exercise": "spe_lab.core.reader.handle",
    "explore": "spe_lab.ui.explorer",
    "journal": "spe_lab.ui.journal:JournalPage",
    "lab": "spe_lab.core.registry:get",
    "noise": "spe_lab.ui.noise:observed",
    "overview": "spe_lab.core.reader.overview",
    "predict": "spe_lab.ui.ask",
    "predict_choice": "spe_lab.ui.ask",
    "predict_curve": "spe_lab.ui.sketch",
    "predict_order": "spe_lab.ui.ask",
    "progress": "spe_lab.core.reader.progress",
    "sketch": "spe_lab.ui.sketch:CurveSketch",
}
__all__ = [
    "calibrate",
    "claims",
    "exercise",
    "explore",
    "journal",
    "lab",
    "noise",
    "overview",
    "predict",
    "predict_choice",
    "predict_curve",
    "predict_order",
    "progress",
    "sketch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'spe_lab' has no attribute {name!r}")
    module, _, attribute = _HOME[name].partition(":")
    return getattr(importlib.import_module(module), attribute or name)


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Register the cell magic `%%c` for the reader's own C (`%load_ext spe_lab`)."""
    from spe_lab.core import streams
    from spe_lab.ui.cell import register

    streams.prepare()  # C may print any character, into a terminal too
    register(shell)
