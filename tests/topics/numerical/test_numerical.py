"""The numerical topic: bases and choices of points by second routes, the analytical model against a simulated cache,
the exercises.
"""

import dataclasses
import itertools
import math
import random
import re

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.machine import Parameter, claim
from spe_lab.core.reader.claims import claims
from spe_lab.core.recording import Recording
from spe_lab.topics import numerical
from spe_lab.topics.numerical import exercises, points, searching
from spe_lab.ui.static import lab_of

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
SIZES = np.array([round(2 ** (k / 2)) for k in range(8, 47)], dtype=float)
INTERPOLATING = ("interpolating polynomial", "piecewise linear", "cubic spline", "monotone spline")


# ---- The searches
# ------------------------------------------------------------------------------------------------------


def bisect(keys, target):
    """(the last record whose key is at most `target`, steps taken), as the kernels do it."""
    low, length, steps = 0, len(keys), 0
    while length > 1:
        half = length // 2
        low += half * (keys[low + half] <= target)
        length, steps = length - half, steps + 1
    return low, steps


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 100, 1000, 1024, 1025])
def test_a_search_takes_the_logarithm_rounded_up_whatever_it_looks_for(n):
    keys = 2 * np.arange(n) + 1
    found = [bisect(keys, key) for key in keys]
    assert [place for place, _ in found] == list(range(n))
    assert {steps for _, steps in found} == {math.ceil(math.log2(n))}


@needs_compiler
@pytest.mark.parametrize("kind", searching.KINDS)
@pytest.mark.parametrize(("n", "width"), [(1, 1), (2, 4), (3, 1), (64, 1), (65, 4), (1000, 1)])
def test_each_search_finds_the_keys_it_looks_for_and_goes_on_where_it_ended(kind, n, width):
    library = native.load("numerical")
    keys = np.full(n * width, 2**32 - 1, np.uint32)  # what lies between the keys must not be compared
    keys[::width] = 2 * np.arange(n) + 1
    state = library.struct("search")(keys.ctypes.data, n, width, 7)
    search = getattr(library, f"search_{kind}")
    assert search(state, 0) == 0
    assert search(state, 30) == sum(searching.targets(n, 30, 7))
    assert search(state, 1) == searching.targets(n, 1, state_before(n, 30, 7))[0]


def state_before(n, lookups, random):
    """The random state after so many lookups: what was found, but for the last, and a constant for each."""
    return (random + lookups * 0x9E3779B97F4A7C15 + sum(searching.targets(n, lookups, random)[:-1])) % 2**64


@pytest.mark.machine
@needs_compiler
@pytest.mark.parametrize("kind", searching.KINDS)
def test_a_larger_array_takes_longer(kind):
    lab = registry.get("numerical.fit")
    times = lab.run({"search": kind}, over=[16, 1 << 12, 1 << 20], budget_s=1).measured[0].values
    # Twelve steps against four, then twenty with keys beyond the first-level cache.
    assert times[1] > 1.4 * times[0] and times[2] > 1.4 * times[1]


def test_an_array_that_memory_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr(searching, "memory_available", lambda: 1000)
    monkeypatch.setattr(searching, "kernels", lambda: None)
    with pytest.raises(SpeLabError, match=r"n must leave .*got 1000;"):
        searching.searches("predicated", "4 B", np.array([1000]))


# ---- The analytical model
# ----------------------------------------------------------------------------------------------


def test_the_size_of_a_line_cancels_from_the_steps_that_miss():
    n, r, C = (numerical.symbol(name) for name in "nrC")
    assert sympy.simplify(numerical.missing_steps() - sympy.Max(0, sympy.log(n * r / C, 2))) == 0


