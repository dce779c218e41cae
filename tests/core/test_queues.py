"""Queues: each kernel against plain Python on the same customers, the models by two routes, simulation against closed form."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from scipy import integrate, optimize, stats

from spe_lab.core import native, queues
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.core.measurement import Cancel
from spe_lab.core.model import symbol
from spe_lab.core.queues import batches, birth_death, general, laws, simulation
from spe_lab.core.queues.simulation import Priority, Shared, Sharing, Split

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

# ---- Models ------------------------------------------------------------------------------------------------------------

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
    assert float(birth_death.waits(servers).subs(symbol("a"), servers * load)) == pytest.approx(float(birth_death.erlang_c(servers, 0.8)), rel=1e-13)
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
        assert float(birth_death.stationary(servers, k).subs(symbol("a"), sympy.Rational(1, 2) * servers)) == pytest.approx(solved[k], abs=1e-12)


def test_the_mean_wait_follows_from_the_chain_by_littles_law():
    servers, a = 3, symbol("a")
    weight, ratio = birth_death.weights(servers)
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    in_queue = birth_death.stationary(servers, servers) * sympy.summation(k * sympy.Symbol("r") ** k, (k, 0, sympy.oo)).args[0][0].subs(
        sympy.Symbol("r"), ratio
    )
    assert len(weight) == servers + 1
    for rho in (0.3, 0.8):
        length = float(in_queue.subs(a, servers * rho))
        assert length / (servers * rho) == pytest.approx(float(birth_death.mean_wait(servers, rho)), rel=1e-12)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.3), (2, 0.5), (4, 0.75), (4, 0.75 + 1e-10), (4, 0.7500001), (16, 0.99), (1000, 0.2)])
def test_the_sojourn_s_tail_is_that_of_wait_and_service_convolved_by_numbers(servers, rho):
    """ρ = 1 − 1/c is where the drain equals μ and the formula reads 0 / 0."""
    waiting, drain = float(birth_death.erlang_c(servers, rho)), servers * (1 - rho)
    for t in (0.0, 0.5, 3.0, 20.0):
        late = integrate.quad(lambda w, t=t: drain * math.exp(-drain * w - (t - w)), 0, t, points=[min(t, 1 / drain)], limit=200)[0]
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
    assert float(equal(**values)) == pytest.approx(float(birth_death._tail(np.array(2.5), np.array(0.6), np.array(1.0))), rel=1e-13)
    mu, t, waiting = symbol("mu"), symbol("t"), symbol("C")
    assert sympy.simplify(equal.expression - sympy.exp(-mu * t) * (1 + waiting * mu * t)) == 0
    assert float(birth_death.wait_tail(2.5, 4, 0.8)) == pytest.approx(
        float(birth_death.wait_tail_model()(C=birth_death.erlang_c(4, 0.8), d=0.8, t=2.5)), rel=1e-13
    )


# Reference: the highest load at which 99 % of sojourns stay within 5, and within 10, services.
@pytest.mark.parametrize(
    ("servers", "five", "ten"), [(1, 0.079, 0.5395), (2, 0.3534, 0.7580), (4, 0.6062, 0.8752), (16, 0.8730, 0.9677), (256, 0.9896, 0.9979)]
)
def test_the_highest_load_that_meets_an_objective_is_the_reference_s(servers, five, ten):
    for objective, expected in ((5, five), (10, ten)):
        found = optimize.brentq(lambda rho, most=objective: float(birth_death.sojourn_quantile(0.99, servers, rho)) - most, 0.0, 0.99999)
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


# ---- Laws --------------------------------------------------------------------------------------------------------------

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
    [(queues.exponential(2.0), stats.expon(scale=2)), (queues.lognormal(2.0, 4.0), stats.lognorm(math.sqrt(math.log(5)), scale=2 / math.sqrt(5)))],
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
    assert edges[-1] * (1 - math.exp(-edges[-1])) == pytest.approx(area, rel=1e-9)  # the uppermost layer has that area as well
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
            elif heights[layer] + ((next(source) >> 11) + 1) / 2**53 * (heights[layer + 1] - heights[layer]) < math.exp(-x):
                break
        by_hand.append(beyond + x)
    assert tails > 0 and np.allclose(queues.exponential(1.0).sample(20_000, seed=5), by_hand, rtol=1e-12)


@needs_compiler
def test_the_same_seed_gives_the_same_doubles_on_every_machine():
    """Bits, not values: recorded once on x86-64 with gcc."""
    drawn = {law.name: law.sample(3, seed=1)[-1].hex() for law in (queues.exponential(1.0), queues.lognormal(1.0, 4.0), queues.hyperexponential(1.0, 4.0))}
    assert drawn == {"exponential": "0x1.0a55a763a8da1p+1", "lognormal": "0x1.9893ce47bdbc0p-1", "hyperexponential": "0x1.6fa80d2d0b2b8p-1"}


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


# ---- Kernels against plain Python -----------------------------------------------------------------------------------------


def shared_by_hand(gaps, service, servers):
    free, now, waits = [0.0] * servers, 0.0, []
    for gap, needed in zip(gaps, service, strict=True):
        now += gap
        k = free.index(min(free))
        start = max(free[k], now)
        waits.append(start - now)
        free[k] = start + needed
    return waits


def split_by_hand(gaps, service, servers, join):
    """`join(lengths)` says whose queue, from how many are at each server, those in service counted."""
    leaving, now, waits = [[] for _ in range(servers)], 0.0, []
    for gap, needed in zip(gaps, service, strict=True):
        now += gap
        k = join([sum(t > now for t in each) for each in leaving])
        start = max(leaving[k][-1] if leaving[k] else 0.0, now)
        waits.append(start - now)
        leaving[k].append(start + needed)
    return waits


def sharing_by_hand(gaps, service, servers):
    """Every job's rest is counted down, step by step to the next arrival or departure."""
    rest, now, sojourn = {}, 0.0, [0.0] * len(gaps)
    arrivals = np.cumsum(gaps)
    i = 0
    while i < len(gaps) or rest:
        speed = min(1.0, servers / len(rest)) if rest else 1.0
        ends = min(rest.values()) / speed if rest else math.inf
        comes = arrivals[i] - now if i < len(gaps) else math.inf
        step = min(ends, comes)
        rest = {k: left - step * speed for k, left in rest.items()}
        now += step
        if comes < ends:
            rest[i] = service[i]
            i += 1
        else:
            k = min(rest, key=rest.get)
            del rest[k]
            sojourn[k] = now - arrivals[k]
    return sojourn


