"""docs/reliability.md names only tests that exist, and every deliberate fault has its place."""

import re
from pathlib import Path

import pytest

from ..mutants import mutants

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "reliability.md"


def test_every_row_names_a_test_and_every_named_test_exists():
    if not TABLE.exists():
        pytest.skip("an installed copy has no docs/")
    text = TABLE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)", row)
        assert named, row
        for file, test in named:
            assert (ROOT / file).exists() and re.search(
                rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE
            ), f"{file}::{test}"


def test_every_deliberate_fault_can_still_be_put_in():
    faults = mutants()
    assert len(faults) > 30
    assert not list(filter(None, (fault.problem() for fault in faults)))
