"""One dot product by four kinds of loop and by threads: the results exactly, the model by hand, and the orderings that
a machine must show.
"""

import threading
from dataclasses import replace

import numpy as np
import psutil
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.c.assembly import hot_loops
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError
from spe_lab.core.machine import Machine, Parameter, cpus
from spe_lab.core.recording import Recording
from spe_lab.topics import scaling
from spe_lab.topics.scaling import parallelism
from spe_lab.topics.scaling.models import symbol
from spe_lab.topics.scaling.parallelism import KINDS, LEVELS
from spe_lab.ui import controls

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")


@pytest.fixture
def lab():
    return registry.get("scaling.parallelism")


# ---- The loops
# ---------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_kind_gives_numpy_s_sum_whatever_the_length_and_the_alignment(kind, threads):
    rng = np.random.default_rng(threads)
    x, y = (rng.integers(-9, 10, 300).astype(np.float32) for _ in range(2))  # sums far below 2^24: exact in any order
    # A team divides what one thread does: where its parts begin and end. Each of its calls waits for all threads to
    # have a processor.
    lengths = (*range(70), 127, 128, 129, 290) if threads == 1 else (*range(12), 31, 32, 33, 63, 64, 65, 290)
    for n in lengths:
        for shift in range(4):
            _, sums, records, _ = parallelism.dot(kind, threads, x[shift:], y[shift:], n)
            assert sums[0] == int(x[shift:][:n].astype(int) @ y[shift:][:n].astype(int)), (n, shift)
    assert records.shape == (1, threads)


@needs_compiler
def test_vectors_come_from_the_vector_kinds_alone():
    loops = {
        name: str(hot_loops("scaling", name))
        for name in ("dot_one_chain", "dot_chains", "dot_vector", "dot_vector_chains")
    }
    vectorised = {name: any(word in loop for word in ("mulps", "v4.4s", ".4s")) for name, loop in loops.items()}
    assert vectorised == {"dot_one_chain": False, "dot_chains": False, "dot_vector": True, "dot_vector_chains": True}


@needs_compiler
def test_the_c_refuses_kinds_and_teams_that_are_none():
    library = native.load("scaling")
    x, elapsed, sums = np.zeros(8, np.float32), np.zeros(1, np.int64), np.zeros(1, np.float32)
    records = np.zeros(1, np.dtype(library.struct("team_record")))
    for kind, threads, laps in ((-1, 1, 1), (4, 1, 1), (0, 0, 1), (0, 129, 1), (0, 1, 0)):
        status = library.dot_product(
            kind, threads, np.zeros(1, np.int32), 1, x, x, 8, laps, 1, elapsed, sums, records, Cancel().flag
        )
        assert status == library.constants["SPE_BAD_ARGUMENT"]


@needs_compiler
def test_a_cancel_ends_years_of_laps_and_leaves_no_thread():
    x, cancel, before = np.ones(64, np.float32), Cancel(), psutil.Process().num_threads()
    timer = threading.Timer(0.05, cancel.set)
    timer.start()
    with pytest.raises(CancelledError):
        parallelism.dot("one chain", 4, x, x, 64, laps=2**62, cancel=cancel)
    timer.join()
    assert psutil.Process().num_threads() == before


# ---- The model
# ---------------------------------------------------------------------------------------------------------


def test_the_time_is_the_largest_of_its_limits_by_hand():
    known = {"L": 1.0, "G": 0.3, "B": 10.0, "B_all": 15.0, "s": 6.0, "o": 0.0, "m": 0.0, "n": 100, "N": 1}
    time = scaling.element_time()
    by_hand = {"one chain": 1.0, "eight chains": 0.3, "vectors": 0.25, "eight chains of vectors": 0.075}
    for kind, (chains, lanes) in KINDS.items():
        assert float(time(c=chains, v=lanes, **known)) == pytest.approx(by_hand[kind] + 0.06)
    assert float(time(c=8, v=4, **(known | {"m": 1.0}))) == pytest.approx(
        0.8 + 0.06
    )  # 8 bytes at 10 bytes a nanosecond
    assert float(time(c=1, v=1, **(known | {"N": 4, "o": 500.0}))) == pytest.approx(0.25 + 5.06)
    # Two threads read from memory at 15 bytes a nanosecond, not at twice 10.
    assert float(time(c=8, v=4, **(known | {"m": 1.0, "N": 2}))) == pytest.approx(8 / 15 + 0.06)


def test_threads_pay_from_where_both_times_are_the_same():
    n = scaling.threads_pay_from()
    t1, o, threads = symbol("t1"), symbol("o"), symbol("N")
    assert sympy.simplify(t1 * n - (t1 * n / threads + o)) == 0


