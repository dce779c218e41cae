"""What the operating system claims: from trees and outputs that stand for other machines, and from this one."""

import errno
import gzip
import json
import os
import sys

import pytest

from spe_lab.core.machine import counter, reading, sources
from spe_lab.core.machine.sources import Claim, claims, disagreements

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


CPU_INFO = """\
processor\t: 0
model name\t: AMD EPYC
cpu MHz\t\t: 2445.404
cache size\t: 512 KB
flags\t\t: fpu tsc hypervisor avx2
TLB size\t: 2560 4K pages
clflush size\t: 64
power management:

processor\t: 1
model name\t: another
TLB size\t: 1 4K pages
"""


def silent(*command: str) -> str:
    """A machine without any of the commands."""
    return ""


def plant(root, files: dict[str, str]):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def caches(*rows: tuple[str, str, str, str]) -> dict[str, str]:
    folder = "sys/devices/system/cpu/cpu0/cache/index{}/{}".format
    names = ("level", "type", "size", "shared_cpu_list")
    return {folder(i, name): value for i, row in enumerate(rows) for name, value in zip(names, row, strict=True)} | {
        folder(0, "coherency_line_size"): "64",
        folder(0, "ways_of_associativity"): "8",
    }


def said(found: list[Claim], name: str) -> list[float | str]:
    return [claim.value for claim in found if claim.name == name]


@pytest.fixture
def virtual_machine(tmp_path):
    """A guest of two cores: sysfs says 32 MiB of last-level cache; the C library's word for it is added by a test."""
    levels = (
        ("1", "Data", "32K", "0"),
        ("1", "Instruction", "64K", "0"),
        ("2", "Unified", "512K", "0"),
        ("3", "Unified", "32M", "0-1"),
    )
    return plant(
        tmp_path,
        caches(*levels)
        | {
            "proc/cpuinfo": CPU_INFO,
            "proc/meminfo": "MemTotal:       24684092 kB\nMemFree:  1 kB",
            "proc/sys/kernel/perf_event_paranoid": "2",
            "proc/sys/kernel/osrelease": "6.1.0-x",
            "boot/config-6.1.0-x": "CONFIG_HZ_250=y\nCONFIG_HZ=250",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
            "sys/kernel/mm/transparent_hugepage/hpage_pmd_size": "2097152",
            "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
            "sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0,2-3",
            "sys/devices/system/node/node0/cpulist": "0-1",
            "sys/devices/system/node/node1/cpulist": "",
            "sys/class/dmi/id/product_name": "Virtual Machine",
        },
    )


def test_each_source_of_a_tree_is_read_and_named(virtual_machine):
    found = claims(virtual_machine, silent)
    values = {claim.name: (claim.value, claim.unit, claim.source) for claim in found}
    assert values == {
        "l1_capacity": (32 * KIB, "B", "sysfs cache/index0/size"),
        "line_size": (64, "B", "/proc/cpuinfo clflush size"),
        "l1_ways": (8, "", "sysfs cache/index0/ways_of_associativity"),
        "l1_shared_by": ("cores 0", "", "sysfs cache/index0/shared_cpu_list"),
        "l1i_capacity": (64 * KIB, "B", "sysfs cache/index1/size"),
        "l1i_shared_by": ("cores 0", "", "sysfs cache/index1/shared_cpu_list"),
        "l2_capacity": (512 * KIB, "B", "sysfs cache/index2/size"),
        "l2_shared_by": ("cores 0", "", "sysfs cache/index2/shared_cpu_list"),
        "l3_capacity": (32 * MIB, "B", "sysfs cache/index3/size"),
        "l3_shared_by": ("cores 0-1", "", "sysfs cache/index3/shared_cpu_list"),
        "cpu": ("AMD EPYC", "", "/proc/cpuinfo model name"),
        "tlb_reach": (2560 * 4 * KIB, "B", "/proc/cpuinfo TLB size × 4 KiB"),
        "cpuinfo_cache_size": (512 * KIB, "B", "/proc/cpuinfo cache size"),
        "clock": (pytest.approx(2.445404), "GHz", "/proc/cpuinfo cpu MHz, at the moment of reading"),
        "virtualised": ("yes", "", "/proc/cpuinfo flags, hypervisor"),
        "cores": (2, "", "/proc/cpuinfo processor, counted"),
        "memory": (24684092 * KIB, "B", "/proc/meminfo MemTotal"),
        "transparent_huge_pages": ("madvise", "", "sysfs kernel/mm/transparent_hugepage/enabled"),
        "huge_page_size": (2 * MIB, "B", "sysfs kernel/mm/transparent_hugepage/hpage_pmd_size"),
        "memory_nodes": (2, "", "sysfs node/node*, counted"),
        "threads_per_core": (3, "", "sysfs cpu0/topology/thread_siblings_list"),
        "frequency_governor": ("hidden", "", "sysfs cpu0/cpufreq is not there"),
        "clock_source_current": ("tsc", "", "sysfs clocksource/clocksource0/current_clocksource"),
        "firmware_product": ("Virtual Machine", "", "sysfs class/dmi/id/product_name"),
        "perf_event_paranoid": ("2", "", "sysctl kernel/perf_event_paranoid"),
        "tick_rate": (250, "Hz", "/boot/config-* CONFIG_HZ"),
    }


