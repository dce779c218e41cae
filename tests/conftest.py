"""What every test may rely on: measurements are short, and no machine profile or kernel of the user's is read or overwritten.

`make test` says the same by environment variables; this is for a plain `pytest`.
"""

import atexit
import os
import shutil
import tempfile

import pytest

os.environ.setdefault("SPE_LAB_QUICK", "1")

for name in ("SPE_LAB_CACHE_DIR", "SPE_LAB_CONFIG_DIR"):
    if name not in os.environ:  # set here, not in a fixture: child processes and doctests need it too
        os.environ[name] = tempfile.mkdtemp(prefix="spe-lab-tests-")
        atexit.register(shutil.rmtree, os.environ[name], ignore_errors=True)


@pytest.fixture(autouse=True)
def empty_journal():
    """What one test predicts or answers is nothing that another one remembers."""
    from spe_lab.core import journal

    journal.path().unlink(missing_ok=True)
    yield
    journal.path().unlink(missing_ok=True)
