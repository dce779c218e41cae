"""The drawing of a lab's figure: axes at limits that may grow, and on them artists for curves of certain names, with
their legend.

The layout is fixed. Axes and ticks, which cost most, are made once and drawn once for their limits; the legend and
points are drawn onto their pixels, and the rest is moved. Curves of other names are other artists on the same axes.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.curve import Curve
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction import Sketch

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

# Okabe and Ito's colours, two light ones darkened for a white ground, told apart with any colour vision
# (tests/ui/test_palette.py); markers and dashes tell the curves apart without colour.
MEASURED = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#C2689A", "D"))
PREDICTED: tuple[tuple[str, Any], ...] = (
    ("#000000", "-"),
    ("#000000", (0, (4, 1.5))),
    ("#666666", "-"),
    ("#666666", (0, (1, 1.2))),
)
COMMITTED = "#C2689A"
MARKED, MARK_STYLES = "#2A84BD", ((0, (6.4, 1.6, 1, 1.6)), (0, (1, 1.65)))
MARKER_STYLE = (0, (2, 2))
ELSEWHERE, ELSEWHERE_MARKERS = "#882255", "vPX<"  # of another machine or time
ELSEWHERE_STYLES = ((0, (6, 1, 1, 1)), (0, (3, 1)), (0, (6, 1, 1, 1, 1, 1)), (0, (1, 0.6)))
GOOD = 0.2  # the band of the ratio panel: published single-core models are within about 20 % of the machine
WIDTH, HEIGHT, DPI = 820, 500, 100
_FADED = 0.3


class Sheet:
    """Empty axes, until they are dressed."""

    def __init__(self, lab: Lab) -> None:
        from matplotlib.figure import Figure

        self.lab = lab
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        self.canvas = _canvas()(self.figure)
        self.limits: tuple | None = None  # None: may shrink
        self.content: tuple | None = None  # that it is dressed for
        self._drawn: tuple | None = None  # limits that the ground was drawn for
        self._measured: Sequence[Curve] | None = None  # curves that it was drawn for
        self.ground: object = None  # what stays, as it is now: another object for each drawing of it
        self._bare = None  # pixels: the axes alone
        self._dressed = None  # and with the legend, and what is committed
        top, bottom = self.axes = self.figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        self.figure.subplots_adjust(
            left=0.16 if self.lab.unit == "B" else 0.14, right=0.965, top=0.94, bottom=0.11, hspace=0.09
        )
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
        self._set_scales()
        bottom.axhspan(1 / (1 + GOOD), 1 + GOOD, color="#009E73", alpha=0.18, linewidth=0)
        bottom.axhline(1, color="#000000", linewidth=1)
        self.ratio_points = bottom.plot(
            [], [], linestyle="", marker=MEASURED[0][1], color=MEASURED[0][0], markersize=5
        )[0]
        self.markers = [axes.axvline(1, color="#777777", linewidth=1, linestyle=MARKER_STYLE) for axes in (top, bottom)]
        self.caption = top.set_title(
            "", loc="left", y=1.0, fontsize=11
        )  # a place of its own: matplotlib would lay it out, and keep what each said
        for artist in (self.ratio_points, *self.markers, self.caption):
            artist.set_animated(True)
        self._dress: list[Artist] = []

    def dress(
        self,
        predicted: Sequence[Curve],
        measured: Sequence[Curve],
        own: tuple[int, int],
        stale: bool,
        sketch: Sketch | None,
        marks: Iterable[str],
    ) -> bool:
        """Artists for curves of these names, unless they are there. Returns whether others went.

        `measured` and `predicted` begin with `own` curves of this lab; the others are of another machine or time.
        `stale`: the points are faded.
        """
        content = (*((curve.name, curve.source) for curve in (*measured, *predicted)), own, stale, sketch, *marks)
        if content == self.content:
            return False
        others = bool(self._dress)
        while self._dress:
            self._dress.pop().remove()
        self.limits, self._dressed, self._measured, top = None, None, None, self.axes[0]
        points = [
            *((*look, stale) for look in MEASURED[: own[0]]),
            *((ELSEWHERE, marker, False) for marker in ELSEWHERE_MARKERS),
        ]
        self.bars = [
            top.errorbar(
                [1],
                [1],
                yerr=[0],
                fmt=marker,
                color=colour,
                markersize=6,
                elinewidth=1.5,
                capsize=2,
                markerfacecolor=colour if curve.source == "measured" else "white",
                alpha=_FADED if faded else 1.0,
                label=f"{curve.source}: {curve.name}{' (stale)' if faded else ''}",
            )
            for (colour, marker, faded), curve in zip(points, measured, strict=False)
        ]
        lines = [*PREDICTED[: own[1]], *((ELSEWHERE, style) for style in ELSEWHERE_STYLES)]
        self.lines = [
            top.plot([], [], color=colour, linestyle=style, linewidth=2, label=f"predicted: {curve.name}")[0]
            for (colour, style), curve in zip(lines, predicted, strict=False)
        ]
        self.places = [
            top.axvline(1, color=MARKED, linewidth=1.5, linestyle=style, label=name)
            for name, style in zip(marks, MARK_STYLES, strict=False)
        ]
        self.dashes = {line: style for line, (_, style) in zip(self.lines, lines, strict=False)}
        self.dashes |= dict.fromkeys(self.markers, MARKER_STYLE) | dict(zip(self.places, MARK_STYLES, strict=False))
        self.ratio_points.set_alpha(_FADED if stale else 1.0)
        drawn: list[Artist] = []
        if sketch is not None and len(sketch.x) == 1:
            drawn = [
                top.vlines(
                    sketch.x, sketch.low, sketch.high, color=COMMITTED, linewidth=7, alpha=0.7, label=sketch.label
                )
            ]
        elif sketch is not None:
            drawn = draw_band(top, sketch)
        columns = 2 if len(top.get_legend_handles_labels()[1]) > 4 else 1
        legend = top.legend(
            loc="upper left", fontsize=10, framealpha=0.9, borderaxespad=0.3, ncols=columns, columnspacing=1
        )
        corner = legend.get_window_extent(self.canvas.get_renderer())
        # Shares of the axes. The curves give way to half of their height: a legend of still more rows may cover some of
        # them.
        self._legend = (corner.x1 - top.bbox.x0) / top.bbox.width, min(0.5, (top.bbox.y1 - corner.y0) / top.bbox.height)
        self._still = [*drawn, legend]
        self.points = [artist for bars in self.bars for artist in bars.get_children()]
        self.moving = [*self.lines, self.ratio_points, *self.markers, *self.places, self.caption]
        self._dress = [*self.bars, *self.lines, *self.places, *drawn, legend]
        for artist in (*self._still, *self.points, *self.lines, *self.places):
            artist.set_animated(True)
        self.content = content
        return others

    def stretch(self, limits: tuple) -> None:
        """Lets the axes reach as far as these limits (lows and highs of x and y, and the ratio's); what they reach
        already stays.
        """
        if self.limits is not None:
            limits = tuple(
                choose(a, b) for choose, a, b in zip((min, max, min, max, max), limits, self.limits, strict=True)
            )
        self.limits = limits
        if limits != self._drawn:
            self._limit(*limits)
            self.canvas.draw()
            self._bare, self._drawn, self._dressed, self._measured = (
                self.canvas.copy_from_bbox(self.figure.bbox),
                limits,
                None,
                None,
            )

    def covers(self, x: np.ndarray, y: np.ndarray, x_low: float, x_high: float, y_low: float, y_high: float) -> bool:
        """Whether the legend lies over one of these points, a marker's size about them included, at such limits."""
        across = _share(x, *self._with_room(x_low, x_high), self.lab.sliders[self.lab.axis].scale)
        up = _share(y, y_low, y_high, self.lab.scale)
        width, height = self._legend
        return bool(((across < width + 0.01) & (up > 1 - height - 0.02)).any())

    def dot(self, measured: Sequence[Curve]) -> None:
        """Places the measured points, unless they are those that are there."""
        if self._measured is None or any(a is not b for a, b in zip(measured, self._measured, strict=True)):
            self._place_points(measured)
            self._measured, self.ground = measured, object()

    def clean(self) -> "Sheet":
        """The canvas holds the ground alone: the axes, the legend and the measured points."""
        if self._dressed is None:
            self.canvas.restore_region(self._bare)
            for artist in self._still:
                artist.axes.draw_artist(artist)
            self._dressed = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._dressed)
        for artist in self.points:
            artist.axes.draw_artist(artist)
        return self

    def close(self) -> None:
        """Frees pixels and ticks, 4 of 5 MB. What matplotlib made refers to each other, so that the rest waits for
        Python's collector, which comes when a quarter of all objects is new: on a page of many labs, 60 MiB of drawings
        waited.
        """
        for axes in self.axes:
            for axis in (axes.xaxis, axes.yaxis):
                axis.reset_ticks()
        self._bare = self._dressed = None

    @property
    def holds_pixels(self) -> bool:
        return self._bare is not None or self._dressed is not None

    def _set_scales(self) -> None:
        """Once for all limits: a new scale makes new ticks, which cost more than anything else of a drawing. Minor
        ticks, of which there may be 65, are one line here: as objects of matplotlib's they cost a third of a drawing.
        """
        from matplotlib import rcParams
        from matplotlib.markers import TICKLEFT
        from matplotlib.ticker import NullLocator

        (top, bottom), slider = self.axes, self.lab.sliders[self.lab.axis]
        if slider.scale == "log":
            top.set_xscale("log", base=2)
        if self.lab.scale == "log":
            top.set_yscale("log", base=value_base(self.lab))
        bottom.set_yscale("log", base=2)
        bottom.minorticks_off()
        bottom.xaxis.set_major_formatter(lambda value, _: units.render(value, slider.unit))
        self._between = top.yaxis.get_minor_locator()
        top.yaxis.set_minor_locator(NullLocator())
        look = {
            "marker": TICKLEFT,
            "markersize": rcParams["ytick.minor.size"],
            "markeredgewidth": rcParams["ytick.minor.width"],
        }
        self._minor_ticks = top.plot(
            [], [], color="black", linestyle="", transform=top.get_yaxis_transform(), clip_on=False, zorder=2.01, **look
        )[0]
        unit = self.lab.unit  # the formatter must not know this object: matplotlib would keep both for ever
        top.yaxis.set_major_formatter(lambda value, _: units.on_axis(value, unit))

    def _place_points(self, measured: Sequence[Curve]) -> None:
        """Moves the measured points to where these curves have them."""
        for (line, caps, (bars,)), curve in zip(self.bars, measured, strict=False):
            x, y = curve.x.values, curve.values
            ends = [np.where(np.isfinite(end), end, y) for end in (curve.low, curve.high)]
            line.set_data(x, y)
            for cap, end in zip(caps, ends, strict=True):
                cap.set_data(x, end)
            bars.set_segments(np.stack([np.column_stack([x, end]) for end in ends], axis=1))

    def _limit(self, x_low: float, x_high: float, y_low: float, y_high: float, ratio_limit: float) -> None:
        top, bottom = self.axes
        slider = self.lab.sliders[self.lab.axis]
        top.set_xlim(*self._with_room(x_low, x_high))
        if slider.scale == "log":
            octaves = range(math.ceil(math.log2(x_low)), math.floor(math.log2(x_high)) + 1)
            widest = max((len(units.render(2.0**k, slider.unit)) for k in octaves), default=1)
            bottom.set_xticks(
                [2.0**k for k in octaves[:: max(1, math.ceil((len(octaves) - 1) / min(9, 56 // widest)))]]
            )
        elif slider.multiple_of:
            steps = math.ceil((x_high - x_low) / slider.multiple_of / 16)
            bottom.set_xticks(np.arange(x_low, x_high + slider.multiple_of / 2, slider.multiple_of * max(1, steps)))
        top.set_ylim(y_low, y_high)
        between = np.asarray(self._between.tick_values(y_low, y_high))
        between = between[(between >= y_low) & (between <= y_high)]
        self._minor_ticks.set_data(np.zeros(len(between)), between)
        bottom.set_ylim(1 / ratio_limit, ratio_limit)
        ticks = [ratio_limit ** (k / 2) for k in (-2, -1, 0, 1, 2)]
        bottom.set_yticks(ticks, [_times(tick) for tick in ticks])

    def _with_room(self, x_low: float, x_high: float) -> tuple[float, float]:
        if self.lab.sliders[self.lab.axis].scale == "log":
            return x_low / 1.15, x_high * 1.15
        room = 0.06 * (x_high - x_low) or 0.5
        return x_low - room, x_high + room


def _share(values: np.ndarray, low: float, high: float, scale: str) -> np.ndarray:
    """How far along the axis: 0 at its low end, 1 at its high one."""
    if scale == "log":
        values, low, high = np.log(values), math.log(low), math.log(high)
    return (values - low) / (high - low)


@cache
def _canvas() -> "type[FigureCanvasAgg]":
    """All sheets are drawn on the same pixels, one after the other; each keeps its own ones of what stays, and begins
    with those.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg

    renderer = RendererAgg(WIDTH, HEIGHT, DPI)

    class Canvas(FigureCanvasAgg):
        def get_renderer(self) -> RendererAgg:
            return renderer

    return Canvas


def value_base(lab: Lab) -> int:
    """Of a logarithmic axis of values: bytes come in powers of two."""
    return 2 if lab.unit == "B" else 10


def draw_band(axes: "Axes", sketch: Sketch) -> "list[Artist]":
    """A predicted curve: a band about a dashed line."""
    middle = np.sqrt(np.multiply(sketch.low, sketch.high))
    return [
        axes.fill_between(sketch.x, sketch.low, sketch.high, color=COMMITTED, alpha=0.2, linewidth=0),
        *axes.plot(sketch.x, middle, color=COMMITTED, linestyle=(0, (6, 2)), linewidth=3, label=sketch.label),
    ]


def _times(ratio: float) -> str:
    return f"×{ratio:g}" if ratio >= 1 else f"×1/{1 / ratio:g}"
