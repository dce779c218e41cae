"""The queueing topic: models by two routes, labs against closed forms, the table of disciplines, lessons, and the
exercises.
"""

import dataclasses
import itertools
import math
import random
import re

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.model import symbol
from spe_lab.core.reader.claims import claims as claims_of
from spe_lab.models.queues import (
    Estimate,
    Shared,
    Sharing,
    Split,
    bimodal,
    birth_death,
    exponential,
    general,
    poisson,
    simulate,
)
from spe_lab.topics import queueing
from spe_lab.topics.queueing import (
    blocking,
    claims,
    disciplines,
    formulas,
    laws,
    lessons,
    models,
    numbers,
    shortest,
    simulated,
    single,
)

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
# E(T) of the supermarket model, from the reference: d, loads, values
TABLE = {2: (1.2657, 1.9474, 2.6141, 3.383, 5.432), 3: (1.1252, 1.5809, 2.0279, 2.5351, 3.8578)}
LOADS = np.array([0.5, 0.8, 0.9, 0.95, 0.99])


# ---- Models
# --------------------------------------------------------------------------------------------------------------


def test_a_thinned_poisson_stream_is_one_of_a_smaller_rate():
    lam, c, t, z = (symbol(name) for name in ("lambda", "c", "t", "z"))
    counts = sympy.series(queueing.thinned(), z, 0, 3).removeO()
    for n in range(3):
        poisson_term = sympy.exp(-lam * t / c) * (lam * t / c) ** n / sympy.factorial(n)
        assert sympy.simplify(counts.coeff(z, n) - poisson_term) == 0


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (0, 2), (3, 2)])
def test_the_guess_for_processor_sharing_balances_in_each_state_by_itself(first, second):
    """The symbolic proof is for both kinds present; here the edges are put in as numbers."""
    rates = {
        "rho_1": sympy.Rational(3, 10),
        "rho_2": sympy.Rational(2, 5),
        "mu_1": sympy.Integer(7),
        "mu_2": sympy.Rational(1, 3),
    }
    values = {symbol(name): value for name, value in rates.items()}

    def pi(a, b):
        return models.sharing_guess(sympy.Integer(a), sympy.Integer(b)).subs(values) if a >= 0 and b >= 0 else 0

    arrive, leave = (rates["rho_1"] * rates["mu_1"], rates["rho_2"] * rates["mu_2"]), (rates["mu_1"], rates["mu_2"])
    n = first + second
    into = arrive[0] * pi(first - 1, second) + arrive[1] * pi(first, second - 1)
    into += leave[0] * sympy.Rational(first + 1, n + 1) * pi(first + 1, second) + leave[1] * sympy.Rational(
        second + 1, n + 1
    ) * pi(first, second + 1)
    out = sum(arrive) + (leave[0] * sympy.Rational(first, n) + leave[1] * sympy.Rational(second, n) if n else 0)
    assert into == out * pi(first, second)
    assert queueing.sharing_balance() == 0


def test_jobs_under_sharing_are_geometric_and_a_job_is_stretched_by_the_free_share():
    rho, x = symbol("rho"), symbol("x")
    assert all(sympy.expand(queueing.sharing_jobs(n) - (1 - rho) * rho**n) == 0 for n in range(6))
    assert sympy.simplify(queueing.sharing_mean().expression - x / (1 - rho)) == 0


@needs_compiler
@pytest.mark.parametrize("law", laws.FOUR[:3])
def test_the_mean_under_sharing_knows_nothing_of_the_law(law):
    run = simulate(Sharing(1), poisson(0.7), laws.service(law), 1_000_000, seed=5)
    found = run.mean()
    assert abs(found.value - 1 / 0.3) < 4 * found.standard_error
    bounds = np.quantile(run.service, [0.0, 0.5, 1.0]) if law != "deterministic" else [0.0, 2.0]
    for low, high in itertools.pairwise(bounds):  # and for jobs of each length: the same stretch
        some = (run.service >= low) & (run.service <= high)
        assert run.sojourn[some].sum() / run.service[some].sum() == pytest.approx(1 / 0.3, rel=0.1)


