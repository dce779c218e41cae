"""The kinds of lab: what each inherits, proven on the smallest lab of its kind."""

import json
import time

import numpy as np
import psutil
import pytest

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Curve
from spe_lab.core.errors import CancelledError, MeasurementError
from spe_lab.core.kinds import CompanionLab, Plan, SimulatedLab, accumulated, growing
from spe_lab.core.lab import Effort
from spe_lab.core.sampling.load import RoundTrips
from spe_lab.core.sampling.teams import Setting
from spe_lab.core.slider import Slider

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")


class RoundTrip(CompanionLab):
    """Time of a request to an echo service against its size: a line of alpha + n / beta."""

    id, chapter, title, question, axis = "toy.round_trip", "99", "Round trip", "What does a request cost?", "size"
    quantity, unit, breaks, compared, program = "time", "ns", "Everywhere.", ("round trip", "line"), "echo"

    def make_sliders(self):
        return [
            Slider("size", "B", 64, "size of a request", 64, 1 << 16, "log", multiple_of=1, source="a line"),
            Slider("alpha", "ns", 1e4, "time of an empty request", 1, 1e6, "log", measured=False, source="assumed"),
        ]

    def default_values(self, short):
        return [64, 65536]

    def plan_with(self, companion, point, x, effort, cancel):
        settings = [Setting(f"{size:.0f} B", RoundTrips(companion, int(size)).run) for size in x.values]
        return Plan(settings, self.compared[:1], native.load("load"), companion.provenance)

    def predict(self, point, x, fit):
        return [Curve("line", "predicted", x, "ns", point["alpha"] + x.values / 4)]


class Coin(SimulatedLab):
    """Tosses in fixed, seeded steps."""

    id, chapter, title, question, axis = "toy.coin", "99", "Coin", "How often heads?", "p"
    quantity, unit, breaks, compared, stem = "share", "", "Nowhere.", ("tossed", "expected"), "laws"
    scale, short_steps, steps, most_steps = "linear", 1, 2, 3

    def make_sliders(self):
        return [Slider("p", "", 0.5, "probability of heads", 0, 1, source="a fair coin")]

    def default_values(self, short):
        return [0.2, 0.5]

    def draw(self, point, x, cancel):
        for tosses in growing(1000):
            heads = np.random.default_rng(1).random((tosses, len(x.values))) < x.values
            mean = heads.mean(axis=0)
            yield [self.curve("tossed", x, np.stack([mean, mean, mean], axis=1), tosses, "mean")]

    def predict(self, point, x, fit):
        return [Curve("expected", "predicted", x, "", x.values)]


def tosses(lab, **options):
    return [int(recording.measured[0].tried[0]) for _, recording in lab.recordings(**options)]


@needs_compiler
def test_a_simulation_takes_fixed_steps_and_only_a_refinement_looks_at_the_clock():
    assert tosses(Coin(), short=True) == [1000]
    assert tosses(Coin(), short=False, budget_s=1e-9) == [1000, 4000]
    assert tosses(Coin(), short=False, refine=True) == [1000, 4000, 16000]
    assert tosses(Coin(), short=False, refine=True, budget_s=1e-9) == [1000, 4000]


@needs_compiler
@pytest.mark.parametrize(
    "lab_id",
    ["branches.predictor", "coherence.mesi", "scaling.cost", "patterns.basic", "objectives.sla", "queueing.single"],
)
def test_a_slowed_clock_changes_no_number_of_a_simulation(lab_id, monkeypatch):
    lab = registry.get(lab_id)

    def result():
        data = json.loads(lab.run(short=True).to_json())
        for curve in data["measured"]:
            curve["provenance"].pop("taken")  # the date
        return data

    expected = result()
    began, real = time.monotonic(), time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: began + 1000 * (real() - began))
    monkeypatch.setattr(time, "perf_counter", lambda: 1000 * real())
    assert result() == expected


def test_batches_accumulate():
    stacks = list(accumulated(lambda batch: np.array([batch]), (2, 3)))
    assert [stack[:, 0].tolist() for stack in stacks] == [[0, 1], [0, 1, 2]]


@needs_compiler
@pytest.mark.machine
@pytest.mark.may_skip_busy
def test_a_companion_lab_measures_and_leaves_no_process():
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    try:
        run = RoundTrip().run(short=True, budget_s=0.5)
    except MeasurementError as error:
        assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
        pytest.skip(f"this machine is too busy: {error}")
    assert run.measured[0].source == "measured" and run.comparison is not None
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


@needs_compiler
def test_a_cancelled_companion_lab_leaves_no_process():
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    cancel = Cancel()
    lab = RoundTrip()
    measuring = lab.measure(lab.point(), lab.x(), Effort(60.0), cancel)
    try:
        next(measuring)
        cancel.set()
        list(measuring)
    except (CancelledError, MeasurementError):  # none was clean until then
        measuring.close()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
