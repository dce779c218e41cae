"""Lanes and topics: which tests run beside each other, in which order, and which belong to one topic.

`make test` runs two lanes (pytest-xdist, `--dist loadgroup`) on two processors. A group stays in one lane: the browser
tests, the tests that time something real (mark `machine`), the cells of a notebook, which share a kernel, and otherwise
each file, whose tests share fixtures. So at most one lane opens a browser, and at most one lane times.

Tests with the mark `topic` run with --topic alone: other notebooks have the same code tested.

Tests of a topic that time something belong to the second tier: the first has one run of each kind of lab, the notebooks,
and core's own tests of measuring.
"""

import re

import pytest

BROWSER, MACHINE = "browser", "machine"
# The longest groups start first, so that both lanes end together; the rest follows in the order of collection.
FIRST = (BROWSER, MACHINE, "tests/sanitizers/", "tests/test_package.py", "tests/test_lint.py", "notebooks/")


def pytest_addoption(parser):
    parser.addoption("--topic", default="", help="run only the tests of this topic")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(config, items):
    topic = config.getoption("topic")
    items[:] = [item for item in items if (belongs(item, topic) if topic else not item.get_closest_marker("topic"))]
    for item in items:
        if item.nodeid.startswith("notebooks/"):
            item.add_marker("notebook")
        item.add_marker(pytest.mark.xdist_group(group(item)))
        if item.nodeid.startswith("tests/topics/") and item.get_closest_marker("machine"):
            item.add_marker("slow")
    if hasattr(config, "workerinput"):  # a lane
        items.sort(key=lambda item: _rank(group(item)))


def pytest_collection_finish(session):
    if hasattr(session.config, "workerinput") and session.config.option.loadgroup and session.items:
        id = session.items[0].nodeid
        if id == without_group(id):
            raise pytest.UsageError(
                "pytest-xdist must put groups of tests into their ids; pyproject.toml names versions that do"
            )


def group(item: pytest.Item) -> str:
    path = item.nodeid.partition("::")[0]
    if path.startswith("tests/browser/"):
        return BROWSER
    return MACHINE if item.get_closest_marker("machine") else path


def _rank(group: str) -> int:
    return next((rank for rank, start in enumerate(FIRST) if group.startswith(start)), len(FIRST))


def belongs(item: pytest.Item, topic: str) -> bool:
    """True for a file of the topic, its notebook, a test with the topic in its parameters, and the sanitized edges,
    which are then those of the topic alone.
    """
    path, _, name = item.nodeid.partition("::")
    own = path.startswith((f"tests/topics/{topic}/", f"spe_lab/topics/{topic}/")) or path.endswith(f"_{topic}.ipynb")
    named = re.search(rf"[\[_-]{topic}[].-]", name[name.find("[") :]) if "[" in name else None
    return own or bool(named) or "edges" in getattr(item, "fixturenames", ())


def without_group(nodeid: str) -> str:
    """The id as one types it: pytest-xdist adds "@group"."""
    return nodeid.rpartition("@")[0] if nodeid.rfind("@") > nodeid.rfind("]") else nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if hasattr(report, "node"):  # it comes from a lane
        report.nodeid = without_group(report.nodeid)
