"""Replications: one estimate from many seeds, the same whoever computes them."""

import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.models.queues import Shared, birth_death, exponential, poisson
from spe_lab.models.queues.replications import replicate, replications

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler to simulate")
MODEL = Shared(4), poisson(3.2), exponential(1.0)


@pytest.fixture(scope="module")
def here():
    return replicate(*MODEL, 2_000_000, each=100_000)


def test_mean_and_percentile_agree_with_the_closed_forms(here):
    """Within four standard errors, of which the replications know their own."""
    assert here.done == here.replications == 20
    mean, p99 = here.mean, here.quantiles[0.99]
    assert abs(mean.value - (1 + birth_death.mean_wait(4, 0.8))) < 4 * mean.standard_error
    assert abs(p99.value - birth_death.sojourn_quantile(0.99, 4, 0.8)) < 4 * p99.standard_error
    assert mean.low < mean.value < mean.high


def test_the_result_is_the_same_whoever_computes_it(here):
    assert replicate(*MODEL, 2_000_000, "threads", each=100_000) == here
    assert replicate(*MODEL, 2_000_000, each=100_000, seed=2) != here


def test_more_replications_begin_with_the_same_seeds():
    few, more = (list(replications(*MODEL, 10_000 * n, each=10_000)) for n in (10, 12))
    assert more[8] == few[8].__class__(few[8].mean, few[8].quantiles, 10, 12, 10_000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gaps": poisson(4.0)}, "the load must be below 1"),
        ({"customers": 10**12}, "customers must be"),
        ({"each": 0}, "each must be"),
        ({"of": "nothing"}, "of must be sojourn"),
        ({"customers": 20}, "batches need at least"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(change, said):
    given = {"system": MODEL[0], "gaps": MODEL[1], "service": MODEL[2], "customers": 10**6, "executor": None} | change
    with pytest.raises(SpeLabError, match=said):
        replications(**given)


def test_a_cancelled_simulation_says_so():
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError, match="before two replications were done"):
        replicate(*MODEL, 10**6, cancel=cancel)
