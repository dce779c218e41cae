"""A cell's function that is named like one of the C library is the cell's."""

import contextlib

import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c.compiled import Cell

SOURCE = """
typedef struct { int quot, rem; } pair;
pair div(int a, int b) { return (pair){a + b, a - b}; }
pair divide(int a, int b) { return div(a, b); }
long index(long a) { return a + 1; }
long next(long a) { return index(a); }
"""


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
@pytest.mark.parametrize(("name", "arguments", "right"), [("next", (4,), 5), ("divide", (5, 2), {"quot": 7, "rem": 3})])
def test_calls_within_a_cell_and_behind_it_do_not_go_to_libc(name, arguments, right):
    """Before: index(4) within the cell was libc's and crashed; div, whose result is a structure, was always libc's."""
    with contextlib.closing(Cell(SOURCE, flags=(*native.CELL_FLAGS, "-fno-builtin"))) as cell:
        assert cell[name](*arguments) == right
        assert cell["div" if name == "divide" else "index"](*arguments) == right
