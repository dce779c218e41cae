"""Service objectives: formulas against simulation, C against plain Python, and the exercises."""

import dataclasses
import math
import random
import re
from itertools import islice, pairwise

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError, UnavailableError
from spe_lab.core.reader.claims import claims
from spe_lab.core.reader.waiting import Waiting
from spe_lab.models.queues import batches, birth_death, lognormal
from spe_lab.topics import objectives
from spe_lab.topics.objectives import (
    energy,
    exercises,
    fan_out,
    formulas,
    models,
    numbers,
    omission,
    pools,
    utilisation,
    watts,
)
from spe_lab.topics.objectives.sharing import share

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
S = models.symbol


def simulated(lab_id, setting=None, over=None, times=1):
    """The run of a lab after so many answers, each from four times as many requests: the same
    numbers on every machine.
    """
    return list(islice(registry.get(lab_id).runs(setting, over, budget_s=600, short=False, refine=True), times))[-1][1]


# ---- Fan-out
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaves", "slow", "leaf"), [(10, 0.0956, 0.9989955), (50, 0.395, 0.99979901), (100, 0.634, 0.9998995)]
)
def test_a_request_meets_the_slow_leaves_of_many(leaves, slow, leaf):
    assert float(models.slow_share()(s=0.01, n=leaves)) == pytest.approx(slow, abs=5e-4)
    assert float(models.leaf_share()(p=0.99, n=leaves)) == pytest.approx(leaf, abs=5e-8)


def test_the_median_of_a_hundred_leaves_is_a_rare_time_of_one():
    assert float(models.leaf_share()(p=0.5, n=100)) == pytest.approx(0.99309, abs=5e-6)


def test_the_mean_of_the_longest_is_a_harmonic_number():
    n = sympy.Symbol("n", integer=True, positive=True)
    assert models.exponential_mean() == sympy.harmonic(n)
    assert float(models.exponential_mean(10)) == pytest.approx(2.9290, abs=5e-5)
    assert float(models.exponential_mean(100)) == pytest.approx(5.1874, abs=5e-5)
    t = sympy.Symbol("t", positive=True)
    assert sympy.integrate(sympy.expand(1 - (1 - sympy.exp(-t)) ** 4), (t, 0, sympy.oo)) == models.exponential_mean(4)


@pytest.mark.parametrize("leaves", [1, 10, 1000])
def test_the_quantile_of_exponential_leaves_is_found_by_bisection_too(leaves):
    found = fan_out.exceeded(
        lambda t: fan_out.survival("exponential", t), np.array(-math.expm1(math.log(0.99) / leaves))
    )
    assert float(models.exponential_quantile()(p=0.99, n=leaves)) == pytest.approx(float(found), rel=1e-9)


@needs_compiler
@pytest.mark.parametrize("leaf", fan_out.LEAVES)
def test_the_tail_of_each_leaf_is_that_of_its_law(leaf):
    times = fan_out.law(leaf).sample(400_000, 7)
    for share_above in (0.5, 0.1, 0.01, 0.001):
        t = float(fan_out.exceeded(lambda t: fan_out.survival(leaf, t), np.array(share_above)))
        assert abs((times > t).mean() - share_above) < 4 * math.sqrt(share_above / 400_000)


@needs_compiler
def test_hedging_a_lognormal_leaf_cuts_its_tail_as_the_reference_has_it():
    """Lognormal (0, 1), hedged at its 95th percentile: p99.9 from 22.1 to 9.32, for 5 % more load."""
    from scipy.special import ndtr

    def tail(t):
        return ndtr(-np.log(np.maximum(t, 1e-300)))

    delay = float(fan_out.exceeded(tail, np.array(0.05)))
    both = fan_out.exceeded(lambda t: tail(t) * np.where(t < delay, 1, tail(t - delay)), np.array(0.001))
    assert float(fan_out.exceeded(tail, np.array(0.001))) == pytest.approx(21.98, abs=0.01)
    assert float(both) == pytest.approx(9.32, abs=0.01)
    law = lognormal(math.exp(0.5), math.e - 1)
    once, twice = law.sample(1_000_000, 1), law.sample(1_000_000, 2)
    hedged = np.where(once > delay, np.minimum(once, delay + twice), once)
    assert (once > delay).mean() == pytest.approx(0.05, abs=0.001)
    assert np.quantile(hedged, 0.999) == pytest.approx(9.32, rel=0.03)


def test_an_interval_by_order_statistics_covers_the_quantile():
    rng = np.random.default_rng(3)
    hit = 0
    for _ in range(400):
        value, low, high = fan_out.quantile(rng.exponential(size=2000), 0.99)
        assert low <= value <= high
        hit += low <= -math.log(0.01) <= high
    assert 0.91 < hit / 400 < 0.99  # 95 %, give or take four standard errors
    assert math.isnan(fan_out.quantile(rng.exponential(size=50), 0.99)[2])  # the largest of 50 bounds nothing


