"""What the presets of coherence say one should look for, as relations between predicted curves (presets.py)."""

import numpy as np
import pytest

from ..presets import check, flat

CLAIMS = {
    "coherence.mesi": {
        "Turn by turn": lambda a, b: (np.diff(a[0]) > 0).all() and np.isclose(a[0][-1], 1),
        "Long turns": lambda a, b: a[0].max() < 0.02,
        "Eight cores": lambda a, b: np.argmax(a[0] - b[0]) < 10 and np.isclose(a[0][-1], b[0][-1]),
        "Lines of its own": lambda a, b: not a[0].any() and not a[1].any(),
    },
    "coherence.false_sharing": {
        "Lines 2 × as long": (
            lambda a, b: (
                a.marks["line size"] == 2 * b.marks["line size"]
                and a.at(2, 96) > b.at(2, 96)
                and a.at(2, 128) == b.at(2, 128)
            )
        ),
        "Eight threads": lambda a, b: len(np.unique(a[2])) > 4 and (np.diff(a[2]) <= 0).all(),
        "A hand-off each time": (
            lambda a, b: (
                (a[0] >= b[0]).all() and a[0][0] > b[0][0] and np.array_equal(a[1], b[1]) and np.array_equal(a[2], b[2])
            )
        ),
        "Only loads": lambda a, b: all(flat(curve) for curve in a.curves),
    },
}


@pytest.mark.parametrize("lab_id", CLAIMS)
def test_what_to_look_for_is_there(lab_id):
    check(lab_id, CLAIMS[lab_id])
