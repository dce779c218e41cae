"""The end of a run: what was done for each purpose, what was left to the second tier, and one line for both tiers."""

import itertools
import json
import os
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

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
    "notebooks/": "notebooks' cells, solutions",
    "tests/core/test_lab_contract.py": "the labs' contract",
    "tests/topics/": "topics",
    "": "unit tests",
}
OUTCOMES = ("failed", "passed", "skipped")
MOST_SKIPPED = 0.2  # of the tests of the real machine, on one with two cores or more
began = time.monotonic()
left: Counter[str] = Counter()


def job(nodeid: str) -> str:
    return next(job for start, job in JOBS.items() if nodeid.startswith(start))


def pytest_addoption(parser):
    parser.addoption(
        "--tally", type=Path, help="add this run's counts to those in the file, and tell the sum at the end"
    )


def pytest_deselected(items):
    left.update(job(item.nodeid) for item in items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    left.clear()  # each lane leaves the same tests
    left.update(getattr(node, "workeroutput", {}).get("left", {}))


def pytest_terminal_summary(terminalreporter):
    done, busy = defaultdict(Counter), Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):  # not a warning, nor a module that could not be read
            counts = done[job(report.nodeid)]
            counts["seconds"] += report.duration
            if report.when == "call" or not report.passed:
                counts[report.outcome] += 1
                busy[report.outcome] += "may_skip_busy" in report.keywords
    if len(done) > 1:
        terminalreporter.section("jobs")
        for name in dict.fromkeys(JOBS.values()):
            if name in done or left[name]:
                terminalreporter.line(_row(name, done[name]))
        if left.total():
            terminalreporter.line(f"{left.total()} tests are left to the second tier: make test-all runs both")
    if busy["skipped"] > MOST_SKIPPED * busy.total() and (os.cpu_count() or 1) >= 2:
        terminalreporter.line(
            f"{busy['skipped']} of {busy.total()} tests of this machine were skipped, mostly since it is busy: run them"
            " again when it is not (pytest -n0 -m may_skip_busy tests)",
            yellow=True,
        )


def _row(name: str, counts: Counter) -> str:
    parts = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]]
    parts += [f"{left[name]} left"] if left[name] else []
    return f"{name:<30} {', '.join(parts):<45} {counts['seconds']:5.0f} s"


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the terminal's own: its last line is written then
def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left"] = dict(left)
    yield
    reporter, tally = session.config.pluginmanager.getplugin("terminalreporter"), session.config.getoption("tally")
    if tally and not hasattr(session.config, "workeroutput"):
        earlier = json.loads(tally.read_text(encoding="utf-8")) if tally.exists() else {}
        total = Counter(earlier) + counted(reporter.stats) + Counter(seconds=round(time.monotonic() - began))
        tally.write_text(json.dumps(total), encoding="utf-8")
        if earlier:
            reporter.write_sep("=", line_of(total), bold=True)


def counted(stats) -> Counter:
    counts = {
        outcome: sum(getattr(report, "count_towards_summary", True) for report in stats.get(outcome, []))
        for outcome in (*OUTCOMES, "error")
    }
    return Counter(counts)


def line_of(counts: Counter) -> str:
    """What pytest's last line would be for one run: 1 failed, 4790 passed, 38 skipped in 1050s (0:17:30)."""
    outcomes = ", ".join(f"{counts[name]} {name}" for name in (*OUTCOMES, "error") if counts[name])
    minutes, seconds = divmod(counts["seconds"], 60)
    return f"{outcomes} in {counts['seconds']}s ({minutes // 60}:{minutes % 60:02}:{seconds:02})"