def priority_by_hand(gaps, service, servers, below):
    """An event at a time: arrivals and departures from one list, two lines."""
    arrivals, queue, busy, waits = np.cumsum(gaps), ([], []), [], [0.0] * len(gaps)
    i = 0
    while i < len(gaps) or busy:
        if busy and (i == len(gaps) or min(busy) <= arrivals[i]):
            now = min(busy)
            busy.remove(now)
        else:
            now = arrivals[i]
            queue[int(service[i] >= below)].append(i)
            i += 1
        while len(busy) < servers and (queue[0] or queue[1]):
            k = (queue[0] or queue[1]).pop(0)
            waits[k] = now - arrivals[k]
            busy.append(now + service[k])
    return waits


def customers(n, servers, seed=1):
    """Whole numbers among them, so that arrivals and departures coincide, and services of length zero."""
    rng = np.random.default_rng(seed)
    return rng.choice([0.0, 0.25, 1.0, 2.0], n) / servers, rng.choice([0.0, 0.5, 1.0, 3.0], n)


def by_kernel(system, gaps, service, who=False):
    out, server = np.empty(len(gaps)), np.empty(len(gaps), np.int32) if who else None
    simulation._run(system, gaps, service, 1, out, server, Cancel())
    return (out, server) if who else out


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 5, 32, 33, 100])
@pytest.mark.parametrize("n", [1, 2, 400])
def test_the_shared_queue_is_kiefer_and_wolfowitz_by_hand(servers, n):
    gaps, service = customers(n, servers)
    assert by_kernel(Shared(servers), gaps, service).tolist() == shared_by_hand(gaps, service, servers)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 3, 8])
