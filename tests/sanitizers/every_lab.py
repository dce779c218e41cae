"""Every lab once at each end of what it sweeps: kernels of labs that are still to be written are called here too."""

import contextlib

import pytest

from spe_lab.core import registry
from spe_lab.core.errors import MeasurementError


@pytest.mark.parametrize("name", registry.labs())
def test_a_lab_at_the_ends_of_its_sweep(name):
    lab = registry.get(name)
    x = lab.default_values(short=True)
    with contextlib.suppress(
        MeasurementError
    ):  # slowed down manifold, a sweep may have no clean sample, or be too long
        next(lab.runs(over=[x[0], x[-1]], budget_s=0.05, short=True))
