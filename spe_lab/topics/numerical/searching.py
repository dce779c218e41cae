"""What is measured: binary searches in sorted arrays of growing size, by the common harness."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.verified import verified
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import memory_available
from spe_lab.core.machine.arena import Arena
from spe_lab.core.sampling.kernels import Point

KINDS = ("predicated", "branching")
KEY_BYTES = 4
RECORDS = {"4 B": 4, "16 B": 16}
LEAST, MOST = 16, 1 << 23  # keys: the law needs log log n, and the largest array should leave the last-level cache
LINE = 64
MOST_WARM = (
    1 << 14
)  # lookups before a burst: they bring back the upper steps' lines; those of the last steps no cache keeps anyway


def searches(kind: str, record: str, sizes: np.ndarray) -> list[Point]:
    """Time per lookup of that kind in arrays of these sizes, better and better. All arrays begin in the same place."""
    library, bytes_each = kernels(), RECORDS[record]
    most = int(max(sizes))
    if most * bytes_each > memory_available() // 4:
        limit = memory_available() // 4 // bytes_each
        raise SpeLabError(
            f"n must leave the array below a quarter of the memory available ({limit} records), got {most}; choose a"
            " smaller one"
        )
    arena, width = Arena(most * bytes_each), bytes_each // KEY_BYTES
    arena.view.view(np.uint32)[::width] = 2 * np.arange(most, dtype=np.uint32) + 1
    points = []
    for seed, n in enumerate(map(int, sizes), 1):
        state = library.struct("search")(arena.address, n, width, seed)
        warm = min(max(LEAST, 2 * n * bytes_each // LINE), MOST_WARM)
        points.append(Point(f"{kind} {n}", library.address(f"search_{kind}"), state, warm, keep=arena))
    return points


@verified("numerical")
def kernels(library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """kernels_c/numerical.c, each search checked against its targets on edge sizes before anything is timed."""
    for n, width in ((1, 1), (2, 1), (3, 4), (64, 1), (1000, 4)):
        keys = np.zeros(n * width, np.uint32)
        keys[::width] = 2 * np.arange(n, dtype=np.uint32) + 1
        for kind in KINDS:
            state = library.struct("search")(keys.ctypes.data, n, width, 1)
            found = getattr(library, f"search_{kind}")(state, 50)
            yield f"the sum of the keys that search_{kind} finds among {n}", sum(targets(n, 50)), found


def targets(n: int, lookups: int, random: int = 1) -> list[int]:
    """The keys that successive lookups look for, and find: the kernels' random numbers in Python.

    >>> targets(1, 2)
    [1, 1]
    """
    keys, found, mask = [], 0, (1 << 64) - 1
    for _ in range(lookups):
        random = (random + found + 0x9E3779B97F4A7C15) & mask
        z = ((random ^ (random >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        found = 2 * ((((z ^ (z >> 31)) >> 32) * n) >> 32) + 1
        keys.append(found)
    return keys
