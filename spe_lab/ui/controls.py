"""Widgets for a lab's sliders. A log slider steps through values of equal ratio, with units."""

import html
import math
import re
from collections.abc import Callable, Iterable, Mapping

import ipywidgets as widgets
import numpy as np

from spe_lab.core.slider import Slider, Value

STEPS_PER_OCTAVE = 4
_SHARES = 100  # steps of a share


def control(slider: Slider, value: Value | None = None) -> widgets.Widget:
    """Return a widget whose `value` is the slider's, in the slider's unit."""
    value = slider.default if value is None else value
    # Its style sheet (ui/style.py) puts the readout beside the label, and the track below both.
    common = {
        "description": marked_up(slider),
        "description_allow_html": True,
        "value": value,
        "tooltip": f"{slider.meaning} ({slider.source})",
        "layout": widgets.Layout(width="auto"),
        "style": {"description_width": "initial"},
    }
    if slider.scale == "choice":
        made = widgets.Dropdown(options=list(slider.choices), **common)
    elif stepped(slider):
        made = widgets.SelectionSlider(options=options(slider, value), **common)
    else:
        step = slider.multiple_of or _round_step((slider.high - slider.low) / 100)
        readout = ".0f" if step == int(step) else ".3g"
        made = widgets.FloatSlider(min=slider.low, max=slider.high, step=step, readout_format=readout, **common)
    made.add_class("spe-control")
    made.add_class(f"spe-slider-{slider.name}")
    return made


def _round_step(most: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at most `most`: stops, and the default among them, are round numbers."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(float(f"{m * power:.3g}") for m in (5, 2, 1) if m * power <= most * (1 + 1e-9))


def fit(widget: widgets.Widget, slider: Slider, value: Value) -> None:
    """Give a widget the range and the value of `slider`, which may be that of another machine."""
    if stepped(slider):
        widget.options = options(slider, value)
    elif slider.scale != "choice":
        widget.min, widget.max = min(slider.low, widget.min), max(slider.high, widget.max)  # first wider: min <= max
        widget.min, widget.max = slider.low, slider.high
    widget.tooltip = f"{slider.meaning} ({slider.source})"
    widget.value = value


def marked_up(slider: Slider) -> str:
    """Return the title with the symbol as a formula, in tags that Jupyter admits in a description."""
    if slider.title == slider.label:
        return html.escape(slider.label)
    return f"{html.escape(slider.label)}, {_formula(slider.symbol)}"


def _formula(symbol: str) -> str:
    base, _, low = symbol.partition("_")
    base, low = html.escape(base), html.escape(low)
    sloped = f"<i>{base}</i>" if re.fullmatch(r"[^\W\d_]\d*", base) else base  # one letter is a variable
    return f'{sloped}<span class="spe-low">{low}</span>' if low else sloped


def plain(slider: Slider) -> str:
    """Return the text of the control's label, as a screen reader or a test reads it."""
    return re.sub(r"<[^>]+>", "", html.unescape(marked_up(slider)))


def stepped(slider: Slider) -> bool:
    """Return True for a slider over a list of rendered stops: any log slider, shares in per cent, and categories."""
    return slider.scale == "log" or bool(slider.places) or (slider.percent and slider.scale == "linear")


def options(slider: Slider, *values: float) -> list[tuple[str, float]]:
    """Return the stops with their labels."""
    return [(slider.rendered(stop), stop) for stop in stops(slider, *values)]


def stops(slider: Slider, *values: float) -> list[float]:
    """Return the stops: equal ratios (shares: equal steps), the ends, `values` and the default, each label once."""
    if slider.scale == "log":
        octaves = np.log2(slider.high / slider.low)
        grid = slider.low * 2 ** np.linspace(0, octaves, max(2, round(octaves * STEPS_PER_OCTAVE) + 1))
    elif slider.places:
        return [float(place) for place in range(1, len(slider.places) + 1)]
    else:
        grid = (
            np.arange(0, _SHARES + 1) / _SHARES
            if slider.high - slider.low > 0.2
            else np.linspace(slider.low, slider.high, _SHARES + 1)
        )
        grid = grid[(grid >= slider.low) & (grid <= slider.high)]
    # The value that the label shows, so that a reader can type it.
    between = (slider.rounded(slider.parsed(slider.rendered(stop))) for stop in grid)
    by_label: dict[str, float] = {}
    for stop in (*values, slider.default, slider.low, slider.high, *between):  # of equal labels the first one stays
        by_label.setdefault(slider.rendered(stop), float(stop))
    return sorted(by_label.values())


def group(
    sliders: Iterable[Slider], values: Mapping[str, Value], changed: Callable[[str], None]
) -> dict[str, widgets.Widget]:
    """Return widgets by slider name. Each move calls `changed(name)`."""
    made = {slider.name: control(slider, values[slider.name]) for slider in sliders}
    for name, widget in made.items():
        widget.observe(lambda _, name=name: changed(name), "value")
    return made


def meanings(sliders: Iterable[Slider]) -> str:
    """Return a table: what each slider means, and where its default comes from."""
    rows = (
        f'<tr><th scope="row">{marked_up(slider)}</th><td>{html.escape(slider.meaning)}'
        f"<small>default {html.escape(slider.rendered(slider.default))}: {html.escape(slider.source)}</small></td></tr>"
        for slider in sliders
    )
    return f'<table class="spe-meanings"><caption>What the controls mean</caption>{"".join(rows)}</table>'
