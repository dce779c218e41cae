"""The lab scaling.parallelism: a dot product with instruction-level, data and thread parallelism."""

import math
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.c.verified import verified
from spe_lab.core.calibration.steps import miss_share
from spe_lab.core.errors import SpeLabError
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Recording, Slider, TeamLab, Value, register
from spe_lab.core.machine import Parameter, cpus, memory_available
from spe_lab.core.model import Model, Quantity
from spe_lab.core.reader.waiting import waits
from spe_lab.core.sampling.teams import Setting, team_records, undisturbed
from spe_lab.topics.scaling.models import symbol

# kind -> (chains, lanes), and kind -> enumerator in C
KINDS = {"one chain": (1, 1), "eight chains": (8, 1), "vectors": (1, 4), "eight chains of vectors": (8, 4)}
KERNELS = {
    "one chain": "DOT_ONE_CHAIN",
    "eight chains": "DOT_CHAINS",
    "vectors": "DOT_VECTOR",
    "eight chains of vectors": "DOT_VECTOR_CHAINS",
}
LEVELS = ("one chain", "instructions", "data", "tasks")
BYTES = 8  # of an element of both arrays
MOST_ELEMENTS = 1 << 24  # up to here a float holds sums of −1, 0 and 1 exactly, in any order
TRIAL_NS = 100_000
LONG = 1024  # elements from which on the cost per product is negligible
EDGES = (0, 1, 3, 4, 7, 8, 31, 32, 33, 63, 100, 1000)
SEED = 1
QUANTITIES = {
    "n": Quantity("elements of each array", ""),
    "L": Quantity("latency of an addition of floats", "ns"),
    "G": Quantity("time of one element's loads, multiplication and addition without dependences", "ns"),
    "B": Quantity("bandwidth of memory that one core can use", "GB/s"),
    "B_all": Quantity("bandwidth of memory that all cores share", "GB/s"),
    "m": Quantity("share of the lines that come from memory", ""),
    "s": Quantity("time to begin and end a product", "ns"),
    "o": Quantity("time to release the threads and to wait for all of them", "ns"),
    "c": Quantity("independent chains of additions", ""),
    "v": Quantity("elements in a vector", ""),
    "N": Quantity("threads that share the elements", ""),
}
LOOP = "Loop of each thread"
# group and label of each slider of the model
LABELS = {
    "L": ("Core", "Latency of an addition"),
    "G": ("Core", "Throughput limit"),
    "s": ("Core", "Start of a product"),
    "o": ("Threads", "Release and wait"),
    "B": ("Memory", "Bandwidth of one core"),
    "B_all": ("Memory", "Bandwidth of all cores"),
    "C": ("Memory", "Capacity of the caches"),
}
# No operating system reports these; a calibrated profile replaces them.
ASSUMED = {"L": 1.0, "G": 0.3, "B": 20.0, "B_all": 30.0}


@cache
def element_time() -> Model:
    """Return the time per element: the slowest of three limits, plus its share of the cost per product.

    The limits are the latency of the additions in a chain, the throughput of the core, and the bandwidth of memory.
    N threads divide the work of the cores. They can use N times the bandwidth of one core, up to the shared limit.
    """
    import sympy

    s = {name: symbol(name) for name in QUANTITIES}
    core = sympy.Max(s["L"] / (s["c"] * s["v"]), s["G"] / s["v"]) / s["N"]
    memory = BYTES * s["m"] / sympy.Min(s["N"] * s["B"], s["B_all"])
    expression = sympy.Max(core, memory) + (s["s"] + s["o"]) / s["n"]
    return Model("t", expression, "ns", QUANTITIES, "latency and throughput of a pipeline; lecture notes §4.1 and §5")


@cache
def threads_pay_from() -> Any:
    """Return the n from which N threads are faster than one: t₁·n = t₁·n/N + o, solved for n."""
    import sympy

    n, t, o, N = (symbol(name) for name in ("n", "t1", "o", "N"))
    return sympy.factor(sympy.solve(sympy.Eq(t * n, t * n / N + o), n)[0])


