"""What the system claims, what it leaves to this process, and the file that carries a machine elsewhere."""

import json
import os
import platform

import pytest

from spe_lab.core import machine
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import ORIGINS, Machine, Parameter, claims, sources

KIB, MIB = 1 << 10, 1 << 20


def tree(root, files):
    """Files with their contents below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")


@pytest.mark.parametrize(
    ("membership", "files", "room"),
    [
        ("0::/", {"memory.max": 100, "memory.current": 30}, [70]),
        (
            "0::/a/b",
            {"a/b/memory.max": 100, "a/b/memory.current": 30, "a/memory.max": 60, "a/memory.current": 50},
            [70, 10],
        ),
        (
            "0::/a/b",
            {"a/b/memory.max": "max", "a/b/memory.current": 30, "a/memory.max": 60, "a/memory.current": 50},
            [10],
        ),
        ("0::/a", {"a/memory.max": 100}, []),
        ("0::/gone", {}, []),
        (
            "5:cpu:/x\n4:memory:/a\n0::/",
            {"memory/a/memory.limit_in_bytes": 100, "memory/a/memory.usage_in_bytes": 40},
            [60],
        ),
        ("4:hugetlb,memory:/", {"memory/memory.limit_in_bytes": 100, "memory/memory.usage_in_bytes": 130}, [-30]),
        ("", {"memory.max": 100, "memory.current": 30}, []),
    ],
)
def test_a_control_group_and_those_around_it_leave_their_limit_less_their_use(tmp_path, membership, files, room):
    tree(tmp_path / "sys/fs/cgroup", files)
    tree(tmp_path, {"proc/self/cgroup": membership})
    for outside in ("", "sys", "sys/fs"):  # these must not be read
        tree(tmp_path / outside, {"memory.max": 1, "memory.current": 0})
    assert sources.memory_headroom(tmp_path) == room


@pytest.mark.parametrize(("room", "available"), [([10, 5 * MIB], 10), ([-5], 0), ([1 << 70], None), ([], None)])
def test_the_tightest_limit_counts_and_an_exhausted_one_is_zero(monkeypatch, room, available):
    import psutil

    monkeypatch.setattr(sources, "memory_headroom", lambda root: room)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Free", (), {"available": 7 * MIB}))
    assert claims.memory_available() == (7 * MIB if available is None else available)


def caches(*levels):
    """A sysfs tree of caches: (level, type, size, line)."""
    names = ("level", "type", "size", "coherency_line_size")
    return {
        f"sys/devices/system/cpu/cpu0/cache/index{i}/{name}": value
        for i, cache in enumerate(levels)
        for name, value in zip(names, cache, strict=True)
    }


@pytest.fixture
def sysfs(tmp_path, monkeypatch):
    """What a Linux system claims that has these caches, whatever system this is."""

    def claimed(*levels, cpuinfo=""):
        tree(tmp_path, caches(*levels) | {"proc/cpuinfo": cpuinfo})
        monkeypatch.setattr(sources.sys, "platform", "linux")
        return claims.claim.__wrapped__(tmp_path)

    return claimed


def test_data_and_unified_caches_are_claimed_with_their_line(sysfs):
    found = sysfs(
        (1, "Data", "48K", 128), (1, "Instruction", "32K", 64), (2, "Unified", "2048K", 64), (3, "Unified", "1G", 64)
    )
    assert [found[f"l{i}_capacity"].value for i in (1, 2, 3)] == [48 * KIB, 2 * MIB, 1 << 30]
    assert found["line_size"] == Parameter(128, "B", "claimed", "sysfs cache/index0/coherency_line_size")
    assert found["l1_capacity"].source == "sysfs cache/index0/size"


def test_a_machine_without_a_third_level_gets_none(sysfs):
    assert "l3_capacity" not in sysfs((1, "Data", "32K", 64), (2, "Unified", "512K", 64))


@pytest.mark.parametrize("size", ["", "0K", "many", "-1K", "32"])
def test_nonsense_in_sysfs_is_replaced_by_an_assumption_that_says_so(sysfs, size):
    found = sysfs((1, "Data", size, "x"))
    assert (found["l1_capacity"].origin, found["line_size"].origin) == ("assumed", "assumed")
    assert found["l1_capacity"].value == 32 * KIB


def test_a_tlb_is_claimed_where_the_system_tells_and_assumed_elsewhere(sysfs):
    assert sysfs(cpuinfo="flags : fpu\nTLB size\t: 2560 4K pages\n")["tlb_reach"] == Parameter(
        10 * MIB, "B", "claimed", "/proc/cpuinfo TLB size × 4 KiB"
    )
    assert sysfs()["tlb_reach"].origin == "assumed"


def test_every_parameter_has_a_unit_an_origin_and_a_source():
    found = machine.claim()
    for name, parameter in found.items():
        assert parameter.value > 0 and parameter.origin in ORIGINS and parameter.source
        assert parameter.unit == {"latency": "ns", "replacement": ""}.get(name.rpartition("_")[2], "B")
    assert found["page_size"].value == os.sysconf("SC_PAGE_SIZE")


def test_facts_tell_a_machine_apart_but_not_its_user():
    facts = machine.facts()
    assert facts["cpu"] and facts["cores"] >= 1 and facts["architecture"] == platform.machine()
    said = json.dumps(facts)
    for secret in filter(None, (platform.node(), os.path.expanduser("~"), os.getcwd())):  # noqa: PTH109, PTH111 - as text
        assert len(secret) < 3 or secret not in said


def test_an_unknown_origin_is_refused():
    with pytest.raises(SpeLabError, match="origin must be one of measured, claimed, published, assumed, got 'dreamt'"):
        Parameter(1, "B", "dreamt", "a dream")


def test_a_missing_parameter_is_named_with_those_there_are():
    with pytest.raises(
        SpeLabError, match="the machine must have the parameter b, and this profile has a; write it anew"
    ):
        Machine({}, {"a": Parameter(1, "B", "assumed", "")}).value("b")


@pytest.fixture
def saved(tmp_path):
    here = machine.current()
    path = tmp_path / "machine.json"
    here.save(path)
    return here, path


def test_a_saved_machine_reads_back_the_same(saved):
    here, path = saved
    assert Machine.load(path) == here


def edited(path, change):
    data = json.loads(path.read_text())
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "must be JSON"),
        ("{", "must be JSON"),
        ("[1]", "at the top level"),
        ("[" * 100_000, "must be JSON"),
        (b"\xff\xfe", "readable text"),
        (lambda data: data.update(format=2), "at format"),
        (lambda data: data.pop("facts"), "at the top level"),
        (lambda data: data["parameters"]["l1_capacity"].update(value=-1), "at parameters/l1_capacity/value"),
        (lambda data: data["parameters"]["l1_capacity"].update(value=0), "at parameters/l1_capacity/value"),
        (lambda data: data["parameters"]["l1_capacity"].update(value="32K"), "at parameters/l1_capacity/value"),
        (lambda data: data["parameters"]["l1_capacity"].update(value=float("nan")), "NaN is not a finite number"),
        (lambda data: data["parameters"]["l1_capacity"].update(value=float("inf")), "Infinity is not a finite number"),
        (lambda data: data["parameters"]["l1_capacity"].update(value=10**400), "is not a finite number"),
        (lambda data: data["parameters"]["l1_capacity"].update(origin="dreamt"), "at parameters/l1_capacity/origin"),
        (lambda data: data["parameters"]["l1_capacity"].update(colour="red"), "at parameters/l1_capacity"),
        (lambda data: data["parameters"]["l1_capacity"].pop("source"), "at parameters/l1_capacity"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 50 else "",
)
def test_a_file_that_is_no_machine_is_refused_in_a_sentence_and_left_as_it_is(saved, content, complaint):
    path = saved[1]
    content = edited(path, content) if callable(content) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    with pytest.raises(SpeLabError) as refused:
        Machine.load(path)
    assert (
        str(refused.value).startswith("the machine file ")
        and complaint in str(refused.value)
        and "\n" not in str(refused.value)
    )
    assert path.read_bytes() == before


def test_an_absent_machine_file_is_refused_and_not_made(tmp_path):
    with pytest.raises(
        SpeLabError, match=r"the machine file must be readable text, got .*; write one with spe-lab machine --json"
    ):
        Machine.load(tmp_path / "absent.json")
    assert list(tmp_path.iterdir()) == []
