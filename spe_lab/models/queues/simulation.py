"""Systems of servers, simulated customer by customer in C (kernels_c/queueing.c)."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.models.queues import batches
from spe_lab.models.queues.batches import Estimate
from spe_lab.models.queues.laws import Law, whole

MOST_CUSTOMERS = 20_000_000
MOST_SERVERS = 4096
WARM_UP = 0.05  # share of the first customers, who found a nearly empty system, that statistics leave out
_BYTES = 40  # a customer's gap, service, waiting, sojourn and scratch
_MOST_SLOTS = 1 << 27  # places in all queues of a system: 1 GB
Choices = int | str


@dataclass(frozen=True)
class System:
    """A system of `servers` of speed 1 each."""

    servers: int

    def __post_init__(self) -> None:
        whole("servers", self.servers, 1, MOST_SERVERS)

    @property
    def capacity(self) -> int:
        """The number of servers in all stations."""
        return self.servers


@dataclass(frozen=True)
class Shared(System):
    """One queue, first come, first served, before all servers."""


@dataclass(frozen=True)
class Priority(System):
    """One queue with non-preemptive priority for jobs shorter than `below`."""

    below: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.below, int | float | np.number) and self.below >= 0):
            raise SpeLabError(
                f"below must be a service time, 0 or longer, got {self.below}; jobs shorter than it go first"
            )


@dataclass(frozen=True)
class Split(System):
    """A queue for each server, first come, first served.

    `choices`: "random", "round robin", or d for JSQ(d), the shortest of d queues drawn with replacement; customers in
    service count. If d is `servers` or more, it is the shortest of all queues.
    """

    choices: Choices = "random"

    def __post_init__(self) -> None:
        super().__post_init__()
        choices_code(self.choices)


@dataclass(frozen=True)
class Sharing(System):
    """Processor sharing at `stations` of `servers` servers each; customers choose a station as in `Split`.

    All jobs of a station are served at equal rates, at most the rate of one server.
    """

    stations: int = 1
    choices: Choices = "random"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("stations", self.stations, 1, MOST_SERVERS)
        choices_code(self.choices)

    @property
    def capacity(self) -> int:
        return self.servers * self.stations


def choices_code(choices: Choices) -> int:
    """Return the kernel's code: 0 for round robin, 1 for random, d for JSQ(d)."""
    named = {"round robin": 0, "random": 1}
    if isinstance(choices, str):
        if choices in named:
            return named[choices]
        rule = "choices must be 'random', 'round robin' or a number of queues"
        raise SpeLabError(f"{rule}, got {choices!r}; write for example choices=2")
    return whole("choices", choices, 1, MOST_SERVERS)


@dataclass(frozen=True)
class Simulated:
    """A simulated run: arrays have an entry for each customer by arrival, without the warm-up.

    The arrays named `all_…` and `server` include the warm-up. Times are in the unit of the distributions.
    """

    system: System
    gaps: Law
    service_law: Law
    seed: int
    warm: int  # customers in the warm-up
    all_gaps: np.ndarray = field(repr=False)
    all_services: np.ndarray = field(repr=False)
    all_sojourns: np.ndarray = field(repr=False)
    server: np.ndarray | None = field(default=None, repr=False)  # of each customer, if requested

    @property
    def sojourn(self) -> np.ndarray:
        return self.all_sojourns[self.warm :]

    @property
    def service(self) -> np.ndarray:
        return self.all_services[self.warm :]

    @cached_property
    def waiting(self) -> np.ndarray:
        """Sojourn minus service: the time in the queue, or under processor sharing the delay by other jobs."""
        return np.maximum(self.sojourn - self.service, 0.0)

    @cached_property
    def slowdown(self) -> np.ndarray:
        """Sojourn over service, which must not be zero."""
        if not self.service.all():
            rule = f"slowdown needs service times above 0, got zeros from {self.service_law.name}"
            raise SpeLabError(f"{rule}; use the sojourn")
        return self.sojourn / self.service

    @cached_property
    def all_arrivals(self) -> np.ndarray:
        """Arrival time of each customer, including the warm-up."""
        return np.cumsum(self.all_gaps)

    def mean(self, of: str = "sojourn") -> Estimate:
        """Return the mean of "sojourn", "waiting", "service" or "slowdown" with its batch-means interval."""
        return batches.mean(self._values(of))

    def quantile(self, p: float, of: str = "sojourn") -> Estimate:
        """Return the p-quantile with its interval from batches."""
        return batches.quantile(self._values(of), p)

    def tail(self, levels: np.ndarray, of: str = "sojourn") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (value, low, high) of P(X > level) for each level."""
        return batches.shares_above(self._values(of), np.asarray(levels, dtype=float))

    def naive_mean(self, of: str = "sojourn") -> Estimate:
        """Return the mean with the standard error of independent customers, which is too small."""
        return batches.naive_mean(self._values(of))

    def little(self) -> tuple[float, float]:
        """Return (L, λ·W) over the whole run; Little's law says that they are equal in any system.

        L is the time average of the customers present; λ·W is the arrival rate times the mean sojourn.
        """
        times, present = presence(self.all_arrivals, self.all_arrivals + self.all_sojourns)
        lasted = times[-1] - times[0]
        length = float(np.dot(present[:-1], np.diff(times)) / lasted)
        rate = self.all_arrivals.size / lasted
        return length, float(rate * self.all_sojourns.mean())

    def _values(self, of: str) -> np.ndarray:
        if of not in ("sojourn", "waiting", "service", "slowdown"):
            raise SpeLabError(f"of must be sojourn, waiting, service or slowdown, got {of!r}; name one of them")
        return getattr(self, of)


def presence(arrival: np.ndarray, departure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (times, customers present from then on), from the arrivals and the departures."""
    times = np.concatenate([arrival, departure])
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(np.where(order < arrival.size, 1, -1))


