"""The addresses that an expression visits, for exact simulations."""

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.models.cache import Distances, lines_of, stack_distances
from spe_lab.models.patterns.algebra import Basic, Pattern, Region, Sequential

ALIGNED = 1 << 16  # alignment of regions: a multiple of every line size and page size in use


def trace(pattern: Pattern, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return (addresses, sizes) of the visits of one execution: first byte, and bytes touched.

    Regions begin on page boundaries. Concurrent patterns are interleaved in proportion to their lengths.
    """
    starts, end = {}, 0
    for region in pattern.regions():
        starts[region] = end
        end += -(-region.size // ALIGNED) * ALIGNED
    return _follow(pattern, starts, np.random.default_rng(seed))


def _follow(pattern: Pattern, starts: dict[Region, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(pattern, Basic):
        addresses = starts[pattern.region] + pattern.items(rng) * pattern.region.w
        return addresses, np.full(addresses.size, pattern.u, np.uint32)
    parts = [_follow(part, starts, rng) for part in pattern.parts]
    addresses, sizes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if isinstance(pattern, Sequential):
        return addresses, sizes
    progress = np.concatenate([(np.arange(a.size) + 0.5) / max(a.size, 1) for a, _ in parts])
    order = np.argsort(progress, kind="stable")
    return addresses[order], sizes[order]


def distances(pattern: Pattern, line: int, seed: int = 1, cancel: Cancel | None = None) -> Distances:
    """Return the exact stack distances of one execution, for lines of `line` bytes."""
    return stack_distances(lines_of(*trace(pattern, seed), line), cancel)


def simulated(
    pattern: Pattern, line: int, blocks: np.ndarray | int, seeds: range | list[int] = range(1, 4)
) -> np.ndarray:
    """Return the mean misses over executions in fully associative LRU caches of `blocks` lines."""
    return np.mean([distances(pattern, line, seed).misses(blocks) for seed in seeds], axis=0)
