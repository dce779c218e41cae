"""What this machine offers to the labs, what it lacks, and the cure."""

import os
import sys
from dataclasses import dataclass
from importlib import metadata

from spe_lab.core import arena, machine, native, units
from spe_lab.core.errors import SpeLabError, UnavailableError

_PACKAGES = ("numpy", "sympy", "matplotlib", "ipywidgets", "jupyterlab")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `cure` is empty where nothing needs to be done."""

    what: str
    ok: bool
    found: str
    cure: str = ""


def examine() -> list[Finding]:
    """All findings, the one that most depends on first. Builds the kernels as a side effect."""
    facts = machine.facts()
    return [
        _compiler(),
        _kernels(),
        Finding("cores", facts["cores"] > 1, str(facts["cores"]), "" if facts["cores"] > 1 else "labs with threads will show recorded data"),
        Finding("memory", True, f"{units.render(machine.memory_available(), 'B')} available to this process"),
        _huge_pages(),
        _counters(),
        Finding("virtual machine", True, {True: "yes: neighbours make noise, caches are shared", False: "no", None: "not stated"}[facts["virtualised"]]),
        Finding("clock", True, facts["clock_source"] or "the system's monotonic clock"),
        *(_package(name) for name in _PACKAGES),
        Finding("python", sys.version_info[:2] in ((3, 11), (3, 12), (3, 13)), facts["python"], ""),
    ]


def _compiler() -> Finding:
    try:
        return Finding("C compiler", True, native.compiler().version)
    except UnavailableError:
        return Finding("C compiler", False, "none", native.NO_COMPILER)


def _kernels() -> Finding:
    try:
        for stem in native.stems():
            native.load(stem)
    except SpeLabError as error:
        return Finding("kernels", False, "not built", str(error).splitlines()[0])
    return Finding("kernels", True, f"{', '.join(native.stems())} ({' '.join(native.FLAGS)})")


def _huge_pages() -> Finding:
    offered = arena.huge_pages_offered()
    return Finding("huge pages", offered, "offered" if offered else "not offered", "" if offered else "labs use base pages; the slider pages=huge will say so")


def _counters() -> Finding:
    """Hardware counters: reported only; no lab needs them."""
    devices = "/sys/bus/event_source/devices/cpu"
    present = os.path.exists(devices)
    return Finding("hardware counters", present, "present" if present else "none visible", "" if present else "labs measure times and simulate events instead")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install {name}")