@needs_compiler
@pytest.mark.parametrize("setting", [{}, {"leaf": "few slow ones"}, {"leaf": "lognormal", "hedge": 0.8, "p": 0.9}])
def test_simulated_fan_outs_agree_with_their_formula(setting):
    run = simulated("objectives.slo", setting, [1, 10, 100], 2)
    for found, predicted in zip(run.measured, run.predicted, strict=False):
        error = (found.high - found.low) / 4
        assert (np.abs(found.values - predicted.values) < 4 * error + 0.002 * predicted.values).all(), found.name


# ---- Queues with copies, and fan-outs to queues
# ------------------------------------------------------------------------


@needs_compiler
def test_hedging_in_c_is_what_a_list_of_events_does():
    """Events in plain Python, with the choices of replicas drawn as the kernel draws them."""
    import heapq

    requests, servers, delay, seed = 3000, 5, 1.5, 9
    rng = np.random.default_rng(2)
    gaps, once, again = (
        rng.exponential(1 / (0.55 * servers), requests),
        rng.exponential(size=requests),
        rng.exponential(size=requests),
    )
    state = seed

    def below(bound):
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return (((z ^ (z >> 31)) >> 32) * bound) >> 32

    arrivals = np.cumsum(gaps)
    events = [(t, 1, i) for i, t in enumerate(arrivals)]
    heapq.heapify(events)
    free, first, done, copied = [0.0] * servers, {}, {}, np.zeros(requests, bool)
    while events:
        now, kind, i = heapq.heappop(events)  # of two at one time, a copy (0) is sent first
        if kind == 1:
            first[i] = below(servers)
            free[first[i]] = done[i] = max(free[first[i]], now) + once[i]
            heapq.heappush(events, (now + delay, 0, i))
        elif done[i] > now:
            copied[i], other = True, (first[i] + 1 + below(servers - 1)) % servers
            free[other] = max(free[other], now) + again[i]
            done[i] = min(done[i], free[other])
    library, sojourn, sent = native.load("objectives"), np.empty(requests), np.empty(requests, np.uint8)
    scratch = np.empty(servers), np.empty(requests), np.empty(requests, np.int32)
    assert (
        library.hedge_in_queues(
            library.struct("hedging")(servers, delay, seed),
            gaps,
            once,
            again,
            requests,
            *scratch,
            sojourn,
            sent,
            Cancel().flag,
        )
        == 0
    )
    assert sojourn == pytest.approx([done[i] - arrivals[i] for i in range(requests)], abs=1e-9)
    assert np.array_equal(sent.astype(bool), copied)


@needs_compiler
@pytest.mark.parametrize(("load", "delay"), [(0.2, 2.0), (0.3, 3.0), (0.5, 6.0)])
def test_queues_with_copies_have_the_load_that_agrees_with_itself(load, delay):
    found = objectives.simulate_hedging(load, delay, 1_000_000)
    r = float(models.load_with_copies(np.array(load), delay))
    copied, late = batches.mean(found.copied.astype(float)), batches.mean((found.sojourn > delay + 2).astype(float))
    expected = float(models.hedged_miss()(t=delay + 2, d=delay, r=r))
    # Four standard errors, and 3 % (10 % of what is late) for a finite number of replicas, whose copies are not quite
    # random.
    assert abs(copied.value - math.exp(-(1 - r) * delay)) < 4 * copied.standard_error + 0.03 * copied.value
    assert abs(late.value - expected) < 4 * late.standard_error + 0.1 * expected


@needs_compiler
def test_without_copies_a_replica_is_a_queue_of_its_own():
    found = objectives.simulate_hedging(0.6, math.inf, 1_000_000)
    late = batches.mean((found.sojourn > 5).astype(float))
    assert not found.copied.any()
    assert abs(late.value - float(models.queue_survival()(t=5, rho=0.6))) < 4 * late.standard_error


def test_the_load_with_copies_is_the_smallest_solution():
    for load, delay in ((0.3, 3.0), (0.49, 0.0), (0.6, 6.0)):
        r = float(models.load_with_copies(np.array(load), delay))
        assert load * (1 + math.exp(-(1 - r) * delay)) == pytest.approx(r, abs=1e-5)
        below = np.linspace(load, r - 1e-3, 50)
        assert (load * (1 + np.exp(-(1 - below) * delay)) > below).all()


@pytest.mark.parametrize("delay", [0.0, 1.0, 2.0, 3.0, 6.0, 15.0])
def test_beyond_the_highest_load_there_is_no_steady_state(delay):
    limit = objectives.highest_load_with_copies(delay)
    if delay >= 2:
        assert limit == pytest.approx(float(models.most_load().subs(S("d"), delay)), rel=1e-12)
    r = np.linspace(0, 1, 100_001)[:-1]
    for load, steady in ((limit - 0.003, True), (limit + 0.003, False)):
        assert bool((load * (1 + np.exp(-(1 - r) * delay)) <= r).any()) is steady


