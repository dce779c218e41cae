"""Inside the worker process: holds the reader's compiled C and calls it. Starts in some 50 ms, since it imports little.

Memory for arrays lies between two pages that nobody may touch, its end at the second one: an index that runs out of its
array ends this process at once, where it would else change a neighbour and be found out much later, or never.
"""

import contextlib
import ctypes
import io
import mmap
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spe_lab.core.errors import SpeLabError

_STACK_BYTES = 8 << 20
_SIGNAL_STACK_BYTES = 1 << 16
_CANARY = 0xA5  # fills the room before an array
_LINE = 64
_MAP_FIXED = 0x10  # of Linux and macOS; Python does not name it
_GRACE_S = 5
_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


@dataclass(frozen=True)
class Call:
    """A call by value: numbers as they are, blocks of memory by their number. The blocks' bytes lie in the file.

    `kinds` are names of ctypes classes; `pointers` are (block, offset, block pointed to).
    """

    function: str
    result: str
    kinds: tuple[str, ...]
    values: tuple[Any, ...]  # a number, a bytes object of one character, or Block
    sizes: tuple[int, ...]
    pointers: tuple[tuple[int, int, int], ...]
    limit_s: float
    memory_bytes: int

    @property
    def name(self) -> str:
        return self.function


@dataclass(frozen=True)
class Block:
    number: int


@dataclass(frozen=True)
class Timing:
    """Work kernels to be timed in turns, each with the block that is its state."""

    function: str
    states: tuple[int, ...]
    sizes: tuple[int, ...]
    pointers: tuple[tuple[int, int, int], ...]
    limit_s: float
    memory_bytes: int
    budget_s: float
    axis: tuple[str, str, tuple[float, ...]]
    name: str
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A Python function to be run here on the C library, which was compiled from `source`."""

    function: Callable[[Any], Any]
    source: Path
    provenance: dict[str, Any]
    limit_s: float
    memory_bytes: int
    name: str
    sizes: tuple[int, ...] = ()


class Fenced:
    """`size` bytes between two pages without access: those that the notebook wrote to the file's pages at `place`.

    They are the file's own memory, at the end of its pages. If `private`, they are a copy that begins with a cache
    line, in memory as malloc would give it: a file's memory has no large pages, and what is timed should not depend on
    that.
    """

    def __init__(self, file: int, place: int, size: int, private: bool) -> None:
        page, inside, access = mmap.PAGESIZE, room(size), mmap.PROT_READ | mmap.PROT_WRITE
        self._whole = inside + 2 * page
        self._base = _map(None, self._whole, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        self._slack = slack(size, private)
        self.address = self._base + page + self._slack
        self.size = size
        if inside and private:
            _map(self._base + page, inside, access, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED, -1, 0)
            with io.FileIO(file, closefd=False) as stored:
                fill(stored, place + self._slack, (ctypes.c_char * size).from_address(self.address))
        elif inside:
            _map(self._base + page, inside, access, mmap.MAP_SHARED | _MAP_FIXED, file, place)
        ctypes.memset(self.address - self._slack, _CANARY, self._slack)

    def intact(self) -> bool:
        """Whether nothing was written before the first byte."""
        return ctypes.string_at(self.address - self._slack, self._slack).count(_CANARY) == self._slack

    def free(self) -> None:
        _libc.munmap(self._base, self._whole)


def room(size: int) -> int:
    """Bytes of the whole pages that hold `size` bytes."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def slack(size: int, private: bool) -> int:
    """Where in its pages a block of memory begins."""
    return (room(size) - size) // _LINE * _LINE if private else room(size) - size


def fill(file: io.FileIO, place: int, block: Any) -> None:
    """Reads the block's bytes from the file at `place`."""
    file.seek(place)
    view, filled = memoryview(block).cast("B"), 0
    while filled < view.nbytes:
        filled += file.readinto(view[filled:])


def _map(*arguments: int | None) -> int:
    address = _libc.mmap(*arguments)
    if address in (None, ctypes.c_void_p(-1).value):
        raise MemoryError
    return address


def main(connection: int, report: int, file: int, library: str, watch: str) -> None:
    """Answers requests until the other side closes the connection."""
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
    with contextlib.suppress(EOFError, ConnectionError):  # the notebook went away
        while True:
            request = peer.recv()
            try:
                if isinstance(request, Task):
                    _run(request, library, peer)
                else:
                    (_call if isinstance(request, Call) else _time)(request, loaded, peer, file)
            except MemoryError:
                peer.send(
                    SpeLabError(
                        f"{request.name} needs {sum(request.sizes):.2e} bytes for its arrays, and the system has no"
                        " more; pass smaller ones"
                    )
                )
            except SpeLabError as error:
                peer.send(error)


