"""Simulated queues against plain Python on the same customers, and what they refuse."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.models import queues
from spe_lab.models.queues import laws, simulation
from spe_lab.models.queues.simulation import Priority, Shared, Sharing, Split

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

# ---- Kernels against plain Python
# ------------------------------------------------------------------------------------------


def shared_by_hand(gaps, service, servers):
    free, now, waits = [0.0] * servers, 0.0, []
    for gap, needed in zip(gaps, service, strict=True):
        now += gap
        k = free.index(min(free))
        start = max(free[k], now)
        waits.append(start - now)
        free[k] = start + needed
    return waits


def split_by_hand(gaps, service, servers, join):
    """`join(lengths)` says whose queue, from how many are at each server, those in service counted."""
    leaving, now, waits = [[] for _ in range(servers)], 0.0, []
    for gap, needed in zip(gaps, service, strict=True):
        now += gap
        k = join([sum(t > now for t in each) for each in leaving])
        start = max(leaving[k][-1] if leaving[k] else 0.0, now)
        waits.append(start - now)
        leaving[k].append(start + needed)
    return waits


def sharing_by_hand(gaps, service, servers):
    """Every job's rest is counted down, step by step to the next arrival or departure."""
    rest, now, sojourn = {}, 0.0, [0.0] * len(gaps)
    arrivals = np.cumsum(gaps)
    i = 0
    while i < len(gaps) or rest:
        speed = min(1.0, servers / len(rest)) if rest else 1.0
        ends = min(rest.values()) / speed if rest else math.inf
        comes = arrivals[i] - now if i < len(gaps) else math.inf
        step = min(ends, comes)
        rest = {k: left - step * speed for k, left in rest.items()}
        now += step
        if comes < ends:
            rest[i] = service[i]
            i += 1
        else:
            k = min(rest, key=rest.get)
            del rest[k]
            sojourn[k] = now - arrivals[k]
    return sojourn


def priority_by_hand(gaps, service, servers, below):
    """An event at a time: arrivals and departures from one list, two lines."""
    arrivals, queue, busy, waits = np.cumsum(gaps), ([], []), [], [0.0] * len(gaps)
    i = 0
    while i < len(gaps) or busy:
        if busy and (i == len(gaps) or min(busy) <= arrivals[i]):
            now = min(busy)
            busy.remove(now)
        else:
            now = arrivals[i]
            queue[int(service[i] >= below)].append(i)
            i += 1
        while len(busy) < servers and (queue[0] or queue[1]):
            k = (queue[0] or queue[1]).pop(0)
            waits[k] = now - arrivals[k]
            busy.append(now + service[k])
    return waits


def customers(n, servers, seed=1):
    """Whole numbers among them, so that arrivals and departures coincide, and services of length zero."""
    rng = np.random.default_rng(seed)
    return rng.choice([0.0, 0.25, 1.0, 2.0], n) / servers, rng.choice([0.0, 0.5, 1.0, 3.0], n)


def by_kernel(system, gaps, service, who=False):
    out, server = np.empty(len(gaps)), np.empty(len(gaps), np.int32) if who else None
    simulation._run(system, gaps, service, 1, out, server, Cancel())
    return (out, server) if who else out


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 5, 32, 33, 100])
@pytest.mark.parametrize("n", [1, 2, 400])
def test_the_shared_queue_is_kiefer_and_wolfowitz_by_hand(servers, n):
    gaps, service = customers(n, servers)
    assert by_kernel(Shared(servers), gaps, service).tolist() == shared_by_hand(gaps, service, servers)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 3, 8])
