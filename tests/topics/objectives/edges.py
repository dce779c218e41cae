"""Kernels of kernels_c/objectives.c on edge sizes and on generated arguments: clients of a stalling server, and copies of requests."""

from hypothesis import given
from hypothesis import strategies as st

from spe_lab.topics.objectives import hedging, omission


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
