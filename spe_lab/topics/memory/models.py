"""Models of one memory access, from the levels' definition.

A level i is where an access goes that the level before could not serve. It has a granularity B_i (bytes fetched at
once), a miss latency l_i (what going there adds to an access) and, from i = 1, a capacity C_i (of the store before it,
which holds what need not be fetched). The levels are the lecture notes', with memory behind the last cache as a fifth:

    0  register ← first-level cache      B_0 width of a load    l_0 hit latency of the first-level cache
    1  first ← second-level cache        B_1 cache line         C_1 first-level cache
    2  second ← last-level cache         B_2 cache line         C_2 second-level cache
    3  address translation ← page table  B_3 page               C_3 reach of the TLB: entries × page size
    4  last-level cache ← memory         B_4 cache line         C_4 last-level cache

Each model is the same sum, T = Σ l_i · m_i, over the misses per access m_i that a traversal causes at level i. Sources:
the notes' §3.3; Manegold, Boncz, Kersten, "Generic Database Cost Models for Hierarchical Memory Systems", VLDB 2002.
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
    "B0": Quantity("width of one load: what a first-level access brings to a register", "B"),
    "B1": Quantity("line of the first-level cache", "B"),
    "B2": Quantity("line of the second-level cache", "B"),
    "B3": Quantity("page", "B"),
    "B4": Quantity("line of the last-level cache", "B"),
    "C1": Quantity("capacity of the first-level cache", "B"),
    "C2": Quantity("capacity of the second-level cache", "B"),
    "C3": Quantity("reach of the TLB: entries × page size", "B"),
    "C4": Quantity("capacity of the last-level cache", "B"),
    "k1": Quantity("first-level cache: 0 gives up the oldest line (a cliff), 1 any line (a ramp)", ""),
    "k2": Quantity("second-level cache: 0 a cliff, 1 a ramp", ""),
    "k3": Quantity("TLB: 0 a cliff, 1 a ramp", ""),
    "k4": Quantity("last-level cache: 0 a cliff, 1 a ramp", ""),
    "l0": Quantity("latency of the first-level cache", "ns"),
    "l1": Quantity("what a first-level miss adds: the second level's latency", "ns"),
    "l2": Quantity("what a second-level miss adds: the last level's latency", "ns"),
    "l3": Quantity("what a TLB miss adds: the look-up in the page table", "ns"),
    "l4": Quantity("what a last-level miss adds: memory's latency", "ns"),
    "q0": Quantity("one step of the dependent strided loop on data in the first-level cache", "ns"),
    "q4": Quantity("what a last-level miss adds to a step if the lines come in order", "ns"),
    "r1": Quantity("what a first-level miss adds to a step if lines are skipped, at equal distances", "ns"),
    "r4": Quantity("what a last-level miss adds to that if lines are skipped, at equal distances", "ns"),
}


def access_time(misses: "list[sympy.Expr]") -> "sympy.Expr":
    """The definition: T = Σ l_i · m_i, for the misses per access m_0 … m_4."""
    return sum(symbol(f"l{i}") * m for i, m in zip(LEVELS, misses, strict=True))


def misses_by_stride(level: int) -> "sympy.Expr":
    """n accesses at stride s span n·s bytes, that is n·s/B blocks of B bytes, and n accesses touch at most n blocks."""
    import sympy

    accesses, s, block = symbol("n"), symbol("s"), symbol(f"B{level}")
    blocks = sympy.Min(accesses, accesses * s / block)
    return sympy.Min(*(sympy.cancel(bound / accesses) for bound in blocks.args))


def misses_by_size(level: int, sharp: bool) -> "sympy.Expr":
    """Misses per access of a traversal in random order over S bytes, where the store before level i holds C_i of them.

    `sharp`: the store keeps nothing useful once S > C (a cyclic order under LRU replacement: each line is evicted just
    before it is needed again). Otherwise a share C/S of the set is always resident, and an access finds its line there
    with that probability: the steady state of random replacement, and of any policy under random order.
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
    """Time per access of a strided sweep over S bytes: T = Σ l_i · min(1, s/B_i) over the levels that S exceeds."""
    misses = [misses_by_stride(i) * misses_by_size(i, sharp=True) for i in LEVELS]
    return Model("T", access_time(misses), "ns", QUANTITIES, "lecture notes §3.3")


def skips_by_stride(level: int) -> "sympy.Expr":
    """Misses per access that skip a line: an access moves s/B lines on, so that of those with B < s < 2B a share s/B −
    1 moves by two lines instead of one, and all do beyond.
    """
    import sympy

    return sympy.Max(0, sympy.Min(1, symbol("s") / symbol(f"B{level}") - 1))


@cache
def prefetched() -> Model:
    """Time per access of a dependent strided sweep where prefetchers see the order: T = q₀ + q₄ · (m − k) + (r₁ + r₄) ·
    k over the m misses and the k of them that skip lines, if the array exceeds the last-level cache. In a cache, lines
    in order are taken to arrive in time; one that skips costs r₁ from the second level, and l₂ more from the third.
    """
    import sympy

    misses, skips = misses_by_stride(4), skips_by_stride(4)
    in_memory = symbol("q4") * (misses - skips) + symbol("r4") * skips
    in_third = symbol("l2") * skips * misses_by_size(2, sharp=True)
    beyond = sympy.Piecewise((in_third, symbol("S") <= symbol("C4")), (in_memory, True))
    time = symbol("q0") + symbol("r1") * skips * misses_by_size(1, sharp=True) + beyond
    return Model(
        "T", time, "ns", QUANTITIES, "ours, after Manegold, Boncz, Kersten 2002: sequential and random misses apart"
    )


@cache
def staircase() -> Model:
    """Time per access of a random cycle through S bytes: each level is added as a whole once S exceeds its capacity."""
    return Model(
        "T", access_time([misses_by_size(i, sharp=True) for i in LEVELS]), "ns", QUANTITIES, "lecture notes §3.3"
    )


@cache
def refined() -> Model:
    """The staircase with ramps: above capacity C_i, only the share 1 − C_i/S of the accesses misses, as far as level i
    replaces any line (k_i = 1) and not the oldest one (k_i = 0)."""
    misses = [misses_by_size(0, sharp=False)]
    for i in LEVELS[1:]:
        k = symbol(f"k{i}")
        misses.append(k * misses_by_size(i, sharp=False) + (1 - k) * misses_by_size(i, sharp=True))
    return Model(
        "T",
        access_time(misses),
        "ns",
        QUANTITIES,
        "steady state of random references; ours: the mixture of the two rules",
    )
