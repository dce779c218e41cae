"""The processors of this process: affinity, quota, pinning, and what others use."""

import os
import time

import numpy as np
import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import cpus
from spe_lab.core.machine.cpus import Cpus

linux = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="needs a system that keeps a process on one CPU"
)


def test_threads_are_assigned_to_cpus_in_turn():
    assert Cpus((2, 5, 7), None, pinned=True).assigned(5).tolist() == [2, 5, 7, 2, 5]
    assert Cpus((2, 5, 7), None, pinned=False).assigned(2).tolist() == [-1, -1]
    with pytest.raises(SpeLabError, match="threads must be at least 1, got 0;"):
        Cpus((0,), None, pinned=True).assigned(0)


@pytest.mark.parametrize(("quota", "cores"), [(None, 4), (8.0, 4), (2.5, 2), (0.5, 1)])
def test_a_quota_lets_fewer_threads_run_at_the_same_time(quota, cores):
    here = Cpus((0, 1, 2, 3), quota, pinned=True)
    assert here.cores == cores
    assert any("control group grants" in note for note in here.notes()) == (cores < 4)


def test_an_ordinary_machine_needs_no_note_and_a_poor_one_says_what_it_lacks():
    assert Cpus((0, 1), None, pinned=True).notes() == ()
    said = " ".join(Cpus((3,), 0.5, pinned=False).notes())
    assert "one CPU only" in said and "0.5 CPUs" in said and "does not keep a thread on one CPU" in said


@linux
def test_an_affinity_set_from_outside_is_seen():
    whole = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(whole)})
        assert cpus.current().usable == (min(whole),)
    finally:
        os.sched_setaffinity(0, whole)
    assert cpus.current().usable == tuple(sorted(whole))


@linux
def test_a_quota_is_read_from_the_control_group(tmp_path):
    group = tmp_path / "sys/fs/cgroup/lab"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/lab\n")
    (group / "cpu.max").write_text("50000 100000\n")
    assert cpus.current(tmp_path).quota == 0.5


@linux
def test_one_cpu_of_each_core_comes_before_the_hyper_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 5})
    for cpu, siblings in {0: "0-1", 1: "0-1", 2: "2,6", 3: "3", 5: "4-5"}.items():
        folder = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "core_cpus_list").write_text(f"{siblings}\n")
    here = cpus.current(tmp_path)
    assert here.usable == (0, 2, 3, 5, 1) and here.siblings == 1
    assert cpus.current(tmp_path / "nothing").siblings == 0


@pytest.mark.parametrize(
    ("busy", "own", "share"), [(2.0, 2.0, 0.0), (2.0, 0.5, 0.75), (0.0, 0.0, 0.0), (4.0, 0.0, 1.0), (1.0, 1.1, 0.0)]
)
def test_processor_time_that_is_not_one_s_own_is_foreign(monkeypatch, busy, own, share):
    """One second on two CPUs, of which `busy` seconds were used, `own` by this process. Counters are coarse, so the
    share is bounded.
    """
    readings = iter([(10.0, 100.0, 7.0), (11.0, 100.0 + busy, 7.0 + own)])
    monkeypatch.setattr(cpus.Foreign, "_read", staticmethod(lambda: next(readings)))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert cpus.Foreign().share() == pytest.approx(share)


def test_this_process_s_work_is_counted_as_its_own():
    _, _, before = cpus.Foreign._read()
    end = time.process_time() + 0.2
    while time.process_time() < end:
        np.sqrt(np.arange(1000.0))
    assert cpus.Foreign._read()[2] - before >= 0.15  # counted in steps of some 10 ms
