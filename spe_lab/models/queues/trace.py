"""Trace of each customer of a run in an interval of time, for a picture, an animation or an exercise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.models.queues.laws import whole
from spe_lab.models.queues.simulation import Priority, Shared, Sharing, Simulated, Split, presence

SHAPES: Mapping[type, str] = {Shared: "shared", Priority: "shared", Split: "split", Sharing: "sharing"}
MOST_CUSTOMERS = 2000


@dataclass(frozen=True)
class Trace:
    """Customers in the order of arrival; times are relative to the start of the interval.

    - `shape`: "shared" (one queue before all servers), "split" (one before each) or "sharing" (processor sharing)
    - `start`, `long`: when service begins, and which jobs are long
    - `elapsed`: (times, virtual time) under processor sharing, where virtual time passes at the service rate of a job
    """

    name: str
    shape: str
    servers: int
    end: float
    arrival: np.ndarray
    start: np.ndarray
    departure: np.ndarray
    service: np.ndarray
    server: np.ndarray
    long: np.ndarray
    elapsed: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, name: str, run: Simulated, customers: int, long_from: float) -> "Trace":
        """Return the trace from the arrival of the first of `customers` after the warm-up to that of the last.

        It includes all customers present. `run` must record the servers; jobs of at least `long_from` are long.
        """
        customers = whole("customers", customers, 2, min(MOST_CUSTOMERS, len(run.sojourn)))
        if run.server is None:
            raise SpeLabError("run must record the server of each customer, got none; simulate it with who=True")
        arrival = run.all_arrivals
        departure = arrival + run.all_sojourns
        begin, end = arrival[run.warm], arrival[run.warm + customers - 1]
        shape = SHAPES[type(run.system)]
        start = arrival if shape == "sharing" else departure - run.all_services
        seen = (departure > begin) & (arrival <= end)
        elapsed, servers, service = None, run.system.servers, run.all_services[seen]
        if shape == "sharing":
            elapsed = _virtual(arrival, departure, servers, arrival[seen][0], begin, end)
        came, began, left = (moments[seen] - begin for moments in (arrival, start, departure))
        who, long = run.server[seen], service >= long_from
        return cls(name, shape, servers, end - begin, came, began, left, service, who, long, elapsed)

    def present(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (times, customers present from then on)."""
        return presence(self.arrival, self.departure)

    def behind_long(self) -> np.ndarray:
        """Return a mask of the short jobs that wait behind long jobs; none under processor sharing.

        In a shared queue all servers must have a long job at that time, in split queues the job's own server.
        """
        behind = np.zeros(self.arrival.size, bool)
        if self.shape == "sharing":
            return behind
        for i in np.flatnonzero(~self.long & (self.start > self.arrival + 1e-9)):
            # A job can become blocked only when it arrives or when a long job starts.
            looks = np.concatenate([self.arrival[[i]], self.start[self.long]])
            looks = looks[(looks >= self.arrival[i]) & (looks < self.start[i])]
            behind[i] = any(self.blocked(at, self.server[i]) for at in looks)
        return behind

    def blocked(self, at: float, server: int = 0) -> bool:
        """Return True if long jobs block the queue at that time: on `server` if split, else on all servers."""
        busy = self.server[self.long & (self.start <= at) & (at < self.departure)]
        return server in busy if self.shape == "split" else np.unique(busy).size == self.servers

    def said(self) -> str:
        """Return a description of the trace for readers who cannot see the animation."""
        short = ~self.long
        slowdown = (self.departure - self.arrival) / self.service
        blocked = int(self.behind_long().sum())
        most = int(self.present()[1].max())
        worst = slowdown[short].max()
        return (
            f"{self.name}: at most {most} customers present; {blocked} of {short.sum()} short jobs waited behind a long"
            f" one; the slowest short job took {worst:.3g} times its own service."
        )


def _virtual(
    arrival: np.ndarray, departure: np.ndarray, servers: int, first: float, begin: float, end: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (times, virtual time) of a station; its speed is min(1, servers / jobs present)."""
    times, jobs = presence(arrival, departure)
    speed = np.minimum(1.0, servers / np.maximum(jobs, 1))
    virtual = np.concatenate([[0.0], np.cumsum(speed[:-1] * np.diff(times))])
    inside = (times >= first) & (times <= end)
    at = np.concatenate([times[inside], [end]])
    return at - begin, np.interp(at, times, virtual)
