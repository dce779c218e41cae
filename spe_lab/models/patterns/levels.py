"""An expression's cost on a machine: misses at each level, times the cost of a miss there.

Caches and TLBs are both levels: a capacity, a block, and the costs of a miss in the order of addresses, which a
prefetcher predicts, and of a random miss. T = Σ M_in_order · l_in_order + M_at_random · l_at_random + T_CPU, with T_CPU
measured on data in the first level. Source: Manegold, Boncz, Kersten, VLDB 2002; the costs are the machine's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spe_lab.core import machine as machines
from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import Machine, claim
from spe_lab.core.text import Text
from spe_lab.models import cache
from spe_lab.models.patterns.algebra import Pattern
from spe_lab.models.patterns.footprints import published
from spe_lab.models.patterns.traces import trace
from spe_lab.models.patterns.uses import reuse

MODELS = ("ours", "published")


@dataclass(frozen=True)
class PricedLevel:
    """A cache or TLB: `capacity` and `block` in bytes, and the costs of a miss in order and at random."""

    name: str
    capacity: float
    block: int
    in_order_ns: float = 0.0
    at_random_ns: float = 0.0

    def __post_init__(self) -> None:
        if self.block < 1 or self.block & (self.block - 1):
            raise SpeLabError(f"block must be a power of two of bytes, got {self.block}; write for example 64")
        if self.capacity < self.block:
            got = f"got {self.capacity:g} B with blocks of {self.block} B"
            raise SpeLabError(f"capacity must be at least one block, {got}; make the level larger")
        if min(self.in_order_ns, self.at_random_ns) < 0:
            got = f"got {self.in_order_ns:g} and {self.at_random_ns:g}"
            raise SpeLabError(f"a miss must cost at least 0 ns, {got}; correct the machine")

    @property
    def room(self) -> int:
        """Number of blocks that the level holds."""
        return int(self.capacity // self.block)


def levels_of(machine: Machine | None = None) -> tuple[PricedLevel, ...]:
    """Return the machine's caches and TLB with calibrated values, or else reported or assumed ones.

    For misses in order, the cost of a line includes the translation, since both are measured together.
    """
    parameters = claim() | (machine or machines.current()).parameters

    def value(name: str, otherwise: float = 0.0) -> float:
        parameter = parameters.get(name)
        return otherwise if parameter is None or parameter.value is None else float(parameter.value)

    line, page = int(value("line_size", 64)), int(value("page_size", 4096))
    names = [name for name in ("l1", "l2", "l3") if f"{name}_capacity" in parameters]
    caches = []
    for name, below in zip(names, [*names[1:], "memory"], strict=True):
        prices = value(f"{below}_sequential_latency"), value(f"{below}_latency")
        caches.append(PricedLevel(name.upper(), value(f"{name}_capacity"), line, *prices))
    return (*caches, PricedLevel("TLB", value("tlb_reach"), page, 0.0, value("tlb_latency")))


def misses(pattern: Pattern, level: PricedLevel, model: str = "ours") -> tuple[float, float]:
    """Return the misses (in order, at random) at one level, by our model or the published one."""
    if model not in MODELS:
        raise SpeLabError(f"model must be one of {', '.join(MODELS)}, got {model!r}; name one of them")
    _check(pattern)
    ours, line, room = model == "ours", level.block, level.room
    pair = reuse(pattern, line).misses(room) if ours else published(pattern, line, room)
    in_order, at_random = (float(np.ravel(part)[0]) for part in pair)
    return in_order, at_random


def _check(pattern: Pattern) -> None:
    if not isinstance(pattern, Pattern):
        cure = "write for example s_trav(Region(1024, 4))"
        raise SpeLabError(f"the expression must be a pattern, got {pattern!r:.40}; {cure}")


def cost(pattern: Pattern, levels: Sequence[PricedLevel] | None = None, model: str = "ours") -> float:
    """Return the time in ns that an expression spends on misses."""
    total = 0.0
    for level in levels_of() if levels is None else levels:
        in_order, at_random = misses(pattern, level, model)
        total += in_order * level.in_order_ns + at_random * level.at_random_ns
    return total


def table(pattern: Pattern, levels: Sequence[PricedLevel] | None = None, seed: int = 1) -> Text:
    """Return a table by level: misses by both models and by simulation, and the cost of our misses.

    Without a compiler the column of the simulation stays empty.
    """
    levels = levels_of() if levels is None else levels
    _check(pattern)
    addresses, sizes = trace(pattern, seed)
    rows = [
        "| level | holds | published rules | stack distances | simulated | in order | cost |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for level in levels:
        simulated = "–"
        if native.available():
            distances = cache.stack_distances(cache.lines_of(addresses, sizes, level.block))
            simulated = f"{int(distances.misses(level.room)):,}"
        in_order, at_random = misses(pattern, level)
        ours, theirs = in_order + at_random, sum(misses(pattern, level, "published"))
        price = units.render(in_order * level.in_order_ns + at_random * level.at_random_ns, "ns")
        holds, share = f"{level.room:,} × {units.render(level.block, 'B')}", f"{in_order / max(ours, 1e-12):.0%}"
        counts = f"{theirs:,.0f} | {ours:,.0f} | {simulated}"
        rows.append(f"| {level.name} | {holds} | {counts} | {share} | {price} |")
    total = cost(pattern, levels)
    whole, visit = units.render(total, "ns"), units.render(total / pattern.visits, "ns")
    return Text("\n".join([*rows, "", f"{pattern.visits:,} visits; misses cost {whole} in all, {visit} a visit."]))
