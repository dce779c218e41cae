"""Models of one memory access, from the levels' definition.

Level i serves the accesses that miss in level i − 1. It has a granularity B_i (bytes fetched at once), a miss latency
l_i (added to an access that goes there) and, from i = 1, a capacity C_i: the size of the cache whose misses it serves.
The levels are those of the lecture notes, with memory behind the last cache as a fifth level:

    0  register ← first-level cache      B_0 width of a load    l_0 hit latency of the first-level cache
    1  first ← second-level cache        B_1 cache line         C_1 first-level cache
    2  second ← last-level cache         B_2 cache line         C_2 second-level cache
    3  address translation ← page table  B_3 page               C_3 reach of the TLB: entries × page size
    4  last-level cache ← memory         B_4 cache line         C_4 last-level cache

Each model is the sum T = Σ l_i · m_i, where m_i is the number of misses per access that a traversal causes at level i.
Sources: the notes' §3.3; Manegold, Boncz, Kersten, "Generic Database Cost Models for Hierarchical Memory Systems",
VLDB 2002.
"""

from functools import cache
from typing import TYPE_CHECKING

from spe_lab.core.model import Model, Quantity, symbol

if TYPE_CHECKING:
    import sympy

LEVELS = range(5)
QUANTITIES = {
    "S": Quantity("size of the working set", "B"),
    "s": Quantity("stride: distance of two accesses", "B"),
    "B0": Quantity("width of one load into a register", "B"),
    "B1": Quantity("line of the first-level cache", "B"),
    "B2": Quantity("line of the second-level cache", "B"),
    "B3": Quantity("page", "B"),
    "B4": Quantity("line of the last-level cache", "B"),
    "C1": Quantity("capacity of the first-level cache", "B"),
    "C2": Quantity("capacity of the second-level cache", "B"),
    "C3": Quantity("reach of the TLB: entries × page size", "B"),
    "C4": Quantity("capacity of the last-level cache", "B"),
    "k1": Quantity("first-level cache: 0 evicts the oldest line (a cliff), 1 a random line (a ramp)", ""),
    "k2": Quantity("second-level cache: 0 a cliff, 1 a ramp", ""),
    "k3": Quantity("TLB: 0 a cliff, 1 a ramp", ""),
    "k4": Quantity("last-level cache: 0 a cliff, 1 a ramp", ""),
    "l0": Quantity("latency of the first-level cache", "ns"),
    "l1": Quantity("time added by a first-level miss: the second level's latency", "ns"),
    "l2": Quantity("time added by a second-level miss: the last level's latency", "ns"),
    "l3": Quantity("time added by a TLB miss: the look-up in the page table", "ns"),
    "l4": Quantity("time added by a last-level miss: the latency of memory", "ns"),
    "q0": Quantity("one step of the dependent strided loop on data in the first-level cache", "ns"),
    "q4": Quantity("time that a last-level miss adds to a step if lines are fetched in order", "ns"),
    "r1": Quantity("time that a first-level miss adds to a step if lines are skipped, at equal distances", "ns"),
    "r4": Quantity("time that a last-level miss adds to a step if lines are skipped, at equal distances", "ns"),
}


def access_time(misses: "list[sympy.Expr]") -> "sympy.Expr":
    """Return the definition T = Σ l_i · m_i for the misses per access m_0 … m_4."""
    return sum(symbol(f"l{i}") * m for i, m in zip(LEVELS, misses, strict=True))


def misses_by_stride(level: int) -> "sympy.Expr":
    """Return misses per access at stride s: n accesses span n·s/B blocks and touch at most n."""
    import sympy

    accesses, s, block = symbol("n"), symbol("s"), symbol(f"B{level}")
    blocks = sympy.Min(accesses, accesses * s / block)
    return sympy.Min(*(sympy.cancel(bound / accesses) for bound in blocks.args))


def misses_by_size(level: int, sharp: bool) -> "sympy.Expr":
    """Return misses per access of a traversal in random order over S bytes, for a cache of C_i bytes.

    If `sharp`, every access misses once S > C: in a cyclic order LRU evicts each line just before its next use.
    Otherwise a share C/S of the set is resident, and an access hits with that probability. This is the steady state of
    random replacement, and of any policy under random order.
    """
    import sympy

    if level == 0:
        return sympy.Integer(1)
    size, capacity = symbol("S"), symbol(f"C{level}")
    if sharp:
        return sympy.Piecewise((0, size <= capacity), (1, True))
    resident = sympy.Min(1, capacity / size)
    return sympy.Max(*(1 - part for part in resident.args))


@cache
def stride_time() -> Model:
    """Return the time per access of a strided sweep: T = Σ l_i · min(1, s/B_i) over the levels with S > C_i."""
    misses = [misses_by_stride(i) * misses_by_size(i, sharp=True) for i in LEVELS]
    return Model("T", access_time(misses), "ns", QUANTITIES, "lecture notes §3.3")


def skips_by_stride(level: int) -> "sympy.Expr":
    """Return misses per access that skip a line.

    An access moves on by s/B lines. For B < s < 2B a share s/B − 1 of the accesses moves by two lines instead of one;
    for larger strides all accesses skip lines.
    """
    import sympy

    return sympy.Max(0, sympy.Min(1, symbol("s") / symbol(f"B{level}") - 1))


@cache
def prefetched() -> Model:
    """Return the time per access of a dependent strided sweep with prefetching.

    Beyond the last-level cache T = q₀ + q₄ · (m − k) + (r₁ + r₄) · k, for m misses per access of which k skip lines.
    In a cache, lines fetched in order arrive in time; a skipping one costs r₁ from level 2, and l₂ more from level 3.
    """
    import sympy

    misses, skips = misses_by_stride(4), skips_by_stride(4)
    in_memory = symbol("q4") * (misses - skips) + symbol("r4") * skips
    in_third = symbol("l2") * skips * misses_by_size(2, sharp=True)
    beyond = sympy.Piecewise((in_third, symbol("S") <= symbol("C4")), (in_memory, True))
    time = symbol("q0") + symbol("r1") * skips * misses_by_size(1, sharp=True) + beyond
    source = "ours, after Manegold, Boncz, Kersten 2002: sequential and random misses apart"
    return Model("T", time, "ns", QUANTITIES, source)


@cache
def staircase() -> Model:
    """Return the time per access of a random cycle through S bytes: T = Σ l_i over the levels with S > C_i."""
    time = access_time([misses_by_size(i, sharp=True) for i in LEVELS])
    return Model("T", time, "ns", QUANTITIES, "lecture notes §3.3")


@cache
def refined() -> Model:
    """Return the staircase with ramps.

    With random replacement (k_i = 1) only a share 1 − C_i/S of the accesses misses: a ramp. k_i = 0 stands for LRU, a
    cliff; values in between mix the two.
    """
    misses = [misses_by_size(0, sharp=False)]
    for i in LEVELS[1:]:
        k = symbol(f"k{i}")
        misses.append(k * misses_by_size(i, sharp=False) + (1 - k) * misses_by_size(i, sharp=True))
    source = "steady state of random references; ours: the mixture of the two rules"
    return Model("T", access_time(misses), "ns", QUANTITIES, source)
