"""Widgets for a lab's sliders. A log slider steps through values of equal ratio, with units."""

from collections.abc import Callable, Mapping

import ipywidgets as widgets
import numpy as np

from spe_lab.core import units
from spe_lab.core.slider import Slider, Value

STEPS_PER_OCTAVE = 4
_LABEL, _REST = 55, 285  # pixels of the name, and of the track with its readout


def control(slider: Slider, value: Value | None = None, label: int = _LABEL) -> widgets.Widget:
    """Return a widget whose `value` is the slider's, in the slider's unit; `label`: pixels for its name."""
    value = slider.default if value is None else value
    tooltip = f"{slider.meaning} ({slider.source})"
    if slider.scale == "choice":
        width = f"{60 + 8 * (len(slider.name) + max(map(len, slider.choices)))}px"  # for the longest choice in full
        return widgets.Dropdown(
            options=list(slider.choices),
            description=slider.name,
            value=value,
            tooltip=tooltip,
            layout=widgets.Layout(width=width),
            style={"description_width": "initial"},
        )
    layout, style = widgets.Layout(width=f"{label + _REST}px"), {"description_width": f"{label}px"}
    common = {"description": slider.name, "value": value, "tooltip": tooltip, "layout": layout, "style": style}
    if slider.scale == "log":
        options = [(units.render(stop, slider.unit), stop) for stop in stops(slider, value)]
        return widgets.SelectionSlider(options=options, **common)
    step = slider.multiple_of or (slider.high - slider.low) / 200
    readout = ".0f" if step == int(step) else ".3g"
    return widgets.FloatSlider(min=slider.low, max=slider.high, step=step, readout_format=readout, **common)


def stops(slider: Slider, *values: float) -> list[float]:
    """Return the stops of a log slider: equal ratios, the ends, the default and `values`, each label once."""
    octaves = np.log2(slider.high / slider.low)
    grid = slider.low * 2 ** np.linspace(0, octaves, max(2, round(octaves * STEPS_PER_OCTAVE) + 1))
    between = (slider.rounded(_as_labelled(stop, slider.unit)) for stop in grid)
    by_label: dict[str, float] = {}
    for stop in (slider.default, *values, slider.low, slider.high, *between):  # of equal labels the first one stays
        by_label.setdefault(units.render(stop, slider.unit), float(stop))
    return sorted(by_label.values())


def _as_labelled(value: float, unit: str) -> float:
    """Return the value that the label shows, so that a reader can type it."""
    return units.parse(units.render(value, unit), unit)


def group(
    sliders: list[Slider], values: Mapping[str, Value], changed: Callable[[str], None]
) -> dict[str, widgets.Widget]:
    """Return widgets by slider name, with room for the longest. Each move calls `changed(name)`."""
    label = max([_LABEL, *(12 + 8 * len(slider.name) for slider in sliders if slider.scale != "choice")])
    made = {slider.name: control(slider, values[slider.name], label) for slider in sliders}
    for name, widget in made.items():
        widget.observe(lambda _, name=name: changed(name), "value")
    return made