def load(system: System, gaps: Law, service: Law) -> float:
    """Return the load ρ, the share of time that a server is busy.

    >>> from spe_lab.models.queues.laws import exponential, poisson
    >>> load(Shared(4), poisson(2.0), exponential(1.0))
    0.5
    """
    return service.mean / gaps.mean / system.capacity


def simulate(
    system: System,
    gaps: Law,
    service: Law,
    customers: int = 1_000_000,
    seed: int = 1,
    *,
    who: bool = False,
    cancel: Cancel | None = None,
) -> Simulated:
    """Simulate `customers` in a system and return the run.

    - `gaps`, `service`: distributions; the load must be below 1
    - `seed`: systems with the same seed and distributions serve the same customers
    - `who`: True also records each customer's server

    Raise SpeLabError for an argument outside its domain, CancelledError if `cancel` is set.

    >>> from spe_lab.models.queues.laws import exponential, poisson
    >>> run = simulate(Shared(1), poisson(0.8), exponential(1.0), 200_000, seed=2)
    >>> low, high = run.mean()[2:]
    >>> low < 5 < high  # 1 / (μ − λ)
    True
    """
    number = isinstance(customers, int | float | np.number)
    if not number or not customers <= MOST_CUSTOMERS:
        memory = f" ({customers * _BYTES / 1e9:,.0f} GB)" if number else ""
        rule = f"customers must be at most {MOST_CUSTOMERS:,}, got {customers}{memory}"
        raise SpeLabError(f"{rule}; run replications of that many with several seeds")
    customers, seed = whole("customers", customers, 1, MOST_CUSTOMERS), whole("seed", seed, 0, 2**53)
    if (rho := load(system, gaps, service)) >= 1:
        cure = "take fewer arrivals, shorter services or more servers"
        raise SpeLabError(f"the load must be below 1, got {rho:.4g}: the queue would grow without bound; {cure}")
    cancel = Cancel() if cancel is None else cancel
    drawn, needed, spent = (np.empty(customers) for _ in range(3))
    first, second, third = (int(word) for word in np.random.SeedSequence(seed).generate_state(3, np.uint64))
    gaps.fill(drawn, first, cancel)
    service.fill(needed, second, cancel)
    server = np.empty(customers, np.int32) if who else None
    _run(system, drawn, needed, third, spent, server, cancel)
    if not isinstance(system, Sharing):
        spent += needed
    return Simulated(system, gaps, service, seed, int(customers * WARM_UP), drawn, needed, spent, server)


def _run(
    system: System,
    gaps: np.ndarray,
    service: np.ndarray,
    seed: int,
    out: np.ndarray,
    server: np.ndarray | None,
    cancel: Cancel,
) -> None:
    """Fill `out` with sojourns (processor sharing) or waiting times (other systems)."""
    library = native.load("queueing")
    n, servers, flag = len(gaps), system.servers, cancel.flag
    if isinstance(system, Split | Sharing):
        sharing = isinstance(system, Sharing)
        lines = system.stations if isinstance(system, Sharing) else servers
        kind, place = ("station", "job") if sharing else ("line", None)
        table = np.empty(lines, np.dtype(library.struct(kind)))
        run, each = (library.queue_sharing, (servers,)) if sharing else (library.queue_split, ())
        room = 64  # places of a queue: most are short; if one overflows, the run starts again with more places
        while True:
            places = np.empty(lines * room, np.dtype(library.struct(place)) if place else float)
            code = choices_code(system.choices)
            status = run(gaps, service, n, lines, *each, code, seed, table, places, room, out, server, flag)
            if status != library.constants["QUEUE_FULL"] or lines * room * 16 > _MOST_SLOTS:
                break
            room *= 16
    else:
        turns = np.empty(servers, np.dtype(library.struct("turn")))
        if isinstance(system, Priority):
            below, scratch = system.below, np.empty((2, n), np.int32)
            status = library.queue_priority(gaps, service, n, servers, below, turns, *scratch, out, server, flag)
        else:
            status = library.queue_shared(gaps, service, n, servers, turns, out, server, flag)
    if status == library.constants["QUEUE_FULL"]:
        rule = f"all queues together must hold fewer than {_MOST_SLOTS:,} customers, and one grew longer"
        raise SpeLabError(f"{rule}; lower the load or simulate fewer customers")
    check(status, library)
