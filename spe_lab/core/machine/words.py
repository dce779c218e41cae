"""The profile of this machine in a few sentences, for readers who do not want a table.

Parameters that were not measured, or that this machine does not show, are left out.
"""

from spe_lab.core import units
from spe_lab.core.machine.claims import claim
from spe_lab.core.machine.profile import Machine, Parameter

LEVELS = {"l1": "first-level cache", "l2": "second-level cache", "l3": "third-level cache"}
LATENCIES = {
    **{f"{level}_latency": f"from the {name}" for level, name in LEVELS.items()},
    "memory_latency": "from memory",
}
DIFFERS = 1.1  # a capacity that the system reports is named if it differs by more than this factor


def capacities(machine: Machine) -> str:
    """Return clock, capacities and bandwidth in sentences."""
    clock, bandwidth = _measured(machine, "core_clock"), _measured(machine, "memory_bandwidth")
    sizes = [_capacity(machine, level, name) for level, name in LEVELS.items()]
    sentences = [
        f"A core of this machine runs at {_told(clock)}." if clock else "",
        f"A program gets {_listed(sizes)}." if any(sizes) else "",
        f"One core reads {_told(bandwidth)} from memory." if bandwidth else "",
    ]
    return " ".join(filter(None, sentences))


def latencies(machine: Machine) -> str:
    """Return in a sentence how long a load takes that is served by each level: latencies add up."""
    total, parts = 0.0, []
    for parameter, place in LATENCIES.items():
        if p := _measured(machine, parameter):
            total += p.value
            parts.append(f"{units.render(total, p.unit, digits=2)} {place}")
    return f"A load that waits for the one before takes {_listed(parts)}." if parts else ""


def _capacity(machine: Machine, level: str, name: str) -> str:
    p, claimed = _measured(machine, f"{level}_capacity"), claim().get(f"{level}_capacity")
    if p is None:
        return ""
    differs = claimed is not None and not 1 / DIFFERS < claimed.value / p.value < DIFFERS
    return f"{_told(p)} of {name}" + (
        f" (the system reports {units.render(claimed.value, claimed.unit)})" if differs else ""
    )


def _measured(machine: Machine, name: str) -> Parameter | None:
    p = machine.parameters.get(name)
    return p if p is not None and p.origin == "measured" and p.value is not None else None


def _told(p: Parameter) -> str:
    return units.render(p.value, p.unit, digits=2)


def _listed(parts: list[str]) -> str:
    parts = [part for part in parts if part]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
