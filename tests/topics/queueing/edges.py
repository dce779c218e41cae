"""Kernels of kernels_c/queueing.c on edge sizes and on generated arguments: four systems of queues."""

import numpy as np
import pytest
from edge_arguments import LAWS
from hypothesis import given
from hypothesis import strategies as st

from spe_lab.models import queues

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