@needs_compiler
def test_copies_drown_replicas_that_would_do_well_without():
    run = simulated("objectives.hedging", over=[0.2, 0.6], times=2)
    alone, copies = run.measured
    assert copies.values[0] < 0.3 * alone.values[0] and copies.values[1] > 10 * alone.values[1]


@needs_compiler
def test_a_fork_join_in_c_is_lindley_s_recursion_for_each_leaf():
    rng = np.random.default_rng(5)
    gaps, service = rng.exponential(1.4, 500), rng.exponential(size=(500, 3))
    waiting, expected = np.zeros(3), np.empty(500)
    for i in range(500):
        waiting = np.maximum(waiting - gaps[i], 0) if i else np.zeros(3)
        waiting = waiting + service[i]
        expected[i] = waiting.max()
    found = np.empty(500)
    assert native.load("objectives").fork_join(gaps, service, 500, 3, np.empty(3), found, Cancel().flag) == 0
    assert found == pytest.approx(expected, abs=1e-9)


@needs_compiler
@pytest.mark.parametrize("load", [0.3, 0.6])
def test_two_leaves_that_are_busy_together_have_the_mean_of_flatto_and_hahn(load):
    """(12 − ρ)/8 mean sojourns of one leaf: exact, and less than H₂ = 3/2 of independent ones."""
    mean = batches.mean(objectives.simulate_fork_join(load, 2, 1_000_000))
    assert abs(mean.value - (12 - load) / 8 / (1 - load)) < 4 * mean.standard_error
    assert mean.value < 1.5 / (1 - load)


# ---- Pools
# -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("servers", [1, 2, 7, 64, 300])
def test_pools_agree_with_the_birth_death_chain(servers):
    loads = np.array(
        [0.01, 0.4, 1 - 1 / servers if servers > 1 else 0.5, 0.95, 0.999]
    )  # the third has drain = μ, where the formula reads 0/0
    assert pools.erlang_c(servers, loads) == pytest.approx(birth_death.erlang_c(servers, loads), rel=1e-9, abs=1e-300)
    for t in (0.5, 5.0, 50.0):
        assert pools.late(t, servers, loads) == pytest.approx(birth_death.sojourn_tail(t, servers, loads), rel=1e-9)
        assert pools.waits_longer(t, servers, loads) == pytest.approx(
            birth_death.wait_tail(t, servers, loads), rel=1e-9, abs=1e-300
        )


@pytest.mark.parametrize(
    ("k", "loads"),
    [
        (5, [0.079, 0.3534, 0.6062, 0.7731, 0.8730, 0.9625, 0.9896]),
        (10, [0.5395, 0.7580, 0.8752, 0.9363, 0.9677, 0.9918, 0.9979]),
    ],
)
def test_the_highest_load_of_a_pool_is_that_of_the_reference(k, loads):
    assert pools.highest_load(np.array([1, 2, 4, 8, 16, 64, 256]), k, 0.99) == pytest.approx(loads, abs=6e-5)


def test_no_pool_meets_what_the_service_alone_misses():
    assert (pools.highest_load(np.array([1, 100]), 4.0, 0.99) == 0).all()
    assert pools.spare_servers(4.0, 0.99) == math.inf
    assert int(pools.fewest_servers(3.0, 4.0, 0.99, 50)) == 50


@pytest.mark.parametrize("offered", [0.3, 1, 12.5, 90])
def test_the_fewest_servers_meet_the_objective_and_one_less_does_not(offered):
    fewest = int(pools.fewest_servers(offered, 6.0, 0.99, 200))
    assert pools.late(6.0, fewest, offered / fewest) <= 0.01
    assert fewest - 1 <= offered or pools.late(6.0, fewest - 1, offered / (fewest - 1)) > 0.01


def test_a_large_pool_needs_as_many_spare_servers_as_its_limit_says():
    exact = models.large_pool_miss()(k=5.0, delta=3.0)
    errors = [abs(float(pools.late(5.0, c, 1 - 3 / c)) - exact) for c in (100, 1000, 10_000, 100_000)]
    assert all(a > b for a, b in pairwise(errors)) and errors[-1] < 0.01 * exact
    assert float(models.large_pool_miss()(k=5.0, delta=pools.spare_servers(5.0, 0.99))) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("offered", "servers", "limit", "exact"),
    [(10, 14, 0.1364, 0.1741), (100, 110, 0.2234, 0.2370), (1000, 1032, 0.2187, 0.2231)],
)
def test_the_square_root_rule_comes_near_in_large_pools(offered, servers, limit, exact):
    beta = (servers - offered) / math.sqrt(offered)
    assert float(models.waiting_share().subs(S("beta"), beta)) == pytest.approx(limit, abs=5e-5)
    assert float(pools.erlang_c(servers, offered / servers)) == pytest.approx(exact, abs=5e-5)
    assert pools.square_roots(1 - limit) == pytest.approx(beta, abs=1e-3)


