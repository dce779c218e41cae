"""Sweeps on this machine: control, cancelling, interrupting, bounds.

No time is asserted. Ratios of interleaved samples spread by about 0.1 % on a busy machine, so that margins of several
percent never fail by chance; limits in seconds are several times what is promised.
"""

import ctypes
import math
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from spe_lab.core import mode
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.sampling import kernels
from spe_lab.core.sampling.kernels import Point, sweep
from spe_lab.core.sampling.statistics import BURST

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
NEVER = -1.0  # a target that no interval reaches

TWICE = """#include "spe.h"
#define ADD sum += step; SPE_OPAQUE(sum);
uint64_t once(void *state, uint64_t work) { uint64_t sum = 0, step = 1; (void)state; SPE_OPAQUE(step);
    for (uint64_t i = 0; i < work; i++) { ADD ADD ADD ADD ADD ADD ADD ADD } return sum; }
uint64_t twice(void *state, uint64_t work) { uint64_t sum = 0, step = 1; (void)state; SPE_OPAQUE(step);
    for (uint64_t i = 0; i < work; i++) { ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD } return sum; }
"""


@pytest.fixture
def probe():
    return Point("probe", native.load("measurement").address("probe_kernel"), ctypes.c_int64(0))


@pytest.mark.machine
@needs_compiler
def test_two_names_for_one_kernel_do_not_differ(probe):
    *_, last = sweep([probe, probe], budget_s=0.7)
    for low, _, high in (last.control, last.ratio(0, 1)):
        assert low < 1.02 and high > 0.98


@pytest.mark.machine
@needs_compiler
def test_twice_the_additions_take_twice_the_time():
    library, nothing = native.compile_text(TWICE, "twice"), ctypes.c_int64(0)
    once, twice = (Point(name, library.address(name), nothing) for name in ("once", "twice"))
    low, ratio, high = kernels.compare(twice, once, budget_s=0.7)
    assert 1.9 < ratio < 2.1 and low <= ratio <= high


@needs_compiler
def test_bursts_come_back_by_point_with_their_work_varied_by_a_tenth(probe):
    harness = kernels._Harness([probe, probe], Cancel())
    works = np.array([1000.0, 2000, 3000, 4000, 5000])
    row = harness.round(np.array([3, 0, 4, 1, 2]), works, np.random.default_rng(1), deadline=math.inf)
    assert row.shape == (BURST, 5) and (row["point"] == np.arange(5)).all()
    assert (abs(row["work"] / works - 1) <= 0.1).all() and np.unique(row["work"]).size > BURST
    assert (row["checksum"] == row["work"]).all() and row["warm"].sum() == 5  # both kernels return their work


@pytest.mark.machine
@needs_compiler
def test_samples_are_calibrated_to_their_length(probe):
    harness = kernels._Harness([probe], Cancel())
    slots = np.zeros(20, harness.slot)
    slots["work"] = harness.calibrate()[0]
    harness.run(slots)
    # The clock may change between the two by a third or so; a cold calibration would be off by a factor of 2.5 to 20.
    assert 0.4 < slots["elapsed_ns"].min() / kernels.SAMPLE_NS < 2.5


@pytest.mark.machine
@needs_compiler
def test_results_get_better_and_the_last_is_complete(probe):
    results = list(sweep([probe], budget_s=1.5, target=NEVER))
    assert len(results) > 2 and results[-1].progress == 1
    for attribute in ("rounds", "progress"):
        values = [getattr(result, attribute) for result in results]
        assert values == sorted(values)
    assert results[-1].estimate.tried > results[0].estimate.tried


@pytest.mark.machine
@needs_compiler
def test_a_budget_is_used_up_but_not_overdrawn(probe):
    began = time.monotonic()
    list(sweep([probe], budget_s=1.0, target=NEVER))
    assert 1 <= time.monotonic() - began < 3  # three budgets: calibration and one last round, on a machine that stalls


@pytest.mark.machine
@needs_compiler
def test_a_precise_result_ends_a_sweep_early_but_not_at_once(probe):
    began = time.monotonic()
    list(sweep([probe], budget_s=60, target=10))
    assert 0.5 <= time.monotonic() - began < 15


@pytest.mark.parametrize("budget", [0, -1, math.nan, math.inf, 3601])
def test_a_budget_out_of_bounds_is_refused(budget):
    with pytest.raises(SpeLabError, match="budget_s must be between 0 and 3600 seconds, got "):
        next(sweep([Point("none", 0, ctypes.c_int64(0))], budget_s=budget))


def test_a_sweep_of_nothing_is_refused():
    with pytest.raises(SpeLabError, match="points must name at least one kernel"):
        next(sweep([]))


@needs_compiler
def test_a_budget_too_small_for_one_round_is_said(probe):
    with pytest.raises(MeasurementError, match="takes longer than twice the budget of 1e-06 s"):
        list(sweep([probe], budget_s=1e-6))


def seconds_to_stop(points, error=None):
    """How long a sweep goes on after another thread cancelled it."""
    cancel, pressed = Cancel(), []
    threading.Timer(0.4, lambda: (pressed.append(time.monotonic()), cancel.set())).start()
    if error:
        with pytest.raises(error, match="cancelled"):
            list(sweep(points, budget_s=60, target=NEVER, cancel=cancel))
    else:
        *_, last = sweep(points, budget_s=60, target=NEVER, cancel=cancel)
        assert last.rounds >= 1 and last.progress == 1
    return time.monotonic() - pressed[0]


@pytest.mark.machine
@needs_compiler
def test_another_thread_cancels_a_long_sweep_which_keeps_what_it_has(probe):
    # C looks at the flag between samples of 150 µs; half a second leaves a busy machine time to wake the threads.
    assert seconds_to_stop([probe] * 3) < 0.5


@pytest.mark.machine
@needs_compiler
def test_another_thread_cancels_a_warm_up_without_end(probe):
    endless = Point("endless", probe.kernel, probe.state, warm=2**62)
    assert seconds_to_stop([endless], CancelledError) < 0.5


@needs_compiler
def test_a_sweep_cancelled_before_it_began_says_so(probe):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError, match="start it again"):
        list(sweep([probe], cancel=cancel))


INTERRUPTED = """
import ctypes, os, signal, threading, time
from spe_lab.core.c import native
from spe_lab.core.sampling import kernels
probe = kernels.Point("probe", native.load("measurement").address("probe_kernel"), ctypes.c_int64(0))
pressed = []
threading.Timer(0.4, lambda: (pressed.append(time.monotonic()), os.kill(os.getpid(), signal.SIGINT))).start()
try:
    list(kernels.sweep([probe], budget_s=60, target=-1))
except KeyboardInterrupt:
    print(time.monotonic() - pressed[0])
print(kernels.compare(probe, probe, budget_s=0.3)[1])
"""


@pytest.mark.machine
@needs_compiler
def test_an_interrupt_ends_a_sweep_and_the_next_one_works():
    said = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=True)
    seconds, ratio = map(float, said.stdout.split())
    assert seconds < 0.5  # C returns to Python every 50 ms
    assert 0.9 < ratio < 1.1


@pytest.mark.parametrize(("setting", "bounded"), [("1", True), ("yes", True), ("0", False), ("", False), (None, False)])
def test_spe_lab_quick_bounds_measurements(monkeypatch, setting, bounded):
    monkeypatch.setattr(os, "environ", {} if setting is None else {"SPE_LAB_QUICK": setting})
    assert mode.quick() is bounded
