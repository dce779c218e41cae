"""The worker: answers, errors, crashes and endless loops of a reader's C, none of which hurt this process."""

import ctypes
import math
import os
import time

import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c import call as worker


def test_the_answer_comes_back():
    assert worker.call(math.hypot, 3, 4) == 5


def test_it_is_another_process():
    assert worker.call(os.getpid) != os.getpid()


def test_what_the_function_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        worker.call(divmod, 1, 0)


def test_a_sentence_for_the_reader_stays_one():
    with pytest.raises(SpeLabError, match=r"^stem must name a file of kernels_c, got 'nope'"):
        worker.call(exec, "from spe_lab.core.c import native; native.load('nope')")


def test_a_crash_is_named_by_its_signal():
    with pytest.raises(SpeLabError, match=r"the C code crashed \(SIG(SEGV|BUS)\); look for a pointer"):
        worker.call(ctypes.string_at, 1)


def test_a_process_that_ends_itself_is_a_crash_with_its_status():
    with pytest.raises(SpeLabError, match=r"the C code crashed \(exit status 3\)"):
        worker.call(os._exit, 3)


def test_an_endless_loop_is_ended_and_said(tmp_path):
    beats = tmp_path / "beats"
    endless = f"import time\nwhile True: open({str(beats)!r}, 'a').write('x'); time.sleep(0.02)"
    with pytest.raises(
        SpeLabError, match=r"must end within 1\.5 s and was still running; look for a loop that never ends"
    ):
        worker.call(exec, endless, timeout_s=1.5)
    last = beats.stat().st_size if beats.exists() else 0  # it may not have begun on a busy machine
    time.sleep(0.2)
    assert (beats.stat().st_size if beats.exists() else 0) == last
