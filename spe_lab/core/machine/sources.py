"""What the operating system reports about the machine, from every source, each claim with its source.

Sources do not always agree: a virtual machine may report its host's cache in one place and its own share in another.
All claims are kept; `disagreements` lists contradictions. A claim has the name of the machine's parameter where there
is one (l1_capacity, line_size, page_size, tlb_reach). Files are read below a root, so that a test can show another
machine. A source that is missing or unreadable yields nothing, and nothing is raised.
"""

import gzip
import json
import os
import platform
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spe_lab.core.machine.counter import hardware_counter
from spe_lab.core.machine.reading import (
    KIB,
    command_output,
    control_group_folders,
    listed,
    processor_fields,
    quantity,
    read,
)

UNLIMITED = 1 << 62  # control groups of version 1 write a number just below 2^63 where there is no limit
MEMORY_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))  # limit, use
GOVERNOR = "cpu/cpu0/cpufreq/scaling_governor"
SYSTEM = "sys/devices/system"
# Name of the claim, folder below the root, file, prefix of the source.
SETTINGS = (
    ("frequency_governor", SYSTEM, GOVERNOR, "sysfs "),
    ("simultaneous_multithreading", SYSTEM, "cpu/smt/control", "sysfs "),
    ("clock_source_current", SYSTEM, "clocksource/clocksource0/current_clocksource", "sysfs "),
    ("clock_source_available", SYSTEM, "clocksource/clocksource0/available_clocksource", "sysfs "),
    ("firmware_product", "sys", "class/dmi/id/product_name", "sysfs "),
    ("firmware_vendor", "sys", "class/dmi/id/sys_vendor", "sysfs "),
    ("hypervisor", "sys", "hypervisor/type", "sysfs "),
    ("perf_event_paranoid", "proc/sys", "kernel/perf_event_paranoid", "sysctl "),
)
Output = Callable[..., str]


@dataclass(frozen=True)
class Claim:
    """One statement: `source` (file, key or command) reports that `name` is `value` in `unit` ("": text, count)."""

    name: str
    value: Any  # a number or a str, as the name decides
    unit: str
    source: str


def claims(root: Path = Path("/"), output: Output | None = None) -> list[Claim]:
    """Return every claim below `root` and from commands run by `output`; some 20 ms, mostly lscpu."""
    output = output or command_output
    tree = (sysfs_caches, cpu_info, kernel_memory, control_groups, topology, settings, tick)
    found = [claim for source in tree for claim in source(root)]
    for source in (getconf, lscpu, sysctl, detect_virt):
        found += source(output)
    return [*found, *(process() if root == Path("/") else [])]


