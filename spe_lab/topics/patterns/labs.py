"""The labs patterns.basic and patterns.compose: misses against capacity, by both models, beside exact simulations."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import SimulatedLab, accumulated
from spe_lab.core.machine import Machine
from spe_lab.core.registry import register
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models import cache
from spe_lab.models.patterns.algebra import Pattern, Region, nest, r_trav, rr_acc, rr_trav, rs_trav, s_trav
from spe_lab.models.patterns.footprints import published
from spe_lab.models.patterns.levels import levels_of
from spe_lab.models.patterns.traces import trace
from spe_lab.models.patterns.uses import reuse

KIB, MIB = 1 << 10, 1 << 20
EXECUTIONS = (3, 8, 16, 32)  # after each step, whose spread gives the interval
MOST_SIMULATED = 400_000  # line uses of one execution in a lab
WAYS = 8
BASIC = ("s_trav", "rs_trav, uni", "rs_trav, bi", "r_trav", "rr_trav", "rr_acc")


class MissLab(SimulatedLab):
    """What the two labs share: an expression at a point, its misses per visit against a level's capacity."""

    axis = "capacity"
    quantity = "misses per visit"
    unit = ""
    stem = "cache"
    compared = ("fully associative", "ours")
    breaks = (
        "A model of a fully associative level with LRU replacement says nothing of conflicts within sets, of other"
        " policies, and of lines that a prefetcher brings before they are asked for."
    )

    def expression(self, point: Mapping[str, Value]) -> Pattern:
        raise NotImplementedError

    def capacity_slider(self) -> Slider:
        return Slider(
            "capacity",
            "B",
            32 * KIB,
            "capacity of the level",
            KIB,
            4 * MIB,
            "log",
            multiple_of=KIB,
            source="a first-level cache",
        )

    def line_slider(self) -> Slider:
        sizes = ("32 B", "64 B", "128 B", "4096 B")
        return Slider(
            "line",
            "",
            "64 B",
            "block of the level",
            scale="choice",
            choices=sizes,
            source="a cache line; 4096 B would be a page",
        )

    def line(self, point: Mapping[str, Value]) -> int:
        return int(str(point["line"]).partition(" ")[0])

    def default_values(self, short: bool) -> list[float]:
        return [KIB * 2**i for i in range(0, 13, 2 if short else 1)]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Where the machine's own levels with such blocks lie."""
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
        pairs = {"ours": _reuse(pattern, line).misses(rooms), "published": published(pattern, line, rooms)}
        return [Curve(name, "predicted", x, "", sum(pair) / pattern.visits) for name, pair in pairs.items()]


@lru_cache(maxsize=16)  # some 50 KiB each
def _reuse(pattern: Pattern, line: int):
    return reuse(pattern, line)


@register
class BasicPatterns(MissLab):
    """Misses of one basic pattern against the capacity of a level."""

    id = "patterns.basic"
    within = 0.0005
    title = "Basic patterns"
    question = "How many misses does a basic pattern cause in a level of a given capacity, and which rule knows?"

    def make_sliders(self) -> list[Slider]:
        return [
            self.capacity_slider(),
            Slider(
                "pattern",
                "",
                "rr_trav",
                "how the items are visited",
                scale="choice",
                choices=BASIC,
                source="where the rules differ most",
            ),
            Slider(
                "n",
                "",
                4096,
                "items of the region",
                256,
                65536,
                "log",
                multiple_of=1,
                source="beyond a first-level cache",
            ),
            Slider("w", "B", 96, "width of an item", 1, 512, "log", multiple_of=1, source="one line and a half"),
            Slider(
                "u",
                "B",
                96,
                "bytes that a visit touches, at most w",
                1,
                512,
                "log",
                multiple_of=1,
                source="the whole item",
            ),
            Slider(
                "r",
                "",
                4,
                "traversals, or visits of rr_acc for each item",
                1,
                8,
                multiple_of=1,
                source="enough to see what is kept",
            ),
            self.line_slider(),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "To and fro": Preset(
                {"pattern": "rs_trav, bi"},
                "More capacity helps until the region fits: on the way back, what was read last is still there.",
            ),
            "Round and round": Preset(
                {"pattern": "rs_trav, uni"},
                "All or nothing: until the whole region fits, each line is given up before its turn comes again.",
            ),
            "Narrow visits": Preset(
                {"w": 256.0, "u": 8.0},
                "The published rule lies higher: that eight aligned bytes are never split over two lines is not in it.",
            ),
        }

    def expression(self, point: Mapping[str, Value]) -> Pattern:
        return _basic(point["pattern"], int(point["n"]), int(point["w"]), int(point["u"]), int(point["r"]))


