"""What a preset says one should look for is there: each sentence of the topics' presets as a relation between predicted
curves.

The models are those of the machines that the recorded data come from, so that this asks the same on every machine.
"""

import numpy as np
import pytest

from spe_lab.core import registry
from spe_lab.core.machine import published
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


def of_all(names, what):
    return [machine.parameters[what].value for name, machine in published().items() if name not in names]


ARM, TREMONT = ("arm-neoverse-n1-altra",), ("intel-tremont-n6005",)
# By lab and preset: whether `a`, with it, stands to `b`, without it, as the preset says.
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
    "machine.facts": {
        "An Arm server": lambda a, b: all(a[0][0] == 2 * other for other in of_all(ARM, "l1_capacity")),
        "A small Intel core": lambda a, b: a[0][2] < 3 * a[0][1],
    },
    "machine.calibrate": {
        "An Arm server": lambda a, b: a[0][2] > 2 * max(of_all(ARM, "l3_latency")),
        "A small Intel core": (
            lambda a, b: a[0][0] < min(of_all(TREMONT, "l1_latency")) and a[0][1] > max(of_all(TREMONT, "l2_latency"))
        ),
    },
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
    "numerical.points": {
        "No noise": lambda a, b: np.allclose(a[0], b[0], atol=0.01),
        "Noisy times": lambda a, b: a[0][1:].min() > 0.75 * a[0][1],
    },
}


def recorded(lab_id):
    return lab_of(registry.get(lab_id).recorded())


@pytest.mark.parametrize("lab_id", sorted(CLAIMS))
def test_what_to_look_for_is_there(lab_id):
    lab = recorded(lab_id)
    assert set(CLAIMS[lab_id]) == set(lab.presets())
    before = Seen(lab, {})
    for name, claim in CLAIMS[lab_id].items():
        assert claim(Seen(lab, lab.presets()[name].settings), before), name


def test_what_to_look_for_in_fitted_functions_is_there():
    lab = recorded("numerical.fit")
    measured, n = lab.recorded().measured[0].values, lab.x().values
    seen = {name: Seen(lab, preset.settings) for name, preset in lab.presets().items()}
    eight, wide, right = (seen[name] for name in ("Eight terms", "Points up to 2²¹", "Large sizes only"))
    given = lab.sample(eight.point)
    assert np.allclose(given.fit("polynomial")(given.n[given.given]), given.times[given.given], rtol=1e-6)
    assert abs(eight.at(0, 1 << 18) / measured[n == 1 << 18][0] - 1) > 0.5
    assert (
        abs(wide.at(1, 1 << 20) / measured[n == 1 << 20][0] - 1)
        < 0.25
        < abs(Seen(lab, {}).at(1, 1 << 20) / measured[n == 1 << 20][0] - 1)
    )
    assert all(abs(right.at(k, 1024) / measured[n == 1024][0] - 1) > 0.5 for k in (0, 1))
