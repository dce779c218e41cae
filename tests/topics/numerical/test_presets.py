"""What the presets of numerical say one should look for, as relations between predicted curves (presets.py)."""

import numpy as np
import pytest

from ..presets import Seen, check, recorded

CLAIMS = {
    "numerical.points": {
        "No noise": lambda a, b: np.allclose(a[0], b[0], atol=0.01),
        "Noisy times": lambda a, b: a[0][1:].min() > 0.75 * a[0][1],
    },
}


@pytest.mark.parametrize("lab_id", CLAIMS)
def test_what_to_look_for_is_there(lab_id):
    check(lab_id, CLAIMS[lab_id])


def test_what_to_look_for_in_fitted_functions_is_there():
    lab = recorded("numerical.fit")
    measured, n = lab.recorded().measured[0].values, lab.x().values
    seen = {name: Seen(lab, preset.settings) for name, preset in lab.presets().items()}
    eight, wide, right = (seen[name] for name in ("Eight terms", "Points up to 2²¹", "Large sizes only"))
    given = lab.recorded_fit.of(eight.point)
    assert np.allclose(given.fit("polynomial")(given.n[given.given]), given.times[given.given], rtol=1e-6)
    assert abs(eight.at(0, 1 << 18) / measured[n == 1 << 18][0] - 1) > 0.5
    assert (
        abs(wide.at(1, 1 << 20) / measured[n == 1 << 20][0] - 1)
        < 0.25
        < abs(Seen(lab, {}).at(1, 1 << 20) / measured[n == 1 << 20][0] - 1)
    )
    assert all(abs(right.at(k, 1024) / measured[n == 1024][0] - 1) > 0.5 for k in (0, 1))
