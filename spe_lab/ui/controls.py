"""Sliders of a lab as widgets. A log slider steps through values of equal ratio and shows each with its unit."""

from collections.abc import Callable, Mapping

import ipywidgets as widgets
import numpy as np

from spe_lab.core import units
from spe_lab.core.slider import Slider, Value

STEPS_PER_OCTAVE = 4
_LABEL, _REST = 55, 285  # pixels of the name, and of the track with its readout


def control(slider: Slider, value: Value | None = None, label: int = _LABEL) -> widgets.Widget:
    """A widget whose `value` is the slider's, in the slider's unit; `label`: pixels for its name."""
    value = slider.default if value is None else value
    tooltip = f"{slider.meaning} ({slider.source})"
    if slider.scale == "choice":
        width = (  # the name and the longest choice in full
            f"{60 + 8 * (len(slider.name) + max(map(len, slider.choices)))}px"
        )
        return widgets.Dropdown(
            options=list(slider.choices),
            description=slider.name,
            value=value,
            tooltip=tooltip,
            layout=widgets.Layout(width=width),
            style={"description_width": "initial"},
        )
    layout = widgets.Layout(width=f"{label + _REST}px")
    common = {
        "description": slider.name,
        "value": value,
        "layout": layout,
        "style": {"description_width": f"{label}px"},
    }
    if slider.scale == "log":
        options = [(units.render(each, slider.unit), each) for each in stops(slider, value)]
        return widgets.SelectionSlider(options=options, tooltip=tooltip, **common)
    step = slider.multiple_of or (slider.high - slider.low) / 200
    return widgets.FloatSlider(
        min=slider.low,
        max=slider.high,
        step=step,
        readout_format=".0f" if step == int(step) else ".3g",
        tooltip=tooltip,
        **common,
    )


def stops(slider: Slider, *values: float) -> list[float]:
    """The values that a log slider steps through: equal ratios, the ends, the default and `values`, no two with one
    label.
    """
    octaves = np.log2(slider.high / slider.low)
    grid = slider.low * 2 ** np.linspace(0, octaves, max(2, round(octaves * STEPS_PER_OCTAVE) + 1))
    # Exact values first: of two with the same label the earlier one stays.
    candidates = [
        slider.default,
        *values,
        slider.low,
        slider.high,
        *(slider.rounded(_as_said(each, slider.unit)) for each in grid),
    ]
    by_label: dict[str, float] = {}
    for each in candidates:
        by_label.setdefault(units.render(each, slider.unit), float(each))
    return sorted(by_label.values())


def _as_said(value: float, unit: str) -> float:
    """What the label of a stop says: a stop between the default and the ends may as well be a number that can be read
    and typed.
    """
    return units.parse(units.render(value, unit), unit)


def group(
    sliders: list[Slider], values: Mapping[str, Value], changed: Callable[[str], None]
) -> dict[str, widgets.Widget]:
    """Widgets by slider name, with room for the longest name among them; `changed` is given the
    name after each move.
    """
    label = max([_LABEL, *(12 + 8 * len(slider.name) for slider in sliders if slider.scale != "choice")])
    made = {slider.name: control(slider, values[slider.name], label) for slider in sliders}
    for name, widget in made.items():
        widget.observe(lambda _, name=name: changed(name), "value")
    return made
