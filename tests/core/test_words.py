"""The machine's profile in sentences."""

import re
from dataclasses import replace

import pytest

from spe_lab.core.machine import words
from spe_lab.core.machine.profile import Machine, Parameter


def measured(value, unit):
    return Parameter(value, unit, "measured", "this test")


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(
        words,
        "claim",
        lambda: {
            "l1_capacity": Parameter(32768, "B", "claimed", "sysfs"),
            "l3_capacity": Parameter(2**25, "B", "claimed", "sysfs"),
        },
    )
    return Machine(
        {},
        {
            "core_clock": measured(2.5, "GHz"),
            "l1_capacity": measured(32768, "B"),
            "l2_capacity": measured(300 * 1024, "B"),
            "l3_capacity": measured(2 * 2**20, "B"),
            "l1_latency": measured(1.5, "ns"),
            "l2_latency": measured(3, "ns"),
            "l3_latency": measured(10.5, "ns"),
            "memory_latency": measured(95, "ns"),
        },
    )


def test_clock_and_capacities_are_told_and_latencies_add_up(machine):
    opened, folded = words.capacities(machine), words.latencies(machine)
    assert "runs at 2.5 GHz" in opened and " ns" not in opened
    assert "32 KiB of first-level cache, 300 KiB of second" in opened
    assert (
        opened.count("the system reports") == 1 and "2 MiB of third-level cache (the system reports 32 MiB)" in opened
    )
    assert "1.5 ns from the first-level cache, 4.5 ns from the second-level cache, 15 ns" in folded
    assert re.search(r"and 110 ns from memory\.$", folded)


def test_parameters_that_are_missing_or_not_measured_are_left_out(machine):
    parameters = dict(machine.parameters)
    del parameters["l3_capacity"]
    parameters["l2_capacity"] = replace(parameters["l2_capacity"], value=None)
    parameters["core_clock"] = replace(parameters["core_clock"], origin="assumed")
    less = Machine({}, parameters)
    assert words.capacities(less) == "A program gets 32 KiB of first-level cache."
    assert words.latencies(less) == words.latencies(machine)


def test_without_measured_parameters_there_are_no_words():
    assert words.capacities(Machine({}, {})) == words.latencies(Machine({}, {})) == ""