@pytest.mark.parametrize("i", [1, 2, 5])
def test_the_fixed_point_is_where_the_drifts_vanish(i):
    assert queueing.step(i) == sympy.Eq(
        symbol(f"s_{i}"), symbol("rho") * (symbol(f"s_{i - 1}") ** symbol("d") if i > 1 else 1)
    )
    model = queueing.supermarket()
    for rho, d in ((0.5, 2), (0.9, 3)):
        levels = {symbol(f"s_{k}"): float(model(rho=rho, d=d, i=k)) for k in range(1, i + 2)}
        flow = float(queueing.drift(i).subs({**levels, symbol("rho"): rho, symbol("d"): d}))
        assert flow == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("d", [2, 3])
def test_the_supermarket_s_mean_is_the_published_one_by_two_routes(d):
    assert queueing.supermarket_mean(LOADS, d) == pytest.approx(TABLE[d], abs=5e-5)
    for rho in LOADS:
        tail = [float(queueing.supermarket()(rho=rho, d=d, i=i)) for i in range(1, 40)]
        assert sum(tail) / rho == pytest.approx(float(queueing.supermarket_mean(rho, d)[0]), rel=1e-9)  # Little


def test_the_supermarket_s_tail_integrates_to_its_mean_and_its_quantile_lies_on_it():
    t = np.linspace(0, 60, 60_001)
    for rho, d in ((0.5, 2), (0.9, 3)):
        tail = np.array([models.supermarket_tail(each, rho, d)[0] for each in t[::50]])
        assert np.trapezoid(tail, t[::50]) == pytest.approx(float(models.supermarket_mean(rho, d)[0]), rel=1e-3)
        at = models.supermarket_quantile(0.99, rho, d)
        assert float(models.supermarket_tail(at, rho, d)[0]) == pytest.approx(0.01, rel=1e-6)


@needs_compiler
@pytest.mark.parametrize(("d", "p"), [(2, None), (3, None), (2, 0.99)])
def test_many_servers_come_close_to_the_supermarket(d, p):
    run = simulate(Split(512, d), poisson(0.8 * 512), exponential(1.0), 1_000_000, seed=3)
    found, expected = (
        (run.mean(), models.supermarket_mean(0.8, d))
        if p is None
        else (run.quantile(p), models.supermarket_quantile(p, 0.8, d))
    )
    assert found.value == pytest.approx(
        float(expected[0]), rel=0.01
    )  # 512 are not infinitely many: 0.2 %; and 0.3 % of sampling


@needs_compiler
@pytest.mark.parametrize(("rho", "share", "ratio"), [(0.3, 0.001, 1000.0), (0.7, 0.1, 11.0), (0.9, 0.01, 50.0)])
def test_the_inverted_transform_is_what_a_simulation_finds(rho, share, ratio):
    """In mean, which Pollaczek and Khinchine give in closed form, and in shape."""
    t = np.array([0.0, 0.1, 0.7, 1.5, 3.0, 10.0, 30.0])
    law = bimodal(1.0, share, ratio)
    exact = models.wait_tail(t, rho, share, ratio)
    assert exact[0] == rho
    grid = np.linspace(0, 3000, 300_001)
    assert np.trapezoid(models.wait_tail(grid, rho, share, ratio), grid) == pytest.approx(
        float(general.mean_wait(rho, law.scv)), rel=2e-3
    )
    value, low, high = simulate(Shared(1), poisson(rho), law, 2_000_000, seed=4).tail(t, of="waiting")
    # Twice the half-width of 95 %: four standard errors; and the grid's own error.
    assert (np.abs(value - exact) < (high - low) + 0.005).all(), (value, exact)


