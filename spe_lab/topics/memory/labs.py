"""The labs memory.stride and memory.working_set: working sets, kernels bound to them, and their predictions."""

import ctypes
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.verified import verified
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.kinds import KernelLab, Plan
from spe_lab.core.lab import Effort
from spe_lab.core.machine import Parameter, claim, memory_available
from spe_lab.core.machine.arena import HUGE_PAGE, PAGES, Arena, huge_pages_offered
from spe_lab.core.registry import register
from spe_lab.core.sampling.cycle import LINE, new_cycle
from spe_lab.core.sampling.kernels import Point
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.topics.memory import models

ELEMENT = 4  # bytes of the int32_t that the strided kernels load
KIB, MIB = 1 << 10, 1 << 20
SETTLE = 1 << 14  # accesses that bring translations and small sets back after other points had the caches

# Model slider ← machine parameter.
PARAMETERS = {
    "C1": "l1_capacity",
    "C2": "l2_capacity",
    "C3": "tlb_reach",
    "C4": "l3_capacity",
    "l0": "l1_latency",
    "l1": "l2_latency",
    "l2": "l3_latency",
    "l3": "tlb_latency",
    "l4": "memory_latency",
    "q0": "strided_step_latency",
    "q4": "memory_sequential_latency",
    "r1": "l2_skipping_latency",
    "r4": "memory_skipping_latency",
    "k1": "l1_replacement",
    "k2": "l2_replacement",
    "k3": "tlb_replacement",
    "k4": "l3_replacement",
    "B1": "line_size",
    "B2": "line_size",
    "B3": "page_size",
    "B4": "line_size",
}


# Sliders' ranges by the kind of symbol: blocks [B], from the smallest stride; latencies [ns].
RANGES: dict[str, tuple[float, float]] = {"B": (ELEMENT, 64 * KIB)} | dict.fromkeys("lqr", (0.01, 1000.0))


