"""The memory topic: its models against hand-derived forms and simulation, its exercises, and what a
machine must show.
"""

import dataclasses
import itertools
import json
import math
import random
import re

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.formula import Formula
from spe_lab.core.reader.claims import claims
from spe_lab.core.recording import Recording
from spe_lab.topics import memory
from spe_lab.topics.memory import exercises
from spe_lab.ui.static import lab_of

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
KIB, MIB = 1 << 10, 1 << 20
VALUES = {
    "B_L1": 64,
    "B_L2": 64,
    "B_TLB": 4096,
    "B_L3": 64,
    "C_L1": 32 * KIB,
    "C_L2": MIB,
    "C_TLB": 8 * MIB,
    "C_L3": 32 * MIB,
    "k_L1": 1,
    "k_L2": 1,
    "k_TLB": 1,
    "k_L3": 1,
    "t0": 1.0,
    "l_L1": 3.0,
    "l_L2": 10.0,
    "l_TLB": 8.0,
    "l_L3": 80.0,
}
SIZES = ("C_L1", "C_L2", "C_TLB", "C_L3")


def test_the_stride_equation_is_the_notes():
    s = memory.symbol("s")
    ramps = (memory.symbol(f"l_{at}") * sympy.Min(1, s / memory.symbol(f"B_{at}")) for at in ("L1", "L2", "TLB", "L3"))
    derived = memory.access_time({level: memory.misses_by_stride(level) for level in memory.LEVELS})
    assert derived - memory.symbol("t0") - sum(ramps) == 0


