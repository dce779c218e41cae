"""Runs a command, such as a compiler, with limits on its time and output, and ends it with all that it started."""

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_OUTPUT = 64 << 20  # bytes: a program that prints without end must not fill the memory


@dataclass(frozen=True)
class Finished:
    """A command that has ended.

    - status: its exit status, or minus the number of the signal that ended it
    - out, err: what it printed; bytes that are not UTF-8 are replaced, whatever the locale
    - flooded: True if it was ended because it printed more than MOST_OUTPUT
    """

    status: int
    out: str
    err: str
    flooded: bool = False


def run(command: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command without input until it ends.

    Raises OSError if it cannot be started, and subprocess.TimeoutExpired if it takes longer than `limit_s`. It and all
    processes that it started are ended then, and also if this process is interrupted. It stays in the process group of
    this one, so that whoever ends the group ends it too.
    """
    ended_by = time.monotonic() + limit_s
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as process,
        selectors.DefaultSelector() as streams,
    ):
        printed = {stream.fileno(): bytearray() for stream in (process.stdout, process.stderr)}
        flooded = False
        try:
            for descriptor in printed:
                streams.register(descriptor, selectors.EVENT_READ)
            while streams.get_map():
                ready = streams.select(max(0.0, ended_by - time.monotonic()))
                if not ready:
                    raise subprocess.TimeoutExpired(command, limit_s)
                for key, _ in ready:
                    part = os.read(key.fd, 1 << 16)
                    printed[key.fd] += part[: MOST_OUTPUT - len(printed[key.fd])]
                    if not part:
                        streams.unregister(key.fd)
                    elif len(printed[key.fd]) == MOST_OUTPUT and not flooded:
                        flooded = True
                        _end(process)
            status = process.wait(max(0.0, ended_by - time.monotonic()))
        except BaseException:
            _end(process)
            raise
        out, err = (text.decode(errors="replace") for text in printed.values())
    return Finished(status, out, err, flooded)


def _end(process: subprocess.Popen) -> None:
    """Kill the process and all that it started: a compiler's driver only waits for the compiler."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):  # it has ended, or /proc is hidden
        for started in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                started.kill()
    process.kill()
