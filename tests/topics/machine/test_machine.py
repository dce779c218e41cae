"""The machine topic: what calibration makes of a machine, its labs, tables and exercises."""

import dataclasses
import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from spe_lab.core import machine as machines
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.calibration import calibration
from spe_lab.core.calibration.steps import Staircase, Step
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError
from spe_lab.core.machine import Machine, Parameter, sources
from spe_lab.core.recording import Run
from spe_lab.topics import machine
from spe_lab.topics.machine import exercises, report

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


@pytest.fixture(scope="module")
def bench():
    if not native.available():
        pytest.skip("needs a C compiler to measure")
    return calibration.Calibration(machines.claim(), Cancel())


def step(capacity, latency, kind="ramp"):
    return Step(capacity, capacity * 0.9, capacity * 1.1, latency, latency * 0.9, latency * 1.1, kind)


def staircase(*steps):
    return Staircase(1.0, 0.9, 1.1, steps, 0.01)


def test_three_steps_are_the_three_levels(bench):
    if "l3_capacity" not in bench.claimed:
        pytest.skip("this machine claims two levels of cache")
    found = bench.levels(staircase(step(2**15, 3, "cliff"), step(2**20, 10), step(2**25, 80)))
    assert [found[f"l{i}_capacity"].value for i in (1, 2, 3)] == [2**15, 2**20, 2**25]
    assert [found[name].value for name in ("l1_latency", "l2_latency", "l3_latency", "memory_latency")] == [
        1,
        3,
        10,
        80,
    ]
    assert [found[f"l{i}_replacement"].value for i in (1, 2, 3)] == [0, 1, 1]


def test_of_two_steps_the_last_leads_to_memory_and_the_middle_is_not_resolvable(bench):
    if "l3_capacity" not in bench.claimed:
        pytest.skip("this machine claims two levels of cache")
    found = bench.levels(staircase(step(2**15, 3), step(2**21, 90)))
    assert (
        found["l1_capacity"].value == 2**15
        and found["l3_capacity"].value == 2**21
        and found["memory_latency"].value == 90
    )
    assert found["l2_capacity"].value is None and found["l3_latency"].verdict == calibration.UNRESOLVED


def test_a_curve_without_steps_resolves_no_capacity(bench):
    found = bench.levels(staircase())
    assert found["l1_latency"].value == 1.0
    assert all(parameter.value is None for name, parameter in found.items() if name.endswith("capacity"))


def test_an_absorbed_level_adds_next_to_nothing_to_a_model():
    found = {
        "l3_latency": calibration.unresolved("ns", "a method"),
        "l1_latency": calibration.measured((1.1, 1.0, 1.2), "ns", "a method"),
    }
    merged = machines.with_measured(found)
    assert merged.value("l1_latency") == 1.1 and merged.value("l3_latency") < 0.1
    assert merged.value("l2_capacity") == machines.claim()["l2_capacity"].value


def test_intervals_remember_what_the_last_calibrations_found():
    def kept(value: float, former: Machine | None) -> Machine:
        profile = machines.profile_of(
            {"l1_latency": calibration.measured((value, value - 0.1, value + 0.1), "ns", "a method")}, former
        )
        return Machine({**profile.facts, "calibrated_at": datetime.now(UTC).isoformat()}, profile.parameters)

    profile = None
    for value in (9.0, 1.0, 1.5, 2.0, 1.2, 1.1):
        profile = kept(value, profile)
    found = profile.parameters["l1_latency"]
    assert (found.value, found.low, found.high, found.earlier) == (1.1, 1.0, 2.0, (1.0, 1.5, 2.0, 1.2))
    assert Machine.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile
    foreign = Machine({**profile.facts, "cpu": "another"}, profile.parameters)
    assert kept(1.3, foreign).parameters["l1_latency"].earlier == ()


@pytest.mark.parametrize("estimate", [(math.nan,) * 3, (-1.0, -2.0, 1.0), (1.0, -0.5, 2.0), (0.0, 0.0, 0.0)])
def test_what_the_data_do_not_carry_is_not_resolvable(estimate):
    assert calibration.measured(estimate, "ns", "a method").verdict == calibration.UNRESOLVED