class MemoryLab(KernelLab):
    """What the two labs share: the machine's parameters as sliders, and their way into a model."""

    unit = "ns"
    quantity = "time per access"

    @property
    def last_level(self) -> float:
        """Bytes of the last cache before memory, at the largest that anybody says: what may fit must be measured as if
        it did.
        """
        claimed = claim()
        return max(self.parameter("C4").value, claimed.get("l3_capacity", claimed["l2_capacity"]).value)

    @property
    def largest(self) -> float:
        """Four times the last-level cache, but no more than an eighth of what this process may use: all points of a
        sweep exist at once, and together they stay below half of it."""
        return max(MIB, min(4 * self.last_level, memory_available() // 8) // MIB * MIB)

    def parameter(self, name: str) -> Parameter:
        wanted = PARAMETERS[name]
        if name in ("C4", "k4") and "l3_capacity" not in self.machine.parameters:
            wanted = wanted.replace("l3", "l2")  # two levels of cache: memory lies behind the second
        if name[0] in "kqr" and wanted not in self.machine.parameters:
            return claim()[wanted]  # published profiles speak of latencies and capacities only
        return self.machine.parameter(wanted)

    def size_slider(self, low: float, default: float, meaning: str, source: str) -> Slider:
        return Slider("size", "B", default, meaning, low, self.largest, "log", multiple_of=LINE, source=source)

    @property
    def best_pages(self) -> str:
        """Huge pages where the system gives them, so that translations stay out of the picture."""
        return "huge" if huge_pages_offered() else "4K"

    def pages_slider(self) -> Slider:
        return Slider(
            "pages",
            "",
            PAGES[0],
            "pages that the array lies on",
            scale="choice",
            choices=PAGES,
            source="the system's base page",
        )

    def model_sliders(self, names: Sequence[str]) -> list[Slider]:
        sliders = []
        for name in names:
            found, meaning = self.parameter(name), models.QUANTITIES[name].meaning
            if name[0] == "k":
                sliders.append(
                    Slider(
                        name, "", found.value, meaning, 0, 1, measured=False, source=f"{found.origin}: {found.source}"
                    )
                )
                continue
            if found.unit != models.QUANTITIES[name].unit:
                rule = f"{PARAMETERS[name]} of a machine must be given in {models.QUANTITIES[name].unit}"
                raise SpeLabError(f"{rule}, got {found.unit!r}; correct the machine file")
            low, high = (
                RANGES[name[0]] if name[0] != "C" else (KIB, self.largest / 2)
            )  # a step beyond the sweep could not be seen
            low, high = min(low, found.value), max(high, found.value)
            sliders.append(
                Slider(
                    name,
                    found.unit,
                    found.value,
                    meaning,
                    low,
                    high,
                    "log",
                    measured=False,
                    source=f"{found.origin}: {found.source}",
                )
            )
        return sliders

    def model_values(self, point: Mapping[str, Value]) -> dict[str, float]:
        """The model's parameters at this point. Huge pages enlarge the page and what a TLB entry reaches."""
        values = {name: value for name, value in point.items() if name in models.QUANTITIES}
        if point["pages"] == "huge":
            values["C3"] *= HUGE_PAGE / self.machine.value("page_size")
            if "B3" in values:
                values["B3"] = HUGE_PAGE
        return values

    def cycle_point(self, name: str, size: int, pages: str, seed: int, cancel: Cancel) -> Point:
        """A random cycle through a new working set of `size` bytes."""
        state, arena = new_cycle(size, pages, seed, cancel)
        return Point(name, kernels().address("cycle_walk"), state, self.warm_up(size, size // LINE), keep=arena)

    def sweep_point(self, name: str, kernel: str, arena: Arena, stride: int) -> Point:
        """A strided sweep over an existing working set."""
        library = kernels()
        state = sweep_state(library, arena.view.view(np.int32), stride)
        return Point(
            name,
            library.address(kernel),
            state,
            self.warm_up(arena.size, arena.size // max(min(stride, LINE), ELEMENT)),
            keep=arena,
        )

    def warm_up(self, size: int, accesses: int) -> int:
        """Accesses before a burst. A set that may fit a cache is visited as a whole; of a larger one nothing that is
        visited now is still there when its turn comes again, and only the translations need to be brought back."""
        return max(SETTLE, accesses) if size <= self.last_level else SETTLE


@register
class WorkingSet(MemoryLab):
    """Time per access against the size of the working set."""

    id = "memory.working_set"
    within = 0.45  # of an uncalibrated machine
    title = "Working-set size"
    question = "What does one access cost when a program walks through S bytes, and where does the price change?"
    axis = "size"
    breaks = (
        "The model knows one capacity per level: replacement that is not LRU, caches shared with neighbours and"
        " page-table entries that miss the caches themselves blur the steps, and overlapping or prefetched accesses"
        " cost less than any latency."
    )
    compared = ("dependent (random cycle)", "refined")
    measured_names = ("dependent (random cycle)", "independent (strided sum)")

    def make_sliders(self) -> list[Slider]:
        size = self.size_slider(KIB, MIB, "size of the working set", "the middle of the sweep")
        return [
            size,
            self.pages_slider(),
            *self.model_sliders(["C1", "C2", "C3", "C4", "l0", "l1", "l2", "l3", "l4", "k1", "k2", "k3", "k4"]),
        ]

    def default_values(self, short: bool) -> list[float]:
        octaves = range(int(math.log2(self.largest / (4 * KIB))) + 1)
        if short:
            return [
                4 * KIB * 2**i for i in octaves if i % 2 == 0 and 4 * KIB * 2**i <= min(2 * self.last_level, 64 * MIB)
            ]
        halves = [6 * KIB * 2**i for i in octaves if 6 * KIB * 2**i <= 4 * MIB]
        return sorted({*(4 * KIB * 2**i for i in octaves), *halves, self.largest})

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        total, limit = x.values.sum(), memory_available() // 2
        if total > limit:
            rule = f"the sizes of one sweep must together stay below half of the memory available ({limit} B)"
            raise SpeLabError(f"{rule}, got {total:.0f} B; leave out the largest")
        cycles = [
            self.cycle_point("cycle", int(size), point["pages"], seed=i + 1, cancel=cancel)
            for i, size in enumerate(x.values)
        ]
        # The same lines once more, in the order of their addresses and without waiting for each other.
        sums = [self.sweep_point("sum", "sum_strided", cycle.keep, LINE) for cycle in cycles]
        return Plan([*cycles, *sums], self.measured_names, kernels(), {"pages": point["pages"]})

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        values = self.model_values(point)
        both = {"staircase": models.staircase(), "refined": models.refined()}
        return [Curve(name, "predicted", x, "ns", model(S=x.values, **values)) for name, model in both.items()]

    def presets(self) -> dict[str, Preset]:
        slow, cliffs = (
            self.slider("l4").rounded(3 * self.slider("l4").default),
            dict.fromkeys(("k1", "k2", "k3", "k4"), 0.0),
        )
        return {
            "Huge pages": Preset(
                {"pages": "huge"},
                "The step at C3 leaves the picture: one translation reaches much further, and only cache misses are"
                " left.",
            ),
            "Cliffs": Preset(
                cliffs, "The refined curve lies on the staircase: caches that give up the oldest line fail at once."
            ),
            "Memory 3 × as slow": Preset(
                {"l4": slow}, "Nothing changes up to C4: memory's latency is paid by sets that no cache holds."
            ),
        }


@register
class Stride(MemoryLab):
    """Time per access against the distance of two accesses."""

    id = "memory.stride"
    within = 0.2  # of an uncalibrated machine
    title = "Stride"
    question = (
        "What does one access cost when a loop takes every s-th byte of a large array, and which distances matter?"
    )
    axis = "stride"
    breaks = (
        "The sum over levels lets every access wait for every miss, and prefetchers fetch ahead of a regular stride."
        " The prefetched model knows two prices of a fetched line, and no sets: strides of large powers of two compete"
        " for few places. Neither knows that independent loads overlap."
    )
    compared = ("dependent (strided)", "prefetched")
    measured_names = ("dependent (strided)", "independent (strided sum)")
    kernel_names = ("sum_strided_dependent", "sum_strided")

    def make_sliders(self) -> list[Slider]:
        stride = Slider(
            "stride",
            "B",
            64,
            "distance of two accesses",
            ELEMENT,
            64 * KIB,
            "log",
            multiple_of=ELEMENT,
            source="one cache line",
        )
        width = Slider(
            "B0",
            "B",
            ELEMENT,
            models.QUANTITIES["B0"].meaning,
            *RANGES["B"],
            "log",
            measured=False,
            source="the kernel loads int32_t",
        )
        return [
            stride,
            self.size_slider(64 * KIB, self.largest // 2, "size of the array", "beyond the last-level cache"),
            self.pages_slider(),
            width,
            *self.model_sliders(
                ["B1", "B2", "B3", "B4", "C1", "C2", "C3", "C4", "l0", "l1", "l2", "l3", "l4", "q0", "q4", "r1", "r4"]
            ),
        ]

    def default_values(self, short: bool) -> list[float]:
        powers = [ELEMENT * 2**i for i in range(13)]
        if short:
            return powers[::2]
        # Powers of two compete for few cache sets and memory banks; the next odd multiple of a line does not.
        return sorted({*powers, 96, 192, *(power - LINE for power in powers if power >= 512)})

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        arena = Arena(int(point["size"]), point["pages"])
        strides = x.values.astype(int).tolist()
        points = [self.sweep_point(kernel, kernel, arena, stride) for kernel in self.kernel_names for stride in strides]
        how = {"pages": point["pages"], "array_bytes": arena.size}
        return Plan(points, self.measured_names, kernels(), how)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        values = self.model_values(point)
        both = {"sum over levels": models.stride_time(), "prefetched": models.prefetched()}
        return [
            Curve(name, "predicted", x, "ns", model(s=x.values, S=point["size"], **values))
            for name, model in both.items()
        ]

    def presets(self) -> dict[str, Preset]:
        size = self.slider("size")
        fits = size.rounded(self.slider("C2").default / 2)
        lines = dict.fromkeys(("B1", "B2", "B4"), 256.0)
        return {
            "Array in a cache": Preset(
                {"size": fits},
                "Most of the height is gone, as no access goes to memory; the bend at the length of a line stays.",
            ),
            "Lines of 256 B": Preset(
                lines, "The bend moves to 256 B: a longer line serves more accesses before the next one has to come."
            ),
        }


def sweep_state(library: native.Library, elements: np.ndarray, stride: int) -> ctypes.Structure:
    """`struct sweep` over these elements at `stride` bytes, at its start."""
    return library.struct("sweep")(elements.ctypes.data, elements.size, stride // ELEMENT, LINE // ELEMENT, 0, 0, 0)


@verified("memory")
def kernels(library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """kernels_c/memory.c, its variants checked against their reference on edge sizes before anything is timed."""
    for n, stride in ((1, 1), (17, 5), (64, 16), (100, 100)):
        elements = np.arange(1, n + 1, dtype=np.int32)
        reference, *variants = [
            getattr(library, name)(sweep_state(library, elements, stride * ELEMENT), 3 * n)
            for name in Stride.kernel_names
        ]
        for name, found in zip(Stride.kernel_names[1:], variants, strict=True):
            yield f"{name} of {n} elements at stride {stride}", reference, found