def test_split_queues_are_those_by_hand(servers):
    gaps, service = customers(500, servers)
    turns = iter(range(500))
    assert by_kernel(Split(servers, "round robin"), gaps, service).tolist() == split_by_hand(gaps, service, servers, lambda _: next(turns) % servers)
    assert by_kernel(Split(servers, servers), gaps, service).tolist() == split_by_hand(gaps, service, servers, lambda lengths: lengths.index(min(lengths)))
    for choices in ("random", 2):  # by the servers that the kernel says were chosen
        waits, server = by_kernel(Split(servers, choices), gaps, service, who=True)
        chosen = iter(server.tolist())
        assert waits.tolist() == split_by_hand(gaps, service, servers, lambda _, chosen=chosen: next(chosen))


@needs_compiler
def test_the_shorter_of_two_drawn_with_replacement_has_the_ranks_that_this_gives():
    """Where four lines all differ, the k-th shortest is joined with probability ((5 − k)² − (4 − k)²) / 16: 7, 5, 3, 1."""
    gaps, service = queues.poisson(4 * 0.98).sample(60_000, 1), queues.exponential(1.0).sample(60_000, 2)
    _, server = by_kernel(Split(4, 2), gaps, service, who=True)
    leaving, ranks = [[] for _ in range(4)], []
    for now, k, needed in zip(np.cumsum(gaps), server, service, strict=True):
        leaving = [[t for t in each if t > now] for each in leaving]
        lengths = [len(each) for each in leaving]
        if len(set(lengths)) == 4:
            ranks.append(sorted(lengths).index(lengths[k]))
        leaving[k].append((leaving[k][-1] if leaving[k] else now) + needed)
    expected = np.array([7, 5, 3, 1]) / 16 * len(ranks)
    assert len(ranks) > 3000
    assert ((np.bincount(ranks, minlength=4) - expected) ** 2 / expected).sum() < 16.3  # chi-square, three degrees of freedom, 0.1 %


@needs_compiler
def test_at_random_each_server_is_drawn_as_often_and_in_no_order():
    gaps, service = customers(64_000, 4)
    _, server = by_kernel(Split(4, "random"), gaps, service, who=True)
    pairs = np.bincount(server[:-1] * 4 + server[1:], minlength=16)
    assert ((pairs - 4000) ** 2 / 4000).sum() < 37.7  # chi-square, fifteen degrees of freedom, 0.1 %


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 5])
def test_processor_sharing_is_the_one_counted_down_by_hand(servers):
    rng = np.random.default_rng(2)
    gaps, service = rng.exponential(1 / servers, 400), rng.exponential(0.8, 400)
    assert np.allclose(by_kernel(Sharing(servers), gaps, service), sharing_by_hand(gaps, service, servers), rtol=1e-9)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 700])
@pytest.mark.parametrize("n", [1, 2, 600])
def test_processor_sharing_knows_ties_and_services_of_no_length(servers, n):
    gaps, service = customers(n, servers)
    assert np.allclose(by_kernel(Sharing(servers), gaps, service), sharing_by_hand(gaps, service, servers), rtol=1e-9, atol=1e-12)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 700])
@pytest.mark.parametrize("n", [1, 2, 600])
def test_priority_knows_ties_and_services_of_no_length(servers, n):
    """Who comes when a server falls free finds it free, if nobody waits."""
    gaps, service = customers(n, servers)
    assert by_kernel(Priority(servers, below=1.0), gaps, service).tolist() == priority_by_hand(gaps, service, servers, 1.0)


@needs_compiler
def test_split_sharing_is_a_station_for_each_part_of_the_stream():
    rng = np.random.default_rng(3)
    gaps, service = rng.exponential(0.4, 600), rng.exponential(0.8, 600)
    found, station = by_kernel(Sharing(1, stations=3), gaps, service, who=True)
    arrivals = np.cumsum(gaps)
    for k in range(3):
        own = station == k
        assert np.allclose(found[own], sharing_by_hand(np.diff(arrivals[own], prepend=0.0), service[own], 1), rtol=1e-9)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 3])
