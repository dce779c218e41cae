"""What this machine offers to the labs, what it lacks, and the cure."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from spe_lab.core import machine, units
from spe_lab.core.c import cache_folder, native, toolchain
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import arena, cpus

_PACKAGES = ("numpy", "sympy", "matplotlib", "ipywidgets", "jupyterlab")
_PYTHONS = ("3.11", "3.12", "3.13")
_VIRTUAL = {True: "yes: neighbours make noise, caches are shared", False: "no", None: "not stated"}


@dataclass(frozen=True)
class Finding:
    """One examined property of the machine. `cure` is empty where nothing needs to be done."""

    what: str
    ok: bool
    found: str
    cure: str = ""


def examine() -> list[Finding]:
    """Return all findings, the most important one first. Builds the kernels as a side effect."""
    facts = machine.facts()
    compiler = _compiler()
    return [
        compiler,
        _cache(),
        _kernels() if compiler.ok else Finding("kernels", False, "not built", compiler.cure),
        _cores(),
        Finding("memory", True, f"{units.render(machine.memory_available(), 'B')} available to this process"),
        _profile(),
        _huge_pages(),
        _counters(),
        Finding("virtual machine", True, _VIRTUAL[facts["virtualised"]]),
        Finding("clock", True, facts["clock_source"] or "the system's monotonic clock"),
        *(_package(name) for name in _PACKAGES),
        _python(facts["python"]),
    ]


def _compiler() -> Finding:
    try:
        used = native.compiler()
    except UnavailableError as error:
        return Finding("C compiler", False, "none", str(error))
    doubt = toolchain.doubt(used)
    return Finding("C compiler", doubt is None, used.version, str(doubt or ""))


def _cache() -> Finding:
    """Report the folder of compiled kernels, and why each process has one of its own if that is so."""
    wanted = cache_folder.wanted_folder()
    try:
        used = cache_folder.cache_folder()
    except UnavailableError as error:
        return Finding("kernel cache", False, "none", str(error))
    if used == wanted:
        return Finding("kernel cache", True, str(wanted))
    reason = f"each process compiles anew into a folder of its own: {cache_folder.unusable(wanted)}"
    cure = "set SPE_LAB_CACHE_DIR to a folder of your own that can be written and is not mounted noexec"
    return Finding("kernel cache", False, reason, cure)


def _kernels() -> Finding:
    try:
        for stem in native.stems():
            native.load(stem)
    except SpeLabError as error:
        return Finding("kernels", False, "not built", _in_one_line(str(error)))
    return Finding("kernels", True, f"{', '.join(native.stems())} ({' '.join(native.FLAGS)})")


def _in_one_line(message: str) -> str:
    """Return an error's sentence, with the first of the compiler's errors that may follow it."""
    first, *more = message.splitlines()
    error = next((line.strip() for line in more if "error" in line), "".join(more[:1]).strip())
    return f"{first} {error}".strip()


def _profile() -> Finding:
    cure = "measure this machine: spe-lab machine --calibrate"
    try:
        own = machine.load_own()
    except SpeLabError as error:
        return Finding("machine profile", False, "cannot be used", str(error))
    if own is None:
        return Finding("machine profile", False, "none: models use claims and assumptions", cure)
    doubts = machine.problems(own, machine.facts())
    return Finding("machine profile", not doubts, "; ".join(doubts) or "fits this machine", cure if doubts else "")


def _cores() -> Finding:
    here = cpus.current()
    notes = "; ".join(here.notes())
    cure = "labs whose threads must run at the same time show recorded data; choose work=waiting where it is offered"
    found = f"{len(here.usable)}" + (f": {notes}" if notes else "")
    return Finding("cores", here.cores > 1, found, "" if here.cores > 1 else cure)


def _huge_pages() -> Finding:
    if arena.huge_pages_offered():
        return Finding("huge pages", True, "offered")
    return Finding("huge pages", False, "not offered", "labs use base pages; the slider pages=huge will say so")


def _counters() -> Finding:
    """Report hardware counters; no lab needs them."""
    if Path("/sys/bus/event_source/devices/cpu").exists():
        return Finding("hardware counters", True, "present")
    return Finding("hardware counters", False, "none visible", "labs measure times and simulate events instead")


def _python(version: str) -> Finding:
    known = ".".join(version.split(".")[:2]) in _PYTHONS
    return Finding("python", known, version, "" if known else f"install Python {_PYTHONS[0]} to {_PYTHONS[-1]}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install {name}")
