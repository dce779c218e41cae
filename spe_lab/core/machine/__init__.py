"""The machine: parameters with unit, origin and, once measured, an interval; and the profile files."""

from dataclasses import replace

from spe_lab.core.machine.claims import claim, facts, memory_available
from spe_lab.core.machine.profile import ORIGINS, Machine, Parameter
from spe_lab.core.machine.store import load_own, make_room, problems, published, save_own

__all__ = [
    "ORIGINS",
    "Machine",
    "Parameter",
    "claim",
    "current",
    "facts",
    "load_own",
    "make_room",
    "memory_available",
    "problems",
    "profile_of",
    "published",
    "save_own",
    "with_measured",
]

# A level without a step of its own is part of its neighbour's step: it adds almost nothing, not the assumed latency.
_ABSORBED_NS = 0.01
_REMEMBERED = 4  # earlier calibrations: five with the new one


def current() -> Machine:
    """Return this machine: measured parameters from the reader's profile, else claims, else assumptions.

    Raises SpeLabError for a profile that cannot be used; it is never ignored.
    """
    own = load_own()
    return with_measured(own.parameters if own else {})


def profile_of(found: dict[str, Parameter], former: Machine | None = None) -> Machine:
    """Return the machine as a calibration found it, with the parameters that were not resolvable.

    So models can tell those from parameters that were never tried. Blocks of one calibration share its minutes, and the
    clock or a neighbour may change later. If the `former` profile is of this machine and fresh, each interval is
    widened to the values of the last calibrations.
    """
    if former is not None and not problems(former, facts()):
        found = {name: _remembering(p, former.parameters.get(name)) for name, p in found.items()}
    return Machine(facts(), with_measured(found).parameters | found)


def _remembering(p: Parameter, former: Parameter | None) -> Parameter:
    if former is None or former.origin != "measured" or p.verdict == "exact":
        return p
    if None in (p.low, p.high, p.value, former.value):
        return p
    earlier = (*former.earlier, former.value)[-_REMEMBERED:]
    return replace(p, earlier=earlier, low=min(p.low, *earlier), high=max(p.high, *earlier))


def with_measured(measured: dict[str, Parameter]) -> Machine:
    """Return this machine's claims with `measured` parameters in their places."""
    parameters = claim() | {name: p for name, p in measured.items() if p.origin == "measured" and p.value is not None}
    for name, p in measured.items():
        if p.value is None and name.endswith("_latency") and name in parameters:
            source = f"{p.verdict}: part of a neighbouring step"
            parameters[name] = Parameter(_ABSORBED_NS, p.unit, "measured", source, method=p.method, verdict=p.verdict)
    return Machine(facts(), parameters)
