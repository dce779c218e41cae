"""Models of one memory access, from the levels' definition.

A level is named after the cache whose misses it counts, as in chapter 03c. It has a block B (bytes fetched at once), a
capacity C (what the cache holds) and a latency l (added by a miss, which goes to the next level):

    level   a miss goes to              block          capacity
    L1      the second-level cache      cache line     first-level cache
    L2      the last-level cache        cache line     second-level cache
    TLB     the page table              page           reach of the TLB: entries × page size
    L3      memory                      cache line     last-level cache

Every access costs t0, a hit in the first-level cache. Each model is the sum T = t0 + Σ l · m, where m is the number of
misses per access that a traversal causes at a level. Sources: the lecture notes' §3.3; Manegold, Boncz, Kersten,
"Generic Database Cost Models for Hierarchical Memory Systems", VLDB 2002.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from spe_lab.core.formula import Formula
from spe_lab.core.model import Model, Quantity, symbol

if TYPE_CHECKING:
    import sympy

LEVELS = ("L1", "L2", "TLB", "L3")
QUANTITIES = {
    "S": Quantity("size of the working set", "B"),
    "s": Quantity("stride: distance of two accesses", "B"),
    "B_L1": Quantity("line of the first-level cache", "B"),
    "B_L2": Quantity("line of the second-level cache", "B"),
    "B_TLB": Quantity("page", "B"),
    "B_L3": Quantity("line of the last-level cache", "B"),
    "C_L1": Quantity("capacity of the first-level cache", "B"),
    "C_L2": Quantity("capacity of the second-level cache", "B"),
    "C_TLB": Quantity("reach of the TLB: entries × page size", "B"),
    "C_L3": Quantity("capacity of the last-level cache", "B"),
    "k_L1": Quantity("first-level cache: 0 evicts the oldest line (a cliff), 1 a random line (a ramp)", ""),
    "k_L2": Quantity("second-level cache: 0 a cliff, 1 a ramp", ""),
    "k_TLB": Quantity("TLB: 0 a cliff, 1 a ramp", ""),
    "k_L3": Quantity("last-level cache: 0 a cliff, 1 a ramp", ""),
    "t0": Quantity("time of a hit in the first-level cache", "ns"),
    "l_L1": Quantity("time added by a first-level miss: the second level's latency", "ns"),
    "l_L2": Quantity("time added by a second-level miss: the last level's latency", "ns"),
    "l_TLB": Quantity("time added by a TLB miss: the look-up in the page table", "ns"),
    "l_L3": Quantity("time added by a last-level miss: the latency of memory", "ns"),
    "b": Quantity("bandwidth of memory for one core: bytes per nanosecond", "GB/s"),
    "t_add": Quantity("time of one addition: a sum takes at least this long for each element", "ns"),
    "t_step": Quantity("one step of the dependent strided loop on data in the first-level cache", "ns"),
    "q": Quantity("time that a last-level miss adds to a step if lines are fetched in order", "ns"),
    "r_L1": Quantity("time that a first-level miss adds to a step if lines are skipped, at equal distances", "ns"),
    "r_L3": Quantity("time that a last-level miss adds to a step if lines are skipped, at equal distances", "ns"),
}


def access_time(misses: "Mapping[str, sympy.Expr]") -> "sympy.Expr":
    """Return the definition T = t0 + Σ l · m for the misses per access m at each level."""
    return symbol("t0") + sum(symbol(f"l_{level}") * misses[level] for level in LEVELS)


def misses_by_stride(level: str) -> "sympy.Expr":
    """Return misses per access at stride s: n accesses span n·s/B blocks and touch at most n."""
    import sympy

    accesses, s, block = symbol("n"), symbol("s"), symbol(f"B_{level}")
    blocks = sympy.Min(accesses, accesses * s / block)
    return sympy.Min(*(sympy.cancel(bound / accesses) for bound in blocks.args))


def misses_by_size(level: str, sharp: bool) -> "sympy.Expr":
    """Return misses per access of a traversal in random order over S bytes, for a cache of C bytes.

    If `sharp`, every access misses once S > C: in a cyclic order LRU evicts each line just before its next use.
    Otherwise a share C/S of the set is resident, and an access hits with that probability. This is the steady state of
    random replacement, and of any policy under random order.
    """
    import sympy

    size, capacity = symbol("S"), symbol(f"C_{level}")
    if sharp:
        return sympy.Piecewise((0, size <= capacity), (1, True))
    resident = sympy.Min(1, capacity / size)
    return sympy.Max(*(1 - part for part in resident.args))


def mixed_misses(level: str) -> "sympy.Expr":
    """Return k · max(0, 1 − C/S) + (1 − k) · [S > C]: misses per access between the two rules of replacement."""
    k = symbol(f"k_{level}")
    return k * misses_by_size(level, sharp=False) + (1 - k) * misses_by_size(level, sharp=True)


def ramp(level: str) -> Formula:
    """Return the share of accesses that miss under random replacement, as a textbook prints it."""
    import sympy

    written = sympy.Max(0, 1 - symbol(f"C_{level}") / symbol("S"))
    latex = rf"m_{{{level}}} = \max\left(0,\; 1 - \frac{{C_{{{level}}}}}{{S}}\right)"
    return Formula(latex, written, misses_by_size(level, sharp=False))


def staircase_of(level: str) -> Formula:
    """Return the share of accesses that miss under LRU in a repeated order, as a textbook prints it."""
    import sympy

    size, capacity = symbol("S"), symbol(f"C_{level}")
    written = sympy.Piecewise((1, size > capacity), (0, True))
    cases = rf"0 & \text{{if }} S \le C_{{{level}}} \\ 1 & \text{{if }} S > C_{{{level}}}"
    latex = rf"m_{{{level}}} = \begin{{cases}} {cases} \end{{cases}}"
    return Formula(latex, written, misses_by_size(level, sharp=True))


def stride_equation() -> Formula:
    """Return the characteristic equation of the stride for an array beyond all caches, as a textbook prints it."""
    import sympy

    s = symbol("s")
    written = symbol("t0") + sum(symbol(f"l_{level}") * sympy.Min(1, s / symbol(f"B_{level}")) for level in LEVELS)
    terms = (rf"l_{{{level}}} \min\left(1, \frac{{s}}{{B_{{{level}}}}}\right)" for level in LEVELS)
    latex = f"T(s) = t_0 + {' + '.join(terms)}"
    return Formula(latex, written, access_time({level: misses_by_stride(level) for level in LEVELS}))


def skipping() -> Formula:
    """Return the misses per access that skip a line, as a textbook prints them."""
    import sympy

    s, block = symbol("s"), symbol("B")
    written = sympy.Piecewise((0, s <= block), (s / block - 1, s < 2 * block), (1, True))
    cases = r"0 & \text{if } s \le B \\ s/B - 1 & \text{if } B < s < 2B \\ 1 & \text{if } s \ge 2B"
    derived = skips_by_stride("L3").subs(symbol("B_L3"), block)
    return Formula(rf"g = \begin{{cases}} {cases} \end{{cases}}", written, derived.rewrite(sympy.Piecewise))


def in_memory() -> Formula:
    """Return the time of a step of the prefetched model on an array beyond all caches, as a textbook prints it."""
    m, g = misses_by_stride("L3"), skips_by_stride("L3")
    written = symbol("t_step") + symbol("q") * (m - g) + (symbol("r_L1") + symbol("r_L3")) * g
    huge = {symbol(f"C_{level}"): 1 for level in LEVELS} | {symbol("S"): 2}
    latex = r"T(s) = t_{step} + q\,(m - g) + (r_{L1} + r_{L3})\,g"
    return Formula(latex, written, prefetched().expression.subs(huge))


@cache
def stride_time() -> Model:
    """Return the time per access of a strided sweep: T = t0 + Σ l · min(1, s/B) over the levels with S > C."""
    misses = {level: misses_by_stride(level) * misses_by_size(level, sharp=True) for level in LEVELS}
    return Model("T", access_time(misses), "ns", QUANTITIES, "lecture notes §3.3")


def skips_by_stride(level: str) -> "sympy.Expr":
    """Return misses per access that skip a line.

    An access moves on by s/B lines. For B < s < 2B a share s/B − 1 of the accesses moves by two lines instead of one;
    for larger strides all accesses skip lines.
    """
    import sympy

    return sympy.Max(0, sympy.Min(1, symbol("s") / symbol(f"B_{level}") - 1))


@cache
def prefetched() -> Model:
    """Return the time per access of a dependent strided sweep with prefetching.

    Beyond the last-level cache T = t_step + q · (m − g) + (r_L1 + r_L3) · g, for m misses per access of which g skip
    lines. In a cache, lines fetched in order arrive in time; a skipping one costs r_L1 from level 2, and l_L2 more from
    level 3.
    """
    import sympy

    misses, skips = misses_by_stride("L3"), skips_by_stride("L3")
    in_memory = symbol("q") * (misses - skips) + symbol("r_L3") * skips
    in_third = symbol("l_L2") * skips * misses_by_size("L2", sharp=True)
    beyond = sympy.Piecewise((in_third, symbol("S") <= symbol("C_L3")), (in_memory, True))
    time = symbol("t_step") + symbol("r_L1") * skips * misses_by_size("L1", sharp=True) + beyond
    source = "ours, after Manegold, Boncz, Kersten 2002: sequential and random misses apart"
    return Model("T", time, "ns", QUANTITIES, source)


@cache
def staircase() -> Model:
    """Return the time per access of a random cycle through S bytes: T = t0 + Σ l over the levels with S > C."""
    time = access_time({level: misses_by_size(level, sharp=True) for level in LEVELS})
    return Model("T", time, "ns", QUANTITIES, "lecture notes §3.3")


@cache
def refined() -> Model:
    """Return the staircase with ramps.

    With random replacement (k = 1) only a share 1 − C/S of the accesses misses: a ramp. k = 0 stands for LRU, a cliff;
    values in between mix the two.
    """
    source = "steady state of random references; ours: the mixture of the two rules"
    return Model("T", access_time({level: mixed_misses(level) for level in LEVELS}), "ns", QUANTITIES, source)


def transfer_time(misses: "sympy.Expr") -> "sympy.Expr":
    """Return max(t_add, m · B / b), the time per access of a loop that never waits; m misses go to memory.

    The core cannot add faster than one element in t_add, and memory cannot deliver lines faster than its bandwidth.
    """
    import sympy

    return sympy.Max(symbol("t_add"), misses * symbol("B_L3") / symbol("b"))


@cache
def bandwidth_by_stride() -> Model:
    """Return the least time per access of an independent strided sweep over an array of S bytes."""
    time = transfer_time(misses_by_stride("L3") * misses_by_size("L3", sharp=True))
    return Model("T", time, "ns", QUANTITIES, "a bound: lines of B bytes at b bytes per ns")


@cache
def bandwidth_by_size() -> Model:
    """Return the least time per access of an independent sweep, line by line, over S bytes."""
    time = transfer_time(mixed_misses("L3"))
    return Model("T", time, "ns", QUANTITIES, "a bound: lines of B bytes at b bytes per ns")
