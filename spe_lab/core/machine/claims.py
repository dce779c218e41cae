"""What the operating system says of the machine. Claims, not truths: a virtual machine may say what its host has.

Every parameter of the memory models gets a value here, so that a model can be drawn before anything was measured:
capacities and granularities from the OS where it gives them, latencies (which no OS gives) as stated assumptions.
"""

import os
import platform
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from spe_lab.core.machine.profile import Parameter

_SYSFS_CPU = Path("/sys/devices/system/cpu/cpu0")
KIB, MIB = 1 << 10, 1 << 20

# Orders of magnitude of a current core, to start from. l1 is the hit latency; each further one is what a miss adds.
_ASSUMED_NS = {
    "l1_latency": 1.3,
    "l2_latency": 3.0,
    "l3_latency": 10.0,
    "memory_latency": 80.0,
    "tlb_latency": 8.0,
    "strided_step_latency": 2.0,
    "l2_skipping_latency": 0.5,
    "memory_sequential_latency": 1.0,
    "memory_skipping_latency": 10.0,
}
_ASSUMED_BYTES = {
    "l1_capacity": 32 * KIB,
    "l2_capacity": MIB,
    "l3_capacity": 16 * MIB,
    "line_size": 64,
    "page_size": 4 * KIB,
}
_ASSUMED_TLB_ENTRIES = 1536


@cache
def facts() -> dict[str, Any]:
    """Who this machine is: enough to tell two apart and to judge a number by. No paths, no names of hosts or users."""
    return {
        "cpu": _cpu_model(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory("total", "SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "virtualised": _virtualised(),
        "transparent_huge_pages": _selected(_read("/sys/kernel/mm/transparent_hugepage/enabled")),
        "clock_source": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "python": platform.python_version(),
    }


@cache
def claim() -> dict[str, Parameter]:
    """The memory hierarchy as claimed, by parameter name; assumptions fill the gaps and say so."""
    found = _linux_caches() if sys.platform == "linux" else _macos_caches()
    page = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    if page:
        found["page_size"] = Parameter(page, "B", "claimed", "sysconf(_SC_PAGE_SIZE)")
    for name, value in _ASSUMED_BYTES.items():
        if name == "l3_capacity" and "l2_capacity" in found:
            continue  # the OS lists caches and has no third level: then memory lies behind the second
        found.setdefault(name, Parameter(value, "B", "assumed", "usual for a current core; the OS says nothing"))
    if "tlb_reach" not in found:
        reach = _ASSUMED_TLB_ENTRIES * found["page_size"].value
        found["tlb_reach"] = Parameter(
            reach, "B", "assumed", f"{_ASSUMED_TLB_ENTRIES} second-level entries × page size; the OS says nothing"
        )
    for name in ("l1_replacement", "l2_replacement", "l3_replacement", "tlb_replacement"):
        found[name] = Parameter(1.0, "", "assumed", "any line may be given up (a ramp)")
    for name, latency in _ASSUMED_NS.items():
        found[name] = Parameter(
            latency, "ns", "assumed", "order of magnitude of a current core; no OS states latencies"
        )
    return found


def memory_available() -> int:
    """Bytes that this process may still use: free memory, or what its control groups leave of it if that is less."""
    return max(
        0,
        min(
            [
                _memory("available", "SC_AVPHYS_PAGES"),
                *_cgroup_headroom(Path("/sys/fs/cgroup"), _read("/proc/self/cgroup") or ""),
            ]
        ),
    )


def _memory(share: str, pages: str) -> int:
    """Bytes of the machine's memory; where a sandbox hides /proc, what the C library says."""
    import psutil

    try:
        return getattr(psutil.virtual_memory(), share)
    except OSError:
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def _cgroup_headroom(root: Path, membership: str) -> list[int]:
    """Limit minus use for this process's control group and each group around it, version 1 or 2."""
    room = []
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, limit_name, use_name = root, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            base, limit_name, use_name = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        folder = base / path.lstrip("/")
        for group in [folder, *folder.parents]:
            if group == base.parent:
                break
            limit, use = _read(group / limit_name), _read(group / use_name)
            if limit and limit.isdigit() and use and use.isdigit():
                room.append(int(limit) - int(use))
    return room


def _linux_caches() -> dict[str, Parameter]:
    found = {}
    for index in sorted(_SYSFS_CPU.glob("cache/index*")):
        level, kind, size = (_read(index / part) or "" for part in ("level", "type", "size"))
        if kind not in ("Data", "Unified") or not re.fullmatch(r"[1-9]\d*[KMG]", size):
            continue
        source = f"sysfs cache/{index.name}/size"
        scale = {"K": KIB, "M": MIB, "G": 1 << 30}[size[-1]]
        found[f"l{level}_capacity"] = Parameter(int(size[:-1]) * scale, "B", "claimed", source)
        line = _read(index / "coherency_line_size")
        if level == "1" and line and line.isdigit() and int(line) > 0:
            found["line_size"] = Parameter(int(line), "B", "claimed", f"sysfs cache/{index.name}/coherency_line_size")
    entries = re.search(r"^TLB size\s*:\s*(\d+) 4K pages", _read("/proc/cpuinfo") or "", flags=re.MULTILINE)
    if entries:  # AMD only
        found["tlb_reach"] = Parameter(int(entries[1]) * 4 * KIB, "B", "claimed", "/proc/cpuinfo TLB size × 4 KiB")
    return found


def _macos_caches() -> dict[str, Parameter]:
    found = {}
    # Performance cores come first where there are two kinds; the plain keys describe the slowest core.
    keys = {
        "l1_capacity": ("hw.perflevel0.l1dcachesize", "hw.l1dcachesize"),
        "l2_capacity": ("hw.perflevel0.l2cachesize", "hw.l2cachesize"),
        "l3_capacity": ("hw.l3cachesize",),
        "line_size": ("hw.cachelinesize",),
    }
    for name, candidates in keys.items():
        for key in candidates:
            value = _sysctl(key)
            if value.isdigit() and int(value) > 0:
                found[name] = Parameter(int(value), "B", "claimed", f"sysctl {key}")
                break
    return found


def _cpu_model() -> str:
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string") or platform.processor()
    info = dict(
        re.findall(
            r"^(model name|Model|cpu family|model|vendor_id)\s*:\s*(.*)$",
            _read("/proc/cpuinfo") or "",
            flags=re.MULTILINE,
        )[::-1]
    )
    name = info.get("model name") or info.get("Model") or platform.processor() or platform.machine()
    return f"{name} (family {info['cpu family']}, model {info['model']})" if "cpu family" in info else name


def _virtualised() -> bool | None:
    if sys.platform == "linux":
        said = _read("/proc/cpuinfo")  # None: a sandbox hides it
        return bool(re.search(r"^flags\s*:.*\bhypervisor\b", said, flags=re.MULTILINE)) if said else None
    return {"1": True, "0": False}.get(_sysctl("kern.hv_vmm_present"))


def _sysctl(key: str) -> str:
    try:
        return subprocess.run(
            ["sysctl", "-n", key], capture_output=True, text=True, timeout=5, check=False
        ).stdout.strip()
    except OSError:
        return ""


def _read(path: Path | str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _selected(setting: str | None) -> str | None:
    """The bracketed word of a sysfs choice such as "always [madvise] never"."""
    found = re.search(r"\[(\w+)\]", setting or "")
    return found[1] if found else None
