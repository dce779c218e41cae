"""Sweeps over trials: order, gate, estimates, and how they end."""

import itertools
import math
import time

import numpy as np
import pytest

from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.sampling import teams
from spe_lab.core.sampling.statistics import MIN_ROUNDS
from spe_lab.core.sampling.teams import Setting, interleaved

RECORD = np.dtype([("began_ns", "i8"), ("ended_ns", "i8"), ("preemptions", "i8"), ("run_delay_ns", "i8")])


def constant(name, value, clean=True, calls=None):
    def run(n):
        if calls is not None:
            calls.append(name)
        return np.full(n, float(value)), np.full(n, clean)

    return Setting(name, run)


def last(*settings, **options):
    return list(interleaved(settings, budget_s=0.2, **options))[-1]


def test_settings_take_turns_and_each_stands_in_each_place_equally_often():
    calls = []
    settings = [constant(name, 1, calls=calls) for name in "abc"]
    list(itertools.islice(interleaved(settings, budget_s=0.2), 1))
    rounds = [calls[i : i + 3] for i in range(0, len(calls) - 2, 3)]
    assert all(sorted(row) == ["a", "b", "c"] for row in rounds)
    for square in (rounds[i : i + 3] for i in range(0, len(rounds) - 2, 3)):
        assert all(len(set(column)) == 3 for column in zip(*square, strict=True))


def test_values_and_their_ratio_come_out_exactly_where_there_is_no_noise():
    found = last(constant("a", 30), constant("b", 10))
    assert found.estimate.value.tolist() == [
        30,
        10,
    ] and found.estimate.low.tolist() == found.estimate.high.tolist() == [30, 10]
    assert found.ratio(0, 1) == (3, 3, 3)
    assert [each.tolist() for each in teams.block_ratios(found.blocks(), 0)] == [[1, 3]] * 3
    assert (found.estimate.kept == found.estimate.tried).all()


def test_disturbed_trials_are_dropped_counted_and_noted():
    found = last(constant("a", 30), constant("b", 10, clean=False))
    assert found.estimate.kept[1] == 0 and found.estimate.tried[1] > 0 and math.isnan(found.estimate.value[1])
    assert any("no clean trial" in note for note in found.notes) and any(
        "50% of the trials" in note for note in found.notes
    )


def test_no_clean_trial_at_all_is_a_result_and_is_said():
    with pytest.raises(MeasurementError, match="no clean sample"):
        last(constant("a", 30, clean=False))


def test_a_cancelled_sweep_says_so_and_one_with_rounds_keeps_them():
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        last(constant("a", 1), cancel=cancel)
    cancel = Cancel()
    calls = iter(range(10**6))

    def run(n):
        if next(calls) == 4:
            cancel.set()
        return np.ones(n), np.full(n, True)

    assert list(interleaved([Setting("a", run)], budget_s=5, cancel=cancel))[-1].rounds == 5


def test_a_round_beyond_all_patience_is_refused(monkeypatch):
    monkeypatch.setattr(teams, "FIRST_ROUND_S", 0.0)
    with pytest.raises(MeasurementError, match="one round of this sweep takes longer"):
        list(interleaved([constant("a", 1)], budget_s=1e-9))


def test_a_first_round_is_waited_for_on_a_busy_machine():
    assert list(interleaved([constant("a", 1)], budget_s=1e-9))[-1].rounds == 1


def test_too_few_rounds_are_noted():
    def slow(n):
        time.sleep(0.05)
        return np.ones(n), np.full(n, True)

    found = last(Setting("slow", slow))
    assert found.rounds <= MIN_ROUNDS
    assert np.isnan(found.estimate.low).any() == any("too few for intervals" in note for note in found.notes)


@pytest.mark.parametrize(
    ("settings", "budget"),
    [([], 1), ([constant("a", 1)], 0), ([constant("a", 1)], math.nan), ([constant("a", 1)], 4000)],
)
def test_nonsense_is_refused(settings, budget):
    with pytest.raises(SpeLabError, match=r"must .*, got .*;"):
        list(interleaved(settings, budget_s=budget))


@pytest.mark.parametrize(
    ("records", "clean"),
    [
        ([(0, 1000, 0, 0), (10, 1000, 0, 0)], True),
        ([(0, 1000, 0, 0), (10, 1000, 1, 0)], False),  # preempted
        ([(0, 1000, 0, 0), (10, 1000, 0, 100)], False),  # waited for a CPU
        ([(0, 1000, 0, 0), (100, 1000, 0, 0)], False),  # began late
        ([(0, 1000, 0, 0), (10, 500, 0, 0)], False),  # worked alone for half the time
    ],
)
def test_the_gate_lets_through_what_ran_together_and_undisturbed(records, clean):
    assert teams.ran_together(np.array([records], dtype=RECORD), np.array([1000])).tolist() == [clean]


def test_the_quantile_that_stands_for_a_block_can_be_chosen():
    def run(n):
        return np.arange(1.0, n + 1), np.full(n, True)

    low, middle = (last(Setting("one to five", run), burst=5, level=level) for level in (0.0, 0.5))
    assert (low.estimate.value[0], middle.estimate.value[0]) == (1, 3)
    assert set(middle.blocks()[:, 0]) == {3} and "50% quantile" in middle.provenance["estimator"]
