"""The laws of speed-up by two routes, what waiting and spinning threads must show, and the exercises of chapter 05a."""

import math
import re
import signal
import threading

import numpy as np
import psutil
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.machine import cpus
from spe_lab.core.reader.exercise import Seeded
from spe_lab.topics.scaling import exercises, fork_join, models, usl

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
two_cores = pytest.mark.skipif(cpus.current().cores < 2, reason="threads that spin at the same time need two cores")
P, N = models.symbol("P"), models.symbol("N")


# ---- The laws
# ----------------------------------------------------------------------------------------------------------


def test_amdahl_s_law_is_the_one_derived_by_hand_and_its_limit_too():
    assert sympy.simplify(models.amdahl_law().expression - 1 / ((1 - P) + P / N)) == 0
    assert models.amdahl_limit() == 1 / (1 - P)
    assert float(models.amdahl_law()(N=10**9, P=0.95)) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_of_the_limit_is_reached_at_the_number_of_threads_that_was_solved_for(share):
    for p in (0.5, 0.9, 0.99):
        threads = float(models.threads_for(share).subs(P, p))
        assert float(models.amdahl_law()(N=threads, P=p)) == pytest.approx(share / (1 - p))


@pytest.mark.parametrize("share", [0, 1, -1, math.nan])
def test_the_limit_itself_is_not_reached(share):
    with pytest.raises(SpeLabError, match=r"share_of_limit must .*, got .*;"):
        models.threads_for(share)


def simulated(n, p, t1, start, each, late, waits, together):
    """Time of the same by adding up what happens, one event after the other."""
    threads = [start * (n > 1) + each * max(0, n - 1) + p * t1 * n / together / n for _ in range(n)]
    return (1 - p) * t1 + max(threads) + late * waits


@pytest.mark.parametrize("p", [0, 0.3, 0.9, 1])
@pytest.mark.parametrize("n", [1, 2, 7, 32])
def test_the_law_with_costs_is_the_sum_of_its_events(p, n):
    cost = {"s": 20.0, "c": 3.0, "d": 5.0, "w": 2}
    alone, together = (simulated(k, p, 1000.0, 20.0, 3.0, 5.0, 2, min(k, 4)) for k in (1, n))
    assert float(models.amdahl_with_costs()(N=n, n=min(n, 4), P=p, T1=1000.0, **cost)) == pytest.approx(
        alone / together
    )


def test_without_costs_it_is_amdahl_s_law():
    free = (
        models.amdahl_with_costs()
        .expression.subs({models.symbol(name): 0 for name in "scd"})
        .subs(models.symbol("n"), N)
    )
    assert sympy.simplify(free - models.amdahl_law().expression) == 0


def test_gustafson_s_law_is_amdahl_s_of_the_grown_work():
    """The work of N threads, if one thread does it, has a larger parallel share: Amdahl's law with that share gives the
    same.
    """
    share_of_one = N * P / ((1 - P) + N * P)
    assert sympy.simplify(models.amdahl_law().expression.subs(P, share_of_one) - models.gustafson_law().expression) == 0


@pytest.mark.parametrize(("sigma", "kappa"), [(0.0, 0.001), (0.05, 0.002), (0.3, 0.02)])
def test_the_maximum_of_the_universal_law_is_where_a_search_finds_it(sigma, kappa):
    threads = np.linspace(1, 100, 1_000_001)
    found = threads[np.argmax(models.usl_law()(N=threads, sigma=sigma, kappa=kappa))]
    assert usl.most_threads(sigma, kappa) == pytest.approx(found, abs=2e-4)


def test_the_universal_law_without_a_maximum_and_with_the_first_thread_as_one():
    assert usl.most_threads(0.1, 0.0) == math.inf
    assert usl.most_threads(1.0, 0.01) == usl.most_threads(0.5, 5.0) == 1.0


def test_a_cost_for_each_thread_is_the_coherency_term():
    c, T1 = models.symbol("c"), models.symbol("T1")
    assert models.usl_of_thread_costs() == sympy.Matrix([1 - P, c / T1])
    sigma, kappa = 0.1, 3 / 1000
    for n in (2, 9, 40):
        costs = models.amdahl_with_costs()(N=n, n=n, P=0.9, T1=1000.0, s=0.0, c=3.0, d=0.0, w=0)
        assert float(costs) == pytest.approx(float(models.usl_law()(N=n, sigma=sigma, kappa=kappa)))


