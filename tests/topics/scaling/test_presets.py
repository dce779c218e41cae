"""What the presets of scaling say one should look for, as relations between predicted curves (presets.py)."""

import numpy as np
import pytest

from ..presets import check, flat

CLAIMS = {
    "scaling.amdahl": {
        "P = 0.99": lambda a, b: a.at(1, 64) < 50,
        "Half is serial": lambda a, b: np.isclose(a.at(1, 4), 0.8 * 2) and a[1].max() < 2,
        "Work of 0.2 ms": lambda a, b: a[0][-1] < 1 < a[0].max(),
    },
    "scaling.gustafson": {
        "Half is serial": lambda a, b: a.at(1, 64) > 32 and a.at(2, 64) < 2,
        "Threads that compute": lambda a, b: flat(a[0][-3:].round(1)) and a[0][-1] < a[1][-1],
        "Short requests": lambda a, b: a.at(0, 64) / a.at(1, 64) < a.at(0, 4) / a.at(1, 4) < 1,
    },
    "scaling.usl": {
        "No coherency": lambda a, b: (np.diff(a[1]) > 0).all() and np.allclose(a[1], 1 / (0.05 + 0.95 / a.x)),
        "No contention": lambda a, b: a[1][1] > 1.99 and a[1][-1] < a[1].max(),
        "Coherency × 10": lambda a, b: a.x[np.argmax(a[1])] in (6, 8) and b.x[np.argmax(b[1])] == 24 and a[1][-1] < 1,
    },
    "scaling.critical_path": {
        "Cut the critical path": lambda a, b: a.at(0, 8) < 6 and b[0].min() == 17,
        "Nothing cut": lambda a, b: np.array_equal(a[0][2:], b[0][2:]) and flat(a[0][2:]) and a[0][2] == 17,
        "An anomaly": lambda a, b: a.at(0, 4) > a.at(0, 3),
    },
    "scaling.cost": {
        "Price without premium": lambda a, b: (a[1] <= a[0] + 1e-9).all(),
        "No contention": lambda a, b: flat(a[0].round(4)) and (a[0] < a[1])[a.x >= 4].all(),
        "Contention × 10": lambda a, b: (a[1] < a[0])[1:].all(),
    },
    "scaling.parallelism": {
        "Threads of the best loop": lambda a, b: not a.marks["threads pay from"] <= b.marks["threads pay from"],
        "Expensive threads": (
            lambda a, b: (
                np.isclose(a.marks["threads pay from"], 100 * b.marks["threads pay from"])
                or np.isnan(a.marks["threads pay from"])
            )
        ),
        "Little room, slow memory": lambda a, b: all(
            np.allclose(curve[-3:], a[0][-3:], rtol=0.02) for curve in a.curves
        ),
    },
}


@pytest.mark.parametrize("lab_id", CLAIMS)
def test_what_to_look_for_is_there(lab_id):
    check(lab_id, CLAIMS[lab_id])
