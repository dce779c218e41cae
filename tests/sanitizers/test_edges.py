"""Every kernel on edge sizes and on generated arguments, through the calls that Python code makes: references and
variants agree.

They run in processes whose kernels were built with sanitizers (test_sanitized.py starts them), by several compilers and
levels.
"""

import contextlib
import os
import socket
import threading
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native, prototypes
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine import cpus
from spe_lab.core.sampling import cycle
from spe_lab.core.sampling.load import Client
from spe_lab.models import queues
from spe_lab.models.cache import INCLUSIONS, POLICIES, PREFETCHERS, Hierarchy, Level, stack_distances
from spe_lab.models.patterns.algebra import Region, r_trav, rr_acc, s_trav, s_trav_cr
from spe_lab.models.task_graph import ORDERS, Graph
from spe_lab.topics.branches import selection, simulator
from spe_lab.topics.coherence.simulator import Bus
from spe_lab.topics.coherence.words import OPERATIONS
from spe_lab.topics.numerical import searching
from spe_lab.topics.objectives import hedging, omission
from spe_lab.topics.patterns import kernels as patterns
from spe_lab.topics.scaling import cost, execution, parallelism

SIZES = st.sampled_from([1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 257]) | st.integers(1, 300)
WORKS = st.lists(st.integers(0, 700), min_size=1, max_size=4)
SEEDS = st.integers(0, 2**64 - 1)


def state_of(library, tag, *values):
    """A structure of the kernel's, arrays by their addresses."""
    return library.struct(tag)(*(value.ctypes.data if isinstance(value, np.ndarray) else value for value in values))


# ---- one thread
# -----------------------------------------------------------------------------------------------------------


@given(SIZES, st.sampled_from([8, 24, 64, 136]), SEEDS)
def test_cycles(nodes, spacing, seed):
    lines = np.zeros(nodes * spacing, np.uint8)
    state = cycle.link(lines.ctypes.data, nodes, spacing, seed, Cancel())
    start, library = state.cursor, native.load("memory")
    assert library.cycle_walk(state, 0) == start
    assert len({library.cycle_walk(state, 1) for _ in range(nodes)}) == nodes and state.cursor == start


@given(SIZES, st.integers(1, 300), st.integers(0, 300), WORKS)
def test_sweeps(n, stride, shift, works):
    elements = np.random.default_rng(n).integers(-(2**31), 2**31, n).astype(np.int32)
    stride, library = min(stride, n), native.load("memory")

    def visited():
        start = 0
        while True:
            yield from range(start, n, stride)
            start = (start + shift) % stride

    for kernel in (library.sum_strided, library.sum_strided_dependent):
        state, order = state_of(library, "sweep", elements, n, stride, shift, 0, 0, 0), visited()
        for work in works:
            assert np.uint64(kernel(state, work)).astype(np.int64) == elements[list(islice(order, work))].sum(
                dtype=np.int64
            )


@given(SIZES, st.integers(0, 8), st.integers(0, selection.KEY_RANGE), WORKS)
def test_selections(n, width, threshold, works):
    library, rng = native.load("branches"), np.random.default_rng(n)
    keys, payload = (
        rng.integers(0, selection.KEY_RANGE, n, dtype=np.int32),
        rng.integers(0, 1000, n * width + 1, dtype=np.int32),
    )
    for kernel in ("sum_branching", "sum_predicated", "read_branching", "read_predicated"):
        state, done = state_of(library, "selection", keys, payload, n, width, 0, threshold), 0
        for work in works:
            places = np.arange(done, done + work) % n
            chosen, done = places[keys[places] < threshold], done + work
            expected = keys[chosen] if kernel.startswith("sum") else payload[width * chosen]
            assert getattr(library, kernel)(state, work) == expected.sum(dtype=np.int64)


@given(
    st.floats(0, 1),
    st.integers(0, 300),
    st.integers(2, 16),
    st.integers(0, 15),
    st.integers(0, 3),
    st.sampled_from(list(simulator.KINDS)),
    st.sampled_from(simulator.LAWS),
    st.floats(0, 1),
    st.sampled_from([1, 2, 15, 16]),
    SEEDS,
)
def test_predictors(p, branches, states, initial, runs, kind, law, correlation, history, seed):
    found = simulator.simulate(
        p,
        branches,
        runs,
        states=states,
        initial=min(initial, states - 1),
        kind=kind,
        law=law,
        correlation=correlation,
        history=history,
        seed=seed,
    )
    assert found.shape == (runs,) and (found <= branches).all()


