"""The noise of the machine: two loops sampled in turn, and what is said of them."""

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.sampling import noise


@pytest.mark.machine
@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
def test_each_loop_is_shown_relative_to_its_fastest_sample():
    observed = noise.observe()
    for relative in (observed.additions, observed.cache):
        assert np.nanmin(relative) == 1 and np.isfinite(relative).any()
    kept, tried = (int(counts.sum()) for counts in (observed.sweep.estimate.kept, observed.sweep.estimate.tried))
    assert f"{kept} of {tried} samples clean" in observed.sentence and "A/A control" in observed.sentence
