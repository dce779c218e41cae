"""Companion programs: they answer, fail in a sentence, and leave nothing, whoever dies first."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path

import psutil
import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError, UnavailableError
from spe_lab.core.sampling import guarded
from spe_lab.core.sampling.companion import Companion, CompanionError
from spe_lab.core.sampling.guarded import Limits

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

# What the one program of these tests does before it is ready, and when it is asked, by its two arguments.
BEFORE = {
    "nothing": "",
    "exit 4": "return 4;",
    "a last word": 'fprintf(stderr, "a\\nno luck"); return 0;',
    "SIGKILL": "raise(SIGKILL);",
    "garbage": 'dprintf(3, "GET / HTTP/1.1"); pause();',
    "two messages": """struct companion_message two[2] = { { COMPANION_MAGIC, COMPANION_READY, { 0 } } };
        if (write(3, two, sizeof two) > 0) pause();""",
    "unknown kind": "companion_answer(9, 0, 0); pause();",
    "flood of output": 'for (;;) printf("more and more\\n");',
    "flood of messages": "static char zeros[100000]; while (write(3, zeros, sizeof zeros) > 0) continue;",
    "sleep": "sleep(100);",
    "loop": "for (;;) continue;",
    "stop": "raise(SIGSTOP);",
    "no output": "close(1); close(2); pause();",
    "ignore SIGTERM": "signal(SIGTERM, SIG_IGN);",
    "fork": "for (int i = 0; i < 5; i++) if (fork() == 0) for (;;) pause();",
    "fork and end": "if (fork() == 0) { signal(SIGTERM, SIG_IGN); for (;;) pause(); } exit(0);",
    "daemon": "if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); exit(0); }",
    "files": 'if (system("mkdir -p a/b; touch a/b/c; ln -s / a/root; chmod 0 a/b/c") < 0) exit(1);',
    "large file": 'int file = open("large", O_CREAT | O_WRONLY, 0600); while (write(file, "123456", 6) > 0) continue;',
}
ASKED = {
    "add": "companion_answer(asked.kind == ADD ? COMPANION_DONE : COMPANION_REFUSED, asked.values[0] + asked.values[1], 0);",
    "nothing": "",
    "sleep": "sleep(100);",
    "half a message": 'if (write(3, "SPE", 3) < 0) return 1;',
    "SIGSEGV": "raise(SIGSEGV);",
    "abort": 'printf("broken\\n"); fflush(stdout); abort();',
    "exit 3": "exit(3);",
    "close": "close(COMPANION_CHANNEL); sleep(100);",
    "answer twice": "companion_answer(COMPANION_DONE, 0, 0); companion_ready();",
    "be ready again": "companion_ready();",
    "surroundings": """int files = 0;
        for (int i = 0; i < 1000; i++) files += fcntl(i, F_GETFD) >= 0;
        fclose(fopen("made", "w"));
        companion_answer(COMPANION_DONE, files, getsid(0) == getppid() && getpgid(0) == getpid());""",
    "malloc": "char *got = malloc((size_t)asked.values[0]); SPE_OPAQUE(got); companion_answer(COMPANION_DONE, got != NULL, 0);",
    "fork for ever": """int forked = 0, self = getpid();
        if (getuid() == 0 && setuid(65534) != 0) exit(1);
        while (forked < 30000 && fork() > 0) forked++;
        if (getpid() == self) companion_answer(COMPANION_DONE, forked, 0);
        for (;;) pause();""",
}


def chosen(argument, cases):
    """C that does what `argument` names."""
    return " else ".join(f'if (strcmp({argument}, "{name}") == 0) {{ {text} }}' for name, text in cases.items())


PEER = f"""#include "companion.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum {{ ADD = COMPANION_OWN, OTHER }};
int main(int count, char **arguments)
{{
    struct companion_message asked;
    if (count != 3) return 1;
    {chosen("arguments[1]", BEFORE)}
    companion_ready();
    while (companion_receive(&asked)) {{
        {chosen("arguments[2]", ASKED)}
    }}
    return 0;
}}
"""


@cache
def program():
    return native.build_program_text(PEER, "peer")


def start(before="nothing", asked="add", **options):
    assert before in BEFORE and asked in ASKED
    return Companion(program(), before, asked, **options)


def processes_in(*folders):
    """Every process whose private folder is one of these, guards included."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get("TMPDIR") in map(str, folders):
                found.append(process)
    return found


