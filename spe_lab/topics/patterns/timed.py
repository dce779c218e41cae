"""The labs patterns.time and patterns.conditional: measured and predicted times of patterns."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from operator import add
from typing import Any

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, KernelLab, Plan, Preset, Slider, Value, register
from spe_lab.core.machine import memory_available
from spe_lab.core.machine.arena import Arena
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import curves
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
REFERENCE = 1 << 14  # items of the region whose model is scaled to all sizes
PART = 64  # items of a nest's part
OFTEN = 8  # random visits per item, so that nearly all items are visited
SHARE = 0.1  # of the items that a conditional traversal visits; a prefetcher would bridge the gaps of larger shares
FORGOTTEN = 0.15  # share of the lines that all laps before the modelled one may leave out; fewer laps are faster


class PricedLab(KernelLab):
    """Base of labs whose sliders are the capacities and costs of the machine's levels."""

    unit = "ns"

    def price_sliders(self) -> list[Slider]:
        """Return the sliders for the levels' capacities and costs, and for the time of a visit without misses."""
        source = "this machine's profile if it was calibrated; else reported or assumed"

        def slider(
            name: str, unit: str, default: float, meaning: str, low: float, high: float, label: str, group: str
        ) -> Slider:
            domain: dict[str, Any] = {"low": min(low, default), "high": max(high, default), "scale": "log"}
            shown: dict[str, Any] = {
                "label": label,
                "symbol": "t_0" if name == "t0" else name,
                "group": group,
                "source": source,
            }
            return Slider(name, unit, default, meaning, **domain, measured=False, **shown)

        base, meaning = base_ns(self.machine), "time of a visit in the first level"
        sliders = [slider("t0", "ns", base, meaning, 0.1, 100, "Visit without misses", "The loop")]
        for level in self.levels():
            name = level.name
            capacity, price = f"capacity of {name}", f"time that a random miss in {name} adds"
            sliders += [
                slider(f"C_{name}", "B", level.capacity, capacity, KIB, 1 << 30, f"{name} capacity", name),
                slider(f"l_{name}", "ns", level.at_random_ns, price, 0.01, 1000, f"{name} miss at random", name),
            ]
        last = self.levels()[-2]
        price = f"time that a miss in {last.name} adds if lines are visited in order"
        in_order = max(last.in_order_ns, 0.01)
        return [*sliders, slider("q", "ns", in_order, price, 0.01, 100, f"{last.name} miss in order", "In order")]

    def levels(self) -> tuple[PricedLevel, ...]:
        """Return the caches from the first level on, then the TLB."""
        return levels_of(self.machine)

    def priced(self, point: Mapping[str, Value]) -> list[PricedLevel]:
        """Return the levels with the capacities and costs of the sliders that the lab has."""
        *caches, tlb = self.levels()
        caches[-1] = dataclasses.replace(caches[-1], in_order_ns=point.get("q", caches[-1].in_order_ns))
        levels = []
        for level in (*caches, tlb):
            capacity = max(point.get(f"C_{level.name}", level.capacity), level.block)
            price = point.get(f"l_{level.name}", level.at_random_ns)
            levels.append(dataclasses.replace(level, capacity=capacity, at_random_ns=price))
        return levels


@lru_cache(maxsize=4)  # up to 3 MiB each; a slider move asks for two
def steady(name: str, w: int, line: int) -> tuple[Reuse, Reuse, int]:
    """Return the models of k + 1 and of k laps, whose difference is one lap, and the visits of a lap.

    k is 1 unless a lap leaves lines out; then a sweep precedes enough laps to touch nearly all lines. All quantities
    are proportional to n, so one region represents every size: only the share that fits matters.
    """
    pattern = pattern_of(name, Region(REFERENCE, w, "R"))
    use = reuse(pattern, line).uses[pattern.region]
    left_out, before = max(0.0, 1 - use.lines / use.span), [pattern]
    if left_out > FORGOTTEN:
        before = [s_trav(pattern.region, u=pattern.u)] + [pattern] * math.ceil(math.log(FORGOTTEN) / math.log(left_out))
    return reuse(listed([*before, pattern]), line), reuse(listed(before), line), pattern.visits


def pattern_of(name: str, region: Region) -> Basic:
    """Return one of PATTERNS over this region; a visit reads a pointer."""
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
    """Return the kernel's pattern: successive laps, and concurrently a traversal of the list of visits."""
    program = reduce(add, laps)
    return program if isinstance(laps[-1], s_trav) else s_trav(Region(program.visits, WORD)) * program


