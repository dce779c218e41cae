"""What a sweep computes from its samples, against plain Python, exact sums and simulation; no clock is read here."""

import itertools
import math
import statistics
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from spe_lab.core.curve import Axis
from spe_lab.core.errors import MeasurementError
from spe_lab.core.sampling import kernels
from spe_lab.core.sampling.provenance import curves
from spe_lab.core.sampling.rounds import latin_rows
from spe_lab.core.sampling.statistics import (
    BURST,
    MAX_BLOCKS,
    MIN_ROUNDS,
    block_count,
    block_estimate,
    median_rank,
    ratio_estimate,
)


def outside(n, rank):
    """P(the median lies outside of [x_rank, x_(n-1-rank)]), from the exact binomial distribution of values below it."""
    return sum(Fraction(math.comb(n, below), 2**n) for below in range(n + 1) if below <= rank or below >= n - rank)


@pytest.mark.parametrize("n", range(1, 60))
def test_the_rank_is_the_largest_whose_interval_covers_the_median_with_95_percent(n):
    allowed = [rank for rank in range(n // 2) if outside(n, rank) <= Fraction(5, 100)]
    assert median_rank(n) == (max(allowed) if allowed else None)


@pytest.mark.parametrize("n", [5, 6, 9, 12])
def test_the_rank_covers_the_median_in_95_percent_of_all_sign_patterns(n):
    patterns = list(
        itertools.product((0, 1), repeat=n)
    )  # 1: the value lies above the median; each pattern is equally likely

    def covered(rank):
        return sum(sorted(pattern)[rank] == 0 and sorted(pattern)[-1 - rank] == 1 for pattern in patterns) / len(
            patterns
        )

    rank = median_rank(n)
    assert covered(0) < 0.95 if rank is None else covered(rank) >= 0.95 > covered(rank + 1)


def plain_quantile(values, q):
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def plain_block_estimate(column, blocks):
    size, longer = divmod(len(column), blocks)
    starts = list(itertools.accumulate([size + (i < longer) for i in range(blocks)], initial=0))
    parts = [[x for x in column[a:b] if not math.isnan(x)] for a, b in itertools.pairwise(starts)]
    values = sorted(plain_quantile(part, 0.10) for part in parts if part)
    if not values:
        return math.nan, math.nan, math.nan
    rank = median_rank(len(values))
    return statistics.median(values), *((math.nan,) * 2 if rank is None else (values[rank], values[-1 - rank]))


@pytest.mark.parametrize(
    ("samples", "blocks", "dirty"),
    [(24, 6, 0.0), (100, 7, 0.3), (480, 24, 0.8), (40, 6, 0.9), (30, 5, 0.1), (8, 2, 1.0)],
)
def test_the_block_estimate_is_that_of_plain_python(samples, blocks, dirty):
    rng = np.random.default_rng(samples)
    per_unit = np.where(rng.random((samples, 5)) < dirty, np.nan, rng.exponential(size=(samples, 5)))
    found = block_estimate(per_unit, blocks)
    for i in range(5):
        assert [found.value[i], found.low[i], found.high[i]] == pytest.approx(
            plain_block_estimate(per_unit[:, i].tolist(), blocks), nan_ok=True
        )
    assert found.kept.tolist() == [sum(not math.isnan(x) for x in column) for column in per_unit.T] and set(
        found.tried
    ) == {samples}


def test_the_interval_covers_what_it_estimates_as_often_as_it_says():
    blocks, in_block, trials = 12, 20, 800
    rng = np.random.default_rng(7)
    true = np.median(np.quantile(rng.exponential(size=(50_000, in_block)), 0.10, axis=1))
    found = block_estimate(rng.exponential(size=(blocks * in_block, trials)), blocks)
    promised = 1 - float(outside(blocks, median_rank(blocks)))  # 96 %: the next rank would fall below 95
    four_errors = 4 * math.sqrt(promised * (1 - promised) / trials)
    assert ((found.low <= true) & (true <= found.high)).mean() == pytest.approx(promised, abs=four_errors)


def test_below_six_blocks_there_is_no_interval():
    found = block_estimate(np.ones((20, 1)), 5)
    assert found.value == [1] and np.isnan([found.low, found.high]).all()


def test_the_ratio_is_the_median_over_rounds_of_the_median_over_a_burst():
    rng = np.random.default_rng(3)
    a, b = rng.uniform(1, 2, (2, 9 * BURST))
    a[::5] = b[1] = math.nan
    a[BURST : 2 * BURST] = math.nan  # a round without a clean pair
    rounds = [
        [x / y for x, y in zip(a[i : i + BURST], b[i : i + BURST], strict=True) if not math.isnan(x / y)]
        for i in range(0, 36, BURST)
    ]
    medians = sorted(statistics.median(pairs) for pairs in rounds if pairs)
    assert ratio_estimate(a, b) == pytest.approx(
        (medians[0], statistics.median(medians), medians[-1])
    )  # 8 rounds: the range


def test_too_few_rounds_give_a_ratio_without_an_interval():
    assert ratio_estimate([2.0] * 8, [1.0] * 8) == pytest.approx((math.nan, 2.0, math.nan), nan_ok=True)
    assert all(map(math.isnan, ratio_estimate([math.nan] * 8, [1.0] * 8)))


def test_blocks_suffice_for_an_interval_first_and_grow_in_length_after():
    counts = [block_count(rounds) for rounds in range(1, 400)]
    assert (
        counts[: MIN_ROUNDS + 1] == [*range(1, MIN_ROUNDS + 1), MIN_ROUNDS]
        and counts == sorted(counts)
        and counts[-1] == MAX_BLOCKS
    )


@pytest.mark.parametrize("n", range(1, 10))
def test_rows_are_latin_squares_one_after_the_other(n):
    rows = np.array(list(itertools.islice(latin_rows(n, np.random.default_rng(n)), 3 * n)))
    for square in np.split(rows, 3):
        for line in (*square, *square.T):
            assert sorted(line) == list(range(n))


def test_squares_differ_from_each_other():
    rows = np.array(list(itertools.islice(latin_rows(8, np.random.default_rng(1)), 16)))
    assert not np.array_equal(rows[:8], rows[8:])


# The summary of made-up records

RECORD = np.dtype([("elapsed_ns", "i8"), ("work", "u8"), ("preemptions", "u4"), ("faults", "u4"), ("migrated", "i4")])
COST_NS = (
    2.0,
    4.0,
    0.0,
    0.25,
    2.0,
)  # per unit: two points, then the empty kernel, the probe and the second copy of the first


def records(rounds, work=1000, overhead=30):
    made = np.zeros((rounds, BURST, len(COST_NS)), RECORD)
    made["work"] = work
    made["elapsed_ns"] = overhead + work * np.array(COST_NS)
    return made


def summary(made):
    return kernels._summarise(list(made), 1.0, 1)


def test_the_cost_of_a_sample_is_taken_off_and_the_rest_is_per_unit():
    found = summary(records(10))
    assert found.estimate.value.tolist() == found.estimate.low.tolist() == found.estimate.high.tolist() == [2, 4]
    assert (found.overhead_ns, found.clock_ghz, found.control, found.ratio(1, 0)) == (
        30,
        (4, 4, 4),
        (1, 1, 1),
        (2, 2, 2),
    )
    assert found.notes == ()


@pytest.mark.parametrize("mark", ["preemptions", "faults", "migrated"])
def test_marked_samples_are_dropped_and_counted(mark):
    made = records(10)
    made[mark][:, 1:, 0] = 1
    made["elapsed_ns"][:, 1:, 0] //= 10  # so low that a low quantile would take them
    found = summary(made)
    assert found.estimate.value.tolist() == [2, 4]
    assert (found.estimate.kept.tolist(), found.estimate.tried.tolist()) == ([10, 40], [40, 40])
    assert found.notes == ("38% of the samples were preempted, migrated or faulted, and dropped",)


def test_no_clean_sample_is_an_error_that_says_so():
    made = records(10)
    made["preemptions"] = 1
    with pytest.raises(
        MeasurementError,
        match="no clean sample: all 80 samples were preempted, migrated or faulted; close other programs",
    ):
        summary(made)


def test_a_point_without_a_clean_sample_is_left_out_and_said():
    made = records(10)
    made["faults"][:, :, 1] = 1
    found = summary(made)
    assert found.estimate.value.tolist() == pytest.approx([2, math.nan], nan_ok=True)
    assert any(note.startswith("1 points have no clean sample") for note in found.notes)


def test_a_varying_clock_a_biased_control_and_too_few_rounds_are_noted():
    made = records(10)
    made["elapsed_ns"][:5, :, 3] *= 2
    made["elapsed_ns"][:, :, 4] += 200
    assert [note.split(" ")[:3] for note in summary(made).notes] == [
        ["the", "core", "clock"],
        ["the", "A/A", "control"],
    ]
    assert summary(records(5)).notes == ("only 5 rounds: too few for intervals",)
    assert summary(records(6)).notes == () and np.isfinite(summary(records(6)).estimate.low).all()


def test_a_sweep_s_points_become_one_curve_for_each_name():
    x, library = Axis("size", "B", [64]), SimpleNamespace(provenance={"compiler": "cc"})
    one, two = curves(summary(records(10)), ("one", "two"), x, library, pages="4K")
    assert (one.name, one.source, one.unit, one.values, one.kept) == ("one", "measured", "ns", [2], [40])
    assert (two.name, two.values, two.tried) == ("two", [4], [40])
    assert one.provenance["compiler"] == "cc" and one.provenance["pages"] == "4K" and one.provenance["rounds"] == 10
