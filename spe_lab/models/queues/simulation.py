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
WARM_UP = (
    0.05  # share of the customers, from the first on, that statistics leave out: the system was empty when they came
)
_BYTES = 40  # a customer's gap, service, waiting, sojourn and scratch
_MOST_SLOTS = 1 << 27  # places in all lines of a system: 1 GB
Choices = int | str


@dataclass(frozen=True)
class System:
    """What customers find. `servers` of speed one each."""

    servers: int

    def __post_init__(self) -> None:
        whole("servers", self.servers, 1, MOST_SERVERS)

    @property
    def capacity(self) -> int:
        """Servers in all."""
        return self.servers


@dataclass(frozen=True)
class Shared(System):
    """One queue, first come first served, before all servers."""


@dataclass(frozen=True)
class Priority(System):
    """One queue in which jobs shorter than `below` go before all others; nobody's service is interrupted."""

    below: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.below, int | float | np.number) and self.below >= 0):
            raise SpeLabError(
                f"below must be a service time, 0 or longer, got {self.below}; jobs shorter than it go first"
            )


@dataclass(frozen=True)
class Split(System):
    """A queue for each server, first come first served. `choices`: "random", "round robin", or d: the shortest of d
    queues drawn at random with replacement, those in service counted (JSQ(d)); of all queues if d is `servers` or more.
    """

    choices: Choices = "random"

    def __post_init__(self) -> None:
        super().__post_init__()
        choices_code(self.choices)