@register
class Time(PricedLab):
    """Time per visit of a basic pattern against the size of its region."""

    id = "patterns.time"
    title = "Patterns on the machine"
    question = "How long does a visit take if a pattern is repeated over a region of a given size?"
    axis = "size"
    quantity = "time per visit"
    compared = ("dependent visits", "model")
    first = ("size", "pattern", "w")
    within = 0.35  # of an uncalibrated machine
    breaks = (
        "Caches are not fully associative. Other cores share the last cache, and page tables compete with data for it."
        " A processor overlaps misses, while the model adds them up."
    )

    @property
    def largest(self) -> int:
        return max(MIB, min(64 * MIB, memory_available() // 16) // MIB * MIB)

    def make_sliders(self) -> list[Slider]:
        step, source = 4 * KIB, "a prefetcher cannot predict it"
        size, middle = "size of the region", "the middle of the sweep"
        width: dict[str, Any] = {"scale": "log", "multiple_of": WORD, "label": "Item width", "symbol": "w"}
        return [
            Slider(
                "size",
                "B",
                MIB,
                size,
                step,
                self.largest,
                "log",
                multiple_of=step,
                source=middle,
                label="Region size",
                symbol="S",
            ),
            Slider.choice("pattern", PATTERNS, "order of the visits", source, default="r_trav", label="Pattern"),
            Slider("w", "B", 64, "width of an item", 8, 256, **width, source="one line"),
            *self.price_sliders(),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "In order": Preset(
                {"pattern": "s_trav"},
                "The steps are gone: a line in order costs at most q, not the time of a random miss.",
            ),
            "Narrow items": Preset(
                {"w": 8.0},
                "The steps are less steep: a line that was loaded for one item may serve others before its eviction.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        largest = 4 * MIB if short else self.largest
        sizes = [size for i in range(0, 15, 2 if short else 1) if (size := 4 * KIB * 2**i) <= largest]
        return sizes if short else sorted({*sizes, *(3 * size // 2 for size in sizes[1:-1] if size <= 4 * MIB)})

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        w, limit = int(point["w"]), memory_available() // 2
        if 2 * x.values.sum() > limit:
            rule = "the sizes of one sweep together must stay below a quarter of the memory available"
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
            pairs = zip(twice.misses(room), once.misses(room), strict=True)
            in_order, at_random = (after - before for after, before in pairs)
            time += (in_order * level.in_order_ns + at_random * level.at_random_ns) / visits
        return [Curve("model", "predicted", x, "ns", np.maximum(time, 0))]


@register
class Conditional(PricedLab):
    """Time per item of a conditional traversal against the share of the items that it visits."""

    id = "patterns.conditional"
    title = "Conditional reads"
    question = "How long does a traversal take that visits a share s of the items, and where does skipping save least?"
    axis = "s"
    quantity = "time per item of the region"
    compared = ("dependent visits", "in order and at random")
    first = ("s", "w", "q")
    within = 0.7  # of an uncalibrated machine
    breaks = (
        "A real prefetcher also predicts some lines after gaps, and it fetches unused lines. Independent selections are"
        " rare: real selections cluster, or follow the order of the data."
    )

    @property
    def size(self) -> int:
        return max(MIB, min(64 * MIB, memory_available() // 16) // MIB * MIB)

    def make_sliders(self) -> list[Slider]:
        share: dict[str, Any] = {"source": "between the extremes", "label": "Share of the items", "percent": True}
        column: dict[str, Any] = {"multiple_of": WORD, "source": "a column of pointers"}
        width = column | {"label": "Item width", "symbol": "w"}
        return [
            Slider("s", "", 0.1, "share of the items that are visited", 0.001, 1, "log", **share),
            Slider("w", "B", 8, "width of an item", 4, 64, "log", **width),
            *(slider for slider in self.price_sliders() if not slider.name.startswith("C_") and slider.name != "l_TLB"),
        ]

    def presets(self) -> dict[str, Preset]:
        q = self.slider("q")
        return {
            "Wide items": Preset(
                {"w": 64.0},
                "The hill moves to larger shares: fewer items per line need a larger share to touch all lines.",
            ),
            "Expensive lines in order": Preset(
                {"q": q.rounded(10 * q.default)},
                "The right end rises and the left end stays: for large shares, lines are in order and cost q each.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        if short:
            return [0.001, 0.01, 0.05, 0.1, 0.3, 1]
        return [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1]

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
        """Return the predicted curves; each touched line misses in all caches, since the region is far larger."""
        caches = self.priced(point)[:-1]
        in_order, at_random = shares(x.values, point["w"], caches[0].block)
        cheap, costly = sum(level.in_order_ns for level in caches), sum(level.at_random_ns for level in caches)
        base, lines = x.values * point["t0"], point["w"] / caches[0].block
        both = base + lines * (in_order * cheap + at_random * costly)
        return [
            Curve("in order and at random", "predicted", x, "ns", both),
            Curve("all in order", "predicted", x, "ns", base + lines * (in_order + at_random) * cheap),
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the share with most random misses: P(1 − P) is largest at P = 1/2."""
        return {"most random misses": 1 - 2 ** (-point["w"] / self.levels()[0].block)}


def shares(s: np.ndarray, w: float, line: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (P², P(1 − P)), the shares of lines touched in order and at random; P = 1 − (1 − s)^(line/w)."""
    touched = 1 - (1 - np.asarray(s, float)) ** (line / w)
    return touched**2, touched * (1 - touched)
