"""The labs patterns.time and patterns.conditional: patterns on the machine, and the times that its levels' prices
predict.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from operator import add
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.kinds import KernelLab, Plan
from spe_lab.core.lab import Effort
from spe_lab.core.machine import memory_available
from spe_lab.core.machine.arena import Arena
from spe_lab.core.registry import register
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import curves
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.patterns.algebra import (
    Basic,
    Pattern,
    Region,
    nest,
    r_trav,
    rr_acc,
    rr_trav,
    rs_trav,
    s_trav,
    s_trav_cr,
)
from spe_lab.models.patterns.levels import PricedLevel, levels_of
from spe_lab.models.patterns.uses import Reuse, reuse
from spe_lab.topics.patterns.kernels import LISTED_VISITS, WORD, base_ns, kernels, visits_point

KIB, MIB = 1 << 10, 1 << 20
PATTERNS = ("s_trav", "rs_trav, uni", "rs_trav, bi", "r_trav", "rr_trav", "rr_acc", "nest", "s_trav_cr")
REFERENCE = 1 << 14  # items of the region whose distribution stands for all sizes
PART = 64  # items of a nest's part
OFTEN = 8  # random visits for each item: enough that each has been met
SHARE = 0.1  # of the items, that a conditional traversal visits: a prefetcher bridges the gaps of much larger ones
# share of the lines that may be left out by all the laps which the model looks back on: a matter of milliseconds
FORGOTTEN = 0.15


class PricedLab(KernelLab):
    """What the two labs share: the machine's levels as sliders."""

    unit = "ns"

    def price_sliders(self) -> list[Slider]:
        """Capacities and prices of the levels, and the time of a visit that misses nothing."""
        source = "this machine's profile, where it was calibrated; else claimed or assumed"
        found = [
            Slider(
                "t0",
                "ns",
                base_ns(self.machine),
                "time of a visit in the first level",
                0.1,
                100,
                "log",
                measured=False,
                source=source,
            )
        ]
        for level in self.levels():
            name, low, high = f"C_{level.name}", min(KIB, level.capacity), max(1 << 30, level.capacity)
            found.append(
                Slider(
                    name,
                    "B",
                    level.capacity,
                    f"capacity of {level.name}",
                    low,
                    high,
                    "log",
                    measured=False,
                    source=source,
                )
            )
            price = level.at_random_ns
            found.append(
                Slider(
                    f"l_{level.name}",
                    "ns",
                    price,
                    f"what a random miss in {level.name} adds",
                    min(0.01, price),
                    max(1000, price),
                    "log",
                    measured=False,
                    source=source,
                )
            )
        last = self.levels()[-2]
        price = max(last.in_order_ns, 0.01)
        found.append(
            Slider(
                "q",
                "ns",
                price,
                f"what a miss in {last.name} adds if the lines come in order",
                min(0.01, price),
                max(100, price),
                "log",
                measured=False,
                source=source,
            )
        )
        return found

    def levels(self) -> tuple[PricedLevel, ...]:
        """The caches from the innermost, then the TLB."""
        return levels_of(self.machine)

    def priced(self, point: Mapping[str, Value]) -> list[PricedLevel]:
        """The levels with the sliders' capacities and prices, as far as the lab has such sliders."""
        *caches, tlb = self.levels()
        caches[-1] = dataclasses.replace(caches[-1], in_order_ns=point.get("q", caches[-1].in_order_ns))
        found = []
        for level in (*caches, tlb):
            capacity, price = (
                point.get(f"C_{level.name}", level.capacity),
                point.get(f"l_{level.name}", level.at_random_ns),
            )
            found.append(dataclasses.replace(level, capacity=max(capacity, level.block), at_random_ns=price))
        return found


