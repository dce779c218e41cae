"""Memory between two inaccessible pages, for the arrays of a call.

An array ends at the second page. An index beyond it thus ends the process at once; otherwise it would change another
array, and the fault would show much later or never.
"""

import ctypes
import io
import mmap
from typing import Any

_CANARY = 0xA5  # fills the room before an array
_LINE = 64
_MAP_FIXED = 0x10  # the value on Linux and macOS; Python has no name for it
_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Fenced:
    """`size` bytes between two inaccessible pages, with the content of the file at `place`.

    They are memory of the file, at the end of its pages. If `private`, they are a copy in memory like malloc's, which
    begins with a cache line: memory of a file has no huge pages, and a timing should not depend on that.
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
        """Return True if nothing was written before the first byte."""
        return ctypes.string_at(self.address - self._slack, self._slack).count(_CANARY) == self._slack

    def free(self) -> None:
        _libc.munmap(self._base, self._whole)


def room(size: int) -> int:
    """Return the size in bytes of the whole pages that hold `size` bytes."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def slack(size: int, private: bool) -> int:
    """Return the offset of a block of memory in its pages."""
    return (room(size) - size) // _LINE * _LINE if private else room(size) - size


def fill(file: io.FileIO, place: int, block: Any) -> None:
    """Read the block's bytes from the file at `place`."""
    file.seek(place)
    view, filled = memoryview(block).cast("B"), 0
    while filled < view.nbytes:
        filled += file.readinto(view[filled:])


def _map(*arguments: int | None) -> int:
    address = _libc.mmap(*arguments)
    if address in (None, ctypes.c_void_p(-1).value):
        raise MemoryError
    return address