def test_who_is_behind_a_long_job_is_less_than_who_waits():
    long, _, share = bimodal(1.0).parameters
    t = np.linspace(0, long, 50)
    for rho in (0.3, 0.7):
        bound = queueing.behind_a_long_job()(rho=rho, p=share, L=long, t=t)
        assert (bound <= models.wait_tail(t, rho, 0.001, 1000.0) + 1e-3).all() and bound[0] == pytest.approx(
            rho * share * long
        )


def test_approximation_is_exact_where_a_formula_is():
    load = np.array([0.2, 0.9])
    assert queueing.allen_cunneen(1, load, 1.0, 4.0) == pytest.approx(general.mean_wait(load, 4.0))
    assert queueing.allen_cunneen(7, load, 1.0, 1.0) == pytest.approx(birth_death.mean_wait(7, load))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: models.supermarket_mean(1.0, 2), "rho must be"),
        (lambda: models.supermarket_mean(0.5, 0), "d must be"),
        (lambda: laws.service("Pareto"), "service must be one of"),
        (lambda: models.sharing_jobs(-1), "n must be"),
    ],
)
def test_what_lies_outside_the_domain_is_refused(call, said):
    with pytest.raises(SpeLabError, match=said):
        call()


ONE, SPLIT, POOL, SPLIT_PS = queueing.NAMES
USUAL = (ONE, POOL, SPLIT, SPLIT_PS)
ORDERS = {**dict.fromkeys(laws.FOUR, USUAL), laws.ONE_IN_A_THOUSAND: (POOL, SPLIT_PS, ONE, SPLIT)}

# ---- Labs
# ----------------------------------------------------------------------------------------------------------------


def first(lab_id, settings=None, over=None):
    return next(registry.get(lab_id).runs(settings, over, budget_s=0))[1]


@needs_compiler
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"servers": 4.0},
        {"statistic": "p95"},
        {"service": "deterministic"},
        {"service": "hyperexponential", "scv": 4.0},
    ],
)
def test_one_queue_s_intervals_hold_what_is_exact(settings):
    run = first("queueing.single", settings)
    curve, exact = run.measured[0], run.predicted[0].values
    # Two half-widths of a 95 % interval are four standard errors.
    assert (np.abs(curve.values - exact) <= 2 * (curve.high - curve.low)).all()
    assert run.comparison.predicted == "exact" and curve.tried.sum() == pytest.approx(simulated.CUSTOMERS, rel=0.05)


def test_where_there_is_no_closed_form_none_is_drawn():
    lab, uneven = registry.get("queueing.single"), {"service": "lognormal"}
    x = lab.x()
    expected = (
        ({**uneven, "statistic": "p99"}, (False, False, True)),
        ({**uneven, "servers": 4.0}, (False, True, True)),
        (uneven, (True, False, True)),
        ({"arrivals": "bursty"}, (False, True, True)),
        ({}, (True, False, False)),
    )
    for settings, there in expected:
        assert (
            tuple(
                bool(np.isfinite(curve.values).all()) for curve in lab.predict(lab.point(settings), x, lab.recorded_fit)
            )
            == there
        ), settings


@needs_compiler
def test_the_seed_decides_everything_and_further_steps_add_customers():
    one, same, other = (
        first("queueing.balancing", {"seed": seed, "servers": 8.0}, [0.5, 0.8]) for seed in (1.0, 1.0, 2.0)
    )
    for a, b, c in zip(one.measured, same.measured, other.measured, strict=True):
        assert (
            np.array_equal(a.values, b.values)
            and np.array_equal(a.low, b.low)
            and not np.array_equal(a.values, c.values)
        )
    *_, (progress, last) = registry.get("queueing.single").runs(over=[0.8], short=False)
    assert progress == 1.0 and last.tried > one.tried and last.measured[0].high[0] - last.measured[0].low[0] < 0.3


def test_high_loads_get_more_customers():
    counts = simulated.shared_out(1_000_000, np.array([0.1, 0.9, 0.98]))
    assert counts[2] == pytest.approx(5 * counts[1], rel=0.01) and counts.sum() == pytest.approx(1_000_000, rel=0.01)
    assert simulated.shared_out(10, np.array([0.1])).tolist() == [simulated.FEWEST]