@pytest.mark.parametrize(
    ("records", "line_records", "capacity"), [(1 << 12, 1, 1 << 7), (1 << 12, 1, 1 << 9), (1 << 14, 16, 1 << 6)]
)
def test_missing_steps_are_those_of_searches_through_a_cache_that_keeps_what_is_used_most(
    records, line_records, capacity
):
    """Counted: how often each line is compared over all targets; the cache holds the `capacity` lines of the most."""
    used = np.zeros(records // line_records)
    for target in range(0, records, 7):
        low, length = 0, records
        while length > 1:
            half = length // 2
            used[(low + half) // line_records] += 1
            low += half * (low + half <= target)
            length -= half
    searches = len(range(0, records, 7))
    missed = np.sort(used)[::-1][capacity:].sum() / searches
    # Steps that end in one line count once, and the most used lines belong to a step each: within one step of the
    # formula, but for the last steps, which compare the same line again.
    again = max(0, math.log2(line_records) - 1)
    predicted = math.log2(records / line_records / capacity)
    assert predicted - 0.5 <= missed <= predicted + again + 1.5


def test_without_caches_to_miss_a_lookup_is_its_steps():
    values = dict.fromkeys(("C_L1", "C_L2", "C_TLB", "C_L3"), 1e12) | dict.fromkeys(
        ("l_L1", "l_L2", "l_TLB", "l_L3"), 5.0
    )
    time = numerical.lookup_time()
    assert time(n=1000, r=4, k=10, c=3, t=2, w=1, m=0, P=7, **values) == pytest.approx(3 + 10 * 2)
    assert time(n=1000, r=4, k=10, c=3, t=2, w=0.5, m=0.5, P=7, **values) == pytest.approx(3 + 10 * (2 + 7) / 2)


def test_a_record_of_sixteen_bytes_misses_two_steps_earlier():
    lab = registry.get("numerical.fit")
    small, large = (
        lab.analytical_time(lab.point({"record": record}), np.array([2.0**22])) for record in ("4 B", "16 B")
    )
    values = {name: lab.known(name).value for name in ("l_L1", "l_L2")}
    assert (
        large - small >= 2 * sum(values.values()) - 1e-9
    )  # both inner caches are exceeded by either: two more steps miss each


def test_the_logarithm_of_the_law_is_linear_in_what_is_fitted():
    right = numerical.logarithms().rhs
    free = {symbol.name: symbol for symbol in right.free_symbols}
    log_a = sympy.Symbol("A", real=True)
    linear = right.subs(sympy.log(free["a"]), log_a)
    assert all(
        sympy.diff(linear, x, y) == 0
        for x, y in itertools.combinations_with_replacement([log_a, free["b"], free["c"]], 2)
    )


def test_the_solved_normal_equations_are_numpy_s_least_squares():
    solution, gradient = numerical.normal_equations(4)
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 4))
    numbers = {f"{name}{i}": value for name, values in (("x", x), ("y", y)) for i, value in enumerate(values, 1)}
    found = [float(each.subs({s: numbers[s.name] for s in each.free_symbols})) for each in solution]
    assert found == pytest.approx(np.polyfit(x, y, 1)[::-1])
    assert gradient.shape == (2, 1)


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_an_interpolant_grows_like_its_leading_coefficient(count):
    """Of equally spaced points, that is the last finite difference over (points − 1)!."""
    y = sympy.symbols(f"y:{count}", real=True)
    difference = sum((-1) ** (count - 1 - i) * sympy.binomial(count - 1, i) * y[i] for i in range(count))
    assert sympy.expand(numerical.interpolant_growth(count) - difference / sympy.factorial(count - 1)) == 0


def test_noise_outside_is_the_largest_change_that_unit_errors_can_make():
    signs = np.array(list(itertools.product((-1, 1), repeat=5)))
    u = np.arange(5.0)
    changes = [abs(np.polyval(np.polyfit(u, each, 4), 6.0)) for each in signs]
    assert float(numerical.noise_outside(5, 2)) == pytest.approx(max(changes))