# ---- The fit on made-up machines
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sigma", "kappa"), [(0.05, 0.002), (0.2, 0.0), (0.0, 0.01)])
def test_the_fit_finds_what_a_curve_was_made_of(sigma, kappa):
    exact = models.usl_law()(N=np.array(usl.TRAINING, dtype=float), sigma=sigma, kappa=kappa)
    noise = np.random.default_rng(3).normal(1, 0.01, (12, len(exact)))
    found = usl.fit_law(usl.TRAINING, exact * noise)
    assert found.sigma == pytest.approx(sigma, abs=0.01) and found.kappa == pytest.approx(kappa, abs=0.0005)
    for value, (low, high) in ((sigma, found.sigma_interval), (kappa, found.kappa_interval)):
        assert low - 0.01 <= value <= high + 0.01 and low <= high
    assert "Contention σ" in found.summary()


def test_too_few_points_are_no_fit():
    with pytest.raises(MeasurementError, match="three numbers of threads"):
        usl.fit_law([1, 2, 3, 5], np.array([[1, 2, math.nan, math.nan]] * 8))


def test_a_column_without_clean_trials_is_left_out():
    exact = models.usl_law()(N=np.array(usl.TRAINING, dtype=float), sigma=0.1, kappa=0.001)
    blocks = np.tile(exact, (8, 1))
    blocks[:, 4], blocks[:3, 6] = math.nan, math.nan
    assert usl.fit_law(usl.TRAINING, blocks).sigma == pytest.approx(0.1)


def test_costs_are_the_line_through_the_probes():
    made = fork_join.ForkJoin.__new__(fork_join.ForkJoin)
    made.waiting, made.kind = True, ("waiting", "pool")
    counts = [1, 2, 8, 32]
    blocks = np.tile([fork_join.PIECE_NS + 500.0 + (n > 1) * 70.0 + 3.0 * (n - 1) for n in counts], (8, 1))
    found = made.costs(counts, blocks)
    assert (found.start, found.each, found.late) == pytest.approx((70, 3, 500))
    assert made.costs([1, 2], blocks[:, :2]).each == 0  # one point gives no slope
    with pytest.raises(MeasurementError, match="a clean trial, got none"):
        made.costs([1, 2], np.full((8, 2), math.nan))


# ---- The machine
# -------------------------------------------------------------------------------------------------------


@pytest.mark.machine
@needs_compiler
def test_waiting_work_speeds_up_beyond_the_cores_and_as_predicted():
    """Waits need no core, so this holds on one core, and beside other programs: only orders and wide bands are
    asserted.

    Whether a sleep was disturbed nobody can tell, so a low quantile must drop what was. A short run has one sample in
    each block, whose quantile is its median: beside programs that compute, with nice 10 too, speed-ups of 1.0 in place
    of 5.9 were seen.
    """
    run = registry.get("scaling.amdahl").run(
        {"work": "waiting", "P": 0.9, "T1": 20e6}, [1, 2, 4, 8, 16], budget_s=4, short=False
    )
    speed_up = run.measured[0].values
    assert (np.diff(speed_up) > 0).all()  # 1, 1.8, 3.1, 4.7, 6.4 by the law
    assert 3.5 < speed_up[-1] < 6.5
    assert run.comparison.median_relative_error < 0.15
    assert run.training["costs"]["origin"] == "measured"


@pytest.mark.machine
@needs_compiler
@two_cores
def test_spinning_work_speeds_up_to_the_cores_and_not_beyond():
    run = registry.get("scaling.amdahl").run(
        {"work": "spinning", "P": 1.0, "T1": 200e3}, [1, 2, 8 * cpus.current().cores], budget_s=2
    )
    _, two, many = run.measured[0].values
    assert 1.5 < two < 2.05
    assert many < 1.1 * cpus.current().cores


@needs_compiler
def test_creating_threads_costs_more_than_waking_them():
    found = {}
    for threads in fork_join.WAYS:
        work = fork_join.ForkJoin("waiting", threads, Cancel())
        times, _ = work.setting(16, 0, 1e6).run(12)
        found[threads] = np.quantile(times, 0.1)
    assert found["created"] > 1.1 * found["pool"]  # seen: 1.55 ms and 1.10 ms


