"""Companion programs: C processes that a lab measures from outside, such as a server, or one that may crash.

sampling/guarded.py starts and ends a program. Python sends it requests, and the program answers, in messages of one
size (kernels_c/companion.h). What it prints is shown if it fails. No shell, no network and no pickle is used.
"""

import ctypes
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.sampling.guarded import MOST_OUTPUT, Guarded, Limits, guard

START_S = 10.0  # until the program is ready: a busy machine may need seconds
ANSWER_S = 5.0
_LOOK_S = 0.05  # between two checks of the cancel flag
_DEATH_S = 1.0  # from a closed connection to the end of the process
_LOOK = "look for the reason in its C file"
_CURES = {
    signal.SIGXCPU: "give it more time (Limits.cpu_s) or less work",
    signal.SIGXFSZ: "let it write larger files (Limits.file_bytes) or less",
    signal.SIGKILL: "close other programs, since memory may have run out",
}


class CompanionError(MeasurementError):
    """A companion program crashed, was silent, or broke a rule; it has been ended."""


class Companion:
    """A running companion program, for one thread at a time. Leaving the `with` block ends it.

    `pid`: its process number. `folder`: its private folder and working directory. `provenance`: how it was compiled.
    """

    def __init__(
        self,
        program: native.Built,
        *arguments: object,
        limits: Limits | None = None,
        start_s: float = START_S,
        cancel: Cancel | None = None,
    ) -> None:
        """Start the program and wait until it is ready.

        - program: from native.build_program or native.build_program_text
        - arguments: the program's own, passed as text
        - limits: what it may use
        - start_s: time until it must say that it is ready, s
        - cancel: ends the program and whatever waits for it, within 0.3 s
        """
        self.name = Path(program.provenance["source"]).stem
        self.provenance = program.provenance
        self.cancel = cancel or Cancel()
        self._requests = program.declarations.constants
        self._connections: list[socket.socket] = []
        self._process = Guarded(program.path, map(str, arguments), limits or Limits())
        self.folder = self._process.folder
        try:
            self.pid = self._receive("be ready", start_s, "COMPANION_READY")[0]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program, its processes and its folder. A second call does nothing."""
        for connection in self._connections:
            connection.close()
        self._process.close()

    def ask(self, request: str, *values: int, limit_s: float = ANSWER_S) -> list[int]:
        """Send a request, named as in the program's C enumeration, and return the values of its answer.

        Raises SpeLabError if the program refuses the request, CompanionError if it does not answer within `limit_s`,
        and CancelledError.
        """
        task = f"answer {request}"
        self.check(task)
        if self._wait(0) and (unasked := self._heard(1 << 16)):
            raise self.failed("speak when it is asked", f"sent {len(unasked)} bytes before")
        message = guard().struct("companion_message")
        sent = message(guard().declarations.constants["COMPANION_MAGIC"], self._requests[request], values)
        try:
            self._process.channel.sendall(bytes(sent))
        except OSError:
            raise self.ended(task, "closed its channel") from None
        return self._receive(task, limit_s, "COMPANION_DONE", values)

    def check(self, task: str) -> None:
        """Raise CompanionError if the program was ended before `task`: its descriptors may be reused."""
        if self._process.closed:
            raise CompanionError(f"{self.name} must run to {task}, and has been ended; start another one")

    def connect(self, name: str = "service") -> socket.socket:
        """Return a connection to the Unix socket `name` in the program's folder. It closes with the companion."""
        self.check(f"take connections at its socket {name!r}")
        try:
            connection = socket.socket(socket.AF_UNIX)
            self._connections.append(connection)
            connection.connect(str(self.folder / name))
        except OSError as error:
            raise self.ended(f"take connections at its socket {name!r}", f"said: {error.strerror}") from None
        return connection

    def ended(self, rule: str, otherwise: str, cure: str = _LOOK) -> CompanionError:
        """Return the error for a program that broke `rule`: how it ended, or `otherwise` if it still runs."""
        status = self._process.status(_DEATH_S)
        if status is None:
            return self.failed(rule, otherwise, cure)
        if status >= 0:
            return self.failed(rule, f"ended with status {status}")
        number = signal.Signals(-status)
        return self.failed(rule, f"was ended by {number.name}", _CURES.get(number, "look for a crash in its C file"))

    def failed(self, rule: str, instead: str, cure: str = _LOOK) -> CompanionError:
        """End the program, and return the error that says which rule it broke."""
        self._process.take_output()
        self.close()
        lines = self._process.printed.decode(errors="replace").strip().splitlines()
        printed = f" (it printed: {lines[-1][:200]})" if lines else ""
        return CompanionError(f"{self.name} must {rule}, and {instead}{printed}; {cure}")

    def _receive(self, task: str, limit_s: float, wanted: str, asked: Sequence[int] = ()) -> list[int]:
        """Wait for one message, which must be of the kind `wanted`, and return its values."""
        message, kinds = guard().struct("companion_message"), guard().declarations.constants
        size, magic = ctypes.sizeof(message), bytes(ctypes.c_uint32(kinds["COMPANION_MAGIC"]))
        received, until = bytearray(), time.monotonic() + limit_s
        while len(received) < size:
            if self.cancel.is_set():
                self.close()
                raise CancelledError(f"{self.name} was cancelled; start it again")
            left = until - time.monotonic()
            if left <= 0:
                raise self.failed(f"{task} within {limit_s:g} s", "was silent")
            gone = self._process.status(0) is not None  # checked before listening: its last message counts
            spoke = self._wait(0 if gone else min(left, _LOOK_S))
            if not self._process.take_output():
                raise self.failed(f"print at most {units.render(MOST_OUTPUT, 'B')}", "printed more", "print less")
            part = self._heard(1 << 16) if spoke else b""
            if not part and (spoke or gone):
                raise self.ended(task, "closed its channel", "let it leave descriptor 3 alone")
            received += part
            if received[: len(magic)] != magic[: len(received)]:
                raise self.failed(f"{task} in messages of companion.h", f"sent {bytes(received[:20])!r}")
        if len(received) > size:
            raise self.failed(f"{task} in one message of {size} bytes", f"sent {len(received)} or more")
        answer = message.from_buffer(received)
        if answer.kind == kinds["COMPANION_REFUSED"] and wanted == "COMPANION_DONE":
            values = ", ".join(map(str, asked)) or "no values"
            raise SpeLabError(
                f"{self.name} must know each request, and refused to {task} with {values}; see its C file"
            )
        if answer.kind != kinds[wanted]:
            raise self.failed(f"{task} with {wanted}", f"sent a message of kind {answer.kind}")
        return list(answer.values)

    def _wait(self, seconds: float) -> bool:
        """Wait until the program speaks or prints. Return True if it spoke, or closed the channel."""
        with selectors.PollSelector() as selector:
            selector.register(self._process.channel, selectors.EVENT_READ)
            selector.register(self._process.output, selectors.EVENT_READ)
            return any(key.fileobj is self._process.channel for key, _ in selector.select(seconds))

    def _heard(self, most: int) -> bytes:
        try:
            return self._process.channel.recv(most)
        except ConnectionError:
            return b""