@pytest.fixture(autouse=True)
def leaves_nothing(monkeypatch):
    """After each test no process, folder or descriptor of a companion is there."""
    folders, made = [], guarded._new_folder
    monkeypatch.setattr(guarded, "_new_folder", lambda: folders.append(made()) or folders[-1])
    guarded.guard()  # what is opened once and stays
    before = psutil.Process().num_fds()
    yield
    assert psutil.Process().num_fds() == before
    assert not any(folder.exists() for folder in folders) and processes_in(*folders) == []


def test_it_starts_answers_and_ends():
    with start() as peer:
        assert peer.ask("ADD", 2, -5)[0] == -3 and peer.ask("ADD", 2**62, 1)[0] == 2**62 + 1
        there = processes_in(peer.folder)
        assert len(there) == 2 and peer.pid in {process.pid for process in there}  # the guard and the program
        assert peer.folder.stat().st_mode & 0o777 == 0o700
        with pytest.raises(SpeLabError, match=r"refused to answer OTHER with 7; see its C file"):
            peer.ask("OTHER", 7)
        assert peer.ask("ADD", 1, 1)[0] == 2  # a refusal is an answer
    peer.close()
    with pytest.raises(CompanionError, match="must run to answer ADD, and has been ended; start another one"):
        peer.ask("ADD", 1, 1)


def test_it_has_a_group_a_folder_and_no_descriptor_besides_its_channel():
    with Path(os.devnull).open() as file, start(asked="surroundings") as peer:
        os.set_inheritable(file.fileno(), True)
        assert peer.ask("ADD")[:2] == [4, 1] and (peer.folder / "made").exists()


# ---- programs that fail
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("exit 4", "be ready, and ended with status 4; look for the reason in its C file"),
        ("a last word", "be ready, and ended with status 0 (it printed: no luck); look"),
        ("SIGKILL", "be ready, and was ended by SIGKILL; close other programs"),
        ("garbage", "be ready in messages of companion.h, and sent b'GET / HTTP/1.1'; look"),
        ("flood of messages", r"be ready in messages of companion.h, and sent b'\x00\x00"),
        ("two messages", "be ready in one message of 64 bytes, and sent 128 or more; look"),
        ("unknown kind", "be ready with COMPANION_READY, and sent a message of kind 9; look"),
        ("flood of output", "print at most 97.7 KiB, and printed more (it printed: more"),
    ],
)
def test_a_program_that_fails_before_it_is_ready_ends_in_one_sentence(before, said):
    with pytest.raises(CompanionError, match=rf"^peer-\w+ must {re.escape(said)}"):
        start(before)


ENOUGH = (
    r"answer ADD (in one message of 64 bytes|with COMPANION_DONE), and sent|speak when it is asked, and sent 64 bytes"
)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("SIGSEGV", "answer ADD, and was ended by SIGSEGV; look for a crash in its C file"),
        ("abort", r"answer ADD, and was ended by SIGABRT \(it printed: broken\); look for a crash"),
        ("exit 3", "answer ADD, and ended with status 3; look"),
        ("close", "answer ADD, and closed its channel; let it leave descriptor 3 alone"),
        ("be ready again", "answer ADD with COMPANION_DONE, and sent a message of kind 1; look"),
        ("answer twice", ENOUGH),  # seen with the first answer, or before the second request, or in place of its answer
    ],
)
def test_a_program_that_fails_when_it_is_asked_ends_in_one_sentence(asked, said):
    with pytest.raises(CompanionError, match=rf"^peer-\w+ must ({said})"), start(asked=asked) as peer:
        for _ in range(2):
            peer.ask("ADD", 1, 2)


