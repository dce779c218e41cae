"""Calibration: the machine's parameters as measured by this process, with interval, method and verdict.

Effective values: what a program gets, not what the data sheet says. "Not resolvable here" is a result.
"""

import ctypes
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.calibration.steps import Staircase, Step, fit
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError
from spe_lab.core.machine.arena import HUGE_PAGE, Arena, huge_pages_offered
from spe_lab.core.machine.claims import facts, memory_available
from spe_lab.core.machine.profile import Parameter
from spe_lab.core.sampling.cycle import LINE, link, new_cycle
from spe_lab.core.sampling.kernels import Point, Sweep, sweep
from spe_lab.core.sampling.statistics import centre

KIB, MIB = 1 << 10, 1 << 20
CACHES_S = 8.0
SETTLE = 1 << 13  # accesses that reload translations before a burst
UNRESOLVED = "not resolvable here"
Found = dict[str, Parameter]


def calibrate(claimed: Found, cancel: Cancel | None = None) -> Iterator[tuple[float, str, Found]]:
    """Measure everything, in some 25 s; yield (progress, next stage, parameters so far)."""
    bench = Calibration(claimed, Cancel() if cancel is None else cancel)
    found: Found = {}
    done = 0.0
    for text, seconds, measure in bench.stages():
        yield done / bench.seconds, text, found
        if bench.cancel.is_set():
            raise CancelledError("the calibration was cancelled; the former profile is unchanged")
        found = {**found, **measure(found)}
        done += seconds
    yield 1.0, "", found


