"""The measured kernels: binary searches in sorted arrays of growing size."""

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
LEAST, MOST = 16, 1 << 23  # keys: the power law needs log log n; the largest array should exceed the last-level cache
LINE = 64
MOST_WARM = 1 << 14  # untimed lookups before a burst reload the lines of the first steps; no cache keeps the others


def searches(kind: str, record: str, sizes: np.ndarray) -> list[Point]:
    """Return a point for each size: searches of that kind in sorted arrays that begin at the same address."""
    library, bytes_each = kernels(), RECORDS[record]
    most = int(max(sizes))
    if most * bytes_each > memory_available() // 4:
        limit = memory_available() // 4 // bytes_each
        rule = f"n must leave the array below a quarter of the memory available ({limit} records)"
        raise SpeLabError(f"{rule}, got {most}; choose a smaller n")
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
    """Load kernels_c/numerical.c and check each search against its targets on edge sizes."""
    for n, width in ((1, 1), (2, 1), (3, 4), (64, 1), (1000, 4)):
        keys = np.zeros(n * width, np.uint32)
        keys[::width] = 2 * np.arange(n, dtype=np.uint32) + 1
        for kind in KINDS:
            state = library.struct("search")(keys.ctypes.data, n, width, 1)
            total = getattr(library, f"search_{kind}")(state, 50)
            yield f"the sum of the keys that search_{kind} finds among {n}", sum(targets(n, 50)), total


def targets(n: int, lookups: int, random: int = 1) -> list[int]:
    """Return the keys that successive lookups search: the random numbers of the kernels in Python.

    >>> targets(1, 2)
    [1, 1]
    """
    keys, key, mask = [], 0, (1 << 64) - 1
    for _ in range(lookups):
        random = (random + key + 0x9E3779B97F4A7C15) & mask
        z = ((random ^ (random >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        key = 2 * ((((z ^ (z >> 31)) >> 32) * n) >> 32) + 1
        keys.append(key)
    return keys
