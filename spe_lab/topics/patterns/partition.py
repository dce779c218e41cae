"""The lab patterns.partition: the cliff of a radix partition, in one pass and in two."""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.kinds import Plan
from spe_lab.core.lab import Effort
from spe_lab.core.machine.arena import Arena
from spe_lab.core.registry import register
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import curves
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.patterns.algebra import Pattern, Region, nest, s_trav
from spe_lab.models.patterns.levels import PricedLevel
from spe_lab.models.patterns.uses import Reuse, reuse
from spe_lab.topics.patterns.kernels import kernels, scatter_point
from spe_lab.topics.patterns.timed import PricedLab

TUPLE = 8  # bytes
TUPLES = 1 << 20
BITS = range(1, 15)
ASSUMED_OVERLAP = 1.5
ASSUMED_TUPLE_NS = 1.2


def one_pass(bits: int, tuples: int = TUPLES, w: int = TUPLE) -> Pattern:
    """Read U in order, and write each tuple to the place of its cluster's cursor: s_trav(U) ⊙ nest(W, 2^bits, s_trav,
    ran).
    """
    return s_trav(Region(tuples, w, "U")) * nest(Region(tuples, w, "W"), m=2**bits)


@register
class Partition(PricedLab):
    """Time per tuple of a radix partition against the number of bits, hence of clusters, in one pass and in two."""

    id = "patterns.partition"
    title = "The radix cliff"
    question = (
        "Into how many clusters can a pass partition its input before each tuple pays for it, and when are two passes"
        " cheaper?"
    )
    axis = "bits"
    quantity = "time per tuple"
    scale = "linear"
    compared = ("one pass", "one pass, predicted")
    within = 0.12
    breaks = (
        "The model's cursors miss as loads that wait; a processor writes without waiting, as long as its store buffer"
        " has room, and pairs of lines and of page-table entries share the cost. `overlap` stands for all of that, and"
        " is one number for every level."
    )

    def make_sliders(self) -> list[Slider]:
        return [
            Slider(
                "bits", "", 8, "bits of the cluster's number", BITS[0], BITS[-1], multiple_of=1, source="256 clusters"
            ),
            Slider(
                "overlap",
                "",
                ASSUMED_OVERLAP,
                "misses under way at once",
                1,
                32,
                "log",
                measured=False,
                source="assumed: stores do not wait",
            ),
            Slider(
                "t0",
                "ns",
                ASSUMED_TUPLE_NS,
                "time of a tuple that comes back to no line in vain",
                0.1,
                100,
                "log",
                measured=False,
                source="assumed",
            ),
            # The region lies in the last cache and within the TLB's reach: the levels before them decide.
            *(
                slider
                for slider in self.price_sliders()
                if slider.name.endswith(tuple(f"_{level.name}" for level in self.levels()[:-2]))
            ),
        ]

    def presets(self) -> dict[str, Preset]:
        first = self.slider(f"C_{self.levels()[0].name}")
        return {
            "Misses one by one": Preset(
                {"overlap": 1.0},
                "The cliff is half as high again and stands where it was: only how long a miss is waited for has"
                " changed.",
            ),
            "Eight at once": Preset(
                {"overlap": 8.0},
                "Less than a fifth is left of the cliff: with so many misses under way, two passes pay late or never.",
            ),
            "A first level × 4": Preset(
                {first.name: first.rounded(4 * first.default)},
                "The mark moves two bits to the right: room for four times the lines is room for four times the"
                " clusters.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return list(BITS[1::3] if short else BITS)

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        tuples = np.random.default_rng(1).integers(0, 1 << 64, TUPLES, dtype=np.uint64)
        arena = Arena(TUPLES * TUPLE)
        to, bits, firsts = (
            arena.view.view(np.uint64),
            x.values.astype(int),
            sorted({first_bits(int(b)) for b in x.values}),
        )
        by_first = {b: tuples[np.argsort(tuples >> np.uint64(64 - b), kind="stable")] for b in firsts}
        # A second pass splits what a first one has clustered: of all its cursors only those within one cluster move at
        # a time.
        passes = [tuples] * len(bits), [by_first[first_bits(int(b))] for b in bits]
        points = [scatter_point(each, to, int(b)) for source in passes for each, b in zip(source, bits, strict=True)]
        points += [scatter_point(tuples, to, b) for b in firsts]
        n = len(bits)

        def measured(result: Sweep) -> list[Curve]:
            one, second = curves(result, ("one pass", "two passes"), x, kernels(), tuples=TUPLES)
            place = 2 * n + np.array([firsts.index(first_bits(int(b))) for b in bits])
            e = result.estimate
            pairs = (second.values, e.value), (second.low, e.low), (second.high, e.high)
            values, low, high = (part + more[place] for part, more in pairs)
            return [one, dataclasses.replace(second, values=values, low=low, high=high)]

        return Plan(points, ("one pass", "two passes"), kernels(), curves=measured)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        bits = np.rint(x.values).astype(int)
        levels, overlap, base = self.priced(point), point["overlap"], point["t0"]
        stall = {
            b: _stall(b, levels) / overlap for b in {*bits, *map(first_bits, bits), *(b - first_bits(b) for b in bits)}
        }
        one = [base + stall[b] for b in bits]
        two = [2 * base + stall[first_bits(b)] + stall[b - first_bits(b)] for b in bits]
        return [
            Curve("one pass, predicted", "predicted", x, "ns", np.array(one)),
            Curve("two passes, predicted", "predicted", x, "ns", np.array(two)),
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """As many clusters as the first level has lines."""
        return {"first level full": float(np.log2(self.priced(point)[0].room))}


def first_bits(bits: int) -> int:
    """Of two passes, the first takes half of the bits, rounded up."""
    return (int(bits) + 1) // 2


def _stall(bits: int, levels: list[PricedLevel]) -> float:
    """ns per tuple for lines that a cursor comes back to in vain. First uses are in order for each cursor: part of the
    base time.
    """
    total = 0.0
    for level in levels:
        found = reuse_of(bits, level.block)
        total += (float(found.misses(level.room)[1]) - found.first_at_random) * level.at_random_ns
    return total / TUPLES


@cache
def reuse_of(bits: int, block: int) -> Reuse:
    return reuse(one_pass(bits) if bits else s_trav(Region(TUPLES, TUPLE)), block)
