"""Kernels of kernels_c/patterns.c on edge sizes and on generated arguments: visits of items and a scatter into clusters."""

import numpy as np
from edge_arguments import SIZES, WORKS
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.models.patterns.algebra import Region, r_trav, rr_acc, s_trav, s_trav_cr
from spe_lab.topics.patterns import kernels as patterns


@given(SIZES, st.integers(1, 9), st.integers(1, 9), st.sampled_from([s_trav, r_trav, rr_acc, s_trav_cr]), WORKS)
def test_visits(n, words, read, kind, works):
    read, more = min(read, words), {rr_acc: {"r": n + 1}, s_trav_cr: {"s": 0.5}}.get(kind, {})
    pattern, library = kind(Region(n, 4 * words), u=4 * read, **more), native.load("patterns")
    memory = np.random.default_rng(n).integers(0, 2**32, n * words, dtype=np.uint32)
    listed = None if kind is s_trav else pattern.items(np.random.default_rng(n)).astype(np.uint32)
    if listed is not None and not listed.size:
        return
    order, done = np.arange(n) if listed is None else listed, 0
    item = memory.reshape(n, words)[:, :read].sum(axis=1, dtype=np.uint64)
    state = patterns.visits_state(library, memory, pattern, listed)
    kernel = library.visit_in_order if listed is None else library.visit_listed
    for work in works:
        expected = item[order[np.arange(done, done + work) % order.size]]
        assert kernel(state, work) % 2**32 == int(expected.sum(dtype=np.uint64)) % 2**32
        done += work


@given(SIZES, st.integers(1, 10))
def test_scatters(n, bits):
    tuples, to = np.random.default_rng(n).integers(0, 2**64, n, dtype=np.uint64), np.zeros(n, np.uint64)
    clusters = tuples >> np.uint64(64 - bits)
    state, *_ = patterns.scatter_state(native.load("patterns"), tuples, to, bits)
    native.load("patterns").scatter_tuples(state, n)
    assert (to == tuples[np.argsort(clusters, kind="stable")]).all()
