"""The CPUs that this process may use, and the share of them that other programs use."""

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
    """The CPUs of this process.

    - `usable`: numbers of the CPUs that it may run on
    - `quota`: CPUs' worth of time that its control group grants; None without a limit
    - `pinned`: whether the system keeps a thread on the CPU that it asks for
    - `siblings`: how many entries at the end of `usable` are hyper-threads of a core already listed
    """

    usable: tuple[int, ...]
    quota: float | None
    pinned: bool
    siblings: int = 0

    @property
    def cores(self) -> int:
        """Number of threads that can run at the same time without being halted by the quota."""
        return max(1, min(len(self.usable), int(self.quota) if self.quota is not None else len(self.usable)))

    def assigned(self, threads: int) -> np.ndarray:
        """Return a CPU for each of `threads` threads, round-robin (int32); -1 (any) if the system does not pin."""
        if threads < 1:
            raise SpeLabError(f"threads must be at least 1, got {threads}; give one for each worker")
        cpus = [self.usable[i % len(self.usable)] if self.pinned else -1 for i in range(threads)]
        return np.array(cpus, dtype=np.int32)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of a figure with threads should know, a sentence each."""
        notes = []
        if len(self.usable) == 1:
            notes.append("this process may use one CPU only: threads take turns on it")
        if self.quota is not None and self.quota < len(self.usable):
            notes.append(f"a control group grants {self.quota:g} CPUs of time: threads are halted when that is used up")
        if not self.pinned:
            notes.append("this system does not keep a thread on one CPU: threads may move during a trial")
        return tuple(notes)


def current(root: Path = Path("/")) -> Cpus:
    """Return the CPUs of this process now: affinity and quota can change. `root` is for tests."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    cores = {cpu: _siblings(root, cpu) for cpu in usable}
    first = [cpu for cpu in usable if cpu == min(set(cores[cpu]) & set(usable))]
    siblings = [cpu for cpu in usable if cpu not in first]
    claims = control_groups(root) if sys.platform == "linux" else ()
    quota = next((claim.value for claim in claims if claim.name == "cores_limit"), None)
    return Cpus((*first, *siblings), quota, hasattr(os, "sched_setaffinity"), len(siblings))


def _siblings(root: Path, cpu: int) -> list[int]:
    """Return the hyper-threads of this CPU's core, itself included; [cpu] if the system reports none."""
    folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
    for name in ("core_cpus_list", "thread_siblings_list"):  # the second one until Linux 5.3
        if cpu in (found := listed(read(folder / name) or "")):
            return found
    return [cpu]


class Foreign:
    """CPU time that other programs have used since this object was made."""

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
        """Return their share of all CPUs' time, 0 to 1; NaN if unknown. Precise to 10 ms: ask after a second."""
        now, busy, own = self._read()
        available = (now - self._began) * (os.cpu_count() or 1)
        if math.isnan(busy - self._busy):
            return math.nan
        return min(1.0, max(0.0, ((busy - self._busy) - (own - self._own)) / available)) if available > 0 else 0.0