def test_the_mark_is_that_place(lab, monkeypatch):
    monkeypatch.setattr(cpus, "current", lambda: cpus.Cpus(tuple(range(8)), None, pinned=True))
    for each, alone in (("one chain", 0.9), ("eight chains of vectors", 0.3 / 4)):
        point = lab.point({"threads": 4, "each": each, "L": 0.9, "G": 0.3, "o": 700})
        solved = scaling.threads_pay_from().subs({symbol("t1"): alone, symbol("o"): 700, symbol("N"): 4})
        assert lab.marks(point, lab.recorded_fit)["threads pay from"] == pytest.approx(float(solved), rel=1e-3)


def test_one_core_gains_nothing_from_threads_and_has_no_mark(lab, monkeypatch):
    monkeypatch.setattr(cpus, "current", lambda: cpus.Cpus((0,), None, pinned=True))
    point, x = lab.point({"threads": 8}), lab.x([1 << 16])
    one, _, _, threads = (curve.values[0] for curve in lab.predict(point, x, lab.recorded_fit))
    assert threads > one and np.isnan(lab.marks(point, lab.recorded_fit)["threads pay from"])


def test_constants_come_from_a_profile_that_has_them(monkeypatch):
    own = Machine(
        {},
        {
            "core_clock": Parameter(4.0, "GHz", "measured", "x"),
            "memory_bandwidth": Parameter(25.0, "GB/s", "measured", "x"),
            "memory_bandwidth_all_cores": Parameter(40.0, "GB/s", "measured", "x"),
            "l3_capacity": Parameter(8 << 20, "B", "claimed", "sysfs"),
        },
    )
    monkeypatch.setattr(cpus, "current", lambda: cpus.Cpus((0, 1), None, pinned=True))
    sliders = parallelism.Parallelism(own).sliders
    constants = [sliders[name].default for name in ("L", "G", "B", "B_all", "C")]
    assert constants == [0.75, 0.25, 25.0, 40.0, 8 << 20]
    assert "measured" in sliders["L"].source and "claimed" in sliders["C"].source
    assert (
        "assumed"
        in parallelism.Parallelism(Machine({}, {"l2_capacity": Parameter(1 << 20, "B", "assumed", "x")}))
        .sliders["B"]
        .source
    )


def test_constants_read_off_curves_that_the_model_made_are_the_model_s(lab):
    truth = {"L": 0.8, "G": 0.27, "s": 4.0, "o": 240.0}
    point = lab.point(truth | {"threads": 2})
    x = lab.x()
    made = [
        Curve(name, "measured", x, "ns", curve.values)
        for name, curve in zip(LEVELS, lab.predict(point, x, lab.recorded_fit), strict=True)
    ]
    found = lab.constants(lab.recording(lab.point({"threads": 2}), made, {}))
    # L is read from products so long that s hardly counts; what is left of it is in L.
    assert found == pytest.approx(truth, rel=0.05)


def test_constants_that_no_clean_sample_tells_are_left_out(lab):
    def found(n, *values):
        x = Axis("n", "", n)
        measured = [Curve(name, "measured", x, "ns", each) for name, each in zip(LEVELS, values, strict=True)]
        return set(lab.constants(Recording(lab.id, lab.point(), x, measured, {}, {}, "0")))

    none, some = [np.nan, np.nan], [1.0, 0.9]
    assert found([64, 4096], none, none, none, none) == set()
    assert found([64, 4096], some, none, none, some) == {"L", "s"}
    assert found([2048, 4096], some, some, none, some) == {"L", "G"}
    assert found([64, 4096], some, some, none, none) == {"L", "G", "s"}
    assert found([64, 4096], some, some, none, some) == {"L", "G", "s", "o"}


# ---- The machine
# -------------------------------------------------------------------------------------------------------


@pytest.mark.machine
@pytest.mark.may_skip_busy
@needs_compiler
def test_the_machine_shows_what_the_chapter_says(lab):
    """Orderings with wide margins: an addition takes two to four times as long as its throughput allows, a vector has
    four lanes.
    """
    run = lab.run({"each": "eight chains of vectors"}, over=[2048, 1 << 18], budget_s=1.5)
    one, chains, vectors, threads = (curve.values for curve in run.measured)
    if not np.isfinite([one[0], chains[0], vectors[0], one[1]]).all():
        pytest.skip("no clean sample: this machine is busy")
    assert one[0] > 1.3 * chains[0] and one[0] > 2 * vectors[0]
    if cpus.current().cores >= 2 and np.isfinite(threads[1]):
        assert threads[1] < one[1] / 2  # eight chains of vectors alone are eight times as fast


def test_a_constant_that_is_shown_like_the_default_can_be_set(lab):
    slider = replace(lab.sliders["L"], default=1.1811)
    assert 1.18 in controls.stops(slider, 1.18)
