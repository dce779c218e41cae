"""The branches topic: the chain by four routes, the fit on made-up machines, what the machine must show, and the
exercises.
"""

import math
import re
import shutil

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.c.assembly import assembly
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.machine import counter
from spe_lab.core.recording import Recording
from spe_lab.models import predictor as models
from spe_lab.topics import branches
from spe_lab.topics.branches import counted, fitting, selection

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
P = branches.symbol("p")
Q = 1 - P
GRID = (0.03, 0.1, 0.25, 0.4, 0.5, 0.65, 0.8, 0.97)
# shares 0.05, 0.1, … 0.5 of the reference table, by states
TABLE = {
    2: (0.095, 0.18, 0.32, 0.42, 0.48, 0.5),
    4: (0.0525, 0.1098, 0.2353, 0.3621, 0.4615, 0.5),
    6: (0.0501, 0.1011, 0.2092, 0.3292, 0.4457, 0.5),
    8: (0.05, 0.1001, 0.2023, 0.3131, 0.433, 0.5),
}


# ---- The chain
# ---------------------------------------------------------------------------------------------------------


def test_the_transition_matrix_is_the_counter_s_definition():
    assert branches.transition_matrix(4) == sympy.Matrix([[Q, P, 0, 0], [Q, 0, P, 0], [0, Q, 0, P], [0, 0, Q, P]])
    for states in range(2, 17):
        assert all(sympy.expand(sum(branches.transition_matrix(states).row(i))) == 1 for i in range(states))


@pytest.mark.parametrize(
    ("states", "by_hand"),
    [
        (2, 2 * P * Q),
        (4, P * Q / (1 - 2 * P * Q)),
        (6, P * Q * (1 - 2 * P * Q) / (1 - 3 * P * Q)),
        (8, P * Q * (1 - 3 * P * Q) / (1 - 4 * P * Q + 2 * P**2 * Q**2)),
    ],
)
def test_the_rate_solved_from_the_matrix_is_the_one_derived_by_hand(states, by_hand):
    assert sympy.simplify(branches.misprediction(states) - by_hand) == 0
    for share, expected in zip((0.05, 0.1, 0.2, 0.3, 0.4, 0.5), TABLE[states], strict=True):
        assert float(branches.rate(share, states)) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_form_for_2k_states_is_the_rate_of_each_even_number(k):
    form = branches.even_form()
    p, q, order = (next(s for s in form.free_symbols if s.name == name) for name in "pqk")
    assert sympy.simplify(form.subs({p: P, q: Q, order: k}) - branches.misprediction(2 * k)) == 0


def test_many_states_leave_the_rarer_outcome():
    assert branches.limit_of_many_states().name == "p"
    shares = np.linspace(0, 1, 101)
    assert np.abs(branches.rate(shares, 64) - np.minimum(shares, 1 - shares)).max() < 0.011
    assert (np.diff([branches.rate(0.3, n) for n in (2, 4, 8, 16, 32)]) < 0).all()


