"""Patterns on the machine: points that run kernels_c/patterns.c, and the checks of its kernels."""

import ctypes
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.c.verified import verified
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import Machine, claim
from spe_lab.core.machine.arena import Arena
from spe_lab.core.mode import quick
from spe_lab.core.sampling.kernels import Point, sweep
from spe_lab.core.text import Text
from spe_lab.models.patterns.algebra import Basic, Region, rr_acc, s_trav, s_trav_cr

WORD = 4  # bytes
SETTLE = 1 << 14  # warm-up visits of a region that fits no cache: they restore translations and the list
LISTED_VISITS = 1 << 21
MOST_LAPS = 256


def visits_point(pattern: Basic, arena: Arena | None = None, seed: int = 1) -> Point:
    """Return a point that repeats the pattern, on its own memory or on that of `arena`.

    The list of visits holds many different executions, since a short list would stay cached. It holds complete
    executions only: half of a back-and-forth sweep would be a plain sweep.
    """
    region = pattern.region
    if region.w % WORD or pattern.u % WORD:
        rule = f"w and u must be multiples of {WORD} B to be measured, since the kernels read words"
        raise SpeLabError(f"{rule}, got w={region.w} B, u={pattern.u} B; choose multiples")
    library, arena = kernels(), arena or Arena(region.size)
    kernel, order = "visit_in_order", None
    if not isinstance(pattern, s_trav):
        rng, laps = np.random.default_rng(seed), max(1, min(MOST_LAPS, LISTED_VISITS // pattern.visits))
        kernel, order = "visit_listed", np.concatenate([pattern.items(rng).astype(np.uint32) for _ in range(laps)])
        if not order.size:
            raise SpeLabError("the pattern must visit at least one item, got none; choose a larger share or region")
    state = visits_state(library, arena.view, pattern, order)
    last = max(claim()[name].value for name in ("l2_capacity", "l3_capacity") if name in claim())
    # A conditional lap skips lines, so the warm-up takes several laps.
    lap = 4 * region.n if isinstance(pattern, s_trav_cr) else pattern.visits
    warm = max(SETTLE, min(lap, state.count)) if region.size <= last else SETTLE
    return Point(str(pattern), library.address(kernel), state, warm, keep=(arena, order))


def time_per_visit(pattern: Basic, budget_s: float = 1.0) -> Text:
    """Measure the time per visit of the pattern; without a compiler, return a text that says so."""
    if missing := native.missing():
        return Text(missing)
    estimate = deque(sweep([visits_point(pattern)], budget_s=0.3 if quick() else budget_s), maxlen=1).pop().estimate
    value, low, high = (units.render(float(ns[0]), "ns") for ns in (estimate.value, estimate.low, estimate.high))
    return Text(f"{value} a visit (measured; interval {low} to {high})")


def visits_state(
    library: native.Library, memory: np.ndarray, pattern: Basic, order: np.ndarray | None
) -> ctypes.Structure:
    """Return `struct visits` in its initial state."""
    count, at = (pattern.region.n, 0) if order is None else (order.size, order.ctypes.data)
    return library.struct("visits")(memory.ctypes.data, at, count, pattern.region.w, pattern.u // WORD, 0, 0)


def scatter_point(tuples: np.ndarray, to: np.ndarray, bits: int) -> Point:
    """Return a point of one pass of a radix partition into 2^bits clusters."""
    state, *arrays = scatter_state(kernels(), tuples, to, bits)
    return Point(f"{bits} bits", kernels().address("scatter_tuples"), state, SETTLE, keep=arrays)


def scatter_state(library: native.Library, tuples: np.ndarray, to: np.ndarray, bits: int) -> tuple[Any, ...]:
    """Return `struct scatter` in its initial state, and the arrays that it points to."""
    counts = np.bincount((tuples >> np.uint64(64 - bits)).astype(np.int64), minlength=1 << bits)
    starts = np.concatenate(([0], counts.cumsum()[:-1])).astype(np.uint64)
    cursors = starts.copy()
    addresses = (array.ctypes.data for array in (tuples, to, cursors, starts))
    state = library.struct("scatter")(*addresses, tuples.size, bits, 0)
    return state, tuples, to, starts, cursors


def base_ns(machine: Machine) -> float:
    """Return the time of a visit that hits the first level: a step of the strided loop."""
    latency = (claim() | machine.parameters)["strided_step_latency"].value
    return claim()["strided_step_latency"].value if latency is None else latency


@verified("patterns")
def kernels(library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """Yield (description, expected, found) for each kernel on edge sizes; expected values come from numpy."""
    for n, w, u in ((1, 4, 4), (7, 12, 8), (100, 64, 64)):
        rng = np.random.default_rng(n)
        words = rng.integers(0, 1 << 32, n * w // WORD, dtype=np.uint32)
        pattern = rr_acc(Region(n, w), r=3 * n, u=u)
        order = pattern.items(rng).astype(np.uint32)
        sums = words.reshape(n, -1)[:, : u // WORD].sum(axis=1, dtype=np.uint64)
        cases = (("visit_listed", order, sums[order]), ("visit_in_order", None, np.tile(sums, 3)))
        for kernel, listed, expected in cases:
            found = getattr(library, kernel)(visits_state(library, words, pattern, listed), 3 * n)
            yield f"{kernel} of {n} items", int(expected.sum()), found
    tuples = np.random.default_rng(1).integers(0, 1 << 64, 1000, dtype=np.uint64)
    for bits in (1, 3):
        to = np.zeros_like(tuples)
        state, *_kept = scatter_state(library, tuples, to, bits)
        library.scatter_tuples(state, tuples.size)
        ordered = tuples[np.argsort(tuples >> np.uint64(64 - bits), kind="stable")]
        yield f"tuples that scatter_tuples misplaces by {bits} bits", 0, int((to != ordered).sum())
