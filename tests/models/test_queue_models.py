"""Models of queues: by hand, by another route, against the reference, and at the edges of their domain."""

import math

import numpy as np
import pytest
import sympy
from scipy import integrate, optimize

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import symbol
from spe_lab.models import queues
from spe_lab.models.queues import birth_death, general

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

# Reference table: c, ρ, Erlang B, Erlang C, E(Wq), E(T), T p50, T p95, T p99, Wq p99; μ = 1.
TABLE = [
    (1, 0.5, 0.333333, 0.5, 1.0, 2.0, 1.3863, 5.9915, 9.2103, 7.8240),
    (1, 0.8, 0.444444, 0.8, 4.0, 5.0, 3.4657, 14.9787, 23.0259, 21.9101),
    (2, 0.8, 0.329897, 0.711111, 1.777778, 2.777778, 2.0400, 7.9107, 11.9374, 10.6606),
    (4, 0.5, 0.095238, 0.173913, 0.086957, 1.086957, 0.7834, 3.1497, 4.7642, 1.4280),
    (4, 0.8, 0.228145, 0.596432, 0.745541, 1.745541, 1.3462, 4.7380, 6.8932, 5.1105),
    (4, 0.95, 0.291024, 0.891419, 4.457095, 5.457095, 3.9856, 15.5197, 23.5669, 22.4511),
    (8, 0.8, 0.144394, 0.457645, 0.286028, 1.286028, 0.9863, 3.5084, 5.1522, 2.3897),
    (16, 0.8, 0.080647, 0.304884, 0.095276, 1.095276, 0.8019, 3.1254, 4.7350, 1.0679),
    (64, 0.95, 0.066609, 0.588011, 0.183753, 1.183753, 0.9005, 3.2324, 4.8420, 1.2732),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_the_numeric_twins_give_the_reference_table(row):
    servers, rho, *expected = row
    found = [
        birth_death.erlang_b(servers, servers * rho),
        birth_death.erlang_c(servers, rho),
        birth_death.mean_wait(servers, rho),
        birth_death.mean_sojourn(servers, rho),
        *(birth_death.sojourn_quantile(p, servers, rho) for p in (0.5, 0.95, 0.99)),
        birth_death.wait_quantile(0.99, servers, rho),
    ]
    assert np.allclose(found[:4], expected[:4], atol=5.1e-7)
    assert np.allclose(found[4:], expected[4:], atol=5.1e-5)


@pytest.mark.parametrize("servers", [1, 2, 3, 7])
def test_erlang_by_the_chain_and_by_the_recursion_agree(servers):
    load = sympy.Rational(4, 5)
    assert float(birth_death.waits(servers).subs(symbol("a"), servers * load)) == pytest.approx(
        float(birth_death.erlang_c(servers, 0.8)), rel=1e-13
    )
    assert float(birth_death.blocked(servers).subs(symbol("a"), servers * load)) == pytest.approx(
        float(birth_death.erlang_b(servers, servers * 0.8)), rel=1e-13
    )


@pytest.mark.parametrize("servers", [1, 2, 5])
def test_the_stationary_distribution_solves_the_generator_of_the_chain(servers):
    """A second route: the null vector of the generator, cut off where nothing is left."""
    rho, states = 0.5, 120
    up, down = np.full(states - 1, rho * servers), np.minimum(np.arange(1, states), servers).astype(float)
    generator = np.diag(up, 1) + np.diag(down, -1)
    generator -= np.diag(generator.sum(axis=1))
    solved = np.linalg.lstsq(np.vstack([generator.T, np.ones(states)]), np.r_[np.zeros(states), 1], rcond=None)[0]
    for k in (0, 1, servers, servers + 3):
        assert float(
            birth_death.stationary(servers, k).subs(symbol("a"), sympy.Rational(1, 2) * servers)
        ) == pytest.approx(solved[k], abs=1e-12)


def test_the_mean_wait_follows_from_the_chain_by_littles_law():
    servers, a = 3, symbol("a")
    weight, ratio = birth_death.weights(servers)
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    in_queue = birth_death.stationary(servers, servers) * sympy.summation(
        k * sympy.Symbol("r") ** k, (k, 0, sympy.oo)
    ).args[0][0].subs(sympy.Symbol("r"), ratio)
    assert len(weight) == servers + 1
    for rho in (0.3, 0.8):
        length = float(in_queue.subs(a, servers * rho))
        assert length / (servers * rho) == pytest.approx(float(birth_death.mean_wait(servers, rho)), rel=1e-12)


@pytest.mark.parametrize(
    ("servers", "rho"), [(1, 0.3), (2, 0.5), (4, 0.75), (4, 0.75 + 1e-10), (4, 0.7500001), (16, 0.99), (1000, 0.2)]
)
def test_the_sojourn_s_tail_is_that_of_wait_and_service_convolved_by_numbers(servers, rho):
    """ρ = 1 − 1/c is where the drain equals μ and the formula reads 0 / 0."""
    waiting, drain = float(birth_death.erlang_c(servers, rho)), servers * (1 - rho)
    for t in (0.0, 0.5, 3.0, 20.0):
        late = integrate.quad(
            lambda w, t=t: drain * math.exp(-drain * w - (t - w)), 0, t, points=[min(t, 1 / drain)], limit=200
        )[0]
        assert float(birth_death.sojourn_tail(t, servers, rho)) == pytest.approx(
            (1 - waiting) * math.exp(-t) + waiting * (math.exp(-drain * t) + late), abs=1e-9
        )
    quantile = float(birth_death.sojourn_quantile(0.99, servers, rho))
    assert float(birth_death.sojourn_tail(quantile, servers, rho)) == pytest.approx(0.01, rel=1e-10)
    mean = integrate.quad(lambda t: float(birth_death.sojourn_tail(t, servers, rho)), 0, np.inf, limit=200)[0]
    assert mean == pytest.approx(float(birth_death.mean_sojourn(servers, rho)), rel=1e-6)


def test_the_derived_tails_are_the_numeric_twins():
    values = {"C": 0.6, "mu": 1.0, "t": 2.5}
    for drain in (0.3, 2.0):
        twin = birth_death._tail(np.array(2.5), np.array(0.6), np.array(drain))
        assert float(birth_death.sojourn_tail_model()(**values, d=drain)) == pytest.approx(float(twin), rel=1e-13)
    equal = birth_death.sojourn_tail_at_equal_rates()
    assert float(equal(**values)) == pytest.approx(
        float(birth_death._tail(np.array(2.5), np.array(0.6), np.array(1.0))), rel=1e-13
    )
    mu, t, waiting = symbol("mu"), symbol("t"), symbol("C")
    assert sympy.simplify(equal.expression - sympy.exp(-mu * t) * (1 + waiting * mu * t)) == 0
    assert float(birth_death.wait_tail(2.5, 4, 0.8)) == pytest.approx(
        float(birth_death.wait_tail_model()(C=birth_death.erlang_c(4, 0.8), d=0.8, t=2.5)), rel=1e-13
    )


# Reference: the highest load at which 99 % of sojourns stay within 5, and within 10, services.
@pytest.mark.parametrize(
    ("servers", "five", "ten"),
    [(1, 0.079, 0.5395), (2, 0.3534, 0.7580), (4, 0.6062, 0.8752), (16, 0.8730, 0.9677), (256, 0.9896, 0.9979)],
)
def test_the_highest_load_that_meets_an_objective_is_the_reference_s(servers, five, ten):
    for objective, expected in ((5, five), (10, ten)):
        found = optimize.brentq(
            lambda rho, most=objective: float(birth_death.sojourn_quantile(0.99, servers, rho)) - most, 0.0, 0.99999
        )
        assert found == pytest.approx(expected, abs=6e-5)


def test_pollaczek_khinchine_is_what_solving_the_balance_gives():
    rate, service, scv = (symbol(name) for name in ("lambda", "S", "Cs2"))
    rho = rate * service
    assert sympy.simplify(general.pollaczek_khinchine().expression - rho / (1 - rho) * (1 + scv) / 2 * service) == 0
    # Reference, E(T) at ρ = 0.7 with exact moments: hyperexponential, bimodal.
    assert 1 + float(general.mean_wait(0.7, 5.5)) == pytest.approx(8.583, abs=5e-4)
    short = queues.bimodal(1.0, 0.005, 201.0)  # 0.5 and 100.5
    assert 1 + float(general.mean_wait(0.7, short.scv)) == pytest.approx(60.208, abs=5e-4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: birth_death.erlang_c(4, 1.0),
        lambda: birth_death.erlang_c(4, -0.1),
        lambda: birth_death.erlang_c(0, 0.5),
        lambda: birth_death.erlang_c(2.5, 0.5),
        lambda: birth_death.erlang_c(4, math.nan),
        lambda: birth_death.sojourn_quantile(1.0, 4, 0.5),
        lambda: birth_death.weights(10**6),
        lambda: birth_death.stationary(2, -1),
        lambda: birth_death.erlang_b(4, -1.0),
        lambda: birth_death.erlang_b(4, math.inf),
        lambda: birth_death.mean_wait(4, 0.5, 0.0),
        lambda: birth_death.sojourn_quantile(0.99, 4, 0.5, math.nan),
        lambda: birth_death.sojourn_tail(1.0, 4, 0.5, -1.0),
        lambda: general.mean_wait(1.2, 1.0),
        lambda: general.mean_wait(0.5, -3.0),
        lambda: general.mean_wait(0.5, math.nan),
        lambda: general.mean_wait(0.5, 1.0, -1.0),
    ],
)
def test_models_refuse_what_lies_outside_their_domain(call):
    with pytest.raises(SpeLabError, match=r"must (be|lie) "):
        call()


def test_the_load_that_is_refused_is_the_one_that_is_named():
    with pytest.raises(SpeLabError, match=r"got -0\.1;"):
        birth_death.erlang_c(4, np.array([0.9, -0.1]))


def test_before_time_zero_nobody_has_left():
    assert birth_death.sojourn_tail(-1.0, 4, 0.5) == birth_death.wait_tail(-1.0, 4, 0.5) == 1
