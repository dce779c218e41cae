"""Runs a command in a process that lacks something: calls, files, room, processors, memory. As root for real; elsewhere
tests skip with the reason.
"""

import ctypes
import errno
import os
import platform
import shlex
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SPE_LAB = (sys.executable, "-m", "spe_lab.cli")
# (perf_event_open, io_uring_setup, sched_setaffinity): what Docker's profile or a careful administrator refuses.
CALLS = {"x86_64": (298, 425, 203), "aarch64": (241, 425, 122)}.get(platform.machine(), ())


def run(*command: str, prepare: Callable[[], None] | None = None, **environment: str) -> subprocess.CompletedProcess:
    """The command after `prepare` in its process; its output as text."""
    variables = {**os.environ, **environment}
    return subprocess.run(
        command, env=variables, preexec_fn=prepare, capture_output=True, text=True, timeout=120, check=False
    )


def lab(*arguments: str, prepare: Callable[[], None] | None = None, **environment: str) -> subprocess.CompletedProcess:
    """`spe-lab arguments`; no traceback, whatever happens."""
    done = run(*SPE_LAB, *arguments, prepare=prepare, **environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def in_namespace(mounts: str, *command: str, **environment: str) -> subprocess.CompletedProcess:
    """The command where the shell commands `mounts` changed what the file system shows, for it alone."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("hiding and mounting folders needs Linux, root and unshare")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this container forbids mount namespaces")
    done = run("unshare", "--mount", "sh", "-c", f"set -e; {mounts}; exec {shlex.join(command)}", **environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def refuse_calls() -> None:
    """From now on the kernel answers EPERM to perf_event_open, io_uring_setup and sched_setaffinity, in this process
    and what it starts.
    """
    load, jump, give, allow, refuse = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000 | errno.EPERM
    rules = [struct.pack("HBBI", load, 0, 0, 0)]  # the number of the call
    for left, call in zip(range(len(CALLS), 0, -1), CALLS, strict=True):
        rules.append(struct.pack("HBBI", jump, left, 0, call))
    rules += [struct.pack("HBBI", give, 0, 0, allow), struct.pack("HBBI", give, 0, 0, refuse)]
    program = ctypes.create_string_buffer(b"".join(rules))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_filter, mode = 38, 22, 2
    described = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(program))
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_filter, mode, described, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


@contextmanager
def control_group(controller: str, **settings: int) -> Iterator[Callable[[], None]]:
    """What puts a process into a new control group (version 1) with these settings."""
    folder = Path(f"/sys/fs/cgroup/{controller}/spe-lab-test-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"needs a control group of version 1 that can be made: {error}")
    try:
        for name, value in settings.items():
            (folder / f"{controller}.{name}").write_text(str(value))
        yield lambda: (folder / "cgroup.procs").write_text("0")
    finally:
        folder.rmdir()