def test_an_empty_machine_says_nothing_but_that_its_tick_is_unknown(tmp_path):
    (only,) = claims(tmp_path, silent)
    assert (only.name, only.value) == ("tick_rate", "unknown") and "CLK_TCK" in only.source


def test_the_c_librarys_claim_of_the_hosts_cache_is_shown_as_a_disagreement(virtual_machine):
    lscpu = {
        "lscpu": [
            {"field": "L1d cache:", "data": "64 KiB (2 instances)"},
            {"field": "L3 cache:", "data": "32 MiB (1 instance)"},
        ]
    }
    getconf = (
        "LEVEL1_DCACHE_SIZE                 32768\nLEVEL1_DCACHE_ASSOC                \nLEVEL3_CACHE_SIZE  268435456"
    )
    outputs = {"getconf": getconf, "lscpu": json.dumps(lscpu)}
    found = claims(virtual_machine, lambda *command: outputs.get(command[0], ""))
    assert said(found, "l1_capacity") == [32 * KIB] * 3  # lscpu's sum is divided by its instances
    contradicting = disagreements(found)
    assert list(contradicting) == ["l3_capacity"]
    assert [(claim.value, claim.source) for claim in contradicting["l3_capacity"]] == [
        (32 * MIB, "sysfs cache/index3/size"),
        (256 * MIB, "getconf LEVEL3_CACHE_SIZE"),
        (32 * MIB, "lscpu L3 cache"),
    ]


@pytest.mark.parametrize(
    ("values", "unit", "number"),
    [
        ((100, 101), "B", 0),
        ((100, 102), "B", 1),
        ((100, 99, 102), "B", 1),
        (("yes", "no"), "", 0),
        ((0, 0), "", 0),
        ((0, 1), "", 1),
        ((7,), "B", 0),
    ],
)
def test_claims_disagree_beyond_one_per_cent_if_they_are_numbers(values, unit, number):
    assert len(disagreements(Claim("x", value, unit, str(i)) for i, value in enumerate(values))) == number


def test_claims_of_another_unit_or_name_are_not_compared():
    assert not disagreements([Claim("x", 1, "B", ""), Claim("x", 9, "Hz", ""), Claim("y", 5, "B", "")])


@pytest.mark.parametrize(
    ("data", "capacity", "note"),
    [
        ("64 KiB (2 instances)", 32 * KIB, ", 64 KiB over 2 instances"),
        ("1.5 MiB (1 instance)", 1.5 * MIB, ""),
        ("256K", 256 * KIB, ""),
        ("80 MiB (80 instances)", MIB, ", 80 MiB over 80 instances"),
        ("512 KiB (0 instances)", 512 * KIB, ""),
    ],
)
def test_lscpus_total_is_divided_among_the_instances_and_says_so(data, capacity, note):
    (found,) = sources.lscpu(lambda *_: json.dumps({"lscpu": [{"field": "L2 cache:", "data": data}]}))
    assert (found.value, found.source) == (capacity, "lscpu L2 cache" + note)


def test_lscpu_of_newer_versions_nests_its_fields():
    nested = {
        "lscpu": [
            {
                "field": "Caches (sum of all):",
                "data": None,
                "children": [{"field": "L1d cache:", "data": "96 KiB (2 instances)"}],
            },
            {"field": "CPU(s):", "data": "2"},
        ]
    }
    assert [(claim.name, claim.value) for claim in sources.lscpu(lambda *_: json.dumps(nested))] == [
        ("l1_capacity", 48 * KIB),
        ("cores", 2),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"lscpu": 5}',
        '{"lscpu": [1, {"field": 3}]}',
        '{"lscpu": [{"field": "L2 cache:", "data": "much"}]}',
    ],
)
def test_an_lscpu_that_prints_something_else_says_nothing(text):
    assert not list(sources.lscpu(lambda *_: text))


@pytest.mark.parametrize(
    ("text", "cpus"), [("0,4-7", [0, 4, 5, 6, 7]), ("3", [3]), ("0-1", [0, 1]), ("", []), ("none", [])]
)
def test_a_list_of_cpus_is_spelt_out(text, cpus):
    assert reading.listed(text) == cpus