@pytest.mark.parametrize("call", [lambda: numerical.normal_equations(1), lambda: numerical.interpolant_growth(9)])
def test_algebra_that_nobody_could_read_is_refused(call):
    with pytest.raises(SpeLabError, match=r"points must be .*got .*;"):
        call()


# ---- Bases
# -------------------------------------------------------------------------------------------------------------


def law(n, a=3.0, b=0.3, c=0.7):
    return a * n**b * np.log2(n) ** c


def test_a_power_law_is_found_again_and_goes_on():
    found = numerical.fit("power law", SIZES[:20:3], law(SIZES[:20:3]))
    assert found(SIZES) == pytest.approx(law(SIZES), rel=1e-9)


@pytest.mark.parametrize("basis", INTERPOLATING)
def test_interpolants_go_through_their_points(basis):
    n = SIZES[::5]
    assert numerical.fit(basis, n, law(n))(n) == pytest.approx(law(n), rel=1e-9)


@pytest.mark.parametrize(
    ("basis", "degree"), [("polynomial", 3), ("smooth spline", 3), ("cubic spline", 3), ("interpolating polynomial", 5)]
)
def test_a_polynomial_in_the_logarithm_is_found_again(basis, degree):
    truth = np.polynomial.Polynomial(np.array([200.0, -20, 3, 0.4, -0.02, 0.001])[: degree + 1])
    n = SIZES[:28:3]
    found = numerical.fit(basis, n, truth(np.log2(n)), terms=degree + 1)
    assert found(SIZES) == pytest.approx(truth(np.log2(SIZES)), rel=1e-6)


def test_the_interpolating_polynomial_is_the_one_of_the_barycentric_formula():
    from scipy.interpolate import BarycentricInterpolator

    n, x = SIZES[:30:3], SIZES[:32]
    expected = BarycentricInterpolator(np.log2(n), law(n))(np.log2(x))
    assert numerical.fit("interpolating polynomial", n, law(n))(x) == pytest.approx(expected, rel=1e-6)
    assert numerical.fit("polynomial", n, law(n), terms=len(n))(x) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("span", [(0, 32), (7, 39)])
def test_an_interpolant_of_many_points_still_goes_through_them_and_is_finite_beyond(span):
    n = SIZES[slice(*span)]
    found = numerical.fit("interpolating polynomial", n, law(n))
    assert found(n) == pytest.approx(law(n), rel=1e-5) and np.isfinite(found(SIZES)).all()


def test_piecewise_lines_are_numpy_s_inside_and_go_on_outside():
    n, times = SIZES[4:20:5], law(SIZES[4:20:5])
    found = numerical.fit("piecewise linear", n, times)
    inside = SIZES[4:20]
    assert found(inside) == pytest.approx(np.interp(np.log2(inside), np.log2(n), times))
    below, above = found(n[0] / np.array([4.0, 2.0, 1.0])), found(n[-1] * np.array([1.0, 2.0, 4.0]))
    assert np.diff(below)[0] == pytest.approx(np.diff(below)[1]) and np.diff(above)[0] == pytest.approx(
        np.diff(above)[1]
    )


def test_the_monotone_spline_rises_where_its_points_do():
    n, times = np.array([2.0, 4, 8, 16, 32, 64]), np.array([1.0, 1.0, 1.01, 9.0, 9.1, 9.1])
    values = {
        basis: numerical.fit(basis, n, times)(np.geomspace(2, 64, 500)) for basis in ("monotone spline", "cubic spline")
    }
    assert (np.diff(values["monotone spline"]) >= -1e-12).all() and (np.diff(values["cubic spline"]) < -1e-3).any()


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(numerical.BASES)), st.integers(1, 16), st.lists(st.floats(0.1, 1e4), min_size=1, max_size=12)
)
def test_any_positive_times_give_a_function_that_is_finite_where_it_was_sampled(basis, terms, times):
    n = 16.0 * 2 ** np.arange(len(times))
    assert np.isfinite(numerical.fit(basis, n, np.array(times), terms)(SIZES[: 2 * len(times) - 1])).all()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"basis": "oracle"}, "basis"),
        ({"n": [4, 2]}, "points"),
        ({"n": [1, 2]}, "points"),
        ({"times": [1, -1]}, "points"),
        ({"times": [1, np.nan]}, "points"),
        ({"n": [], "times": []}, "points"),
        ({"terms": 0}, "terms"),
    ],
)
def test_a_fit_says_what_it_cannot_take(wrong, named):
    with pytest.raises(SpeLabError, match=rf"{named} must be .*got .*; "):
        numerical.fit(**({"basis": "polynomial", "n": [2, 4], "times": [1, 2]} | wrong))