def test_priority_is_the_event_list_by_hand(servers):
    rng = np.random.default_rng(4)
    gaps, service = rng.exponential(1 / servers, 500), rng.choice([0.3, 4.0], 500, p=[0.8, 0.2]) * rng.uniform(0.9, 1.1, 500)
    assert np.allclose(by_kernel(Priority(servers, below=1.0), gaps, service), priority_by_hand(gaps, service, servers, 1.0), atol=1e-9)
    assert by_kernel(Priority(servers, below=0.0), gaps, service) == pytest.approx(by_kernel(Shared(servers), gaps, service), abs=1e-9)


@needs_compiler
@pytest.mark.parametrize("system", [Split(2, 2), Sharing(1), Sharing(1, stations=2, choices=2)], ids=repr)
def test_a_line_that_outgrows_its_ring_is_found_out_and_given_a_longer_one(system):
    gaps, service = np.full(5000, 1e-9), np.full(5000, 1.0)  # all come at once
    sojourn = by_kernel(system, gaps, service) + (0 if isinstance(system, Sharing) else service)
    assert sojourn.max() == pytest.approx(5000 / (2 if "2" in repr(system) else 1), rel=1e-3)


@needs_compiler
@pytest.mark.parametrize("system", [Split(2, 2), Sharing(2)], ids=repr)
def test_lines_too_long_for_the_memory_they_may_have_are_an_error(system, monkeypatch):
    monkeypatch.setattr(simulation, "_MOST_SLOTS", 1 << 12)
    with pytest.raises(SpeLabError, match="less than 4,096 places in all, and one grew longer"):
        by_kernel(system, np.zeros(5000), np.ones(5000))


@needs_compiler
@pytest.mark.parametrize("servers", [1, 4])
def test_simpy_keeps_the_same_customers_waiting_as_long(servers):
    """An engine that shares no thought with the kernel: events from a heap, a process for each customer."""
    simpy = pytest.importorskip("simpy", reason="needs the extra bench")
    gaps, service = queues.poisson(0.8 * servers).sample(2000, 1), queues.exponential(1.0).sample(2000, 2)
    environment, waits = simpy.Environment(), []
    resource = simpy.Resource(environment, capacity=servers)

    def customer(needed):
        came = environment.now
        with resource.request() as turn:
            yield turn
            waits.append(environment.now - came)
            yield environment.timeout(needed)

    def arrivals():
        for gap, needed in zip(gaps.tolist(), service.tolist(), strict=True):
            yield environment.timeout(gap)
            environment.process(customer(needed))

    environment.process(arrivals())
    environment.run()
    assert by_kernel(Shared(servers), gaps, service).tolist() == waits  # whoever comes first starts first


# ---- Simulation against closed form -----------------------------------------------------------------------------------------

N = 1_000_000  # with fewer, a batch is too short for its 99th percentile at these loads
MMC = [(c, rho) for c in (1, 2, 3, 4, 8, 16, 40) for rho in (0.2, 0.5, 0.8, 0.9)]
MG1 = [
    (law, rho)
    for law in (
        queues.deterministic(1.0),
        queues.lognormal(1.0, 2.0),
        queues.hyperexponential(1.0, 4.0),
        queues.bimodal(1.0, 0.1, 11.0),
        queues.empirical([0.2, 0.8, 2.0]),
    )
    for rho in (0.3, 0.5, 0.7)
]
PS = [(law, rho) for law in (queues.deterministic(1.0), queues.exponential(1.0), queues.hyperexponential(1.0, 4.0)) for rho in (0.4, 0.7)]


@needs_compiler
@pytest.mark.parametrize(("servers", "rho"), MMC)
def test_simulated_mmc_agrees_with_the_closed_form_within_four_standard_errors(servers, rho):
    run = queues.simulate(Shared(servers), queues.poisson(rho * servers), queues.exponential(1.0), N, seed=11)
    exact = {
        "mean": birth_death.mean_sojourn(servers, rho),
        0.5: birth_death.sojourn_quantile(0.5, servers, rho),
        0.99: birth_death.sojourn_quantile(0.99, servers, rho),
    }
    found = {"mean": run.mean(), 0.5: run.quantile(0.5), 0.99: run.quantile(0.99)}
    for which, expected in exact.items():
        assert abs(found[which].value - expected) <= 4 * found[which].standard_error, which
    share, low, high = run.tail(np.array([1e-12]), of="waiting")
    if birth_death.erlang_c(servers, rho) * N > 10_000:  # where fewer wait, they come in a few bunches
        assert abs(share[0] - birth_death.erlang_c(servers, rho)) <= 2 * (high[0] - low[0])


