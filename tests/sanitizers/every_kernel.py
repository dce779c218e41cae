"""Nothing is left out: runs after all edge tests, in the same process (test_sanitized.py)."""

import pytest

from spe_lab.core.c import native


@pytest.mark.parametrize("stem", native.stems())
def test_every_kernel_was_called_by_the_edge_tests(stem):
    declared = set(native.build(stem).declarations.functions)
    assert declared <= set(vars(native.load(stem)))  # it keeps the functions that it was asked for