class Calibration:
    """The stages of a calibration. Each takes the parameters found so far and returns more."""

    def __init__(self, claimed: Found, cancel: Cancel) -> None:
        self.claimed = claimed
        self.cancel = cancel
        self.kernels = native.load("machine")
        self.memory = native.load("memory")
        self.pages = "huge" if huge_pages_offered() else "4K"
        last = claimed.get("l3_capacity", claimed["l2_capacity"]).value
        self.largest = int(max(8 * MIB, min(4 * last, memory_available() // 8) // MIB * MIB))
        self.last_level = last

    @property
    def seconds(self) -> float:
        return sum(seconds for _, seconds, _ in self.stages())

    def stages(self) -> list[tuple[str, float, Callable[[Found], Found]]]:
        return [
            ("clock, calls and branches", 2.0, self.scalars),
            ("caches: a random cycle through growing working sets", CACHES_S, self.caches),
            ("translations", 4.0, self.translations),
            ("line size", 1.5, self.line),
            ("misses in order, and bandwidth", 2.5, self.streams),
            ("misses that skip lines", 1.2, self.strides),
            ("misses at once", 1.5, self.parallelism),
            ("page faults", 0.5, self.faults),
            ("hand-off between cores", 0.5, self.hand_off),
        ]

    # The stages

    def scalars(self, _: Found) -> Found:
        nothing, counter = ctypes.c_int64(0), ctypes.c_uint64(0)
        random = np.random.default_rng(1)
        values = random.integers(0, 256, 4 * MIB, dtype=np.uint8)  # far more than a predictor memorises
        selection = self.kernels.struct("selection")
        states: dict[str | int, Any] = {
            "call_function": nothing,
            "call_clock": nothing,
            "call_system": nothing,
            "add_atomically": counter,
            **{threshold: selection(values.ctypes.data, values.size, 0, threshold) for threshold in (0, 128, 256)},
        }
        addresses = {
            name: self.kernels.address(name if isinstance(name, str) else "select_branching") for name in states
        }
        points = [Point(str(name), addresses[name], state, keep=values) for name, state in states.items()]
        result = self.sweep(points, 2.0)
        call, clock, system, atomic, never, often, always, _null, chain, _control = result.blocks().T
        steps_seen = np.zeros(20_000, np.int64)
        self.kernels.clock_steps(steps_seen, steps_seen.size)
        grain = float(steps_seen[steps_seen > 0].min())
        mispredicted = "half of the branches on random data are mispredicted: 2 · (t(½) − (t(0) + t(1)) / 2)"
        return {
            "core_clock": measured(centre(1 / chain), "GHz", "dependent additions, one core cycle each"),
            "timer_cost": measured(centre(clock), "ns", "a reading of the monotonic clock, one of many in sequence"),
            "timer_grain": exact(grain, "ns", "least difference of two readings that differ"),
            "call_cost": measured(centre(call), "ns", "call of an empty function, not inlined"),
            "system_call_cost": measured(centre(system), "ns", "getppid"),
            "atomic_cost": measured(centre(atomic), "ns", "atomic addition to a line that this core owns"),
            "branch_penalty": measured(centre(2 * (often - (never + always) / 2)), "ns", mispredicted),
        }

    def caches(self, _: Found) -> Found:
        """Measure a random cycle, on huge pages if possible, which keep translations out of the result."""
        return self.levels(deque(self.cache_sweeps(CACHES_S), maxlen=1).pop()[1])

    def cache_sweeps(self, seconds: float) -> Iterator[tuple[Sweep, Staircase]]:
        """Yield ever more precise results of the sweep behind `caches`, with the steps fitted to each."""
        sizes = self.sizes(short=seconds < 1)
        points = [self.cycle(size, self.pages, seed) for seed, size in enumerate(sizes, 1)]
        for result in sweep(points, budget_s=seconds, target=0.001, cancel=self.cancel):
            blocks = result.blocks()[:, : len(sizes)]
            yield result, fit(np.array(sizes, float), blocks, max_steps=len(self.level_names()))

    def level_names(self) -> list[tuple[str, str]]:
        """Return (capacity, latency added by a miss) for each level that the system claims to have."""
        levels = [("l1_capacity", "l2_latency"), ("l2_capacity", "l3_latency"), ("l3_capacity", "memory_latency")]
        return levels if "l3_capacity" in self.claimed else [levels[0], ("l2_capacity", "memory_latency")]

    def levels(self, fitted: Staircase) -> Found:
        """Return the fitted steps as named parameters.

        The first step ends the first-level cache; the last one leads to memory. Of those between, the first ends the
        second level. A level without a step is not resolvable: its cost is part of a neighbour's.
        """
        steps = f"{len(fitted.steps)} steps fitted, median residual {fitted.residual:.1%}"
        method = f"random cycle on {self.pages} pages; {steps}"
        found = {"l1_latency": measured((fitted.base, fitted.base_low, fitted.base_high), "ns", method)}
        *levels, last = self.level_names()
        inner, memory = list(fitted.steps[: len(levels)]), None
        if len(fitted.steps) > 1:
            inner, memory = list(fitted.steps[:-1]), fitted.steps[-1]
        for (capacity, latency), step in [*zip_longest(levels, inner), (last, memory)]:
            if step is None:
                found[capacity], found[latency] = unresolved("B", method), unresolved("ns", method)
            else:
                found[capacity], found[latency] = level_of(step, method)
                kind, rule = f"{method}; the better of a cliff (0) and a ramp (1)", float(step.kind == "ramp")
                found[capacity.replace("capacity", "replacement")] = exact(rule, "", kind)
        return found

    def sizes(self, short: bool = False) -> list[int]:
        """Return four sizes an octave for the first levels, two above; multiples of a line. Half if `short`."""
        fine = [round(4 * KIB * 2 ** (k / 4)) for k in range(4 * 11)]
        coarse = [round(8 * MIB * 2 ** (k / 2)) for k in range(40)]
        chosen = (*fine[::2], *coarse[:1]) if short else (*fine, *coarse)
        return sorted({size // LINE * LINE for size in chosen if size <= self.largest})

    def sweep(self, points: Sequence[Point], seconds: float) -> Sweep:
        return deque(sweep(points, budget_s=seconds, target=0.001, cancel=self.cancel), maxlen=1).pop()

    def cycle(self, size: int, pages: str, seed: int) -> Point:
        state, arena = new_cycle(size, pages, seed, self.cancel)
        warm = max(SETTLE, size // LINE) if size <= self.last_level else SETTLE
        return Point(str(size), self.memory.address("cycle_walk"), state, warm, keep=arena)

    def translations(self, found: Found) -> Found:
        """Measure one line of each page in random order against as many adjacent lines.

        The difference is the cost of translations.
        """
        page = int(self.claimed["page_size"].value)
        # As many lines as fit in the second-level cache together with those of the page table.
        most = max(int(self.value(found, "l2_capacity")) // 2, int(self.claimed["l2_capacity"].value) // 4) // LINE
        counts = sorted({round(2 ** (k / 2)) for k in range(8, 40) if 2 ** (k / 2) <= most})
        sparse, dense = [], []
        for seed, count in enumerate(counts, 1):
            arena = Arena((count + 1) * (page + LINE), "4K")
            # Node i lies i lines into page i: no two of them compete for a cache set because of their pages.
            state = link(arena.address, count, page + LINE, seed, self.cancel)
            walk = self.memory.address("cycle_walk")
            sparse.append(Point(f"{count} pages", walk, state, max(SETTLE, count), keep=arena))
            dense.append(self.cycle(count * LINE, "4K", seed))
        blocks = self.sweep([*sparse, *dense], 3.0).blocks()
        n = len(counts)
        base = np.nanmedian(blocks[:, n])
        fitted = fit(np.array(counts, float) * page, blocks[:, :n] - blocks[:, n : 2 * n] + base)
        method = f"random cycle over one line a page, less as many adjacent lines; {len(fitted.steps)} steps fitted"
        wanted = {"tlb1_reach": "B", "tlb1_latency": "ns", "tlb_reach": "B", "tlb_walk_latency": "ns"}
        result = {name: unresolved(unit, method) for name, unit in wanted.items()}
        first, *others = fitted.steps or (None,)
        if first is not None:
            result["tlb1_reach"], result["tlb1_latency"] = level_of(first, method)
        if others:
            costliest = max(others, key=lambda step: step.latency)
            result["tlb_reach"], result["tlb_walk_latency"] = level_of(costliest, method)
        return {**result, **self.base_pages(result)}

    def base_pages(self, found: Found) -> Found:
        """Measure what translations cost a random cycle far beyond the TLB's reach.

        There, neighbouring lines share lines of the page table.
        """
        method = (
            "random cycle through the largest set: base pages less huge pages, over the share of misses 1 − reach/S"
        )
        reach = found["tlb_reach"].value or self.claimed["tlb_reach"].value
        if self.pages != "huge" or self.largest < 2 * reach:
            return {"tlb_latency": unresolved("ns", method)}
        result = self.sweep([self.cycle(self.largest, pages, 1) for pages in ("4K", "huge")], 1.0)
        base, huge = result.blocks()[:, :2].T
        return {"tlb_latency": measured(centre((base - huge) / (1 - reach / self.largest)), "ns", method)}

    def line(self, _: Found) -> Found:
        """Measure two loads a step, the second dependent on the first: expensive once it is in another line."""
        node, size = 8 * 128, min(self.largest, 64 * MIB)
        arena = Arena(size, self.pages)
        arena.view[:] = 0
        offsets = [8, 16, 24, 32, 48, 56, 64, 96, 120, 128, 192, 248, 256]
        crossing, points = self.kernels.struct("crossing"), []
        for offset in offsets:
            # The node starts a line whose neighbour belongs to the next pair: fetching lines in pairs cannot hide it.
            state = link(arena.address + 64, size // node - 1, node, 1, self.cancel)
            kernel, state = self.kernels.address("cross_line"), crossing(state.cursor, offset)
            points.append(Point(str(offset), kernel, state, SETTLE, keep=arena))
        blocks = self.sweep(points, 1.5).blocks()[:, : len(offsets)]
        method = "random cycle, two dependent loads a node: the least offset at which the second misses"
        return {"line_size": line_from(np.array(offsets), blocks, method)}

    def streams(self, found: Found) -> Found:
        """Measure loads in order: dependent ones (a sequential miss) and independent ones (bandwidth)."""
        first = self.value(found, "l1_capacity")
        second = self.value(found, "l2_capacity")
        last = self.value(found, "l3_capacity") if "l3_capacity" in self.claimed else None
        sizes = {"l1": first / 2, "l2": max(2 * first, second / 2), "memory": self.largest}
        if last is not None and last / 2 > 2 * second:
            sizes["l3"] = last / 2
        stream, walk = self.kernels.struct("stream"), self.memory.struct("sweep")
        bandwidth, order = [], {}
        for name, size in sizes.items():
            arena = Arena(int(size) // 4096 * 4096, self.pages)
            warm = arena.size // LINE if size <= self.last_level else SETTLE
            words, elements = arena.view.view(np.uint64), arena.view.view(np.int32)
            kernel, state = self.kernels.address("stream_sum"), stream(words.ctypes.data, words.size, 0)
            bandwidth.append(Point(name, kernel, state, warm, keep=arena))
            if name != "memory":  # see `strides`
                state = walk(elements.ctypes.data, elements.size, LINE // 4, 0, 0, 0, 0)
                order[name] = Point(name, self.memory.address("sum_strided_dependent"), state, warm, keep=arena)
        columns = self.sweep([*bandwidth, *order.values()], 1.5).blocks().T
        how = "eight-byte loads in order, one core"
        result = {
            f"{name}_bandwidth": measured(centre(64 / column), "GB/s", how)
            for name, column in zip(sizes, columns, strict=False)
        }
        near, *further = columns[len(sizes) : len(sizes) + len(order)]
        for name, column in zip(list(order)[1:], further, strict=True):
            how = "dependent loads in order, line by line; less that of the first level"
            result[f"{name}_sequential_latency"] = measured(centre(column - near), "ns", how)
        result["memory_bandwidth_all_cores"] = self.together(stream)
        return result

    def together(self, stream: type[ctypes.Structure]) -> Parameter:
        """Measure the bandwidth of all cores at once.

        Each thread's schedule runs inside C. Only samples during which every thread was working count.
        """
        cores, per_core = facts()["cores"], self.largest // 2 // LINE * LINE
        method = f"eight-byte loads in order, {cores} threads at once"
        if cores < 2 or per_core * cores > memory_available() // 2:
            return unresolved("GB/s", method)
        arenas = [Arena(per_core, self.pages) for _ in range(cores)]
        results: list[Sweep | None] = [None] * cores

        def work(i: int) -> None:
            words = arenas[i].view.view(np.uint64)
            kernel, state = self.kernels.address("stream_sum"), stream(words.ctypes.data, words.size, 0)
            results[i] = self.sweep([Point("stream", kernel, state, 0, keep=arenas[i])], 1.0)

        threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(cores)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if None in results:
            return unresolved("GB/s", method)
        rates = [64 / result.blocks()[:, 0] for result in results]
        rows = min(map(len, rates))
        return measured(centre(sum((rate[:rows] for rate in rates), np.zeros(rows))), "GB/s", method)

    def strides(self, found: Found) -> Found:
        """Measure steps of the dependent strided loop: in the first-level cache, in order, and skipping lines.

        On base pages, as most programs have them. The skipping strides are odd multiples of a line, because powers of
        two compete for few cache sets. One is shorter and one longer than the region of a page in which most
        prefetchers stay.
        """
        second = max(2 * self.value(found, "l1_capacity"), self.value(found, "l2_capacity") / 2)
        small, middle, large = (Arena(int(size) // KIB * KIB, "4K") for size in (8 * KIB, second, self.largest))
        walk, points = self.memory.struct("sweep"), []
        for arena, lines in ((small, 1), (large, 1), (middle, 5), (middle, 25), (large, 5), (large, 25)):
            elements = arena.view.view(np.int32)
            state = walk(elements.ctypes.data, elements.size, lines * LINE // 4, LINE // 4, 0, 0, 0)
            kernel = self.memory.address("sum_strided_dependent")
            points.append(Point(f"{arena.size} {lines}", kernel, state, SETTLE, keep=arena))
        near, order, second_5, second_25, memory_5, memory_25 = self.sweep(points, 1.2).blocks()[:, : len(points)].T
        in_second, in_memory = (second_5 + second_25) / 2, (memory_5 + memory_25) / 2
        method, skips = "dependent loads through the largest set on base pages", "every 5th and every 25th line"
        middle_set, less = f"{second / KIB:.0f} KiB", "less a step in the first-level cache"
        in_order = "dependent loads in order, line by line, in the first-level cache"
        through = f"dependent loads through {middle_set} on base pages, {skips}; {less}"
        beyond = f"{method}, {skips}; less the same through {middle_set}"
        return {
            "strided_step_latency": measured(centre(near), "ns", in_order),
            "memory_sequential_latency": measured(centre(order - near), "ns", f"{method}, line by line; {less}"),
            "l2_skipping_latency": measured(centre(in_second - near), "ns", through),
            "memory_skipping_latency": measured(centre(in_memory - in_second), "ns", beyond),
        }

    def parallelism(self, _: Found) -> Found:
        """Walk several random cycles concurrently.

        The gain over one cycle is the number of misses under way at once.
        """
        counts = (1, 2, 4, 8, 12, 16, 24, 32)
        arena, share = Arena(self.largest, self.pages), self.largest // max(counts) // LINE
        cycles = [link(arena.address + k * share * LINE, share, LINE, k + 1, self.cancel) for k in range(max(counts))]
        points = []
        for count in counts:
            state = self.kernels.struct("chains")()
            state.n = count
            for k in range(count):
                state.cursor[k] = cycles[k].cursor
            points.append(Point(str(count), self.kernels.address("walk_chains"), state, SETTLE, keep=arena))
        blocks = self.sweep(points, 1.5).blocks()[:, : len(counts)]
        gain = blocks[:, :1] / blocks
        best = int(np.nanargmax(np.nanmedian(gain, axis=0)))
        method = f"gain of {counts[best]} random cycles at once over one"
        return {"memory_parallelism": measured(centre(gain[:, best]), "", method)}

    def faults(self, _: Found) -> Found:
        """Measure first touches of pages that were given back. The count of faults gives the exact page size."""
        page = int(self.claimed["page_size"].value)
        counted = self.fault_trials(Arena(MIB, "4K"), pages=MIB // 512, page_bytes=512, trials=9)[1]
        fault_count = int(np.median(counted[counted >= 0])) if (counted >= 0).any() else 0
        method = "first touches of 1 MiB at steps of 512 B, faults counted"
        found_size = exact(float(MIB // fault_count), "B", method) if fault_count else unresolved("B", method)
        result = {"page_size": found_size}
        costs = (("page_fault_cost", "4K", page, 64), ("huge_page_fault_cost", "huge", HUGE_PAGE, 1))
        for name, pages, size, count in costs:
            if pages == "huge" and self.pages != "huge":
                result[name] = unresolved("ns", "the system offers no huge pages")
                continue
            elapsed, counted = self.fault_trials(Arena(size * count, pages), count, size, trials=120)
            clean = np.where(counted == count, elapsed / count, np.nan)
            blocks = [np.nanquantile(part, 0.1) for part in np.array_split(clean, 12) if np.isfinite(part).any()]
            result[name] = measured(centre(np.array(blocks)), "ns", "first touch of a page given back to the system")
        return result

    def fault_trials(self, arena: Arena, pages: int, page_bytes: int, trials: int) -> tuple[np.ndarray, np.ndarray]:
        elapsed, counted = np.zeros(trials, np.int64), np.zeros(trials, np.int64)
        self.kernels.fault_pages(arena.address, pages, page_bytes, elapsed, counted, trials, self.cancel.flag)
        return elapsed, counted

    def hand_off(self, _: Found) -> Found:
        """Measure the transfer of a written line between this process's two CPUs with the most distant numbers."""
        method = "a number passed back and forth between two pinned threads; half of a round trip"
        cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
        if len(cpus) < 2:
            return {"hand_off": unresolved("ns", method)}
        hits, trials = 300, 240
        elapsed, preempted = np.zeros(trials, np.int64), np.zeros(trials, np.int64)
        guard = threading.Timer(3.0, self.cancel.set)  # two spinning threads on one CPU would go on for minutes
        guard.start()
        self.kernels.hand_off(cpus[0], cpus[-1], hits, elapsed, preempted, trials, self.cancel.flag)
        guard.cancel()
        clean = np.where((preempted == 0) & (elapsed > 0), elapsed / (2 * hits), np.nan)
        blocks = [np.nanquantile(part, 0.1) for part in np.array_split(clean, 12) if np.isfinite(part).any()]
        return {"hand_off": measured(centre(np.array(blocks)), "ns", method)}

    def value(self, found: Found, name: str) -> float:
        """Return the measured value of a parameter, else the claimed one."""
        return (found[name].value if name in found else None) or self.claimed[name].value


def measured(estimate: tuple[float, float, float], unit: str, method: str) -> Parameter:
    """Return a parameter from (value, low, high); it is not resolvable if its interval contains zero."""
    value, low, high = map(float, estimate)
    if not math.isfinite(value) or value <= 0 or (math.isfinite(low) and low <= 0):
        return unresolved(unit, method)
    low, high = (low, high) if math.isfinite(low) else (None, None)
    return Parameter(value, unit, "measured", "calibration", low, high, method, "measured")


def level_of(step: Step, method: str) -> tuple[Parameter, Parameter]:
    """Return the capacity and the latency of a fitted step."""
    capacity = measured((step.capacity, step.capacity_low, step.capacity_high), "B", f"{method}; a {step.kind}")
    latency = measured((step.latency, step.latency_low, step.latency_high), "ns", f"{method}; what a miss adds")
    return capacity, latency


def exact(value: float, unit: str, method: str) -> Parameter:
    """Return a parameter that is counted rather than timed."""
    return Parameter(value, unit, "measured", "calibration", value, value, method, "exact")


def unresolved(unit: str, method: str) -> Parameter:
    return Parameter(None, unit, "measured", "calibration", None, None, method, UNRESOLVED)


def line_from(offsets: np.ndarray, blocks: np.ndarray, method: str) -> Parameter:
    """Return the offset where a cliff splits the times best, if it is higher than the uncertainty.

    A line is a power of two of bytes; a lone fast sample just above it must not shift the cliff to 96 B.
    """
    times = np.nanmedian(blocks, axis=0)
    splits = {
        k: np.sum((times[:k] - times[:k].mean()) ** 2) + np.sum((times[k:] - times[k:].mean()) ** 2)
        for k in range(1, len(times))
        if math.log2(offsets[k]) % 1 == 0
    }
    k = min(splits, key=splits.__getitem__)
    height = centre(np.nanmean(blocks[:, k:], axis=1) - np.nanmean(blocks[:, :k], axis=1))
    if not (math.isfinite(height[1]) and height[1] > 0.05 * times[:k].mean()):
        return unresolved("B", method)
    return exact(float(offsets[k]), "B", f"{method}; it costs {height[0]:.3g} ns")
