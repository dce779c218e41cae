"""Reads what a Linux system reports in files, and the output of commands: the one place that parses it.

A file or a command that is missing or unreadable yields nothing; no function here raises an exception for it.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

KIB = 1 << 10


def read(path: Path) -> str | None:
    """Return the text of a small file without the blanks and zero bytes at its ends."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\n\0 \t")
    except (OSError, ValueError):
        return None


def command_output(*command: str) -> str:
    """Return a command's output; empty if it is missing, fails or takes more than five seconds."""
    environment = {**os.environ, "LC_ALL": "C"}  # lscpu translates its field names
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=5, check=False, errors="replace", env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def quantity(text: str | None) -> int | None:
    """Return the bytes of "32K", "1.5 MiB" or "1024 KB", the number of "64"; None for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text or "")
    return round(float(found[1]) * KIB ** " KMGT".index(found[2] or " ")) if found else None


def listed(cpus: str) -> list[int]:
    """Return the numbers of the CPUs in a list.

    >>> listed("0,4-7")
    [0, 4, 5, 6, 7]
    """
    spans = re.findall(r"(\d+)(?:-(\d+))?", cpus)
    return [cpu for first, last in spans for cpu in range(int(first), int(last or first) + 1)]


def processor_fields(root: Path) -> dict[str, str]:
    """Return the fields of the first processor in /proc/cpuinfo."""
    text = read(root / "proc/cpuinfo") or ""
    return dict(re.findall(r"^(\w[\w ]*?)\s*:[ \t]*(.*)$", text, flags=re.MULTILINE)[::-1])


def control_group_folders(root: Path) -> Iterator[Path]:
    """Yield the folder of each control group of this process and of each group around it, version 1 or 2."""
    base = root / "sys/fs/cgroup"
    for line in (read(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        for controller in controllers.split(","):  # version 2 names none
            mount = base / controller
            group = mount / path.lstrip("/")
            for folder in [group, *group.parents]:
                yield folder
                if folder == mount:
                    break
