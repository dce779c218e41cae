"""The labs memory.stride and memory.working_set: working sets, kernels, and predictions."""

import ctypes
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.verified import verified
from spe_lab.core.errors import SpeLabError
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, KernelLab, Plan, Preset, Slider, Value, register
from spe_lab.core.machine import Parameter, claim, memory_available
from spe_lab.core.machine.arena import HUGE_PAGE, PAGES, Arena, huge_pages_offered
from spe_lab.core.sampling.cycle import LINE, new_cycle
from spe_lab.core.sampling.kernels import Point
from spe_lab.topics.memory import models

ELEMENT = 4  # bytes of the int32_t that the strided kernels load
KIB, MIB = 1 << 10, 1 << 20
SETTLE = 1 << 14  # accesses that reload translations and small working sets after other points used the caches

# Model slider ← machine parameter.
PARAMETERS = {
    "C_L1": "l1_capacity",
    "C_L2": "l2_capacity",
    "C_TLB": "tlb_reach",
    "C_L3": "l3_capacity",
    "t0": "l1_latency",
    "l_L1": "l2_latency",
    "l_L2": "l3_latency",
    "l_TLB": "tlb_latency",
    "l_L3": "memory_latency",
    "t_step": "strided_step_latency",
    "q": "memory_sequential_latency",
    "r_L1": "l2_skipping_latency",
    "r_L3": "memory_skipping_latency",
    "b": "memory_bandwidth",
    "k_L1": "l1_replacement",
    "k_L2": "l2_replacement",
    "k_TLB": "tlb_replacement",
    "k_L3": "l3_replacement",
    "B_L1": "line_size",
    "B_L2": "line_size",
    "B_TLB": "page_size",
    "B_L3": "line_size",
}
# What a slider is called, by the first part of its name; the second part is the level.
LABELS = {"C": "{} capacity", "l": "{} miss adds", "k": "{} replacement", "B": "{} line"} | {
    "C_TLB": "TLB reach",
    "B_TLB": "Page",
    "t0": "L1 hit",
    "t_step": "Step of the loop",
    "q": "Line in order adds",
    "r_L1": "Skipped line adds in L1",
    "r_L3": "Skipped line adds in L3",
    "b": "Memory bandwidth",
    "t_add": "One addition",
}
GROUPS = {"L1": "First-level cache", "L2": "Second-level cache", "TLB": "Address translation", "L3": "Last-level cache"}
PREFETCHING, THROUGHPUT = "Prefetching", "Throughput"
ASSUMED_GHZ = 3.5
BANDWIDTH = Parameter(20.0, "GB/s", "assumed", "order of magnitude of one core")  # where a profile has none

# Slider ranges by the first letter of the symbol: blocks [B], from the smallest stride; times [ns]; bandwidth.
RANGES: dict[str, tuple[float, float]] = {"B": (ELEMENT, 64 * KIB), "b": (1.0, 1000.0)}
RANGES |= dict.fromkeys("lqrt", (0.01, 1000.0))