def test_the_spare_servers_of_the_table_are_the_fewest():
    rows = [[float(cell) for cell in row.strip("| ").split("|")] for row in objectives.spare_table().splitlines()[2:]]
    for offered, within, _, idle, _ in rows:
        for spare, missed in (
            (within, lambda c, a: pools.late(5.0, c, a / c) > 0.01),
            (idle, lambda c, a: pools.erlang_c(c, a / c) > 0.1),
        ):
            assert not missed(offered + spare, offered) and missed(offered + spare - 1, offered)


def test_the_search_for_the_highest_load_finds_it_where_the_answer_is_known():
    for servers in (1, 4, 64):

        def waits(load, servers=servers):
            value = float(pools.erlang_c(servers, load))
            return batches.Estimate(value, 0.0, value * 0.99, value * 1.01)

        found, low, high = utilisation.highest_load(waits, 0.1)
        exact = float(pools.highest_load(np.array([servers]), 5, 0.9, no_wait=True)[0])
        assert found == pytest.approx(exact, abs=2e-3) and low < found < high
    never = utilisation.highest_load(lambda load: batches.Estimate(1.0, 0, 1, 1), 0.1)
    always = utilisation.highest_load(lambda load: batches.Estimate(0.0, 0, 0, 0), 0.1)
    assert never[:2] == (0, 0) and never[2] < 0.1 and always[0] > 0.9 and always[2] == 1
    assert utilisation.highest_load(None, -0.01) == (0, 0, 0)


@needs_compiler
@pytest.mark.parametrize("setting", [{"k": 10.0}, {"objective": "no waiting", "p": 0.9}])
def test_the_simulated_highest_load_is_the_exact_one(setting):
    run = simulated("objectives.utilisation", setting, [1, 4, 16], 4)
    for found, predicted in zip(run.measured, run.predicted, strict=False):
        error = (found.high - found.low) / 2 / batches.student(0.95, utilisation.BATCHES - 1)
        there = np.isfinite(found.values)
        assert there.all() and (np.abs(found.values - predicted.values)[there] < 4 * error[there] + 0.005).all(), (
            found.name
        )


def test_a_queue_that_remembers_its_start_gives_no_point():
    assert utilisation.seen((0.9, 0.8, 0.95), 10_000) == (0.9, 0.8, 0.95)
    assert all(math.isnan(each) for each in utilisation.seen((0.99, 0.98, 0.995), 10_000))


# ---- Energy and money
# --------------------------------------------------------------------------------------------------


def test_the_energy_of_a_request_at_part_load_is_that_of_the_reference():
    for load, watts_drawn, efficiency in ((0.1, 115, 0.217), (0.3, 145, 0.517), (0.5, 175, 0.714)):
        assert float(models.power()(u=load, P_idle=100, P_peak=250)) == pytest.approx(watts_drawn)
        taken = models.energy_per_request()(u=np.array([1, load]), P_idle=100, P_peak=250, S=0.002)
        assert taken[0] / taken[1] == pytest.approx(efficiency, abs=5e-4)
    assert float(models.least_load()(J=1, P_idle=100, P_peak=250, S=0.002)) == pytest.approx(2 / 7)


@pytest.mark.parametrize(("idle", "peak", "service"), [(0, 250, 4), (50, 300, 4)])
@pytest.mark.filterwarnings("error")
def test_no_load_is_marked_where_what_a_load_adds_takes_the_objective_exactly(idle, peak, service):
    lab = registry.get("objectives.energy")
    assert math.isnan(lab.marks(lab.point({"idle": idle, "peak": peak, "service": service}), lab.recorded_fit)["1 J"])


def test_proportionality_and_score_are_what_a_sum_over_loads_gives():
    watts_of = {S("P_idle"): 100, S("P_peak"): 250}
    assert models.proportionality().subs(watts_of) == sympy.Rational(3, 5)
    loads = np.arange(1, 11) / 10
    drawn = 100 + 150 * np.append(loads, 0)
    assert float(models.score().subs(watts_of)) == pytest.approx(loads.sum() / (drawn / 250).sum())
    u = np.linspace(0, 1, 100_001)
    assert float(models.proportionality().subs(watts_of)) == pytest.approx(2 - 2 * np.trapezoid(100 + 150 * u, u) / 250)


@needs_compiler
@pytest.mark.parametrize("setting", [{}, {"servers": 3.0, "idle": 0.0}, {"service": 20.0, "k": 5.0}])
def test_simulated_energy_is_what_the_line_says(setting):
    run = simulated("objectives.energy", setting, [0.1, 0.5, 0.9], 2)
    for found, predicted in zip(run.measured, run.predicted, strict=False):
        error = (found.high - found.low) / 2 / batches.student(0.95, energy.BATCHES - 1)
        assert (np.abs(found.values - predicted.values) < 4 * error).all(), found.name