@needs_compiler
def test_disciplines_mark_where_the_objective_is_met_once_it_is_simulated():
    lab = registry.get("queueing.disciplines")
    assert all(math.isnan(place) for place in lab.marks(lab.point(), lab.recorded_fit).values())
    fit = lab.fit(first("queueing.disciplines"))
    marks = lab.marks(lab.point(), fit)
    assert marks["all four meet it"] == pytest.approx(0.41, abs=0.08) and marks["one still meets it"] > 0.9
    assert lab.marks(lab.point({"objective": 2.0}), fit)["one still meets it"] != marks["one still meets it"]
    assert all(math.isnan(place) for place in lab.marks(lab.point({"servers": 4.0}), fit).values())


def test_a_crossing_is_found_between_points():
    curve = Curve("made up", "simulated", Axis("load", "", [0.2, 0.4, 0.6]), "", [1.0, 4.0, 16.0])
    assert disciplines.meets(curve, 8.0) == pytest.approx(0.5) and disciplines.meets(curve, 20.0) == 0.6
    assert disciplines.meets(curve, 0.5) == 0.0  # above the objective at every load
    holed = Curve("made up", "simulated", curve.x, "", [1.0, math.nan, 16.0])
    assert math.isnan(disciplines.meets(holed, 8.0)) and disciplines.meets(holed, 0.5) == 0.0


@pytest.mark.parametrize(
    ("values", "all_four", "one"),
    [
        ([[1, 2, 30], [40, 50, 60], [1, 2, 3], [1, 2, 3]], 0.0, 0.6),  # one curve meets the objective nowhere
        ([[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]], 0.6, 0.6),
        ([[40, 50, 60]] * 4, 0.0, 0.0),
        ([[1, math.nan, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]], math.nan, math.nan),  # a point that is missing
    ],
)
def test_all_four_meet_the_objective_only_as_far_as_the_worst_does(values, all_four, one):
    lab, x = registry.get("queueing.disciplines"), Axis("load", "", [0.2, 0.4, 0.6])
    how = {"settings": {}}
    curves = [
        Curve(name, "simulated", x, "E(S)", row, provenance=how)
        for name, row in zip(queueing.NAMES, values, strict=True)
    ]
    marks = lab.marks(lab.point(), curves)
    assert marks == pytest.approx({"all four meet it": all_four, "one still meets it": one}, nan_ok=True)


@needs_compiler
def test_with_rare_long_jobs_the_marks_do_not_hide_the_system_that_never_meets_the_objective():
    lab, rare = registry.get("queueing.disciplines"), {"service": laws.ONE_IN_A_THOUSAND}
    point, x = lab.point(rare), lab.x([0.05, 0.5, 0.8])
    found, counts = lab.answers(point, x, 1_000_000, Cancel())
    curves = lab.curves(point, x, found, counts)
    assert lab.marks(point, curves)["all four meet it"] == 0.0
    assert min(curve.low.min() for curve in curves) >= 0  # no interval holds a negative time
    assert lab.customers(point) == simulated.RARE * lab.customers(lab.point())


@needs_compiler
@pytest.mark.parametrize("law", laws.FOUR)
def test_the_table_has_the_orders_that_the_chapter_explains(law):
    """200,000 customers a point move an entry by a few hundredths; the entries lie farther apart."""
    found = {
        name: queueing.highest_load(system, law, customers=200_000)
        for name, system in disciplines.four_systems(16).items()
    }
    assert tuple(sorted(found, key=found.get, reverse=True)) == ORDERS[law], found
    if law == "exponential":
        assert found["one queue FCFS"] == pytest.approx(0.9677, abs=0.02)


