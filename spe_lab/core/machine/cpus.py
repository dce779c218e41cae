"""The processors that this process may use, and how much of them others use: what labs with threads must know first."""

import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine.reading import listed, read
from spe_lab.core.machine.sources import control_groups


@dataclass(frozen=True)
class Cpus:
    """`usable`: numbers of the CPUs that this process may run on. `quota`: processor time per time that its control
    group grants, in CPUs; None without a limit. `pinned`: whether the system keeps a thread on the CPU that is asked
    for. `siblings`: the last so many of `usable`, hyper-threads that share a core, and its first caches, with an
    earlier one.
    """

    usable: tuple[int, ...]
    quota: float | None
    pinned: bool
    siblings: int = 0

    @property
    def cores(self) -> int:
        """Threads that can really run at the same time, without being halted when the quota is used up."""
        return max(1, min(len(self.usable), int(self.quota) if self.quota is not None else len(self.usable)))

    def assigned(self, threads: int) -> np.ndarray:
        """A CPU for each of `threads` threads, in turn (int32); -1, any, where the system does not pin."""
        if threads < 1:
            raise SpeLabError(f"threads must be at least 1, got {threads}; give one for each worker")
        return np.array(
            [self.usable[i % len(self.usable)] if self.pinned else -1 for i in range(threads)], dtype=np.int32
        )

    def notes(self) -> tuple[str, ...]:
        """What a reader of a figure with threads should know, a sentence each."""
        said = []
        if len(self.usable) == 1:
            said.append("this process may use one CPU only: threads take turns on it")
        if self.quota is not None and self.quota < len(self.usable):
            said.append(f"a control group grants {self.quota:g} CPUs of time: threads are halted when that is used up")
        if not self.pinned:
            said.append("this system does not keep a thread on one CPU: threads may move during a trial")
        return tuple(said)


def current(root: Path = Path("/")) -> Cpus:
    """Those of this process, now: an affinity or a quota may be changed from outside. `root` is for tests."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    cores = {cpu: _siblings(root, cpu) for cpu in usable}
    first = [cpu for cpu in usable if cpu == min(set(cores[cpu]) & set(usable))]
    limits = (
        [claim.value for claim in control_groups(root) if claim.name == "cores_limit"]
        if sys.platform == "linux"
        else []
    )
    ordered = [*first, *(cpu for cpu in usable if cpu not in first)]
    return Cpus(
        tuple(ordered), limits[0] if limits else None, hasattr(os, "sched_setaffinity"), len(ordered) - len(first)
    )


def _siblings(root: Path, cpu: int) -> list[int]:
    """The CPUs that are hyper-threads of the same core, `cpu` included; it alone where the system does not tell."""
    folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
    for name in ("core_cpus_list", "thread_siblings_list"):  # the second one until Linux 5.3
        if cpu in (found := listed(read(folder / name) or "")):
            return found
    return [cpu]


class Foreign:
    """Processor time that other programs used since this object was made."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float]:
        import psutil

        own = os.times()
        try:
            whole = psutil.cpu_times()
        except OSError:  # a sandbox hides /proc
            return time.monotonic(), math.nan, own.user + own.system
        # Time that the host gave to others (steal) is time that this machine did not have.
        busy = sum(getattr(whole, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
        return time.monotonic(), busy, own.user + own.system

    def share(self) -> float:
        """Of all CPUs' time since then, 0 to 1; NaN where the system does not tell. It counts in steps of some 10 ms,
        so ask after a second or more.
        """
        now, busy, own = self._read()
        available = (now - self._began) * (os.cpu_count() or 1)
        if math.isnan(busy - self._busy):
            return math.nan
        return min(1.0, max(0.0, ((busy - self._busy) - (own - self._own)) / available)) if available > 0 else 0.0