def test_split_queues_are_those_by_hand(servers):
    gaps, service = customers(500, servers)
    turns = iter(range(500))
    assert by_kernel(Split(servers, "round robin"), gaps, service).tolist() == split_by_hand(
        gaps, service, servers, lambda _: next(turns) % servers
    )
    assert by_kernel(Split(servers, servers), gaps, service).tolist() == split_by_hand(
        gaps, service, servers, lambda lengths: lengths.index(min(lengths))
    )
    for choices in ("random", 2):  # by the servers that the kernel says were chosen
        waits, server = by_kernel(Split(servers, choices), gaps, service, who=True)
        chosen = iter(server.tolist())
        assert waits.tolist() == split_by_hand(gaps, service, servers, lambda _, chosen=chosen: next(chosen))


@needs_compiler
def test_the_shorter_of_two_drawn_with_replacement_has_the_ranks_that_this_gives():
    """Where four lines all differ, the k-th shortest is joined with probability ((5 − k)² − (4 −
    k)²) / 16: 7, 5, 3, 1.
    """
    gaps, service = queues.poisson(4 * 0.98).sample(60_000, 1), queues.exponential(1.0).sample(60_000, 2)
    _, server = by_kernel(Split(4, 2), gaps, service, who=True)
    leaving, ranks = [[] for _ in range(4)], []
    for now, k, needed in zip(np.cumsum(gaps), server, service, strict=True):
        leaving = [[t for t in each if t > now] for each in leaving]
        lengths = [len(each) for each in leaving]
        if len(set(lengths)) == 4:
            ranks.append(sorted(lengths).index(lengths[k]))
        leaving[k].append((leaving[k][-1] if leaving[k] else now) + needed)
    expected = np.array([7, 5, 3, 1]) / 16 * len(ranks)
    assert len(ranks) > 3000
    assert (
        (np.bincount(ranks, minlength=4) - expected) ** 2 / expected
    ).sum() < 16.3  # chi-square, three degrees of freedom, 0.1 %


@needs_compiler
def test_at_random_each_server_is_drawn_as_often_and_in_no_order():
    gaps, service = customers(64_000, 4)
    _, server = by_kernel(Split(4, "random"), gaps, service, who=True)
    pairs = np.bincount(server[:-1] * 4 + server[1:], minlength=16)
    assert ((pairs - 4000) ** 2 / 4000).sum() < 37.7  # chi-square, fifteen degrees of freedom, 0.1 %


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 5])
def test_processor_sharing_is_the_one_counted_down_by_hand(servers):
    rng = np.random.default_rng(2)
    gaps, service = rng.exponential(1 / servers, 400), rng.exponential(0.8, 400)
    assert np.allclose(by_kernel(Sharing(servers), gaps, service), sharing_by_hand(gaps, service, servers), rtol=1e-9)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 700])
@pytest.mark.parametrize("n", [1, 2, 600])
def test_processor_sharing_knows_ties_and_services_of_no_length(servers, n):
    gaps, service = customers(n, servers)
    assert np.allclose(
        by_kernel(Sharing(servers), gaps, service), sharing_by_hand(gaps, service, servers), rtol=1e-9, atol=1e-12
    )


@needs_compiler
@pytest.mark.parametrize("servers", [1, 2, 700])
@pytest.mark.parametrize("n", [1, 2, 600])
def test_priority_knows_ties_and_services_of_no_length(servers, n):
    """Who comes when a server falls free finds it free, if nobody waits."""
    gaps, service = customers(n, servers)
    assert by_kernel(Priority(servers, below=1.0), gaps, service).tolist() == priority_by_hand(
        gaps, service, servers, 1.0
    )


@needs_compiler
def test_split_sharing_is_a_station_for_each_part_of_the_stream():
    rng = np.random.default_rng(3)
    gaps, service = rng.exponential(0.4, 600), rng.exponential(0.8, 600)
    found, station = by_kernel(Sharing(1, stations=3), gaps, service, who=True)
    arrivals = np.cumsum(gaps)
    for k in range(3):
        own = station == k
        assert np.allclose(found[own], sharing_by_hand(np.diff(arrivals[own], prepend=0.0), service[own], 1), rtol=1e-9)