@needs_compiler
def test_the_fewest_servers_save_energy_and_are_late_as_rarely_as_allowed():
    lab = registry.get("objectives.energy")
    point = lab.point()
    on = int(lab.fewest(point, np.array([0.1]))[0])
    few, all_on = (energy.run(0.1 * point["servers"], servers, 1_000_000) for servers in (on, 32))
    assert on == 4 and energy.energy(few, point).value < 0.3 * energy.energy(all_on, point).value
    late = share(few.sojourn > point["k"])
    assert abs(late.value - float(pools.late(point["k"], on, 3.2 / on))) < 4 * late.standard_error and late.value < 0.01


@needs_compiler
@pytest.mark.parametrize("setting", [{}, {"offered": 3.0, "w": 2.0}])
def test_the_simulated_cost_is_the_exact_one(setting):
    run = simulated("objectives.sla", setting, [1, 4, 8], 2)
    found, predicted = run.measured[0], run.predicted[0]
    error = (found.high - found.low) / 2 / batches.student(0.95, batches.BATCHES - 1)
    assert (np.abs(found.values - predicted.values) < 4 * error).all()


@pytest.mark.parametrize(
    ("setting", "cheapest"), [({}, 9), ({"offered": 200.0}, 15), ({"fine": 20.0}, 12), ({"w": 3.0}, 3)]
)
def test_at_the_cheapest_number_one_more_server_is_no_longer_worth_its_price(setting, cheapest):
    lab = objectives.Sla()
    point = lab.point(setting)
    assert lab.cheapest(setting) == cheapest
    late = lab.late(point, np.arange(cheapest - 1, cheapest + 2))
    worth = float(
        models.worth_a_server()(a=point["offered"], q=point["price"], f=point["fine"], S=point["service"] / 1000)
    )
    assert late[0] - late[1] > worth > late[1] - late[2]


def test_nothing_seen_is_not_taken_for_nothing():
    found = share(np.zeros(3000, bool))
    assert found.value == found.low == 0 and found.high == pytest.approx(0.001)


# ---- The clock
# ---------------------------------------------------------------------------------------------------------


@needs_compiler
def test_a_closed_client_measures_one_millisecond_where_users_meet_902():
    closed, opened = objectives.latencies("closed"), objectives.latencies("open")
    assert len(closed) == 9109 and len(opened) == 10_000
    ms = {
        name: [1000 * float(np.quantile(each, p, method="inverted_cdf")) for p in (0.99, 0.999)]
        for name, each in (("closed", closed), ("open", opened))
    }
    assert ms["closed"] == pytest.approx([1.0, 1.0]) and ms["open"] == pytest.approx([902, 992])
    assert 1000 * closed.mean() == pytest.approx(2.0, abs=0.02) and 1000 * opened.mean() == pytest.approx(51.5, abs=0.1)
    corrected = objectives.corrected(closed)
    assert [1000 * float(np.quantile(corrected, p, method="inverted_cdf")) for p in (0.99, 0.999)] == pytest.approx(
        [890, 990], abs=1
    )


@needs_compiler
@pytest.mark.parametrize("client", ["closed", "open"])
def test_clients_in_c_meet_the_server_as_one_that_is_stepped_by_the_tick(client):
    """A server that is moved on tick by tick: it works unless it stands still, on one request at a time."""
    gap, service, period, frozen, duration = 7, 3, 50, 11, 300
    expected, queue, due, left, begun = [], [], 0, 0, None
    for tick in range(duration + 200):
        if client == "open" and tick % gap == 0 and tick < duration:
            queue.append(tick)
        if client == "closed" and not queue and begun is None and tick >= due and tick < duration:
            queue.append(tick)
        if begun is None and queue:
            begun, left = queue.pop(0), service
        if begun is not None and not (tick >= period and tick % period < frozen):
            left -= 1
            if left == 0:
                expected.append(tick + 1 - begun)
                due, begun = max(begun + gap, tick + 1), None
    found = objectives.latencies(client, *(value / 1e3 for value in (gap, service, period, frozen, duration)))
    assert np.round(found * 1e3).astype(int).tolist() == expected


@needs_compiler
@pytest.mark.parametrize(
    "wrong",
    [
        {"gap_s": 0},
        {"service_s": math.nan},
        {"frozen_s": -1},
        {"period_s": 1.0},
        {"duration_s": 1e6, "gap_s": 1e-3},
        {"client": "ajar"},
    ],
)
def test_a_client_that_cannot_be_is_refused(wrong):
    with pytest.raises(SpeLabError, match=r"must be .*got .*;"):
        objectives.latencies(**{"client": "open"} | wrong)


@pytest.mark.parametrize("client", ["open", "closed"])
def test_room_is_for_the_requests_of_whole_nanoseconds(client):
    # A gap of 1.4 ns is 1 ns in C: a million requests, where 714,287 were reckoned with.
    assert objectives.latencies(client, 1.4e-9, 1e-9, 1e-5, 0, 1e-3).size == 1_000_000


