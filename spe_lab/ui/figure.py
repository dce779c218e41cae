"""The figure of a lab: curves above, measured ÷ predicted below, drawn fast enough to follow a slider.

Drawing axes and text costs 40 ms, and their layout as much again. So the layout is fixed, and the parts that stay are
drawn once into a ground (ui/sheet.py). On a page, the parts that move (predictions, ratios, the marker) are an SVG over
the ground (ui/svg_layer.py), so that a frame needs no new pixels; for a file they are drawn onto the ground. New
measured points, three times a second during a measurement, are drawn onto the pixels of the axes. The axes are drawn
again only for new limits, which only grow. Other curves, or stale points, need other artists. A file has the legend
above the axes (ui/legend.py); on a page it is a table of values beside the figure.

A process keeps the sheets of the last few figures; others are drawn again when needed. So memory does not grow with the
number of labs on a page. All drawing happens under the lock of all pages, with the same settings (ui/drawing.py).
"""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.curve import Curve
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction import Prediction, Sketch
from spe_lab.ui import legend, svg_layer
from spe_lab.ui.drawing import draws
from spe_lab.ui.sheet import Sheet, value_base
from spe_lab.ui.sheet_store import STORE

ROOM = 1.05  # end of an axis ÷ largest value
HALF = 0.3  # of the stretch of a line that stands for a category
collect_left = STORE.collect  # at the end of a measurement


class LabFigure:
    """The figure of one lab: `draw` makes a picture for a file, `layers` one for a page (1 ms)."""

    def __init__(self, lab: Lab, form: str = "png") -> None:
        self.lab = lab
        self.form = form  # "png" for files, or "webp" for pages: lossless too, encoded in half the time
        self._shown: dict[str, Any] = {}  # the last arguments of `place`
        self._sent: object = None  # the ground that the page shows
        self._number = STORE.number(self)

    @draws
    def draw(
        self, predicted: Sequence[Curve], measured: Sequence[Curve] = (), ratios: Curve | None = None, **more: Any
    ) -> bytes:
        """Return the picture's bytes; the arguments are those of `place`."""
        return self._picture(self.place(predicted, measured, ratios, **more), self.form)

    @draws
    def layers(
        self, predicted: Sequence[Curve], measured: Sequence[Curve] = (), ratios: Curve | None = None, **more: Any
    ) -> tuple[bytes | None, str]:
        """Return the ground's bytes (None if unchanged) and the moving parts as SVG; arguments as for `place`."""
        sheet = self.place(predicted, measured, ratios, **more)
        ground = (
            None if sheet.ground is self._sent else encoded(np.asarray(sheet.clean().canvas.buffer_rgba()), self.form)
        )
        self._sent = sheet.ground
        return ground, svg_layer.svg(sheet)

    @draws
    def place(
        self,
        predicted: Sequence[Curve],
        measured: Sequence[Curve] = (),
        ratios: Curve | None = None,
        *,
        at: float | None = None,
        stale: bool = False,
        prediction: Prediction | None = None,
        marks: Mapping[str, float] | None = None,
        elsewhere: Sequence[Curve] = (),
    ) -> Sheet:
        """Return a sheet with all parts in place.

        - ratios: measured ÷ predicted at the measured points
        - at: place of the marker on the axis
        - stale: True if the points belong to other settings; they are faded
        - marks: named places on the axis
        - elsewhere: curves of another machine or time, in a colour of their own
        """
        self._shown = {
            "predicted": predicted,
            "measured": measured,
            "ratios": ratios,
            "at": at,
            "stale": stale,
            "prediction": prediction,
            "marks": marks,
            "elsewhere": elsewhere,
        }
        marks = marks or {}
        sketch = prediction.drawn if prediction is not None else None
        own = len(measured), len(predicted)
        measured = [*measured, *(curve for curve in elsewhere if curve.source != "predicted")]
        predicted = [*predicted, *(curve for curve in elsewhere if curve.source == "predicted")]
        sheet = STORE.take(self._number) or Sheet(self.lab)
        if sheet.dress(predicted, measured, own, stale, sketch, marks):
            STORE.dressed_anew()
        sheet.stretch((*self._span([*predicted, *measured], sketch), _ratio_limit(ratios)))
        sheet.dot(measured)
        STORE.keep(self._number, sheet)
        for line, curve in zip(sheet.lines, predicted, strict=True):
            line.set_data(*_drawn(curve, self.lab))
        sheet.ratio_points.set_data(*((ratios.x.values, ratios.values) if ratios is not None else ([], [])))
        for marker in sheet.markers:
            marker.set_visible(at is not None)
            if at is not None:
                marker.set_xdata([at, at])
        for line, place in zip(sheet.places, marks.values(), strict=True):
            line.set_visible(math.isfinite(place))
            line.set_xdata([place, place])
        return sheet

    @draws
    def picture(self, form: str) -> bytes:
        """Return the last frame as "png" or "webp"."""
        return self._picture(self.place(**self._shown), form)  # placed again, as its sheet may be gone

    def _picture(self, sheet: Sheet, form: str) -> bytes:
        """Draw the moving parts onto the ground, add the legend above, and return the picture's bytes."""
        for artist in sheet.clean().moving:
            artist.axes.draw_artist(artist)
        above = legend.strip(self.lab, legend.rows(self.lab, **self._shown), self._shown["at"])
        return encoded(np.concatenate([above, np.asarray(sheet.canvas.buffer_rgba())]), form)

    @draws
    def refit(self) -> None:
        """Let the limits shrink at the next frame."""
        if sheet := STORE.get(self._number):
            sheet.limits = None

    def _span(self, curves: Sequence[Curve], sketch: Sketch | None) -> tuple[float, float, float, float]:
        """Return limits of x and y: round numbers, few of them, so that axes are seldom drawn again."""
        sketch = sketch or Sketch("")
        x = np.concatenate([*(curve.x.values for curve in curves), sketch.x, sketch.x])
        y = np.concatenate([*(curve.values for curve in curves), sketch.low, sketch.high])
        left, right, shown = x.min(), x.max(), np.isfinite(y) & (y > 0)
        x, y = (x[shown], y[shown]) if shown.any() else (x[:1], np.ones(1))
        if self.lab.scale == "linear":
            step = 10.0 ** math.floor(math.log10(y.max())) / 2
            low, high = 0.0, step * math.ceil(ROOM * y.max() / step)
        else:
            low, high = _round_ends(y.min() / ROOM, y.max() * ROOM, value_base(self.lab))
        high = min(high, ROOM) if self.lab.percent and y.max() <= 1 else high  # no share is above one
        return left, right, low, high