@register
class Parallelism(TeamLab):
    """Time per element of a dot product against its length, by level of parallelism."""

    id = "scaling.parallelism"
    title = "Three kinds of parallelism"
    question = (
        "How much do independent instructions, vectors and threads speed up a dot product, and from which length on?"
    )
    axis = "n"
    quantity = "time per element"
    unit = "ns"
    first = ("n", "threads", "each")
    compared = ("data", "data")
    exact = True
    within = 0.25
    breaks = (
        "The model takes the largest of three limits as if they overlapped perfectly. It assumes that caches deliver at"
        " any rate, and that arrays come from memory as soon as they exceed the caches. Between the levels of cache the"
        " loops with single elements can slow down, which the model does not show."
    )

    def make_sliders(self) -> list[Slider]:
        L, G, B, B_all = (self.known(name) for name in ("L", "G", "B", "B_all"))
        C = self.machine.parameter("l3_capacity" if "l3_capacity" in self.machine.parameters else "l2_capacity")

        def constant(name: str, unit: str, default: float, low: float, high: float, source: str) -> Slider:
            meaning = "capacity of the caches" if name == "C" else QUANTITIES[name].meaning
            group, label = LABELS[name]
            shown: dict[str, Any] = {"label": label, "group": group}
            return Slider(name, unit, default, meaning, low, high, "log", measured=False, source=source, **shown)

        n, each = QUANTITIES["n"].meaning, "loop of each thread of *tasks*"
        return [
            Slider.count("n", 4096, n, 16, MOST_ELEMENTS, "in the first-level cache", "log", label="Elements"),
            Slider.count(
                "threads", 2, "threads of *tasks*", 1, 16, "the fewest that are parallel", label="Threads", symbol="N"
            ),
            Slider.choice("each", KINDS, each, "threads alone", label=LOOP, symbol=LOOP),
            constant("L", "ns", L.value, 0.2, 5, L.source),
            constant("G", "ns", G.value, 0.05, 2, G.source),
            constant("s", "ns", 3.0, 0.5, 50, "assumed: a call and a few additions"),
            constant("o", "ns", 500.0, 50, 50_000, "assumed: order of magnitude of threads that spin"),
            constant("B", "GB/s", B.value, 0.5, 1000, B.source),
            constant("B_all", "GB/s", B_all.value, 0.5, 4000, B_all.source),
            constant("C", "B", C.value, 1 << 16, 1 << 30, f"{C.origin}: {C.source}"),
        ]

    def known(self, name: str) -> Parameter:
        """Return a constant from the machine's profile if it was measured there, else an assumed one."""
        parameters = self.machine.parameters.items()
        measured = {key: p for key, p in parameters if p.origin == "measured" and p.value is not None}
        unit = QUANTITIES[name].unit
        shared = "memory_bandwidth_all_cores" if self.cores > 1 else "memory_bandwidth"
        ways = {
            "L": lambda: (3 / measured["core_clock"].value, "three cycles of the measured core clock"),
            "G": lambda: (1 / measured["core_clock"].value, "one cycle of the measured core clock"),
            "B": lambda: (measured["memory_bandwidth"].value, "measured: this machine's profile"),
            "B_all": lambda: (measured[shared].value, "measured: this machine's profile"),
        }
        try:
            value, source = ways[name]()
        except KeyError:  # not calibrated, or not resolvable here
            return Parameter(ASSUMED[name], unit, "assumed", "assumed: order of magnitude of a current core")
        return Parameter(float(f"{value:.3g}"), unit, "measured", source)

    def presets(self) -> dict[str, Preset]:
        return {
            "Threads of the best loop": Preset(
                {"each": "eight chains of vectors"},
                "Threads pay off only for longer products: one thread with the faster loop finishes sooner.",
            ),
            "Expensive threads": Preset(
                {"o": 50_000.0},
                "Threads pay off only for products a hundred times as long: their release costs the same for each"
                " product.",
            ),
            "Little room, slow memory": Preset(
                {"C": 1048576.0, "B": 2.0, "B_all": 2.0},
                "Where the arrays exceed the caches, all four curves meet: each loop waits for the same memory.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [2.0**k for k in ((6, 11, 17) if short else (*range(6, 16), *range(17, 23)))]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        data, cells = Data(int(x.values.max())), [int(n) for n in x.values]
        settings = [data.setting(kind, threads, n, cancel) for kind, threads in self.rows(point) for n in cells]
        how = {"data_seed": SEED, "trial_ns": TRIAL_NS}
        burst = 4 if effort.budget_s > 1 else 2  # a short run needs many rounds rather than long ones
        return Plan(settings, LEVELS, kernels(), how, options={"burst": burst})

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        return [
            Curve(name, "predicted", x, "ns", self.time(point, x.values, *row))
            for name, row in zip(LEVELS, self.rows(point), strict=True)
        ]

    def rows(self, point: Mapping[str, Value]) -> list[tuple[str, int]]:
        """Return the kind of loop and the number of threads of each level."""
        return [("one chain", 1), ("eight chains", 1), ("vectors", 1), (point["each"], int(point["threads"]))]

    @cached_property
    def cores(self) -> int:
        """Cores that this process may use; further threads do not help."""
        return cpus.current().cores

    def time(self, point: Mapping[str, Value], n: np.ndarray, kind: str, threads: int) -> np.ndarray:
        chains, lanes = KINDS[kind]
        known = {name: point[name] for name in ("L", "G", "B", "B_all", "s")} | {
            "o": point["o"] if threads > 1 else 0.0
        }
        missing = miss_share("cliff", float(point["C"]), BYTES * n)
        return element_time()(n=n, m=missing, c=chains, v=lanes, N=min(threads, self.cores), **known)

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the n from which threads beat the same loop alone, and the n that fills the caches."""
        chains, lanes = KINDS[point["each"]]
        alone, threads = max(point["L"] / (chains * lanes), point["G"] / lanes), min(int(point["threads"]), self.cores)
        pays = point["o"] / (alone * (1 - 1 / threads)) if threads > 1 else math.nan
        return {"threads pay from": round(pays, 1), "caches are full": point["C"] / BYTES}

    @waits
    def constants(self, run: Recording) -> dict[str, float]:
        """Estimate L, G, s and o from the curves of this run; a constant without a clean sample is left out.

        L comes from long products in one chain, G from the fastest of the eight chains, s and o from the shortest
        products. The curve of the vectors is not used, nor the threads' beyond its first point: they test the model.
        """
        chain, chains, _, together = run.measured
        n, (kind, threads) = chain.x.values, self.rows(self.point(run.point))[-1]
        inside = run.point["C"] / BYTES >= n
        long, found = chain.values[inside & (n >= LONG)], {}
        if np.isfinite(long).any():
            found["L"] = np.nanmedian(long)
            if np.isfinite(chain.values[0]) and n[0] < LONG:
                found["s"] = (chain.values[0] - found["L"]) * n[0]
        if np.isfinite(chains.values[inside]).any():
            found["G"] = np.nanmin(chains.values[inside])
        if len(found) == 3 and np.isfinite(together.values[0]) and threads > 1:
            found["o"] = (together.values[0] - self.time({**run.point, **found, "o": 0.0}, n[0], kind, threads)) * n[0]
        return {name: self.sliders[name].rounded(float(f"{value:.3g}")) for name, value in found.items()}


class Data:
    """Two arrays of −1, 0 and 1; each setting uses the first n elements."""

    def __init__(self, elements: int) -> None:
        limit = memory_available() // 4
        if elements * BYTES > limit:
            rule = f"n must leave both arrays below a quarter of the memory available ({limit} B)"
            raise SpeLabError(f"{rule}, got {elements}; choose a smaller n")
        rng = np.random.default_rng(SEED)
        self.x, self.y = (rng.integers(-1, 2, elements, dtype=np.int8).astype(np.float32) for _ in range(2))

    def setting(self, kind: str, threads: int, n: int, cancel: Cancel) -> Setting:
        """Return a setting whose trials repeat the product for about TRIAL_NS, so that the clock resolves it."""
        laps = 1
        while laps * n < MOST_ELEMENTS:
            elapsed = self.run(kind, threads, n, laps, 2, cancel)[0].min()
            if elapsed >= TRIAL_NS / 2:
                break
            laps = min(10 * laps, math.ceil(laps * TRIAL_NS / max(elapsed, 1)))

        def run(trials: int) -> tuple[np.ndarray, np.ndarray]:
            elapsed, clean = self.run(kind, threads, n, laps, trials, cancel)
            return elapsed / (laps * n), clean

        return Setting(f"{kind}, {threads} threads, {n}", run)

    def run(
        self, kind: str, threads: int, n: int, laps: int, trials: int, cancel: Cancel
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (elapsed_ns, clean) of each trial."""
        elapsed, _, records, crowded = dot(kind, threads, self.x, self.y, n, laps, trials, cancel)
        return elapsed, np.ones(trials, bool) if crowded else undisturbed(records, elapsed)


def dot(
    kind: str,
    threads: int,
    x: np.ndarray,
    y: np.ndarray,
    n: int,
    laps: int = 1,
    trials: int = 1,
    cancel: Cancel | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Run trials of `laps` products of `n` elements; return (elapsed_ns, sums, records, crowded).

    - `kind`, `threads`: loop (one of KINDS), and the threads that divide the elements
    - `crowded`: True if there are more threads than cores; then no trial can be rejected as disturbed
    """
    library, here = native.load("scaling"), cpus.current()
    elapsed, sums = np.zeros(trials, np.int64), np.zeros(trials, np.float32)
    records = team_records(library, trials, threads)
    crowded = threads > here.cores
    status = library.dot_product(
        library.constants[KERNELS[kind]],
        threads,
        here.assigned(threads),
        int(crowded),
        x,
        y,
        n,
        laps,
        trials,
        elapsed,
        sums,
        records,
        (cancel or Cancel()).flag,
    )
    check(status, library, "the measurement", threads)
    return elapsed, sums, records, crowded


@verified("scaling")
def kernels(_library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """Yield (description, expected, found) for each kind of loop on edge sizes, checked against numpy."""
    rng = np.random.default_rng(0)
    for n in EDGES:
        x, y = (rng.integers(-1, 2, n).astype(np.float32) for _ in range(2))
        expected = int(x.astype(np.int64) @ y.astype(np.int64))
        for kind in KINDS:
            for threads in (1, 2, 3):
                found = float(dot(kind, threads, x, y, n)[1][0])
                yield f"{kind} over {n} elements with {threads} threads", expected, found