@needs_compiler
@pytest.mark.parametrize(("law", "rho"), MG1, ids=lambda x: getattr(x, "name", x))
def test_simulated_mg1_agrees_with_pollaczek_and_khinchine(law, rho):
    wait = queues.simulate(Shared(1), queues.poisson(rho), law, N, seed=12).mean("waiting")
    assert abs(wait.value - general.mean_wait(rho, law.scv)) <= 4 * wait.standard_error


@needs_compiler
@pytest.mark.parametrize(("law", "rho"), PS, ids=lambda x: getattr(x, "name", x))
def test_the_mean_under_processor_sharing_knows_only_the_load(law, rho):
    run = queues.simulate(Sharing(1), queues.poisson(rho), law, N, seed=13)
    sojourn, slow = run.mean(), run.mean("slowdown")
    assert abs(sojourn.value - 1 / (1 - rho)) <= 4 * sojourn.standard_error
    assert abs(slow.value - 1 / (1 - rho)) <= 4 * slow.standard_error  # T is proportional to S


@needs_compiler
@pytest.mark.parametrize("servers", [2, 4, 16])
def test_splitting_at_random_makes_each_server_an_mm1(servers):
    run = queues.simulate(Split(servers), queues.poisson(0.8 * servers), queues.exponential(1.0), N, seed=14)
    for found, expected in ((run.mean(), 5.0), (run.quantile(0.99), 23.0259)):
        assert abs(found.value - expected) <= 4 * found.standard_error


@needs_compiler
@pytest.mark.parametrize(("choices", "expected"), [("random", 5.005), (2, 2.539), (4, 1.954)])
def test_four_queues_by_choices_give_the_reference_s_means(choices, expected):
    found = queues.simulate(Split(4, choices), queues.poisson(3.2), queues.exponential(1.0), 1_000_000, seed=15).mean()
    assert abs(found.value - expected) <= 4 * found.standard_error + 0.0005


def slowest_percent(system, law, rho, n):
    return queues.simulate(system, queues.poisson(rho * 16), law, n, seed=16).quantile(0.99).value


def highest_load(system, law, n=300_000, objective=10.0, steps=10):
    """By bisection, the load of 16 servers up to which 99 % of sojourns stay within the objective."""
    low, high = 0.0, 1.0
    for _ in range(steps):
        rho = (low + high) / 2
        low, high = (rho, high) if slowest_percent(system, law, rho, n) <= objective else (low, rho)
    return (low + high) / 2


# Reference: 16 servers, 99 % within 10 services: deterministic, exponential, 10 % long jobs; and one long job in a thousand.
SIXTEEN = {
    "central FCFS": (Shared(16), (0.99, 0.96, 0.95)),
    "partitioned FCFS": (Split(16), (0.77, 0.54, 0.31, 0.02)),
    "central PS": (Sharing(16), (0.97, 0.93, 0.89, 0.99)),
    "partitioned PS": (Sharing(1, stations=16), (0.64, 0.41, 0.21)),
}
MIXES = (queues.deterministic(1.0), queues.exponential(1.0), queues.bimodal(1.0, 0.1, 11.0), queues.bimodal(1.0, 0.001, 1001.0))


@needs_compiler
@pytest.mark.parametrize("name", SIXTEEN)
def test_the_table_of_sixteen_servers_is_reproduced(name):
    system, row = SIXTEEN[name]
    found = [highest_load(system, law) for law, _ in zip(MIXES, row, strict=False)]
    assert np.allclose(found, row, atol=0.02), found


@needs_compiler
@pytest.mark.parametrize(("system", "met", "missed"), [(Shared(16), 0.52, 0.72), (Sharing(1, stations=16), 0.75, 0.85)], ids=repr)
def test_two_entries_of_the_table_turn_on_a_thousand_long_jobs_in_a_million(system, met, missed):
    """One seed of a million customers gives 0.60 to 0.73 and 0.80 to 0.85; 16 million give 0.635 and 0.795 whatever the seed
    (benchmarks/queue_simulator.py). Here the objective is met and missed on either side."""
    assert slowest_percent(system, MIXES[3], met, 4_000_000) <= 10 < slowest_percent(system, MIXES[3], missed, 4_000_000)