def test_runge_s_oscillation_is_there_for_even_points_and_not_for_chebyshev_s():
    """The textbook's 1 / (1 + 25 x²), over u = 4 … 23 in place of −1 … 1."""
    n = 2 ** np.linspace(4, 23, 381)
    truth = 1 / (1 + 25 * ((np.log2(n) - 13.5) / 9.5) ** 2)
    worst = {}
    for spacing in ("log", "Chebyshev"):
        chosen = numerical.choose(n, 20, n[0], n[-1], spacing)
        worst[spacing] = np.abs(numerical.fit("interpolating polynomial", n[chosen], truth[chosen])(n) - truth).max()
    assert worst["log"] > 5 and worst["Chebyshev"] < 0.2


def test_cross_validation_leaves_each_inner_point_out_once_and_keeps_the_ends():
    n = SIZES[::4]
    scores = numerical.cross_validated(n, law(n))
    by_hand = []
    for fold in range(5):
        out = np.arange(1, len(n) - 1)[fold::5]
        kept = [i for i in range(len(n)) if i not in out]
        by_hand += list(np.abs(np.interp(np.log2(n[out]), np.log2(n[kept]), law(n)[kept]) / law(n)[out] - 1))
    assert scores["piecewise linear"] == pytest.approx(np.mean(by_hand))
    assert min(scores, key=scores.get) == "power law"  # the truth's own form
    assert all(math.isnan(score) for score in numerical.cross_validated(n[:2], law(n[:2])).values())


# ---- Which points
# ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", numerical.SPACINGS)
@pytest.mark.parametrize("count", [1, 2, 5, 14, 100])
def test_chosen_points_lie_in_the_range_are_different_and_as_many_as_there_are(spacing, count):
    chosen = numerical.choose(SIZES, count, 16, 2.0**17, spacing)
    there = SIZES <= 2**17
    there &= (np.log2(SIZES) % 1 == 0) | (spacing != "powers of 2")
    assert (np.diff(chosen) > 0).all() and there[chosen].all() and len(chosen) == min(count, there.sum())
    if count > 1:
        assert SIZES[chosen[0]] == 16 and SIZES[chosen[-1]] == 2**17


def test_a_range_upside_down_is_turned_and_an_empty_one_gives_the_nearest_point():
    assert numerical.choose(SIZES, 4, 2**17, 16).tolist() == numerical.choose(SIZES, 4, 16, 2**17).tolist()
    assert SIZES[numerical.choose(SIZES, 4, 1000, 1010)].tolist() == [1024]


@pytest.mark.parametrize(("wrong", "named"), [({"spacing": "fair"}, "spacing"), ({"points": 0}, "points")])
def test_a_choice_that_cannot_be_made_is_refused(wrong, named):
    with pytest.raises(SpeLabError, match=rf"{named} must be .*got .*; "):
        numerical.choose(**({"n": SIZES, "points": 3, "low": 16, "high": 64} | wrong))


# ---- Errors and the labs
# -----------------------------------------------------------------------------------------------


