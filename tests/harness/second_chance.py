"""A test that times something (mark `machine`) and failed beside others runs once more, alone, when the lanes are done.

If it passes then, the other lane was the cause: it counts as passed, and the summary names it. A second failure stays.
"""

import subprocess
import sys

import pytest

MOST = 10  # more failures than this are no matter of a busy machine
LIMIT_S = 180
told = []


def beside_others(config: pytest.Config) -> bool:
    return config.pluginmanager.hasplugin("dsession") and not hasattr(config, "workerinput")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session):
    done = yield
    if beside_others(session.config):
        _try_again(session, session.config.pluginmanager.getplugin("terminalreporter").stats)
    return done


def _try_again(session, stats) -> None:
    failures = {}
    for category in ("failed", "error"):
        for report in stats.get(category, []):
            if "machine" in getattr(report, "keywords", ()):
                failures.setdefault(report.nodeid, []).append((category, report))
    if len(failures) > MOST:
        told.append(
            f"{len(failures)} tests that time something failed: too many for a busy machine, none was run again"
        )
        return
    for nodeid, reports in failures.items():
        why = _first_line(reports[0][1])
        outcome = run_alone(session.config, nodeid)
        told.append(f"{nodeid} failed beside others ({why}) and {outcome} alone")
        if outcome == "failed":
            continue
        for category, report in reports:
            stats[category].remove(report)
            session.testsfailed -= 1
            report.outcome, report.longrepr = outcome, None
        stats.setdefault(outcome, []).append(report)


def run_alone(config: pytest.Config, nodeid: str) -> str:
    """Return passed, skipped or failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--no-header", "-rN", nodeid]
    try:
        done = subprocess.run(
            command, cwd=config.rootpath, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "failed"
    if done.returncode:
        return "failed"
    return "passed" if " passed" in done.stdout.splitlines()[-1] else "skipped"


def _first_line(report) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return (crash.message if crash else str(report.longrepr)).partition("\n")[0][:120]


def pytest_terminal_summary(terminalreporter):
    if told:
        terminalreporter.section("run again alone")
        for line in told:
            terminalreporter.line(line)