@contextlib.contextmanager
def _limits(request: Call | Timing | Task) -> Iterator[None]:
    """Ends this process some seconds after the notebook should have ended it: an alarm also ends a program that sleeps,
    and one whose notebook is gone. Memory is limited to so much more than is in use now.
    """
    signal.setitimer(signal.ITIMER_REAL, request.limit_s + _GRACE_S)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if (used := _address_space()) and soft == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (used + request.memory_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.setitimer(signal.ITIMER_REAL, 0)
        _libc.fflush(None)


@contextlib.contextmanager
def _memory(request: Call | Timing, file: int, private: bool) -> Iterator[list[Fenced]]:
    """The request's blocks, mapped one after the other, their pointers set."""
    blocks: list[Fenced] = []
    try:
        for size in request.sizes:
            blocks.append(Fenced(file, sum(room(each.size) for each in blocks), size, private))
        for block, offset, target in request.pointers:
            ctypes.c_void_p.from_address(blocks[block].address + offset).value = blocks[target].address
        yield blocks
    finally:
        for each in blocks:
            each.free()


def _defined(library: ctypes.CDLL, name: str) -> Any:
    try:
        return library[name]
    except AttributeError:
        raise SpeLabError(
            f"{name} must be defined in the cell to be called, and it is only declared; write its body"
        ) from None


def _call(request: Call, library: ctypes.CDLL, peer: Connection, file: int) -> None:
    with _memory(request, file, private=False) as blocks:
        peer.send([block.address for block in blocks])
        function = _defined(library, request.function)
        function.argtypes = [getattr(ctypes, kind) for kind in request.kinds]
        function.restype = getattr(ctypes, request.result) if request.result else None
        values = [blocks[value.number].address if isinstance(value, Block) else value for value in request.values]
        with _limits(request):
            result = function(*values)
        peer.send((result, [i for i, block in enumerate(blocks) if not block.intact()]))


def _time(request: Timing, library: ctypes.CDLL, peer: Connection, file: int) -> None:
    """Sends (progress, curve) again and again, and None at the end."""
    import numpy as np

    from spe_lab.core.c import native
    from spe_lab.core.curve import Axis, Curve
    from spe_lab.core.sampling.kernels import Point, sweep

    native.load("measurement")  # before memory is limited: it may have to run the compiler
    kernel = ctypes.cast(_defined(library, request.function), ctypes.c_void_p).value
    name, unit, values = request.axis
    axis = Axis(name, unit, np.array(values))
    with _memory(request, file, private=True) as blocks:
        peer.send([block.address for block in blocks])
        states = [(ctypes.c_char * max(1, blocks[i].size)).from_address(blocks[i].address) for i in request.states]
        points = [Point(request.name, kernel, state) for state in states]
        with _limits(request):
            for result in sweep(points, budget_s=request.budget_s):
                e, origin = result.estimate, {**result.provenance, **request.provenance, "notes": list(result.notes)}
                curve = Curve(request.name, "measured", axis, "ns", e.value, e.low, e.high, e.kept, e.tried, origin)
                peer.send((result.progress, curve.to_dict()))
    peer.send(None)


def _run(request: Task, library: str, peer: Connection) -> None:
    """Sends the function's result in a tuple, and None at the end; or what the function raised."""
    from spe_lab.core.c import native, prototypes

    declarations = prototypes.read(request.source, native.kernel_folder())
    compiled = native.Library(Path(library), declarations, request.provenance)
    peer.send([])  # no blocks of memory to tell the place of
    try:
        with _limits(request):
            result = request.function(compiled)
    except Exception as error:
        peer.send(error)
        return
    peer.send((result,))
    peer.send(None)


def _span(library: str) -> tuple[int, int]:
    """From where to where the library lies in memory; nowhere where the system does not tell."""
    ends = [int(end, 16) for line in _maps() if line.endswith(library) for end in line.split()[0].split("-")]
    return (min(ends), max(ends)) if ends else (0, 0)


def _stack_top() -> int:
    return next((int(line.split("-")[1].split()[0], 16) for line in _maps() if line.endswith("[stack]")), 0)


def _maps() -> list[str]:
    maps = Path("/proc/self/maps")
    return maps.read_text().splitlines() if maps.exists() else []


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system does not tell, and then memory is not limited."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * mmap.PAGESIZE if statm.exists() else 0