LEVELS = st.builds(
    lambda sets, ways, policy: (
        Level(64 * (1 << sets) * ways, 64, ways, policy) if policy != "tree-PLRU" else Level(64 << sets, 64, 1, policy)
    ),
    st.integers(0, 4),
    st.integers(1, 64),
    st.sampled_from(list(POLICIES)),
)
ADDRESSES = st.lists(st.integers(0, 5000) | st.sampled_from([0, 63, 64, 2**32, 2**62 - 1, 2**62]), max_size=200)


@given(
    st.lists(LEVELS, min_size=1, max_size=8),
    st.sampled_from(list(INCLUSIONS)),
    st.sampled_from(list(PREFETCHERS)),
    ADDRESSES,
    st.integers(0, 300),
)
def test_caches(levels, inclusion, prefetcher, addresses, size):
    counts = Hierarchy(levels, inclusion, prefetcher).run(np.array(addresses, np.uint64), size)
    assert counts.accesses >= len(addresses) and all(0 <= misses <= counts.accesses for misses in counts.misses)


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(0, 50), max_size=300), st.integers(1, 100))
def test_two_ways_to_the_misses_of_a_cache(blocks, capacity):
    blocks = np.array(blocks, np.int64)
    lines = np.unique(blocks, return_inverse=True)[1].astype(np.uint64) * 64
    assert Hierarchy([Level(64 * capacity)]).run(lines).misses == (stack_distances(blocks).misses(capacity),)


@given(SIZES, st.integers(1, 5), SEEDS, st.integers(0, 50))
def test_searches(n, width, seed, lookups):
    keys, library = np.zeros(n * width, np.uint32), native.load("numerical")
    keys[::width] = 2 * np.arange(n, dtype=np.uint32) + 1
    for kind in searching.KINDS:
        found = getattr(library, f"search_{kind}")(state_of(library, "search", keys, n, width, seed), lookups)
        assert found == sum(searching.targets(n, lookups, seed))


@given(SIZES, st.integers(1, 9), st.integers(1, 9), st.sampled_from([s_trav, r_trav, rr_acc, s_trav_cr]), WORKS)
def test_visits(n, words, read, kind, works):
    read, more = min(read, words), {rr_acc: {"r": n + 1}, s_trav_cr: {"s": 0.5}}.get(kind, {})
    pattern, library = kind(Region(n, 4 * words), u=4 * read, **more), native.load("patterns")
    memory = np.random.default_rng(n).integers(0, 2**32, n * words, dtype=np.uint32)
    listed = None if kind is s_trav else pattern.items(np.random.default_rng(n)).astype(np.uint32)
    if listed is not None and not listed.size:
        return
    order, done = np.arange(n) if listed is None else listed, 0
    item = memory.reshape(n, words)[:, :read].sum(axis=1, dtype=np.uint64)
    state = patterns.visits_state(library, memory, pattern, listed)
    kernel = library.visit_in_order if listed is None else library.visit_listed
    for work in works:
        expected = item[order[np.arange(done, done + work) % order.size]]
        assert kernel(state, work) % 2**32 == int(expected.sum(dtype=np.uint64)) % 2**32
        done += work


@given(SIZES, st.integers(1, 10))
def test_scatters(n, bits):
    tuples, to = np.random.default_rng(n).integers(0, 2**64, n, dtype=np.uint64), np.zeros(n, np.uint64)
    clusters = tuples >> np.uint64(64 - bits)
    state, *_ = patterns.scatter_state(native.load("patterns"), tuples, to, bits)
    native.load("patterns").scatter_tuples(state, n)
    assert (to == tuples[np.argsort(clusters, kind="stable")]).all()


LAWS = st.one_of(
    st.builds(queues.deterministic, st.floats(0.01, 100)),
    st.builds(queues.exponential, st.floats(0.01, 100)),
    st.builds(queues.lognormal, st.floats(0.01, 100), st.floats(0.01, 100)),
    st.builds(queues.hyperexponential, st.floats(0.01, 100), st.floats(1, 1e6)),
    st.builds(queues.bimodal, st.floats(0.01, 100)),
    st.builds(queues.empirical, st.lists(st.floats(0.1, 9), min_size=1, max_size=9)),
)