@pytest.mark.machine
@needs_compiler
def test_scaled_work_grows_with_the_threads():
    run = registry.get("scaling.gustafson").run(
        {"work": "waiting", "P": 0.9, "T": 10e6}, [1, 4, 16], budget_s=3, short=False
    )
    one, four, sixteen = run.measured[0].values
    assert one == pytest.approx(1, abs=0.1) and 2.5 < four < 3.8 and 8 < sixteen < 14.6


@pytest.mark.parametrize("lab_id", ["scaling.amdahl", "scaling.gustafson", "scaling.usl"])
def test_work_waits_by_default_however_many_cores_there_are(monkeypatch, lab_id):
    for count in (1, 64):
        monkeypatch.setattr(cpus, "current", lambda count=count: cpus.Cpus(tuple(range(count)), None, pinned=True))
        assert registry.get(lab_id).point()["work"] == "waiting"


def test_the_costs_of_threads_are_told_in_a_sentence():
    told = fork_join.Costs(20_000, 1500, 61_200, ("waiting", "created")).summary()
    assert told.startswith("It takes s = 20 µs to create") and "c = 1.5 µs" in told and "d = 61 µs late" in told
    assert "late" not in fork_join.Costs(200, 50, 0, ("spinning", "pool")).summary()


def test_a_quota_limits_the_predicted_speed_up_of_spinning_work_and_not_of_waiting(monkeypatch):
    monkeypatch.setattr(cpus, "current", lambda: cpus.Cpus(tuple(range(8)), 2.0, pinned=True))
    lab = registry.get("scaling.amdahl")
    x = lab.x([8])
    spinning, waiting = (
        lab.predict(lab.point({"work": work, "P": 1, "T1": 100e6}), x, lab.recorded_fit)[0].values[0]
        for work in ("spinning", "waiting")
    )
    assert spinning < 2.01 and waiting > 7


@pytest.mark.machine
@needs_compiler
@pytest.mark.parametrize("lab_id", ["scaling.amdahl", "scaling.gustafson", "scaling.usl"])
def test_a_cancelled_run_leaves_no_thread(lab_id):
    before, cancel = psutil.Process().num_threads(), Cancel()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    try:
        list(registry.get(lab_id).runs({"work": "waiting"}, cancel=cancel, short=False))
    except SpeLabError as error:
        assert "cancelled" in str(error)
    timer.join()
    assert psutil.Process().num_threads() == before


@pytest.mark.machine
@needs_compiler
def test_an_interrupted_run_leaves_no_thread():
    before = psutil.Process().num_threads()
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(registry.get("scaling.amdahl").runs({"work": "waiting"}, short=False))
    timer.join()
    assert psutil.Process().num_threads() == before


# ---- Exercises
# ---------------------------------------------------------------------------------------------------------


ENTRIES = exercises.EXERCISES.entries
SEEDED = sorted(name for name, entry in ENTRIES.items() if isinstance(entry, Seeded))
DRAWS = range(40)


@pytest.mark.parametrize("name", SEEDED)
def test_drawn_numbers_are_judged_by_the_solution_and_differ(name):
    drawn = [ENTRIES[name].exercise(seed) for seed in DRAWS]
    assert len({each.question for each in drawn}) > 10
    for each in drawn:
        assert each.judge(each.answer).state == "right", each.question
        assert each.judge(2.7 * each.answer).state == each.judge(0).state == "wrong"
        assert each.question.endswith("?") and len(each.hints) >= 2


def verdicts(name, wrong):
    """Judge, for each draw, the number that a usual mistake gives; `wrong` gets the numbers of the question."""
    for seed in DRAWS:
        drawn = ENTRIES[name].exercise(seed)
        numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", drawn.question)]
        yield drawn.judge(wrong(*numbers))


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("third_point", lambda s, few, many: s * many / few, "straight line"),
        ("third_point", lambda s, few, many: 1 + (s - 1) * (many - 1) / (few - 1), "straight line"),
        ("third_point", lambda s, few, many: (1 - 1 / s) / (1 - 1 / few), "the parallel share"),
        ("best_threads", lambda p, ms, us: p * ms * 1000 / us, "derivative"),
        ("best_threads", lambda p, ms, us: math.sqrt(ms * 1000 / us), "parallel share"),
        ("first_failure", lambda fleet, years: years * 365.25, "one machine"),
        ("first_failure", lambda fleet, years: years * 365.25 * fleet, "less often"),
        ("first_failure", lambda fleet, years: years / fleet, "in years"),
    ],
)
def test_a_usual_mistake_is_named(name, wrong, said):
    for verdict in verdicts(name, wrong):
        assert verdict.state == "wrong" and said in verdict.reason