def _round_ends(low: float, high: float, base: int) -> tuple[float, float]:
    """Return ends of a logarithmic axis about these: powers of the base (2: of 4), or 1, 2 or 5 times powers of ten."""
    if base == 2:
        return 4.0 ** math.floor(math.log(low, 4)), 4.0 ** math.ceil(math.log(high, 4))
    stops = [
        m * 10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)
    ]
    if math.log10(high / low) > 2:
        stops = [stop for stop in stops if math.log10(stop) % 1 < 1e-9]
    return max(stop for stop in stops if stop <= low), min(stop for stop in stops if stop >= high)


def encoded(pixels: "np.ndarray", form: str) -> bytes:
    """Return pixels (rows × columns × RGBA) as "png" or "webp", encoded as fast as possible."""
    from PIL import Image

    out = io.BytesIO()
    fastest = {"png": {"compress_level": 1}, "webp": {"lossless": True, "quality": 0, "method": 0}}[form]
    Image.fromarray(pixels).save(out, form, **fastest)
    return out.getvalue()


def _drawn(curve: Curve, lab: Lab) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of a curve's line; over categories, a short level stretch at each of them."""
    x, y = curve.x.values, curve.values
    if not lab.sliders[lab.axis].places:
        return x, y
    gap = np.full(len(x), np.nan)
    return np.column_stack([x - HALF, x + HALF, gap]).ravel(), np.column_stack([y, y, gap]).ravel()


def _ratio_limit(ratios: Curve | None) -> float:
    values = ratios.values[np.isfinite(ratios.values) & (ratios.values > 0)] if ratios is not None else np.array([])
    largest = np.exp(np.abs(np.log(values)).max()) if values.size else 1.0
    return 4.0 ** max(1, math.ceil(math.log(largest * 1.01, 4)))