@given(LAWS, st.sampled_from([0, 1, 2, 3, 64, 65]) | st.integers(0, 500), st.integers(0, 2**53))
def test_laws(law, n, seed):
    found = law.sample(n, seed)
    assert found.shape == (n,) and (found >= 0).all() and np.isfinite(found).all()


CHOICES = st.sampled_from(["random", "round robin", 1, 2, 70, 4096])
SYSTEMS = {
    "shared": st.builds(queues.Shared, st.integers(1, 70)),
    "priority": st.builds(queues.Priority, st.integers(1, 70), st.floats(0, 3)),
    "split": st.builds(queues.Split, st.integers(1, 70), CHOICES),
    "sharing": st.builds(queues.Sharing, st.integers(1, 9), st.integers(1, 9), CHOICES),
}


@pytest.mark.parametrize("kind", SYSTEMS)
@given(st.data(), LAWS, st.floats(0.1, 0.99), st.integers(1, 400), st.integers(0, 2**53))
def test_queues(kind, data, service, load, customers, seed):
    system = data.draw(SYSTEMS[kind])
    servers = system.capacity
    run = queues.simulate(system, queues.poisson(load * servers / service.mean), service, customers, seed, who=True)
    assert (run.sojourn >= run.service * (1 - 1e-9)).all() and np.isfinite(run.sojourn).all()
    assert ((run.server >= 0) & (run.server < servers)).all()


def test_a_line_that_outgrows_its_room_gets_a_longer_one():
    sudden = queues.empirical([0.0] * 999 + [3000.0])  # a thousand customers at once, then none for long
    for system in (queues.Split(2, "random"), queues.Sharing(2, 1), queues.Sharing(1, 2)):
        run = queues.simulate(system, sudden, queues.deterministic(1.0), 3000)
        assert run.sojourn.max() > 64


@given(
    st.sampled_from(["open", "closed"]),
    st.floats(1e-9, 1e-7),
    st.floats(1e-9, 1e-7),
    st.floats(0, 1e-7),
    st.floats(1e-9, 2e-5),
)
def test_clients_of_a_server_that_stalls(client, gap, service, frozen, duration):
    found = omission.latencies(client, gap, service, service + frozen + 1e-8, frozen, duration)
    assert (found > 0).all() and found.size <= duration / gap * 2 + 2  # C counts in whole nanoseconds


@given(
    st.floats(0.01, 0.99),
    st.floats(0, 9) | st.just(float("inf")),
    st.integers(20, 200),
    st.integers(2, 40),
    st.integers(0, 2**32),
)
def test_copies_of_requests(load, delay, requests, queues_, seed):
    hedged = hedging.simulate_hedging(load, delay, requests, queues_, seed=seed)
    assert (hedged.sojourn > 0).all() and hedged.sojourn.shape == hedged.copied.shape
    assert (hedging.simulate_fork_join(load, queues_, requests, seed=seed) > 0).all()


@given(st.integers(1, 8), st.integers(1, 9), st.data())
def test_coherent_caches(cores, lines, data):
    trace = data.draw(
        st.lists(st.tuples(st.integers(0, cores - 1), st.integers(0, lines - 1), st.sampled_from("RWD")), max_size=50)
    )
    bus = Bus(cores, lines).run(
        [core for core, _, _ in trace], [line for _, line, _ in trace], "".join(kind for *_, kind in trace)
    )
    assert ((bus.states >= 2).sum(axis=1) <= 1).all()  # one exclusive or modified copy at most
    alike = Bus(cores, cores * lines)
    for padded in (False, True):
        alike.run_random(
            99, write=0.5, tenure=data.draw(st.floats(1, 1e9)), lines=lines, padded=padded, seed=data.draw(SEEDS)
        )
    assert alike.counts["accesses"] == 198


@given(st.integers(1, 9), st.floats(0.01, 100), st.floats(0.1, 1e4), st.floats(0.01, 2), st.integers(1, 3), SEEDS)
def test_fleets(machines, mttf, mttr, years, lifetimes, seed):
    found = cost.simulate_fleet(machines, np.linspace(1, 0, machines + 1), mttf, mttr, years, lifetimes, seed=seed)
    assert found.shape == (3, lifetimes) and np.isfinite(found).all() and (found >= 0).all()