def made_up(times=None, spread=0.01):
    """A run of numerical.fit on a made-up machine: stairs, and steps that cost more beyond 2¹⁹ records."""
    u = np.log2(SIZES)
    times = 5 + 2.7 * np.ceil(u) + 25 * np.maximum(0, u - 19) if times is None else np.array(times, dtype=float)
    x = Axis("n", "", SIZES[: len(times)])
    curve = Curve("search", "measured", x, "ns", times, times * (1 - spread), times * (1 + spread))
    return Recording("numerical.fit", {}, x, [curve], {}, {}, "0")


@pytest.fixture
def lab():
    return registry.get("numerical.fit")


@pytest.fixture
def fit(lab):
    return lab.fit(made_up())


def test_errors_at_between_and_outside_are_told_apart(fit):
    found = fit.errors({"basis": "piecewise linear"})
    assert found.median("at") == 0 and 0 < found.median("between") < 0.1 and found.median("outside") > 0.2
    assert found.floor == pytest.approx(0.01)
    counts = [(found.kind == kind).sum() for kind in ("at", "between", "outside")]
    assert counts == [8, 19, 12]  # 27 of the 39 sizes are no larger than 2¹⁷
    assert "outside their range" in found.summary() and "± 1 %" in found.summary()


def test_powers_of_two_hide_the_stairs_that_lie_between_them(fit):
    """At n = 23 a search takes five steps; half-way between 16 and 32 the line expects four and a half."""
    found = fit.errors({"basis": "piecewise linear", "spacing": "powers of 2", "points": 32, "high": 2.0**23})
    true, line = 5 + 2.7 * 5, 5 + 2.7 * (4 + math.log2(23) - 4)
    assert found.relative[SIZES == 23] == pytest.approx(abs(line / true - 1))


def test_a_prediction_never_leaves_the_figure(lab, fit):
    """Twenty points evenly over log n: the interpolating polynomial leaves every scale."""
    wild = lab.point({"basis": "interpolating polynomial", "points": 12, "high": 2.0**12})
    fitted = lab.predict(wild, lab.x(), fit)[0].values
    measured = fit.curve.values
    assert measured.min() / 2 <= fitted.min() and fitted.max() <= 2 * measured.max()
    assert fit.errors(wild).worst("outside") > 100  # while the errors are those of the function itself


def test_the_table_of_bases_marks_what_cross_validation_prefers(lab, fit):
    table = fit.bases()
    assert table.count("\n") == 1 + len(numerical.BASES) and table.count("**") == 2
    assert f"**{fit.of(lab.point()).best}**" in table


def test_the_ends_of_the_sampled_range_are_marked(lab, fit):
    assert lab.marks(lab.point(), fit) == {"first given": 16, "last given": 2**17}


def test_the_table_of_parameters_has_choices_as_they_are(lab):
    assert "| basis | form of the fitted function | polynomial | the most usual form |" in lab.parameters()


def environment(lab, truth, record):
    """A run of what the analytical model says with parameters that nobody has claimed."""
    point = lab.point({"record": record})
    run = made_up(lab.analytical_time(point | truth, SIZES))
    return Recording(run.lab, point, run.x, run.measured, {}, {}, "0")


TRUTH = {"c": 6.0, "t": 2.5, "l_L1": 7.0, "l_L2": 90.0, "l_TLB": 0.0, "l_L3": 120.0, "C_L3": 2.0**21}


def test_parameters_behind_made_up_times_are_found_again(lab):
    values = lab.values(lab.point()) | {"C_L2": 2.0**19, "C_TLB": 2.0**23}
    times = numerical.lookup_time()(n=SIZES, k=np.ceil(np.log2(SIZES)), **(values | TRUTH))
    assert numerical.tune(SIZES, times, 4, values) == pytest.approx(TRUTH, rel=1e-6, abs=1e-6)
    with pytest.raises(MeasurementError, match="more than 6 points"):
        numerical.tune(SIZES[:6], times[:6], 4, values)


