"""Processes that a cell's C starts, and the end of C that still runs when the notebook's kernel ends."""

import contextlib
import signal
import subprocess
import sys
import time

import psutil
import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
LATE_S = 30.0  # a busy machine may need seconds to end a process

FORKS = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
static int calls;
int family(void) { pid_t p = fork(); if (p == 0) { printf("child\n"); return 7; } wait(NULL); printf("parent\n"); return 0; }
int count(void) { return ++calls; }
int left(void) { pid_t p = fork(); if (p == 0) { for (;;) pause(); } return 1; }
int crashing(void) { pid_t p = fork(); int status; if (p == 0) abort(); waitpid(p, &status, 0); return WTERMSIG(status); }
int here(void) { abort(); }
"""


@pytest.fixture
def forks():
    with contextlib.closing(Cell(FORKS)) as cell:
        yield cell


def test_a_child_ends_where_its_function_returns_and_later_calls_are_the_parent_s(forks):
    assert (forks.family(), forks.output.split()) == (0, ["child", "parent"])
    assert [forks.count() for _ in range(3)] == [1, 2, 3]
    assert (forks.family(), forks.count()) == (0, 4)


def test_a_child_that_is_left_ends_with_the_cell(forks):
    forks.left()
    worker = psutil.Process(forks._sandbox.pid)
    (child,) = worker.children()
    forks.close()
    assert not psutil.wait_procs([worker, child], timeout=LATE_S)[1]


def test_a_child_s_crash_is_its_own_and_not_reported_as_the_parent_s_next(forks):
    assert forks.crashing() == signal.SIGABRT
    assert forks.count() == 1
    with pytest.raises(CellError, match=r"^here crashed in line \d+: it aborted itself"):
        forks.here()


RUNS_ON = """
import sys
from spe_lab.core.own_c.compiled import Cell
cell = Cell("#include <unistd.h>\\nint runs(void) { if (fork() == 0) for (;;) pause(); for (volatile int i = 0;;) i++; }", limit_s=600)
cell._sandbox.output
import threading
def tell():
    import time
    while cell._sandbox.pid is None:
        time.sleep(0.01)
    print(cell._sandbox.pid, flush=True)
threading.Thread(target=tell).start()
cell.runs()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_c_that_runs_ends_with_the_kernel(how):
    kernel = subprocess.Popen([sys.executable, "-c", RUNS_ON], stdout=subprocess.PIPE, text=True)
    try:
        worker = psutil.Process(int(kernel.stdout.readline()))
        until = time.monotonic() + LATE_S
        while not (children := worker.children()) and time.monotonic() < until:
            time.sleep(0.02)
        kernel.send_signal(how)
        assert children and not psutil.wait_procs([worker, *children], timeout=LATE_S)[1]
    finally:
        kernel.kill()
        kernel.wait()
        kernel.stdout.close()