@needs_compiler
@pytest.mark.parametrize("servers", [1, 3])
def test_priority_is_the_event_list_by_hand(servers):
    rng = np.random.default_rng(4)
    gaps, service = (
        rng.exponential(1 / servers, 500),
        rng.choice([0.3, 4.0], 500, p=[0.8, 0.2]) * rng.uniform(0.9, 1.1, 500),
    )
    assert np.allclose(
        by_kernel(Priority(servers, below=1.0), gaps, service), priority_by_hand(gaps, service, servers, 1.0), atol=1e-9
    )
    assert by_kernel(Priority(servers, below=0.0), gaps, service) == pytest.approx(
        by_kernel(Shared(servers), gaps, service), abs=1e-9
    )


@needs_compiler
@pytest.mark.parametrize("system", [Split(2, 2), Sharing(1), Sharing(1, stations=2, choices=2)], ids=repr)
def test_a_line_that_outgrows_its_ring_is_found_out_and_given_a_longer_one(system):
    gaps, service = np.full(5000, 1e-9), np.full(5000, 1.0)  # all come at once
    sojourn = by_kernel(system, gaps, service) + (0 if isinstance(system, Sharing) else service)
    assert sojourn.max() == pytest.approx(5000 / (2 if "2" in repr(system) else 1), rel=1e-3)


@needs_compiler
@pytest.mark.parametrize("system", [Split(2, 2), Sharing(2)], ids=repr)
def test_lines_too_long_for_the_memory_they_may_have_are_an_error(system, monkeypatch):
    monkeypatch.setattr(simulation, "_MOST_SLOTS", 1 << 12)
    with pytest.raises(SpeLabError, match="fewer than 4,096 customers, and one grew longer"):
        by_kernel(system, np.zeros(5000), np.ones(5000))


@needs_compiler
@pytest.mark.parametrize("servers", [1, 4])
def test_simpy_keeps_the_same_customers_waiting_as_long(servers):
    """An engine that shares no thought with the kernel: events from a heap, a process for each customer."""
    simpy = pytest.importorskip("simpy", reason="needs the extra bench")
    gaps, service = queues.poisson(0.8 * servers).sample(2000, 1), queues.exponential(1.0).sample(2000, 2)
    environment, waits = simpy.Environment(), []
    resource = simpy.Resource(environment, capacity=servers)

    def customer(needed):
        came = environment.now
        with resource.request() as turn:
            yield turn
            waits.append(environment.now - came)
            yield environment.timeout(needed)

    def arrivals():
        for gap, needed in zip(gaps.tolist(), service.tolist(), strict=True):
            yield environment.timeout(gap)
            environment.process(customer(needed))

    environment.process(arrivals())
    environment.run()
    assert by_kernel(Shared(servers), gaps, service).tolist() == waits  # whoever comes first starts first


# ---- The edge
# --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"gaps": queues.poisson(1.0)}, "load must be below 1, got 1"),
        ({"gaps": queues.poisson(5.0)}, "load must be below 1, got 5"),
        ({"customers": 0}, "customers must be a whole number"),
        ({"customers": 10**12}, r"customers must be at most 20,000,000, got 1000000000000 \(40,000 GB\)"),
        ({"customers": math.nan}, "customers must be at most"),
        ({"customers": 10.5}, "whole number"),
        ({"customers": "many"}, "customers must be at most"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 0.5}, "seed must be"),
    ],
)
def test_a_simulation_refuses_what_cannot_be(wrong, rule):
    arguments = {
        "system": Shared(1),
        "gaps": queues.poisson(0.5),
        "service": queues.exponential(1.0),
        "customers": 1000,
        "seed": 1,
    } | wrong
    with pytest.raises(SpeLabError, match=rule):
        queues.simulate(**arguments)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Shared(0),
        lambda: Shared(-1),
        lambda: Shared(1.5),
        lambda: Shared(10**6),
        lambda: Split(4, "shortest"),
        lambda: Split(4, 0),
        lambda: Sharing(1, stations=0),
        lambda: Split(4, 2.5),
        lambda: Split(4, [2]),
        lambda: Priority(4, math.nan),
        lambda: Priority(4, -1.0),
        lambda: Priority(4, "short"),
    ],
)
def test_a_system_that_cannot_be_is_refused(call):
    with pytest.raises(SpeLabError, match="must be"):
        call()


