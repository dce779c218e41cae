"""Laws of times: moments, distributions, and the same doubles from the same seed."""

import math

import numpy as np
import pytest
from scipy import stats

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.models import queues

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

LAWS = [
    queues.deterministic(2.0),
    queues.exponential(2.0),
    queues.lognormal(2.0, 4.0),
    queues.hyperexponential(2.0, 5.5),
    queues.bimodal(2.0, 0.1, 11.0),
    queues.empirical([1.0, 2.0, 6.0]),
    queues.poisson(0.5),
    queues.regular(0.5),
    queues.bursty(0.5, 9.0),
]


@needs_compiler
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_law_s_sample_has_its_exact_moments_within_four_standard_errors(law):
    x = law.sample(1_000_000, seed=7)
    for power, expected in ((1, law.mean), (2, law.second_moment)):
        error = np.std(x**power) / math.sqrt(x.size)
        assert abs(np.mean(x**power) - expected) <= 4 * error + 1e-12
    assert (x.min() >= 0 and not np.array_equal(x, law.sample(1_000_000, seed=8))) or law.scv == 0


@needs_compiler
@pytest.mark.parametrize(
    ("law", "known"),
    [
        (queues.exponential(2.0), stats.expon(scale=2)),
        (queues.lognormal(2.0, 4.0), stats.lognorm(math.sqrt(math.log(5)), scale=2 / math.sqrt(5))),
    ],
    ids=["exponential", "lognormal"],
)
def test_a_law_s_distribution_is_scipy_s(law, known):
    assert stats.kstest(law.sample(100_000, seed=3), known.cdf).pvalue > 1e-3


def bits(state):
    """SplitMix64, written here once more."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) % 2**64
        yield z ^ z >> 31


@needs_compiler
def test_exponentials_are_the_ziggurat_by_hand_with_libm():
    """The same bits through layers of equal area, whose number and area alone are given."""
    area, edges = 3.9496598225815571993e-3, [7.69711747013104972]
    for _ in range(254):
        edges.append(-math.log(math.exp(-edges[-1]) + area / edges[-1]))
    assert edges[-1] * (1 - math.exp(-edges[-1])) == pytest.approx(
        area, rel=1e-9
    )  # the uppermost layer has that area as well
    edges = [area * math.exp(edges[0]), *edges, 0.0]
    heights = [0.0, *(math.exp(-edge) for edge in edges[1:])]
    source, by_hand, tails = bits(5), [], 0
    while len(by_hand) < 20_000:
        beyond = 0.0
        while True:
            drawn = next(source)
            layer = drawn % 256
            x = (drawn >> 11) / 2**53 * edges[layer]
            if x < edges[layer + 1]:
                break
            if layer == 0:
                beyond, tails = beyond + edges[1], tails + 1
            elif heights[layer] + ((next(source) >> 11) + 1) / 2**53 * (heights[layer + 1] - heights[layer]) < math.exp(
                -x
            ):
                break
        by_hand.append(beyond + x)
    assert tails > 0 and np.allclose(queues.exponential(1.0).sample(20_000, seed=5), by_hand, rtol=1e-12)


@needs_compiler
def test_the_same_seed_gives_the_same_doubles_on_every_machine():
    """Bits, not values: recorded once on x86-64 with gcc."""
    drawn = {
        law.name: law.sample(3, seed=1)[-1].hex()
        for law in (queues.exponential(1.0), queues.lognormal(1.0, 4.0), queues.hyperexponential(1.0, 4.0))
    }
    assert drawn == {
        "exponential": "0x1.0a55a763a8da1p+1",
        "lognormal": "0x1.9893ce47bdbc0p-1",
        "hyperexponential": "0x1.6fa80d2d0b2b8p-1",
    }


@pytest.mark.parametrize(
    "call",
    [
        lambda: queues.exponential(0),
        lambda: queues.exponential(-1),
        lambda: queues.exponential(math.nan),
        lambda: queues.exponential(math.inf),
        lambda: queues.poisson(-2.0),
        lambda: queues.hyperexponential(1, 0.5),
        lambda: queues.lognormal(1, -1),
        lambda: queues.bimodal(1, 0),
        lambda: queues.bimodal(1, 0.5, 0.5),
        lambda: queues.empirical([]),
        lambda: queues.empirical([1, -1]),
        lambda: queues.empirical([math.nan]),
        lambda: queues.empirical([0, 0]),
        lambda: queues.exponential(1).sample(10**12, 1),
        lambda: queues.exponential(1).sample(-1, 1),
        lambda: queues.exponential(1).sample(1.5, 1),
        lambda: queues.exponential(1).sample(3, -1),
        lambda: queues.exponential(1).sample(3, 1.5),
        lambda: queues.exponential("1"),
    ],
)
def test_laws_refuse_what_lies_outside_their_domain(call):
    with pytest.raises(SpeLabError, match=r"must (be|lie) "):
        call()