@pytest.mark.parametrize(("threshold", "expected"), [(2, 0.2370), (3, 0.2088)])
def test_an_odd_number_of_states_depends_on_the_threshold(threshold, expected):
    assert float(models.rate(0.2, 5, threshold)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("states", range(2, 17))
def test_model_eigenvector_and_stepped_chain_agree(states):
    for p in GRID:
        matrix = np.array(branches.transition_matrix(states).subs(P, p), dtype=float)
        values, vectors = np.linalg.eig(matrix.T)
        pi = np.real(vectors[:, np.argmin(np.abs(values - 1))])
        pi /= pi.sum()
        threshold = (states + 1) // 2
        expected = pi[:threshold].sum() * p + pi[threshold:].sum() * (1 - p)
        assert float(models.rate(p, states)) == pytest.approx(expected, abs=1e-9)
        # Mixing takes some states² branches; a long run forgets where it began.
        assert branches.average_rate(np.array([p]), 10**9, states, threshold, 0)[0] == pytest.approx(expected, abs=1e-5)


@needs_compiler
@pytest.mark.parametrize("states", range(2, 17))
def test_ten_million_simulated_branches_agree_within_four_standard_errors(states):
    runs, length = 100, 100_000
    for seed, p in enumerate(GRID, 1):
        rates = branches.simulate(p, length, runs, states=states, initial=states - 1, seed=100 * states + seed) / length
        expected = branches.average_rate(np.array([p]), length, states, (states + 1) // 2, states - 1)[0]
        assert abs(rates.mean() - expected) < 4 * rates.std(ddof=1) / math.sqrt(runs), p


# ---- The simulator
# -----------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("start", [0, 2, 3])
def test_short_runs_keep_their_start_as_the_chain_says(correlation, start):
    rates = branches.simulate(0.3, 20, 40_000, initial=start, correlation=correlation, seed=7) / 20
    expected = branches.average_rate(np.array([0.3]), 20, 4, 2, start, correlation)[0]
    assert abs(rates.mean() - expected) < 4 * rates.std(ddof=1) / 200


def follow_in_python(outcomes, states, threshold, state):
    missed = 0
    for taken in outcomes:
        missed += (state >= threshold) != taken
        state = min(max(state + (1 if taken else -1), 0), states - 1)
    return missed


@pytest.mark.parametrize(("states", "threshold", "initial"), [(2, 1, 0), (4, 2, 3), (5, 3, 2), (16, 4, 7)])
def test_following_a_counter_by_hand_counts_the_same(states, threshold, initial):
    outcomes = np.random.default_rng(states).random(500) < 0.4
    steps = branches.follow(outcomes.tolist(), states, threshold, initial)
    assert sum(step.predicted != step.taken for step in steps) == follow_in_python(outcomes, states, threshold, initial)
    assert all(abs(step.after - step.before) == 1 or step.after in (0, states - 1) for step in steps)


@needs_compiler
def test_evenly_spread_outcomes_are_what_the_counter_cannot_and_a_history_can_learn():
    rate = {
        kind: branches.simulate(0.25, 100_000, kind=kind, law="evenly spread")[0] / 100_000
        for kind in ("counter", "gshare", "local history")
    }
    assert rate["counter"] == pytest.approx(0.25, abs=1e-3)  # one in four is taken, and never expected
    assert max(rate["gshare"], rate["local history"]) < 0.01
    stepped = models.pattern_rate(np.array([0.25]), 100_000, 4, 2, 0)[0]
    assert stepped == pytest.approx(rate["counter"], abs=1e-3)


@needs_compiler
def test_a_global_history_holds_half_as_many_outcomes_of_its_own():
    """Four places know a period of four; two of them, and two of a fair coin's, do not."""
    rate = {
        kind: branches.simulate(0.25, 100_000, kind=kind, law="evenly spread", history=4)[0] / 100_000
        for kind in ("gshare", "local history")
    }
    assert rate["local history"] < 0.01 < 0.1 < rate["gshare"]


@needs_compiler
def test_alternation_can_be_always_wrong():
    found = {
        int(missed)
        for initial in (1, 2)
        for missed in branches.simulate(0.5, 1000, 20, initial=initial, law="evenly spread")
    }
    assert found == {500, 1000}


@needs_compiler
@pytest.mark.parametrize(
    "wrong",
    [
        {"p": -0.1},
        {"p": 1.1},
        {"p": math.nan},
        {"states": 1},
        {"states": 65},
        {"states": 2.5},
        {"threshold": 0},
        {"threshold": 4},
        {"initial": 4},
        {"initial": -1},
        {"correlation": 2},
        {"history": 0},
        {"history": 17},
        {"kind": "oracle"},
        {"law": "Murphy"},
        {"branches": 10**12},
        {"runs": -1},
    ],
)
def test_the_simulator_refuses_what_lies_outside_its_domain(wrong):
    arguments = {"p": 0.5, "branches": 10} | wrong
    with pytest.raises(SpeLabError, match=r"must be .*got .*;"):
        branches.simulate(**arguments)


@needs_compiler
def test_the_c_refuses_what_python_would_not_send():
    library = native.load("branches")
    law, out = library.struct("outcomes")(0, 1 << 31, 1 << 31, 1 << 31, 1), np.zeros(1, np.uint64)
    for fields in (
        (0, 1, 1, 0, 0, None),
        (0, 65, 1, 0, 0, None),
        (0, 4, 4, 0, 0, None),
        (0, 4, 2, 4, 0, None),
        (1, 4, 2, 0, 8, None),
        (3, 4, 2, 0, 8, None),
    ):
        assert (
            library.simulate_predictor(library.struct("predictor")(*fields), law, 10, 1, out, Cancel().flag)
            == library.constants["SPE_BAD_ARGUMENT"]
        )


@needs_compiler
def test_a_cancelled_simulation_says_so():
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        branches.simulate(0.5, 10**9, cancel=cancel)


# ---- The machine
# -------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("n", [1, 2, 7, 64])
@pytest.mark.parametrize("way", ["branching", "predicated"])
def test_each_loop_adds_what_numpy_adds_and_a_key_at_the_threshold_does_not_count(n, way):
    library, rng, width = native.load("branches"), np.random.default_rng(n), 3
    keys, payload = rng.integers(0, 4, n).astype(np.int32), rng.integers(0, 2**30, n * width).astype(np.int32)
    for action, read, step in (("sum", keys, 1), ("read", payload, width)):
        for threshold in range(5):  # each key equals it for some
            state = library.struct("selection")(keys.ctypes.data, payload.ctypes.data, n, step, 0, threshold)
            place = 0
            for work in (0, 1, n, 2 * n + 1):  # the cursor is carried from one to the next
                visited = (place + np.arange(work)) % n
                expected = int(read[visited * step][keys[visited] < threshold].astype(np.int64).sum())
                assert getattr(library, f"{action}_{way}")(state, work) == expected
                place += work


@needs_compiler
@pytest.mark.parametrize("action", ["sum", "read"])
def test_the_branch_survives_and_its_twin_has_none(action):
    """The twin's loop holds one conditional jump less: only those that count are left."""
    jumps = {}
    for kernel in ("branching", "predicated"):
        lines = [
            line.split()[0]
            for line in assembly("branches", f"{action}_{kernel}").splitlines()
            if line.startswith(("\t", " ")) and line.split()
        ]
        conditional = [
            word
            for word in lines
            if (word[0] == "j" and not word.startswith("jmp")) or word.startswith(("b.", "cb", "tb"))
        ]
        jumps[kernel] = len(conditional)
    assert jumps["branching"] > jumps["predicated"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("states", fitting.FAMILY)
@pytest.mark.parametrize("payload", [0, 4])
def test_a_made_up_machine_is_found_again(states, payload):
    rng = np.random.default_rng(states)
    p = np.array(selection.TRAINING)
    truth = np.array([1.0, 0.6, 6.0, 2.0, 5.0][: 5 if payload else 3])
    times = fitting.columns(p, states, payload) @ truth
    exact = branches.fit(p, np.tile(times, (8, 1)), payload)
    assert exact.states == states and exact.coefficients == pytest.approx(truth, rel=1e-6)
    noisy = branches.fit(p, times * (1 + 0.01 * np.abs(rng.standard_normal((24, len(p))))), payload)
    order = fitting.FAMILY.index
    assert order(noisy.low) <= order(noisy.states) <= order(noisy.high)
    assert order(noisy.low) <= order(states) <= order(noisy.high)
    assert noisy.predict(p) == pytest.approx(times, rel=0.03)


def test_a_fit_without_points_says_what_it_needs():
    with pytest.raises(MeasurementError, match="clean samples at 5 selectivities"):
        branches.fit([0.0, 0.5, 1.0], np.ones((8, 3)))


def test_lines_of_a_conditional_read_are_those_of_a_toss_for_each_item():
    chosen = np.random.default_rng(3).random((400_000 // 16, 16)) < 0.05
    touched = chosen.any(axis=1)
    in_order = touched[1:] & touched[:-1]
    sequential, random = fitting.lines(np.array([0.05]), 4)
    assert sequential[0] * 16 == pytest.approx(in_order.mean(), rel=0.05)
    assert random[0] * 16 == pytest.approx((touched[1:] & ~touched[:-1]).mean(), rel=0.05)


def test_crossovers_solve_the_cost_for_the_time_without_a_branch():
    values = {"t0": 1.0, "t1": 0.5, "P": 6.0, "c": 0.9}
    low, high = (
        float(each.subs({models.symbol(k): v for k, v in {**values, "c": 1.2}.items()}))
        for each in branches.crossovers()
    )
    for p in (low, high):
        assert 0 < p < 1
        assert float(branches.element_time()(p=p, m=min(p, 1 - p), t0=1.0, t1=0.5, P=6.0)) == pytest.approx(1.2)


@pytest.mark.machine
@needs_compiler
def test_the_machine_shows_what_the_chapter_says():
    """Orderings alone: random outcomes cost most in the middle, and without a branch the share does not matter."""
    lab = registry.get("branches.selectivity")
    run = lab.run(over=[0, 0.05, 0.5, 0.95, 1], budget_s=2)
    branching = run.measured[0]
    # Penalties are 5 to 20 cycles for every second element; the loop takes two to four.
    assert branching.values[2] > 1.5 * max(branching.values[0], branching.values[-1])
    assert branching.values[2] > 1.2 * max(branching.values[1], branching.values[3])
    # An order too: both loops share their samples, and a busy hyper-thread beside them takes up to half of either one's
    # speed.
    spread, without_branch = (np.nanmax(curve.values) - np.nanmin(curve.values) for curve in run.measured)
    assert without_branch < spread / 2
    rates = branching.provenance["rates"]["inferred"]
    assert rates[2] == pytest.approx(0.5, abs=0.1) and abs(rates[0]) < 0.1 and abs(rates[-1]) < 0.1


@pytest.mark.machine
@needs_compiler
def test_a_long_pattern_costs_more_than_a_short_one():
    run = registry.get("branches.memorisation").run(over=[64, 1 << 20], budget_s=2)
    assert run.measured[0].values[1] > 1.5 * run.measured[0].values[0]


# ---- Counting
# ----------------------------------------------------------------------------------------------------------


def test_where_no_counter_can_be_opened_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(counter, "perf_event_open", lambda kind, event: -13)
    with pytest.raises(UnavailableError, match="perf_event_paranoid"):
        counter.count(counter.HARDWARE, counter.BRANCH_MISSES, lambda: None)


def test_a_counter_counts_while_the_work_runs():
    try:
        short, long = (
            counter.count(counter.SOFTWARE, counter.TASK_CLOCK, lambda n=n: sum(range(n))) for n in (10_000, 3_000_000)
        )
    except UnavailableError as error:
        pytest.skip(f"perf events: {error}")
    assert 0 < short < long


def test_a_cachegrind_file_is_read_by_function():
    text = (
        "desc: x\nevents: Ir Bc Bcm Bi Bim\nfl=a.c\nfn=main\n3 10 5 4 0 0\nfn=sum_branching\n25 100 20 7 0 0\n26 5"
        " 1\n27 9 9 2 0 0\nfn=main\n9 9 9 9 9 9\n"
    )
    assert counted.mispredicted(text, "sum_branching") == 9


@needs_compiler
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind")
def test_a_simulated_core_has_the_two_bit_counter_of_the_notes():
    curve = branches.counted_by_valgrind([0.2, 0.5], keys=50_000)
    # Four standard errors of 50,000 tosses are below 0.01, correlated as they are.
    assert curve.source == "simulated" and curve.values == pytest.approx(
        branches.rate(np.array([0.2, 0.5]), 4), abs=0.015
    )


@pytest.mark.parametrize("shares", [[], [1.5], [-0.1]])
def test_shares_to_count_are_checked(shares):
    with pytest.raises(SpeLabError, match="shares must be"):
        counted.counted_by_valgrind(shares)


# ---- Exercises and the diagram
# -----------------------------------------------------------------------------------------


def own_run(values, payload="none", source="measured"):
    x = Axis("p", "", np.linspace(0, 1, len(values)))
    curve = Curve("branching", source, x, "ns", values, np.array(values) * 0.99, np.array(values) * 1.01)
    return Recording("branches.selectivity", {"payload": payload}, x, [curve], {}, {}, "0")


TIMES = [0.6, 2.2, 3.5, 2.1, 0.4]  # (0.6 + 0.4)/2 = 0.5, so the penalty is 2 · 3 = 6 ns


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (..., "not attempted", "dots"),
        (6, "right", "= 6 ns"),
        (5.9, "right", "= 6 ns"),
        (3, "wrong", "only half of them"),
        (7, "wrong", "subtract that first"),
        (3.5, "wrong", "subtract that first"),
        (5.7, "wrong", "another base time"),
        (20, "wrong", "your run allows"),
        ("six", "wrong", "must be a number"),
    ],
)
def test_the_penalty_is_judged_by_the_reader_s_own_run(answer, state, reason):
    verdict = branches.EXERCISES["penalty"].check(answer, run=own_run(TIMES))
    assert verdict.state == state and reason in verdict.reason, verdict


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (None, "there is none yet; press Measure"),
        (own_run(TIMES, payload="64 B"), "at payload = none, and this run has 64 B"),
        (own_run(TIMES, source="recorded"), "recorded on another machine"),
        (own_run([np.nan] * 5), "no clean sample"),
        (own_run([1.0, 2.0]), "one is missing"),
    ],
)
def test_the_penalty_needs_a_measurement(run, reason):
    asked = branches.EXERCISES["penalty"]
    for answer in (6, asked.solved(run=run)):
        verdict = asked.check(answer, run=run)
        assert verdict.state == "inconclusive" and reason in verdict.reason, verdict


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (..., "not attempted"),
        ("2*p*(1-p)", "right"),
        ("2*p*q", "right"),
        (2 * sympy.Symbol("p") * (1 - sympy.Symbol("p")), "right"),
        ("p*(1-p)", "wrong"),
        (branches.misprediction(4), "wrong"),
        ("2*x", "wrong"),
        ("((", "wrong"),
        (0.5, "wrong"),
        ("1/(p - 1/5)", "wrong"),
        ("I*p", "wrong"),
        ("p < 1", "wrong"),
        (True, "wrong"),
        ((1, 2), "wrong"),
        (float("nan"), "wrong"),
    ],
)
def test_the_two_state_rate_is_judged_as_an_expression(answer, state):
    assert branches.EXERCISES["two_states"].check(answer).state == state


