"""A reader's ranges: how many held, within which interval, and how wide they would have to be."""

import math

import pytest
from scipy import stats

from spe_lab.core.reader.journal import Journal
from spe_lab.core.reader.track_record import SURE, Scored, TrackRecord, binomial_interval


def scored(low, high, value, spread=0.0):
    return Scored("memory.stride", "at stride 64 B", "ns", low, high, value, value * (1 - spread), value * (1 + spread))


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 7), (7, 7), (3, 10), (9, 10), (45, 50), (999, 1000)])
def test_the_interval_of_the_share_is_where_each_tail_has_its_chance(hits, n):
    low, high = binomial_interval(hits, n)
    if hits > 0:
        assert stats.binom.sf(hits - 1, n, low) == pytest.approx(0.025)
    if hits < n:
        assert stats.binom.cdf(hits, n, high) == pytest.approx(0.025)
    assert (low, high) == pytest.approx(tuple(stats.binomtest(hits, n).proportion_ci(0.95, "exact")))


@pytest.mark.parametrize(
    ("low", "high", "needed"), [(1, 4, 0), (2, 4, 1), (4, 16, 2), (4, 8, 3), (0.25, 1, 2), (2, 2, 0), (3, 3, math.inf)]
)
def test_how_wide_a_range_would_have_to_be_by_ratio(low, high, needed):
    assert scored(low, high, 2.0).needed == pytest.approx(needed)


def test_a_range_stretched_by_what_it_needs_just_holds():
    each = scored(5.0, 8.0, 3.0, spread=0.1)
    middle, half = math.sqrt(5 * 8), math.sqrt(8 / 5)
    assert middle / half**each.needed == pytest.approx(each.value_high)


def test_a_range_from_zero_is_stretched_by_difference():
    assert scored(0, 2, 3.0).needed == pytest.approx(2) and scored(0, 2, 3.0).factor == math.inf


def test_a_range_that_meets_the_measured_interval_holds():
    assert (
        scored(2.1, 4, 2.0, spread=0.1).hit
        and not scored(2.1, 4, 2.0).hit
        and scored(2.1, 4, 2.0, spread=0.1).needed < 1
    )


def test_nothing_scored_is_said():
    record = TrackRecord([])
    assert (
        record.interval == (0, 1)
        and math.isnan(record.factor)
        and record.verdict.startswith("No prediction has been scored yet.")
    )


@pytest.mark.parametrize(
    ("hits", "misses", "said"),
    [
        (1, 0, "1 of 1 range held"),
        (9, 1, "agrees with 90%"),
        (3, 9, "ranges are too narrow"),
        (60, 0, "wider than they need to be"),
        (0, 0, ""),
    ],
)
def test_too_narrow_and_too_wide_are_said_only_where_chance_does_not_explain_them(hits, misses, said):
    record = TrackRecord([scored(1, 4, 2.0)] * hits + [scored(4, 16, 2.0)] * misses)
    assert record.hits == hits and said in record.verdict
    low, high = record.interval
    assert not record.ranges or ("agrees" in record.verdict) == (low <= SURE <= high)


def test_the_stretch_makes_nine_tenths_hold():
    ranges = [scored(4, 8, 2.0)] * 3 + [scored(2, 4, 2.0)] * 7
    record = TrackRecord(ranges)
    assert record.stretch == pytest.approx(3) and sum(each.needed <= record.stretch for each in ranges) >= SURE * len(
        ranges
    )
    assert "if all had been 3 times as wide." in record.verdict
    assert math.isnan(TrackRecord(ranges[:4]).stretch)


def test_the_score_of_a_stretched_range_is_that_of_its_ends():
    each = scored(5.0, 8.0, 3.0, spread=0.1)
    assert each.score == pytest.approx(math.log(8 / 5) + 20 * math.log(5 / 3.3)) == each.score_if(1)
    middle, half = math.sqrt(5 * 8), math.sqrt(8 / 5)
    for stretch in (0.1, 2, 3, 10):
        other = scored(middle / half**stretch, middle * half**stretch, 3.0, spread=0.1)
        assert each.score_if(stretch) == pytest.approx(other.score)
    assert scored(2, 2, 3.0).score_if(7) == pytest.approx(20 * math.log(1.5)) and scored(0, 2, 3.0).score is None


@pytest.mark.parametrize("ranges", [[(1, 4, 2.0)] * 5, [(4, 8, 2.0)] * 3 + [(2, 4, 2.0)] * 7, [(1, 1e9, 50.0)] * 6])
def test_the_best_widths_are_those_of_a_search(ranges):
    record = TrackRecord([scored(*each) for each in ranges])
    best, least = record.best_stretch
    tried = [sum(each.score_if(k / 1000) for each in record.ranges) / len(ranges) for k in range(4000)]
    assert least == pytest.approx(min(tried), abs=0.05) and least <= min(tried) + 1e-9
    assert best == pytest.approx(tried.index(min(tried)) / 1000, abs=0.002)


def test_the_mean_score_is_told_and_what_other_widths_would_have_brought():
    assert "Your mean score is 1.4; smaller is better." in TrackRecord([scored(1, 4, 2.0)]).verdict
    silly = TrackRecord([scored(1, 1e6, 90.0)] * 6).verdict
    assert "Your mean score is 14; smaller is better. Ranges 0.35 times as wide would have brought a mean" in silly
    assert math.isnan(TrackRecord([]).mean_score) and math.isnan(TrackRecord([scored(0, 4, 2.0)]).mean_score)


def test_only_ranges_that_count_are_in_the_record():
    committed = {"time": "2026-11-25T00:00:00+00:00", "values": {"low": 1.0, "high": 2.0}, "words": "1 to 2 ns"}
    verdict = {
        "time": "2026-11-25T00:00:00+00:00",
        "said": "",
        "right": 1,
        "of": 1,
        "value": 1.5,
        "low": 1.4,
        "high": 1.6,
        "source": "measured",
        "machine": "",
    }
    facts = {
        "lab": "memory.stride",
        "asked": "at stride 64 B",
        "settings": {},
        "unit": "ns",
        "revised": [],
        "kind": "range",
    }
    entries = {
        "counts": {"committed": committed, "scored": verdict},
        "late": {"committed": None, "revised": [committed], "scored": None},
        "open": {"committed": committed, "scored": None},
        "order": {"committed": committed, "scored": {**verdict, "value": None}, "kind": "order"},
        "mark": {"committed": committed, "scored": {**verdict, "score": 0.7}, "kind": "mark"},
        "edited": {"committed": {**committed, "values": {}}, "scored": verdict},
    }
    kept = Journal()
    kept.predictions.update({key: {**facts, **entry} for key, entry in entries.items()})
    expected = Scored("memory.stride", "at stride 64 B", "ns", 1.0, 2.0, 1.5, 1.4, 1.6)
    assert TrackRecord.of(kept).ranges == [expected, expected]  # the range and the mark
