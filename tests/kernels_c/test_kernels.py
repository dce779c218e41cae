"""The kernels of kernels_c against numpy and plain Python: checksums, cursors, cycles, the schedule of slots."""

import ctypes
import itertools
import mmap
import sys
import time

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
LINE = 64


@pytest.fixture(scope="module")
def memory():
    return native.load("memory")


@pytest.fixture(scope="module")
def harness():
    return native.load("measurement")


def linked(memory, n, seed=1, line=LINE):
    """`n` lines linked into a cycle, as a copy of numpy's that knows its own addresses."""
    lines, state = np.zeros(n * line, np.uint8), memory.struct("cycle")()
    assert (
        memory.cycle_link(state, lines.ctypes.data, n, line, np.empty(n, np.uint32), seed, Cancel().flag)
        == memory.constants["SPE_OK"]
    )
    return lines, state


def successors(lines, n, line=LINE):
    """Where each line points to, as line numbers."""
    return (lines.view(np.uint64)[:: line // 8] - np.uint64(lines.ctypes.data)).astype(int) // line


@pytest.mark.parametrize("n", [1, 2, 3, 64, 1000])
def test_the_links_are_one_cycle_that_visits_every_line_once(memory, n):
    lines, _ = linked(memory, n)
    after, place, visited = successors(lines, n), 0, []
    for _ in range(n):
        visited.append(place)
        place = after[place]
    assert place == 0 and sorted(visited) == list(range(n))


@pytest.mark.parametrize("n", [1, 2, 3, 64, 1000])
def test_a_walk_of_n_steps_ends_where_it_began_and_carries_its_cursor(memory, n):
    lines, state = linked(memory, n)
    start, after, place = state.cursor, successors(lines, n), 0
    assert start == lines.ctypes.data
    for steps in (0, 1, 2, n // 2):
        end = memory.cycle_walk(state, steps)
        for _ in range(steps):
            place = after[place]
        assert end == state.cursor == start + LINE * place
    state.cursor = start
    assert memory.cycle_walk(state, n) == start


def test_cycles_of_different_seeds_differ_and_of_one_seed_agree(memory):
    one, same, other = (successors(linked(memory, 1000, seed)[0], 1000).tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_every_cycle_is_equally_likely(memory):
    seeds = 6000
    counts = {}
    for seed in range(seeds):
        cycle = tuple(successors(linked(memory, 4, seed)[0], 4))
        counts[cycle] = counts.get(cycle, 0) + 1
    assert len(counts) == 6  # (4 − 1)! single cycles through four lines
    # Chi-square with five degrees of freedom: above 20.5 with a probability of 0.1 %; the seeds are fixed.
    assert sum((count - seeds / 6) ** 2 / (seeds / 6) for count in counts.values()) < 20.5


@pytest.mark.parametrize(("n", "line"), [(0, 64), (4, 4), (4, 12), (2**32, 64)])
def test_a_cycle_that_cannot_be_is_refused(memory, n, line):
    state = memory.struct("cycle")()
    assert memory.cycle_link(state, None, n, line, None, 1, Cancel().flag) == memory.constants["SPE_BAD_ARGUMENT"]


def test_linking_ends_when_cancelled(memory):
    cancel, n = Cancel(), 1 << 17
    cancel.set()
    lines, state = np.zeros(n * 8, np.uint8), memory.struct("cycle")()
    assert (
        memory.cycle_link(state, lines.ctypes.data, n, 8, np.empty(n, np.uint32), 1, cancel.flag)
        == memory.constants["SPE_CANCELLED"]
    )
    assert state.cursor is None


def visited(n, stride, shift):
    """Indices in the order of the notes' sweep, lap after lap, for ever."""
    start = 0
    while True:
        yield from range(start, n, stride)
        start = (start + shift) % stride


CASES = [
    (n, stride, shift)
    for n in (1, 2, 17, 64, 100)
    for stride in (1, 3, 16, 17, 100)
    if stride <= n
    for shift in (0, 1, 16)
]


@pytest.mark.parametrize("kernel", ["sum_strided", "sum_strided_dependent"])
@pytest.mark.parametrize(("n", "stride", "shift"), CASES)
def test_a_sweep_adds_what_numpy_adds_however_the_work_is_cut(memory, kernel, n, stride, shift):
    elements = np.random.default_rng(n).integers(-(2**31), 2**31, n).astype(np.int32)
    state = memory.struct("sweep")(elements.ctypes.data, n, stride, shift, 0, 0, 0)
    order = visited(n, stride, shift)
    for work in (0, 1, 2, n // stride, n, 3 * n + 1, 7):  # the cursor is carried from one to the next
        expected = elements[list(itertools.islice(order, work))].astype(np.int64).sum()
        assert np.uint64(getattr(memory, kernel)(state, work)).astype(np.int64) == expected


def test_the_empty_kernel_does_nothing_and_the_probe_counts_its_additions(harness):
    for work in (0, 1, 31, 32, 33, 1000):
        assert harness.null_kernel(None, work) == harness.probe_kernel(None, work) == work


def schedule(harness, works, warm=0):
    """One point (the probe) and a slot for each amount of work."""
    point = harness.struct("spe_point")(harness.address("probe_kernel"), None, warm)
    slots = np.zeros(len(works), np.dtype(harness.struct("spe_sample")))
    slots["work"], slots["warm"] = works, 1
    return point, slots


def test_slots_are_run_in_their_order_and_hold_what_the_kernel_returned(harness):
    point, slots = schedule(harness, [5, 70, 1])
    assert harness.spe_run(point, slots, 3, harness.spe_now() + 10**10, Cancel().flag) == 3
    assert slots["checksum"].tolist() == [5, 70, 1]
    assert (np.diff(slots["began_ns"]) >= slots["elapsed_ns"][:-1]).all() and (slots["elapsed_ns"] >= 0).all()


def test_pages_that_are_met_for_the_first_time_are_counted_as_faults(harness, memory):
    pages = 64
    with mmap.mmap(-1, pages * 4096) as fresh:  # never touched: each page, or the huge one they share, faults once
        elements = np.frombuffer(fresh, np.int32)
        sweep = memory.struct("sweep")(elements.ctypes.data, elements.size, 1024, 0, 0, 0, 0)
        point, slots = (
            harness.struct("spe_point")(memory.address("sum_strided"), ctypes.addressof(sweep), 0),
            schedule(harness, [pages, pages])[1],
        )
        assert harness.spe_run(point, slots, 2, harness.spe_now() + 10**10, Cancel().flag) == 2
        del elements
    assert slots["faults"][0] > 0 == slots["faults"][1]


def test_after_the_deadline_one_slot_is_run_and_no_more(harness):
    point, slots = schedule(harness, [5, 70, 1])
    assert harness.spe_run(point, slots, 3, harness.spe_now() - 1, Cancel().flag) == 1
    assert slots["checksum"].tolist() == [5, 0, 0]


def test_a_cancelled_schedule_runs_nothing_not_even_a_warm_up(harness):
    cancel = Cancel()
    cancel.set()
    point, slots = schedule(harness, [5], warm=2**63)  # years of work, were it begun
    assert harness.spe_run(point, slots, 1, harness.spe_now() + 10**10, cancel.flag) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Python and the kernels may read different clocks")
def test_the_clock_is_the_system_s_monotonic_one_in_nanoseconds(harness):
    began, inside, ended = time.monotonic_ns(), harness.spe_now(), time.monotonic_ns()
    assert began <= inside <= ended
