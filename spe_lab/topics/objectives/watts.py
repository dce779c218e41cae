"""Power of this machine's processors, if the machine reports it (RAPL)."""

import time
from pathlib import Path

from spe_lab.core.errors import SpeLabError, UnavailableError

POWERCAP = Path("/sys/class/powercap")


def measured_power(seconds: float = 0.5, powercap: Path = POWERCAP) -> float:
    """Measure the mean power of this machine's processors in W, from their energy counters (RAPL).

    Raise UnavailableError, with the reason, if there are no readable counters, as in nearly every virtual machine.
    """
    if not 0.01 <= seconds <= 60:
        raise SpeLabError(f"seconds must be between 0.01 and 60, got {seconds}; choose a value in that range")
    counters = (path.parent for path in powercap.glob("intel-rapl:*/energy_uj"))
    packages = sorted(counter for counter in counters if counter.name.count(":") == 1)
    if not packages:
        raise UnavailableError(
            f"no energy counter below {powercap}: virtual machines hide them, and not every processor has one; use a"
            " wattmeter"
        )
    try:
        began, before = time.monotonic(), [_counter(package, "energy_uj") for package in packages]
        time.sleep(seconds)
        after, ended = [_counter(package, "energy_uj") for package in packages], time.monotonic()
        wraps = [_counter(package, "max_energy_range_uj") for package in packages]
    except PermissionError:
        raise UnavailableError(
            f"only the administrator may read the energy counters below {powercap}, since they leak secrets; use sudo"
        ) from None
    used = sum((late - early) % wrap for early, late, wrap in zip(before, after, wraps, strict=True))
    return used / 1e6 / (ended - began)


def power_here(seconds: float = 0.5) -> str:
    """Return the measured power in a sentence, or the reason why it is not available."""
    try:
        watts = f"{measured_power(seconds):.1f} W"
        return (
            f"Measured: the processors of this machine draw {watts} now. Disks, memory and fans draw additional power."
        )
    except UnavailableError as error:
        return f"Not measured: {error}."


def _counter(package: Path, name: str) -> int:
    return int((package / name).read_text(encoding="ascii"))