@given(SIZES, SIZES)
def test_the_calibration_s_loops(n, work):
    library, rng = native.load("machine"), np.random.default_rng(n)
    words, values = rng.integers(0, 2**40, 8 * n, dtype=np.uint64), rng.integers(0, 256, n, dtype=np.uint8)
    assert library.stream_sum(state_of(library, "stream", words, 8 * n, 0), n) == words.sum()
    assert library.select_branching(state_of(library, "selection", values, n, 0, 128), n) == (values < 128).sum()
    nodes = np.zeros(n * 64, np.uint8)
    chains = library.struct("chains")()
    chains.cursor[0] = chains.cursor[1] = cycle.link(nodes.ctypes.data, n, 64, 1, Cancel()).cursor
    chains.n = 2
    library.walk_chains(chains, 2 * n)
    assert chains.cursor[0] == chains.cursor[1] == nodes.ctypes.data
    library.cross_line(state_of(library, "crossing", nodes, 8), work)
    counter = np.zeros(1, np.uint64)
    library.add_atomically(counter, work)
    assert counter[0] == work
    for kernel in (library.call_function, library.call_clock, library.call_system):
        kernel(None, work)
    steps = np.full(n, -1, np.int64)
    library.clock_steps(steps, n)
    assert (steps >= 0).all()


def test_pages_that_were_given_back_are_faulted_in_again():
    import mmap

    pages, library = 5, native.load("machine")
    memory = np.frombuffer(mmap.mmap(-1, pages * mmap.PAGESIZE), np.uint8)
    for n in (0, 1, 3):
        took, faults = np.zeros(n, np.int64), np.zeros(n, np.int64)
        assert library.fault_pages(memory.ctypes.data, pages, mmap.PAGESIZE, took, faults, n, Cancel().flag) == 0
        assert ((faults == -1) | (faults >= 1)).all()


@contextlib.contextmanager
def client(size):
    """A client of a service in this process, which sends back what it gets."""
    ours, theirs = socket.socketpair()

    def echo():
        while got := theirs.recv(1 << 16):
            theirs.sendall(got)

    service = threading.Thread(target=echo)
    service.start()
    try:
        yield Client(SimpleNamespace(connect=lambda: ours, check=lambda task: None, cancel=Cancel()), size)
    finally:
        ours.close()  # ends the thread
        service.join()
        theirs.close()


@pytest.mark.parametrize("size", [16, 17, 4096, 2**18])
def test_requests_one_after_the_other(size):
    with client(size) as requests:
        for n in (0, 1, 7):
            records, threads = requests.closed(n, 2**32 - 1)
            assert (records["received_ns"] >= records["sent_ns"]).all() and threads["ended_ns"] >= threads["began_ns"]


def test_the_harness():
    library = native.load("measurement")
    point = state_of(library, "spe_point", 0, None, 3)
    for name in ("null_kernel", "probe_kernel"):
        point.kernel = library.address(name)
        for n in (0, 1, 7):
            slots = np.zeros(n, np.dtype(library.struct("spe_sample")))
            slots["work"], slots["warm"] = np.arange(n) * 31, 1
            assert library.spe_run(point, slots, n, library.spe_now() + 10**10, Cancel().flag) == n
            assert (slots["checksum"] == slots["work"]).all()
    assert library.null_kernel(None, 5) == library.probe_kernel(None, 5) == 5


def test_the_watch_over_crashes_refuses_too_small_a_stack():
    assert native.load("crash").crash_watch(np.zeros(64, np.uint8).ctypes.data, 64, 2) != 0
    native.load("crash").crash_line_buffered()


# ---- several threads (test_sanitized.py selects them by name)
# ---------------------------------------------------------------


def thread_counts(most):
    return sorted({1, 2, 3, most} if most <= 8 else {1, 3, most})


