"""The interval score: by its formula, and by what makes it honest: the true quantiles score best."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spe_lab.core.reader.prediction.scoring import PENALTY, interval_score, score_in_words

ENDS = st.floats(1e-3, 1e3)


@given(ENDS, ENDS, ENDS, ENDS)
def test_a_score_is_the_width_and_twenty_times_what_is_missed(one, other, value, spread):
    low, high = sorted((one, other))
    value_low, value_high = value, value + spread
    grid = np.linspace(value_low, value_high, 1001)  # the measured interval, by brute force
    missed = np.maximum(np.maximum(low - grid, grid - high), 0).min()
    expected = high - low + 20 * missed
    slack = 20 * (spread / 1000)  # of the grid
    assert expected - slack - 1e-9 <= interval_score(low, high, value_low, value_high, False) <= expected + 1e-9
    logs = [math.log(end) for end in (low, high, value_low, value_high)]
    assert interval_score(low, high, value_low, value_high, True) == pytest.approx(
        interval_score(*logs, False), abs=1e-9
    )


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("law", [stats.lognorm(0.7, scale=20), stats.gamma(3, scale=5), stats.uniform(5, 90)])
def test_on_average_the_true_quantiles_score_best(law, logarithmic):
    values = law.ppf((np.arange(4000) + 0.5) / 4000)
    log = math.log if logarithmic else float

    def mean(low, high):
        """The same score from its definition, so that a fault in one does not hide in the other."""
        x, (a, b) = np.log(values) if logarithmic else values, (log(low), log(high))
        return float(np.mean(b - a + 2 / 0.1 * (np.maximum(a - x, 0) + np.maximum(x - b, 0))))

    best = law.ppf([0.05, 0.95])
    assert np.mean([interval_score(*best, v, v, logarithmic) for v in values]) == pytest.approx(mean(*best))
    for low in (0.03, 0.045, 0.055, 0.08):
        for high in (0.92, 0.945, 0.955, 0.97):
            assert mean(*best) < mean(*law.ppf([low, high]))


def test_without_a_logarithm_there_is_no_score():
    assert interval_score(0, 5, 3, 3, True) is None and score_in_words(0, 5, 3, 3, 3, True) == ""
    assert interval_score(1, 5, 0, 0, True) is None and interval_score(0, 5, 3, 3, False) == 5


@pytest.mark.parametrize(
    ("low", "high", "logarithmic", "said"),
    [
        (50, 200, True, "1.4, and smaller is better: it is the width of your range, on a logarithmic scale."),
        (
            100,
            200,
            True,
            "(0.69) plus 20 times the distance by which it missed, both on a logarithmic scale.",
        ),
        (1, 1e9, True, "on a logarithmic scale. Your range was 30 times wider than needed."),
        (0, 1e9, False, "the width of your range. Your range was more than 1000 times wider than needed."),
        (0, 160, False, "160, and smaller is better: it is the width of your range."),
        (
            81,
            91,
            False,
            "score is 30, and smaller is better: it is the width of your range (10) plus 20 times the",
        ),
    ],
)
def test_a_score_is_told_in_a_sentence(low, high, logarithmic, said):
    assert PENALTY == 20
    assert said in score_in_words(low, high, 80, 79, 80, logarithmic)


def test_a_silly_range_around_nothing_is_told_nothing_wrong():
    assert "wider" not in score_in_words(0, 5, 0, 0, 0, False)
