"""Trials of threads: words some bytes apart, and a line handed back and forth."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.c.verified import verified
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.teams import mean_duration_ns, ran_together, team_records, work_of_a_trial

OPERATIONS = {  # the reader's choice -> enumerator in C
    "atomic add": "SHARING_ADD",
    "compare-and-swap": "SHARING_CAS",
    "load + store": "SHARING_LOAD_STORE",
    "store + fence": "SHARING_STORE_FENCE",
    "store only": "SHARING_STORE",
    "load only": "SHARING_LOAD",
}
COUNTING = ("atomic add", "compare-and-swap", "load + store")  # each adds one, so lost updates can be counted
MOST_THREADS, FARTHEST = 8, 512


class Words:
    """Trials of one operation by threads on words `offset` bytes apart (0: one word). Counts lost updates."""

    def __init__(self, operation: str, threads: int, offset: int, cancel: Cancel) -> None:
        self.operation, self.threads, self.offset, self.cancel = operation, threads, offset, cancel
        self.cpus = cpus.current().assigned(threads)
        self.done = self.lost = 0
        self.operations = work_of_a_trial(lambda operations: self.records(3, operations)[0])

    def records(self, n: int, operations: int) -> tuple[np.ndarray, np.ndarray]:
        """Return records (n × threads) and final sums (n) of n trials."""
        library = kernels()
        records, sums = team_records(library, n, self.threads), np.zeros(n, np.uint64)
        where = library.constants[OPERATIONS[self.operation]], self.threads, self.cpus, self.offset
        status = library.share_words(*where, operations, n, records, sums, self.cancel.flag)
        check(status, library, "the measurement", self.threads)
        return records, sums

    def run(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ns per operation of each trial, mean over the threads, and whether it was clean."""
        records, sums = self.records(n, self.operations)
        time_ns = mean_duration_ns(records)
        if self.operation in COUNTING:
            done = n * self.threads * self.operations
            self.done, self.lost = self.done + done, self.lost + done - int(sums.sum())
        return time_ns / self.operations, ran_together(records, time_ns)


class Handing:
    """Trials of a line that two threads hand back and forth."""

    def __init__(self, cancel: Cancel) -> None:
        self.cancel = cancel
        self.cpus = cpus.current().assigned(2)
        self.rounds = work_of_a_trial(lambda rounds: self.records(3, rounds))

    def records(self, n: int, rounds: int) -> np.ndarray:
        library = kernels()
        records = team_records(library, n, 2)
        status = library.hand_over_line(self.cpus, rounds, n, records, self.cancel.flag)
        check(status, library, "the measurement", threads=2)
        return records

    def run(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ns per hand-off (one way) of each trial, and whether it was clean."""
        records = self.records(n, self.rounds)
        time_ns = mean_duration_ns(records)
        return time_ns / (2 * self.rounds), ran_together(records, time_ns)


@verified("coherence")
def kernels(library: native.Library) -> Iterator[tuple[str, Any, Any]]:
    """Load kernels_c/coherence.c and check that threads lose no update on words of their own."""
    for operation in COUNTING:
        code = library.constants[OPERATIONS[operation]]
        for threads, offset in ((1, 4), (2, 4), (2, FARTHEST)):
            records, sums = team_records(library, 1, threads), np.zeros(1, np.uint64)
            here = cpus.current().assigned(threads)
            status = library.share_words(code, threads, here, offset, 1000, 1, records, sums, Cancel().flag)
            check(status, library, "the measurement", threads)
            yield f"{operation} by {threads} threads on words {offset} B apart", 1000 * threads, int(sums[0])
