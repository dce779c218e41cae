"""What happened to each customer of a run in a stretch of time: for a picture, an animation, or an exercise."""

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
    """Customers in the order of arrival; times count from the beginning of the stretch, so that who came before it has
    a negative arrival.

    `shape` is "shared" (one queue before all servers), "split" (one before each) or "sharing" (all in service at once).
    `start` is when service begins; `long` tells jobs of a length apart from the rest; `elapsed` = (times, virtual
    time): a job under processor sharing has had as much service as virtual time has gone on since it came.
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
        """The stretch in which the first so many customers after the warm-up come, and all who are present in it. `run`
        must know who served; jobs of at least `long_from` are long ones.
        """
        customers = whole("customers", customers, 2, min(MOST_CUSTOMERS, len(run.sojourn)))
        if run.server is None:
            raise SpeLabError("run must know who served each customer; simulate it with who=True")
        arrival = run.all_arrivals
        departure = arrival + run.all_sojourns
        begin, end = arrival[run.warm], arrival[run.warm + customers - 1]
        shape = SHAPES[type(run.system)]
        start = arrival if shape == "sharing" else departure - run.all_services
        seen = (departure > begin) & (arrival <= end)
        elapsed = (
            _virtual(arrival, departure, run.system.servers, arrival[seen][0], begin, end)
            if shape == "sharing"
            else None
        )
        return cls(
            name,
            shape,
            run.system.servers,
            end - begin,
            arrival[seen] - begin,
            start[seen] - begin,
            departure[seen] - begin,
            run.all_services[seen],
            run.server[seen],
            run.all_services[seen] >= long_from,
            elapsed,
        )

    def present(self) -> tuple[np.ndarray, np.ndarray]:
        """(times, customers present from then on)."""
        return presence(self.arrival, self.departure)

    def behind_long(self) -> np.ndarray:
        """Which short jobs wait at some time while a long one is in service ahead of them: all servers at long ones
        where the queue is shared, their own where it is split. Nobody waits under processor sharing.
        """
        found = np.zeros(self.arrival.size, bool)
        if self.shape == "sharing":
            return found
        for i in np.flatnonzero(~self.long & (self.start > self.arrival + 1e-9)):
            # Servers are taken up at starts and given up at departures, so it is enough to look just after each of
            # them.
            looks = np.concatenate([self.arrival[[i]], self.start[self.long]])
            looks = looks[(looks >= self.arrival[i]) & (looks < self.start[i])]
            found[i] = any(self.blocked(at, self.server[i]) for at in looks)
        return found

    def blocked(self, at: float, server: int = 0) -> bool:
        """Whether a long job, or one on every server of a shared queue, keeps others from starting at that time."""
        busy = self.server[self.long & (self.start <= at) & (at < self.departure)]
        return server in busy if self.shape == "split" else np.unique(busy).size == self.servers

    def said(self) -> str:
        """The stretch in a sentence or two, for who does not see it."""
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
    """Virtual time of a station: it passes at speed min(1, servers / jobs present)."""
    times, jobs = presence(arrival, departure)
    speed = np.minimum(1.0, servers / np.maximum(jobs, 1))
    virtual = np.concatenate([[0.0], np.cumsum(speed[:-1] * np.diff(times))])
    inside = (times >= first) & (times <= end)
    at = np.concatenate([times[inside], [end]])
    return at - begin, np.interp(at, times, virtual)
