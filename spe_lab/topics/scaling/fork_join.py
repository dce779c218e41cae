"""Work with a serial and a parallel part (kernels_c/scaling.c), and measured costs of threads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import MeasurementError
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.statistics import centre
from spe_lab.core.sampling.teams import Setting, team_records, undisturbed
from spe_lab.core.slider import Slider
from spe_lab.core.text import Text

WORKS = ("waiting", "spinning")
WAYS = ("pool", "created")
PIECE_NS = 1_000_000  # wait of each thread in the trials that measure the costs of waiting threads
MOST_CALL_NS = 150_000_000  # longest call of C: Python handles an interrupt between calls only
STEPS = 100_000  # spinning steps of a trial that measures the time of a step


@dataclass(frozen=True)
class Costs:
    """Costs of threads in ns: to start any, for each further one, and the delay at the end of a wait.

    `kind`: (work, threads) that they were measured for; `origin`: measured, recorded or assumed.
    """

    start: float
    each: float
    late: float
    kind: tuple[str, str]
    origin: str = "measured"

    def to_dict(self) -> dict[str, Any]:
        return {
            "start_ns": self.start,
            "each_ns": self.each,
            "late_ns": self.late,
            "kind": list(self.kind),
            "origin": self.origin,
        }

    def summary(self) -> Text:
        """Return the costs in a sentence."""
        start, each, late = (units.render(value, "ns", 2) for value in (self.start, self.each, self.late))
        verb, how = {"pool": ("wake", "woken"), "created": ("create", "created")}[self.kind[1]]
        ends = f", and a wait ends d = {late} late" if self.kind[0] == "waiting" else ""
        return Text(
            f"It takes s = {start} to {verb} any thread at all and c = {each} for each further thread that is"
            f" {how}{ends} ({self.origin})."
        )

    @classmethod
    def from_dict(cls, costs: dict[str, Any]) -> "Costs":
        return cls(costs["start_ns"], costs["each_ns"], costs["late_ns"], tuple(costs["kind"]), costs["origin"])


# Orders of magnitude by (work, threads), used until a run measures them: from quiet virtual machines with two cores.
ASSUMED = {
    kind: Costs(*values, kind, "assumed")
    for kind, values in {
        ("spinning", "pool"): (200, 50, 0),
        ("spinning", "created"): (20_000, 15_000, 0),
        ("waiting", "pool"): (20_000, 10_000, 40_000),
        ("waiting", "created"): (50_000, 30_000, 40_000),
    }.items()
}


def work_sliders() -> list[Slider]:
    """Return the sliders for the kind of work and the origin of the threads."""
    means = "what the work does: waiting (for a disk, for another server) needs no core, spinning needs one"
    origins = "a pool that persists, or threads that are created and joined each time"
    come = "Threads come from"
    return [
        Slider.choice("work", WORKS, means, "shows the law on any number of cores", label="Work"),
        Slider.choice("threads", WAYS, origins, "servers keep a pool", label=come, symbol=come),
    ]


def threads_slider(most: int = 64) -> Slider:
    return Slider.count("N", 8, "threads", 1, most, "the middle of the sweep", "log", label="Threads")


class ForkJoin:
    """Factory of `core.sampling.teams` settings: a serial piece, then N parallel pieces at the same time.

    Pieces are given in ns. Spinning work converts them to steps, whose time the constructor measures.
    """

    def __init__(self, work: str, threads: str, cancel: Cancel) -> None:
        self.library = native.load("scaling")
        self.kind, self.waiting, self.created = (work, threads), work == "waiting", threads == "created"
        self.cpus = cpus.current()
        self.cancel = cancel
        self.step_ns = 1.0
        if not self.waiting:
            self.step_ns = min(self._run(1, 0, STEPS, 20)[0]) / STEPS

    def progressing(self, threads: np.ndarray) -> np.ndarray:
        """Return how many of `threads` make progress at a time: all if waiting, at most `cores` if spinning."""
        return threads if self.waiting else np.minimum(threads, self.cpus.cores)

    def setting(self, threads: int, serial_ns: float, parallel_ns: float) -> Setting:
        """Return a setting that measures the time of both pieces in ns; `parallel_ns` is per thread."""
        serial, parallel = (round(part / self.step_ns) for part in (serial_ns, parallel_ns))
        least_ns = serial_ns + parallel_ns * threads / int(self.progressing(np.array(threads)))
        at_once = max(1, int(MOST_CALL_NS / max(least_ns, 1.0)) - 1)  # C runs one more trial as a warm-up

        def run(n: int) -> tuple[np.ndarray, np.ndarray]:
            calls = [self._run(threads, serial, parallel, min(at_once, n - done)) for done in range(0, n, at_once)]
            return np.concatenate([elapsed for elapsed, _ in calls]), np.concatenate([clean for _, clean in calls])

        return Setting(f"{threads} threads", run)

    def _run(self, threads: int, serial: int, parallel: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        elapsed, records = np.zeros(n, np.int64), team_records(self.library, n, threads)
        exclusive = not self.waiting and threads <= self.cpus.cores
        status = self.library.fork_join(
            self.waiting,
            threads,
            self.cpus.assigned(threads),
            self.created,
            not exclusive,
            serial,
            parallel,
            n,
            elapsed,
            records,
            self.cancel.flag,
        )
        check(status, self.library, "the measurement", threads)
        records = records[:, : 1 if self.created else threads]  # created threads leave no record
        # Threads that sleep or share a core always wait for it: run-queue delays do not show a disturbance.
        return elapsed.astype(float), undisturbed(records, elapsed) if exclusive else np.full(n, True)

    def probes(self, most_threads: int) -> list[tuple[int, Setting]]:
        """Return (threads, setting) pairs that measure the costs of threads: waits of PIECE_NS, or no work."""
        most = most_threads if self.waiting else min(most_threads, self.cpus.cores)
        counts = sorted({1, 2, max(2, round(math.sqrt(2 * most))), max(2, most)})
        return [(n, self.setting(n, 0, PIECE_NS if self.waiting else 0)) for n in counts]

    def costs(self, counts: Sequence[int] | np.ndarray, blocks: np.ndarray) -> Costs:
        """Fit the costs as a line through the probes' times beyond one thread; `blocks`: blocks × counts, ns."""
        times = np.array([centre(column)[0] for column in blocks.T])
        counts, alone = np.asarray(counts), times[0]
        seen = np.isfinite(times) & (counts > 1)
        if not (np.isfinite(alone) and seen.any()):
            raise MeasurementError("the costs of threads need a clean trial, got none; close other programs")
        beyond = times[seen] - alone
        # A compromise: absolute errors would favour the last point, relative errors the first.
        weights = 1 / np.sqrt(np.maximum(beyond, 1.0))
        columns = np.stack([np.ones(seen.sum()), counts[seen] - 1], axis=1)[:, : seen.sum()]  # one point gives no slope
        line = np.linalg.lstsq(columns * weights[:, None], beyond * weights, rcond=None)[0]
        start, each = np.maximum(0, np.pad(line, (0, 1))[:2])
        return Costs(float(start), float(each), float(max(0.0, alone - PIECE_NS)) if self.waiting else 0.0, self.kind)