@needs_compiler
def test_long_jobs_block_under_fcfs_and_priority_and_not_under_sharing():
    fcfs, sharing, priority, many = (
        curve.values for curve in first("queueing.head_of_line", over=[20.0, 50.0, 900.0]).measured
    )
    assert (fcfs[:2] > 0.4).all() and (sharing[:2] < 0.01).all()
    assert (
        priority[0] > 0.4 and priority[2] < fcfs[2] / 3
    )  # nobody is interrupted; but who waits, waits for one long job at most
    assert many[0] < fcfs[0] / 3


@needs_compiler
def test_two_choices_take_most_of_what_all_would():
    run = first("queueing.balancing", over=[0.9])
    random, robin, two, every = (curve.values[0] for curve in run.measured)
    assert every < two < robin < random
    assert (random - two) / (random - every) > 0.8
    assert every > run.predicted[2].values[0]  # one shared queue is better than any choice


# ---- Lessons
# -------------------------------------------------------------------------------------------------------------


@needs_compiler
def test_the_naive_interval_is_wrong_and_the_batches_are_right():
    naive, batch = (
        np.array(part) for part in zip(*(lessons._two(0.8, 100_000, seed) for seed in range(60)), strict=True)
    )
    spread = batch[:, 0].std(ddof=1)
    assert 6 < spread / naive[:, 1].mean() < 13  # nine; the spread of 60 runs is known to a tenth
    assert 0.7 < spread / batch[:, 1].mean() < 1.4
    hold = [((each[:, 2] <= 5) & (each[:, 3] >= 5)).mean() for each in (naive, batch)]
    assert hold[0] < 0.4 and hold[1] > 0.8


@needs_compiler
def test_lessons_are_tables():
    assert "naive" in queueing.intervals(runs=4, customers=5000) and "long run, exact | 5.00" in queueing.warm_up(
        runs=3
    )
    said = queueing.simulators(customers=100_000)
    assert "measured here" in said and said.count("recorded") == len(lessons.RECORDED)
    assert queueing.table(customers=3000).count("\n") == 7


def test_the_table_in_words_follows_its_numbers():
    usual, reversed_ = (0.9, 0.5, 0.8, 0.4), (0.5, 0.1, 0.9, 0.8)
    said = disciplines.in_words({"a": usual, "b": reversed_})
    assert "split queues in all 2 rows. FCFS carries at least as much load as PS in 1 of 2 rows" in said
    assert said.endswith("but not in the row of b.")
    assert "in 1 of 2 rows, but not in the row of b" in disciplines.in_words({"a": usual, "b": usual[::-1]})


def test_an_estimate_reads_as_a_value_with_its_half_width():
    assert str(Estimate(5.0, 0.1, 4.8, 5.2)) == "5.00 ± 0.20" and "nan" in str(
        Estimate(1.0, math.nan, math.nan, math.nan)
    )


@pytest.mark.parametrize("name", formulas.FORMULAS)
def test_the_textbook_s_form_is_the_derived_one(name):
    assert queueing.formula(name).startswith("$$")


def test_a_wrong_formula_and_an_unknown_one_are_refused(monkeypatch):
    form, _, derived = formulas.FORMULAS["shortest of d"]
    wrong = formulas.Textbook(form, lambda rho, d, i: rho ** (d**i), derived)
    monkeypatch.setitem(formulas.FORMULAS, "wrong", wrong)
    with pytest.raises(SpeLabError, match="must equal the derived one"):
        queueing.formula("wrong")
    with pytest.raises(SpeLabError, match="name must be one of"):
        queueing.formula("Kingman")


# ---- Claims
# --------------------------------------------------------------------------------------------------------------


@needs_compiler
def test_a_reader_s_runs_decide_the_claims_and_contradict_none():
    uneven = {"service": laws.ONE_IN_A_THOUSAND}
    runs = [registry.get(f"queueing.{name}").run(short=True) for name in ("single", "head_of_line", "balancing")]
    runs += [registry.get("queueing.disciplines").run(settings, short=True) for settings in ({}, uneven)]
    said = claims_of("queueing", *runs)
    assert not said.of("contradicted here") and len(said.of("shown here")) >= len(claims.CLAIMS) - 1


