"""Simulated caches and TLBs: the Python side of kernels_c/cache.c.

    hierarchy = Hierarchy([Level(32 * 1024, ways=8), Level(1 << 20, ways=16)], inclusion="inclusive")
    hierarchy.run(addresses).misses

There are two exact ways to count misses. `Hierarchy` simulates the caches; `stack_distances` counts, in one pass, the
misses of fully associative LRU caches of every capacity.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError

# The reader's choice -> enumerator in C.
POLICIES = {"LRU": "SPE_LRU", "FIFO": "SPE_FIFO", "random": "SPE_ANY", "tree-PLRU": "SPE_TREE"}
INCLUSIONS = {"independent": "SPE_INDEPENDENT", "inclusive": "SPE_INCLUSIVE", "exclusive": "SPE_EXCLUSIVE"}
PREFETCHERS = {"none": "SPE_NO_PREFETCH", "next line": "SPE_NEXT_LINE", "stride": "SPE_STRIDE"}
SCANNED = 64  # ways that are searched one by one; more ways need an index
MOST_BLOCKS = 1 << 26
MOST_ADDRESS = 1 << 62  # larger than any address of a machine; an access that begins there does not wrap round
MOST_ACCESS = 1 << 30  # bytes


@dataclass(frozen=True)
class Level:
    """A cache, or a TLB with pages as lines: `capacity` and `line` in bytes, `ways` (None: fully associative)."""

    capacity: int
    line: int = 64
    ways: int | None = None
    policy: str = "LRU"
    name: str = ""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise SpeLabError(f"policy must be one of {', '.join(POLICIES)}, got {self.policy!r}; name one of them")
        if self.line < 1 or self.line != int(self.line) or int(self.line) & (int(self.line) - 1):
            raise SpeLabError(f"line must be a power of two of bytes, got {self.line}; write for example 64")
        if self.capacity < self.line or self.capacity % self.line:
            got = f"{self.capacity} B with lines of {self.line} B"
            raise SpeLabError(f"capacity must be a multiple of the line, and at least one, got {got}; make it larger")
        blocks, ways = self.blocks, self.places
        if blocks > MOST_BLOCKS:
            raise SpeLabError(f"capacity must be at most {MOST_BLOCKS} lines, got {blocks}; choose a smaller one")
        if ways < 1 or blocks % ways or (blocks // ways) & (blocks // ways - 1):
            rule = f"ways must divide the {blocks} lines into a power of two of sets"
            raise SpeLabError(f"{rule}, got {ways}; leave it out for a fully associative level")
        if ways > SCANNED and ways != blocks:
            rule = f"ways must be at most {SCANNED}, or all lines"
            raise SpeLabError(f"{rule}, got {ways}; leave it out for a fully associative level")
        if self.policy == "tree-PLRU" and (ways > SCANNED or ways & (ways - 1)):
            rule = f"ways of a tree must be a power of two and at most {SCANNED}"
            raise SpeLabError(f"{rule}, got {ways}; choose such a number")

    @property
    def blocks(self) -> int:
        return int(self.capacity) // int(self.line)

    @property
    def places(self) -> int:
        return self.blocks if self.ways is None else int(self.ways)


@dataclass(frozen=True)
class Counts:
    """Result of a run: line accesses, misses of each level, and lines prefetched into the first level."""

    accesses: int
    misses: tuple[int, ...]
    prefetched: int = 0


class Hierarchy:
    """Levels from the innermost to the outermost, empty at first.

    Each `run` continues with the contents of the last. `inclusion`: "independent" levels fill and evict separately. An
    "inclusive" outer level removes a block that it evicts from the inner levels too. "exclusive" levels hold each block
    once, and an evicted block moves outwards.
    """

    def __init__(
        self, levels: Sequence[Level], inclusion: str = "independent", prefetcher: str = "none", seed: int = 1
    ) -> None:
        self.levels = tuple(levels)
        if not 1 <= len(self.levels) <= 8:
            raise SpeLabError(f"levels must be a list of 1 to 8, got {len(self.levels)}; give the innermost first")
        for name, value, choices in (("inclusion", inclusion, INCLUSIONS), ("prefetcher", prefetcher, PREFETCHERS)):
            if value not in choices:
                raise SpeLabError(f"{name} must be one of {', '.join(choices)}, got {value!r}; name one of them")
        lines = [level.line for level in self.levels]
        if lines != sorted(lines) or (inclusion == "exclusive" and len(set(lines)) > 1):
            rule = "the line of an outer level must be at least (exclusive: exactly) as long as that of an inner level"
            raise SpeLabError(f"{rule}, got {lines}; change a line")
        self._library = native.load("cache")
        self._inclusion = self._library.constants[INCLUSIONS[inclusion]]
        self._kept: list[np.ndarray] = []
        kind = self._library.struct("cache_level")
        tables = [self._table(kind, level, seed + i) for i, level in enumerate(self.levels)]
        self._c_levels = (kind * len(tables))(*tables)
        self._prefetcher = self._library.struct("prefetcher")(self._library.constants[PREFETCHERS[prefetcher]])
        for table in self._c_levels:
            check(self._library.cache_clear(table), self._library)

    def _table(self, kind: type[ctypes.Structure], level: Level, seed: int) -> ctypes.Structure:
        sets, ways = level.blocks // level.places, level.places
        blocks, tree = np.empty(level.blocks, np.uint64), np.zeros(sets, np.uint64)
        buckets = 1 << max(ways - 1, 1).bit_length()
        index = np.empty(buckets + 3 * ways, np.uint32) if ways > SCANNED else np.empty(0, np.uint32)
        self._kept += [blocks, tree, index]
        shape = int(level.line).bit_length() - 1, sets, ways, self._library.constants[POLICIES[level.policy]]
        at = index.ctypes.data if index.size else 0
        return kind(*shape, blocks.ctypes.data, tree.ctypes.data, at, buckets, 0, 0, seed)

    def run(self, addresses: np.ndarray, sizes: np.ndarray | int = 1, cancel: Cancel | None = None) -> Counts:
        """Run accesses of `sizes` bytes at `addresses` in order; each touches all lines that it overlaps."""
        addresses = _whole_numbers("addresses", addresses, MOST_ADDRESS).astype(np.uint64)
        sizes = _whole_numbers("sizes", sizes, MOST_ACCESS).astype(np.uint32)
        if addresses.ndim != 1 or sizes.shape not in ((), addresses.shape):
            rule = "addresses must be a list, and sizes one number or as long a list"
            raise SpeLabError(f"{rule}, got shapes {addresses.shape} and {sizes.shape}; give one size for each address")
        sizes = np.ascontiguousarray(np.broadcast_to(sizes, addresses.shape))
        accesses, misses = np.zeros(1, np.uint64), np.zeros(len(self.levels), np.uint64)
        before, flag = self._prefetcher.fetched, (cancel or Cancel()).flag
        caches = self._c_levels[0], len(self.levels), self._inclusion, self._prefetcher
        trace = addresses, sizes, addresses.size
        check(self._library.cache_run(*caches, *trace, accesses, misses, flag), self._library)
        return Counts(int(accesses[0]), tuple(int(m) for m in misses), self._prefetcher.fetched - before)


@dataclass(frozen=True)
class Distances:
    """Uses of blocks by LRU stack distance: the number of other blocks used since the last use."""

    first_uses: int
    at: np.ndarray  # at[d]: uses with distance d

    def misses(self, blocks: np.ndarray | int) -> np.ndarray:
        """Return misses of fully associative LRU caches of `blocks` blocks: first uses, and distances ≥ `blocks`."""
        beyond = np.concatenate((self.at[::-1].cumsum()[::-1], [0]))
        return self.first_uses + beyond[np.clip(np.asarray(blocks, int), 0, self.at.size)]


def stack_distances(blocks: np.ndarray, cancel: Cancel | None = None) -> Distances:
    """Return the LRU stack distances of these uses of blocks (any whole numbers), in order.

    Three first uses, then distances 2 and 0:

    >>> stack_distances(np.array([7, 8, 9, 7, 7])).misses([1, 2, 3]).tolist()
    [4, 4, 3]
    """
    blocks = _whole_numbers("blocks", blocks, MOST_ADDRESS, -MOST_ADDRESS).astype(np.int64).ravel()
    base = int(blocks.min()) if blocks.size else 0
    span = int(blocks.max()) - base + 1 if blocks.size else 1
    if span > max(4 * blocks.size, 1 << 16):  # scattered numbers: renumber them
        numbers, blocks = np.unique(blocks, return_inverse=True)
        base, span = 0, len(numbers)
    used = np.ascontiguousarray(blocks - base, np.uint32)
    length = 1 << (4 * span - 1).bit_length()
    at = np.zeros(span, np.uint64)
    library = native.load("cache")
    last, owner, tree = np.empty(span, np.uint32), np.empty(length, np.uint32), np.empty(length + 1, np.uint32)
    status = library.stack_distances(used, used.size, span, last, owner, tree, length, at, (cancel or Cancel()).flag)
    check(status, library)
    return Distances(int(used.size - at.sum()), at.astype(np.int64))


def lines_of(addresses: np.ndarray, sizes: np.ndarray | int, line: int) -> np.ndarray:
    """Return the numbers of the lines that accesses of `sizes` bytes touch, in order."""
    addresses = np.asarray(addresses, np.int64)
    first, last = addresses // line, (addresses + np.maximum(sizes, 1) - 1) // line
    touched = last - first + 1
    if (touched == 1).all():
        return first
    place = np.arange(touched.sum()) - np.repeat(touched.cumsum() - touched, touched)
    return np.repeat(first, touched) + place


def _whole_numbers(name: str, values: np.ndarray | Sequence[int] | int, most: int, least: int = 0) -> np.ndarray:
    """Return an array of whole numbers in that range. Raise SpeLabError before C types could cut others."""
    array = np.asarray(values)
    if not array.size:
        return array.astype(np.int64)
    number, whole = array.dtype.kind in "iuf", array.dtype.kind != "f" or (array == np.rint(array)).all()
    if not (number and whole and least <= array.min() <= array.max() <= most):
        got = f"values from {array.min()} to {array.max()}" if number else f"dtype {array.dtype}"
        rule = f"{name} must be whole numbers between {least} and {most}"
        raise SpeLabError(f"{rule}, got {got}; count in whole bytes or blocks")
    return array
