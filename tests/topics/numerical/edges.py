"""Kernels of kernels_c/numerical.c on edge sizes and on generated arguments: searches."""

import numpy as np
from edge_arguments import SEEDS, SIZES, state_of
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.topics.numerical import searching


@given(SIZES, st.integers(1, 5), SEEDS, st.integers(0, 50))
def test_searches(n, width, seed, lookups):
    keys, library = np.zeros(n * width, np.uint32), native.load("numerical")
    keys[::width] = 2 * np.arange(n, dtype=np.uint32) + 1
    for kind in searching.KINDS:
        found = getattr(library, f"search_{kind}")(state_of(library, "search", keys, n, width, seed), lookups)
        assert found == sum(searching.targets(n, lookups, seed))
