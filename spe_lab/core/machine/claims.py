"""The parameters that the operating system reports: claims, since a virtual machine may report its host's.

Every parameter of the memory models gets a value here, so that a model can be drawn before any measurement. Capacities
and granularities come from the OS where it reports them. Latencies, which no OS reports, are stated assumptions.
"""

import os
import platform
import re
from functools import cache
from pathlib import Path
from typing import Any

from spe_lab.core.machine import sources
from spe_lab.core.machine.profile import Parameter
from spe_lab.core.machine.reading import KIB, command_output, processor_fields

MIB = 1 << 20

# Orders of magnitude of a current core, to start from. l1 is the hit latency; the others are what a miss adds.
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
    """Return facts that identify a machine and help to judge its numbers; no paths, hosts or users."""
    root = Path("/")
    tree = (sources.cpu_info, sources.kernel_memory, sources.settings)
    found = [*(claim for source in tree for claim in source(root)), *sources.sysctl(command_output)]
    claimed = {claim.name: claim.value for claim in reversed(found)}  # the first claim of a name counts
    return {
        "cpu": _cpu_model(claimed.get("cpu"), processor_fields(root)),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory("total", "SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "virtualised": {"yes": True, "no": False}.get(claimed.get("virtualised")),
        "transparent_huge_pages": claimed.get("transparent_huge_pages"),
        "clock_source": claimed.get("clock_source_current"),
        "python": platform.python_version(),
    }


@cache
def claim(root: Path = Path("/")) -> dict[str, Parameter]:
    """Return the claimed memory hierarchy by name, with assumptions in the gaps. `root` is for tests."""
    found: dict[str, Parameter] = {}
    for stated in (*sources.sysfs_caches(root), *sources.cpu_info(root), *sources.sysctl(command_output)):
        least = KIB if stated.name.endswith("_capacity") else 1  # smaller ones are nonsense in sysfs
        if re.fullmatch(r"l\d_capacity|line_size|tlb_reach", stated.name) and stated.value >= least:
            found.setdefault(stated.name, Parameter(stated.value, stated.unit, "claimed", stated.source))
    page = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    if page:
        found["page_size"] = Parameter(page, "B", "claimed", "sysconf(_SC_PAGE_SIZE)")
    for name, value in _ASSUMED_BYTES.items():
        if name == "l3_capacity" and "l2_capacity" in found:
            continue  # the OS lists caches and no third level: memory follows the second
        found.setdefault(name, Parameter(value, "B", "assumed", "usual for a current core; the OS reports none"))
    if "tlb_reach" not in found:
        reach = _ASSUMED_TLB_ENTRIES * found["page_size"].value
        source = f"{_ASSUMED_TLB_ENTRIES} second-level entries × page size; the OS reports none"
        found["tlb_reach"] = Parameter(reach, "B", "assumed", source)
    for name in ("l1_replacement", "l2_replacement", "l3_replacement", "tlb_replacement"):
        found[name] = Parameter(1.0, "", "assumed", "any line may be evicted (a ramp)")
    for name, latency in _ASSUMED_NS.items():
        source = "order of magnitude of a current core; no OS reports latencies"
        found[name] = Parameter(latency, "ns", "assumed", source)
    return found


def memory_available() -> int:
    """Return the bytes that this process may still use: free memory, or its control groups' if less."""
    return max(0, min([_memory("available", "SC_AVPHYS_PAGES"), *sources.memory_headroom(Path("/"))]))


def _memory(share: str, pages: str) -> int:
    """Return bytes of the machine's memory; from the C library where a sandbox hides /proc."""
    import psutil

    try:
        return getattr(psutil.virtual_memory(), share)
    except OSError:
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def _cpu_model(name: str | None, fields: dict[str, str]) -> str:
    name = name or platform.processor() or platform.machine()
    return f"{name} (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else name
