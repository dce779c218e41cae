"""What a preset says one should look for is there: each sentence of a topic's presets as a relation between predicted
curves. The claims stand in tests/topics/<stem>/test_presets.py: by lab and preset, whether `a`, with it, stands to `b`,
without it, as the preset says.

The models are those of the machines that the recorded data come from, so that this asks the same on every machine.
"""

import numpy as np

from spe_lab.core import registry
from spe_lab.ui.static import lab_of


class Seen:
    """A lab's curves, marks and axis at some settings, by number in the order of its predictions."""

    def __init__(self, lab, settings):
        self.point = lab.point(settings)
        self.x = lab.x().values
        self.curves = [curve.values for curve in lab.predict(self.point, lab.x(), lab.recorded_fit)]
        self.marks = lab.marks(self.point, lab.recorded_fit)

    def __getitem__(self, number):
        return self.curves[number]

    def at(self, number, x):
        return self.curves[number][np.flatnonzero(self.x == x)[0]]


def flat(values):
    return np.ptp(values) < 1e-9 * max(1, abs(values[0]))


def recorded(lab_id):
    return lab_of(registry.get(lab_id).recorded())


def check(lab_id, claims):
    """Every preset of the lab has its claim, and each holds."""
    lab = recorded(lab_id)
    assert set(claims) == set(lab.presets())
    before = Seen(lab, {})
    for name, claim in claims.items():
        assert claim(Seen(lab, lab.presets()[name].settings), before), name
