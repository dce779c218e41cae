"""What a kernel's arguments may be: checked before C can misread them."""

import ctypes

import numpy as np
import pytest

from spe_lab.core.c import binding
from spe_lab.core.c.binding import array_pointer
from spe_lab.core.c.ctype import Function, Number, Other
from spe_lab.core.errors import SpeLabError


def test_arrays_of_another_type_or_with_gaps_are_refused_before_c_sees_them():
    wrong = {
        "dtype float64, got float32": np.zeros(4, np.float32),
        "contiguous": np.zeros(8)[::2],
        "got list": [1.0],
        "got float": 1.5,
    }
    for reason, argument in wrong.items():
        with pytest.raises(SpeLabError, match=f"for C must .*{reason}.*; "):
            array_pointer(ctypes.c_double).from_param(argument)


def test_a_pointer_takes_an_array_a_structure_an_address_or_none():
    pointer, array, one = array_pointer(ctypes.c_double), np.zeros(4), ctypes.c_double(1)
    assert pointer.from_param(array).value == array.ctypes.data
    assert pointer.from_param(one).value == ctypes.addressof(one)
    assert pointer.from_param(4096).value == 4096 and pointer.from_param(None).value is None


def test_a_type_that_refuses_what_c_cannot_hold_is_made_once():
    kind = Number("int", "int", 4)
    assert binding.argument(kind) is binding.argument(kind)


def test_what_a_kernel_cannot_take_or_give_is_refused():
    wide = Number("__int128", "int", 16)
    with pytest.raises(SpeLabError, match=r"must be a number or a pointer, got __int128; pass it"):
        binding.argument(wide)
    with pytest.raises(SpeLabError, match=r"must return a number or nothing, and f returns _Decimal64"):
        binding.result(Function("f", "f", Other("_Decimal64", "a decimal number"), "_Decimal64", (), False, True))
