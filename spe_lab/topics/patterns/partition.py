"""The lab patterns.partition: the cliff of a radix partition, in one pass and in two passes."""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Slider, Value, register
from spe_lab.core.machine.arena import Arena
from spe_lab.core.sampling.kernels import Sweep
from spe_lab.core.sampling.provenance import curves
from spe_lab.core.text import Text
from spe_lab.models.patterns.algebra import Pattern, Region, nest, s_trav
from spe_lab.models.patterns.levels import PricedLevel, misses
from spe_lab.models.patterns.uses import Reuse, reuse
from spe_lab.topics.patterns.kernels import kernels, scatter_point
from spe_lab.topics.patterns.timed import PricedLab

TUPLE = 8  # bytes
TUPLES = 1 << 20
BITS = range(1, 15)
ASSUMED_OVERLAP = 1.5
ASSUMED_TUPLE_NS = 1.2


def one_pass(bits: int, tuples: int = TUPLES, w: int = TUPLE) -> Pattern:
    """Return the pattern of a pass from U to the clusters of W: s_trav(U) ⊙ nest(W, 2^bits, s_trav, ran)."""
    return s_trav(Region(tuples, w, "U")) * nest(Region(tuples, w, "W"), m=2**bits)


@register
class Partition(PricedLab):
    """Time per tuple of a radix partition into 2^bits clusters against the bits, in one or two passes."""

    id = "patterns.partition"
    title = "The radix cliff"
    question = (
        "Into how many clusters can one pass partition its input before the time per tuple rises, and when are two"
        " passes cheaper?"
    )
    axis = "bits"
    quantity = "time per tuple"
    scale = "linear"
    compared = ("one pass", "one-pass model")
    first = ("bits", "overlap", "t0")
    within = 0.12
    breaks = (
        "The model treats the writes of cursors as loads that wait. A processor writes without waiting while its store"
        " buffer has room, and pairs of lines or page-table entries share the cost. One number, `overlap`, describes"
        " all of this at every level."
    )

    def make_sliders(self) -> list[Slider]:
        # The region fits the last cache and the reach of the TLB, so only the levels above these matter.
        ends = tuple(f"_{level.name}" for level in self.levels()[:-2])
        overlap, t0 = "misses in progress at the same time", "time of a tuple without repeated misses"
        assumed: dict[str, Any] = {"scale": "log", "measured": False}
        row: dict[str, Any] = {"label": "Row without misses", "symbol": "t_0"}
        stores = "assumed: stores do not wait"
        return [
            Slider.count(
                "bits", 8, "bits of the cluster's number", BITS[0], BITS[-1], "256 clusters", label="Bits", symbol="b"
            ),
            Slider("overlap", "", ASSUMED_OVERLAP, overlap, 1, 32, **assumed, source=stores, label="Misses at a time"),
            Slider("t0", "ns", ASSUMED_TUPLE_NS, t0, 0.1, 100, **assumed, source="assumed", **row),
            *(slider for slider in self.price_sliders() if slider.name.endswith(ends)),
        ]

    def presets(self) -> dict[str, Preset]:
        first = self.slider(f"C_{self.levels()[0].name}")
        return {
            "Misses one by one": Preset(
                {"overlap": 1.0},
                "The cliff is 50 % higher and at the same place: only the time of a miss has changed.",
            ),
            "Eight at once": Preset(
                {"overlap": 8.0},
                "Less than 20 % of the cliff remains: with overlapping misses, two passes pay off late or never.",
            ),
            "A first level × 4": Preset(
                {first.name: first.rounded(4 * first.default)},
                "The mark moves two bits to the right: four times the lines hold four times the clusters.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return list(BITS[1::3] if short else BITS)

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        tuples = np.random.default_rng(1).integers(0, 1 << 64, TUPLES, dtype=np.uint64)
        arena = Arena(TUPLES * TUPLE)
        to, bits = arena.view.view(np.uint64), x.values.astype(int)
        firsts = sorted({first_bits(int(b)) for b in bits})
        by_first = {b: tuples[np.argsort(tuples >> np.uint64(64 - b), kind="stable")] for b in firsts}
        # The second pass splits the clusters of the first: at a time, only the cursors within one cluster move.
        passes = [tuples] * len(bits), [by_first[first_bits(int(b))] for b in bits]
        points = [scatter_point(read, to, int(b)) for source in passes for read, b in zip(source, bits, strict=True)]
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
        seconds = (b - first_bits(b) for b in bits)
        stall = {b: _stall(b, levels) / overlap for b in {*bits, *map(first_bits, bits), *seconds}}
        one = [base + stall[b] for b in bits]
        two = [2 * base + stall[first_bits(b)] + stall[b - first_bits(b)] for b in bits]
        return [
            Curve("one-pass model", "predicted", x, "ns", np.array(one)),
            Curve("two-pass model", "predicted", x, "ns", np.array(two)),
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the bits for which there are as many clusters as the first level has lines."""
        return {"first level full": float(np.log2(self.priced(point)[0].room))}


def published_cliff() -> Text:
    """Return the random misses of a written row in the published machine's first level, by bits."""
    level, rows = PricedLevel("L1", capacity=256 * 64, block=64), 1 << 16
    bits = (4, 6, 8, 10, 12)
    share = [misses(one_pass(b, rows), level)[1] / rows for b in bits]
    head = "| bits in one pass | " + " | ".join(map(str, bits)) + " |"
    cells = "| misses of a written row | " + " | ".join(f"{100 * value:.0f} %" for value in share) + " |"
    return Text("\n".join([head, "|---" + "|--:" * len(bits) + "|", cells]))


def first_bits(bits: int) -> int:
    """Return the bits of the first of two passes: half of all bits, rounded up."""
    return (int(bits) + 1) // 2


def _stall(bits: int, levels: list[PricedLevel]) -> float:
    """Return the ns per tuple for misses of further uses; t0 includes first uses, which are in order."""
    total = 0.0
    for level in levels:
        uses = reuse_of(bits, level.block)
        total += (float(uses.misses(level.room)[1]) - uses.first_at_random) * level.at_random_ns
    return total / TUPLES


@cache
def reuse_of(bits: int, block: int) -> Reuse:
    return reuse(one_pass(bits) if bits else s_trav(Region(TUPLES, TUPLE)), block)