@needs_compiler
def test_numpy_s_numbers_are_numbers():
    run = queues.simulate(
        Shared(np.int64(2)), queues.poisson(np.float64(1.0)), queues.exponential(1.0), np.int32(1000), np.int64(3)
    )
    assert run.all_sojourns.size == 1000


@needs_compiler
def test_asking_for_what_is_not_kept_names_what_is():
    run = queues.simulate(Shared(1), queues.poisson(0.5), queues.exponential(1.0), 1000)
    with pytest.raises(SpeLabError, match="of must be sojourn, waiting, service or slowdown, got 'cost'"):
        run.mean("cost")
    with pytest.raises(SpeLabError, match="p must lie between 0 and 1, got 99"):
        run.quantile(99)
    with pytest.raises(SpeLabError, match="slowdown needs service times above 0"):
        queues.simulate(Shared(1), queues.poisson(0.5), queues.empirical([0.0, 1.0]), 1000).mean("slowdown")


@needs_compiler
@pytest.mark.parametrize(
    "system", [Shared(2), Split(2, 2), Sharing(2), Priority(2, 1.0)], ids=lambda system: type(system).__name__
)
def test_a_cancelled_simulation_says_so(system):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError, match="cancelled"):
        queues.simulate(system, queues.poisson(0.5), queues.exponential(1.0), 1000, cancel=cancel)
    with pytest.raises(CancelledError, match="cancelled"):
        simulation._run(system, np.ones(10), np.ones(10), 1, np.empty(10), None, cancel)


@needs_compiler
@pytest.mark.parametrize(
    "system",
    [Shared(1), Shared(40), Split(2), Split(2, 2), Sharing(2), Sharing(1, stations=2), Priority(2, 1.0)],
    ids=repr,
)
def test_a_simulation_under_way_is_cancelled(system):
    """The flag lies in the result: it is raised when the kernel comes to customer 100, and seen when it looks again."""
    out = np.full(200_000, math.nan)
    flag = out[100:].view(np.int32)  # the lower half of a NaN is zero, that of a time which thirds add up to is not
    early = np.arange(out.size) <= 100  # all of whom wait; nobody does later
    with pytest.raises(CancelledError, match="cancelled"):
        simulation._run(
            system, np.where(early, 1 / 3, 5000.0), np.where(early, 20.0, 1.0), 1, out, None, SimpleNamespace(flag=flag)
        )
    reached = np.flatnonzero(np.isfinite(out)).max()
    assert 100 < reached < 70_000


@needs_compiler
def test_the_c_refuses_what_python_would_not_send():
    library, flag = native.load("queueing"), Cancel().flag
    table = np.empty(4, np.dtype(library.struct("turn")))
    one, bad = np.ones(4), library.constants["SPE_BAD_ARGUMENT"]
    assert library.queue_shared(one, one, 4, 0, table, np.empty(4), None, flag) == bad
    assert library.queue_shared(one, one, -1, 1, table, np.empty(4), None, flag) == bad
    assert (
        library.queue_split(
            one, one, 4, 2, 2, 1, np.empty(2, np.dtype(library.struct("line"))), np.empty(6), 3, np.empty(4), None, flag
        )
        == bad
    )
    law = native.load("laws").struct("law")(99, 1.0, 1.0, 0.5, None, 0)
    assert native.load("laws").law_draw(law, np.array([1], np.uint64), np.empty(4), 4, flag) == bad
    assert laws.whole("n", 3.0, 1, 5) == 3
