"""What a lab is written with, in one place: a topic's modules import these names from here."""

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import CompanionLab, KernelLab, Plan, SimulatedLab, TeamLab, accumulated, growing
from spe_lab.core.lab import Effort, Lab, Measured
from spe_lab.core.recording import Recording
from spe_lab.core.registry import register
from spe_lab.core.slider import Preset, Slider, Value

__all__ = [
    "Axis",
    "Cancel",
    "CompanionLab",
    "Curve",
    "Effort",
    "KernelLab",
    "Lab",
    "Measured",
    "Plan",
    "Preset",
    "Recording",
    "SimulatedLab",
    "Slider",
    "TeamLab",
    "Value",
    "accumulated",
    "growing",
    "register",
]