@dataclass(frozen=True)
class Sharing(System):
    """Processor sharing: `stations` of `servers` servers each, all jobs of a station served at once by equal shares,
    none by more than one server. Customers choose among several stations as in `Split`.
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
    """0 for round robin, 1 for random, d for JSQ(d), as the kernel takes it."""
    named = {"round robin": 0, "random": 1}
    if isinstance(choices, str):
        if choices in named:
            return named[choices]
        raise SpeLabError(
            f"choices must be 'random', 'round robin' or how many queues are looked at, got {choices!r}; write for"
            " example choices=2"
        )
    return whole("choices", choices, 1, MOST_SERVERS)


@dataclass(frozen=True)
class Simulated:
    """A run. Arrays have an entry for each customer in the order of arrival, the warm-up left out; times are those of
    the laws.
    """

    system: System
    gaps: Law
    service_law: Law
    seed: int
    warm: int  # customers left out
    all_gaps: np.ndarray = field(repr=False)
    all_services: np.ndarray = field(repr=False)
    all_sojourns: np.ndarray = field(repr=False)
    server: np.ndarray | None = field(default=None, repr=False)  # who served, of all customers, if it was asked for

    @property
    def sojourn(self) -> np.ndarray:
        return self.all_sojourns[self.warm :]

    @property
    def service(self) -> np.ndarray:
        return self.all_services[self.warm :]

    @cached_property
    def waiting(self) -> np.ndarray:
        """Sojourn less service: time in the queue, or under processor sharing what others made it longer by."""
        return np.maximum(self.sojourn - self.service, 0.0)

    @cached_property
    def slowdown(self) -> np.ndarray:
        """Sojourn over service, which must not be zero."""
        if not self.service.all():
            raise SpeLabError(
                f"slowdown needs services longer than zero, and some of {self.service_law.name} take no time; ask for"
                " the sojourn"
            )
        return self.sojourn / self.service

    @cached_property
    def all_arrivals(self) -> np.ndarray:
        """When each customer came, those of the warm-up too."""
        return np.cumsum(self.all_gaps)

    def mean(self, of: str = "sojourn") -> Estimate:
        """Mean of "sojourn", "waiting", "service" or "slowdown", with its batch-means interval."""
        return batches.mean(self._values(of))

    def quantile(self, p: float, of: str = "sojourn") -> Estimate:
        """The p-quantile, with an interval from batches."""
        return batches.quantile(self._values(of), p)

    def tail(self, levels: np.ndarray, of: str = "sojourn") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(value, low, high) of P(X > level) for each level."""
        return batches.shares_above(self._values(of), np.asarray(levels, dtype=float))

    def naive_mean(self, of: str = "sojourn") -> Estimate:
        """The mean with the standard error that would hold if customers did not know of each other. They do."""
        return batches.naive_mean(self._values(of))

    def little(self) -> tuple[float, float]:
        """(L, λ·W) over the whole run: customers present, averaged over time by counting arrivals and departures, and
        the rate of arrivals times the mean sojourn. Little's law says they are equal, whatever the system.
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
    """(times, customers present from then on), counted up at each arrival and down at each departure."""
    times = np.concatenate([arrival, departure])
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(np.where(order < arrival.size, 1, -1))


def load(system: System, gaps: Law, service: Law) -> float:
    """ρ: the share of time that a server is busy.

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
    """Sends so many customers through a system; `who` asks for each one's server as well.

    The load must be below one. Gaps, services and choices are drawn from streams of their own, so that systems with the
    same seed and laws serve the same customers. Raises SpeLabError for what lies outside the domain, CancelledError if
    cancelled.

    >>> from spe_lab.models.queues.laws import exponential, poisson
    >>> run = simulate(Shared(1), poisson(0.8), exponential(1.0), 200_000, seed=2)
    >>> low, high = run.mean()[2:]
    >>> low < 5 < high  # 1 / (μ − λ)
    True
    """
    number = isinstance(customers, int | float | np.number)
    if not number or not customers <= MOST_CUSTOMERS:
        memory = f" ({customers * _BYTES / 1e9:,.0f} GB)" if number else ""
        raise SpeLabError(
            f"customers must be at most {MOST_CUSTOMERS:,}, got {customers}{memory}; run replications of that many with"
            " several seeds"
        )
    customers, seed = whole("customers", customers, 1, MOST_CUSTOMERS), whole("seed", seed, 0, 2**53)
    if (rho := load(system, gaps, service)) >= 1:
        raise SpeLabError(
            f"the load must be below 1, got {rho:.4g}: the queue would grow without end; take fewer arrivals, shorter"
            " services or more servers"
        )
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
    """Fills `out` with sojourns (processor sharing) or waiting times (the others)."""
    library = native.load("queueing")
    n, servers, flag = len(gaps), system.servers, cancel.flag
    if isinstance(system, Split | Sharing):
        lines, kind, place = (
            (system.stations, "station", "job") if isinstance(system, Sharing) else (servers, "line", None)
        )
        table = np.empty(lines, np.dtype(library.struct(kind)))
        room = 64  # lines are short; the few that are not are found out, and the run begins anew with longer ones
        while True:
            places = np.empty(lines * room, np.dtype(library.struct(place)) if place else float)
            code = choices_code(system.choices)
            if isinstance(system, Sharing):
                status = library.queue_sharing(
                    gaps, service, n, lines, servers, code, seed, table, places, room, out, server, flag
                )
            else:
                status = library.queue_split(
                    gaps, service, n, lines, code, seed, table, places, room, out, server, flag
                )
            if status != library.constants["QUEUE_FULL"] or lines * room * 16 > _MOST_SLOTS:
                break
            room *= 16
    else:
        turns = np.empty(servers, np.dtype(library.struct("turn")))
        if isinstance(system, Priority):
            scratch = np.empty((2, n), np.int32)
            status = library.queue_priority(
                gaps, service, n, servers, system.below, turns, scratch[0], scratch[1], out, server, flag
            )
        else:
            status = library.queue_shared(gaps, service, n, servers, turns, out, server, flag)
    if status == library.constants["QUEUE_FULL"]:
        raise SpeLabError(
            f"the lines must have less than {_MOST_SLOTS:,} places in all, and one grew longer; lower the load or"
            " simulate fewer customers"
        )
    check(status, library)
