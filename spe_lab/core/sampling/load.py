"""Load on a companion program: requests that C sends and times (kernels_c/load.c), and round trips as trials."""

import socket

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError
from spe_lab.core.sampling.companion import Companion

LIMIT_S = 5.0  # for an answer
TRIAL_NS = 300_000  # duration of a trial of round trips
MOST_REQUESTS = 10_000_000


class Client:
    """One connection to a companion's service, and requests of one size on it."""

    def __init__(self, companion: Companion, size: int, cpu: int = -1, limit_s: float = LIMIT_S) -> None:
        """Connect.

        - companion: a program that answers requests of load.h at its socket "service"
        - size: of a request and of its answer, its head of 16 B included, B
        - cpu: that the client is kept on; -1: any
        - limit_s: time for an answer, s
        """
        self.library = native.load("load")
        least, most = np.dtype(self.library.struct("load_request")).itemsize, self.library.constants["LOAD_MOST_BYTES"]
        if not least <= size <= most:
            raise SpeLabError(f"size must be between {least} and {most} bytes, got {size}; choose one in that range")
        self.size = size
        self.companion = companion
        self._connection: socket.socket = companion.connect()
        self._buffer = np.zeros(2 * size, np.uint8)
        descriptor = self._connection.fileno()
        self._load = self.library.struct("load")(descriptor, cpu, size, int(limit_s * 1e9), self._buffer.ctypes.data)

    def closed(self, n: int, service_ns: np.ndarray | int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Send n requests, each after the answer to the previous one.

        Returns their records (due_ns, sent_ns, received_ns) and what the gate needs of this thread (struct
        team_record). `service_ns`: the work that each request asks for, ns.
        """
        records, threads = self._room(n, 1)
        service = self._service(service_ns, n)
        self._check(self.library.load_closed(self._load, service, n, records, threads, self.companion.cancel.flag))
        return records, threads

    def open(self, due_ns: np.ndarray, service_ns: np.ndarray | int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Send a request at each of the moments `due_ns` (ns from the start, ascending), answered or not.

        Returns records and threads as `closed` does: threads are the receiver and the sender. Latency is received_ns −
        due_ns.
        """
        due = np.ascontiguousarray(due_ns, dtype=np.int64)
        if due.size and (due[0] < 0 or (np.diff(due) < 0).any()):
            raise SpeLabError("due_ns must be at least 0 and not fall, got other times; sort them")
        records, threads = self._room(due.size, 2)
        service = self._service(service_ns, due.size)
        cancel = self.companion.cancel.flag
        self._check(self.library.load_open(self._load, due, service, due.size, records, threads, cancel))
        return records, threads

    def _room(self, n: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
        self.companion.check("answer requests")
        if not 0 <= n <= MOST_REQUESTS:
            raise SpeLabError(f"n must be between 0 and {MOST_REQUESTS:,} requests, got {n}; send them in several runs")
        record, thread = (np.dtype(self.library.struct(tag)) for tag in ("load_record", "team_record"))
        return np.zeros(n, record), np.zeros(threads, thread)

    @staticmethod
    def _service(service_ns: np.ndarray | int, n: int) -> np.ndarray:
        values = np.broadcast_to(service_ns, n)
        if n and not (values.min() >= 0 and values.max() < 2**32):
            raise SpeLabError(
                f"service_ns must be between 0 and 4.29 s, got {values.min()} to {values.max()} ns; choose shorter"
                " times"
            )
        return np.ascontiguousarray(values, dtype=np.uint32)

    def _check(self, status: int) -> None:
        """Raise the exception for the status of a run; for a program that has died, with its reason."""
        codes = self.library.constants
        if status == codes["SPE_CANCELLED"]:
            self.companion.close()
        if status == codes["LOAD_BROKEN"]:
            raise self.companion.ended("send requests back as they are", "closed the connection or sent something else")
        if status == codes["LOAD_LATE"]:
            raise self.companion.failed(f"answer a request within {self._load.limit_ns / 1e9:g} s", "was silent")
        check(status, self.library, f"the load on {self.companion.name}", threads=2)


class RoundTrips:
    """Trials of round trips with requests of one size; `run` is for a Setting of sampling/teams.py."""

    def __init__(self, companion: Companion, size: int, cpu: int = -1) -> None:
        self.client = Client(companion, size, cpu)
        quickest = min(self._trial(20)[0] for _ in range(5))
        self.rounds = max(1, round(TRIAL_NS / quickest))

    def run(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ns per round trip for each of n trials, and whether the client was not preempted.

        Waiting for a CPU does not disqualify a trial: each round trip ends with a wake-up, which is part of it.
        """
        trials = [self._trial(self.rounds) for _ in range(n)]
        return np.array([time_ns for time_ns, _ in trials]), np.array([clean for _, clean in trials])

    def _trial(self, rounds: int) -> tuple[float, bool]:
        records, threads = self.client.closed(rounds)
        return (records["received_ns"][-1] - records["sent_ns"][0]) / rounds, threads["preemptions"][0] == 0


def arrivals(rate_per_s: float, n: int, seed: int = 1, poisson: bool = True) -> np.ndarray:
    """Return when n requests are due, in ns: a Poisson process, or one request every 1 / rate_per_s.

    >>> arrivals(1000, 3, poisson=False).tolist()
    [1000000, 2000000, 3000000]
    """
    if not 0 < rate_per_s <= 1e9:
        raise SpeLabError(f"rate_per_s must be above 0 and at most 10⁹, got {rate_per_s}; choose one in that range")
    gaps = np.random.default_rng(seed).exponential(size=n) if poisson else np.ones(n)
    return np.rint(np.cumsum(gaps) / rate_per_s * 1e9).astype(np.int64)
