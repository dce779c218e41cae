"""The cost of ownership: closed forms by sympy, by numbers and by simulation, the break-even, and what failures do."""

import math

import numpy as np
import pytest
import sympy

from spe_lab import explore, predict
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.topics import scaling
from spe_lab.topics.scaling import cost
from spe_lab.topics.scaling import cost_models as models
from spe_lab.topics.scaling.models import symbol

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
A, SHARE = symbol("A"), symbol("sigma")


# ---- Closed forms
# ------------------------------------------------------------------------------------------------------


def test_availability_is_up_time_over_all_time():
    up = symbol("F") * symbol("H")
    assert sympy.simplify(scaling.availability() - up / (up + symbol("R"))) == 0


def test_throughput_is_amdahl_s_law():
    n = symbol("N")
    assert sympy.simplify(scaling.throughput().expression - 1 / (SHARE + (1 - SHARE) / n)) == 0


@pytest.mark.parametrize(("machines", "spares"), [(1, 0), (1, 2), (2, 0), (3, 1), (5, 2)])
def test_the_shortfall_is_what_all_states_of_the_machines_have_in_common(machines, spares):
    """By the other route every state of every machine is written out."""
    up, share, fleet = 0.8, 0.1, machines + spares
    delivered = [k / (1 + share * (k - 1)) for k in range(fleet + 1)]
    expected = 0.0
    for states in range(2**fleet):
        k = states.bit_count()
        expected += up**k * (1 - up) ** (fleet - k) * max(0.0, delivered[machines] - delivered[k])
    assert float(scaling.shortfall(machines, spares).subs({A: up, SHARE: share})) == pytest.approx(expected)
    assert models.mean_missing(np.array([machines]), spares, up, share)[0] == pytest.approx(expected)
    assert models.missing(fleet, machines, share) == pytest.approx(
        [max(0.0, delivered[machines] - each) for each in delivered]
    )


def test_one_machine_without_a_spare_misses_what_it_is_down_for():
    assert sympy.simplify(scaling.shortfall(1, 0) - (1 - A)) == 0
    assert sympy.expand(scaling.shortfall(1, 1) - (1 - A) ** 2) == 0


def test_a_machine_that_never_fails_misses_nothing():
    assert (models.mean_missing(np.arange(1, 257), 0, 1.0, 0.01) == 0).all()


def test_the_yearly_cost_is_the_sum_of_the_bills():
    known = {
        "M": 10,
        "p": 6,
        "Y": 3,
        "u": 0.5,
        "w": 200,
        "E": 1.5,
        "e": 0.25,
        "F": 2,
        "r": 0.4,
        "v": 3,
        "m": 0.02,
        "A": 0.99,
        "H": models.HOURS,
    }
    kwh = 0.99 * 10 * 0.2 * 1.5 * models.HOURS
    bills = [10 * 6 / 3, 10 * 0.5, kwh * 0.25 / 1000, 10 * 0.99 / 2 * 0.4, 3 * models.HOURS * 0.02 / 1000]
    assert float(scaling.yearly_cost()(**known)) == pytest.approx(sum(bills))


def test_the_break_even_solves_its_equation():
    values = {"p": 5.0, "Y": 4.0, "u": 1.0, "beta": 1.4}
    n = float(scaling.break_even().subs({symbol(k): v for k, v in values.items()}))
    assert n ** values["beta"] * 1.25 == pytest.approx(n * (1.25 + 1.0))
    assert n == pytest.approx(1.8**2.5)


# ---- Simulation
# --------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize(
    ("machines", "spares", "mttf_hours", "mttr"),
    [(1, 0, 100, 50), (4, 1, 200, 40), (20, 2, 1000, 100), (64, 0, 5000, 500)],
)
def test_simulated_fleets_agree_with_the_closed_form_within_four_standard_errors(machines, spares, mttf_hours, mttr):
    share, fleet, lifetimes, mttf = 0.05, machines + spares, 20_000, mttf_hours / models.HOURS
    found = scaling.simulate_fleet(fleet, models.missing(fleet, machines, share), mttf, mttr, 0.5, lifetimes, seed=7)
    up = mttf_hours / (mttf_hours + mttr)
    expected = (
        fleet / (mttf + mttr / models.HOURS),
        fleet * up,
        models.mean_missing(np.array([machines]), spares, up, share)[0],
    )
    for name, row, value in zip(("failures", "up", "missing"), found, expected, strict=True):
        assert abs(row.mean() - value) < 4 * row.std(ddof=1) / math.sqrt(lifetimes), name


@needs_compiler
def test_failures_of_machines_that_are_repaired_at_once_are_poisson():
    """Repairs of a second in an MTTF of a day: the number of failures in a lifetime has its mean as variance."""
    counts = scaling.simulate_fleet(3, np.zeros(4), 24 / models.HOURS, 1 / 3600, 30 / 365.25, 20_000)[0] * (30 / 365.25)
    assert counts.mean() == pytest.approx(90, rel=0.01)
    # The variance of 20,000 Poisson numbers has a standard error of 1 %.
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1, abs=0.05)


