"""The published profiles: documented, plausible, usable by the models, and in keeping with curves they were not made
from.
"""

import numpy as np
import pytest

from spe_lab.core.machine.store import published
from spe_lab.topics.memory import models
from spe_lab.topics.memory.labs import PARAMETERS

KIB, MIB = 1 << 10, 1 << 20
MACHINES = published()
every = pytest.mark.parametrize("name", sorted(MACHINES))

# Unit, and what any CPU of the last fifteen years has.
PLAUSIBLE = {
    "clock": ("GHz", 0.5, 6),
    "line_size": ("B", 32, 256),
    "page_size": ("B", 4 * KIB, 64 * KIB),
    "tlb_reach": ("B", MIB, 64 * MIB),
    "l1_capacity": ("B", 16 * KIB, 256 * KIB),
    "l2_capacity": ("B", 128 * KIB, 32 * MIB),
    "l3_capacity": ("B", MIB, 512 * MIB),
    "l1_latency": ("ns", 0.5, 3),
    "l2_latency": ("ns", 1, 10),
    "l3_latency": ("ns", 3, 50),
    "memory_latency": ("ns", 30, 250),
    "tlb_latency": ("ns", 2, 60),
}


LEVELS = (
    ("l2_latency", "l1_capacity"),
    ("l3_latency", "l2_capacity"),
    ("tlb_latency", "tlb_reach"),
    ("memory_latency", "l3_capacity"),
)


def ramps(machine, size: np.ndarray) -> np.ndarray:
    """Time per access of a random cycle, by hand: each level adds its latency for the share 1 − C/S of the accesses."""
    adds = (machine.value(latency) * np.maximum(0, 1 - machine.value(capacity) / size) for latency, capacity in LEVELS)
    return machine.value("l1_latency") + sum(adds)


def cliffs(machine, size: np.ndarray) -> np.ndarray:
    """The same where a level adds its latency for all accesses as soon as its cache is exceeded."""
    return machine.value("l1_latency") + sum(
        machine.value(latency) * (size > machine.value(capacity)) for latency, capacity in LEVELS
    )


def test_there_are_at_least_four_of_three_makers():
    assert len(MACHINES) >= 4
    assert {name.split("-")[0] for name in MACHINES} >= {"amd", "arm", "intel"}


@every
def test_each_number_is_published_and_names_its_source(name):
    machine = MACHINES[name]
    for parameter in machine.parameters.values():
        assert parameter.origin == "published"
        # A place, not a saying: a repository at a commit, an address, or a document with its section or revision.
        assert any(
            mark in parameter.source for mark in ("commit ", ".com/", "§", "revision", "table", "slide ", "page ")
        ), parameter.source
        assert not any(word in parameter.source for word in ("recalled", "approximately", "typical"))
    assert machine.facts["documents"] and machine.facts["latencies"] and machine.facts["cpu"]


@every
def test_all_that_the_models_need_is_there_within_reason(name):
    parameters = MACHINES[name].parameters
    assert set(parameters) == set(PLAUSIBLE) >= {wanted for slider, wanted in PARAMETERS.items() if slider[0] in "BCl"}
    for key, (unit, least, most) in PLAUSIBLE.items():
        found = parameters[key]
        assert found.unit == unit and least <= found.value <= most, key
        assert (found.low is None) == (found.high is None), key
        assert found.low is None or found.low <= found.value <= found.high, key


@every
def test_levels_grow_and_slow_down_outwards(name):
    machine = MACHINES[name]
    sizes = [machine.value(key) for key in ("line_size", "l1_capacity", "l2_capacity", "l3_capacity")]
    assert sizes == sorted(set(sizes))
    assert machine.value("tlb_reach") % machine.value("page_size") == 0
    assert (
        machine.value("memory_latency")
        > machine.value("l3_latency")
        > machine.value("l2_latency")
        > machine.value("l1_latency")
    )
    assert 2.5 <= machine.value("l1_latency") * machine.value("clock") <= 6  # cycles


@every
def test_the_curve_of_the_source_lies_between_ramps_and_cliffs(name):
    # The parameters come from a few of its points, or from another table of the same run. A wrong unit, or a total
    # taken for an addition, leaves the band; a tenth is allowed for what the model leaves out and for noise.
    check = MACHINES[name].facts["check"]
    sizes, times = np.array(check["bytes"], dtype=float), np.array(check["ns"])
    assert check["source"] and len(sizes) == len(times) >= 6
    assert np.all(times >= 0.9 * ramps(MACHINES[name], sizes))
    assert np.all(times <= 1.1 * cliffs(MACHINES[name], sizes))


@every
def test_the_models_evaluate_and_agree_with_the_ramps_by_hand(name):
    machine, sizes = MACHINES[name], np.geomspace(4 * KIB, 256 * MIB, 33)
    for build in (models.refined, models.staircase, models.stride_time):
        model = build()
        symbols = {symbol.name for symbol in model.symbols}
        values = {
            symbol: machine.value(PARAMETERS[symbol])
            for symbol in symbols & set(PARAMETERS)
            if PARAMETERS[symbol] in machine.parameters
        }
        values |= dict.fromkeys(
            symbols - set(values) - {"S", "s"}, 1.0
        )  # the width of a load, and ramps rather than cliffs
        times = model(S=sizes, **values, **({"s": 64.0} if "s" in symbols else {}))
        assert np.all(np.isfinite(times)) and np.all(np.diff(times) >= -1e-9)
        if build is models.refined:
            assert times == pytest.approx(ramps(machine, sizes))


def test_a_profile_carries_no_path_of_whoever_wrote_it():
    for machine in MACHINES.values():
        assert not [
            text
            for text in map(str, [machine.facts, *machine.parameters.values()])
            if "/home/" in text or "/work" in text
        ]