# ---- Watts
# -------------------------------------------------------------------------------------------------------------


def test_watts_are_read_from_the_counters_where_there_are_any(tmp_path, monkeypatch):
    for name, microjoules in (
        ("intel-rapl:0", 900_000),
        ("intel-rapl:1", 5),
        ("intel-rapl:0:0", 7),
    ):  # the last is a part of the first
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{microjoules}\n")
        (tmp_path / name / "max_energy_range_uj").write_text("1000000\n")

    def sleep(seconds):
        (tmp_path / "intel-rapl:0" / "energy_uj").write_text("300000\n")  # it ran over: 0.4 J in all
        now[0] += seconds

    now = [100.0]
    monkeypatch.setattr(watts.time, "sleep", sleep)
    monkeypatch.setattr(watts.time, "monotonic", lambda: now[0])
    assert watts.measured_power(0.1, tmp_path) == pytest.approx(4.0)


def test_without_counters_the_reason_is_said(tmp_path, monkeypatch):
    with pytest.raises(UnavailableError, match="virtual machines hide them"):
        watts.measured_power(0.1, tmp_path)
    with pytest.raises(SpeLabError, match=r"seconds must be .*got 0;"):
        watts.measured_power(0)

    def refuse(package, name):
        raise PermissionError

    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("1")
    monkeypatch.setattr(watts, "_counter", refuse)
    with pytest.raises(UnavailableError, match="administrator"):
        watts.measured_power(0.1, tmp_path)
    assert objectives.power_here(0.05).startswith(("Measured: ", "Not measured: "))


# ---- Domains
# -----------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize(
    "wrong",
    [
        {"load": 1.0},
        {"load": -0.1},
        {"load": math.nan},
        {"delay": -1.0},
        {"delay": math.nan},
        {"requests": 10**12},
        {"requests": 1},
        {"replicas": 1},
        {"replicas": 2.5},
    ],
)
def test_queues_that_cannot_be_simulated_are_refused(wrong):
    with pytest.raises(SpeLabError, match=r"must be .*got .*;"):
        objectives.simulate_hedging(**{"load": 0.5, "delay": 1.0, "requests": 1000} | wrong)


@needs_compiler
@pytest.mark.parametrize("wrong", [{"load": 1.5}, {"leaves": 0}, {"leaves": 1000, "requests": 1_000_000}])
def test_fan_outs_that_cannot_be_simulated_are_refused(wrong):
    with pytest.raises(SpeLabError, match=r"must be .*got .*;"):
        objectives.simulate_fork_join(**{"load": 0.5, "leaves": 2, "requests": 1000} | wrong)


@needs_compiler
def test_a_cancelled_simulation_says_so():
    cancel = Cancel()
    cancel.set()
    for simulate in (
        lambda: objectives.simulate_hedging(0.5, 1.0, 1000, cancel=cancel),
        lambda: objectives.simulate_fork_join(0.5, 2, 1000, cancel=cancel),
    ):
        with pytest.raises(CancelledError):
            simulate()
    for lab_id in (id for id in registry.labs() if id.startswith("objectives.")):
        with pytest.raises(CancelledError):
            next(registry.get(lab_id).runs(short=True, cancel=cancel))


@needs_compiler
def test_the_c_refuses_what_python_would_not_send():
    library, none = native.load("objectives"), np.zeros(2)
    bad = library.constants["SPE_BAD_ARGUMENT"]
    assert library.fork_join(none, none, 1, 0, none, none, Cancel().flag) == bad
    assert library.fork_join(none, none, -1, 1, none, none, Cancel().flag) == bad
    for servers, delay in ((1, 1.0), (2, -1.0), (2, math.nan)):
        settings = library.struct("hedging")(servers, delay, 1)
        assert (
            library.hedge_in_queues(
                settings,
                none,
                none,
                none,
                1,
                none,
                none,
                np.zeros(1, np.int32),
                none,
                np.zeros(1, np.uint8),
                Cancel().flag,
            )
            == bad
        )
    for fields in ((0, 1, 10, 1, 5), (1, 0, 10, 1, 5), (1, 1, 2, 1, 5), (1, 1, 10, -1, 5)):
        settings = library.struct("stalling")(*fields)
        assert library.replay_closed(settings, none) == library.replay_open(settings, none) == bad


# ---- Exercises
# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (..., "not attempted", ""),
        ("p**(1/n)", "right", ""),
        (sympy.Symbol("p") ** (1 / sympy.Symbol("n")), "right", ""),
        ("exp(log(p)/n)", "right", ""),
        ("p**n", "wrong", "the reverse"),
        ("1 - (1 - p)/n", "wrong", "nearly"),
        ("p/n", "wrong", "of the requests are fast"),
        ("q", "wrong", "n and p"),
        (0.9999, "wrong", "n and p"),
        ("((", "wrong", "expression"),
    ],
)
def test_the_leaf_s_objective_is_judged_as_an_expression(answer, state, said):
    verdict = objectives.EXERCISES["leaves"].check(answer)
    assert verdict.state == state and said in verdict.reason


