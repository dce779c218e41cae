"""What the presets of patterns say one should look for, as relations between predicted curves (presets.py)."""

import numpy as np
import pytest

from ..presets import check, flat

CLAIMS = {
    "patterns.basic": {
        "Back and forth": lambda a, b: (np.diff(a[0])[2:9] < 0).all(),
        "In one direction": lambda a, b: len(np.unique(a[0].round(6))) == 2,
        "Narrow visits": lambda a, b: (a[1] > a[0]).all(),
    },
    "patterns.compose": {
        "Partition": lambda a, b: a.at(0, 2048) > 2 * a.at(0, 8192) and a.at(0, 8192) < 1.1 * a.at(0, 65536),
        "Merge join": lambda a, b: flat(a[0]),
        "A stream beside": lambda a, b: a.at(0, 128 << 10) > 2 * a.at(1, 128 << 10),
    },
    "patterns.time": {
        "In order": lambda a, b: a[0].max() - a[0].min() <= a.point["q"] + 0.1,
        "Narrow items": lambda a, b: np.diff(a[0]).max() < np.diff(b[0]).max(),
    },
    "patterns.conditional": {
        "Wide items": lambda a, b: a.x[np.argmax(a[0])] > 2 * b.x[np.argmax(b[0])],
        "Expensive lines in order": lambda a, b: a[0][-1] > 1.5 * b[0][-1] and np.isclose(a[0][0], b[0][0], rtol=0.05),
    },
    "patterns.partition": {
        "Misses one by one": lambda a, b: np.allclose(a[0] - a[0][0], 1.5 * (b[0] - b[0][0])),
        "Eight at once": lambda a, b: a[0][-1] - a[0][0] < 0.2 * (b[0][-1] - b[0][0]),
        "A first level × 4": lambda a, b: np.isclose(a.marks["first level full"], b.marks["first level full"] + 2),
    },
}


@pytest.mark.parametrize("lab_id", CLAIMS)
def test_what_to_look_for_is_there(lab_id):
    check(lab_id, CLAIMS[lab_id])
