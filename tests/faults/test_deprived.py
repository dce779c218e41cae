"""A machine that refuses, hides or lacks something: the labs go on with less, and say with what."""

import os
import resource
import stat
import sys

import pytest

from spe_lab.core.c import native

from .deprived import CALLS, SPE_LAB, control_group, in_namespace, lab, refuse_calls, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure"),
    pytest.mark.skipif(sys.platform != "linux", reason="takes things away as Linux does"),
]
COUNTER = "from spe_lab.core.machine.counter import hardware_counter; print(hardware_counter())"
HIDE = "mount -t tmpfs none /sys; mount -t tmpfs none /proc"
SHORT = ("run", "memory.working_set", "--quick", "--over", "size=4KiB,16KiB")


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    """No profile of the reader's, whose machine this is not."""
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "settings"))


def test_where_proc_and_sys_are_hidden_everything_is_examined_and_measured():
    examined = in_namespace(HIDE, *SPE_LAB, "doctor")
    assert examined.returncode == 0, examined.stderr
    assert "available to this process" in examined.stdout
    assert "virtual machine        not stated" in examined.stdout
    measured = in_namespace(HIDE, *SPE_LAB, *SHORT)
    assert measured.returncode == 0, measured.stderr
    assert "samples clean" in measured.stdout


def test_where_proc_is_hidden_the_share_of_other_programs_is_unknown_and_not_none():
    measured = in_namespace(
        HIDE, *SPE_LAB, "run", "scaling.amdahl", "--quick", "--set", "work=waiting", "--over", "N=1,2"
    )
    assert measured.returncode == 0, measured.stderr
    assert "this system does not report how much CPU time other programs used" in measured.stdout


@pytest.mark.skipif(not CALLS, reason="knows the numbers of the calls on x86-64 and aarch64 alone")
def test_calls_that_a_sandbox_refuses_are_done_without():
    assert run(sys.executable, "-c", COUNTER, prepare=refuse_calls).stdout == "not allowed: a sandbox forbids it\n"
    uring = f"import ctypes; print(ctypes.CDLL(None, use_errno=True).syscall({CALLS[1]}, 1, 0), ctypes.get_errno())"
    assert run(sys.executable, "-c", uring, prepare=refuse_calls).stdout == "-1 1\n"
    measured = lab(*SHORT, prepare=refuse_calls)
    assert measured.returncode == 0, measured.stderr


@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2 if hasattr(os, "sched_getaffinity") else True,
    reason="needs two processors to take one away",
)
def test_on_one_processor_threads_that_need_two_are_recorded_ones_with_status_3():
    cpu = min(os.sched_getaffinity(0))
    shown = lab("run", "coherence.false_sharing", "--quick", prepare=lambda: os.sched_setaffinity(0, {cpu}))
    assert shown.returncode == 3
    cure = "give it another one (taskset -c, docker --cpuset-cpus). Shown: data recorded on"
    assert f"needs two processors, and this process may use one only; {cure}" in shown.stderr


def test_half_a_core_is_said_where_threads_are_measured():
    with control_group("cpu", cfs_period_us=100_000, cfs_quota_us=50_000) as halved:
        measured = lab("run", "scaling.amdahl", "--quick", "--set", "work=waiting", "--over", "N=1,2", prepare=halved)
    assert measured.returncode == 0, measured.stderr
    assert "a control group grants 0.5 CPUs of time: threads are halted when that is used up" in measured.stdout


def test_512_mib_are_enough_and_a_size_beyond_them_is_refused_before_it_is_tried():
    with control_group("memory", limit_in_bytes=512 << 20) as little:
        refused = lab("run", "memory.working_set", "--over", "size=1GiB", prepare=little)
        measured = lab(*SHORT, prepare=little)
    assert (
        refused.returncode == 2
        and "size must be between 1 KiB and" in refused.stderr
        and "got 1 GiB; choose a value in that range" in refused.stderr
    )
    assert measured.returncode == 0, measured.stderr


def test_512_mib_of_address_space_are_enough_too():
    measured = lab(*SHORT, prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20)))
    assert measured.returncode == 0, measured.stderr


# ---- room and permission to keep files
# ---------------------------------------------------------------------------------


