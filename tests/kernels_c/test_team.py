"""Teams of threads: they work at the same time, tell the gate what happened, and leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine import cpus

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
MODES = [(waiting, create, blocking) for waiting in (0, 1) for create in (0, 1) for blocking in (0, 1)]
SIZES = [
    (*mode, threads) for mode in MODES for threads in (1, 2, 5) if mode[-1] or threads <= cpus.current().cores
]  # to spin takes a core each


def fork_join(waiting, threads, create, blocking, serial, parallel, trials=3, cancel=None, size=None):
    """(status, elapsed, records); `size`: threads that arrays are made for, if not `threads`."""
    library, size = native.load("scaling"), threads if size is None else size
    elapsed, records = np.zeros(trials, np.int64), np.zeros(trials * size, np.dtype(library.struct("team_record")))
    status = library.fork_join(
        waiting,
        threads,
        cpus.current().assigned(max(1, size)),
        create,
        blocking,
        serial,
        parallel,
        trials,
        elapsed,
        records,
        (cancel or Cancel()).flag,
    )
    return status, elapsed, records.reshape(trials, size)


def standing():
    """Threads, CPUs and timer slack of this process: what a call must leave as it was."""
    slack = Path("/proc/self/timerslack_ns")
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return psutil.Process().num_threads(), affinity, slack.read_text() if slack.exists() else None


@pytest.mark.parametrize(("waiting", "create", "blocking", "threads"), SIZES)
def test_no_thread_is_left_and_the_caller_is_as_it_was(waiting, create, blocking, threads):
    before = standing()
    assert fork_join(waiting, threads, create, blocking, 1000, 1000)[0] == 0
    assert standing() == before


@pytest.mark.parametrize("create", [0, 1])
def test_waits_in_several_threads_pass_at_the_same_time(create):
    serial, piece, threads = 2_000_000, 20_000_000, 16
    status, elapsed, _ = fork_join(1, threads, create, 1, serial, piece)
    assert status == 0
    assert (elapsed >= serial + piece).all()  # a sleep never ends early
    assert elapsed.min() < (serial + threads * piece) / 4  # one after the other they would take all of it


def test_every_member_says_when_it_worked():
    _, elapsed, records = fork_join(1, 4, 0, 1, 0, 5_000_000)
    assert (records["ended_ns"] - records["began_ns"] >= 5_000_000).all()
    assert (records["ended_ns"].max(axis=1) - records["began_ns"].min(axis=1) <= elapsed).all()
    assert (records["preemptions"] >= 0).all() and (records["run_delay_ns"] >= 0).all()


def test_a_piece_of_nothing_takes_next_to_nothing():
    assert fork_join(1, 1, 0, 1, 0, 0)[1].min() < 1_000_000  # a sleep of zero would still be a call of the system's


@pytest.mark.parametrize("create", [0, 1])
def test_a_cancelled_call_says_so_and_leaves_no_thread(create):
    cancel, before = Cancel(), psutil.Process().num_threads()
    cancel.set()
    status, elapsed, _ = fork_join(1, 4, create, 1, 10**9, 10**9, cancel=cancel)
    assert status == native.load("scaling").constants["SPE_CANCELLED"] and not elapsed.any()
    assert psutil.Process().num_threads() == before


@pytest.mark.parametrize("threads", [-1, 0, 129])
def test_a_team_of_no_size_is_refused(threads):
    assert fork_join(0, threads, 0, 1, 1, 1, size=1)[0] == native.load("scaling").constants["SPE_BAD_ARGUMENT"]


STARVED = """
import resource, numpy as np, psutil
from spe_lab.core.c import native
from spe_lab.core.sampling.kernels import Cancel

library, threads, trials = native.load("scaling"), 128, 2
cpus, elapsed = np.full(threads, -1, np.int32), np.zeros(trials, np.int64)
records = np.zeros(trials * threads, np.dtype(library.struct("team_record")))
before = psutil.Process().num_threads()
resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + (8 << 20), resource.RLIM_INFINITY))
for create in (0, 1):
    status = library.fork_join(1, threads, cpus, create, 1, 0, 1000, trials, elapsed, records, Cancel().flag)
    assert status == library.constants["SPE_NO_THREADS"], status
    assert psutil.Process().num_threads() == before
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on address space that is kept")
def test_threads_that_the_system_refuses_are_said_and_the_others_joined():
    ended = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


EVERY_MODE = """
#include "team.h"
int32_t fork_join(int32_t waiting, int32_t threads, const int32_t *cpus, int32_t create, int32_t blocking, uint64_t serial, uint64_t parallel,
                  uint64_t trials, int64_t *elapsed_ns, struct team_record *records, spe_cancel cancel);
int main(void)
{
    int32_t cpus[8] = { -1, -1, -1, -1, -1, -1, -1, -1 }, cancel = 0, status = 0;
    int64_t elapsed[5];
    struct team_record records[40];
    for (int mode = 0; mode < 8; mode++)
        status |= fork_join(mode & 1, mode & 4 ? 8 : 2, cpus, mode >> 1 & 1, mode >> 2 & 1, 1000, 1000, 5, elapsed, records, &cancel);
    return -status;
}
"""


@pytest.mark.slow
def test_the_thread_sanitizer_finds_no_race(thread_sanitizer):
    assert thread_sanitizer("scaling", EVERY_MODE) == ""
