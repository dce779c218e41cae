"""Memory for working sets: page-aligned, of a known page size, written once so that every page exists."""

import mmap
import re
from pathlib import Path

import numpy as np

from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import facts, memory_available

HUGE_PAGE = 2 << 20
PAGES = ("4K", "huge")


class Arena:
    """`size` bytes of private memory on base pages ("4K", whatever their size) or on huge pages ("huge").

    `view` is a writable numpy array of bytes that starts on a page boundary. The arena must outlive every kernel state
    that points into it. The mapping ends with the arena and its views.
    """

    def __init__(self, size: int, pages: str = "4K") -> None:
        if pages not in PAGES:
            raise SpeLabError(f"pages must be one of {', '.join(PAGES)}, got {pages!r}")
        limit = memory_available() // 2
        if not 0 < size <= limit:
            rule = f"size must be between 1 B and half of the memory available to this process ({limit} B)"
            raise SpeLabError(f"{rule}, got {size} B; choose a smaller one")
        if pages == "huge" and not hasattr(mmap, "MADV_HUGEPAGE"):
            raise UnavailableError("huge pages need Linux's madvise, which this system lacks; use pages=4K")
        # A huge page must start at a multiple of its size, but a mapping need not: reserve one page more and cut.
        reserved = -(-size // HUGE_PAGE) * HUGE_PAGE + HUGE_PAGE
        self._map = mmap.mmap(-1, reserved, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE if pages == "huge" else mmap.MADV_NOHUGEPAGE)
        whole = np.frombuffer(self._map, dtype=np.uint8)
        skipped = -whole.ctypes.data % HUGE_PAGE
        self.size = size
        self.view = whole[skipped : skipped + size]
        self.view[:: mmap.PAGESIZE] = 1
        if pages == "huge" and self.huge_bytes() < 0.9 * size:
            raise UnavailableError(
                "the system gave no huge pages (see /sys/kernel/mm/transparent_hugepage/enabled); use pages=4K"
            )

    @property
    def address(self) -> int:
        return self.view.ctypes.data

    def huge_bytes(self) -> int:
        """Return how many bytes of this arena lie on huge pages, as the kernel reports (0 if it does not)."""
        smaps = Path("/proc/self/smaps")
        if not smaps.exists():
            return 0
        total, inside = 0, False
        for line in smaps.read_text(encoding="utf-8", errors="replace").splitlines():
            header = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
            if header:
                low, high = (int(part, 16) for part in header.groups())
                inside = low < self.address + self.size and high > self.address
            elif inside and line.startswith("AnonHugePages:"):
                total += int(line.split()[1]) * 1024
        return total


def huge_pages_offered() -> bool:
    """Return True if a process may ask this system for transparent huge pages."""
    return hasattr(mmap, "MADV_HUGEPAGE") and facts()["transparent_huge_pages"] not in (None, "never")