@pytest.mark.parametrize("seed", range(20))
def test_sorted_keys_are_mispredicted_where_their_order_changes(seed):
    asked = branches.EXERCISES.entries["sorted"].exercise(seed)
    states = int(re.search(r"The (\d+)-state counter", asked.question)[1])
    outcomes = [True] * 50 + [False] * 50 if "rising order" in asked.question else [False] * 50 + [True] * 50
    initial = 0 if "strongly not taken" in asked.question else states - 1
    assert asked.answer == follow_in_python(outcomes, states, states // 2, initial)
    assert asked.judge(0).state == asked.judge(asked.answer + 1).state == "wrong"
    keys = int(re.match("[0-9,]+", asked.question)[0].replace(",", ""))
    assert "in random order" in asked.judge(keys / 2).reason


@pytest.mark.parametrize("seed", range(20))
def test_a_branch_breaks_even_where_both_loops_take_the_same_time(seed):
    asked = branches.EXERCISES.entries["break_even"].exercise(seed)
    never, always, penalty, predicated = map(float, re.findall(r"[\d.]*\d(?= ns)", asked.question))
    p = asked.answer
    assert (1 - p) * never + p * always + p * penalty == pytest.approx(predicated, rel=1e-3)
    mistakes = {
        "another form": (1 - p, 100 * p),
        "another base time": ((predicated - never) / penalty,),
        "between 0 and 1/2": (-1, 0.7),
        "the branching loop takes": (p / 2,),
    }
    for reason, answers in mistakes.items():
        for answer in answers:
            verdict = asked.judge(answer)
            assert verdict.state == "wrong" and reason in verdict.reason, (answer, verdict)


@pytest.mark.machine
@needs_compiler
def test_the_predicated_solution_is_right_and_the_template_is_not():
    exercise = branches.EXERCISES["predicate"]
    assert exercise.check(exercise.answer).state in ("right", "inconclusive")
    assert exercise.judge(branches.PREDICATE_TEMPLATE).state in ("wrong", "inconclusive")
    assert exercise.check(branches.PREDICATE_TEMPLATE).state == "not attempted"
    assert exercise.check(exercise.answer.replace("-below", "below")).state == "wrong"
    assert "must declare struct keys" in exercise.check("int x;").reason


@pytest.mark.machine
@needs_compiler
def test_a_delay_does_not_pass_for_a_loop_without_a_branch():
    delay = "for (volatile int j = 0; j < 60; j++)\n            ;\n        if (++i"
    verdict = branches.EXERCISES["predicate"].judge(branches.PREDICATE_TEMPLATE.replace("if (++i", delay))
    assert verdict.state in ("wrong", "inconclusive") and "times" in verdict.reason, verdict


@pytest.mark.parametrize("name", sorted(branches.EXERCISES))
def test_every_exercise_has_hints_and_a_solution(name):
    exercise = branches.EXERCISES[name]
    assert exercise.question.rstrip().endswith(("?", ".")) and len(exercise.hints) >= 2 and str(exercise.solution())


def test_the_diagram_has_one_picture_for_each_branch_and_says_what_it_shows():
    frames = branches.steps_through("TTNT", p=0.3)
    assert len(frames) == 5
    assert all(svg.startswith("<svg") and 'role="img"' in svg and "0.3" in svg and "0.7" in svg for svg, _ in frames)
    assert "Mispredicted so far: 4 of 4" in frames[-1][1]
    with pytest.raises(SpeLabError, match="T and N"):
        branches.steps_through("TXN")