@pytest.mark.parametrize(("line", "height"), [(64, 20), (128, 20), (32, 100)])
def test_the_line_is_where_the_second_load_becomes_dear(line, height):
    offsets = np.array([8, 16, 24, 32, 48, 56, 64, 96, 120, 128, 192, 248, 256])
    noise = 1 + 0.02 * np.abs(np.random.default_rng(1).standard_normal((12, offsets.size)))
    assert calibration.line_from(offsets, (150 + height * (offsets >= line)) * noise, "a method").value == line


def test_a_line_is_a_power_of_two_even_if_a_sample_just_above_it_was_fast():
    offsets = np.array([8, 16, 24, 32, 48, 56, 64, 96, 120, 128, 192, 248, 256])
    times = np.array([120, 121, 121, 120, 121, 120, 121, 136, 136, 137, 138, 137, 138.0])
    noise = 1 + 0.001 * np.abs(np.random.default_rng(3).standard_normal((12, offsets.size)))
    assert calibration.line_from(offsets, times * noise, "a method").value in (64, 128)


def test_a_flat_curve_shows_no_line():
    offsets = np.arange(8, 264, 8)
    noise = 1 + 0.02 * np.abs(np.random.default_rng(2).standard_normal((12, offsets.size)))
    assert calibration.line_from(offsets, 150 * noise, "a method").value is None


@pytest.mark.machine
@needs_compiler
def test_scalars_come_in_the_order_that_every_machine_shows(bench):
    found = bench.scalars({})
    value = {name: parameter.value for name, parameter in found.items()}
    assert 0.3 < value["core_clock"] < 10  # GHz: no core in use is outside
    assert value["call_cost"] < value["timer_cost"] < 50 * value["system_call_cost"]
    assert value["call_cost"] < value["system_call_cost"]
    assert all(p.low <= p.value <= p.high for p in found.values() if p.value is not None and p.low is not None)


@needs_compiler
def test_page_faults_are_counted_exactly(bench):
    assert bench.faults({})["page_size"].value == machines.claim()["page_size"].value


@needs_compiler
def test_a_cancelled_calibration_says_so_and_keeps_the_profile(monkeypatch, tmp_path):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path))
    before = Machine(machines.facts(), machines.claim())
    kept = machines.save_own(before).read_bytes()
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        list(calibration.calibrate(machines.claim(), cancel))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [kept]


def test_models_take_their_parameters_from_the_profile_and_say_so(monkeypatch, tmp_path):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path))
    measured = calibration.measured((2.5, 2.4, 2.6), "ns", "a method")
    machines.save_own(Machine(machines.facts(), {**machines.claim(), "l1_latency": measured}))
    slider = registry.get("memory.working_set").sliders["t0"]
    assert slider.default == 2.5 and slider.source.startswith("measured")


def test_tables_name_sources_methods_and_verdicts():
    assert "sysconf" in machine.claims_table() or "sysctl" in machine.claims_table()
    found = {
        "l1_latency": calibration.measured((1.1, 1.0, 1.2), "ns", "a method"),
        "l3_capacity": calibration.unresolved("B", "another"),
    }
    own = Machine(machines.facts(), found)
    table = machine.parameters_table(own)
    assert "1.1 ns (1 ns to 1.2 ns)" in table and "a method" in table and calibration.UNRESOLVED in table
    assert "press *Calibrate*" in machine.parameters_table(Machine(machines.facts(), machines.claim()))


def with_profile(latency, clock):
    parameters = {
        "l1_latency": calibration.measured(latency, "ns", "m"),
        "core_clock": calibration.measured(clock, "GHz", "m"),
    }
    return Machine({}, parameters)


@pytest.mark.parametrize(
    ("answer", "state"),
    [(4, "right"), (4.1, "right"), (0.25, "wrong"), (12, "wrong"), ("four", "wrong"), (..., "not attempted")],
)
def test_the_cycles_exercise_tells_answers_apart(answer, state):
    assert (
        machine.EXERCISES["cycles"].check(answer, machine=with_profile((1.0, 0.98, 1.02), (4.0, 3.9, 4.1))).state
        == state
    )


@pytest.mark.parametrize(("answer", "said"), [(0.25, "divided by the clock"), (1, "the latency in ns")])
def test_the_cycles_exercise_knows_two_mistakes(answer, said):
    profile = with_profile((1.0, 0.98, 1.02), (4.0, 3.9, 4.1))
    assert said in machine.EXERCISES["cycles"].check(answer, machine=profile).reason


