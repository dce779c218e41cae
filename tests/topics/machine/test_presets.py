"""What the presets of machine say one should look for, as relations between predicted curves (presets.py)."""

import pytest

from spe_lab.core.machine import published

from ..presets import check

ARM, TREMONT = ("arm-neoverse-n1-altra",), ("intel-tremont-n6005",)


def of_all(names, what):
    return [machine.parameters[what].value for name, machine in published().items() if name not in names]


CLAIMS = {
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
}


@pytest.mark.parametrize("lab_id", CLAIMS)
def test_what_to_look_for_is_there(lab_id):
    check(lab_id, CLAIMS[lab_id])