@lru_cache(maxsize=64)
def _basic(name: str, n: int, w: int, u: int, r: int) -> Pattern:
    """At most MOST_SIMULATED visits: fewer items where there would be more."""
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
    """Build a table from V; then probe it with U and write W."""
    build, probe, table, result = (
        Region(n, width, name) for width, name in ((w, "V"), (w, "U"), (2 * w, "H"), (2 * w, "W"))
    )
    return s_trav(build) * r_trav(table) + s_trav(probe) * rr_acc(table, r=n) * s_trav(result)


def merge_join(n: int, w: int) -> Pattern:
    """Two sorted inputs and a result, each read or written once, in order."""
    return s_trav(Region(n, w, "U")) * s_trav(Region(n, w, "V")) * s_trav(Region(n, 2 * w, "W"))


def partition(n: int, w: int) -> Pattern:
    """Scatter U into 64 clusters, then read those one by one."""
    clusters = Region(-(-n // 64) * 64, w, "W")
    return s_trav(Region(n, w, "U")) * nest(clusters, m=64) + s_trav(clusters)


def polluted(n: int, w: int) -> Pattern:
    """Look-ups in a small table beside a long stream: s += table[key[i]]."""
    return s_trav(Region(4 * n, w, "key")) * rr_acc(Region(max(16, n // 4), 4 * w, "table"), r=4 * n)


def two_tables(n: int, w: int) -> Pattern:
    """Look-ups in a small and in a large table, equally often."""
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
    """Misses of a composed pattern against the capacity of a level; `own` puts the reader's own in its place."""

    id = "patterns.compose"
    within = 0.0015
    title = "Composed patterns"
    question = "What do patterns cost that run at once, or one after the other, in a level of a given capacity?"

    own: Pattern | None

    def __init__(self, machine: Machine | None = None, own: Pattern | None = None) -> None:
        super().__init__(machine, own=own)

    def make_sliders(self) -> list[Slider]:
        shared = [self.capacity_slider(), self.line_slider()]
        if self.own is not None:
            return shared
        return [
            shared[0],
            Slider(
                "plan",
                "",
                "hash join",
                "what is computed",
                scale="choice",
                choices=tuple(EXPRESSIONS),
                source="the papers' own example",
            ),
            Slider(
                "n",
                "",
                16384,
                "items of an input",
                256,
                65536,
                "log",
                multiple_of=1,
                source="beyond a first-level cache",
            ),
            Slider("w", "B", 8, "width of an item", 4, 64, "log", multiple_of=4, source="a key"),
            shared[1],
        ]

    def presets(self) -> dict[str, Preset]:
        if self.own is not None:
            return {}
        return {
            "Partition": Preset(
                {"plan": "partition"},
                "The cliff is at 4 KiB: of the 64 clusters, the lines being written are all that must be kept.",
            ),
            "Merge join": Preset(
                {"plan": "merge join"}, "A flat line: all is read in order and once, so that no capacity helps."
            ),
            "A stream beside": Preset(
                {"plan": "look-ups and a stream"},
                "At 128 KiB the table alone would fit; ours lies above the published rule, since the stream keeps"
                " pushing it out.",
            ),
        }

    def expression(self, point: Mapping[str, Value]) -> Pattern:
        return self.own if self.own is not None else _composed(point["plan"], int(point["n"]), int(point["w"]))


@lru_cache(maxsize=64)
def _composed(name: str, n: int, w: int) -> Pattern:
    return EXPRESSIONS[name](n, w)