def disagreements(found: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Return numeric claims of one name and unit that differ by more than 1 %, by name."""
    groups = defaultdict(list)
    for claim in found:
        if not isinstance(claim.value, str):
            groups[claim.name, claim.unit].append(claim)
    return {
        name: group
        for (name, _), group in groups.items()
        if max(c.value for c in group) > 1.01 * min(c.value for c in group)
    }


# ---------------------------------------------------------------------------------------------------- files (Linux)


def sysfs_caches(root: Path) -> Iterator[Claim]:
    """Yield the first core's caches: capacity, line, ways, and the cores that share each."""
    for index in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind = read(index / "level"), read(index / "type")
        if not level or kind not in ("Data", "Instruction", "Unified"):
            continue
        cache = f"l{level}i" if kind == "Instruction" else f"l{level}"
        line = "line_size" if cache == "l1" else f"{cache}_line_size"
        numbers = (
            ("size", f"{cache}_capacity", "B"),
            ("coherency_line_size", line, "B"),
            ("ways_of_associativity", f"{cache}_ways", ""),
        )
        for file, name, unit in numbers:
            if (value := quantity(read(index / file))) is not None:
                yield Claim(name, value, unit, f"sysfs cache/{index.name}/{file}")
        if shared := read(index / "shared_cpu_list"):
            yield Claim(f"{cache}_shared_by", f"cores {shared}", "", f"sysfs cache/{index.name}/shared_cpu_list")


def cpu_info(root: Path) -> Iterator[Claim]:
    """Yield /proc/cpuinfo of the first core. Its "cache size" is level 2 on AMD, the last level on Intel."""
    text = read(root / "proc/cpuinfo") or ""
    found = processor_fields(root)
    source = "/proc/cpuinfo {}".format
    for key in ("model name", "Model"):
        if found.get(key):
            yield Claim("cpu", found[key], "", source(key))
    if entries := re.match(r"(\d+) 4K pages", found.get("TLB size", "")):
        yield Claim("tlb_reach", int(entries[1]) * 4 * KIB, "B", source("TLB size × 4 KiB"))
    if (size := quantity(found.get("cache size"))) is not None:
        yield Claim("cpuinfo_cache_size", size, "B", source("cache size"))
    if (line := quantity(found.get("clflush size"))) is not None:
        yield Claim("line_size", line, "B", source("clflush size"))
    if re.fullmatch(r"\d+(\.\d+)?", found.get("cpu MHz", "")):
        yield Claim("clock", float(found["cpu MHz"]) / 1000, "GHz", source("cpu MHz, at the moment of reading"))
    if "flags" in found:
        guest = "yes" if "hypervisor" in found["flags"].split() else "no"
        yield Claim("virtualised", guest, "", source("flags, hypervisor"))
    if cores := len(re.findall(r"^processor\s*:", text, flags=re.MULTILINE)):
        yield Claim("cores", cores, "", source("processor, counted"))


def kernel_memory(root: Path) -> Iterator[Claim]:
    """Yield the total memory, the size of a huge page, and when programs get huge pages."""
    if total := re.search(r"^MemTotal:\s*(\d+) kB", read(root / "proc/meminfo") or "", flags=re.MULTILINE):
        yield Claim("memory", int(total[1]) * KIB, "B", "/proc/meminfo MemTotal")
    folder = root / "sys/kernel/mm"
    if chosen := re.search(r"\[(\w+)\]", read(folder / "transparent_hugepage/enabled") or ""):
        yield Claim("transparent_huge_pages", chosen[1], "", "sysfs kernel/mm/transparent_hugepage/enabled")
    if (size := quantity(read(folder / "transparent_hugepage/hpage_pmd_size"))) is not None:
        yield Claim("huge_page_size", size, "B", "sysfs kernel/mm/transparent_hugepage/hpage_pmd_size")


def control_groups(root: Path) -> Iterator[Claim]:
    """Yield the tightest limits on memory and CPU time of this process's control groups."""
    memory, cores = [], []
    for group in control_group_folders(root):
        for file, _ in MEMORY_FILES:
            limit = quantity(read(group / file))
            if limit is not None and 0 < limit < UNLIMITED:
                memory.append((limit, file))
        times = [
            *(read(group / "cpu.max") or "").split(),
            *(read(group / f"cpu.cfs_{part}_us") or "" for part in ("quota", "period")),
            "",
        ]
        if times[0].isdigit() and times[1].isdigit() and int(times[1]) > 0:
            cores.append((int(times[0]) / int(times[1]), "processor time per period"))
    for name, limits, unit in (("memory_limit", memory, "B"), ("cores_limit", cores, "")):
        if limits:
            value, file = min(limits)
            yield Claim(name, value, unit, f"control group {file}")


def memory_headroom(root: Path) -> list[int]:
    """Return limit minus use, in bytes, for each control group of this process and each one around it."""
    pairs = [
        (quantity(read(group / limit)), quantity(read(group / use)))
        for group in control_group_folders(root)
        for limit, use in MEMORY_FILES
    ]
    return [limit - use for limit, use in pairs if limit is not None and use is not None]


def topology(root: Path) -> Iterator[Claim]:
    """Yield memory nodes, hardware threads that share a core, and the highest frequency of the governor."""
    system = root / "sys/devices/system"
    if nodes := len(list(system.glob("node/node[0-9]*"))):
        yield Claim("memory_nodes", nodes, "", "sysfs node/node*, counted")
    if siblings := read(system / "cpu/cpu0/topology/thread_siblings_list"):
        yield Claim("threads_per_core", len(listed(siblings)), "", "sysfs cpu0/topology/thread_siblings_list")
    if (most := quantity(read(system / "cpu/cpu0/cpufreq/cpuinfo_max_freq"))) is not None:
        yield Claim("clock_limit", most / 1e6, "GHz", "sysfs cpu0/cpufreq/cpuinfo_max_freq")
    if (system / "cpu").exists() and not (system / GOVERNOR).exists():
        yield Claim("frequency_governor", "hidden", "", "sysfs cpu0/cpufreq is not there")


def settings(root: Path) -> Iterator[Claim]:
    """Yield settings that fill a file of one line."""
    for name, folder, file, source in SETTINGS:
        if text := read(root / folder / file):
            yield Claim(name, text, "", f"{source}{file}")


def tick(root: Path) -> Iterator[Claim]:
    """Yield the rate of the scheduler's tick. CLK_TCK differs: the unit of /proc, 100 Hz whatever the tick."""
    release = read(root / "proc/sys/kernel/osrelease") or platform.release()
    files = {"/proc/config.gz": root / "proc/config.gz", "/boot/config-*": root / f"boot/config-{release}"}
    for source, file in files.items():
        if found := re.search(r"^CONFIG_HZ=(\d+)$", _configuration(file), flags=re.MULTILINE):
            yield Claim("tick_rate", int(found[1]), "Hz", f"{source} CONFIG_HZ")
            return
    reason = "neither /proc/config.gz nor /boot/config-* is readable, and CLK_TCK is not the tick's rate"
    yield Claim("tick_rate", "unknown", "", reason)


# ------------------------------------------------------------------------------------------- commands and this process


def getconf(output: Output) -> Iterator[Claim]:
    """Yield the C library's values, which may be the host's. Python's os.sysconf lacks these names."""
    caches = {"LEVEL1_DCACHE": "l1", "LEVEL1_ICACHE": "l1i"} | {f"LEVEL{i}_CACHE": f"l{i}" for i in (2, 3, 4)}
    properties = {"SIZE": ("_capacity", "B"), "LINESIZE": ("_line_size", "B"), "ASSOC": ("_ways", "")}
    for key, value in re.findall(r"^(\w+)[ \t]+(\d+)$", output("getconf", "-a"), flags=re.MULTILINE):
        cache, _, part = key.rpartition("_")
        if cache in caches and part in properties and int(value) > 0:
            suffix, unit = properties[part]
            name = (caches[cache] + suffix).replace("l1_line_size", "line_size")
            yield Claim(name, int(value), unit, f"getconf {key}")


def lscpu(output: Output) -> Iterator[Claim]:
    """Yield lscpu. It sums a cache over its instances: divided here, as the claim's source says."""
    caches = {"L1d cache:": "l1", "L1i cache:": "l1i", "L2 cache:": "l2", "L3 cache:": "l3"}
    counts = {"CPU(s):": "cores", "Thread(s) per core:": "threads_per_core", "NUMA node(s):": "memory_nodes"}
    texts = {"Model name:": "cpu", "Hypervisor vendor:": "hypervisor", "Virtualization type:": "virtualisation_type"}
    for field, data in _fields(output("lscpu", "--json")):
        source = f"lscpu {field.rstrip(':')}"
        if field in texts and data:
            yield Claim(texts[field], data, "", source)
        elif field in counts and data.isdigit():
            yield Claim(counts[field], int(data), "", source)
        elif field in caches and (size := quantity(re.sub(r"\s*\(.*", "", data))) is not None:
            instances = re.search(r"\((\d+) instances?\)", data)
            number = max(1, int(instances[1])) if instances else 1
            note = f", {data.split(' (')[0]} over {number} instances" if number > 1 else ""
            yield Claim(f"{caches[field]}_capacity", size / number, "B", source + note)


def sysctl(output: Output) -> Iterator[Claim]:
    """Yield macOS. With two kinds of cores, keys of level 0 mean the fast ones, plain keys the slow ones."""
    text = output("sysctl", "hw", "kern.hv_vmm_present", "machdep.cpu.brand_string") if sys.platform == "darwin" else ""
    found = dict(re.findall(r"^([\w.]+): (.*)$", text, flags=re.MULTILINE))
    names = {
        "l1dcachesize": "l1_capacity",
        "l1icachesize": "l1i_capacity",
        "l2cachesize": "l2_capacity",
        "l3cachesize": "l3_capacity",
        "cachelinesize": "line_size",
        "pagesize": "page_size",
        "memsize": "memory",
    }
    for part, name in names.items():
        key = next((key for key in (f"hw.perflevel0.{part}", f"hw.{part}") if found.get(key, "").isdigit()), None)
        if key and int(found[key]) > 0:
            yield Claim(name, int(found[key]), "B", f"sysctl {key}")
    if cpu := found.get("machdep.cpu.brand_string"):
        yield Claim("cpu", cpu, "", "sysctl machdep.cpu.brand_string")
    if (guest := found.get("kern.hv_vmm_present")) in ("0", "1"):
        yield Claim("virtualised", "yes" if guest == "1" else "no", "", "sysctl kern.hv_vmm_present")


def detect_virt(output: Output) -> Iterator[Claim]:
    """Yield systemd's guess. On a machine that is not virtual it fails, and there is no claim."""
    if kind := output("systemd-detect-virt"):
        yield Claim("virtualisation", kind, "", "systemd-detect-virt")


def process() -> Iterator[Claim]:
    """Yield what only the running process can ask for."""
    if hasattr(os, "sysconf"):
        yield Claim("page_size", os.sysconf("SC_PAGE_SIZE"), "B", "sysconf(_SC_PAGE_SIZE)")
        source = "sysconf(_SC_CLK_TCK): the unit of times in /proc, not the tick"
        yield Claim("proc_time_unit", os.sysconf("SC_CLK_TCK"), "Hz", source)
    if hasattr(os, "sched_getaffinity"):
        yield Claim("cores", len(os.sched_getaffinity(0)), "", "sched_getaffinity: cores that this process may use")
    yield Claim("hardware_counter", hardware_counter(), "", "perf_event_open(instructions, this process, user space)")


def _configuration(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error):
        return ""


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield field and value of lscpu's JSON, including the nested fields of newer versions."""
    try:
        waiting = list(json.loads(text).get("lscpu", []))
    except (ValueError, AttributeError, TypeError):
        return
    while waiting:
        entry = waiting.pop(0)
        if isinstance(entry, dict):
            yield str(entry.get("field", "")), str(entry.get("data") or "")
            children = entry.get("children")
            waiting = [*(children if isinstance(children, list) else []), *waiting]