def test_a_form_with_reasons_moves_to_another_record_and_a_function_through_points_does_not(lab):
    table = numerical.transfer(lab, environment(lab, TRUTH, "4 B"), environment(lab, TRUTH, "16 B")).splitlines()
    elsewhere = {row.split(" | ")[0].strip("| "): row.split(" | ")[2] for row in table[2:5]}
    percent = {name: float(said.removesuffix(" %")) for name, said in elsewhere.items()}
    assert percent["analytical, tuned to the same points"] < 3 < 8 < percent["monotone spline"]


def test_parameters_cannot_be_tuned_to_a_search_whose_steps_do_not_all_wait(lab):
    run = environment(lab, TRUTH, "4 B")
    with pytest.raises(SpeLabError, match="fitted_on must be a run of the predicated search, got branching; "):
        numerical.transfer(lab, Recording(run.lab, {"search": "branching"}, run.x, run.measured, {}, {}, "0"), run)


def test_a_fit_without_a_clean_sample_says_so():
    with pytest.raises(MeasurementError, match="clean sample"):
        numerical.Sample.of(made_up(np.full(39, np.nan)).measured[0], registry.get("numerical.fit").point())


def test_points_without_a_clean_sample_are_left_out():
    times = made_up().measured[0].values.copy()
    times[::3] = np.nan
    lab = registry.get("numerical.fit")
    fit = lab.fit(made_up(times))
    assert np.isfinite(lab.predict(lab.point(), lab.x(), fit)[0].values).all()
    assert fit.errors().n.size == 26


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("basis", sorted(numerical.BASES))
def test_a_sweep_of_few_points_is_fitted_as_far_as_it_goes(basis, size):
    lab = registry.get("numerical.fit")
    fit = lab.fit(made_up(made_up().measured[0].values[:size]))
    for curve in lab.predict(lab.point({"basis": basis}), lab.x(), fit):
        assert np.isfinite(curve.values).all()


def test_a_png_of_a_saved_run_shows_the_fit_to_that_run(monkeypatch):
    from spe_lab.ui import static

    made = made_up()
    lab = registry.get("numerical.fit")
    run = lab.joined(lab.fitted(dataclasses.replace(made, machine=lab.machine_dict)))
    drawn = []
    monkeypatch.setattr(static.LabFigure, "draw", lambda self, predicted, *_, **__: drawn.append(predicted))
    static.picture(run)
    shown = drawn[0][0].at(run.x)
    assert np.array_equal(shown.values, lab.predict(lab.point(), run.x, lab.fit(made))[0].values)


def test_held_out_errors_fall_with_the_square_of_the_distance_on_a_smooth_curve():
    """A line through two points at distance h is off by h² f″ / 8 at most: four times the points, a sixteenth of the
    error.
    """
    n = 2 ** np.linspace(4, 23, 400)
    few, many = (np.median(points.held_out(n, np.log2(n) ** 2 + 10, count, "piecewise linear")) for count in (6, 24))
    assert few / many == pytest.approx((23 / 5) ** 2, rel=0.5)


def test_noise_is_a_floor_that_no_number_of_points_goes_below():
    noisy = 10 * (1 + 0.02 * np.random.default_rng(2).standard_normal(400))
    errors = [
        np.median(points.held_out(2 ** np.linspace(4, 23, 400), noisy, count, "piecewise linear"))
        for count in (8, 32, 128)
    ]
    assert min(errors) > points.HALF_NORMAL * 0.02 * 0.9


def test_held_out_needs_something_to_hold_out():
    assert np.isnan(points.held_out(SIZES[:8], law(SIZES[:8]), 8, "power law")).all()