@needs_compiler
def test_a_run_that_shows_the_opposite_contradicts_and_one_at_other_settings_does_not_decide():
    run = registry.get("queueing.disciplines").run(short=True)
    swapped = [
        dataclasses.replace(curve, name=name)
        for curve, name in zip(run.measured, (SPLIT, ONE, SPLIT_PS, POOL), strict=True)
    ]
    said = claims_of("queueing", dataclasses.replace(run, measured=swapped))
    assert next(claim.sentence for claim in said.of("contradicted here")).startswith("A shared queue")
    other = registry.get("queueing.single").run({"servers": 4}, short=True)
    assert not claims_of("queueing", other).of("shown here")


# ---- Exercises
# -----------------------------------------------------------------------------------------------------------


SEEDS = range(12)
MAKERS = (numbers.make_behind, numbers.make_two_kinds, numbers.make_servers, numbers.make_mix)


@pytest.mark.parametrize("make", MAKERS)
def test_drawn_numbers_have_a_right_answer_and_differ(make):
    drawn = [make(random.Random(seed)) for seed in SEEDS]
    assert all(one.judge(one.answer).state == "right" for one in drawn)
    assert len({one.question for one in drawn}) > 4
    assert make(random.Random(3)).question == drawn[3].question


@needs_compiler
@pytest.mark.parametrize("seed", [1, 2])
def test_who_meets_a_long_request_is_what_a_simulation_finds(seed):
    one = numbers.make_behind(random.Random(seed))
    found = re.match(r"A server has a load of ([\d.]+)\. One request in (\d+) takes (\d+) times", one.question)
    rho, one_in, ratio = (float(each) for each in found.groups())
    law = bimodal(1.0, 1 / one_in, ratio)
    run = simulate(Shared(1), poisson(rho), law, 1_000_000, seed=7)
    long = run.all_services > 1.5
    end = run.all_arrivals + run.all_sojourns
    start = end - run.all_services
    before = np.searchsorted(start[long], run.all_arrivals, side="right") - 1
    met = (before >= 0) & (end[long][before] > run.all_arrivals) & (start[long][before] < run.all_arrivals)
    assert met.mean() == pytest.approx(one.answer, rel=0.15)  # a thousand long requests


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda p, work, rho: 100 * rho * work, "per cent"),
        (lambda p, work, rho: p, "requests that are long"),
        (lambda p, work, rho: work, "idle for a part"),
        (lambda p, work, rho: rho, "server is busy"),
        (lambda p, work, rho: rho * p, "count time"),
        (lambda p, work, rho: 0.999, "not the share of time"),
        (lambda p, work, rho: -1, "between 0 and 1"),
        (lambda p, work, rho: "many", "number"),
    ],
)
def test_a_wrong_share_of_blocked_requests_learns_why(answer, said):
    one = numbers.make_behind(random.Random(2))
    rho, one_in, ratio = (float(each) for each in re.findall(r"[\d.]+\d", one.question)[:3])
    p = 1 / one_in
    verdict = one.check(answer(p, p * ratio / (1 - p + p * ratio), rho))
    assert verdict.state == "wrong" and said in verdict.reason


TWO = numbers.make_two_kinds(random.Random(3))
FCFS, PS = TWO.answer


@needs_compiler
def test_two_kinds_of_requests_are_what_a_simulation_finds():
    rate, one_in, long, short = (float(each) for each in re.findall(r"\d+", TWO.question)[:4])
    law = bimodal(short * (1 + (long / short - 1) / one_in), 1 / one_in, long / short)
    for system, mean in ((Shared(1), FCFS), (Sharing(1), PS)):
        assert simulate(system, poisson(rate / 1000), law, 2_000_000, seed=3).mean().value == pytest.approx(
            mean, rel=0.04
        )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((PS, FCFS), "wrong order"),
        ((FCFS / 1000, PS / 1000), "seconds"),
        ((PS, PS), "exponential"),
        ((FCFS, 0.9), "FCFS is right"),
        ((1, 1), "Pollaczek"),
        (3, "two means"),
        (("x", 2), "number"),
    ],
)
def test_wrong_means_learn_why(answer, said):
    verdict = TWO.check(answer)
    assert verdict.state == "wrong" and said in verdict.reason, verdict


