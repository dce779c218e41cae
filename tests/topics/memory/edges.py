"""Kernels of kernels_c/memory.c on edge sizes and on generated arguments: the cycle through an array and the strided sweeps."""

from itertools import islice

import numpy as np
from edge_arguments import SEEDS, SIZES, WORKS, state_of
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.sampling import cycle


@given(SIZES, st.sampled_from([8, 24, 64, 136]), SEEDS)
def test_cycles(nodes, spacing, seed):
    lines = np.zeros(nodes * spacing, np.uint8)
    state = cycle.link(lines.ctypes.data, nodes, spacing, seed, Cancel())
    start, library = state.cursor, native.load("memory")
    assert library.cycle_walk(state, 0) == start
    assert len({library.cycle_walk(state, 1) for _ in range(nodes)}) == nodes and state.cursor == start


@given(SIZES, st.integers(1, 300), st.integers(0, 300), WORKS)
def test_sweeps(n, stride, shift, works):
    elements = np.random.default_rng(n).integers(-(2**31), 2**31, n).astype(np.int32)
    stride, library = min(stride, n), native.load("memory")

    def visited():
        start = 0
        while True:
            yield from range(start, n, stride)
            start = (start + shift) % stride

    for kernel in (library.sum_strided, library.sum_strided_dependent):
        state, order = state_of(library, "sweep", elements, n, stride, shift, 0, 0, 0), visited()
        for work in works:
            assert np.uint64(kernel(state, work)).astype(np.int64) == elements[list(islice(order, work))].sum(
                dtype=np.int64
            )