def test_the_third_point_is_the_one_of_a_searched_share():
    for seed in DRAWS:
        drawn = ENTRIES["third_point"].exercise(seed)
        given, few, many = (float(number) for number in re.findall(r"\d+(?:\.\d+)?", drawn.question))
        shares = np.linspace(0.5, 1, 500_001)
        found = shares[np.argmin(np.abs(models.amdahl_law()(N=few, P=shares) - given))]
        assert drawn.answer == pytest.approx(float(models.amdahl_law()(N=many, P=found)), rel=2e-3)


def test_the_best_number_of_threads_is_the_one_that_a_search_finds():
    for seed in DRAWS:
        drawn = ENTRIES["best_threads"].exercise(seed)
        share, ms, us = (float(number) for number in re.findall(r"\d+(?:\.\d+)?", drawn.question))
        n = np.arange(1, 200)
        assert abs(n[np.argmin(share * 1000 * ms / n + us * (n - 1))] - drawn.answer) <= 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("(1/S - 1/N) / (1 - 1/N)", "right"),
        ("(N - S) / (S * (N - 1))", "right"),
        ("1 - (1/S - 1/N)/(1 - 1/N)", "wrong"),
        ("1/S", "wrong"),
        ("1 - P", "wrong"),
        ("foo(", "wrong"),
        (3, "wrong"),
    ],
)
def test_the_serial_share_is_judged_as_an_expression(answer, state):
    assert exercises.EXERCISES["serial_share"].check(answer).state == state


@pytest.mark.machine
@needs_compiler
@two_cores
@pytest.mark.parametrize(
    ("text", "states"),
    [
        (exercises.LOCK_SOLUTION, {"right", "inconclusive"}),  # inconclusive on a machine that is never quiet
        (exercises.LOCK_TEMPLATE.replace("member;", "member + 0u;"), {"wrong", "inconclusive"}),
        (
            exercises.LOCK_SOLUTION.replace("i += (uint64_t)threads", "i += 1"),
            {"wrong"},
        ),  # nearly: every thread adds everything
        ("int", {"wrong"}),
        (7, {"wrong"}),
    ],
)
def test_the_lock_is_judged_by_the_sum_and_by_the_time(text, states):
    assert exercises.EXERCISES["lock"].check(text).state in states


def test_untouched_exercises_are_not_attempted():
    assert {each.check().state for each in exercises.EXERCISES.values()} == {"not attempted"}
    for name, template in (("lock", exercises.LOCK_TEMPLATE), ("chain", exercises.CHAIN_TEMPLATE)):
        assert exercises.EXERCISES[name].check(template).state == "not attempted"


@pytest.mark.machine
@needs_compiler
@pytest.mark.parametrize(
    ("text", "states"),
    [
        (exercises.CHAIN_SOLUTION, {"right", "inconclusive"}),  # inconclusive on a machine that is never quiet
        (exercises.CHAIN_TEMPLATE.replace("sum = 0", "sum = 0.0f"), {"wrong", "inconclusive"}),
        (exercises.CHAIN_SOLUTION.replace("for (; i < n; i++)", "for (; 0; i++)"), {"wrong"}),  # the rest is left out
        (
            exercises.CHAIN_TEMPLATE.replace(
                "float sum = 0;", "static float kept; if (kept) return kept; float sum = 0;"
            ).replace("return sum", "return kept = sum"),
            {"wrong"},
        ),  # the first result for all
    ],
)
def test_the_chain_is_judged_by_its_sums_and_by_the_time(text, states):
    assert exercises.EXERCISES["chain"].check(text).state in states


def test_one_core_is_no_place_for_the_lock(monkeypatch):
    monkeypatch.setattr(cpus, "current", lambda: cpus.Cpus((0,), None, pinned=True))
    assert exercises.EXERCISES["lock"].check(exercises.LOCK_SOLUTION).state == "inconclusive"
