"""Kernels are checked once, before anything is timed; a wrong one names the compiler."""

import pytest

from spe_lab.core.c.verified import verified
from spe_lab.core.errors import MeasurementError


def test_kernels_that_agree_are_checked_once():
    seen = []

    @verified("laws")
    def kernels(library):
        """kernels_c/laws.c."""
        seen.append(library)
        yield "the number of laws", 6, library.constants["LAW_KINDS"]

    assert kernels() is kernels() is seen[0] and len(seen) == 1
    assert kernels.__doc__ == "kernels_c/laws.c." and callable(kernels().law_draw)


def test_a_kernel_that_differs_is_never_used():
    @verified("laws")
    def kernels(library):
        yield "one", 1, 1
        yield "two and two", 4, 5
        yield "never asked", *library.no_such_function()

    for _ in range(2):
        with pytest.raises(MeasurementError) as raised:
            kernels()
        assert " got 5 for 4 as two and two; report the compiler and its flags (" in str(raised.value)
        assert "-std=c11" in str(raised.value) and str(raised.value).startswith("kernels of laws.c must agree")