@needs_compiler
def test_seeds_decide_and_differ():
    arguments = (8, np.zeros(9), 0.1, 24, 4)
    one, same, other = (scaling.simulate_fleet(*arguments, 50, seed=seed)[0].tolist() for seed in (1, 1, 2))
    assert one == same != other


@needs_compiler
@pytest.mark.parametrize(
    "wrong",
    [
        {"mttf_years": 0},
        {"mttf_years": math.nan},
        {"mttr_hours": -1},
        {"years": 0},
        {"years": math.inf},
        {"machines": 0},
        {"lifetimes": 0},
        {"missing": np.zeros(3)},
    ],
)
def test_the_simulator_refuses_what_lies_outside_its_domain(wrong):
    arguments = {
        "machines": 3,
        "missing": np.zeros(4),
        "mttf_years": 1,
        "mttr_hours": 24,
        "years": 1,
        "lifetimes": 1,
    } | wrong
    with pytest.raises(SpeLabError, match=r"must .*got .*;"):
        scaling.simulate_fleet(**arguments)


@needs_compiler
def test_the_c_refuses_what_python_would_not_send():
    library, out = native.load("scaling"), np.zeros(1)
    for fields in ((0, 1, 1, 1), (1, 0, 1, 1), (1, 1, -1, 1), (1, 1, 1, 0), (1, math.nan, 1, 1), (1, math.inf, 1, 1)):
        fleet = library.struct("fleet")(*fields, out.ctypes.data, 1)
        assert library.simulate_fleet(fleet, 1, out, out, out, Cancel().flag) == library.constants["SPE_BAD_ARGUMENT"]


@needs_compiler
def test_a_cancelled_simulation_says_so():
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        scaling.simulate_fleet(100, np.zeros(101), 0.001, 1, 100, 1000, cancel=cancel)


# ---- The lab
# -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab():
    return registry.get("scaling.cost")


def test_one_small_machine_is_one_big_machine(lab):
    for settings in ({}, {"spares": 3, "MTTF": 0.1, "MTTR": 200}):
        many, one = lab.costs(lab.point(settings), np.array([1.0]))
        assert many == pytest.approx(one)


def test_the_marks_are_where_the_closed_forms_cross(lab):
    point = lab.point()
    places = lab.marks(point, lab.recorded_fit)
    for place, sign in zip(places.values(), (1, -1), strict=True):
        many, one = lab.costs(point, np.array([math.floor(place), math.ceil(place)], float))
        assert sign * (one - many)[0] <= 0 <= sign * (one - many)[1]
    assert places["out pays from"] < places["out pays up to"]


def test_the_mark_is_near_the_solved_break_even_where_its_assumptions_hold(lab):
    point = lab.point({"sigma": 0, "MTTR": 1, "MTTF": 30, "repair": 0, "upkeep": 2, "power": 50})
    solved = float(
        scaling.break_even().subs(
            {symbol(cost.SYMBOLS[name]): point[name] for name in ("price", "years", "upkeep", "beta")}
        )
    )
    # What was left out, one machine's upkeep, moves it down, by less the more machines there are.
    assert 0.8 * solved < lab.marks(point, lab.recorded_fit)["out pays from"] < solved


def test_dear_electricity_does_not_decide_and_dear_spares_do(lab):
    place = lab.marks(lab.point({"sigma": 0}), lab.recorded_fit)["out pays from"]
    assert lab.marks(lab.point({"sigma": 0, "tariff": 1, "PUE": 3}), lab.recorded_fit)[
        "out pays from"
    ] == pytest.approx(place, rel=0.02)
    # A spare of one big machine costs as much as the machine: then many pay from the first one on.
    assert lab.marks(lab.point({"spares": 1}), lab.recorded_fit)["out pays from"] == 1


def test_where_there_is_no_break_even_there_is_no_mark(lab):
    assert all(
        math.isnan(place) for place in lab.marks(lab.point({"beta": 1.05, "sigma": 0.2}), lab.recorded_fit).values()
    )


@needs_compiler
@pytest.mark.parametrize("settings", [{}, {"MTTF": 0.05, "MTTR": 200, "value": 50, "spares": 2}])
def test_the_simulated_cost_is_the_closed_form(lab, settings):
    run = lab.run(settings, over=[1, 4, 32])
    for simulated, closed in zip(run.measured, run.predicted, strict=False):
        assert closed.name == simulated.name
        # The intervals are two standard errors: twice as wide, one in 16,000 lies outside by chance; the seeds are
        # fixed.
        assert (np.abs(simulated.values - closed.values) < 2 * (simulated.high - simulated.low) / 2 + 1e-9).all()


@pytest.mark.parametrize("lab_id", ["scaling.cost", "scaling.usl"])
def test_an_open_prediction_of_a_mark_is_not_answered_on_the_page(lab_id):
    mark = next(iter(registry.get(lab_id).marks(registry.get(lab_id).point(), registry.get(lab_id).recorded_fit)))
    asked = predict(lab_id, mark=mark, low=..., high=...)
    page = explore(lab_id, asked)

    def told(widget):
        yield str(getattr(widget, "value", ""))
        for child in getattr(widget, "children", ()):
            yield from told(child)

    assert asked.open
    assert mark not in page.text and not any(mark in each for each in told(page.page))
