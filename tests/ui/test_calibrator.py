"""A calibration from a page: all explorers take the new profile, and nothing else changes."""

import html
import threading

import pytest

from spe_lab import calibrate, explore
from spe_lab.core import machine as machines
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.calibration import calibration
from spe_lab.core.calibration.assumptions import assumed_sliders
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError
from spe_lab.core.machine import Parameter
from spe_lab.ui import calibrator

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
FOUND = {
    "l1_latency": Parameter(1.1, "ns", "measured", "calibration", 1.0, 1.2, "a method", "measured"),
    "memory_latency": Parameter(123.0, "ns", "measured", "calibration", 120.0, 125.0, "a method", "measured"),
    "memory_bandwidth": Parameter(35.7, "GB/s", "measured", "calibration", 35.0, 36.0, "a method", "measured"),
    "branch_penalty": Parameter(7.5, "ns", "measured", "calibration", 7.4, 7.6, "a method", "measured"),
}


@pytest.fixture(autouse=True)
def unknown_machine(monkeypatch, tmp_path):
    """No profile yet, and no earlier calibration in this process."""
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path))
    calibrator.shared.cache_clear()
    yield tmp_path
    calibrator.shared().cancel()
    calibrator.shared().wait(10)
    calibrator.shared.cache_clear()


@pytest.fixture
def fake(monkeypatch):
    """A calibration that finds FOUND, half of it at once and all when `go` is set."""
    go = threading.Event()

    def measured(_claimed, cancel: Cancel):
        yield 0.0, "clock, calls and branches", {}
        while not go.wait(0.01):
            if cancel.is_set():
                raise CancelledError("the calibration was cancelled; the former profile is unchanged")
        yield 1.0, "", FOUND

    monkeypatch.setattr(calibration, "calibrate", measured)
    return go


def shown(explorer):
    return bool(explorer.parts.uncalibrated.page.children)


def test_which_labs_assume_what_a_calibration_measures():
    assumed = {lab_id: set(assumed_sliders(registry.get(lab_id))) for lab_id in registry.labs()}
    assert {"t0", "l_L1", "l_L3", "q"} <= assumed["memory.stride"] and "C_L1" not in assumed["memory.stride"]
    assert assumed["branches.selectivity"] == {"P"} and "B" in assumed["scaling.parallelism"]
    assert not assumed["objectives.slo"] and not assumed["scaling.cost"]


def test_an_uncalibrated_explorer_says_what_it_assumes():
    explorer = explore("branches.selectivity")
    assert shown(explorer)
    said = html.unescape(explorer.parts.uncalibrated.said.value)
    assert said == "This machine is not calibrated: Misprediction penalty is assumed, not measured."
    assert not shown(explore("objectives.slo"))
    assert not shown(explore("memory.stride", machine=machines.published()["intel-tremont-n6005"]))


def test_after_a_calibration_every_explorer_uses_the_profile_and_keeps_the_reader_s_values(fake):
    stride, moved, other = explore("memory.stride"), explore("memory.stride"), explore("objectives.slo")
    moved.set(l_L3=55.0, size="1MiB")
    text = stride.text
    stride.parts.uncalibrated.calibrate.button.click()
    assert moved.parts.uncalibrated.calibrate.button.description == "Cancel"
    fake.set()
    assert calibrator.shared().wait(10)
    assert stride.point["l_L3"] == 123.0 and stride.point["t0"] == 1.1 and stride.text != text
    assert dict(moved.point, t0=0, l_L3=0) == dict(stride.point, t0=0, l_L3=0) | {"size": 1 << 20}
    assert moved.point["l_L3"] == 55.0 and moved.point["t0"] == 1.1
    assert not shown(stride) and not shown(moved) and "calibrated" in stride.status
    stride.presets.reset.click()
    assert stride.point == stride.lab.point() and stride.point["l_L3"] == 123.0
    assert explore("scaling.parallelism").point["B"] == pytest.approx(35.7)
    assert explore("branches.selectivity").point["P"] == 7.5 and not shown(explore("branches.selectivity"))
    assert other.lab.machine.parameters["l1_latency"].origin == "measured"


def test_points_stay_when_the_profile_comes(fake):
    explorer = explore("branches.selectivity")
    explorer.show_recorded()
    recorded = explorer.recording
    fake.set()
    calibrator.shared().start()
    assert calibrator.shared().wait(10)
    assert explorer.recording is recorded and explorer.point["P"] == 7.5


def test_no_measurement_starts_during_a_calibration(fake):
    explorer = explore("branches.selectivity")
    calibrator.shared().start()
    explorer.parts.measure_button.click()
    assert "is being calibrated" in explorer.status and not explorer.measuring
    fake.set()


def test_a_cancelled_calibration_keeps_the_assumptions_and_may_be_started_again(fake):
    explorer, page = explore("branches.selectivity"), calibrate()
    button, status = (getattr(explorer.parts.uncalibrated.calibrate, name) for name in ("button", "status"))
    button.click()
    assert page.calibrating
    button.click()
    assert calibrator.shared().wait(10) and "was cancelled" in status.value
    assert shown(explorer) and button.description == "Calibrate (half a minute)" and explorer.point["P"] == 5.0
    assert machines.load_own() is None
    fake.set()
    button.click()
    assert calibrator.shared().wait(10) and explorer.point["P"] == 7.5


def test_a_calibration_that_fails_says_why(monkeypatch):
    def broken(_claimed, _cancel):
        yield 0.0, "clock, calls and branches", {}
        raise MeasurementError("no sample was clean; calibrate on a quieter machine")

    monkeypatch.setattr(calibration, "calibrate", broken)
    explorer = explore("branches.selectivity")
    calibrator.shared().start()
    assert calibrator.shared().wait(10)
    assert "no sample was clean" in explorer.parts.uncalibrated.calibrate.status.value and shown(explorer)
