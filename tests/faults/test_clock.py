"""Wall time that steps back: what is timed does not notice, and what is dated says so."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spe_lab.core import machine as machines
from spe_lab.core.machine import store
from spe_lab.core.reader import journal

SOURCES = Path(__file__).parents[2] / "spe_lab"
WALL = {"time", "time_ns", "localtime", "CLOCK_REALTIME"}  # of the module time


def test_nothing_is_timed_by_wall_time():
    used = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
                used.add(node.attr)
    assert "monotonic" in used and not used & WALL


def test_a_profile_from_the_future_is_loaded_and_doubted(tmp_path, monkeypatch):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path))
    now = datetime(2026, 11, 25, tzinfo=UTC)
    store.save_own(
        machines.Machine(
            {**machines.facts(), "calibrated_at": (now + timedelta(days=365)).isoformat()}, machines.claim()
        )
    )
    doubts = store.problems(store.load_own(), machines.facts(), now)
    assert doubts == [
        "The profile is dated in the future (2027-11-25): this clock or the one it was measured by is wrong."
    ]


def test_a_journal_goes_on_when_time_steps_back(tmp_path, monkeypatch):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path))
    times = iter(["2027-11-25T00:00:00+00:00", "2026-11-25T00:00:00+00:00", "2026-11-25T00:00:01+00:00"])
    monkeypatch.setattr(journal, "now", lambda: next(times))
    for answer, state in ((1, "wrong"), (2, "right"), (3, "wrong")):
        with journal.open_journal() as kept:
            kept.answered("an exercise", answer, state, "")
    entry = journal.load().exercises["an exercise"]
    assert (entry["last"]["answer"], entry["right"]["answer"], len(entry["verdicts"])) == (3, 2, 3)
