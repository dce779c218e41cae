"""Nothing is left out: runs after all edge tests, in the same process (test_sanitized.py)."""

import pytest

from spe_lab.core.c import native, prototypes


@pytest.mark.parametrize("stem", native.stems())
def test_every_kernel_was_called_by_the_edge_tests(stem):
    declared = set(prototypes.read(native.source(stem), native.kernel_folder()).functions)
    assert declared <= set(vars(native.load(stem)))  # it keeps the functions that it was asked for