@lru_cache(maxsize=4)  # up to 3 MiB each, and a frame asks for two
def steady(name: str, w: int, line: int) -> tuple[Reuse, Reuse, int]:
    """A pattern run once more than before, run before, and its visits: what a further lap costs is the difference.

    Before is once, unless a lap leaves lines out: then it is a sweep, and as many laps as it takes to touch nearly all
    again. All quantities grow with n, so one region stands for every size: what matters is which share of it fits.
    """
    pattern = pattern_of(name, Region(REFERENCE, w, "R"))
    use = reuse(pattern, line).uses[pattern.region]
    left_out, before = max(0.0, 1 - use.lines / use.span), [pattern]
    if left_out > FORGOTTEN:
        before = [s_trav(pattern.region, u=pattern.u)] + [pattern] * math.ceil(math.log(FORGOTTEN) / math.log(left_out))
    return reuse(listed([*before, pattern]), line), reuse(listed(before), line), pattern.visits


def pattern_of(name: str, region: Region) -> Basic:
    """One of PATTERNS over this region; a visit reads a pointer."""
    u = min(8, region.w)
    kinds = {
        "s_trav": lambda: s_trav(region, u=u),
        "rs_trav, uni": lambda: rs_trav(region, r=2, d="uni", u=u),
        "rs_trav, bi": lambda: rs_trav(region, r=2, d="bi", u=u),
        "r_trav": lambda: r_trav(region, u=u),
        "rr_trav": lambda: rr_trav(region, r=2, u=u),
        "rr_acc": lambda: rr_acc(region, r=min(OFTEN * region.n, LISTED_VISITS), u=u),
        "nest": lambda: nest(region, m=max(1, region.n // PART), u=u),
        "s_trav_cr": lambda: s_trav_cr(region, s=SHARE, u=u),
    }
    return kinds[name]()


def listed(laps: Sequence[Basic]) -> Pattern:
    """What the kernel does: it visits in the order of a list, in which the laps follow each other, and which is read as
    well.
    """
    program = reduce(add, laps)
    return program if isinstance(laps[-1], s_trav) else s_trav(Region(program.visits, WORD)) * program


@register
class Time(PricedLab):
    """Time per visit of a basic pattern against the size of its region."""

    id = "patterns.time"
    title = "Patterns on the machine"
    question = "What does a visit cost when a pattern runs over a region of a given size again and again?"
    axis = "size"
    quantity = "time per visit"
    compared = ("dependent visits", "ours")
    within = 0.35  # of an uncalibrated machine
    breaks = (
        "Caches are not fully associative, the last one is shared with neighbours, page tables compete with data for"
        " it, and a processor overlaps what the sum over levels takes one after the other."
    )

    @property
    def largest(self) -> int:
        return max(MIB, min(64 * MIB, memory_available() // 16) // MIB * MIB)

    def make_sliders(self) -> list[Slider]:
        return [
            Slider(
                "size",
                "B",
                MIB,
                "size of the region",
                4 * KIB,
                self.largest,
                "log",
                multiple_of=4 * KIB,
                source="the middle of the sweep",
            ),
            Slider(
                "pattern",
                "",
                "r_trav",
                "how the items are visited",
                scale="choice",
                choices=PATTERNS,
                source="nothing that a prefetcher could learn",
            ),
            Slider("w", "B", 64, "width of an item", 8, 256, "log", multiple_of=WORD, source="one line"),
            *self.price_sliders(),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "In order": Preset(
                {"pattern": "s_trav"},
                "The stairs are gone: lines that come in order cost q at most, and not the price of a random miss.",
            ),
            "Narrow items": Preset(
                {"w": 8.0},
                "The stairs are less steep: a line that came for one item may serve others before it has to go.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        sizes = [
            4 * KIB * 2**i
            for i in range(0, 15, 2 if short else 1)
            if 4 * KIB * 2**i <= (4 * MIB if short else self.largest)
        ]
        return sizes if short else sorted({*sizes, *(3 * size // 2 for size in sizes[1:-1] if size <= 4 * MIB)})

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        w, limit = int(point["w"]), memory_available() // 2
        if 2 * x.values.sum() > limit:
            rule = "the sizes of one sweep must together stay below a quarter of the memory available"
            raise SpeLabError(f"{rule}, got {x.values.sum():.0f} B; leave out the largest")
        points = []
        for size in x.values:
            n = max(1, int(size) // w // PART) * PART
            points.append(visits_point(pattern_of(point["pattern"], Region(n, w))))
        return Plan(points, self.compared[:1], kernels(), {"pattern": point["pattern"], "w": w})

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        w, name = int(point["w"]), point["pattern"]
        time = np.full(x.values.shape, float(point["t0"]))
        for level in self.priced(point):
            twice, once, visits = steady(name, w, level.block)
            room = level.room * REFERENCE / np.maximum(x.values // w, 1)
            in_order, at_random = (
                after - before for after, before in zip(twice.misses(room), once.misses(room), strict=True)
            )
            time += (in_order * level.in_order_ns + at_random * level.at_random_ns) / visits
        return [Curve("ours", "predicted", x, "ns", np.maximum(time, 0))]


@register
class Conditional(PricedLab):
    """Time per item of a conditional traversal against the share of the items that it visits."""

    id = "patterns.conditional"
    title = "Conditional reads"
    question = "What does a traversal cost that visits only a share s of the items, and where does skipping save least?"
    axis = "s"
    quantity = "time per item of the region"
    compared = ("dependent visits", "in order and at random")
    within = 0.7  # of an uncalibrated machine
    breaks = (
        "Whether a line comes in order is a matter of degree to a prefetcher, which may fetch lines that nobody wants,"
        " and independent selections are rare: real ones cluster, or follow the order of the data."
    )

    @property
    def size(self) -> int:
        return max(MIB, min(64 * MIB, memory_available() // 16) // MIB * MIB)

    def make_sliders(self) -> list[Slider]:
        return [
            Slider("s", "", 0.1, "share of the items that are visited", 0.001, 1, "log", source="between the extremes"),
            Slider("w", "B", 8, "width of an item", 4, 64, "log", multiple_of=WORD, source="a column of pointers"),
            *(slider for slider in self.price_sliders() if not slider.name.startswith("C_") and slider.name != "l_TLB"),
        ]

    def presets(self) -> dict[str, Preset]:
        dear = self.slider("q").rounded(10 * self.slider("q").default)
        return {
            "Wide items": Preset(
                {"w": 64.0},
                "The hill moves to larger shares: with fewer items in a line, more of them must be wanted before every"
                " line is.",
            ),
            "Dear lines in order": Preset(
                {"q": dear},
                "The right end rises and the left one stays: where all lines are touched, they come in order, and each"
                " costs q.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return (
            [0.001, 0.01, 0.05, 0.1, 0.3, 1]
            if short
            else [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1]
        )

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        w, arena = int(point["w"]), Arena(self.size + WORD)
        region = Region(self.size // w, w)
        points = [visits_point(s_trav_cr(region, s=float(s)), arena=arena, seed=i) for i, s in enumerate(x.values)]

        def measured(result: Sweep) -> list[Curve]:
            (visits,) = curves(result, self.compared[:1], x, kernels(), w=w, size=region.size)
            per_item = {name: getattr(visits, name) * x.values for name in ("values", "low", "high")}
            return [dataclasses.replace(visits, **per_item)]

        return Plan(points, self.compared[:1], kernels(), curves=measured)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        """The region is far larger than the caches, so that a line which is touched misses in all of them."""
        caches = self.priced(point)[:-1]
        in_order, at_random = shares(x.values, point["w"], caches[0].block)
        cheap, dear = sum(level.in_order_ns for level in caches), sum(level.at_random_ns for level in caches)
        base, lines = x.values * point["t0"], point["w"] / caches[0].block
        return [
            Curve("in order and at random", "predicted", x, "ns", base + lines * (in_order * cheap + at_random * dear)),
            Curve("all in order", "predicted", x, "ns", base + lines * (in_order + at_random) * cheap),
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Where random misses are most frequent: P(1 − P) is largest at P = 1/2."""
        return {"most random misses": 1 - 2 ** (-point["w"] / self.levels()[0].block)}


def shares(s: np.ndarray, w: float, line: float) -> tuple[np.ndarray, np.ndarray]:
    """(P², P(1 − P)): of a region's lines, those touched in order and at random, with P = 1 − (1 − s)^(line/w)."""
    touched = 1 - (1 - np.asarray(s, float)) ** (line / w)
    return touched**2, touched * (1 - touched)
