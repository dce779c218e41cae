"""What every test may rely on: measurements are short, and no machine profile or kernel of the user's is read or
overwritten.

`make test` says the same by environment variables; this is for a plain `pytest`.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same few examples at each run; SPE_LAB_LONG=1 (make fuzz, make sanitize) looks for new ones, and for many more.
# Each of the sixteen builds that have sanitizers has others.
unhurried = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("short", max_examples=20, derandomize=True, **unhurried)
settings.register_profile("long", max_examples=1000, print_blob=True, **unhurried)
settings.register_profile("sanitized", settings.get_profile("long"), max_examples=200)
settings.load_profile("long" if os.environ.get("SPE_LAB_LONG", "0") not in ("", "0") else "short")

os.environ.setdefault("SPE_LAB_QUICK", "1")
os.environ.setdefault("SPE_LAB_PREDICTIONS", "skip")  # for the notebooks' kernels

for name in ("SPE_LAB_CACHE_DIR", "SPE_LAB_CONFIG_DIR"):
    if name not in os.environ:  # set here, not in a fixture: child processes and doctests need it too
        os.environ[name] = tempfile.mkdtemp(prefix="spe-lab-tests-")
        atexit.register(shutil.rmtree, os.environ[name], ignore_errors=True)


# Each lane has a journal and a profile of its own; they share built kernels.
if lane := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["SPE_LAB_CONFIG_DIR"] = str(Path(os.environ["SPE_LAB_CONFIG_DIR"], lane))

pytest_plugins = ["lanes", "second_chance", "jobs", "chapters", "compilers"]  # tests/harness


def pytest_collection_finish():
    # half a million objects of tests and modules that stay: collecting need not look at them again and again
    gc.freeze()


@pytest.fixture(autouse=True)
def empty_journal():
    """What one test predicts or answers is nothing that another one remembers."""
    from spe_lab.core.reader import journal

    journal.path().unlink(missing_ok=True)
    yield
    journal.path().unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def predictions_are_asked(monkeypatch):
    """Tests see an open prediction as a reader does; notebooks run with predictions skipped."""
    monkeypatch.delenv("SPE_LAB_PREDICTIONS", raising=False)


@pytest.fixture(autouse=True)
def no_widgets_left():
    """ipywidgets keeps every widget until it is closed, with all that it refers to: 1.7 GB at the end of all tests."""
    yield
    if widgets := sys.modules.get("ipywidgets"):
        widgets.Widget.close_all()
