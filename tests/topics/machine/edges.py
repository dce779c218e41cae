"""Kernels of kernels_c/machine.c on edge sizes and on generated arguments: what calibration times."""

import numpy as np
from edge_arguments import SIZES, state_of
from hypothesis import given

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.sampling import cycle


@given(SIZES, SIZES)
def test_the_calibration_s_loops(n, work):
    library, rng = native.load("machine"), np.random.default_rng(n)
    words, values = rng.integers(0, 2**40, 8 * n, dtype=np.uint64), rng.integers(0, 256, n, dtype=np.uint8)
    assert library.stream_sum(state_of(library, "stream", words, 8 * n, 0), n) == words.sum()
    assert library.select_branching(state_of(library, "selection", values, n, 0, 128), n) == (values < 128).sum()
    nodes = np.zeros(n * 64, np.uint8)
    chains = library.struct("chains")()
    chains.cursor[0] = chains.cursor[1] = cycle.link(nodes.ctypes.data, n, 64, 1, Cancel()).cursor
    chains.n = 2
    library.walk_chains(chains, 2 * n)
    assert chains.cursor[0] == chains.cursor[1] == nodes.ctypes.data
    library.cross_line(state_of(library, "crossing", nodes, 8), work)
    counter = np.zeros(1, np.uint64)
    library.add_atomically(counter, work)
    assert counter[0] == work
    for kernel in (library.call_function, library.call_clock, library.call_system):
        kernel(None, work)
    steps = np.full(n, -1, np.int64)
    library.clock_steps(steps, n)
    assert (steps >= 0).all()


def test_pages_that_were_given_back_are_faulted_in_again():
    import mmap

    pages, library = 5, native.load("machine")
    memory = np.frombuffer(mmap.mmap(-1, pages * mmap.PAGESIZE), np.uint8)
    for n in (0, 1, 3):
        took, faults = np.zeros(n, np.int64), np.zeros(n, np.int64)
        assert library.fault_pages(memory.ctypes.data, pages, mmap.PAGESIZE, took, faults, n, Cancel().flag) == 0
        assert ((faults == -1) | (faults >= 1)).all()


def test_threads_that_play_ball():
    for trials, hits in ((0, 0), (1, 0), (2, 1), (2, 33)):
        out, preemptions = np.zeros(trials, np.int64), np.zeros(trials, np.int64)
        assert native.load("machine").hand_off(-1, -1, hits, out, preemptions, trials, Cancel().flag) == 0