def drawn(make, seeds=range(12)):
    return [make(random.Random(seed)) for seed in seeds]


@pytest.mark.parametrize("exercise", drawn(numbers.make_pool))
def test_the_servers_of_a_pool_are_the_fewest_by_the_birth_death_chain(exercise):
    offered, k = (int(each) for each in re.search(r"keep (\d+) .*within (\d+) ", exercise.question).groups())
    p = int(re.search(r"answer (\d+) %", exercise.question)[1]) / 100
    right = exercise.answer
    shares = [float(birth_death.sojourn_tail(k, c, np.array([offered / c]))[0]) for c in (right - 1, right)]
    assert shares[0] > 1 - p >= shares[1]
    for answer, said in (
        (right - 1, "is allowed"),
        (right + 1, "fewer servers"),
        (2 * offered, "small pool"),
        (offered, "without bound"),
        (right + 0.5, "whole"),
        (math.inf, "number"),
        (10**9, "whole"),
        ("many", "number"),
    ):
        verdict = exercise.check(answer)
        assert verdict.state == "wrong" and said in verdict.reason, (answer, verdict)


def test_the_spare_servers_of_a_contract_are_those_of_the_lab():
    lab = objectives.Sla()
    for seed in range(12):
        exercise = numbers.make_contract(random.Random(seed))
        service, offered, price, fine = (
            float(re.search(pattern, exercise.question)[1])
            for pattern in (r"of (\d+) ms", r"keep (\d+) servers", r"costs ([\d.]+) € an hour", r"cost ([\d.]+) €\.")
        )
        w = re.search(r"longer than (?:the|([\d.]+)) mean", exercise.question)[1]
        settings = {"offered": offered, "service": service, "price": price, "fine": fine, "w": float(w or 1)}
        right = exercise.answer
        assert right == lab.cheapest(settings)
        for answer, said in (
            (right - 1, "more than it costs"),
            (right + 1, "nearly"),
            (right + 3, "almost nothing"),
            (0, "without bound"),
            (41, "between 1 and 40"),
            (right + 0.5, "whole"),
            ("few", "number"),
        ):
            verdict = exercise.check(answer)
            assert verdict.state == "wrong" and said in verdict.reason, (answer, verdict)


def test_two_kinds_of_servers_take_the_same_energy_at_the_right_rate():
    learnt = set()
    for seed in range(30):
        exercise = numbers.make_kinds(random.Random(seed))
        (idle, peak, ms), (more, most, fast) = (
            tuple(float(each) for each in found)
            for found in re.findall(
                r"draws (\d+) W idle and (\d+) W at full load, and a request takes (\d+) ms", exercise.question
            )
        )

        def joules(rate, idle, peak, ms):
            load = rate * ms / 1000
            return (idle + load * (peak - idle)) / rate

        right = exercise.answer
        assert joules(right, idle, peak, ms) == pytest.approx(joules(right, more, most, fast), rel=1e-3)
        assert joules(right / 2, idle, peak, ms) < joules(right / 2, more, most, fast)
        assert right * ms < 1000 and exercise.check(right).state == "right"
        for answer in (
            right / 1000,
            right * ms / 1000,
            1.3 * right,
            1000 * (more - idle) / (peak * ms - most * fast) if peak * ms != most * fast else 0,
            (more - idle) / ((peak - idle) - (most - more)) if peak - idle != most - more else -1,
            0,
            5000,
        ):
            if not numbers.close(answer, right):
                verdict = exercise.check(answer)
                assert verdict.state == "wrong", (answer, verdict)
                learnt.add(verdict.reason.split()[-1])
    assert {"second", "rate", "power", "requests", "rates", "equal"} <= learnt


NEARLY_RIGHT = exercises.CLOCK_SOLUTION.replace("(free_at > due ? free_at : due)", "free_at")


@needs_compiler
@pytest.mark.parametrize(
    ("source", "state", "said"),
    [
        (exercises.CLOCK_SOLUTION, "right", ""),
        (exercises.CLOCK_TEMPLATE, "not attempted", "change the C code"),
        (exercises.CLOCK_TEMPLATE.replace("done - sent", "service[i]"), "wrong", "its service time alone"),
        (NEARLY_RIGHT, "wrong", "before the request is due"),
        (exercises.CLOCK_SOLUTION.replace("i < n", "i <= n"), "wrong", "[0], and "),
        (exercises.CLOCK_SOLUTION + "void f(void) { g(); }", "wrong", "compile"),
        ("int x;", "wrong", "must declare"),
        ("int (", "wrong", "compile"),
        (3, "wrong", "the cell of your C code"),
    ],
)
def test_the_clock_is_judged_by_what_it_says(source, state, said):
    verdict = objectives.EXERCISES["clock"].check(source)
    assert verdict.state == state and said in verdict.reason


