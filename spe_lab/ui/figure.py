"""The figure of a lab: curves above, measured ÷ predicted below, drawn fast enough to follow a slider.

Drawing axes and text costs 40 ms, and their layout as much again. So the layout is fixed, and the parts that stay are
drawn once into a ground (ui/sheet.py). On a page, the parts that move (predictions, ratios, the marker) are an SVG over
the ground (ui/svg_layer.py), so that a frame needs no new pixels; for a file they are drawn onto the ground. New
measured points, three times a second during a measurement, are drawn onto the pixels of the axes. The axes are drawn
again only for new limits, which only grow. Other curves, or stale points, need other artists and another legend.

A process keeps the sheets of the last few figures; others are drawn again when needed. So memory does not grow with the
number of labs on a page. All drawing happens under the lock of all pages (ui/page_lock.py).
"""

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.curve import Curve
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction import Prediction, Sketch
from spe_lab.ui import svg_layer
from spe_lab.ui.page_lock import locked
from spe_lab.ui.sheet import Sheet, value_base
from spe_lab.ui.sheet_store import STORE

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

ROOM = 1.5  # end of a linear axis ÷ largest value, with room for the legend
collect_left = STORE.collect  # at the end of a measurement


class LabFigure:
    """The figure of one lab: `draw` makes a picture for a file, `layers` one for a page (1 ms)."""

    def __init__(self, lab: Lab, form: str = "png") -> None:
        self.lab = lab
        self.form = form  # "png" for files, or "webp" for pages: lossless too, encoded in half the time
        self._shown: dict[str, Any] = {}  # the last arguments of `place`
        self._sent: object = None  # the ground that the page shows
        self._number = STORE.number(self)

    @locked
    def draw(
        self, predicted: Sequence[Curve], measured: Sequence[Curve] = (), ratios: Curve | None = None, **more: Any
    ) -> bytes:
        """Return the picture's bytes; the arguments are those of `place`."""
        return _picture(self.place(predicted, measured, ratios, **more), self.form)

    @locked
    def layers(
        self, predicted: Sequence[Curve], measured: Sequence[Curve] = (), ratios: Curve | None = None, **more: Any
    ) -> tuple[bytes | None, str]:
        """Return the ground's bytes (None if unchanged) and the moving parts as SVG; arguments as for `place`."""
        sheet = self.place(predicted, measured, ratios, **more)
        ground = None if sheet.ground is self._sent else encoded(sheet.clean().canvas, self.form)
        self._sent = sheet.ground
        return ground, svg_layer.svg(sheet)

    @locked
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
        sheet.stretch((*self._span(sheet, [*predicted, *measured], sketch), _ratio_limit(ratios)))
        sheet.dot(measured)
        STORE.keep(self._number, sheet)
        for line, curve in zip(sheet.lines, predicted, strict=True):
            line.set_data(curve.x.values, curve.values)
        sheet.ratio_points.set_data(*((ratios.x.values, ratios.values) if ratios is not None else ([], [])))
        for marker in sheet.markers:
            marker.set_visible(at is not None)
            if at is not None:
                marker.set_xdata([at, at])
        for line, place in zip(sheet.places, marks.values(), strict=True):
            line.set_visible(math.isfinite(place))
            line.set_xdata([place, place])
        sheet.caption.set_text(_caption(self.lab, predicted[: own[1]], at))
        return sheet

    @locked
    def picture(self, form: str) -> bytes:
        """Return the last frame as "png" or "webp"."""
        return _picture(self.place(**self._shown), form)  # placed again, as its sheet may be gone

    @locked
    def refit(self) -> None:
        """Let the limits shrink at the next frame."""
        if sheet := STORE.get(self._number):
            sheet.limits = None

    def _span(self, sheet: Sheet, curves: Sequence[Curve], sketch: Sketch | None) -> tuple[float, float, float, float]:
        """Return limits of x and y with room for the legend: whole decades (bytes: powers of 16) or from 0."""
        sketch = sketch or Sketch("")
        x = np.concatenate([*(curve.x.values for curve in curves), sketch.x, sketch.x])
        y = np.concatenate([*(curve.values for curve in curves), sketch.low, sketch.high])
        left, right, shown = x.min(), x.max(), np.isfinite(y) & (y > 0)
        x, y = (x[shown], y[shown]) if shown.any() else (x[:1], np.ones(1))
        if self.lab.scale == "linear":
            step = 10.0 ** math.floor(math.log10(y.max())) / 2
            low, high = 0.0, step * math.ceil(ROOM * y.max() / step)
        else:
            step = {2: 16.0, 10: 10.0}[value_base(self.lab)]
            low, high = step ** math.floor(math.log(y.min(), step)), step ** math.ceil(math.log(y.max(), step) + 0.5)
        while sheet.covers(x, y, left, right, low, high):
            high = high + step if self.lab.scale == "linear" else high * step
        return left, right, low, high


def _picture(sheet: Sheet, form: str) -> bytes:
    """Draw the moving parts onto the ground and return the picture's bytes."""
    for artist in sheet.clean().moving:
        artist.axes.draw_artist(artist)
    return encoded(sheet.canvas, form)


def encoded(canvas: "FigureCanvasAgg", form: str) -> bytes:
    """Return the pixels of a canvas as "png" or "webp", encoded as fast as possible."""
    from PIL import Image

    out = io.BytesIO()
    fastest = {"png": {"compress_level": 1}, "webp": {"lossless": True, "quality": 0, "method": 0}}[form]
    Image.fromarray(np.asarray(canvas.buffer_rgba())).save(out, form, **fastest)
    return out.getvalue()


def _ratio_limit(ratios: Curve | None) -> float:
    values = ratios.values[np.isfinite(ratios.values) & (ratios.values > 0)] if ratios is not None else np.array([])
    largest = np.exp(np.abs(np.log(values)).max()) if values.size else 1.0
    return 4.0 ** max(1, math.ceil(math.log(largest * 1.01, 4)))


def _caption(lab: Lab, predicted: Sequence[Curve], at: float | None) -> str:
    if at is None:
        return ""
    here = [(curve, float(np.interp(at, curve.x.values, curve.values))) for curve in predicted]
    said = ", ".join(f"{curve.name} {units.render(value, curve.unit)}" for curve, value in here if math.isfinite(value))
    return f"at {lab.axis} {units.render(at, lab.sliders[lab.axis].unit)}: {said}"
