"""What the edge tests of several topics call kernels with."""

import numpy as np
from hypothesis import strategies as st

from spe_lab.models import queues

SIZES = st.sampled_from([1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 257]) | st.integers(1, 300)
WORKS = st.lists(st.integers(0, 700), min_size=1, max_size=4)
SEEDS = st.integers(0, 2**64 - 1)
LAWS = st.one_of(
    st.builds(queues.deterministic, st.floats(0.01, 100)),
    st.builds(queues.exponential, st.floats(0.01, 100)),
    st.builds(queues.lognormal, st.floats(0.01, 100), st.floats(0.01, 100)),
    st.builds(queues.hyperexponential, st.floats(0.01, 100), st.floats(1, 1e6)),
    st.builds(queues.bimodal, st.floats(0.01, 100)),
    st.builds(queues.empirical, st.lists(st.floats(0.1, 9), min_size=1, max_size=9)),
)


def state_of(library, tag, *values):
    """A structure of the kernel's, arrays by their addresses."""
    return library.struct(tag)(*(value.ctypes.data if isinstance(value, np.ndarray) else value for value in values))


def thread_counts(most):
    return sorted({1, 2, 3, most} if most <= 8 else {1, 3, most})
