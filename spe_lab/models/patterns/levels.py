"""An expression's cost on a machine: misses at each of its levels, times what a miss costs there.

Caches and TLBs are levels alike: a capacity, a block, and two prices, that of a miss which a prefetcher saw coming (in
the order of addresses) and that of any other. T = Σ M_in_order · l_in_order + M_at_random · l_at_random + T_CPU, with
T_CPU measured on data in the first level. Source: Manegold, Boncz, Kersten, VLDB 2002; the prices are the machine's.
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
    """A cache or TLB: `capacity` and `block` in bytes, and what a miss costs in ns, in order and at random."""

    name: str
    capacity: float
    block: int
    in_order_ns: float = 0.0
    at_random_ns: float = 0.0

    def __post_init__(self) -> None:
        if self.block < 1 or self.block & (self.block - 1):
            raise SpeLabError(f"block must be a power of two of bytes, got {self.block}; write for example 64")
        if self.capacity < self.block:
            raise SpeLabError(
                f"capacity must be at least one block, got {self.capacity:g} B with blocks of {self.block} B; make the"
                " level larger"
            )
        if min(self.in_order_ns, self.at_random_ns) < 0:
            raise SpeLabError(
                f"a miss must cost at least 0 ns, got {self.in_order_ns:g} and {self.at_random_ns:g}; correct the"
                " machine"
            )

    @property
    def room(self) -> int:
        """Blocks that the level holds."""
        return int(self.capacity // self.block)


def levels_of(machine: Machine | None = None) -> tuple[PricedLevel, ...]:
    """The machine's caches and its TLB, from the innermost; calibrated where there is a profile, else claimed or
    assumed.

    In order, the cost of translation is part of the cost of the lines, as both are measured together.
    """
    machine = machine or machines.current()
    known = claim() | machine.parameters

    def value(name: str, otherwise: float = 0.0) -> float:
        found = known.get(name)
        return otherwise if found is None or found.value is None else float(found.value)

    line, page = int(value("line_size", 64)), int(value("page_size", 4096))
    names = [name for name in ("l1", "l2", "l3") if f"{name}_capacity" in known]
    found = []
    for name, behind in zip(names, [*names[1:], "memory"], strict=True):
        prices = value(f"{behind}_sequential_latency"), value(f"{behind}_latency")
        found.append(PricedLevel(name.upper(), value(f"{name}_capacity"), line, *prices))
    return (*found, PricedLevel("TLB", value("tlb_reach"), page, 0.0, value("tlb_latency")))


def misses(pattern: Pattern, level: PricedLevel, model: str = "ours") -> tuple[float, float]:
    """(in order, at random) at one level, by our model or the published one."""
    if model not in MODELS:
        raise SpeLabError(f"model must be one of {', '.join(MODELS)}, got {model!r}; name one of them")
    _check(pattern)
    pair = (
        reuse(pattern, level.block).misses(level.room)
        if model == "ours"
        else published(pattern, level.block, level.room)
    )
    in_order, at_random = (float(np.ravel(part)[0]) for part in pair)
    return in_order, at_random


def _check(pattern: Pattern) -> None:
    if not isinstance(pattern, Pattern):
        raise SpeLabError(
            f"the expression must be a pattern, got {pattern!r:.40}; write for example s_trav(Region(1024, 4))"
        )


def cost(pattern: Pattern, levels: Sequence[PricedLevel] | None = None, model: str = "ours") -> float:
    """ns that an expression spends on misses."""
    total = 0.0
    for level in levels_of() if levels is None else levels:
        in_order, at_random = misses(pattern, level, model)
        total += in_order * level.in_order_ns + at_random * level.at_random_ns
    return total


def table(pattern: Pattern, levels: Sequence[PricedLevel] | None = None, seed: int = 1) -> Text:
    """An expression level by level, in Markdown: misses by both models beside an exact simulation, and what ours cost.

    Without a compiler there is no simulator, and its column stays empty.
    """
    levels = levels_of() if levels is None else levels
    _check(pattern)
    addresses, sizes = trace(pattern, seed)
    rows = [
        "| level | holds | published | ours | simulated | of ours in order | cost |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for level in levels:
        simulated = "–"
        if native.available():
            simulated = (
                f"{int(cache.stack_distances(cache.lines_of(addresses, sizes, level.block)).misses(level.room)):,}"
            )
        in_order, at_random = misses(pattern, level)
        ours, theirs = in_order + at_random, sum(misses(pattern, level, "published"))
        price = units.render(in_order * level.in_order_ns + at_random * level.at_random_ns, "ns")
        holds = f"{level.room:,} × {units.render(level.block, 'B')}"
        rows.append(
            f"| {level.name} | {holds} | {theirs:,.0f} | {ours:,.0f} | {simulated} | {in_order / max(ours, 1e-12):.0%}"
            f" | {price} |"
        )
    whole = cost(pattern, levels)
    said = (
        f"{pattern.visits:,} visits; misses cost {units.render(whole, 'ns')} in all,"
        f" {units.render(whole / pattern.visits, 'ns')} a visit."
    )
    return Text("\n".join([*rows, "", said]))