# ---- Formulas and claims
# ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", formulas.FORMULAS)
def test_the_textbook_s_form_is_the_derived_one(name):
    assert objectives.formula(name).startswith("$$")


def test_a_wrong_formula_and_an_unknown_one_are_refused(monkeypatch):
    form, _, derived = formulas.FORMULAS["power"]
    wrong = formulas.Textbook(form, lambda u, P_idle, P_peak: P_idle + u * P_peak, derived)
    monkeypatch.setitem(formulas.FORMULAS, "wrong", wrong)
    with pytest.raises(SpeLabError, match="must equal the derived one"):
        objectives.formula("wrong")
    with pytest.raises(SpeLabError, match="name must be one of"):
        objectives.formula("Kingman")


def test_tables_wait_for_the_predictions_that_they_would_give_away():
    waiting = Waiting("Commit a range above.")
    assert objectives.load_table(waiting) is waiting and objectives.energy_table(waiting) is waiting


@needs_compiler
def test_while_a_prediction_is_open_neither_model_nor_mark_nor_table_gives_the_answer(monkeypatch):
    from spe_lab import explore, predict

    monkeypatch.delenv("SPE_LAB_PREDICTIONS", raising=False)
    box = predict("objectives.sla", mark="cheapest", low=..., high=...)
    explorer = explore("objectives.sla", box)
    page = explorer.parts.twin.value
    assert box.open and "cheapest" not in page and "cheapest" not in explorer.text and "servers alone –" in page
    box.skip()
    page = explorer.parts.twin.value
    assert "cheapest at 9" in page and "servers alone –" not in page
    waiting = explore("objectives.energy", predict("objectives.energy", at=0.1, low=..., high=...)).measured()
    assert "above" in str(objectives.energy_table(waiting))


LABS = ("slo", "hedging", "utilisation", "energy", "sla")


@needs_compiler
@pytest.mark.parametrize(
    ("short", "undecided"), [(True, 5), pytest.param(False, 1, marks=pytest.mark.slow)], ids=["short", "full"]
)
def test_a_reader_s_runs_decide_the_claims_and_contradict_none(short, undecided):
    runs = [registry.get(f"objectives.{name}").run(short=short) for name in LABS]
    table = claims("objectives", *runs)
    assert not table.of("contradicted here") and not table.of("not measured yet")
    assert len(table.of("not decided")) <= undecided


def test_a_run_that_shows_the_opposite_contradicts_and_one_at_other_settings_does_not_decide():
    lab = registry.get("objectives.hedging")
    shipped = lab.joined(lab.fitted(lab.recorded()))
    measured = [
        dataclasses.replace(curve, name=other.name)
        for curve, other in zip(shipped.measured, reversed(shipped.measured), strict=True)
    ]
    table = claims("objectives", dataclasses.replace(shipped, measured=measured))
    assert len(table.of("contradicted here")) == 3
    other = dataclasses.replace(shipped, point={**shipped.point, "delay": 6.0})
    assert len(claims("objectives", other).of("not decided")) == 3


def test_the_tables_say_what_they_show():
    loads = str(objectives.load_table(servers=(1, 16), limits=(5,))).splitlines()
    assert loads[2:] == ["| 1 | 7.9 % |", "| 16 | 87.3 % |"]
    if native.available():
        last = str(objectives.together(0.8, 100)).splitlines()[-1]
        assert "the mean is 27 % lower, and the 99th percentile 7 % lower" in last


def test_the_table_of_energy_predicts_what_it_simulates():
    *table, _, words = str(registry.get("objectives.energy").table(customers=400_000)).splitlines()
    rows = [[cell.strip() for cell in row.strip("| ").split("|")] for row in table[2:]]
    assert {row[0] for row in rows} == {"10 %", "20 %", "30 %", "50 %"}
    for _, _, joules, late, predicted in rows:
        value, low, high = (float(part) for part in re.findall(r"([\d.]+) %", late))
        assert float(joules.rstrip(" J")) > 0 and low <= value <= high
        assert abs(value - float(predicted.rstrip(" %"))) <= 3 * (high - low) / 2 + 0.001
    simulated = max(float(row[3].split()[0]) for row in rows)
    predicted = max(float(row[4].split()[0]) for row in rows)
    assert words.startswith(f"At most {simulated:.2f} % are late in the simulation, and {predicted:.2f} % in")
    assert simulated < 1 and "1 % is allowed" in words


def test_the_table_of_latencies_holds_their_exact_percentiles():
    table = omission.table({"a client": np.arange(1, 1001) / 1000})
    assert str(table).splitlines()[2] == "| a client | 1000 | 500.5 ms | 500 ms | 990 ms | 999 ms |"


def test_a_folded_table_of_latencies_has_to_be_opened():
    named = {"a client": np.arange(1, 1001) / 1000}
    shown = omission.table(named, folded="What it reports")._repr_markdown_()
    assert shown.startswith("<details><summary>What it reports</summary>") and str(omission.table(named)) in shown
