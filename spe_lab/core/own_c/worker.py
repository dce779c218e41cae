"""The worker process: load the reader's compiled C and call it. Few imports: it starts in 50 ms."""

import contextlib
import ctypes
import mmap
import os
import resource
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c.fenced import Fenced, room
from spe_lab.core.own_c.requests import Block, Call, Task, Timed, Timing

_STACK_BYTES = 8 << 20
_SIGNAL_STACK_BYTES = 1 << 16
_GRACE_S = 5
_libc = ctypes.CDLL(None)


def main(connection: int, report: int, file: int, lifeline: int, library: str, watch: str) -> None:
    """Answer requests until the notebook closes the connection.

    - connection, report, file: descriptors of the requests, the crash report and the shared memory
    - lifeline: descriptor whose other end closes with the notebook's process
    - library, watch: paths of the reader's library and of the one that reports crashes
    """
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # writing a core file takes seconds
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == resource.RLIM_INFINITY or soft > _STACK_BYTES:
        resource.setrlimit(resource.RLIMIT_STACK, (_STACK_BYTES, hard))
    signal_stack = ctypes.create_string_buffer(_SIGNAL_STACK_BYTES)
    watcher = ctypes.CDLL(watch)
    watcher.crash_watch.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int64]
    watcher.crash_watch(signal_stack, len(signal_stack), report)
    watcher.crash_line_buffered()
    peer = Connection(connection)
    loaded = ctypes.CDLL(library)
    peer.send((_span(library), _stack_top()))
    with contextlib.suppress(EOFError, ConnectionError):  # the notebook has ended
        while True:
            request = peer.recv()
            try:
                if isinstance(request, Task):
                    _run(request, library, peer)
                else:
                    (_call if isinstance(request, Call) else _time)(request, loaded, peer, file)
            except MemoryError:
                needed = f"{request.name} needs {sum(request.sizes):.2e} bytes for its arrays"
                peer.send(SpeLabError(f"{needed}, and the system has less free memory; pass smaller ones"))
            except SpeLabError as error:
                peer.send(error)


def _end_with(lifeline: int) -> None:
    """End this process and all that it started as soon as the notebook's process is gone, whatever C is doing."""
    os.read(lifeline, 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


@contextlib.contextmanager
def _limits(request: Call | Timing | Task) -> Iterator[None]:
    """Limit time and memory while the C code runs.

    The notebook ends a late process; an alarm some seconds later ends it if the notebook is gone. It may allocate
    `memory_bytes` beyond the memory in use. A child that the C code forked ends where the C code returns, as it would
    return from main: it must not answer requests.
    """
    process = os.getpid()
    signal.setitimer(signal.ITIMER_REAL, request.limit_s + _GRACE_S)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if (used := _address_space()) and soft == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (used + request.memory_bytes, hard))
    try:
        yield
    finally:
        _libc.fflush(None)
        if os.getpid() != process:
            os._exit(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def _memory(request: Call | Timing, file: int, private: bool) -> Iterator[list[Fenced]]:
    """Map the request's blocks one after the other and set their pointers; yield the blocks."""
    blocks: list[Fenced] = []
    try:
        for size in request.sizes:
            blocks.append(Fenced(file, sum(room(block.size) for block in blocks), size, private))
        for block, offset, target in request.pointers:
            ctypes.c_void_p.from_address(blocks[block].address + offset).value = blocks[target].address
        yield blocks
    finally:
        for fenced in blocks:
            fenced.free()


def _defined(library: ctypes.CDLL, symbol: str, name: str) -> Any:
    try:
        return library[symbol]
    except AttributeError:
        raise SpeLabError(
            f"{name} must be visible to other files to be called, and it is hidden; leave out -fvisibility=hidden and"
            " the like"
        ) from None


def _call(request: Call, library: ctypes.CDLL, peer: Connection, file: int) -> None:
    with _memory(request, file, private=False) as blocks:
        peer.send([block.address for block in blocks])
        function = _defined(library, request.symbol, request.name)
        function.argtypes = [getattr(ctypes, kind) for kind in request.kinds]
        function.restype = getattr(ctypes, request.result) if request.result else None
        values = [blocks[value.number].address if isinstance(value, Block) else value for value in request.values]
        with _limits(request):
            result = function(*values)
        peer.send((result, [i for i, block in enumerate(blocks) if not block.intact()]))


def _time(request: Timing, library: ctypes.CDLL, peer: Connection, file: int) -> None:
    """Send Timed repeatedly, and None at the end."""
    from spe_lab.core.c import native
    from spe_lab.core.sampling.kernels import Point, sweep

    native.load("measurement")  # before memory is limited, since it may run the compiler
    libraries = {library._name: library}
    for point in request.points:  # each with names of its own: ctypes loads with RTLD_LOCAL
        libraries.setdefault(point.library, ctypes.CDLL(point.library))
    with _memory(request, file, private=True) as blocks:
        peer.send([block.address for block in blocks])
        points = []
        for point in request.points:
            kernel = ctypes.cast(_defined(libraries[point.library], point.symbol, request.name), ctypes.c_void_p).value
            state = (ctypes.c_char * max(1, blocks[point.state].size)).from_address(blocks[point.state].address)
            points.append(Point(request.name, kernel, state, twin=point.twin))
        with _limits(request):
            for result in sweep(points, budget_s=request.budget_s, target=request.target, seed=request.seed):
                values = result.blocks()[:, : len(points)]
                peer.send(
                    Timed(result.progress, result.estimate, values, result.rounds, result.notes, result.provenance)
                )
    peer.send(None)


def _run(request: Task, library: str, peer: Connection) -> None:
    """Send the function's result in a tuple, then None; or the exception that the function raised."""
    from spe_lab.core.c import dwarf, native

    declarations = dwarf.read(Path(library), request.source.parent, native.kernel_folder())
    compiled = native.Library(native.Built(Path(library), request.source, declarations, request.provenance))
    peer.send([])  # no addresses: a task has no blocks of memory
    try:
        with _limits(request):
            result = request.function(compiled)
    except Exception as error:
        peer.send(error)
        return
    peer.send((result,))
    peer.send(None)


def _span(library: str) -> tuple[int, int]:
    """Return the library's first and last address in memory; (0, 0) if the system does not report them."""
    ends = [int(end, 16) for line in _maps() if line.endswith(library) for end in line.split()[0].split("-")]
    return (min(ends), max(ends)) if ends else (0, 0)


def _stack_top() -> int:
    return next((int(line.split("-")[1].split()[0], 16) for line in _maps() if line.endswith("[stack]")), 0)


def _maps() -> list[str]:
    maps = Path("/proc/self/maps")
    return os.fsdecode(maps.read_bytes()).splitlines() if maps.exists() else []


def _address_space() -> int:
    """Return the bytes of address space in use; 0 if unknown (memory is then not limited)."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * mmap.PAGESIZE if statm.exists() else 0
