"""The line that a reader copies opens the same state again."""

import shlex
from types import SimpleNamespace

import pytest

from spe_lab.core import registry
from spe_lab.ui import controls, state


def read(line):
    """What `explore` is given when the line runs."""
    return eval(line, {"explore": lambda lab_id, **settings: SimpleNamespace(lab_id=lab_id, settings=settings)})


@pytest.mark.parametrize("lab_id", registry.labs())
def test_both_lines_give_back_every_slider_wherever_it_stands(lab_id):
    lab = registry.get(lab_id)
    for name, slider in lab.sliders.items():
        third = slider.rounded(slider.low + (slider.high - slider.low) / 3) if slider.scale == "linear" else None
        for value in slider.choices or (
            controls.stops(slider) if slider.scale == "log" else (slider.low, third, slider.high)
        ):
            point = lab.point({name: value})
            line = read(state.code(lab, point))
            assert line.lab_id == lab_id and lab.point(line.settings) == point
            words = shlex.split(state.command(lab, point))
            assert words[:3] == ["spe-lab", "run", lab_id]
            settings = dict(word.split("=", 1) for word in words[3:] if word != "--set")
            assert lab.point(settings) == {**point, lab.axis: lab.sliders[lab.axis].default}


def test_sliders_at_their_defaults_go_without_saying():
    lab = registry.get("memory.stride")
    assert state.code(lab, lab.point()) == 'explore("memory.stride")'
    assert state.command(lab, lab.point({"stride": "4KiB"})) == "spe-lab run memory.stride"
