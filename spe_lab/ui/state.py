"""The sliders' values as a line to paste, into a cell or a terminal."""

import shlex
from collections.abc import Mapping
from contextlib import suppress

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Slider, Value


def code(lab: Lab, point: Mapping[str, Value]) -> str:
    """Return Python code that opens the lab at this point; it leaves out sliders at their defaults.

    >>> from spe_lab import lab
    >>> stride = lab("memory.stride")
    >>> code(stride, stride.point({"stride": 256, "B_L1": 128}))
    'explore("memory.stride", stride="256B", B_L1="128B")'
    """
    settings = [f"{name}={_literal(lab.sliders[name], value)}" for name, value in _moved(lab, point).items()]
    return f"explore({', '.join([_quoted(lab.id), *settings])})"


def command(lab: Lab, point: Mapping[str, Value]) -> str:
    """Return the command line that runs the lab at this point; it sweeps the axis, without marker.

    >>> from spe_lab import lab
    >>> stride = lab("memory.stride")
    >>> command(stride, stride.point({"stride": 256, "B_L1": 128}))
    'spe-lab run memory.stride --set B_L1=128B'
    """
    moved = {name: value for name, value in _moved(lab, point).items() if name != lab.axis}
    settings = [f"{name}={_text(lab.sliders[name], value)}" for name, value in moved.items()]
    return shlex.join(["spe-lab", "run", lab.id, *(word for setting in settings for word in ("--set", setting))])


def _moved(lab: Lab, point: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in point.items() if value != lab.sliders[name].default}


def _literal(slider: Slider, value: Value) -> str:
    text = _text(slider, value)
    try:
        float(text)
    except ValueError:
        return _quoted(text)
    return text


def _text(slider: Slider, value: Value) -> str:
    """Return the shortest text that `Slider.checked` reads back exactly."""
    if slider.scale == "choice":
        return str(value)
    for text in (units.render(value, slider.unit).replace(" ", ""), f"{value:.15g}{slider.unit}"):
        with suppress(SpeLabError):
            if slider.checked(text) == value:
                return text
    return repr(float(value))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
