"""Your machine: the properties that it claims, and those that a program measures."""

from spe_lab.topics.machine.exercises import EXERCISES, MULTIPLY_TEMPLATE
from spe_lab.topics.machine.formulas import penalty
from spe_lab.topics.machine.labs import Calibrate, Facts
from spe_lab.topics.machine.report import claims_table, disagreements_table, outlook_table, parameters_table

__all__ = [
    "EXERCISES",
    "MULTIPLY_TEMPLATE",
    "Calibrate",
    "Facts",
    "claims_table",
    "disagreements_table",
    "outlook_table",
    "parameters_table",
    "penalty",
]