@pytest.mark.parametrize(("stride", "block"), list(itertools.product((4, 8, 12, 64, 96, 100, 4096), (4, 64, 4096))))
def test_misses_by_stride_count_the_blocks_that_a_sweep_touches(stride, block):
    accesses = 10_000
    touched = len({i * stride // block for i in range(accesses)})
    predicted = float(memory.misses_by_stride("L1").subs({memory.symbol("s"): stride, memory.symbol("B_L1"): block}))
    assert touched / accesses == pytest.approx(predicted, abs=1 / accesses)  # the last block may be cut


def test_the_staircase_is_the_notes_case_by_case():
    steps = {16 * KIB: 1, 64 * KIB: 1 + 3, 4 * MIB: 1 + 3 + 10, 16 * MIB: 1 + 3 + 10 + 8, 64 * MIB: 1 + 3 + 10 + 8 + 80}
    assert memory.staircase()(S=list(steps), **VALUES).tolist() == list(steps.values())


def test_a_set_of_exactly_the_capacity_fits():
    for name in SIZES:
        at, above = memory.staircase()(S=[VALUES[name], VALUES[name] + 64], **VALUES)
        assert at < above


def test_the_refined_model_starts_with_the_staircase_s_floor_and_ends_at_its_top():
    sizes = np.array([KIB, 32 * KIB, 1e15])
    refined, staircase = memory.refined()(S=sizes, **VALUES), memory.staircase()(S=sizes, **VALUES)
    assert refined[:2].tolist() == staircase[:2].tolist()
    assert refined[2] == pytest.approx(staircase[2], rel=1e-6)


def test_the_refined_share_of_misses_is_that_of_random_references_to_a_cache_with_random_replacement():
    rng = np.random.default_rng(1)
    lines, capacity, accesses = 300, 100, 60_000
    resident, present, misses = list(range(capacity)), set(range(capacity)), 0
    for line in rng.integers(0, lines, accesses):
        if line not in present:
            misses += 1
            victim = rng.integers(capacity)
            present.remove(resident[victim])
            resident[victim] = line
            present.add(line)
    predicted = float(
        memory.misses_by_size("L1", sharp=False).subs({memory.symbol("S"): lines, memory.symbol("C_L1"): capacity})
    )
    # Hits of neighbouring accesses are nearly independent: four standard errors of a binomial share.
    assert misses / accesses == pytest.approx(predicted, abs=4 * math.sqrt(predicted * (1 - predicted) / accesses))


@pytest.mark.parametrize(("lines", "share"), [(99, 0.0), (100, 0.0), (101, 1.0), (250, 1.0)])
def test_the_sharp_share_of_misses_is_that_of_a_repeated_order_under_lru(lines, share):
    from collections import OrderedDict

    capacity, cache, misses = 100, OrderedDict(), 0
    order = np.random.default_rng(2).permutation(lines)
    for lap in range(3):
        for line in order:
            if line in cache:
                cache.move_to_end(line)
            else:
                misses += lap > 0  # the first lap fills the cache
                cache[line] = True
                if len(cache) > capacity:
                    cache.popitem(last=False)
    predicted = float(
        memory.misses_by_size("L1", sharp=True).subs({memory.symbol("S"): lines, memory.symbol("C_L1"): capacity})
    )
    assert misses / (2 * lines) == predicted == share


def test_the_stride_model_leaves_out_levels_that_hold_the_array():
    in_second = memory.stride_time()(s=[64, 4096], S=256 * KIB, **VALUES)
    assert in_second.tolist() == [1 + 3, 1 + 3]


@pytest.mark.parametrize("stride", [4, 60, 64, 68, 96, 124, 128, 192, 4096])
def test_skips_by_stride_count_the_steps_that_leave_a_line_out(stride):
    lines = np.arange(64 * 4096 + 1) * stride // 64
    skips = memory.skips_by_stride("L3").subs({memory.symbol("s"): stride, memory.symbol("B_L3"): 64})
    assert np.mean(np.diff(lines) > 1) == float(skips)


def test_the_prefetched_model_mixes_two_prices_in_memory_and_knows_none_in_the_first_cache():
    prices = {**VALUES, "t_step": 2.0, "q": 0.5, "r_L1": 0.25, "r_L3": 12.0}
    assert memory.prefetched()(s=[32, 64, 96, 512], S=100 * MIB, **prices).tolist() == [2.25, 2.5, 8.375, 14.25]
    assert memory.prefetched()(s=[32, 64, 96, 512], S=16 * KIB, **prices).tolist() == [2, 2, 2, 2]
    assert memory.prefetched()(s=[64, 512], S=256 * KIB, **prices).tolist() == [2, 2.25]


def test_numeric_twins_agree_with_exact_substitution():
    prices = {"t_step": 2.0, "q": 0.5, "r_L1": 0.25, "r_L3": 12.0}
    for model in (memory.stride_time(), memory.prefetched(), memory.staircase(), memory.refined()):
        for size, stride in ((48 * KIB, 12), (3 * MIB, 640), (100 * MIB, 8192)):
            values = {**VALUES, **prices, "S": size, "s": stride}
            exact = model.expression.subs({symbol: sympy.nsimplify(values[symbol.name]) for symbol in model.symbols})
            assert float(model(**{symbol.name: values[symbol.name] for symbol in model.symbols})) == pytest.approx(
                float(exact), rel=1e-12
            )


OLD = {"C_L1": "C1", "C_L3": "C4", "t0": "l0", "l_L3": "l4", "B_L1": "B1", "k_L3": "k4", "t_step": "q0", "q": "q4"}


@pytest.mark.parametrize("lab_id", ["memory.stride", "memory.working_set", "numerical.fit", "numerical.points"])
def test_a_recording_that_was_saved_with_the_model_s_former_names_still_loads(lab_id):
    lab, data = registry.get(lab_id), registry.get(lab_id).recorded().to_dict()
    data["point"] = {OLD.get(name, name): value for name, value in data["point"].items()} | {"B0": 4}
    old = Recording.from_json(json.dumps(data))
    there = lab_of(old)
    run = there.joined(there.fitted(old))
    assert set(run.point) == set(there.sliders) - {lab.axis}  # the sliders of today, at their defaults
    assert run.predicted and all(np.isfinite(curve.values).all() for curve in run.predicted)


def test_the_bandwidth_bound_follows_the_bytes_that_are_fetched():
    values = {**VALUES, "b": 32.0, "t_add": 0.25, "k_L3": 0}
    assert memory.bandwidth_by_stride()(s=[4, 16, 64, 4096], S=100 * MIB, **values).tolist() == [0.25, 0.5, 2.0, 2.0]
    assert memory.bandwidth_by_stride()(s=[64, 4096], S=MIB, **values).tolist() == [0.25, 0.25]
    assert memory.bandwidth_by_size()(S=[KIB, 100 * MIB], **values).tolist() == [0.25, 2.0]


def test_the_figure_has_room_for_the_independent_loop_before_it_is_measured():
    """A measurement that makes the axis longer moves everything on the figure while the reader looks at it."""
    for lab_id in ("memory.working_set", "memory.stride"):
        lab = registry.get(lab_id)
        predicted = lab.predict(lab.point(), lab.x(), None)
        decade = 10 ** math.floor(math.log10(min(curve.values.min() for curve in predicted)))
        assert all(curve.values.min() >= decade for curve in lab.recorded().measured)


def test_huge_pages_enlarge_the_page_and_the_reach():
    stride = registry.get("memory.stride")
    base, huge = (stride.model_values(stride.point({"pages": pages})) for pages in ("4K", "huge"))
    assert huge["B_TLB"] == 2 * MIB and huge["C_TLB"] == base["C_TLB"] * 2 * MIB / stride.machine.value("page_size")


def test_sizes_of_a_sweep_stay_below_the_limits():
    lab = registry.get("memory.working_set")
    assert max(lab.default_values(short=False)) <= min(4 * lab.last_level, lab.largest)
    assert lab.sliders["size"].high == lab.largest


@pytest.mark.machine
@needs_compiler
def test_the_machine_shows_what_the_chapter_says():
    """Orderings alone, each by a wide margin: levels differ by a factor of two or more wherever they exist."""
    lab = registry.get("memory.working_set")
    l1 = int(lab.machine.value("l1_capacity"))
    run = lab.run(over=[l1 / 4, l1 / 2, 4 * l1, lab.largest], budget_s=2)
    dependent, independent = run.measured
    assert dependent.values[0] == pytest.approx(dependent.values[1], rel=0.25)  # both in the first level
    assert dependent.values[2] > 1.5 * dependent.values[0]  # the second level is slower: 2.5 to 4 times on common cores
    assert dependent.values[3] > 3 * dependent.values[2]  # and memory much more so
    assert independent.values[3] < 0.7 * dependent.values[3]  # waiting costs; tens of times on most machines


def made_up_run(dependent, independent):
    x = Axis("size", "B", [KIB, MIB])
    curves = [
        Curve(name, "measured", x, "ns", [v, v], [0.98 * v] * 2, [1.02 * v] * 2, [9, 9], [9, 9])
        for name, v in (("a", dependent), ("b", independent))
    ]
    return Recording("memory.working_set", {}, x, curves, {}, {}, "0")


@pytest.mark.parametrize("seed", range(8))
def test_the_ramp_exercise_tells_answers_apart(seed):
    exercise = exercises.make_ramp(random.Random(seed))
    ratio = exercise.answer
    share = float(memory.misses_by_size("L1", sharp=False).subs({memory.symbol("S"): ratio, memory.symbol("C_L1"): 1}))
    assert f"{100 * share:g} %" in exercise.question
    for answer in (ratio, sympy.nsimplify(ratio)):
        assert exercise.check(answer).state == "right"
    assert "share of hits" in exercise.check(1 / share).reason
    for answer in (ratio - 1, 0, "ten", math.nan):
        assert exercise.check(answer).state == "wrong"
    assert exercise.check(...).state == "not attempted"


@pytest.mark.parametrize("seed", range(8))
def test_the_steps_exercise_says_which_latencies_are_still_in_the_answer(seed):
    exercise = exercises.make_steps(random.Random(seed))
    first, *_, last = map(float, re.findall(r"\d+\.\d(?=,| and| ns)", exercise.question))
    assert exercise.check(exercise.answer).state == "right"
    assert "whole access" in exercise.check(last).reason
    assert "L1 and L2" in exercise.check(last - first).reason
    assert {exercise.check(answer).state for answer in (0, 1e308, -1, "slow")} == {"wrong"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [(50, "right"), (47, "right"), (0.02, "wrong"), (30, "wrong"), (0, "wrong"), (..., "not attempted")],
)
def test_the_overlap_exercise_is_judged_by_the_reader_s_own_intervals(answer, state):
    assert memory.EXERCISES["overlap"].check(answer, run=made_up_run(100, 2)).state == state


def test_the_overlap_exercise_is_inconclusive_without_intervals_and_asks_for_a_measurement():
    without = made_up_run(100, math.nan)
    assert memory.EXERCISES["overlap"].check(50, run=without).state == "inconclusive"
    missing = memory.EXERCISES["overlap"].check(50, run=None)
    assert missing.state == "inconclusive" and "your own measurement" in missing.reason


@needs_compiler
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("int x(", "must compile"),
        ('#include "spe.h"\nint64_t f(void) { return 1; }', "must declare"),
        (exercises.TWO_WALKS_SOLUTION.replace("b = *b;", "b = *b; b = *b;"), "steps further"),
        (
            exercises.TWO_WALKS_SOLUTION.replace("b = *b;", "b = (void **)8; b = *b;"),
            "walk_two crashed in line 11: it followed a null pointer (SIGSEGV)",
        ),
    ],
    ids=["syntax", "no function", "wrong walk", "crash"],
)
def test_wrong_c_is_told_why_and_hurts_nobody(source, reason):
    verdict = memory.EXERCISES["two_walks"].check(source)
    assert verdict.state == "wrong" and reason in verdict.reason


