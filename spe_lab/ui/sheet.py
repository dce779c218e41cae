"""The drawing of a lab's figure: axes, and artists for the curves of one set of names.

The layout is fixed. Axes and ticks, which cost most, are made once and drawn once for their limits. The points are
drawn onto their pixels. Lines, ratios and markers move above these. Other curve names need other artists. The legend is
not part of the axes: it stands in a table beside them on a page, and above them in a file (ui/legend.py).
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.curve import Curve, pair
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction import Sketch
from spe_lab.core.slider import Slider

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
MARKED = "#2A84BD"
MARK_STYLES = (  # one for each level of a memory, which is what is marked
    (0, (6.4, 1.6, 1, 1.6)),
    (0, (1, 1.65)),
    (0, (3.7, 1.6)),
    (0, (6.4, 1.6, 1, 1.6, 1, 1.6)),
    (0, (10, 3)),
)
MARKER_STYLE = (0, (2, 2))
ELSEWHERE, ELSEWHERE_MARKERS = "#882255", "vPX<"  # of another machine or time
ELSEWHERE_STYLES = ((0, (6, 1, 1, 1)), (0, (3, 1)), (0, (6, 1, 1, 1, 1, 1)), (0, (1, 0.6)))
FITTED_HERE = " (fitted in this run, not a prediction)"
_NARROW = 2.2  # decades up to which an axis has ticks between the powers of ten
GOOD = 0.2  # band in the ratio panel: published single-core models are within about 20 % of the machine
WIDTH, HEIGHT, DPI = 820, 500, 100
SIZE = 13  # points of all text: legible where a cell leaves the figure 500 pixels, and on a projector
_LINE = 30  # characters of a line beside the upper axes
FADED = 0.3


class Sheet:
    """A lab's axes on a canvas; `dress` adds artists for curves.

    - ground: identity of the pixels that stay, a new object for each drawing of them
    - limits: of x, y and the ratio; None lets them shrink
    - lines, places, ratio_points, markers: the artists that move
    """

    def __init__(self, lab: Lab) -> None:
        from matplotlib.figure import Figure

        self.lab = lab
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        self.canvas = _canvas()(self.figure)
        self.limits: tuple | None = None
        self.content: tuple | None = None  # names and looks that the artists are for
        self._drawn: tuple | None = None  # limits of the drawn ground
        self._measured: Sequence[Curve] | None = None  # points of the drawn ground
        self.ground: object = None
        self._bare = None  # pixels of the axes alone
        self._dressed = None  # pixels of the axes and the committed prediction
        top, bottom = self.axes = self.figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        left = 0.17 if self.lab.unit == "B" else 0.15
        self.figure.subplots_adjust(left=left, right=0.965, top=0.97, bottom=0.135, hspace=0.24)
        for axes in (top, bottom):
            axes.grid(True, which="major", color="#dddddd", linewidth=0.8)
            axes.set_axisbelow(True)
            axes.tick_params(labelsize=SIZE)
            axes.spines[["top", "right"]].set_visible(False)
        slider = self.lab.sliders[self.lab.axis]
        bottom.set_xlabel(axis_title(slider), fontsize=SIZE)  # each tick carries its unit
        top.set_ylabel(value_title(self.lab), fontsize=SIZE)
        bottom.set_ylabel("ratio", fontsize=SIZE)
        self.figure.align_ylabels(self.axes)
        bottom.set_title(pair_title(self.lab), loc="left", fontsize=SIZE - 1, pad=4)
        self._set_scales()
        bottom.axhspan(1 / (1 + GOOD), 1 + GOOD, color="#009E73", alpha=0.18, linewidth=0)
        bottom.axhline(1, color="#000000", linewidth=1)
        colour, marker = MEASURED[0]
        self.ratio_points = bottom.plot([], [], linestyle="", marker=marker, color=colour, markersize=5)[0]
        self.markers = [axes.axvline(1, color="#777777", linewidth=1, linestyle=MARKER_STYLE) for axes in (top, bottom)]
        for artist in (self.ratio_points, *self.markers):
            artist.set_animated(True)
        self._dress: list[Any] = []  # artists, and containers of some

    def dress(
        self,
        predicted: Sequence[Curve],
        measured: Sequence[Curve],
        own: tuple[int, int],
        stale: bool,
        sketch: Sketch | None,
        marks: Iterable[str],
    ) -> bool:
        """Make artists for curves of these names, unless they exist. Return True if they replace others.

        - own: how many curves at the start of `measured` and of `predicted` are this lab's; others come from elsewhere
        - stale: True to fade the points
        - sketch: the committed prediction, or None
        - marks: names of the marked places
        """
        content = (*((curve.name, curve.source) for curve in (*measured, *predicted)), own, stale, sketch, *marks)
        if content == self.content:
            return False
        others = bool(self._dress)
        while self._dress:
            self._dress.pop().remove()
        self.limits, self._dressed, self._measured, top = None, None, None, self.axes[0]
        elsewhere = ((ELSEWHERE, marker, False) for marker in ELSEWHERE_MARKERS)
        looks = [*((*look, stale) for look in MEASURED[: own[0]]), *elsewhere]
        self.bars = [self._error_bars(curve, *look) for look, curve in zip(looks, measured, strict=False)]
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
        self.ratio_points.set_alpha(FADED if stale else 1.0)
        drawn: list[Artist] = []
        if sketch is not None and len(sketch.x) == 1:
            look = {"color": COMMITTED, "linewidth": 7, "alpha": 0.7, "label": sketch.label}
            drawn = [top.vlines(sketch.x, sketch.low, sketch.high, **look)]
        elif sketch is not None and sketch.across:
            drawn = draw_across(top, sketch)
        elif sketch is not None:
            drawn = draw_band(top, sketch)
        self._still = drawn
        self.points = [artist for bars in self.bars for artist in bars.get_children()]
        self.moving = [*self.lines, self.ratio_points, *self.markers, *self.places]
        self._dress = [*self.bars, *self.lines, *self.places, *drawn]
        for artist in (*self._still, *self.points, *self.lines, *self.places):
            artist.set_animated(True)
        self.content = content
        return others

    def _error_bars(self, curve: Curve, colour: str, marker: str, faded: bool) -> Any:
        """Return artists for the points of a measured curve, open if they were not measured on this machine."""
        shape = {"fmt": marker, "markersize": 6, "elinewidth": 1.5, "capsize": 2, "alpha": FADED if faded else 1.0}
        fill = colour if curve.source == "measured" else "white"
        label = f"{curve.source}: {curve.name}{' (stale)' if faded else ''}"
        return self.axes[0].errorbar([1], [1], yerr=[0], color=colour, markerfacecolor=fill, label=label, **shape)

    def stretch(self, limits: tuple) -> None:
        """Extend the axes to these limits (low and high of x and y, ratio); they never shrink here."""
        if self.limits is not None:
            ends = zip((min, max, min, max, max), limits, self.limits, strict=True)
            limits = tuple(choose(new, old) for choose, new, old in ends)
        self.limits = limits
        if limits != self._drawn:
            self._limit(*limits)
            self.canvas.draw()
            self._bare, self._drawn = self.canvas.copy_from_bbox(self.figure.bbox), limits
            self._dressed = self._measured = None

    def dot(self, measured: Sequence[Curve]) -> None:
        """Place the measured points, unless they are in place."""
        if self._measured is None or any(a is not b for a, b in zip(measured, self._measured, strict=True)):
            self._place_points(measured)
            self._measured, self.ground = measured, object()

    def clean(self) -> "Sheet":
        """Draw the ground alone (axes, committed prediction, measured points) on the canvas, and return the sheet."""
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
        """Free pixels and ticks, 4 of 5 MB, at once.

        matplotlib's objects refer to each other, so Python's collector frees the others. It runs when a quarter of all
        objects is new: on a page of many labs, 60 MiB of drawings waited for it.
        """
        for axes in self.axes:
            for axis in (axes.xaxis, axes.yaxis):
                axis.reset_ticks()
        self._bare = self._dressed = None

    @property
    def holds_pixels(self) -> bool:
        return self._bare is not None or self._dressed is not None

    def _set_scales(self) -> None:
        """Set scales and formatters once, since a new scale makes new ticks, the largest cost.

        The minor ticks (up to 65) are one line here; as matplotlib's objects they take a third of a drawing.
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
        bottom.xaxis.set_major_formatter(lambda value, _: slider.rendered(value))
        self._between = top.yaxis.get_minor_locator()
        top.yaxis.set_minor_locator(NullLocator())
        size, width = rcParams["ytick.minor.size"], rcParams["ytick.minor.width"]
        look = {"marker": TICKLEFT, "markersize": size, "markeredgewidth": width, "color": "black", "linestyle": ""}
        place = {"transform": top.get_yaxis_transform(), "clip_on": False, "zorder": 2.01}
        self._minor_ticks = top.plot([], [], **look, **place)[0]
        unit, percent = self.lab.unit, self.lab.percent  # a formatter that refers to this object would keep it alive
        top.yaxis.set_major_formatter(lambda value, _: units.percent(value) if percent else units.on_axis(value, unit))

    def _place_points(self, measured: Sequence[Curve]) -> None:
        """Move the measured points and their error bars to the values of these curves."""
        for (line, caps, (bars,)), curve in zip(self.bars, measured, strict=False):
            x, y = curve.x.values, curve.values
            ends = [np.where(np.isfinite(end), end, y) for end in (curve.low, curve.high)]
            line.set_data(x, y)
            for cap, end in zip(caps, ends, strict=True):
                cap.set_data(x, end)
            bars.set_segments(np.stack([np.column_stack([x, end]) for end in ends], axis=1))

    def _limit(self, x_low: float, x_high: float, y_low: float, y_high: float, ratio_limit: float) -> None:
        """Set the limits and ticks of both axes."""
        top, bottom = self.axes
        slider = self.lab.sliders[self.lab.axis]
        top.set_xlim(*self._with_room(x_low, x_high))
        if slider.scale == "log" and slider.percent:
            bottom.set_xticks(_decimal(x_low, x_high))
        elif slider.scale == "log":
            octaves = range(math.ceil(math.log2(x_low)), math.floor(math.log2(x_high)) + 1)
            widest = max((len(slider.rendered(2.0**k)) for k in octaves), default=1)
            step = max(1, math.ceil((len(octaves) - 1) / min(9, 46 // widest)))
            bottom.set_xticks([2.0**k for k in octaves[::step]])
        elif slider.multiple_of:
            steps = math.ceil((x_high - x_low) / slider.multiple_of / 12)
            bottom.set_xticks(np.arange(x_low, x_high + slider.multiple_of / 2, slider.multiple_of * max(1, steps)))
        top.set_ylim(y_low, y_high)
        if self.lab.scale == "log" and value_base(self.lab) == 10:
            top.set_yticks(_decimal(y_low, y_high))
        between = np.asarray(self._between.tick_values(y_low, y_high))
        between = between[(between >= y_low) & (between <= y_high)]
        self._minor_ticks.set_data(np.zeros(len(between)), between)
        bottom.set_ylim(1 / ratio_limit, ratio_limit)
        ticks = [ratio_limit ** (k / 2) for k in (-2, -1, 0, 1, 2)]
        # Text of this size leaves room for three labels; the grid shows the ratios between.
        bottom.set_yticks(ticks, ["" if k % 2 else _times(tick) for k, tick in enumerate(ticks)])

    def _with_room(self, x_low: float, x_high: float) -> tuple[float, float]:
        if self.lab.sliders[self.lab.axis].scale == "log":
            return x_low / 1.15, x_high * 1.15
        room = 0.06 * (x_high - x_low) or 0.5
        return x_low - room, x_high + room


def axis_title(slider: Slider) -> str:
    """Return the title of an axis over a slider: its meaning, and its symbol."""
    return f"{slider.symbol}: {slider.meaning}"


def value_title(lab: Lab) -> str:
    """Return the title of the axis of a lab's values, in lines that fit beside the upper axes."""
    return textwrap.fill(f"{lab.quantity} [{lab.unit}]" if lab.unit else lab.quantity, _LINE)


def pair_title(lab: Lab) -> str:
    """Return the two curves whose ratio the lower axes show, and whether the second one is a prediction."""
    return f"{pair(*lab.compared)}{FITTED_HERE if lab.fitted_here else ''}"


def _decimal(low: float, high: float) -> list[float]:
    """Return ticks of a logarithmic axis: 1, 2 and 5 times powers of ten, or some powers alone if there are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    narrow, step = math.log10(high / low) < _NARROW, math.ceil((last - first) / 7)
    ticks = [
        m * 10.0**k for k in range(first, last + 1, 1 if narrow else step) for m in ((1, 2, 5) if narrow else (1,))
    ]
    return [tick for tick in ticks if low <= tick * (1 + 1e-9) and tick <= high * (1 + 1e-9)]


@cache
def _canvas() -> "type[FigureCanvasAgg]":
    """Return a canvas class whose objects share their pixels; each sheet restores its own ground."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg

    renderer = RendererAgg(WIDTH, HEIGHT, DPI)

    class Canvas(FigureCanvasAgg):
        def get_renderer(self) -> RendererAgg:
            return renderer

    return Canvas


def value_base(lab: Lab) -> int:
    """Return the base of a logarithmic value axis: 2 for bytes, else 10."""
    return 2 if lab.unit == "B" else 10


def draw_band(axes: "Axes", sketch: Sketch) -> "list[Artist]":
    """Draw a predicted curve as a band about a dashed line, and return the artists."""
    middle = np.sqrt(np.multiply(sketch.low, sketch.high))
    return [
        axes.fill_between(sketch.x, sketch.low, sketch.high, color=COMMITTED, alpha=0.2, linewidth=0),
        *axes.plot(sketch.x, middle, color=COMMITTED, linestyle=(0, (6, 2)), linewidth=3, label=sketch.label),
    ]


def draw_across(axes: "Axes", sketch: Sketch) -> "list[Artist]":
    """Draw a predicted range of the axis as a horizontal bar near the bottom, and return the artists."""
    look: dict[str, Any] = {"color": COMMITTED, "linewidth": 7, "alpha": 0.7, "label": sketch.label}
    low, high = sketch.across
    return [axes.hlines([0.06], [low], [high], transform=axes.get_xaxis_transform(), **look)]


def _times(ratio: float) -> str:
    return f"×{ratio:g}" if ratio >= 1 else f"×1/{1 / ratio:g}"