@pytest.mark.parametrize("before", ["sleep", "loop", "stop", "no output"])
def test_a_program_that_is_not_ready_in_time_is_ended(before):
    with pytest.raises(CompanionError, match=r"must be ready within 0\.2 s, and was silent; look for the reason"):
        start(before, start_s=0.2)


@pytest.mark.parametrize("asked", ["nothing", "sleep", "half a message"])
def test_a_program_that_does_not_answer_in_time_is_ended(asked):
    with start(asked=asked) as peer:
        with pytest.raises(CompanionError, match=r"must answer ADD within 0\.2 s, and was silent; look for the reason"):
            peer.ask("ADD", 1, 2, limit_s=0.2)
        with pytest.raises(CompanionError, match=r"must run to answer ADD, and has been ended; start another"):
            peer.ask("ADD", 1, 2)


LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="Linux alone tells the guard of deaths, and gives it orphans"
)


@pytest.mark.parametrize(
    ("before", "processes"),
    [("ignore SIGTERM", 2), ("fork", 7), pytest.param("daemon", 3, marks=LINUX), ("files", 2)],
)
def test_what_a_program_starts_and_makes_goes_with_it(before, processes):
    with start(before) as peer:
        assert peer.ask("ADD", 1, 2)[0] == 3
        until = time.monotonic() + 10  # a daemon's middle process ends by itself
        while len(processes_in(peer.folder)) != processes:
            assert time.monotonic() < until, processes_in(peer.folder)
    # `leaves_nothing` looks at what is left


def test_what_a_program_started_before_it_ended_goes_too():
    with pytest.raises(CompanionError, match="must be ready, and ended with status 0"):
        start("fork and end")


def test_if_somebody_kills_the_guard_python_ends_what_is_left():
    with start("fork") as peer:
        there = processes_in(peer.folder)
        peer._process._guard.kill()
        with pytest.raises(CompanionError, match="must answer ADD, and was ended by SIGKILL"):
            while True:  # the signal may come after an answer
                peer.ask("ADD", 1, 2)
        assert len(there) == 7 and not psutil.wait_procs(there, timeout=2)[1]


# ---- limits
# ------------------------------------------------------------------------------------------------------------------------


def test_processor_time_and_file_size_are_limited():
    with pytest.raises(CompanionError, match=r"and was ended by SIGXCPU; give it more time \(Limits.cpu_s\)"):
        start("loop", limits=Limits(cpu_s=1), start_s=60)
    with pytest.raises(CompanionError, match=r"and was ended by SIGXFSZ; let it write larger files"):
        start("large file", limits=Limits(file_bytes=1000))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit neither of them for one program")
def test_memory_and_processes_are_limited():
    with start(asked="malloc", limits=Limits(memory_bytes=200 << 20)) as peer:
        assert peer.ask("ADD", 100 << 20)[0] == 1 and peer.ask("ADD", 300 << 20)[0] == 0
    # Root has no limit, so the program becomes another user. The limit lies 5 above all threads that there are.
    with start(asked="fork for ever", limits=Limits(processes=5)) as peer:
        assert peer.ask("ADD", limit_s=60)[0] < 30000


def test_too_few_descriptors_are_said_and_those_that_were_opened_are_closed():
    program()
    taken, outcomes = [], []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(20):
            try:
                start().close()
                outcomes.append("")
            except UnavailableError as error:
                outcomes.append(str(error))
            os.close(taken.pop())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken:
            os.close(descriptor)
    refused = [text for text in outcomes if text]
    assert 6 <= len(refused) <= 12 and outcomes == refused + [""] * (20 - len(refused))
    said = r"peer needs a process and six file descriptors, and the system refused: Too many open files; close other"
    assert all(re.match(said, text) for text in refused)


def test_a_folder_whose_path_no_socket_s_address_can_hold_is_refused(monkeypatch):
    monkeypatch.setattr(guarded.tempfile, "gettempdir", lambda: "/tmp/" + "x" * 100)
    with pytest.raises(UnavailableError, match="must have a path short enough for a socket's address, got /tmp/xxx"):
        Companion(native.build_program("echo"))


