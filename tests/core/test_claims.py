"""The table of claims: what a machine contradicts stands first, and what is not measured decides nothing."""

import dataclasses

import numpy as np
import pytest

from spe_lab.core import registry
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.reader import claims as module
from spe_lab.core.reader.claims import (
    CONTRADICTED,
    MEANING,
    SHOWN,
    UNDECIDED,
    WAITING,
    Claim,
    Interval,
    at,
    between,
    both,
    claims,
    less,
)


def run(source="measured"):
    lab = registry.get("branches.selectivity")
    shipped = lab.joined(lab.fitted(lab.recorded()))
    return dataclasses.replace(
        shipped, measured=[dataclasses.replace(curve, source=source) for curve in shipped.measured]
    )


def noisy(_):
    raise MeasurementError("too noisy")


MADE = (
    Claim("branches.selectivity", "Waits | for none.", lambda run: None),
    Claim("branches.selectivity", "Too noisy.", noisy),
    Claim("branches.selectivity", "Holds.", lambda run: np.True_),
    Claim("branches.selectivity", "Fails.", lambda run: False, "The compiler did it."),
    Claim("branches.rate", "Was not measured.", lambda run: False),
)


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(module, "claims_of", lambda stem: MADE)


def test_contradictions_stand_first_and_what_they_mean_is_said(made):
    table = claims("branches", run())
    assert [state for state, _ in table.rows] == [CONTRADICTED, SHOWN, UNDECIDED, UNDECIDED, WAITING]
    assert table.verdict == f"This machine contradicts 1 of the chapter's 5 claims. {MEANING}"
    source = table._repr_markdown_()
    assert (
        "| ✘ contradicted here | Fails. The compiler did it. | Selectivity |" in source
        and r"Waits \| for none." in source
    )
    assert "✔ shown here: Holds. (branches.selectivity)" in repr(table)


@pytest.mark.parametrize("other", [None, run("recorded"), ..., 0])
def test_what_is_missing_or_recorded_is_not_measured_yet(made, other):
    assert claims("branches", other).of(WAITING) == list(MADE)
    assert "None of the chapter's 5 claims is decided yet" in repr(claims("branches", other))


def test_one_contradiction_among_several_runs_counts(monkeypatch):
    claim = Claim("branches.selectivity", "At 64 B alone.", lambda run: run.point["payload"] == "none")
    monkeypatch.setattr(module, "claims_of", lambda stem: (claim,))
    other = dataclasses.replace(run(), point={**run().point, "payload": "64 B"})
    assert claims("branches", run()).of(SHOWN) and claims("branches", run(), other).of(CONTRADICTED)
    assert "contradicts none" in claims("branches", run()).verdict


def test_a_topic_without_claims_is_told():
    with pytest.raises(SpeLabError, match=r"stem must be one of .*branches.*, got 'nothing'"):
        claims("nothing")


def test_intervals_decide_or_do_not():
    low, high = Interval(1, 1.1, 1.2), Interval(2, 2.1, 2.2)
    assert less(low, high) is True and less(high, low) is False and less(low, 1.1) is None and less(None, 1) is None
    assert less(low, high, 0.5) is None and less(low, high, 0.4) is False and less(0.5, low) is True
    assert between(low, 1, 2) is True and between(low, 3, 4) is False and between(low, 1.1, 2) is None
    assert between(None, 0, 1) is None
    assert both(True, None) is None and both(None, False) is False and both(True, True) is True


def test_a_value_is_found_by_curve_and_place():
    assert at(run(), "branching", 0.5).value == pytest.approx(3.68, rel=0.01)
    assert at(run(), "branching", 0.51) is None and at(run(), "nothing", 0.5) is None