@pytest.mark.parametrize(
    ("groups", "files", "limits"),
    [
        (
            "0::/a/b",
            {"a/memory.max": "1073741824", "a/b/memory.max": "2147483648", "a/b/cpu.max": "150000 100000"},
            {"memory_limit": GIB, "cores_limit": 1.5},
        ),
        ("0::/a", {"a/memory.max": "max", "a/cpu.max": "max 100000"}, {}),
        ("0::/", {"memory.max": "65536"}, {"memory_limit": 65536}),
        (
            "4:memory:/x\n2:cpu:/x\n0::/",
            {
                "memory/x/memory.limit_in_bytes": "4096",
                "memory/memory.limit_in_bytes": "9223372036854771712",
                "cpu/x/cpu.cfs_quota_us": "50000",
                "cpu/x/cpu.cfs_period_us": "100000",
            },
            {"memory_limit": 4096, "cores_limit": 0.5},
        ),
        ("4:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, {}),
        ("2:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, {}),
        ("nonsense\n::\n", {}, {}),
    ],
)
def test_the_tightest_limit_of_the_control_groups_holds(tmp_path, groups, files, limits):
    plant(tmp_path, {"proc/self/cgroup": groups} | {f"sys/fs/cgroup/{name}": text for name, text in files.items()})
    assert {claim.name: claim.value for claim in sources.control_groups(tmp_path)} == limits


def test_the_tick_is_read_from_the_running_kernels_configuration(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_HZ_1000=y\nCONFIG_HZ=1000\n"))
    assert [(claim.value, claim.source) for claim in sources.tick(tmp_path)] == [(1000, "/proc/config.gz CONFIG_HZ")]
    (tmp_path / "proc/config.gz").write_bytes(b"\x1f\x8b broken")
    assert said(sources.tick(tmp_path), "tick_rate") == ["unknown"]


def test_a_governor_that_is_shown_is_not_called_hidden(tmp_path):
    folder = "sys/devices/system/cpu/cpu0/cpufreq"
    plant(tmp_path, {f"{folder}/scaling_governor": "powersave", f"{folder}/cpuinfo_max_freq": "3400000"})
    found = claims(tmp_path, silent)
    assert said(found, "frequency_governor") == ["powersave"] and said(found, "clock_limit") == [3.4]


def test_macos_describes_its_fast_cores(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    lines = (
        "hw.l1dcachesize: 65536",
        "hw.perflevel0.l1dcachesize: 131072",
        "hw.cachelinesize: 128",
        "hw.pagesize: 16384",
        "hw.l3cachesize: 0",
        "machdep.cpu.brand_string: Apple M1",
        "kern.hv_vmm_present: 0",
    )
    found = {claim.name: (claim.value, claim.source) for claim in sources.sysctl(lambda *_: "\n".join(lines))}
    assert found == {
        "l1_capacity": (131072, "sysctl hw.perflevel0.l1dcachesize"),
        "line_size": (128, "sysctl hw.cachelinesize"),
        "page_size": (16384, "sysctl hw.pagesize"),
        "cpu": ("Apple M1", "sysctl machdep.cpu.brand_string"),
        "virtualised": ("no", "sysctl kern.hv_vmm_present"),
    }


def test_a_command_that_is_missing_fails_or_hangs_says_nothing(monkeypatch):
    assert reading.command_output("no-such-command-anywhere") == ""
    assert reading.command_output(sys.executable, "-c", "print('words'); raise SystemExit(1)") == ""
    assert reading.command_output(sys.executable, "-c", "print('words')") == "words"

    def slow(*_, **options):
        raise reading.subprocess.TimeoutExpired("lscpu", options["timeout"])

    monkeypatch.setattr(reading.subprocess, "run", slow)
    assert reading.command_output("lscpu") == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOENT, "no PMU"),
        (errno.ENODEV, "no PMU"),
        (errno.EOPNOTSUPP, "no PMU"),
        (errno.EACCES, "not allowed: kernel.perf_event_paranoid"),
        (errno.EPERM, "not allowed: a sandbox"),
        (errno.ENOSYS, "no perf events"),
        (errno.EMFILE, "unavailable: Too many open files"),
    ],
)
def test_a_missing_counter_is_told_from_a_forbidden_one(monkeypatch, code, words):
    monkeypatch.setattr(counter, "perf_event_open", lambda kind, event: -code)
    assert counter.hardware_counter().startswith(words)


def test_a_counter_that_opens_is_available_and_closed_again(monkeypatch):
    reading, writing = os.pipe()
    os.close(writing)
    monkeypatch.setattr(counter, "perf_event_open", lambda kind, event: reading)
    assert counter.hardware_counter() == "available"
    with pytest.raises(OSError):
        os.fstat(reading)


def test_a_system_without_the_call_is_not_asked(monkeypatch):
    monkeypatch.setattr(counter.platform, "machine", lambda: "pdp11")
    assert counter.perf_event_open(counter.HARDWARE, counter.INSTRUCTIONS) == -errno.ENOSYS


def test_the_structure_handed_to_the_kernel_is_one_that_it_takes():
    # The dummy event needs neither PMU nor privilege: EINVAL or E2BIG would mean that the structure is wrong.
    answer = counter.perf_event_open(counter.SOFTWARE, counter.DUMMY)
    if answer >= 0:
        os.close(answer)
    else:
        assert -answer in (errno.EACCES, errno.EPERM, errno.ENOSYS)


def test_this_machine_makes_claims_without_paths_and_every_one_has_a_source():
    found = claims()
    assert found and all(claim.source and claim.name for claim in found)
    assert said(found, "page_size") and said(found, "hardware_counter") and said(found, "proc_time_unit") == [100]
    assert not [claim for claim in found if "/home" in claim.source or "/tmp" in claim.source]
    assert {claim.unit for claim in found} <= {"", "B", "GHz", "Hz"}