# ---- whoever dies first
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.machine
@pytest.mark.parametrize("before", ["nothing", "ignore SIGTERM"])
def test_cancel_ends_it_within_0_3_s(before):
    took = []
    for _ in range(3):  # a busy machine may delay one
        cancel, set_at = Cancel(), []
        with start(before, "sleep", cancel=cancel) as peer:

            def press(cancel=cancel, set_at=set_at):
                set_at.append(time.monotonic())
                cancel.set()

            timer = threading.Timer(0.1, press)
            timer.start()
            with pytest.raises(CancelledError, match=r"peer-\w+ was cancelled; start it again"):
                peer.ask("ADD")
            took.append(time.monotonic() - set_at[0])
            timer.join()
            assert processes_in(peer.folder) == [] and not peer.folder.exists()
    assert min(took) < 0.3


def test_a_companion_that_nobody_keeps_is_ended():
    peer = start()
    folder = peer.folder
    del peer
    assert not folder.exists() and processes_in(folder) == []


PARENT = """
import os, sys, threading, time
from spe_lab.core.c import native
from spe_lab.core.sampling import load
from spe_lab.core.sampling.companion import Companion
made = []
thread = threading.Thread(target=lambda: made.append(Companion(native.build_program({name!r}))))
thread.start(); thread.join()  # the thread that started it ends, and the program must not
time.sleep(0.2)
holder = os.fork() if {fork} else 0
if {fork} and holder == 0:
    os.close(1); os.close(2)
    time.sleep(60)  # holds a copy of every other descriptor
    os._exit(0)
client = load.Client(made[0], 64)
print(made[0].pid, made[0]._process._guard.pid, made[0].folder, holder, flush=True)
while True: client.closed(1000, 1000)
"""


@pytest.mark.parametrize(
    ("killed", "fork"),
    [("python", False), pytest.param("python", True, marks=LINUX), ("guard", False), ("program", False)],
)
def test_after_kill_9_nothing_is_left_within_two_seconds(killed, fork):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(name="echo", fork=fork)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    holder = 0
    try:
        words = parent.stdout.readline().split()
        assert words, parent.stderr.read()
        pid, guard, holder = int(words[0]), int(words[1]), int(words[3])
        folder = Path(words[2])
        watched = [psutil.Process(pid), psutil.Process(guard)]
        time.sleep(0.1)
        assert all(process.is_running() for process in watched) and (folder / "service").is_socket()
        os.kill({"python": parent.pid, "guard": guard, "program": pid}[killed], signal.SIGKILL)
        until = time.monotonic() + 2
        while time.monotonic() < until and (any(map(alive, watched)) or folder.exists()):
            time.sleep(0.01)
        assert not any(map(alive, watched)) and not folder.exists()
        if killed != "python":
            assert "must send requests back as they are, and was ended by SIGKILL" in parent.communicate(timeout=30)[1]
    finally:
        parent.kill()
        if holder:
            os.kill(holder, signal.SIGKILL)
        parent.communicate()


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# ---- compiling
# ---------------------------------------------------------------------------------------------------------------------


def test_a_program_is_compiled_once_and_a_damaged_one_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "_cache_folder", lambda: tmp_path)
    text = "int main(void) { return 0; }"
    first, second = (native.build_program_text(text) for _ in range(2))
    assert first.path == second.path and first.path.suffix == ".program"
    whole = first.path.read_bytes()
    first.path.write_bytes(whole[:100])
    assert native.build_program_text(text).path.read_bytes() == whole
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()] == [".program"]
    with pytest.raises(native.CompilerError, match=r"must compile; the compiler says:(.|\n)*main"):
        native.build_program_text("int other;")
    with pytest.raises(
        SpeLabError, match=r"name must name a file of kernels_c/programs, got 'nope'; there are echo, gu"
    ):
        native.build_program("nope")