def test_wrong_means_under_fcfs_name_what_was_left_out():
    server = numbers.Server(100, bimodal(5.0, 0.05, 50))
    mean, rho, scv = 5.0, 0.5, server.law.scv
    wait = rho / (1 - rho) * (1 + scv) / 2 * mean
    wrong = {
        wait: "wait and a service",
        mean + rho / (1 - rho) * scv / 2 * mean: "not C_s²",
        mean + 2 * wait: "half over",
        mean + rho / (1 - rho) * (1 + math.sqrt(scv)) / 2 * mean: "standard deviation",
        mean + wait * (1 - rho): "lacks",
    }
    assert server.fcfs == pytest.approx(mean + wait)
    assert all(said in numbers._why_not(server, given) for given, said in wrong.items())


@pytest.mark.parametrize("seed", range(5))
def test_servers_are_judged_by_erlang(seed):
    one = numbers.make_servers(random.Random(seed))
    right, rate = one.answer, float(re.match(r"\d+", one.question)[0])
    offered = rate * float(re.search(r"mean of (\d+)", one.question)[1]) / 1000
    expected = {
        right - 1: "above the objective",
        right + 1: "fewer",
        1e9: "fewer",
        offered: "without bound",
        right + 0.5: "whole",
        "many": "number",
        0: "whole",
    }
    for answer, said in expected.items():
        verdict = one.check(answer)
        assert verdict.state == "wrong" and said in verdict.reason, (answer, verdict)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("mix", numbers.MIXES)
def test_the_mixes_have_the_loads_that_simulations_find(mix):
    one_in, ratio = mix
    law = bimodal(1.0, 1 / one_in, ratio)
    for (name, system), load in zip(
        disciplines.four_systems(numbers.MIX_SERVERS).items(), numbers.MIXES[mix], strict=True
    ):
        for factor, met in ((load - 0.1, True), (load + 0.1, False)):
            if 0 < factor < 1:
                run = simulate(system, poisson(factor * system.capacity), law, 1_000_000, seed=9)
                assert (run.quantile(0.99).value <= numbers.MIX_OBJECTIVE) == met, (name, factor)


@pytest.mark.parametrize(
    ("best", "answer", "said"),
    [
        (POOL, ONE, "how many jobs wait"),
        (POOL, SPLIT, "stand idle"),
        (POOL, "none", "fewer than 1 %"),
        (ONE, POOL, "slows down all"),
        (ONE, "FCFS", "must be one of"),
        ("none", POOL, "by itself"),
    ],
)
def test_a_wrong_system_learns_why(best, answer, said):
    one = next(each for each in (numbers.make_mix(random.Random(seed)) for seed in range(60)) if each.answer == best)
    verdict = one.check(answer)
    assert verdict.state == "wrong" and said in verdict.reason, verdict


@needs_compiler
@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (..., "not attempted", "dots"),
        ("report", "right", "archive"),
        ("search", "wrong", "not at means"),
        ("home", "wrong", "in service while"),
        ("admin", "wrong", "must be an endpoint"),
        (3, "wrong", "must be an endpoint"),
    ],
)
def test_the_culprit_is_who_the_account_says(answer, state, said):
    verdict = queueing.EXERCISES["culprit"].check(answer)
    assert verdict.state == state and said in verdict.reason


