"""Guarded programs: a C process that cannot outlive this one, whatever happens to either.

Python starts the guard (kernels_c/programs/guard.c), and the guard starts the program. Python holds one end of the
lifeline, a pipe on which nothing is sent. Closing that end, by `close` or by a `kill -9` of Python, makes the guard end
the program with its whole process group and remove its private folder.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import psutil

from spe_lab.core.c import native
from spe_lab.core.errors import UnavailableError
from spe_lab.core.streams import fill_descriptors

MOST_OUTPUT = 100_000  # bytes that a program may print
_MOST_PATH = 80  # bytes of the private folder's path: the address of a Unix socket holds 104
_END_S = 5.0  # time for the guard to end, which takes 0.2 s


@dataclass(frozen=True)
class Limits:
    """What a program may use.

    - cpu_s: processor time of each of its processes, s
    - memory_bytes: address space of each of its processes, B
    - file_bytes: size of a file that it writes, B
    - processes: threads and processes beyond those that run when it starts (Linux; not for root)
    """

    cpu_s: int = 60
    memory_bytes: int = 1 << 30
    file_bytes: int = 64 << 20
    processes: int = 64


class Guarded:
    """A running program, the channel to it, and its output."""

    def __init__(self, program: Path, arguments: Iterable[str], limits: Limits) -> None:
        fill_descriptors()  # or the guard's standard streams would replace its channel
        self.folder = _new_folder()
        self.printed = bytearray()
        words = [guard().path, None, self.folder, *astuple(limits), program, *arguments]
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            try:
                lifeline = _pipe(read=theirs, write=ours)
                output = _pipe(read=ours, write=theirs)
                self.channel, channel = socket.socketpair()
                ours.callback(self.channel.close)
                theirs.callback(channel.close)
                words[1] = channel.fileno()
                self._guard = subprocess.Popen(
                    [str(word) for word in words],
                    stdin=lifeline[0],
                    stdout=output[1],
                    stderr=output[1],
                    pass_fds=[channel.fileno()],
                    env={**os.environ, "TMPDIR": str(self.folder)},
                    start_new_session=True,  # Ctrl-C and the stop button must end only this process
                )
            except OSError as error:
                raise UnavailableError(
                    f"{program.stem.split('-')[0]} needs a process and six file descriptors, and the system refused:"
                    f" {error.strerror}; close other programs, or raise its limits (ulimit -n, ulimit -u)"
                ) from None
            self.output = output[0]
            os.set_blocking(self.output, False)
            self._finalizer = weakref.finalize(self, _end, self._guard, ours.pop_all(), self.folder)

    @property
    def closed(self) -> bool:
        return not self._finalizer.alive

    def close(self) -> None:
        """End the program, its processes and its folder. A second call does nothing."""
        self._finalizer()

    def take_output(self) -> bool:
        """Move new output to `printed`. Return False if it is more than MOST_OUTPUT."""
        with contextlib.suppress(BlockingIOError):
            while len(self.printed) <= MOST_OUTPUT and (part := os.read(self.output, 1 << 16)):
                self.printed += part
        return len(self.printed) <= MOST_OUTPUT

    def status(self, wait_s: float) -> int | None:
        """Return the exit status, minus the number of the signal, or None if it still runs after `wait_s`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(wait_s)
        return self._guard.poll()


@cache
def guard() -> native.Built:
    """Return the guard, with the declarations of companion.h."""
    return native.build_program("guard")


def _new_folder() -> Path:
    """Return a path for the guard to make a folder at: the guard removes it even if Python is killed."""
    folder = Path(tempfile.gettempdir(), f"spe-lab-{secrets.token_hex(8)}")
    if len(os.fsencode(folder)) > _MOST_PATH:
        raise UnavailableError(
            f"the folder for temporary files must have a path short enough for a socket's address, got {folder.parent};"
            " set TMPDIR to another one, for example /tmp"
        )
    return folder


def _pipe(read: contextlib.ExitStack, write: contextlib.ExitStack) -> tuple[int, int]:
    """Return a pipe whose two ends close with these stacks."""
    ends = os.pipe()
    read.callback(os.close, ends[0])
    write.callback(os.close, ends[1])
    return ends


def _end(process: subprocess.Popen, descriptors: contextlib.ExitStack, folder: Path) -> None:
    descriptors.close()  # the lifeline is one of them
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.returncode == -signal.SIGKILL:  # the guard was killed, and its program may still run
        _end_session(process.pid)
    shutil.rmtree(folder, ignore_errors=True)


def _end_session(leader: int) -> None:
    for pid in psutil.pids():
        with contextlib.suppress(OSError):  # it has ended or belongs to another user
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