@needs_compiler
def test_a_run_obeys_littles_law_by_counting():
    for system in (Shared(3), Sharing(3), Split(3, 2), Priority(3, 1.0)):
        length, rate_times_sojourn = queues.simulate(system, queues.bursty(2.0), queues.lognormal(1.0, 2.0), 50_000, seed=17).little()
        assert length == pytest.approx(rate_times_sojourn, rel=1e-9)


# ---- Intervals ------------------------------------------------------------------------------------------------------------


@needs_compiler
def test_the_naive_standard_error_is_nine_times_too_small_and_that_of_batches_is_not():
    """M/M/1 at ρ = 0.8 with 10⁵ customers: the spread of 60 replications' means is the truth."""
    runs = [queues.simulate(Shared(1), queues.poisson(0.8), queues.exponential(1.0), 100_000, seed=seed) for seed in range(60)]
    truth = np.std([run.mean().value for run in runs], ddof=1)
    naive, batch = (np.median([get(run).standard_error for run in runs]) for get in (lambda run: run.naive_mean(), lambda run: run.mean()))
    assert 6 < truth / naive < 13
    assert 0.75 < truth / batch < 1.35
    covered = sum(run.mean().low <= 5 <= run.mean().high for run in runs), sum(run.naive_mean().low <= 5 <= run.naive_mean().high for run in runs)
    assert covered[0] >= 50 > 25 > covered[1]


def test_batches_of_independent_values_give_the_usual_interval():
    x = np.random.default_rng(2).normal(3.0, 2.0, 90_000)
    found, plain = batches.mean(x), batches.naive_mean(x)
    assert found.value == pytest.approx(plain.value) and found.standard_error == pytest.approx(plain.standard_error, rel=0.4)
    assert batches.student(0.95, 29) == pytest.approx(stats.t.ppf(0.975, 29))
    half = batches.quantile(x, 0.5)
    assert half.value == np.sort(x)[44_999] and half.low < half.value < half.high
    share, low, high = batches.shares_above(x, np.array([-100.0, 3.0, 100.0]))
    assert share[0] == 1 and low[1] < 0.5 < high[1] and share[2] == 0


@pytest.mark.parametrize("p", [1e-9, 0.07, 0.5, 0.99, 1 - 1e-9])
@pytest.mark.parametrize("length", [2, 100, 331])
def test_a_quantile_is_the_one_that_a_full_sort_finds(p, length):
    """Ties, heavy tails and batches that are not alike; 0.07 · 100 is rounded up to more than 7, 0.07 · 3000 to 210 exactly."""
    rng = np.random.default_rng(length)
    for x in (
        rng.exponential(size=30 * length + 7),
        rng.integers(0, 3, 30 * length),
        np.arange(30.0 * length),
        rng.pareto(0.5, 30 * length),
        np.ones(30 * length),
    ):
        found, ranked = batches.quantile(x.astype(float), p), np.sort(x[len(x) % 30 :])
        assert found.value == ranked[math.ceil(p * ranked.size) - 1]
        assert found.low <= found.value <= found.high


def test_too_few_customers_for_batches_are_told_so():
    with pytest.raises(SpeLabError, match="at least 60 customers, got 59"):
        batches.mean(np.zeros(59))