@pytest.mark.machine
@needs_compiler
def test_the_two_walks_solution_is_right_and_the_template_is_not():
    exercise = memory.EXERCISES["two_walks"]
    # A busy machine may leave the interval on both sides of the limit; it must not turn right into wrong.
    assert exercise.check(exercise.answer).state in ("right", "inconclusive")
    assert exercise.check(memory.TWO_WALKS_TEMPLATE).state == "not attempted"
    renamed = memory.TWO_WALKS_TEMPLATE.replace("uint64_t i = 0", "uint64_t k = 0").replace(
        "i < work / 2; i++", "k < work / 2; k++"
    )
    assert exercise.check(renamed).state in ("wrong", "inconclusive")


@pytest.mark.parametrize("name", sorted(memory.EXERCISES))
def test_every_exercise_has_hints_and_a_solution(name):
    exercise = memory.EXERCISES[name]
    assert exercise.question.rstrip().endswith(("?", ".")) and len(exercise.hints) >= 2 and str(exercise.solution())


def test_the_formula_in_its_usual_form_is_the_derived_one():
    assert memory.ramp("L2").written == memory.misses_by_size("L2", sharp=False)
    with pytest.raises(SpeLabError, match="must equal its derivation"):
        Formula("x", sympy.Symbol("x"), sympy.Integer(1))


