"""The figure of a lab: curves above, measured ÷ predicted below, drawn fast enough to follow a slider.

Drawing axes and text costs 40 ms and laying them out as much again. So the layout is fixed, and everything that stays is
drawn once into a ground. On a page, what moves (predictions, ratios, the marker) is laid over it as SVG (ui/moving.py), so
that a frame neither draws nor encodes nor sends a pixel; for a file, it is drawn onto the ground. New measured points, which
come three times a second while a measurement runs, are drawn onto the pixels of the axes; only new limits need the axes
drawn anew (100 ms), and those only ever grow. The axes are built anew when a curve comes or goes, or the points become stale.
"""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.curve import Curve
from spe_lab.core.lab import Lab
from spe_lab.core.prediction import Prediction, Sketch
from spe_lab.ui import moving

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

# Okabe and Ito's colours, two light ones darkened for a white ground, told apart with any colour vision (tests/ui/test_palette.py);
# markers and dashes tell the curves apart without colour.
MEASURED = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#C2689A", "D"))
PREDICTED = (("#000000", "-"), ("#000000", (0, (4, 1.5))), ("#666666", "-"), ("#666666", (0, (1, 1.2))))
COMMITTED = "#C2689A"
MARKED, MARK_STYLES = "#2A84BD", ((0, (6.4, 1.6, 1, 1.6)), (0, (1, 1.65)))
MARKER_STYLE = (0, (2, 2))
ELSEWHERE, ELSEWHERE_MARKERS = "#882255", "vPX<"  # of another machine or time
ELSEWHERE_STYLES = ((0, (6, 1, 1, 1)), (0, (3, 1)), (0, (6, 1, 1, 1, 1, 1)), (0, (1, 0.6)))
ROOM = 1.5  # how far a linear axis reaches beyond the largest value: the legend's share
GOOD = 0.2  # the band of the ratio panel: published single-core models are within about 20 % of the machine
WIDTH, HEIGHT, DPI = 820, 500, 100
_FADED = 0.3


