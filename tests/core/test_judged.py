"""A Python function on a reader's C in the sandbox: answers, errors, crashes and endless loops hurt nobody."""

import os
import time
from operator import methodcaller
from pathlib import Path

import pytest

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c.judged import judged
from spe_lab.core.own_c.messages import CellError

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

SOURCE = r"""
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int64_t add(int64_t a, int64_t b) { return a + b; }
int64_t process(void) { return getpid(); }
void flood(void) { for (;;) puts("flood"); }
void leave(int status) { exit(status); }
int fault(int *pointer) { return *pointer; }
static void *in_thread(void *at) { return (void *)(intptr_t)*(volatile char *)at; }
void thread_faults(void) { pthread_t id; pthread_create(&id, NULL, in_thread, NULL); pthread_join(id, NULL); }
void beat(const char *path) { for (;;) { int f = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600); (void)!write(f, "x", 1); close(f); usleep(20000); } }
"""


def run(name, *arguments, **options):
    """What the C function `name` gives for these arguments, in the sandbox."""
    return judged(SOURCE, "own", methodcaller(name, *arguments), **options)


def test_the_answer_comes_back():
    assert run("add", 3, 4) == 7


def test_it_is_another_process():
    assert run("process") != os.getpid()


def test_what_the_function_raises_is_raised_here():
    with pytest.raises(AttributeError, match="has no function 'subtract'"):
        run("subtract", 1, 0)


def test_a_sentence_for_the_reader_stays_one():
    with pytest.raises(SpeLabError, match=r"^stem must name a file of kernels_c, got "):
        judged(SOURCE, "own", native.load)  # a library is no stem


def test_a_crash_is_named_by_its_signal_and_its_line():
    line = SOURCE.splitlines().index("int fault(int *pointer) { return *pointer; }") + 1
    where = f" in fault in line {line}" if Path("/proc/self/maps").exists() else ".*"
    with pytest.raises(CellError, match=rf"^own crashed{where}: it followed a null pointer \(SIG(SEGV|BUS)\); test"):
        run("fault", None)


def test_a_crash_in_another_thread_is_one_too():
    with pytest.raises(CellError, match=r"^own crashed in a thread that it started \(SIG(SEGV|BUS)\); look for a p"):
        run("thread_faults")


def test_a_process_that_ends_itself_is_told_with_its_status():
    with pytest.raises(CellError, match=r"^own ended its process with exit\(3\); return a value instead"):
        run("leave", 3)


def test_a_flood_of_output_is_ended():
    with pytest.raises(CellError, match=r"^own printed more than 97\.7 KiB and was ended; print less"):
        run("flood")


def test_c_that_does_not_compile_is_told_by_its_line():
    with pytest.raises(CellError, match=r"(?s)^the C of own must compile; .*line 2: error: "):
        judged("int one(void)\n{ return nothing; }", "own", methodcaller("one"))


def test_an_endless_loop_is_ended_and_said(tmp_path):
    beats = tmp_path / "beats"
    with pytest.raises(
        CellError,
        match=r"^own must return within 1\.5 s and was still running; look for a loop that never ends$",
    ):
        run("beat", str(beats).encode(), limit_s=1.5)
    last = beats.stat().st_size if beats.exists() else 0  # it may not have begun on a busy machine
    time.sleep(0.2)
    assert (beats.stat().st_size if beats.exists() else 0) == last