@pytest.mark.parametrize("kind", list(parallelism.KINDS))
def test_threads_that_add_up_products(kind):
    rng, library = np.random.default_rng(1), native.load("scaling")
    for n in (0, 1, 3, 31, 32, 33, 1000):
        x, y = (rng.integers(-1, 2, n).astype(np.float32) for _ in range(2))
        expected = x @ y
        for threads in thread_counts(5):
            assert (parallelism.dot(kind, threads, x, y, n, laps=2, trials=2)[1] == expected).all()
        for name in ("dot_one_chain", "dot_chains", "dot_vector", "dot_vector_chains"):
            assert getattr(library, name)(x, y, n) == expected


@pytest.mark.parametrize("create", [0, 1])
@pytest.mark.parametrize("waiting", [0, 1])
def test_threads_that_fork_and_join(waiting, create):
    library = native.load("scaling")
    for threads in thread_counts(128):
        for trials, work in ((0, 0), (1, 0), (2, 1000)):
            elapsed, records = (
                np.zeros(trials, np.int64),
                np.zeros(trials * threads, np.dtype(library.struct("team_record"))),
            )
            assert (
                library.fork_join(
                    waiting,
                    threads,
                    cpus.current().assigned(threads),
                    create,
                    1,
                    work,
                    work,
                    trials,
                    elapsed,
                    records,
                    Cancel().flag,
                )
                == 0
            )
            assert (elapsed >= 0).all()


@pytest.mark.parametrize("order", ORDERS)
def test_threads_that_take_tasks_of_a_graph(order):
    for text in (
        "a 0.01ms",
        "a 0.01ms\nb 0.01ms after a\nc 0.02ms after a\nd 0.01ms after b c",
        "\n".join(f"t{i} 0.01ms" for i in range(33)),
    ):
        graph = Graph.parse(text)
        for workers in (1, 2, 7):
            elapsed, began, ended, worker = execution.run_trials(graph, workers, order, 2)
            assert (elapsed > 0).all() and (ended >= began).all() and (worker < workers).all()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_threads_that_share_words(operation):
    library = native.load("coherence")
    for threads, offset in ((1, 0), (2, 0), (2, library.constants["SHARING_FARTHEST"])):
        if (threads, offset) == (2, 0) and operation == "load + store" and os.environ["SPE_LAB_SANITIZED"] == "thread":
            continue  # a race by intent: tests/topics/test_coherence.py asks that it be found
        for trials, count in ((0, 0), (1, 0), (2, 33)):
            records, sums = (
                np.zeros((trials, threads), np.dtype(library.struct("team_record"))),
                np.zeros(trials, np.uint64),
            )
            assert (
                library.share_words(
                    library.constants[OPERATIONS[operation]],
                    threads,
                    cpus.current().assigned(threads),
                    offset,
                    count,
                    trials,
                    records,
                    sums,
                    Cancel().flag,
                )
                == 0
            )


def test_threads_that_hand_a_line_over_or_work_side_by_side():
    library, here = native.load("coherence"), cpus.current().assigned(2)
    for trials, rounds in ((0, 0), (1, 0), (2, 1), (2, 33)):
        records = np.zeros((trials, 2), np.dtype(library.struct("team_record")))
        assert library.hand_over_line(here, rounds, trials, records, Cancel().flag) == 0
        counters, add = np.zeros(2, np.uint64), native.load("machine").address("add_atomically")
        assert (
            library.run_beside(
                add, counters[0:].ctypes.data, add, counters[1:].ctypes.data, here, rounds, trials, records
            )
            == 0
        )
        assert (counters == rounds * (trials + 1)).all()


@pytest.mark.parametrize("size", [16, 2**18])
def test_threads_that_send_and_receive(size):
    with client(size) as requests:
        for due in ([], [0], [0, 0, 10**6, 10**6]):
            records, threads = requests.open(np.array(due, np.int64))
            assert (records["received_ns"] >= records["due_ns"]).all() and threads.size == 2


def test_threads_that_play_ball():
    for trials, hits in ((0, 0), (1, 0), (2, 1), (2, 33)):
        out, preemptions = np.zeros(trials, np.int64), np.zeros(trials, np.int64)
        assert native.load("machine").hand_off(-1, -1, hits, out, preemptions, trials, Cancel().flag) == 0


# ---- nothing is left out
# ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", native.stems())
def test_every_kernel_was_called_by_the_tests_above(stem):
    declared = set(prototypes.read(native.source(stem), native.kernel_folder()).functions)
    assert declared <= set(vars(native.load(stem)))  # it keeps the functions that it was asked for