def test_what_a_machine_s_profile_does_not_resolve_is_taken_from_the_claims():
    lab = numerical.Fit()
    known = dict(lab.machine.parameters)
    known |= {
        "l3_latency": dataclasses.replace(known["l3_latency"], value=None),
        "core_clock": Parameter(2.0, "GHz", "measured", ""),
    }
    known.pop("memory_latency")
    odd = numerical.Fit(dataclasses.replace(lab.machine, parameters=known))
    assert (
        odd.known("l_L2").value == claim()["l3_latency"].value
        and odd.known("l_L3").value == claim()["memory_latency"].value
    )
    assert odd.known("c").value == 10.0  # twenty cycles of half a nanosecond
    assert np.isfinite(odd.analytical_time(odd.point(), SIZES)).all()


def own(lab_id, **factors):
    """The recorded run as if it were the reader's, some curves multiplied by a function of x."""
    recorded = registry.get(lab_id).recorded()
    there = lab_of(recorded)
    run, changed = there.joined(there.fitted(recorded)), []
    for curve in run.measured:
        factor = factors.get(curve.name.split()[0], np.ones_like)(curve.x.values)
        parts = {name: getattr(curve, name) * factor for name in ("values", "low", "high")}
        changed.append(dataclasses.replace(curve, **parts, source="measured"))
    return dataclasses.replace(run, measured=changed)


def test_claims_hold_on_the_machine_of_the_recorded_data_and_can_be_contradicted():
    table = claims("numerical", own("numerical.fit"), own("numerical.points"))
    assert {state for state, _ in table.rows} == {"shown here"}
    smooth = claims("numerical", own("numerical.points", piecewise=lambda x: 4 / x**2))
    contradicted = [claim.holds.__name__ for claim in smooth.of("contradicted here")]
    assert contradicted == ["more_points_do_not_halve"]


def test_a_branching_or_short_run_decides_nothing():
    run = own("numerical.fit")
    branching = dataclasses.replace(run, point={**run.point, "search": "branching"})
    assert {state for state, claim in claims("numerical", branching).rows if claim.lab == run.lab} == {"not decided"}


# ---- Exercises
# ---------------------------------------------------------------------------------------------------------

ALL = {"low": 16, "high": 2**23}


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        (..., "not attempted", "dots"),
        (exercises.EXERCISES["eight"].answer, "right", "nine of ten"),
        ({"basis": "piecewise linear", **ALL}, "right", "8 points"),
        ({"points": 9, **ALL}, "wrong", "takes 9"),
        ({"basis": "monotone spline"}, "wrong", "outside"),
        ({"spacing": "even", **ALL}, "wrong", "each bend"),
        ({"shape": "round"}, "wrong", "dictionary"),
        ({"points": 1}, "wrong", "between 2 and 32"),
        (8, "wrong", "dictionary"),
    ],
)
def test_eight_points_are_judged_by_the_reader_s_own_run(answer, state, why):
    verdict = numerical.EXERCISES["eight"].check(answer, run=made_up())
    assert verdict.state == state and why in verdict.reason


def test_times_that_are_not_known_leave_eight_points_undecided():
    """As on a machine with much else to do: every other time doubled. The intervals say whether that is known."""
    run = made_up()
    (curve,) = run.measured
    values = curve.values * np.resize([1, 2], curve.values.size)
    unknown = values * np.nan
    mostly = np.where(np.arange(values.size) == 0, np.nan, values)  # the first size is one that the fit is given
    undecided = ((values / 4, 2 * values, "inconclusive"), (unknown, unknown, "inconclusive"))
    for low, high, state in ((values, values, "wrong"), (mostly, mostly, "wrong"), *undecided):
        noisy = dataclasses.replace(run, measured=[dataclasses.replace(curve, values=values, low=low, high=high)])
        assert numerical.EXERCISES["eight"].check(exercises.EXERCISES["eight"].answer, run=noisy).state == state


