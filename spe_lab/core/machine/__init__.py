"""The machine: its parameters, each with a unit, an origin and, once measured, an interval; and the file that holds them."""

from spe_lab.core.machine.claims import claim, facts, memory_available
from spe_lab.core.machine.profile import ORIGINS, Machine, Parameter

__all__ = ["ORIGINS", "Machine", "Parameter", "claim", "current", "facts", "memory_available"]


def current() -> Machine:
    """This machine as the operating system describes it, completed by assumptions where it says nothing."""
    return Machine(facts(), claim())
