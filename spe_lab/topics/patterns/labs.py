"""The labs patterns.basic and patterns.compose: misses against capacity, modelled and simulated."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, accumulated, register
from spe_lab.core.machine import Machine
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.models import cache
from spe_lab.models.patterns.algebra import Pattern, Region, nest, r_trav, rr_acc, rr_trav, rs_trav, s_trav
from spe_lab.models.patterns.footprints import published
from spe_lab.models.patterns.levels import levels_of
from spe_lab.models.patterns.traces import trace
from spe_lab.models.patterns.uses import reuse

KIB, MIB = 1 << 10, 1 << 20
EXECUTIONS = (3, 8, 16, 32)  # number after each step; their spread gives the interval
MOST_SIMULATED = 400_000  # visits of one execution in a lab
WAYS = 8
BASIC = ("s_trav", "rs_trav, uni", "rs_trav, bi", "r_trav", "rr_trav", "rr_acc")


class MissLab(SimulatedLab):
    """Base of the two labs: misses per visit of an expression against the capacity of a level."""

    axis = "capacity"
    quantity = "misses per visit"
    unit = ""
    stem = "cache"
    compared = ("fully associative", "stack distances")
    breaks = (
        "The models assume a fully associative level with LRU replacement. They ignore conflicts within sets, other"
        " policies, and lines that a prefetcher loads in advance."
    )

    def expression(self, point: Mapping[str, Value]) -> Pattern:
        raise NotImplementedError

    def capacity_slider(self) -> Slider:
        domain: dict[str, Any] = {"low": KIB, "high": 4 * MIB, "scale": "log", "multiple_of": KIB}
        shown: dict[str, Any] = {"label": "Capacity", "symbol": "C", "source": "a first-level cache"}
        return Slider("capacity", "B", 32 * KIB, "capacity of the level", **domain, **shown)

    def line_slider(self) -> Slider:
        sizes, source = ("32 B", "64 B", "128 B", "4096 B"), "a cache line; 4096 B would be a page"
        shown: dict[str, Any] = {"label": "Line", "symbol": "B", "group": "The level"}
        return Slider.choice("line", sizes, "block of the level", source, default="64 B", **shown)

    def line(self, point: Mapping[str, Value]) -> int:
        return int(str(point["line"]).partition(" ")[0])

    def default_values(self, short: bool) -> list[float]:
        return [KIB * 2**i for i in range(0, 13, 2 if short else 1)]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the capacities of the machine's levels that have this block size."""
        return {
            level.name: level.capacity
            for level in levels_of(self.machine)
            if level.block == self.line(point) and level.capacity <= 4 * MIB
        }

    def rooms(self, point: Mapping[str, Value], x: Axis) -> np.ndarray:
        return np.maximum(x.values // self.line(point), 1).astype(int)

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        pattern, line, rooms = self.expression(point), self.line(point), self.rooms(point, x)

        def misses(execution: int) -> np.ndarray:
            seed = execution + 1
            addresses, sizes = trace(pattern, seed)
            exact = cache.stack_distances(cache.lines_of(addresses, sizes, line), cancel).misses(rooms)
            sets = [self.set_associative(addresses, sizes, line, room, seed, cancel) for room in rooms]
            return np.array([exact, sets]) / pattern.visits

        for found in accumulated(misses, EXECUTIONS):
            estimator, counts = f"mean of {len(found)} executions, two standard errors", len(found) * pattern.visits
            yield [
                self.curve(name, x, two_standard_errors(found[:, k]), counts, estimator, expression=str(pattern))
                for k, name in enumerate(("fully associative", f"{WAYS} ways"))
            ]

    def set_associative(
        self, addresses: np.ndarray, sizes: np.ndarray, line: int, room: int, seed: int, cancel: Cancel
    ) -> int:
        ways = min(WAYS, int(room))
        sets = 1 << (int(room) // ways).bit_length() - 1
        level = cache.Level(sets * ways * line, line, ways)
        return cache.Hierarchy([level], seed=seed).run(addresses, sizes, cancel).misses[0]

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        pattern, line = self.expression(point), self.line(point)
        rooms = np.maximum(x.values / line, 1)
        ours, theirs = _reuse(pattern, line).misses(rooms), published(pattern, line, rooms)
        pairs = {"stack distances": ours, "published rules": theirs}
        return [Curve(name, "predicted", x, "", sum(pair) / pattern.visits) for name, pair in pairs.items()]


@lru_cache(maxsize=16)  # some 50 KiB each
def _reuse(pattern: Pattern, line: int):
    return reuse(pattern, line)


@register
class BasicPatterns(MissLab):
    """Misses of one basic pattern against the capacity of a level."""

    id = "patterns.basic"
    within = 0.0005
    first = ("capacity", "pattern", "w", "u")
    title = "Basic patterns"
    question = (
        "How many misses does a basic pattern cause in a level of a given capacity, and which rule predicts them?"
    )

    def make_sliders(self) -> list[Slider]:
        touched = "bytes that a visit touches, at most w"
        bytes_of: dict[str, Any] = {"low": 1, "high": 512, "scale": "log", "multiple_of": 1}
        items: dict[str, Any] = {"label": "Items", "symbol": "n", "group": "The region"}
        repeated: dict[str, Any] = {"label": "Repetitions", "symbol": "r", "group": "The region"}
        return [
            self.capacity_slider(),
            Slider.choice(
                "pattern",
                BASIC,
                "order of the visits",
                "here the rules differ most",
                default="rr_trav",
                label="Pattern",
            ),
            Slider.count("n", 4096, "items of the region", 256, 65536, "more than a first-level cache", "log", **items),
            Slider(
                "w",
                "B",
                96,
                "width of an item",
                **bytes_of,
                source="one line and a half",
                label="Item width",
                symbol="w",
            ),
            Slider("u", "B", 96, touched, **bytes_of, source="the whole item", label="Bytes per visit", symbol="u"),
            Slider.count(
                "r", 4, "traversals, or visits of rr_acc for each item", 1, 8, "enough to show reuse", **repeated
            ),
            self.line_slider(),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Back and forth": Preset(
                {"pattern": "rs_trav, bi"},
                "More capacity helps until the region fits: on the way back, the lines read last are still cached.",
            ),
            "In one direction": Preset(
                {"pattern": "rs_trav, uni"},
                "All or nothing: until the whole region fits, each line is evicted before its next use.",
            ),
            "Narrow visits": Preset(
                {"w": 256.0, "u": 8.0},
                "The published rules are higher: they ignore that eight aligned bytes never cross a line boundary.",
            ),
        }

    def expression(self, point: Mapping[str, Value]) -> Pattern:
        return _basic(point["pattern"], int(point["n"]), int(point["w"]), int(point["u"]), int(point["r"]))


@lru_cache(maxsize=64)
def _basic(name: str, n: int, w: int, u: int, r: int) -> Pattern:
    """Return a basic pattern; n is reduced so that there are at most MOST_SIMULATED visits."""
    region, u = Region(max(16, min(n, MOST_SIMULATED // r)), w), min(u, w)
    kinds = {
        "s_trav": lambda: s_trav(region, u=u),
        "rs_trav, uni": lambda: rs_trav(region, r=r, u=u),
        "rs_trav, bi": lambda: rs_trav(region, r=r, d="bi", u=u),
        "r_trav": lambda: r_trav(region, u=u),
        "rr_trav": lambda: rr_trav(region, r=r, u=u),
        "rr_acc": lambda: rr_acc(region, r=r * region.n, u=u),
    }
    return kinds[name]()


def hash_join(n: int, w: int) -> Pattern:
    """Return the pattern of a hash join: build a table from V, then probe it with U and write W."""
    build, probe = Region(n, w, "V"), Region(n, w, "U")
    table, result = Region(n, 2 * w, "H"), Region(n, 2 * w, "W")
    return s_trav(build) * r_trav(table) + s_trav(probe) * rr_acc(table, r=n) * s_trav(result)


def merge_join(n: int, w: int) -> Pattern:
    """Return the pattern of a merge join: read two sorted inputs and write a result, once and in order."""
    return s_trav(Region(n, w, "U")) * s_trav(Region(n, w, "V")) * s_trav(Region(n, 2 * w, "W"))


def partition(n: int, w: int) -> Pattern:
    """Return the pattern of a partition: scatter U into 64 clusters, then read these one by one."""
    clusters = Region(-(-n // 64) * 64, w, "W")
    return s_trav(Region(n, w, "U")) * nest(clusters, m=64) + s_trav(clusters)


def polluted(n: int, w: int) -> Pattern:
    """Return the pattern of look-ups in a small table by keys from a long stream: s += table[key[i]]."""
    return s_trav(Region(4 * n, w, "key")) * rr_acc(Region(max(16, n // 4), 4 * w, "table"), r=4 * n)


def two_tables(n: int, w: int) -> Pattern:
    """Return the pattern of look-ups in a small and in a large table, equally often."""
    return rr_acc(Region(max(16, n // 4), w, "A"), r=2 * n) * rr_acc(Region(4 * n, w, "B"), r=2 * n)


EXPRESSIONS = {
    "hash join": hash_join,
    "merge join": merge_join,
    "partition": partition,
    "look-ups and a stream": polluted,
    "two tables": two_tables,
}


@register
class Compose(MissLab):
    """Misses of a composed pattern, or of the reader's `own`, against the capacity of a level."""

    id = "patterns.compose"
    first = ("capacity", "plan", "n", "w")
    within = 0.0015
    title = "Composed patterns"
    question = "How many misses do concurrent and successive patterns cause in a level of a given capacity?"

    own: Pattern | None

    def __init__(self, machine: Machine | None = None, own: Pattern | None = None) -> None:
        super().__init__(machine, own=own)

    @property
    def first_view(self) -> tuple[str, ...]:
        return self.first if self.own is None else ("capacity", "line")

    def make_sliders(self) -> list[Slider]:
        shared = [self.capacity_slider(), self.line_slider()]
        larger = "larger than a first-level cache"
        if self.own is not None:
            return shared
        return [
            shared[0],
            Slider.choice("plan", EXPRESSIONS, "operation", "the papers' example", label="Plan"),
            Slider.count("n", 16384, "items of an input", 256, 65536, larger, "log", label="Items", symbol="n"),
            Slider(
                "w",
                "B",
                8,
                "width of an item",
                4,
                64,
                "log",
                multiple_of=4,
                source="a key",
                label="Item width",
                symbol="w",
            ),
            shared[1],
        ]

    def presets(self) -> dict[str, Preset]:
        if self.own is not None:
            return {}
        return {
            "Partition": Preset(
                {"plan": "partition"},
                "The cliff is at 4 KiB: only the line being written of each of the 64 clusters must stay cached.",
            ),
            "Merge join": Preset(
                {"plan": "merge join"},
                "A flat line: all items are visited once and in order, so capacity does not help.",
            ),
            "A stream beside": Preset(
                {"plan": "look-ups and a stream"},
                "At 128 KiB the table alone would fit. The curve *stack distances* is higher: the stream evicts"
                " lines of the table.",
            ),
        }

    def expression(self, point: Mapping[str, Value]) -> Pattern:
        return self.own if self.own is not None else _composed(point["plan"], int(point["n"]), int(point["w"]))


@lru_cache(maxsize=64)
def _composed(name: str, n: int, w: int) -> Pattern:
    return EXPRESSIONS[name](n, w)
