"""Kernels of kernels_c/branches.c on edge sizes and on generated arguments: selections and predictors."""

import numpy as np
from edge_arguments import SEEDS, SIZES, WORKS, state_of
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.topics.branches import selection, simulator


@given(SIZES, st.integers(0, 8), st.integers(0, selection.KEY_RANGE), WORKS)
def test_selections(n, width, threshold, works):
    library, rng = native.load("branches"), np.random.default_rng(n)
    keys, payload = (
        rng.integers(0, selection.KEY_RANGE, n, dtype=np.int32),
        rng.integers(0, 1000, n * width + 1, dtype=np.int32),
    )
    for kernel in ("sum_branching", "sum_predicated", "read_branching", "read_predicated"):
        state, done = state_of(library, "selection", keys, payload, n, width, 0, threshold), 0
        for work in works:
            places = np.arange(done, done + work) % n
            chosen, done = places[keys[places] < threshold], done + work
            expected = keys[chosen] if kernel.startswith("sum") else payload[width * chosen]
            assert getattr(library, kernel)(state, work) == expected.sum(dtype=np.int64)


@given(
    st.floats(0, 1),
    st.integers(0, 300),
    st.integers(2, 16),
    st.integers(0, 15),
    st.integers(0, 3),
    st.sampled_from(list(simulator.KINDS)),
    st.sampled_from(simulator.LAWS),
    st.floats(0, 1),
    st.sampled_from([1, 2, 15, 16]),
    SEEDS,
)
def test_predictors(p, branches, states, initial, runs, kind, law, correlation, history, seed):
    found = simulator.simulate(
        p,
        branches,
        runs,
        states=states,
        initial=min(initial, states - 1),
        kind=kind,
        law=law,
        correlation=correlation,
        history=history,
        seed=seed,
    )
    assert found.shape == (runs,) and (found <= branches).all()
