"""Results of two versions: equal bits, shares of the largest value, and what cannot be compared."""

import math

import numpy as np
import pytest

from spe_lab.core.own_c.equality import changes, difference

NAN, X = math.nan, np.array([1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("a", "b", "tolerance"),
    [
        (1, 1, 0),
        (b"a", b"a", 0),
        (None, None, 0),
        (NAN, NAN, 0),
        (X, X.copy(), 0),
        (X, X + 1e-9, 1e-9),
        (np.array([NAN, math.inf, 1]), np.array([NAN, math.inf, 1 + 1e-12]), 1e-9),
        (0.0, -0.0, 1e-15),
        (X.astype(np.float32), X, 0),  # float and double: values count
        ({"s": [1, {"t": X}]}, {"s": [1, {"t": X.copy()}]}, 0),
        (np.zeros(0), np.zeros(0), 0),
        (1 + 2j, 1 + 2j, 0),
    ],
)
def test_what_is_equal(a, b, tolerance):
    assert difference({"r": a}, {"r": b}, tolerance) == ""


@pytest.mark.parametrize(
    ("a", "b", "tolerance", "said"),
    [
        (1, 2, 0, "r is 1 and 2"),
        (2**60, 2**60 + 1, 0, f"r is {2**60} and {2**60 + 1}"),  # equal as floats
        (2**64 - 1, 0, 0, f"r is {2**64 - 1} and 0"),
        (b"a", b"b", 0, "r is b'a' and b'b'"),
        (1.0, 1.0 + 2**-52, 0, "r is 1.0 and 1.0000000000000002, a relative difference of 2.2e-16"),
        (2.0, 1.5, 0.1, "r is 2.0 and 1.5, a relative difference of 0.25"),
        (0.0, -0.0, 0, "r differs in the bits of zeros or NaN, which --tolerance accepts"),
        (NAN, 1.0, 0.5, "r is nan and 1.0"),
        (math.inf, -math.inf, 0.5, "r is inf and -inf"),
        (X, X + np.array([0, 0.04, 0.02]), 1e-3,
         "r[1] is 2.0 and 2.04, a difference of 0.01 of the largest value; 2 of 3 elements differ"),
        (X, X[:2], 0, "r has 3 elements and 2 elements"),
        (np.array([[1, 2], [3, 4]]), np.array([[1, 2], [9, 4]]), 0, "r[1][0] is 3 and 9; 1 of 4 elements differ"),
        (np.array([b"a", b"b"]), np.array([b"a", b"c"]), 0, "r[1] is b'b' and b'c'; 1 of 2 elements differ"),
        ({"x": 1}, {"x": 1, "y": 2}, 0, "only one of them has r.y"),
        ({"x": [1, 2]}, {"x": [1, 3]}, 0, "r.x[1] is 2 and 3"),
        (np.zeros(2, [("n", int), ("x", float)]), np.ones(2, [("n", int), ("x", float)]), 0,
         "r.n[0] is 0 and 1; 2 of 2 elements differ"),
    ],
)  # fmt: skip
def test_what_differs_is_said_with_the_largest_difference(a, b, tolerance, said):
    assert difference({"r": a}, {"r": b}, tolerance) == said


def test_changes_count_only_what_was_given():
    before = {"n": 1, "s": {"a": 1, "p": X}, "x": X}
    assert changes(before, {"n": 1, "s": {"a": 1, "p": X, "more": 3}, "x": X.copy()}) == []
    assert changes(before, {"n": 1, "s": {"a": 1, "p": X + 1}, "x": X}) == ["s"]