def test_eight_points_need_a_measurement_of_the_whole_sweep():
    exercise = numerical.EXERCISES["eight"]
    missing = exercise.check(exercise.answer)
    assert missing.state == "inconclusive" and "your own measurement" in missing.reason
    assert exercise.check(exercise.answer, run=made_up(np.arange(10, 20))).state == "inconclusive"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (..., "not attempted"),
        (0.5, "right"),
        (sympy.Rational(1, 2), "right"),
        (1, "wrong"),
        (0, "wrong"),
        ("half", "wrong"),
    ],
)
def test_the_missing_half_step(answer, state):
    assert numerical.EXERCISES["stairs"].check(answer).state == state
    u = np.linspace(10, 11, 10_001)[1:]
    assert np.mean(np.ceil(u) - u) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_the_law_that_goes_too_far(seed):
    exercise = exercises.make_extrapolation(random.Random(seed))
    right = exercise.answer
    assert exercise.check(right).state == "right"
    assert exercise.check(1 / right).state == "wrong" and "nearly" in exercise.check(1 / right).reason
    assert {exercise.check(answer).state for answer in (1, 0, -right, 1e308, "much")} == {"wrong"}
    assert "gives b" in exercise.check(1).reason


@pytest.mark.parametrize(("first", "second", "beyond"), exercises.OCTAVES)
def test_the_law_s_factor_is_the_one_that_a_fit_gives(first, second, beyond):
    n = np.array([2.0**first, 2.0**second])
    b = np.polyfit(np.log(n), np.log(np.log2(n)), 1)[0]
    law = first * 2 ** ((beyond - first) * b) / beyond
    assert law == pytest.approx(exercises.law_over_truth(first, second, beyond))


@pytest.mark.parametrize("seed", range(8))
def test_a_cache_holds_bytes(seed):
    exercise = exercises.make_moved(random.Random(seed))
    wide = int(re.search(r"has (\d+) bytes", exercise.question)[1])
    before = exercise.answer * wide // 4
    assert exercise.check(exercise.answer).state == "right"
    assert "bytes, not records" in exercise.check(before).reason
    assert "inverse" in exercise.check(before * wide // 4).reason
    assert exercise.check(3).state == "wrong"
    for n, size in ((before, 4), (exercise.answer, wide)):
        at = {numerical.symbol(name): value for name, value in (("n", n), ("r", size), ("C", before * 4))}
        assert numerical.missing_steps().subs(at) == 0


@pytest.mark.machine
@needs_compiler
def test_the_look_up_s_solution_is_right_the_template_is_not_and_a_square_root_is_not_enough():
    exercise = numerical.EXERCISES["look_up"]
    assert exercise.check(exercise.answer).state in ("right", "inconclusive")
    assert exercise.check(numerical.LOOK_UP_TEMPLATE).state == "not attempted"
    delay = numerical.LOOK_UP_TEMPLATE.replace("place = 0;", "place = 0; for (volatile int d = 0; d < 700; d++);")
    assert exercise.check(delay).state in ("wrong", "inconclusive")  # the template with a delay: the ratio falls
    hops = """uint64_t hop = 1;
        while ((hop + 1) * (hop + 1) <= state->n)
            hop++;
        while (place + hop < state->n && state->keys[place + hop] <= target)
            place += hop;
        while (state->keys[place] < target)"""
    assert exercise.check(numerical.LOOK_UP_TEMPLATE.replace("while (state->keys[place] < target)", hops)).state in (
        "wrong",
        "inconclusive",
    )
    assert "must add up to" in exercise.check(exercise.answer.replace("<= target", "< target")).reason
    assert "`next` must be" in exercise.check(exercise.answer.replace("state->next = 0;", ";")).reason
    assert "must declare struct table" in exercise.check("int x;").reason


@pytest.mark.parametrize("name", sorted(numerical.EXERCISES))
def test_every_exercise_has_hints_and_a_solution(name):
    exercise = numerical.EXERCISES[name]
    assert exercise.question.rstrip().endswith(("?", ".")) and len(exercise.hints) >= 2 and str(exercise.solution())
