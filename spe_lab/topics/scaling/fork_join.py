"""Work with a serial and a parallel part, run by kernels_c/scaling.c, and what threads cost, measured apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import MeasurementError
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.statistics import centre
from spe_lab.core.sampling.teams import Setting, team_records, undisturbed
from spe_lab.core.slider import Slider

WORKS = ("spinning", "waiting")
WAYS = ("pool", "created")
PIECE_NS = 1_000_000  # of the trials that tell what threads cost: a wait of this length, or no work at all
MOST_CALL_NS = 150_000_000  # one call of C: an interrupt is noticed between calls
STEPS = 100_000  # of the trials that tell how long a step of spinning takes


@dataclass(frozen=True)
class Costs:
    """What threads cost, in ns: to start at all, each further one, and by how much a wait ends late. `kind` says of
    which work and which threads, `origin` how it is known.
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

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> "Costs":
        return cls(kept["start_ns"], kept["each_ns"], kept["late_ns"], tuple(kept["kind"]), kept["origin"])


# Orders of magnitude, for (work, threads), until they are measured: seen on quiet virtual machines with two cores.
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
    """How the work passes its time, and where the threads come from. Waiting is the default where
    there are few cores.
    """
    here = cpus.current()
    default = WORKS[0] if here.cores >= 4 else WORKS[1]
    means = "what the work does: spinning needs a core, waiting (for a disk, for another server) needs none"
    return [
        Slider(
            "work",
            "",
            default,
            means,
            scale="choice",
            choices=WORKS,
            source=f"this process may use {here.cores} cores at the same time",
        ),
        Slider(
            "threads",
            "",
            WAYS[0],
            "a pool that lives on, or threads that are created and joined each time",
            scale="choice",
            choices=WAYS,
            source="what servers do",
        ),
    ]


def threads_slider(most: int = 64) -> Slider:
    return Slider("N", "", 8, "threads", 1, most, "log", multiple_of=1, source="the middle of the sweep")


class ForkJoin:
    """Settings for `core.trials`: a serial piece, then N parallel pieces at the same time.

    Pieces are given in ns; for spinning work they become steps, whose time is measured when this object is made.
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
        """How many of so many threads make progress at the same time: all that wait, and no more
        than cores that spin.
        """
        return threads if self.waiting else np.minimum(threads, self.cpus.cores)

    def setting(self, threads: int, serial_ns: float, parallel_ns: float) -> Setting:
        """A trial's value is the time of both in ns; `parallel_ns` is the piece of each thread."""
        serial, parallel = (round(part / self.step_ns) for part in (serial_ns, parallel_ns))
        least_ns = serial_ns + parallel_ns * threads / int(self.progressing(np.array(threads)))
        at_once = max(1, int(MOST_CALL_NS / max(least_ns, 1.0)) - 1)  # C warms up with one trial more

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
        # Threads that sleep, or share a core, wait for it by nature: nothing can be told from that.
        return elapsed.astype(float), undisturbed(records, elapsed) if exclusive else np.full(n, True)

    def probes(self, most_threads: int) -> list[tuple[int, Setting]]:
        """Trials that tell what threads cost, apart from any speed-up: a wait of PIECE_NS, or no work at all, in one
        thread and in several.
        """
        most = most_threads if self.waiting else min(most_threads, self.cpus.cores)
        counts = sorted({1, 2, max(2, round(math.sqrt(2 * most))), max(2, most)})
        return [(n, self.setting(n, 0, PIECE_NS if self.waiting else 0)) for n in counts]

    def costs(self, counts: Sequence[int] | np.ndarray, blocks: np.ndarray) -> Costs:
        """What the probes say (`blocks`: blocks × counts, ns): a straight line through what they took beyond one
        thread.
        """
        times = np.array([centre(column)[0] for column in blocks.T])
        counts, alone = np.asarray(counts), times[0]
        seen = np.isfinite(times) & (counts > 1)
        if not (np.isfinite(alone) and seen.any()):
            raise MeasurementError(
                "what threads cost could not be measured: no clean trial; close other programs and measure again"
            )
        beyond = times[seen] - alone
        weights = 1 / np.sqrt(
            np.maximum(beyond, 1.0)
        )  # between absolute errors, of which the last point has most, and relative ones
        columns = np.stack([np.ones(seen.sum()), counts[seen] - 1], axis=1)[:, : seen.sum()]  # one point gives no slope
        start, each = np.maximum(
            0, np.pad(np.linalg.lstsq(columns * weights[:, None], beyond * weights, rcond=None)[0], (0, 1))[:2]
        )
        return Costs(float(start), float(each), float(max(0.0, alone - PIECE_NS)) if self.waiting else 0.0, self.kind)