class LabFigure:
    """`draw(...)` gives a picture for a file; `layers(...)` one for a page, where drawing again with other predictions costs 1 ms."""

    def __init__(self, lab: Lab, form: str = "png") -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.lab = lab
        self.form = form  # "png", or "webp": as exact, encoded in half the time, and for a page rather than for a file
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self._content = self._limits = self._measured = None  # what the ground was drawn for
        self._bare = self._ground = None  # pixels: the axes alone, and with the measured points on them

    def draw(self, *curves: Sequence[Curve] | Curve | None, **more: Any) -> bytes:
        """The picture's bytes; arguments as those of `place`."""
        self.place(*curves, **more)
        return self.picture(self.form)

    def layers(self, *curves: Sequence[Curve] | Curve | None, **more: Any) -> tuple[bytes | None, str]:
        """(the ground's bytes, or None if they are those of the last frame; what moves over it, as SVG); arguments as those of `place`."""
        ground = None
        if self.place(*curves, **more):
            self.canvas.restore_region(self._ground)
            ground = encoded(self.canvas, self.form)
        return ground, moving.svg(self)

    def place(self, predicted: Sequence[Curve], measured: Sequence[Curve] = (), ratios: Curve | None = None, *,
              at: float | None = None, stale: bool = False, prediction: Prediction | None = None,
              marks: Mapping[str, float] | None = None, elsewhere: Sequence[Curve] = ()) -> bool:  # fmt: skip
        """Puts everything where it belongs; whether the ground is a new one. `ratios`: measured over predicted at the measured points;
        `at`: where the marker stands; `marks`: places on the axis, by name; `elsewhere`: curves of another machine or time, drawn in a colour of their own."""
        marks = marks or {}
        sketch = prediction.drawn if prediction is not None else None
        own = len(measured), len(predicted)
        measured = [*measured, *(curve for curve in elsewhere if curve.source != "predicted")]
        predicted = [*predicted, *(curve for curve in elsewhere if curve.source == "predicted")]
        content = ([(curve.name, curve.source) for curve in (*measured, *predicted)], own, stale, sketch, list(marks))
        limits = (*self._span([*predicted, *measured], sketch), _ratio_limit(ratios))
        if content != self._content:
            self._build(predicted, measured, own, stale, sketch, marks)
            self._content, self._limits = content, None
        if self._limits is not None:
            limits = tuple(choose(a, b) for choose, a, b in zip((min, max, min, max, max), limits, self._limits, strict=True))
        if limits != self._limits:
            self._scale(*limits)
            self.canvas.draw()
            self._bare, self._limits, self._measured = self.canvas.copy_from_bbox(self.figure.bbox), limits, None
        new = self._measured is None or any(a is not b for a, b in zip(measured, self._measured, strict=True))
        if new:
            self._place_points(measured)
            self.canvas.restore_region(self._bare)
            for artist in self.points:
                artist.axes.draw_artist(artist)
            self._ground, self._measured = self.canvas.copy_from_bbox(self.figure.bbox), measured
        for line, curve in zip(self.lines, predicted, strict=True):
            line.set_data(curve.x.values, curve.values)
        if ratios is not None:
            self.ratio_points.set_data(ratios.x.values, ratios.values)
        for marker in self.markers:
            marker.set_visible(at is not None)
            if at is not None:
                marker.set_xdata([at, at])
        for line, place in zip(self.places, marks.values(), strict=True):
            line.set_visible(math.isfinite(place))
            line.set_xdata([place, place])
        self.caption.set_text(_caption(self.lab, predicted[: own[1]], at))
        return new

    def picture(self, form: str) -> bytes:
        """The last frame as "png" or "webp"."""
        self.canvas.restore_region(self._ground)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        return encoded(self.canvas, form)

    def refit(self) -> None:
        """Lets the limits shrink again at the next frame."""
        self._limits = None

    def _build(self, predicted: Sequence[Curve], measured: Sequence[Curve], own: tuple[int, int], stale: bool, sketch: Sketch | None,
               marks: Iterable[str]) -> None:  # fmt: skip
        self.figure.clear()
        top, bottom = self.axes = self.figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        self.figure.subplots_adjust(left=0.16 if self.lab.unit == "B" else 0.14, right=0.965, top=0.94, bottom=0.11, hspace=0.09)
        for axes in (top, bottom):
            axes.grid(True, which="major", color="#dddddd", linewidth=0.8)
            axes.set_axisbelow(True)
            axes.tick_params(labelsize=11)
            axes.spines[["top", "right"]].set_visible(False)
        slider = self.lab.sliders[self.lab.axis]
        bottom.set_xlabel(f"{slider.name}: {slider.meaning}", fontsize=11)  # each tick carries its unit
        top.set_ylabel(f"{self.lab.quantity} [{self.lab.unit}]" if self.lab.unit else self.lab.quantity, fontsize=11)
        bottom.set_ylabel(f"{'simulated' if self.lab.simulated else 'measured'} ÷\npredicted", fontsize=11)
        self.figure.align_ylabels(self.axes)
        bottom.axhspan(1 / (1 + GOOD), 1 + GOOD, color="#009E73", alpha=0.18, linewidth=0)
        bottom.axhline(1, color="#000000", linewidth=1)
        points = [*((*look, stale) for look in MEASURED[: own[0]]), *((ELSEWHERE, marker, False) for marker in ELSEWHERE_MARKERS)]
        self.bars = [
            top.errorbar([1], [1], yerr=[0], fmt=marker, color=colour, markersize=6, elinewidth=1.5, capsize=2,
                         markerfacecolor=colour if curve.source == "measured" else "white", alpha=_FADED if faded else 1.0,
                         label=f"{curve.source}: {curve.name}{' (stale)' if faded else ''}")
            for (colour, marker, faded), curve in zip(points, measured, strict=False)
        ]  # fmt: skip
        lines = [*PREDICTED[: own[1]], *((ELSEWHERE, style) for style in ELSEWHERE_STYLES)]
        self.lines = [
            top.plot([], [], color=colour, linestyle=style, linewidth=2, label=f"predicted: {curve.name}")[0]
            for (colour, style), curve in zip(lines, predicted, strict=False)
        ]
        self.dashes = {line: style for line, (_, style) in zip(self.lines, lines, strict=False)}
        if sketch is not None and len(sketch.x) == 1:
            top.vlines(sketch.x, sketch.low, sketch.high, color=COMMITTED, linewidth=7, alpha=0.7, label=sketch.label)
        elif sketch is not None:
            draw_band(top, sketch)
        self.ratio_points = bottom.plot([], [], linestyle="", marker=MEASURED[0][1], color=MEASURED[0][0], markersize=5, alpha=_FADED if stale else 1.0)[0]
        self.markers = [axes.axvline(1, color="#777777", linewidth=1, linestyle=MARKER_STYLE) for axes in (top, bottom)]
        self.places = [top.axvline(1, color=MARKED, linewidth=1.5, linestyle=style, label=name) for name, style in zip(marks, MARK_STYLES, strict=False)]
        self.dashes |= dict.fromkeys(self.markers, MARKER_STYLE) | dict(zip(self.places, MARK_STYLES, strict=False))
        self.caption = top.set_title("", loc="left", fontsize=11)
        columns = 2 if len(top.get_legend_handles_labels()[1]) > 4 else 1
        top.legend(loc="upper left", fontsize=10, framealpha=0.9, borderaxespad=0.3, ncols=columns, columnspacing=1)
        self.moving = [*self.lines, self.ratio_points, *self.markers, *self.places, self.caption]
        self.points = [artist for bars in self.bars for artist in bars.get_children()]
        for artist in (*self.points, *self.moving):
            artist.set_animated(True)

    def _place_points(self, measured: Sequence[Curve]) -> None:
        """Moves the measured points to where these curves have them."""
        for (line, caps, (bars,)), curve in zip(self.bars, measured, strict=False):
            x, y = curve.x.values, curve.values
            ends = [np.where(np.isfinite(end), end, y) for end in (curve.low, curve.high)]
            line.set_data(x, y)
            for cap, end in zip(caps, ends, strict=True):
                cap.set_data(x, end)
            bars.set_segments(np.stack([np.column_stack([x, end]) for end in ends], axis=1))

    def _scale(self, x_low: float, x_high: float, y_low: float, y_high: float, ratio_limit: float) -> None:
        top, bottom = self.axes
        slider = self.lab.sliders[self.lab.axis]
        if slider.scale == "log":
            top.set_xscale("log", base=2)
            top.set_xlim(x_low / 1.15, x_high * 1.15)
            first, last = math.ceil(math.log2(x_low)), math.floor(math.log2(x_high))
            bottom.set_xticks([2.0**k for k in range(first, last + 1, max(1, math.ceil((last - first) / 9)))])
        else:
            room = 0.06 * (x_high - x_low) or 0.5
            top.set_xlim(x_low - room, x_high + room)
            if slider.multiple_of:
                bottom.set_xticks(np.arange(x_low, x_high + slider.multiple_of / 2, slider.multiple_of))
        bottom.xaxis.set_major_formatter(lambda value, _: units.render(value, slider.unit))
        if self.lab.scale == "log":
            top.set_yscale("log", base=self._base)
        top.set_ylim(y_low, y_high)
        bytes_ = self.lab.unit == "B"  # the formatter must not know this object: matplotlib would keep both for ever
        top.yaxis.set_major_formatter(lambda value, _: units.render(value, "B") if bytes_ else f"{value:g}")
        bottom.set_yscale("log", base=2)
        bottom.minorticks_off()
        bottom.set_ylim(1 / ratio_limit, ratio_limit)
        ticks = [ratio_limit ** (k / 2) for k in (-2, -1, 0, 1, 2)]
        bottom.set_yticks(ticks, [_times(tick) for tick in ticks])

    @property
    def _base(self) -> int:
        """Of a logarithmic axis of values: bytes come in powers of two."""
        return 2 if self.lab.unit == "B" else 10

    def _span(self, curves: Sequence[Curve], sketch: Sketch | None) -> tuple[float, float, float, float]:
        """Limits of x, and of y with room for the legend at the top: snapped to decades (or powers of 16), or from zero."""
        sketch = sketch or Sketch("")
        x = np.concatenate([*(curve.x.values for curve in curves), sketch.x])
        y = np.concatenate([*(curve.values for curve in curves), sketch.low, sketch.high])
        y = y[np.isfinite(y) & (y > 0)]
        bounds = y if y.size else [1.0]
        if self.lab.scale == "linear":
            coarse = 10.0 ** math.floor(math.log10(max(bounds)))
            return x.min(), x.max(), 0.0, coarse * math.ceil(2 * ROOM * max(bounds) / coarse) / 2
        step = {2: 16.0, 10: 10.0}[self._base]
        return x.min(), x.max(), step ** math.floor(math.log(min(bounds), step)), step ** math.ceil(math.log(max(bounds), step) + 0.5)


def encoded(canvas: "FigureCanvasAgg", form: str) -> bytes:
    """The pixels of a canvas as "png" or "webp", in the least time."""
    from PIL import Image

    out = io.BytesIO()
    fastest = {"png": {"compress_level": 1}, "webp": {"lossless": True, "quality": 0, "method": 0}}[form]
    Image.fromarray(np.asarray(canvas.buffer_rgba())).save(out, form, **fastest)
    return out.getvalue()


def draw_band(axes: "Axes", sketch: Sketch) -> None:
    """A predicted curve: a band about a dashed line."""
    axes.fill_between(sketch.x, sketch.low, sketch.high, color=COMMITTED, alpha=0.2, linewidth=0)
    axes.plot(sketch.x, np.sqrt(np.multiply(sketch.low, sketch.high)), color=COMMITTED, linestyle=(0, (6, 2)), linewidth=3, label=sketch.label)


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


def _times(ratio: float) -> str:
    return f"×{ratio:g}" if ratio >= 1 else f"×1/{1 / ratio:g}"
