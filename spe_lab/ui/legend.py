"""The legend with the values at the marker: a table beside the figure on a page, a strip above it in a file.

Each row has the look of its curve: colour with marker, or colour with dashes. So rows are told apart without colour.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from spe_lab.core.curve import Curve
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction import Prediction
from spe_lab.ui.sheet import (
    COMMITTED,
    DPI,
    ELSEWHERE,
    ELSEWHERE_MARKERS,
    ELSEWHERE_STYLES,
    FADED,
    MARK_STYLES,
    MARKED,
    MEASURED,
    PREDICTED,
    SIZE,
    WIDTH,
)

_COLUMNS = 2  # of the strip
_LONG = 44  # characters of an entry for which the strip has one column
# Markers as SVG, of radius 5 about the origin.
_SHAPES = {
    "o": '<circle r="5"/>',
    "s": '<path d="M-4.6 -4.6H4.6V4.6H-4.6Z"/>',
    "^": '<path d="M0 -5.5L5.5 4.5H-5.5Z"/>',
    "D": '<path d="M0 -6L6 0L0 6L-6 0Z"/>',
    "v": '<path d="M0 5.5L5.5 -4.5H-5.5Z"/>',
    "P": '<path d="M-2 -5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2Z"/>',
    "X": '<path d="M-5.5 -3L-3 -5.5L0 -2.6L3 -5.5L5.5 -3L2.6 0L5.5 3L3 5.5L0 2.6L-3 5.5L-5.5 3L-2.6 0Z"/>',
    "<": '<path d="M-5.5 0L4.5 -5.5V5.5Z"/>',
}


@dataclass(frozen=True)
class Row:
    """One curve, mark or committed prediction.

    - look: "points", "line" or "band", in `colour`; `shape` is a marker, or the dashes of a line
    - value: at the marker, as text; `place` says where a measured point lies that is not at the marker
    - filled: False for points of another machine or of a simulation
    """

    name: str
    source: str
    value: str
    look: str
    colour: str
    shape: Any = "-"
    place: str = ""
    filled: bool = True
    stale: bool = False


def rows(
    lab: Lab,
    predicted: Sequence[Curve],
    measured: Sequence[Curve] = (),
    ratios: Curve | None = None,
    *,
    at: float | None = None,
    stale: bool = False,
    prediction: Prediction | None = None,
    marks: Mapping[str, float] | None = None,
    elsewhere: Sequence[Curve] = (),
) -> list[Row]:
    """Return the rows of a figure; the arguments are those of `LabFigure.place`."""
    found = [_points(lab, curve, at, *look, stale) for curve, look in zip(measured, MEASURED, strict=False)]
    # A formula that has no value at these settings draws no line, so that it needs no row.
    lines = zip(predicted, PREDICTED, strict=False)
    found += [_line(lab, curve, at, *look) for curve, look in lines if np.isfinite(curve.values).any()]
    points, styles = iter(ELSEWHERE_MARKERS), iter(ELSEWHERE_STYLES)
    for curve in elsewhere:
        if curve.source == "predicted":
            found.append(_line(lab, curve, at, ELSEWHERE, next(styles, "-")))
        else:
            found.append(_points(lab, curve, at, ELSEWHERE, next(points, "o"), False))
    slider = lab.sliders[lab.axis]
    for (name, place), style in zip((marks or {}).items(), MARK_STYLES, strict=False):
        if math.isfinite(place):
            found.append(Row(name, "mark", slider.rendered(place), "line", MARKED, style))
    sketch = prediction.drawn if prediction is not None else None
    return [*found, *([Row(sketch.label, "", "", "band", COMMITTED)] if sketch is not None else [])]


def _points(lab: Lab, curve: Curve, at: float | None, colour: str, shape: str, stale: bool) -> Row:
    """Return the row of a curve of points: the value of the point that is nearest to the marker, and its place."""
    value, place = "", ""
    known = np.flatnonzero(np.isfinite(curve.values))
    if at is not None and known.size:
        slider, x = lab.sliders[lab.axis], curve.x.values[known]
        away = np.abs(np.log(x / at)) if slider.scale == "log" and at > 0 and x.min() > 0 else np.abs(x - at)
        nearest = int(np.argmin(away))
        value = lab.rendered(float(curve.values[known[nearest]]))
        here, there = slider.rendered(at), slider.rendered(float(x[nearest]))
        place = there if there != here else ""
    source = f"{curve.source}, stale" if stale else curve.source
    return Row(curve.name, source, value, "points", colour, shape, place, curve.source == "measured", stale)


def _line(lab: Lab, curve: Curve, at: float | None, colour: str, style: Any) -> Row:
    value = "" if at is None else lab.rendered(float(np.interp(at, curve.x.values, curve.values)))
    return Row(curve.name, curve.source, value, "line", colour, style)


def heading(lab: Lab, at: float) -> str:
    """Return where the values are taken: "At p = 0.3"."""
    slider = lab.sliders[lab.axis]
    return f"At {slider.symbol} = {slider.rendered(at)}"


def table(lab: Lab, shown: Sequence[Row], at: float) -> str:
    """Return the rows as an HTML table."""
    body = "".join(
        f"<tr><td>{_swatch(row.look, row.colour, row.shape, row.filled, row.stale)}</td>"
        f'<th scope="row">{_told(row.name)}</th><td>{_told(row.source)}</td>'
        f"<td>{_told(row.value)}{f'<small>at {_told(row.place)}</small>' if row.place else ''}</td></tr>"
        for row in shown
    )
    return f'<table class="spe-values"><caption>{_told(heading(lab, at))}</caption>{body}</table>'


def _told(text: str) -> str:
    return html.escape(text, quote=False)


@cache
def _swatch(look: str, colour: str, shape: Any, filled: bool, stale: bool) -> str:
    """Return a small SVG with the look of a row."""
    faded = f' opacity="{FADED}"' if stale else ""
    if look == "points":
        fill = colour if filled else "white"
        drawn = f'<g transform="translate(16 8)" fill="{fill}" stroke-width="1.5">{_SHAPES[shape]}</g>'
        drawn = f'<path d="M16 0V16" stroke-width="1.5"/>{drawn}'
    elif look == "line":
        dashes = "" if shape == "-" else f' stroke-dasharray="{" ".join(f"{2 * part:g}" for part in shape[1])}"'
        drawn = f'<path d="M1 8H31" stroke-width="2.4"{dashes}/>'
    else:
        drawn = '<path d="M1 8H31" stroke-width="9" opacity="0.7"/>'
    return f'<svg width="32" height="16" aria-hidden="true" stroke="{colour}"{faded}>{drawn}</svg>'


def strip(lab: Lab, shown: Sequence[Row], at: float | None) -> np.ndarray:
    """Return the rows as pixels (rows × columns × RGBA), as wide as the figure. Call it under the lock of all pages."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    labels = [_entry(row) for row in shown]
    columns = _COLUMNS if max(map(len, labels), default=0) <= _LONG else 1
    lines = math.ceil(len(shown) / columns) + (at is not None)
    height = round((lines * 1.5 + 0.8) * SIZE * DPI / 72)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.legend(
        [*_handles(shown)],
        labels,
        loc="center left",
        ncols=columns,
        fontsize=SIZE - 1,
        frameon=False,
        title=heading(lab, at) if at is not None else None,
        title_fontsize=SIZE - 1,
        alignment="left",
        borderaxespad=0.2,
        columnspacing=1.5,
    )
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def _entry(row: Row) -> str:
    named = ": ".join(part for part in (row.source, row.name) if part).replace("$", r"\$")
    return " ".join(part for part in (named, row.value, f"at {row.place}" if row.place else "") if part)


def _handles(shown: Sequence[Row]) -> Iterator[Any]:
    from matplotlib.lines import Line2D

    for row in shown:
        alpha = FADED if row.stale else 0.7 if row.look == "band" else 1.0
        if row.look == "points":
            fill = row.colour if row.filled else "white"
            look = {"linestyle": "", "marker": row.shape, "markersize": 7, "markerfacecolor": fill}
        else:
            look = {"linestyle": row.shape, "linewidth": 8 if row.look == "band" else 2}
        yield Line2D([], [], color=row.colour, alpha=alpha, **look)
