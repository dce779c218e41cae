"""What this machine says of its own power, if it says anything."""

import time
from pathlib import Path

from spe_lab.core.errors import SpeLabError, UnavailableError

POWERCAP = Path("/sys/class/powercap")


def measured_power(seconds: float = 0.5, powercap: Path = POWERCAP) -> float:
    """Watts of this machine's processors over so many seconds, from their own energy counters (RAPL).

    Raises UnavailableError, with the reason, where there are none or they may not be read, as in nearly every virtual
    machine.
    """
    if not 0.01 <= seconds <= 60:
        raise SpeLabError(
            f"seconds must be between 0.01 and 60, got {seconds}; a counter counts in steps of a millisecond"
        )
    packages = sorted(
        path.parent for path in powercap.glob("intel-rapl:*/energy_uj") if path.parent.name.count(":") == 1
    )
    if not packages:
        raise UnavailableError(
            f"no energy counter below {powercap}: virtual machines hide them, and not every processor has one; take a"
            " wattmeter"
        )
    try:
        began, before = time.monotonic(), [_counter(package, "energy_uj") for package in packages]
        time.sleep(seconds)
        after, ended = [_counter(package, "energy_uj") for package in packages], time.monotonic()
        wraps = [_counter(package, "max_energy_range_uj") for package in packages]
    except PermissionError:
        raise UnavailableError(
            f"the energy counters below {powercap} are for the administrator alone: they leak secrets; read them with"
            " sudo"
        ) from None
    used = sum((late - early) % wrap for early, late, wrap in zip(before, after, wraps, strict=True))
    return used / 1e6 / (ended - began)


def power_here(seconds: float = 0.5) -> str:
    """Measured watts in a sentence, or the reason why there are none."""
    try:
        return (
            f"Measured: the processors of this machine draw {measured_power(seconds):.1f} W just now. Disks, memory,"
            " fans and the rest come on top."
        )
    except UnavailableError as error:
        return f"Not measured: {error}."


def _counter(package: Path, name: str) -> int:
    return int((package / name).read_text(encoding="ascii"))
