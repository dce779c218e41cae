"""Where machine profiles live: the reader's own, one file per machine and user, and published ones.

A file that is damaged, of another format or edited to nonsense is refused in one sentence and left unchanged: the
calibration took the reader half a minute, and the file may still be repaired. Only a save with `replace=True`
overwrites it. A readable file that describes another machine, or this one long ago, is loaded; `problems` lists what is
wrong with it.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Any

from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import read_text
from spe_lab.core.folders import settings_folder, unwritable
from spe_lab.core.machine.claims import facts
from spe_lab.core.machine.profile import FORMAT, Machine
from spe_lab.core.units import render

FRESH = timedelta(days=90)
# Values never decrease along a chain; a profile in which they do was not measured.
INCREASING = (("line_size", "page_size", "tlb_reach"), ("line_size", "l1_capacity", "l2_capacity", "l3_capacity"))


def own_path(here: Mapping[str, Any] | None = None) -> Path:
    """Return the profile's file for the machine `here` (default: this one).

    It lies in the user's folder of settings, or in $SPE_LAB_CONFIG_DIR. The name tells machines that share a home
    folder apart without revealing which machine it is.
    """
    here = facts() if here is None else here
    # Kernels reserve different small amounts of memory; rounding to half octaves hides that.
    memory = round(2 * math.log2(max(1, here.get("memory_bytes") or 1)))
    identity = json.dumps([here.get("cpu"), here.get("architecture"), here.get("cores"), memory])
    return settings_folder("config") / f"machine-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.json"


def load_own(here: Mapping[str, Any] | None = None) -> Machine | None:
    """Return the reader's profile of this machine, or None; refuse one that cannot be used."""
    path = own_path(here)
    if not os.path.lexists(path):
        return None
    newest = _format(path)
    if newest is not None and newest > FORMAT:
        rule = f"the machine profile must have format {FORMAT} or older, got {newest} in {path}"
        raise SpeLabError(f"{rule}; a newer SPE Lab wrote it: update, or calibrate anew with --replace")
    machine = Machine.load(path)
    if nonsense := _nonsense(machine):
        raise SpeLabError(
            f"the machine profile must make sense, got {nonsense} in {path}; undo the edit, or calibrate anew with"
            " --replace"
        )
    return machine


def save_own(machine: Machine, replace: bool = False, here: Mapping[str, Any] | None = None) -> Path:
    """Write the reader's profile atomically, dated now if it carries no date, and return its path.

    A profile that `load_own` refuses is overwritten only if `replace` is set.
    """
    if not replace:
        load_own(here)
    if nonsense := _nonsense(machine):
        raise SpeLabError(f"a machine profile to keep must make sense, got {nonsense}; calibrate once more")
    date = datetime.now(UTC).isoformat(timespec="seconds")
    dated = changed(machine, facts={"calibrated_at": date, **machine.facts})
    path = make_room(here)
    try:
        dated.save(path)
    except OSError as error:
        raise unwritable("the machine profile", path, error) from None
    return path


def make_room(here: Mapping[str, Any] | None = None) -> Path:
    """Make the folder of the profile and return the profile's path; call this before a calibration, too.

    Raises SpeLabError if nothing can be written there.
    """
    path = own_path(here)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        raise unwritable("the machine profile", path, error) from None


def problems(machine: Machine, here_facts: Mapping[str, Any], now: datetime | None = None) -> list[str]:
    """Return the reasons not to use `machine` for the machine of `here_facts`, a sentence each."""
    found = []
    for fact, name in (("cpu", "CPU"), ("architecture", "architecture"), ("cores", "number of cores")):
        there, here = machine.facts.get(fact), here_facts.get(fact)
        if there != here:
            found.append(f"The profile is of another machine: its {name} is {_told(there)}, here it is {_told(here)}.")
    there, here = machine.facts.get("system"), here_facts.get("system")
    if there != here:
        found.append(f"The profile was measured under another kernel: {_told(there)}, and here runs {_told(here)}.")
    try:
        date = datetime.fromisoformat(machine.facts["calibrated_at"])
        age = (now or datetime.now(UTC)) - (date if date.tzinfo else date.replace(tzinfo=UTC))
    except (KeyError, TypeError, ValueError):
        found.append("The profile does not say when it was measured.")
    else:
        if age > FRESH:
            found.append(f"The profile is {age.days} days old; calibrate again after {FRESH.days}.")
        elif age < -timedelta(days=1):  # a day's grace for clocks and time zones
            found.append(
                f"The profile is dated in the future ({date:%Y-%m-%d}): this clock or the one it was measured by is"
                " wrong."
            )
    return found


def published() -> dict[str, Machine]:
    """Return the documented profiles of other CPUs, by name; each number names its source."""
    folder = files("spe_lab.core.machine") / "published"
    found = {}
    for resource in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if resource.name.endswith(".json"):
            with as_file(resource) as path:
                found[resource.name.removesuffix(".json")] = Machine.load(path)
    return found


def _told(fact: Any) -> str:
    return "unknown" if fact in (None, "") else str(fact)


def _format(path: Path) -> int | None:
    """Return the format number that a file claims, or None. Machine.load reports other faults."""
    try:
        data = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return None
    number = data.get("format") if isinstance(data, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _nonsense(machine: Machine) -> str | None:
    """Return what the schema cannot see: a value outside its interval, or an inner cache that is larger."""
    values = {name: p.value for name, p in machine.parameters.items() if p.value is not None}
    for name, value in values.items():
        low, high = machine.parameters[name].low, machine.parameters[name].high
        if (low is not None and low > value) or (high is not None and high < value):
            return f"{name} = {value:g} outside its interval from {low} to {high}"
    for chain in INCREASING:
        present = [name for name in chain if name in values]
        for small, large in pairwise(present):
            if values[small] > values[large]:
                return f"{small} = {render(values[small], 'B')} above {large} = {render(values[large], 'B')}"
    return None
