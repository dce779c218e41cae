"""Which sliders of a lab stand at assumed values that a calibration of this machine would replace."""

from collections.abc import Sequence
from dataclasses import replace

from spe_lab.core import machine as machines
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine, Parameter

# What a calibration adds to the claimed parameters. The values only have to differ from what labs assume.
_ADDED = {
    "core_clock": (7.0, "GHz"),
    "branch_penalty": (17.0, "ns"),
    "memory_bandwidth": (70.0, "GB/s"),
    "memory_parallelism": (7.0, ""),
    "hand_off": (170.0, "ns"),
    "atomic_cost": (17.0, "ns"),
    "call_cost": (3.7, "ns"),
}
_OTHER = 1.37  # factor from an assumed value to another one


def calibrated(machine: Machine) -> bool:
    """Return True if some parameters of this machine are measured."""
    return any(parameter.origin == "measured" for parameter in machine.parameters.values())


def assumed_sliders(lab: Lab) -> Sequence[str]:
    """Return the names of the sliders whose defaults a calibration of this machine would change; none if there was one.

    The lab itself tells: it is made once more, for a machine on which each assumed parameter has another, measured
    value. None for the lab of another machine.
    """
    if lab.machine.facts != machines.facts() or calibrated(lab.machine):
        return ()
    return tuple(
        name
        for name, slider in lab.on(_elsewhere(lab.machine)).sliders.items()
        if slider.default != lab.sliders[name].default
    )


def _elsewhere(machine: Machine) -> Machine:
    changed = {name: Parameter(value, unit, "measured", "") for name, (value, unit) in _ADDED.items()}
    for name, parameter in machine.parameters.items():
        if (
            parameter.origin == "assumed"
            and parameter.value is not None
            and not name.endswith(("_replacement", "_capacity"))
        ):
            changed[name] = replace(parameter, value=_OTHER * parameter.value, origin="measured")
    return Machine(machine.facts, machine.parameters | changed)