def test_the_cycles_exercise_asks_for_a_profile():
    assert (
        "press Calibrate"
        in machine.EXERCISES["cycles"]
        .check(4, machine=Machine({}, {"l1_latency": Parameter(1.3, "ns", "assumed", "x")}))
        .reason
    )


def facts_run(got, low, high):
    x = Axis("level", "", [1, 2, 3])
    measured = Curve("effective", "measured", x, "B", [1, 1, got], [1, 1, low], [1, 1, high])
    return Run(
        "machine.facts", {}, x, [measured], {}, {}, "0", [Curve("stated", "predicted", x, "B", [1, 1, 100])], None
    )


@pytest.mark.parametrize(("answer", "state"), [(0.1, "right"), (0.4, "wrong"), (10, "wrong"), (..., "not attempted")])
def test_the_share_exercise_is_judged_by_the_reader_s_own_run(answer, state):
    assert machine.EXERCISES["share"].check(answer, run=facts_run(10, 8, 12)).state == state


def test_the_share_exercise_is_inconclusive_where_the_level_is_hidden():
    hidden = facts_run(math.nan, math.nan, math.nan)
    assert machine.EXERCISES["share"].check(0.1, run=hidden).state == "inconclusive"
    other = dataclasses.replace(hidden, lab="memory.stride")
    assert machine.EXERCISES["share"].check(0.1, run=other).state == "inconclusive"


def test_a_loop_that_only_waits_does_not_multiply():
    assert exercises.multiplies([["\taddq %rax, %rcx"], ["\timulq %rdx, %rax"]]) == ""
    assert exercises.multiplies([["\tmadd x0, x1, x2, x3"]]) == exercises.multiplies([["\tmul x0, x0, x1"]]) == ""
    assert "does not multiply" in exercises.multiplies([["\tmovl -4(%rsp), %eax", "\taddl $1, %eax # mul"]])


@pytest.mark.machine
@needs_compiler
def test_the_multiplication_exercise_knows_an_addition_when_it_sees_one():
    exercise = machine.EXERCISES["multiply"]
    # A busy machine may widen an interval, but must not turn right into wrong.
    assert exercise.check(exercise.answer).state in ("right", "inconclusive")
    assert exercise.check(exercises.MULTIPLY_TEMPLATE).state == "not attempted"
    assert exercise.check(exercises.MULTIPLY_TEMPLATE + "int other;").state in ("wrong", "inconclusive")
    assert "must return 3" in exercise.check(exercises.MULTIPLY_SOLUTION.replace("= 3", "= 5")).reason
    assert "must declare" in exercise.check('#include "spe.h"\nint f(void) { return 0; }').reason


def test_claims_that_differ_are_listed_and_only_those(monkeypatch):
    stated = (("l2_capacity", 2**20, "a file"), ("l2_capacity", 2**19, "a|command"), ("line_size", 64, "a file"))
    claims = [sources.Claim(name, value, "B", source) for name, value, source in stated]
    monkeypatch.setattr(sources, "claims", lambda: claims)
    table = machine.disagreements_table()
    assert (
        "| l2 capacity | 1 MiB | a file |" in table
        and "| l2 capacity | 512 KiB | a∣command |" in table
        and "line" not in table
    )
    monkeypatch.setattr(sources, "claims", lambda: claims[:1])
    assert machine.disagreements_table() == "All claims agree on this machine."


def test_what_will_be_hard_to_measure_is_told_with_its_chapters(monkeypatch):
    hidden = Parameter(None, "B", "measured", "a method", verdict=calibration.UNRESOLVED)
    poor = Machine({**machines.facts(), "cores": 1, "virtualised": True}, {"l2_capacity": hidden})
    monkeypatch.setattr(report, "current", lambda: poor)
    monkeypatch.setattr(sources, "claims", lambda: [sources.Claim("hardware_counter", "no PMU", "", "perf_event_open")])
    table = machine.outlook_table()
    for row in ("| l2 capacity |", "| threads | one core |", "| shared caches |", "| hardware counters | no PMU |"):
        assert row in table
    rich = Machine({**poor.facts, "cores": 8, "virtualised": False}, {})
    monkeypatch.setattr(report, "current", lambda: rich)
    monkeypatch.setattr(sources, "claims", list)
    assert machine.outlook_table() == "Nothing stands in the way of any chapter."
