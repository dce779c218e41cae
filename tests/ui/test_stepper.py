"""Stepping through pictures."""

import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.ui.stepper import Stepper


def test_buttons_and_slider_move_through_the_frames_and_stop_at_the_ends():
    stepper = Stepper([(f"<svg>{i}</svg>", f"step {i}") for i in range(3)])
    assert stepper.text == "step 0" and stepper.back.disabled and not stepper.next.disabled
    stepper.next.click()
    stepper.next.click()
    assert stepper.text == "step 2" and stepper.next.disabled
    stepper.next.click()
    assert stepper.place.value == 2
    stepper.back.click()
    assert stepper.text == "step 1"
    stepper.reset.click()
    assert stepper.text == "step 0"
    assert "step 0" in stepper._repr_mimebundle_()[0]["text/plain"]


def test_no_frames_are_refused():
    with pytest.raises(SpeLabError, match="frames must hold"):
        Stepper([])
