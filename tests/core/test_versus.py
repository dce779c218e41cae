"""What samples of several builds say: intervals against a regression, their coverage against known truths, verdicts."""

import math

import numpy as np
import pytest
from scipy import stats

from spe_lab.core.own_c import versus
from spe_lab.core.own_c.versus import FASTER, OPEN, SAME, SLOWER, Interval, mean_over_builds, ratio_of, verdict

PLACES = np.repeat([0, 16, 32, 48], 3)
AT_A_PLACE = np.array([0.0, 0.02, -0.03, 0.25])  # as of a loop that straddles two lines at one of four places


def regression(builds, strata, confidence=0.95):
    """Mean and half width by least squares: an intercept, and effects of the strata that add up to zero."""
    kinds = np.unique(strata)
    columns = [np.where(strata == kind, 1.0, np.where(strata == kinds[-1], -1.0, 0.0)) for kind in kinds[:-1]]
    design = np.column_stack([np.ones(len(builds)), *columns])
    solution, residuals, *_ = np.linalg.lstsq(design, builds, rcond=None)
    freedom = len(builds) - design.shape[1]
    error = math.sqrt(residuals[0] / freedom * np.linalg.inv(design.T @ design)[0, 0])
    return solution[0], stats.t.ppf((1 + confidence) / 2, freedom) * error


@pytest.mark.parametrize("strata", [PLACES, PLACES[:8], np.array([0, 0, 0, 16, 16, 48])])
def test_the_spread_of_builds_makes_the_interval_of_a_regression(strata):
    builds = np.random.default_rng(1).normal(1.0, 0.1, len(strata))
    found = mean_over_builds(np.tile(builds, (8, 1)), strata)
    mean, half = regression(builds, strata)
    assert found.value == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half))


def test_what_moves_all_builds_together_makes_the_interval_of_the_sign_test():
    moved = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    found = mean_over_builds(moved[:, None] + AT_A_PLACE[PLACES // 16], PLACES)
    middle, third = np.median(moved) + AT_A_PLACE.mean(), np.sort(moved) + AT_A_PLACE.mean()
    assert (found.value, found.low, found.high) == pytest.approx((middle, third[0], third[-1]))


def drawn(rng, shift, places=AT_A_PLACE, build=0.005, moment=0.004, noise=0.003, blocks=24):
    """Logarithms of times, blocks × builds, of one version."""
    builds = shift + places[PLACES // 16] + build * rng.standard_normal(len(PLACES))
    return builds + moment * rng.standard_normal((blocks, 1)) + noise * rng.standard_normal((blocks, len(PLACES)))


def verdicts(shift, repeats, **how):
    """Verdicts, and the share of intervals that hold the truth, of versions whose places mean different things."""
    rng, found, held = np.random.default_rng(7), [], 0
    for _ in range(repeats):
        a, b = drawn(rng, 0.0, **how), drawn(rng, shift, rng.permutation(AT_A_PLACE), **how)
        ratio = ratio_of(np.exp(b), np.exp(a), PLACES)
        held += ratio.low <= math.exp(shift) <= ratio.high
        found.append(verdict(ratio, 0.01))
    return found, held / repeats


@pytest.mark.parametrize("how", [{}, {"build": 0.03}, {"moment": 0.03}, {"build": 0.0, "moment": 0.0}])
def test_intervals_hold_the_truth_and_twins_are_not_called_different(how):
    found, held = verdicts(0.0, 200, **how)
    assert held >= 0.92  # of 95 %, less two standard errors
    assert sum(one in (FASTER, SLOWER) for one in found) <= 0.08 * 200


def test_a_difference_of_three_per_cent_is_found_whatever_a_place_costs():
    assert verdicts(math.log(1.03), 50)[0].count(SLOWER) >= 45
    assert verdicts(-math.log(1.03), 50)[0].count(FASTER) >= 45


def test_builds_of_one_place_alone_would_deceive():
    """Twins at different places: 25 % apart. Each place counts alike, so that a mean over places knows better."""
    times = np.exp(np.tile(AT_A_PLACE[PLACES // 16], (24, 1)))
    assert ratio_of(times[:, 9:], times[:, :3], PLACES[:3]).value == pytest.approx(math.exp(0.25))
    assert ratio_of(np.roll(times, 3, axis=1), times, PLACES).value == pytest.approx(1)


def test_a_pair_of_builds_shares_what_its_place_costs():
    places = np.exp(np.tile(np.random.default_rng(2).normal(0, 0.2, len(PLACES)), (24, 1)))
    found = ratio_of(1.02 * places, places, PLACES)
    assert (found.value, found.low, found.high) == pytest.approx((1.02, 1.02, 1.02))
    assert versus.time_of(places, PLACES).high > 1.05


def test_what_was_not_clean_is_left_out():
    rng = np.random.default_rng(3)
    whole = drawn(rng, 0.0)
    holes = whole.copy()
    holes[rng.random(whole.shape) < 0.3] = math.nan
    holes[:, 4] = math.nan  # a build without a clean sample
    holes[5] = math.nan  # a block without one
    found, right = mean_over_builds(holes, PLACES), mean_over_builds(whole, PLACES)
    assert found.value == pytest.approx(right.value, abs=0.01)
    assert found.low < right.value < found.high
    assert np.isnan(versus.per_build(holes)[4]) and np.isfinite(np.delete(versus.per_build(holes), 4)).all()


@pytest.mark.parametrize(
    "values", [np.full((24, 12), math.nan), np.zeros((5, 12)), np.where(np.arange(12) % 3 == 0, 0.0, math.nan)[None]]
)
def test_too_little_makes_no_interval_and_no_verdict(values):
    found = mean_over_builds(np.broadcast_to(values, (max(len(values), 5), 12)).astype(float), PLACES)
    assert math.isnan(found.low) and math.isnan(found.high)
    assert verdict(found, 0.01) == OPEN


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((1.0, 0.995, 1.005), SAME),
        ((1.004, 1.002, 1.006), SAME),  # a difference that is certain, and does not matter
        ((1.03, 1.02, 1.04), SLOWER),
        ((1.03, 1.004, 1.05), SLOWER),
        ((1.03, 0.999, 1.06), OPEN),
        ((1.009, 1.004, 1.014), OPEN),
        ((1.0, 0.98, 1.02), OPEN),
        ((math.nan, math.nan, math.nan), OPEN),
    ],
)
def test_a_verdict_follows_from_the_interval_and_turns_when_versions_are_exchanged(interval, said):
    ratio = Interval(*interval)
    turned = Interval(1 / ratio.value, 1 / ratio.high, 1 / ratio.low)
    assert verdict(ratio, 0.01) == said
    assert verdict(turned, 0.01) == {SLOWER: FASTER}.get(said, said)
