"""The noise of this machine: the same two loops, sampled again and again."""

import ctypes
from collections import deque
from dataclasses import dataclass

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.mode import quick
from spe_lab.core.sampling.cycle import new_cycle
from spe_lab.core.sampling.kernels import Point, Sweep, sweep

# In the second-level cache of most machines: fast, and yet open to disturbance.
CYCLE_BYTES = 256 << 10


@dataclass(frozen=True)
class Noise:
    """Samples of two loops in the order of time, relative to the fastest of each; NaN if not clean.

    `additions` needs only the core, `cache` also a cache: noise in `cache` alone comes from memory traffic.
    """

    additions: np.ndarray
    cache: np.ndarray
    sweep: Sweep

    @property
    def sentence(self) -> str:
        """The noise in numbers."""
        s = self.sweep
        kept, tried = int(s.estimate.kept.sum()), int(s.estimate.tried.sum())
        spreads = [
            f"{name} {np.nanquantile(x, 0.5) - 1:.1%} at the median, {np.nanquantile(x, 0.95) - 1:.1%} at the 95th"
            " percentile"
            for name, x in (("additions", self.additions), ("cache", self.cache))
        ]
        in_words = (
            f"Slower than the fastest sample: {'; '.join(spreads)}. {kept} of {tried} samples clean. A/A control:"
            f" {s.control[1] - 1:+z.2%} ({s.control[0] - 1:+z.2%} to {s.control[2] - 1:+z.2%}). Core clock"
            f" {s.clock_ghz[0]:.2f} to {s.clock_ghz[2]:.2f} GHz."
        )
        return in_words.replace("%", " %")


def observe(seconds: float = 3.0) -> Noise:
    """Sample both loops for this time (SPE_LAB_QUICK=1: half a second)."""
    state, arena = new_cycle(CYCLE_BYTES, "4K", 1, Cancel())
    additions = Point("additions", native.load("measurement").address("probe_kernel"), ctypes.c_int64(0))
    cache = Point("cache", native.load("memory").address("cycle_walk"), state, warm=CYCLE_BYTES // 64, keep=arena)
    last = deque(sweep([additions, cache], budget_s=0.5 if quick() else seconds, target=1e-6), maxlen=1).pop()
    relative = [column / np.nanmin(column) for column in last.samples[:, :2].T]
    return Noise(relative[0], relative[1], last)
