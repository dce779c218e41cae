"""What every test may rely on: measurements are short, and no machine profile or kernel of the user's is read or
overwritten.

`make test` says the same by environment variables; this is for a plain `pytest`.
"""

import atexit
import gc
import itertools
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
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

for name in ("SPE_LAB_CACHE_DIR", "SPE_LAB_CONFIG_DIR"):
    if name not in os.environ:  # set here, not in a fixture: child processes and doctests need it too
        os.environ[name] = tempfile.mkdtemp(prefix="spe-lab-tests-")
        atexit.register(shutil.rmtree, os.environ[name], ignore_errors=True)


# Three lanes share a machine of two cores in `make test`. One opens browsers, another does all the rest, and who is
# ready first goes on with the solutions, and then with one notebook at a time, so that both end together. The third
# lane takes what compiles and computes without timing anything, in the moments in which a processor has nothing else to
# do, and ends with it. Mere nice would not do: Linux 6.6 and later let such a program end its slice of 3 ms before a
# thread that wakes, and what sleeps measured that. Each lane has a journal and a profile of its own; built kernels they
# share.
LANE = os.environ.get("PYTEST_XDIST_WORKER")
BACKGROUND_LANE, BACKGROUND = "gw2", ("tests/sanitizers/", "tests/test_lint.py")
if LANE:
    os.environ["SPE_LAB_CONFIG_DIR"] = str(Path(os.environ["SPE_LAB_CONFIG_DIR"], LANE))


def pytest_collection_finish():
    # half a million objects of tests and modules that stay: collecting need not look at them again and again
    gc.freeze()
    # Not before, for all lanes wait until each has read the tests.
    if LANE == BACKGROUND_LANE:
        if hasattr(os, "SCHED_IDLE"):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        else:
            os.nice(19)


@pytest.hookimpl(optionalhook=True)  # a pytest without xdist knows no such hook
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith("notebooks/"):
                return nodeid.partition("::")[0]  # its cells share a kernel
            if nodeid.startswith(BACKGROUND):
                return "in the background"
            return next(
                (part for part in ("tests/browser/", "tests/notebooks/") if nodeid.startswith(part)), "all the rest"
            )

        def _assign_work_unit(self, node) -> None:
            if node.gateway.id == BACKGROUND_LANE and "in the background" in self.workqueue:
                self.workqueue.move_to_end("in the background", last=False)
            super()._assign_work_unit(node)

        def _reschedule(self, node) -> None:
            if node.gateway.id == BACKGROUND_LANE and not node.shutting_down:
                node.shutdown()  # once it has done what it has
            super()._reschedule(node)

    config.option.loadscopereorder = (
        False  # the parts in their order, the longest first, and not those with the most tests
    )
    return Lanes(config, log)


# What the tests are for, by where they stand; the first that fits.
JOBS = {
    "tests/test_lint.py": "ruff, mypy, clang-format",
    "spe_lab/": "doctests",
    "tests/faults/": "injected faults",
    "tests/fuzz/": "generated input",
    "tests/sanitizers/": "sanitizers",
    "tests/test_package.py": "the wheel on each Python",
    "tests/test_readme.py": "the README's commands",
    "tests/browser/": "JupyterLab in Chromium",
    "tests/notebooks/": "solutions, form of notebooks",
    "notebooks/": "notebooks' cells",
    "": "unit tests",
}


def pytest_terminal_summary(terminalreporter):
    """What was done, at a glance."""
    done = defaultdict(Counter)
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):  # not a warning, nor a module that could not be read
            counts = done[next(job for start, job in JOBS.items() if report.nodeid.startswith(start))]
            counts["seconds"] += report.duration
            if report.when == "call" or not report.passed:
                counts[report.outcome] += 1
    if len(done) < 2:
        return
    terminalreporter.section("jobs")
    for job in filter(done.__contains__, JOBS.values()):
        counts = done[job]
        said = ", ".join(
            f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped") if counts[outcome]
        )
        terminalreporter.line(f"{job:<30} {said:<35} {counts['seconds']:5.0f} s")


@pytest.fixture(autouse=True)
def empty_journal():
    """What one test predicts or answers is nothing that another one remembers."""
    from spe_lab.core.reader import journal

    journal.path().unlink(missing_ok=True)
    yield
    journal.path().unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def no_widgets_left():
    """ipywidgets keeps every widget until it is closed, with all that it refers to: 1.7 GB at the end of all tests."""
    yield
    if widgets := sys.modules.get("ipywidgets"):
        widgets.Widget.close_all()
