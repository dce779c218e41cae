"""Kernels of kernels_c/coherence.c on edge sizes and on generated arguments: coherent caches, and threads that share lines."""

import os

import numpy as np
import pytest
from edge_arguments import SEEDS
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine import cpus
from spe_lab.topics.coherence.simulator import Bus
from spe_lab.topics.coherence.words import OPERATIONS


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


@pytest.mark.parametrize("operation", OPERATIONS)
def test_threads_that_share_words(operation):
    library = native.load("coherence")
    for threads, offset in ((1, 0), (2, 0), (2, library.constants["SHARING_FARTHEST"])):
        if (threads, offset) == (2, 0) and operation == "load + store" and os.environ["SPE_LAB_SANITIZED"] == "thread":
            continue  # a race by intent: test_coherence.py asks that it be found
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