# ---- The edge ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"gaps": queues.poisson(1.0)}, "load must be below 1, got 1"),
        ({"gaps": queues.poisson(5.0)}, "load must be below 1, got 5"),
        ({"customers": 0}, "customers must be a whole number"),
        ({"customers": 10**12}, r"customers must be at most 20,000,000, got 1000000000000 \(40,000 GB\)"),
        ({"customers": math.nan}, "customers must be at most"),
        ({"customers": 10.5}, "whole number"),
        ({"customers": "many"}, "customers must be at most"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 0.5}, "seed must be"),
    ],
)
def test_a_simulation_refuses_what_cannot_be(wrong, rule):
    arguments = {"system": Shared(1), "gaps": queues.poisson(0.5), "service": queues.exponential(1.0), "customers": 1000, "seed": 1} | wrong
    with pytest.raises(SpeLabError, match=rule):
        queues.simulate(**arguments)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Shared(0),
        lambda: Shared(-1),
        lambda: Shared(1.5),
        lambda: Shared(10**6),
        lambda: Split(4, "shortest"),
        lambda: Split(4, 0),
        lambda: Sharing(1, stations=0),
        lambda: Split(4, 2.5),
        lambda: Split(4, [2]),
        lambda: Priority(4, math.nan),
        lambda: Priority(4, -1.0),
        lambda: Priority(4, "short"),
    ],
)
def test_a_system_that_cannot_be_is_refused(call):
    with pytest.raises(SpeLabError, match="must be"):
        call()


@needs_compiler
def test_numpy_s_numbers_are_numbers():
    run = queues.simulate(Shared(np.int64(2)), queues.poisson(np.float64(1.0)), queues.exponential(1.0), np.int32(1000), np.int64(3))
    assert run.all_sojourns.size == 1000


@needs_compiler
def test_asking_for_what_is_not_kept_names_what_is():
    run = queues.simulate(Shared(1), queues.poisson(0.5), queues.exponential(1.0), 1000)
    with pytest.raises(SpeLabError, match="of must be sojourn, waiting, service or slowdown, got 'cost'"):
        run.mean("cost")
    with pytest.raises(SpeLabError, match="p must lie between 0 and 1, got 99"):
        run.quantile(99)
    with pytest.raises(SpeLabError, match="slowdown needs services longer than zero"):
        queues.simulate(Shared(1), queues.poisson(0.5), queues.empirical([0.0, 1.0]), 1000).mean("slowdown")


@needs_compiler
@pytest.mark.parametrize("system", [Shared(2), Split(2, 2), Sharing(2), Priority(2, 1.0)], ids=lambda system: type(system).__name__)
def test_a_cancelled_simulation_says_so(system):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError, match="cancelled"):
        queues.simulate(system, queues.poisson(0.5), queues.exponential(1.0), 1000, cancel=cancel)
    with pytest.raises(CancelledError, match="cancelled"):
        simulation._run(system, np.ones(10), np.ones(10), 1, np.empty(10), None, cancel)


@needs_compiler
@pytest.mark.parametrize("system", [Shared(1), Shared(40), Split(2), Split(2, 2), Sharing(2), Sharing(1, stations=2), Priority(2, 1.0)], ids=repr)
def test_a_simulation_under_way_is_cancelled(system):
    """The flag lies in the result: it is raised when the kernel comes to customer 100, and seen when it looks again."""
    out = np.full(200_000, math.nan)
    flag = out[100:].view(np.int32)  # the lower half of a NaN is zero, that of a time which thirds add up to is not
    early = np.arange(out.size) <= 100  # all of whom wait; nobody does later
    with pytest.raises(CancelledError, match="cancelled"):
        simulation._run(system, np.where(early, 1 / 3, 5000.0), np.where(early, 20.0, 1.0), 1, out, None, SimpleNamespace(flag=flag))
    reached = np.flatnonzero(np.isfinite(out)).max()
    assert 100 < reached < 70_000


@needs_compiler
def test_the_c_refuses_what_python_would_not_send():
    library, flag = native.load("queueing"), Cancel().flag
    table = np.empty(4, np.dtype(library.struct("turn")))
    one, bad = np.ones(4), library.constants["SPE_BAD_ARGUMENT"]
    assert library.queue_shared(one, one, 4, 0, table, np.empty(4), None, flag) == bad
    assert library.queue_shared(one, one, -1, 1, table, np.empty(4), None, flag) == bad
    assert library.queue_split(one, one, 4, 2, 2, 1, np.empty(2, np.dtype(library.struct("line"))), np.empty(6), 3, np.empty(4), None, flag) == bad
    law = native.load("laws").struct("law")(99, 1.0, 1.0, 0.5, None, 0)
    assert native.load("laws").law_draw(law, np.array([1], np.uint64), np.empty(4), 4, flag) == bad
    assert laws.whole("n", 3.0, 1, 5) == 3
