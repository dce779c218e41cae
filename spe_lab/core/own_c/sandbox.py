"""The notebook's side of the worker process: start it, send requests, and survive its end.

The worker may crash, loop, exit or flood its output; the reader gets one sentence. Nothing here runs in a thread.
Arrays travel as copies through a file in memory that both processes share. They come back only after a call that
returned, so that a crash leaves the caller's arrays unchanged.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError, UnavailableError
from spe_lab.core.own_c import messages
from spe_lab.core.own_c.fenced import fill, room, slack
from spe_lab.core.own_c.messages import CellError, Crash, Memory, Stopped
from spe_lab.core.own_c.requests import Call, Task, Timing
from spe_lab.core.streams import fill_descriptors

MOST_OUTPUT = 100_000  # bytes that a call may print: more would freeze the page
_START_S = 30.0


def build(text: str, name: str, flags: Sequence[str], behind: str = "") -> native.Built:
    """Compile C text into a library that only a worker loads, since loading it can run its code.

    `behind` is C of our own that follows the text. Raises CellError with the compiler's messages.
    """
    whole = f"{text}\n{behind}" if behind else text
    file = native.text_file(whole, name)
    try:
        return native.build_file(file, name, flags)
    except native.CompilerError as error:
        raise messages.refused(name, error.said, file, flags, text) from None
    except UnavailableError:
        raise
    except SpeLabError as error:
        raise CellError(str(error).replace(file.name, f"the C of {name}")) from None


class Sandbox:
    """One worker process, started at the first request and again after its death."""

    def __init__(self, library: Path, source: Path) -> None:
        self.library = library
        self.source = source
        self.output = ""  # what the last request printed
        self._worker: _Worker | None = None

    @property
    def pid(self) -> int | None:
        return self._worker.process.pid if self._worker else None

    def close(self) -> None:
        """End the worker; the C code's static variables are lost."""
        if self._worker:
            self._worker.end()
            self._worker = None

    def ask(
        self,
        request: Call | Timing | Task,
        blocks: Sequence[memoryview],
        described: Sequence[tuple[str, int, int]],
        cancel: Cancel | None = None,
    ) -> Iterator:
        """Yield the worker's answers, for at most request.limit_s after the start of the C code.

        A Call yields one (result, numbers of the blocks with a write before their start, the blocks). A Timing yields
        `Timed` repeatedly, a Task one (result,). `described` holds (name, bytes per element, count) of each
        block. Raises CellError if the worker dies or is late. The worker is ended if the reader stops the cell, if
        `cancel` is set, or if the caller closes this generator.
        """
        self.output = ""
        if self._worker is None or self._worker.process.poll() is not None:
            self.close()
            self._worker = _Worker(self.library)
        worker, began, printed, cancel = self._worker, time.monotonic(), bytearray(), cancel or Cancel()
        place: list[int] = []
        completed = False
        try:
            place = self._placed(worker, request, blocks)
            began = time.monotonic()  # the limit is for the C code alone
            while True:
                left = request.limit_s - (time.monotonic() - began)
                if left <= 0:
                    cure = "look for a loop that never ends"
                    if not isinstance(request, Task):
                        cure += ", or allow more time (limit_s)"
                    raise CellError(
                        f"{request.name} must return within {request.limit_s:g} s and was still running; {cure}"
                    )
                if cancel.is_set():
                    raise CancelledError(
                        f"{request.name} was cancelled after {time.monotonic() - began:.1f} s; start it again"
                    )
                ready = wait([worker.connection, worker.output], min(left, 0.1))
                if worker.output in ready:
                    self._drain(worker, printed, request.name)
                if worker.connection in ready:
                    answer = worker.connection.recv()
                    self._drain(worker, printed, request.name)
                    if isinstance(answer, Exception):
                        raise answer
                    if isinstance(request, Call):
                        answer = (*answer, worker.returned(request.sizes))
                    completed = answer is None or isinstance(request, Call)
                    if answer is not None:
                        yield answer
                    if completed:
                        return
        except (EOFError, ConnectionError):
            with contextlib.suppress(SpeLabError):  # of a crash and too much output, report the crash
                self._drain(worker, printed, request.name)
            memory = [Memory(name, address, *rest) for (name, *rest), address in zip(described, place, strict=False)]
            raise worker.ending(request, memory, self.source) from None
        except KeyboardInterrupt:
            raise Stopped(
                f"{request.name} was stopped after {time.monotonic() - began:.1f} s, and its process was ended"
            ) from None
        finally:
            self.output = printed.decode(errors="replace").replace(str(self.source), self.source.name)
            if not completed:
                self.close()

    @staticmethod
    def _placed(worker: "_Worker", request: Call | Timing | Task, blocks: Sequence[memoryview]) -> list[int]:
        worker.hand_over(blocks, private=isinstance(request, Timing))
        worker.connection.send(request)
        if isinstance(place := worker.connection.recv(), Exception):
            raise place
        return place

    @staticmethod
    def _drain(worker: "_Worker", printed: bytearray, function: str) -> None:
        """Append the output that is available to `printed`."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(worker.output, 1 << 16):
                printed += part
                if len(printed) > MOST_OUTPUT:
                    del printed[500:]
                    printed += b" ...\n"
                    cure = "print less, every thousandth step for example"
                    raise CellError(
                        f"{function} printed more than {units.render(MOST_OUTPUT, 'B')} and was ended; {cure}"
                    )


class _Worker:
    """A process and the pipes to it: for requests and answers, for its output, for its crash report."""

    span: tuple[int, int]  # the library's first and last address in the worker
    stack_top: int

    def __init__(self, library: Path) -> None:
        self.library = library
        fill_descriptors()  # or the worker's standard streams would replace its pipes
        self.connection, theirs = Pipe()
        self.output, printed = os.pipe()
        self._report, report = os.pipe()
        for descriptor in (self.output, self._report):
            os.set_blocking(descriptor, False)
        self._file = _memory_file()
        lifeline, self._lifeline = os.pipe()
        shared = (theirs.fileno(), report, self._file.fileno(), lifeline)
        arguments = (*shared, str(library), str(native.load("crash").path))
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; from spe_lab.core.own_c.worker import main; main(*{arguments!r})"
        )
        try:
            # A session of its own: Ctrl-C and the stop button are for the notebook, and forked processes end with it.
            self.process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=shared,
                start_new_session=True,
            )
        finally:
            theirs.close()
            os.close(printed)
            os.close(report)
            os.close(lifeline)
        self._finalizer = weakref.finalize(
            self, _end, self.process, self.connection, self._file, self.output, self._report, self._lifeline
        )
        try:
            self.span, self.stack_top = self.connection.recv() if self.connection.poll(_START_S) else (None, None)
        except (EOFError, ConnectionError):
            self.span = None
        if self.span is None:
            self.process.kill()
            self.process.wait()
            with contextlib.suppress(BlockingIOError):
                printed_text = os.read(self.output, 1 << 16).decode(errors="replace").strip()
            self.end()
            last = printed_text.splitlines()[-1] if printed_text else f"it was silent for {_START_S:g} s"
            raise CellError(
                f"a process must load the C code, and it did not: {last}; look for code that runs before main, or try"
                " again"
            )

    def end(self) -> None:
        self._finalizer()

    def hand_over(self, blocks: Sequence[memoryview], private: bool) -> None:
        """Write the blocks to the file, each in pages of its own."""
        self._file.truncate(0)
        self._file.truncate(sum(room(block.nbytes) for block in blocks))
        place = 0
        for block in blocks:
            self._file.seek(place + slack(block.nbytes, private))
            written = 0
            while written < block.nbytes:
                written += self._file.write(block[written:])
            place += room(block.nbytes)

    def returned(self, sizes: Sequence[int]) -> list[bytearray]:
        """Return the blocks after a call."""
        blocks, place = [], 0
        for size in sizes:
            blocks.append(block := bytearray(size))
            fill(self._file, place + slack(size, private=False), block)
            place += room(size)
        self._file.truncate(0)
        return blocks

    def ending(self, request: Call | Timing | Task, memory: Sequence[Memory], source: Path) -> CellError:
        """Return the error that tells the reader why the worker died."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may have closed its descriptors and still run
            self.process.wait(1)
        try:
            crash = Crash.read(os.read(self._report, 4096))
        except BlockingIOError:
            crash = None
        status, function = self.process.poll(), request.name
        if crash and status is not None and status < 0:
            place = messages.place(self.library, self.span, crash.frames, source)
            return messages.crashed(function, crash, place, memory, self.stack_top, request.memory_bytes)
        if status is None:
            return CellError(
                f"{function} closed file descriptors that are not its own, and was ended; close what you opened and"
                " nothing else"
            )
        if status >= 0:
            return CellError(f"{function} ended its process with exit({status}); return a value instead")
        name = signal.Signals(-status).name
        if name in ("SIGSEGV", "SIGBUS"):  # only the first thread reports its crash
            cure = "look for a pointer or an index that leaves its array"
            return CellError(f"{function} crashed in a thread that it started ({name}); {cure}")
        return CellError(f"{function} was ended by {name}; look for a signal that it sends, or for memory that ran out")


def _memory_file() -> io.FileIO:
    """Return a file without a name, in memory if the system has such files."""
    if hasattr(os, "memfd_create"):
        return io.FileIO(os.memfd_create("spe-lab"), "r+")
    return tempfile.TemporaryFile(buffering=0)


def _end(process: subprocess.Popen, connection: Connection, file: io.FileIO, *descriptors: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    connection.close()
    file.close()
    for descriptor in descriptors:
        os.close(descriptor)