def claimed(lab_id, **changes):
    """The verdicts of the lab's claims on the recorded run, with some of its curves multiplied."""
    recorded = registry.get(lab_id).recorded()
    lab = lab_of(recorded)
    run = lab.joined(lab.fitted(recorded))
    scaled = [
        dataclasses.replace(
            curve,
            source="measured",
            values=curve.values * changes.get(curve.name.split()[0], 1),
            low=curve.low * changes.get(curve.name.split()[0], 1),
            high=curve.high * changes.get(curve.name.split()[0], 1),
        )
        for curve in run.measured
    ]
    table = claims("memory", dataclasses.replace(run, measured=scaled))
    return {state: [claim.holds.__name__ for claim in table.of(state)] for state, _ in table.rows}


def test_claims_hold_on_the_machine_of_the_recorded_data_and_can_be_contradicted():
    for lab_id in ("memory.working_set", "memory.stride", "memory.selftuning"):
        assert set(claimed(lab_id)) == {"shown here", "not measured yet"}
    assert "waiting_costs" in claimed("memory.working_set", independent=200)["contradicted here"]
    assert "prefetchers_hide_misses" in claimed("memory.stride", dependent=100)["contradicted here"]


def test_a_run_that_stays_in_a_cache_decides_nothing_about_memory():
    stride = registry.get("memory.stride").recorded()
    small = dataclasses.replace(
        lab_of(stride).joined(lab_of(stride).fitted(stride)), point={**stride.point, "size": 1 << 16}
    )
    own = dataclasses.replace(small, measured=[dataclasses.replace(each, source="measured") for each in small.measured])
    assert {state for state, claim in claims("memory", own).rows if claim.lab == "memory.stride"} == {"not decided"}


def on_pages(pages, added, noise=0.0):
    """A made-up run of lab memory.working_set: beyond 8 MiB the pages add some ns."""
    sizes = np.array([MIB, 16 * MIB, 32 * MIB], dtype=float)
    values = np.array([5.0, 100 + added, 120 + added - noise])
    curve = Curve("dependent (random cycle)", "measured", Axis("size", "B", sizes), "ns", values, values, values)
    return Recording("memory.working_set", {"pages": pages, "C_TLB": 8 * MIB}, curve.x, [curve], {}, {}, "0")


def test_the_price_of_translation_is_told_from_two_runs():
    huge = on_pages("huge", 0)
    assert "takes 12 ns longer" in memory.translation(on_pages("4K", 12), huge)
    assert "both signs" in memory.translation(on_pages("4K", 1, noise=5), huge)
    with pytest.raises(SpeLabError, match="one on base pages and one on huge pages, got huge and huge"):
        memory.translation(huge, huge)