@needs_compiler
def test_the_log_hides_its_culprit_from_averages_and_not_from_an_account_by_another_route():
    log = queueing.incident()
    work, sojourn = log["departure"] - log["start"], log["departure"] - log["arrival"]
    mean = {name: work[log["endpoint"] == name].mean() for name in blocking.ENDPOINTS}
    stay = {name: sojourn[log["endpoint"] == name].mean() for name in blocking.ENDPOINTS}
    assert max(mean, key=mean.get) == "search" and min(stay, key=stay.get) == "report"
    assert np.quantile(sojourn, 0.99) > 300 * np.median(sojourn)
    line = log[log["server"] == 1][:400]
    accused = dict.fromkeys(blocking.ENDPOINTS, 0.0)  # each wait is cut up by who was in service meanwhile
    for i, one in enumerate(line):
        for other in line[:i]:
            accused[str(other["endpoint"])] += max(
                0.0, min(other["departure"], one["start"]) - max(other["start"], one["arrival"])
            )
    found = queueing.blame(line)
    waited = (line["start"] - line["arrival"]).sum()
    assert sum(found.values()) == pytest.approx(waited, rel=1e-6)
    assert {name: found.get(name, 0.0) for name in accused} == pytest.approx(accused, rel=1e-6, abs=1e-6)
    with pytest.raises(SpeLabError, match="log must have"):
        queueing.blame(np.zeros(3, [("x", float)]))


@needs_compiler
@pytest.mark.parametrize(
    ("source", "state", "said"),
    [
        (..., "not attempted", "dots"),
        (shortest.SHORTEST_SOLUTION, "right", "mean sojourn"),
        (shortest.SHORTEST_TEMPLATE, "not attempted", "change the C code"),
        (shortest.SHORTEST_TEMPLATE.replace("now += service[i]", "now = now + service[i]"), "wrong", "first come"),
        (
            shortest.SHORTEST_SOLUTION.replace("arrival[i] <= now", "arrival[i] <= now + 1"),
            "wrong",
            "before it arrived",
        ),
        (
            shortest.SHORTEST_SOLUTION.replace("service[i] < service[next]", "service[i] <= service[next]"),
            "wrong",
            "must leave at",
        ),
        (
            shortest.SHORTEST_SOLUTION.replace("departure[i] = -1;", "departure[i] = departure[n] = -1;"),
            "wrong",
            "it reached for departure[1], and departure has 1 element (SIGSEGV); keep indexes from 0 to 0",
        ),
        ("int serve_not(void) { return 1; }", "wrong", "must declare"),
        (3, "wrong", "the cell of your C code"),
        ("void serve(", "wrong", "must compile"),
    ],
)
def test_a_discipline_in_c_is_checked_against_the_reference(source, state, said):
    verdict = queueing.EXERCISES["shortest"].check(source)
    assert verdict.state == state and said in verdict.reason, verdict


def test_the_references_agree_with_what_can_be_worked_out_by_hand():
    arrival, service = np.array([0.0, 1.0, 1.0, 1.0]), np.array([4.0, 2.0, 2.0, 1.0])
    assert shortest.shortest_first(arrival, service).tolist() == [4.0, 7.0, 9.0, 5.0]
    assert shortest.in_order(arrival, service).tolist() == [4.0, 6.0, 8.0, 9.0]
    assert single.sojourn("mean", 1, np.array([0.5])).tolist() == [2.0]


# ---- Nothing is given away
# -------------------------------------------------------------------------------------------------


@needs_compiler
def test_while_a_prediction_is_open_neither_model_nor_table_gives_the_answer(monkeypatch):
    from spe_lab import explore, predict

    monkeypatch.delenv("SPE_LAB_PREDICTIONS", raising=False)
    box = predict("queueing.head_of_line", at=10, curve="FCFS", low=..., high=...)
    explorer = explore("queueing.head_of_line", box)
    assert box.open and "exact" not in explorer.text and "exact –" in explorer.in_state()
    assert not queueing.table(explorer.measured()) and "above" in str(queueing.table(explorer.measured()))
    box.skip()
    assert "Predicted, FCFS exact" in explorer.text and "exact –" not in explorer.in_state()