class MemoryLab(KernelLab):
    """Base of the labs: the machine's parameters as sliders, and sliders as parameters of a model."""

    unit = "ns"
    quantity = "time per access"

    @property
    def last_level(self) -> float:
        """Return the largest known capacity [B] of the last cache: a set that may fit is measured as if it did."""
        claimed = claim()
        return max(self.parameter("C_L3").value, claimed.get("l3_capacity", claimed["l2_capacity"]).value)

    @property
    def largest(self) -> float:
        """Return the largest working set [B]: four times the last-level cache, at most an eighth of the memory.

        All points of a sweep exist at once. With this limit they stay below half of the memory available.
        """
        return max(MIB, min(4 * self.last_level, memory_available() // 8) // MIB * MIB)

    def parameter(self, name: str) -> Parameter:
        """Return the machine's parameter for a model slider; claimed or assumed where a profile has none."""
        known = {key: parameter for key, parameter in self.machine.parameters.items() if parameter.value is not None}
        if name == "t_add":
            clock = known.get("core_clock", Parameter(ASSUMED_GHZ, "GHz", "assumed", "usual"))
            return Parameter(round(1 / clock.value, 3), "ns", clock.origin, f"one cycle at {clock.value:.3g} GHz")
        wanted = PARAMETERS[name]
        if name in ("C_L3", "k_L3") and "l3_capacity" not in self.machine.parameters:
            wanted = wanted.replace("l3", "l2")  # two levels of cache: memory lies behind the second
        if name == "b":
            return known.get(wanted, BANDWIDTH)
        if wanted not in known and (name[0] in "kqr" or name == "t_step"):
            return claim()[wanted]  # published profiles hold latencies and capacities only
        return self.machine.parameter(wanted)

    def size_slider(self, low: float, default: float, meaning: str, source: str, label: str = "Working set") -> Slider:
        domain = (low, self.largest, "log")
        return Slider("size", "B", default, meaning, *domain, multiple_of=LINE, source=source, label=label, symbol="S")

    @property
    def best_pages(self) -> str:
        """Return "huge" if the system offers huge pages, so that TLB misses do not affect the measurement."""
        return "huge" if huge_pages_offered() else "4K"

    def pages_slider(self) -> Slider:
        return Slider.choice("pages", PAGES, "page size of the array", "the system's base page", label="Pages")

    def model_sliders(self, names: Sequence[str]) -> list[Slider]:
        ranges = RANGES | {"C": (KIB, self.largest / 2)}  # a step beyond the sweep could not be seen
        sliders = []
        for name in names:
            parameter, quantity = self.parameter(name), models.QUANTITIES[name]
            value, source = parameter.value, f"{parameter.origin}: {parameter.source}"
            shown: dict[str, Any] = {"measured": False, "source": source, "label": label(name), "group": group(name)}
            if name[0] == "k":
                sliders.append(Slider(name, "", value, quantity.meaning, 0, 1, **shown))
                continue
            if parameter.unit != quantity.unit:
                rule = f"{PARAMETERS[name]} of a machine must be given in {quantity.unit}"
                raise SpeLabError(f"{rule}, got {parameter.unit!r}; correct the machine file")
            low, high = min(ranges[name[0]][0], value), max(ranges[name[0]][1], value)
            sliders.append(Slider(name, quantity.unit, value, quantity.meaning, low, high, "log", **shown))
        return sliders

    def model_values(self, point: Mapping[str, Value]) -> dict[str, float]:
        """Return the model's parameters at `point`. Huge pages enlarge the page size and the reach of the TLB."""
        values = {name: value for name, value in point.items() if name in models.QUANTITIES}
        if point["pages"] == "huge":
            values["C_TLB"] *= HUGE_PAGE / self.machine.value("page_size")
            if "B_TLB" in values:
                values["B_TLB"] = HUGE_PAGE
        return values

    def cycle_point(self, name: str, size: int, pages: str, seed: int, cancel: Cancel) -> Point:
        """Return a point that walks a random cycle through a new working set of `size` bytes."""
        state, arena = new_cycle(size, pages, seed, cancel)
        return Point(name, kernels().address("cycle_walk"), state, self.warm_up(size, size // LINE), keep=arena)

    def sweep_point(self, name: str, kernel: str, arena: Arena, stride: int) -> Point:
        """Return a point that sweeps over an existing working set with `stride` bytes between accesses."""
        library = kernels()
        state = sweep_state(library, arena.view.view(np.int32), stride)
        warm = self.warm_up(arena.size, arena.size // max(min(stride, LINE), ELEMENT))
        return Point(name, library.address(kernel), state, warm, keep=arena)

    def warm_up(self, size: int, accesses: int) -> int:
        """Return the number of untimed accesses before a burst.

        A set that may fit a cache is visited completely. Lines of a larger set are evicted before their next use, so
        only its translations are reloaded.
        """
        return max(SETTLE, accesses) if size <= self.last_level else SETTLE


def label(name: str) -> str:
    """Return what a slider is called.

    >>> label("C_L2"), label("l_TLB"), label("t0")
    ('L2 capacity', 'TLB miss adds', 'L1 hit')
    """
    letter, _, level = name.partition("_")
    return LABELS.get(name) or LABELS[letter].format(level)


def group(name: str) -> str:
    """Return the heading above a slider: its level, or what it belongs to.

    >>> group("k_L3"), group("t0"), group("r_L1"), group("b")
    ('Last-level cache', 'First-level cache', 'Prefetching', 'Throughput')
    """
    if name in ("b", "t_add"):
        return THROUGHPUT
    return PREFETCHING if name == "t_step" or name[0] in "qr" else GROUPS[name.partition("_")[2] or "L1"]


@register
class WorkingSet(MemoryLab):
    """Lab: time per access against the size of the working set."""

    id = "memory.working_set"
    within = 0.45  # of an uncalibrated machine
    title = "Working-set size"
    question = (
        "How long does one access take when a program walks through S bytes, and at which sizes does the time change?"
    )
    axis = "size"
    breaks = (
        "The model has one capacity per level. Replacement that is not LRU, caches shared with neighbours and"
        " page-table entries that miss the caches blur the steps. Overlapping or prefetched accesses cost less than any"
        " latency."
    )
    compared = ("dependent (random cycle)", "refined")
    first = ("size", "pages", "C_L3", "l_L3")
    measured_names = ("dependent (random cycle)", "independent (strided sum)")

    def make_sliders(self) -> list[Slider]:
        size = self.size_slider(KIB, MIB, "size of the working set", "the middle of the sweep")
        names = [f"{letter}_{level}" for level in models.LEVELS for letter in "Clk"]
        return [size, self.pages_slider(), *self.model_sliders(["t0", *names, "B_L3", "b", "t_add"])]

    def default_values(self, short: bool) -> list[float]:
        octaves = range(int(math.log2(self.largest / (4 * KIB))) + 1)
        if short:
            most = min(2 * self.last_level, 64 * MIB)
            return [4 * KIB * 2**i for i in octaves if i % 2 == 0 and 4 * KIB * 2**i <= most]
        halves = [6 * KIB * 2**i for i in octaves if 6 * KIB * 2**i <= 4 * MIB]
        return sorted({*(4 * KIB * 2**i for i in octaves), *halves, self.largest})

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        total, limit = x.values.sum(), memory_available() // 2
        if total > limit:
            rule = f"the sizes of one sweep must add up to at most half of the memory available ({limit} B)"
            raise SpeLabError(f"{rule}, got {total:.0f} B; leave out the largest size")
        sizes, pages = x.values.astype(int).tolist(), point["pages"]
        cycles = [self.cycle_point("cycle", size, pages, seed, cancel) for seed, size in enumerate(sizes, 1)]
        # The same lines in address order; these loads do not depend on each other.
        sums = [self.sweep_point("sum", "sum_strided", cycle.keep, LINE) for cycle in cycles]
        return Plan([*cycles, *sums], self.measured_names, kernels(), {"pages": point["pages"]})

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        values = self.model_values(point)
        shown: dict[str, Any] = {
            "staircase": models.staircase(),
            "refined": models.refined(),
            "full bandwidth": models.bandwidth_by_size(),
        }
        return [Curve(name, "predicted", x, "ns", model(S=x.values, **values)) for name, model in shown.items()]

    def presets(self) -> dict[str, Preset]:
        memory, cliffs = self.slider("l_L3"), {f"k_{level}": 0.0 for level in models.LEVELS}
        return {
            "Huge pages": Preset(
                {"pages": "huge"},
                "The step at C_TLB disappears: one translation covers far more memory, and only cache misses remain.",
            ),
            "Cliffs": Preset(
                cliffs, "The refined curve lies on the staircase: with LRU, all accesses miss as soon as S exceeds C."
            ),
            "Memory 3 × as slow": Preset(
                {"l_L3": memory.rounded(3 * memory.default)},
                "Nothing changes up to C_L3: only sets larger than the last-level cache pay the memory latency.",
            ),
        }


@register
class Stride(MemoryLab):
    """Lab: time per access against the stride, the distance between successive accesses."""

    id = "memory.stride"
    within = 0.2  # of an uncalibrated machine
    title = "Stride"
    question = "How long does one access take when a loop reads every s-th byte of a large array, and which s matter?"
    axis = "stride"
    breaks = (
        "In the sum over levels every access waits for every miss, but prefetchers fetch ahead of a regular stride."
        " The prefetched model has two costs of a line and no cache sets: strides of large powers of two compete for"
        " few sets. Neither model knows that independent loads overlap."
    )
    compared = ("dependent (strided)", "prefetched")
    first = ("stride", "size", "pages", "B_L3")
    measured_names = ("dependent (strided)", "independent (strided sum)")
    kernel_names = ("sum_strided_dependent", "sum_strided")

    def make_sliders(self) -> list[Slider]:
        (low, high), meaning, one_line = RANGES["B"], "distance of two accesses", "one cache line"
        shown: dict[str, Any] = {"multiple_of": ELEMENT, "source": one_line, "label": "Stride", "symbol": "s"}
        stride = Slider("stride", "B", 64, meaning, low, high, "log", **shown)
        meaning, beyond = "size of the array", "beyond the last-level cache"
        size = self.size_slider(64 * KIB, self.largest // 2, meaning, beyond, "Array size")
        names = [f"{letter}_{level}" for level in models.LEVELS for letter in "CBl"]
        prices = ["t_step", "q", "r_L1", "r_L3", "b", "t_add"]
        return [stride, size, self.pages_slider(), *self.model_sliders(["t0", *names, *prices])]

    def default_values(self, short: bool) -> list[float]:
        powers = [ELEMENT * 2**i for i in range(13)]
        if short:
            return powers[::2]
        # Powers of two compete for few cache sets and memory banks; odd multiples of a line do not.
        return sorted({*powers, 96, 192, *(power - LINE for power in powers if power >= 512)})

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        arena = Arena(int(point["size"]), point["pages"])
        strides = x.values.astype(int).tolist()
        points = [self.sweep_point(kernel, kernel, arena, stride) for kernel in self.kernel_names for stride in strides]
        how = {"pages": point["pages"], "array_bytes": arena.size}
        return Plan(points, self.measured_names, kernels(), how)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        values = self.model_values(point)
        shown: dict[str, Any] = {
            "sum over levels": models.stride_time(),
            "prefetched": models.prefetched(),
            "full bandwidth": models.bandwidth_by_stride(),
        }
        times = {name: model(s=x.values, S=point["size"], **values) for name, model in shown.items()}
        return [Curve(name, "predicted", x, "ns", time) for name, time in times.items()]

    def presets(self) -> dict[str, Preset]:
        size = self.slider("size")
        fits = size.rounded(self.slider("C_L2").default / 2)
        lines = dict.fromkeys(("B_L1", "B_L2", "B_L3"), 256.0)
        return {
            "Array in a cache": Preset(
                {"size": fits},
                "Most of the time is gone, as no access goes to memory. The bend at the line size stays.",
            ),
            "Lines of 256 B": Preset(
                lines, "The bend moves to 256 B: a longer line serves more accesses before the next line is needed."
            ),
        }


def sweep_state(library: native.Library, elements: np.ndarray, stride: int) -> ctypes.Structure:
    """Return a `struct sweep` at the start of these elements, with `stride` bytes between accesses."""
    return library.struct("sweep")(elements.ctypes.data, elements.size, stride // ELEMENT, LINE // ELEMENT, 0, 0, 0)


@verified("memory")
def kernels(library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """Load kernels_c/memory.c and check its variants against their reference on edge sizes."""
    for n, stride in ((1, 1), (17, 5), (64, 16), (100, 100)):
        elements = np.arange(1, n + 1, dtype=np.int32)
        reference, *variants = [
            getattr(library, name)(sweep_state(library, elements, stride * ELEMENT), 3 * n)
            for name in Stride.kernel_names
        ]
        for name, total in zip(Stride.kernel_names[1:], variants, strict=True):
            yield f"{name} of {n} elements at stride {stride}", reference, total