def test_a_full_disk_at_the_cache_is_one_sentence_and_leaves_nothing(tmp_path):
    full = f"mount -t tmpfs -o size=8k none {tmp_path}"
    said = in_namespace(
        full,
        "sh",
        "-c",
        f"{' '.join(SPE_LAB)} {' '.join(SHORT)}; echo status $?; ls -A {tmp_path}/kernels",
        SPE_LAB_CACHE_DIR=str(tmp_path),
    )
    assert (
        "needs a few MB of disk space, and the disk is full; free some or set SPE_LAB_CACHE_DIR to another folder"
        in said.stderr
    )
    assert said.stdout.endswith("status 3\n"), said.stdout


def test_a_cache_that_is_mounted_read_only_is_replaced_for_this_process(tmp_path):
    measured = in_namespace(f"mount -t tmpfs -o ro none {tmp_path}", *SPE_LAB, *SHORT, SPE_LAB_CACHE_DIR=str(tmp_path))
    assert measured.returncode == 0, measured.stderr


@pytest.mark.parametrize("mount", ["size=4k", "ro"])
def test_a_profile_that_finds_no_room_or_no_permission_says_so(tmp_path, mount):
    program = """
from spe_lab.core import machine as machines
from spe_lab.core.machine import store
from spe_lab.core.machine.profile import Machine
many = {"calibrated_at": "2026-01-01T00:00:00+00:00", "notes": "x" * 10000}
try: store.save_own(Machine(many, machines.claim()))
except ValueError as error: print(error)
import os; print(os.listdir(os.environ["SPE_LAB_CONFIG_DIR"]))
"""
    said = in_namespace(
        f"mount -t tmpfs -o {mount} none {tmp_path}", sys.executable, "-c", program, SPE_LAB_CONFIG_DIR=str(tmp_path)
    )
    reason = "Read-only file system" if mount == "ro" else "No space left on device"
    assert f"the folder of the machine profile must be writable, got {reason} for {tmp_path}" in said.stdout
    assert said.stdout.endswith("; make room or set SPE_LAB_CONFIG_DIR to another folder\n[]\n")


def test_a_cache_where_no_program_may_run_is_replaced_for_this_process_even_if_tmpdir_is_no_better(tmp_path):
    (tmp_path / "tmp").mkdir()
    places = {"SPE_LAB_CACHE_DIR": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "cache").mkdir()
    mounts = "; ".join(f"mount -t tmpfs -o noexec none {place}" for place in places.values())
    measured = in_namespace(mounts, *SPE_LAB, *SHORT, **places)
    assert measured.returncode == 0, measured.stderr
    examined = in_namespace(mounts, *SPE_LAB, "doctor", **places)
    assert f"a folder of its own: {tmp_path}/cache/kernels is mounted noexec" in examined.stdout


CELL = """
import numpy as np
from spe_lab.core.own_c.compiled import Cell
cell = Cell('#include <stdio.h>\\nlong put(long *x, long i) { puts("\\u00b5"); return x[i] = 1; }\\n')
print(cell.call("put", {"x": np.zeros(3, np.int64), "i": 0}), ascii(cell.output))
try: cell.call("put", {"x": np.zeros(3, np.int64), "i": 3})
except ValueError as error: print(error)
"""


def test_a_locale_that_is_not_utf_8_and_closed_streams_change_nothing_for_a_cell(tmp_path):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    shell = ("sh", "-c", 'exec "$@" <&- 2>&-', "sh", sys.executable, "-c", CELL)
    said = run(*shell, SPE_LAB_CACHE_DIR=str(tmp_path / "kä che"), **ascii_only)
    called, crashed = said.stdout.splitlines()
    assert called == r"1 '\xb5\n'"
    assert crashed.startswith(
        "put crashed in line 2: it reached for x[3], and x has 3 elements (SIGSEGV); keep indexes"
    )


def test_a_cache_that_others_can_write_is_not_trusted(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels").chmod(0o777)
    program = "from spe_lab.core.c import native; print(native.load('memory').path.parent)"
    used = run(sys.executable, "-c", program, SPE_LAB_CACHE_DIR=str(tmp_path)).stdout.strip()
    assert used and used != str(tmp_path / "kernels")
    assert list((tmp_path / "kernels").iterdir()) == []


def test_the_cache_is_the_user_s_alone(tmp_path):
    program = "import os; os.umask(0o022); from spe_lab.core.c import native; native.load('memory')"
    assert run(sys.executable, "-c", program, SPE_LAB_CACHE_DIR=str(tmp_path / "cache")).returncode == 0
    assert stat.S_IMODE((tmp_path / "cache" / "kernels").stat().st_mode) == 0o700
