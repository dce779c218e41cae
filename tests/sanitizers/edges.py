"""Kernels that belong to no single topic, on edge sizes and on generated arguments, through the calls that Python code
makes. A topic's own kernels: tests/topics/<stem>/edges.py.

They run in processes whose kernels were built with sanitizers, by several compilers and levels: test_sanitized.py
starts them. Its selection by name: tests with "threads" in it run several.
"""

import contextlib
import socket
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from edge_arguments import LAWS, state_of
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.sampling.load import Client
from spe_lab.models.cache import INCLUSIONS, POLICIES, PREFETCHERS, Hierarchy, Level, stack_distances

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


@given(LAWS, st.sampled_from([0, 1, 2, 3, 64, 65]) | st.integers(0, 500), st.integers(0, 2**53))
def test_laws(law, n, seed):
    found = law.sample(n, seed)
    assert found.shape == (n,) and (found >= 0).all() and np.isfinite(found).all()


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
        yield Client(
            SimpleNamespace(connect=lambda: ours, check=lambda task: None, cancel=Cancel(), name="an echo"), size
        )
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


@pytest.mark.parametrize("size", [16, 2**18])
def test_threads_that_send_and_receive(size):
    with client(size) as requests:
        for due in ([], [0], [0, 0, 10**6, 10**6]):
            records, threads = requests.open(np.array(due, np.int64))
            assert (records["received_ns"] >= records["due_ns"]).all() and threads.size == 2
