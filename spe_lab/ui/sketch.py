"""A curve that the reader draws before measuring: one slider per point, on the lab's axes."""

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from types import EllipsisType
from typing import Any

import ipywidgets as widgets
import numpy as np

from spe_lab.core import mode, registry, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.reader.prediction import Asked, CurvePrediction, Sketch
from spe_lab.core.reader.prediction.curves import WITHIN, curve_of
from spe_lab.core.reader.waiting import Waiting
from spe_lab.core.recording import Run
from spe_lab.core.slider import Value
from spe_lab.core.text import Text
from spe_lab.ui.box import Buttons
from spe_lab.ui.drawing import draws
from spe_lab.ui.figure import encoded
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN, Overtaken, locked
from spe_lab.ui.sheet import COMMITTED, DPI, WIDTH, axis_title, draw_band, value_title
from spe_lab.ui.static import figure_html

MOST = 9  # points; more do not fit beside each other
HEIGHT = 320
STEP = 0.05  # of a slider, in decades: twelve per cent
REACH = 30.0  # factor by which the sliders' range exceeds the model's range at both ends
LEFT, RIGHT, ROOM = (
    0.14,
    0.965,
    0.05,
)  # ends of the axes and room beside the points, as shares: sliders stand below them
_SLIDER_PX = 90
_BETWEEN_PX = WIDTH * (RIGHT - LEFT) / (1 + 2 * ROOM)  # distance of the outer points
_BELOW = {
    "flex_flow": "row wrap",
    "justify_content": "space-between",
    "max_width": "100%",
    "width": f"{round(_BETWEEN_PX) + _SLIDER_PX}px",
    "margin": f"0 0 0 {round(WIDTH * LEFT + ROOM * _BETWEEN_PX) - _SLIDER_PX // 2}px",
}


class CurveSketch:
    """Sliders for the values at `points` places of the lab's axis; *Commit* makes a prediction of them.

    `explore` takes it as a prediction, committed or not. `picture` shows the curve, `twin` has it in words, and `note`
    the result of the last commit. `curve` is a prediction in code: points {x: value} or a model's name.
    """

    def __init__(
        self,
        lab_id: str,
        points: int = 5,
        within: float = WITHIN,
        skip: bool = False,
        *,
        curve: Mapping[float | str, float] | str | EllipsisType = ...,
        **settings: Value,
    ) -> None:
        if not 2 <= points <= MOST:
            raise SpeLabError(f"points must be between 2 and {MOST}, got {points}; five are enough for most curves")
        self.lab, self._settings = registry.get(lab_id), settings
        self.asked = Asked.of(curve_of(lab_id, curve, within, skip, **settings))
        places = self._places(points)
        low, high = self._reach()
        middle = math.sqrt(low * high) if self.lab.scale == "log" else (low + high) / 2
        values = np.full(len(places), middle)
        if self.committed:
            values = np.clip(self.prediction.at(np.array(places), self.lab), low, high)
        points_ = zip(places, values, strict=True)
        self.sliders = {place: self._slider(place, float(value), low, high) for place, value in points_}
        self._pad = _Pad(self.lab, _with_room(places, self.lab), (low, high))
        self.picture, self.twin, self._overtaken = widgets.HTML(), widgets.HTML(), Overtaken()
        self.buttons = Buttons("this curve", self._pressed, self.skip, wait=False)
        self.commit_button, self.skip_button, self.note = (
            self.buttons.commit_button,
            self.buttons.skip_button,
            self.buttons.note,
        )
        row = widgets.HBox(list(self.sliders.values()), layout=widgets.Layout(**_BELOW))
        rows = [self.picture, row, self.buttons.row, self.twin]
        self.page = page_of(self, widgets.VBox(rows, layout=widgets.Layout(max_width="900px")))
        for place, slider in self.sliders.items():
            slider.observe(lambda _, place=place: self._moved(place), "value")
        self._follow()
        self.asked.on_change(self._follow)

    @property
    def prediction(self) -> CurvePrediction:
        """The prediction as it stands."""
        prediction = self.asked.prediction
        assert isinstance(prediction, CurvePrediction)
        return prediction

    @property
    def committed(self) -> bool:
        return self.prediction.committed

    @property
    def skipped(self) -> bool:
        return self.prediction.skipped

    @property
    def open(self) -> bool:
        return self.prediction.open

    @property
    def advice(self) -> str:
        return self.prediction.advice

    @property
    def drawn(self) -> Sketch | None:
        return self.prediction.drawn

    def score(self, run: Run | Waiting | None) -> Text | Waiting:
        return self.prediction.score(run)

    def on_change(self, follow: Callable[[], None]) -> None:
        """Call `follow` whenever the curve is committed or skipped."""
        self.asked.on_change(follow)

    @property
    def curve(self) -> dict[float, float]:
        """The sliders' values by place."""
        return {place: slider.value for place, slider in self.sliders.items()}

    @locked
    def commit(self, curve: Mapping[float | str, float] | str | None = None) -> None:
        """Commit a curve, or without one the drawn curve; the page says whether it counts."""
        self.asked.commit(self.curve if curve is None else curve)

    @locked
    def skip(self) -> None:
        """Go on without a prediction."""
        self.asked.skip()

    def _follow(self) -> None:
        with TURN:
            self.buttons.tell(self.asked.note)
            self._refresh()

    @property
    def text(self) -> Text:
        """The curve in words, and whether it is committed."""
        unit = self.lab.sliders[self.lab.axis].unit
        places, values = [*self.curve], [*self.curve.values()]
        pairs = zip(places, values, strict=True)
        points = ", ".join(f"{units.render(y, self.lab.unit)} at {units.render(x, unit)}" for x, y in pairs)
        # Values committed in code may lie between a slider's stops.
        slack = 10 ** (STEP / 2) - 1 if self.lab.scale == "log" else 1e-6
        same = self.committed and np.allclose(self.prediction.at(np.array(places), self.lab), values, rtol=slack)
        return Text(f"{'Committed' if same else 'Not committed'}: {points}.")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if mode.building_book():
            return {"text/html": self.picture.value, "text/plain": str(self.text)}, {}
        return bundle(self.page, kwargs, html=self.picture.value, text=str(self.text))

    def _places(self, points: int) -> list[float]:
        """Return `points` values of the axis, spread over the default sweep."""
        slider, x = self.lab.sliders[self.lab.axis], self.lab.x().values
        spaced = np.geomspace if slider.scale == "log" else np.linspace
        places = (slider.rounded(float(place)) for place in spaced(x[0], x[-1], points))
        return np.unique([slider.checked(place) for place in places]).tolist()

    def _reach(self) -> tuple[float, float]:
        """Return the least and the largest value of the sliders, well beyond the range of the models."""
        predicted = self.lab.predict(self.lab.point(self._settings), self.lab.x(), self.lab.recorded_fit)
        values = np.concatenate([curve.values for curve in predicted])
        values = values[np.isfinite(values) & (values > 0)]
        largest = float(values.max()) if values.size else 1.0
        if self.lab.scale == "linear":
            return 0.0, 2 * largest
        least = float(values.min()) if values.size else 1.0
        low, high = math.log10(least / REACH) / STEP, math.log10(largest * REACH) / STEP
        return 10 ** (STEP * math.floor(low)), 10 ** (STEP * math.ceil(high))

    def _slider(self, place: float, value: float, low: float, high: float) -> widgets.Widget:
        name = units.render(place, self.lab.sliders[self.lab.axis].unit)
        layout = widgets.Layout(width=f"{_SLIDER_PX}px", height="170px", margin="0")
        common = {"orientation": "vertical", "description": name, "readout_format": ".3g", "layout": layout}
        if self.lab.scale == "log":
            value = 10 ** (STEP * round(math.log10(value) / STEP))  # a stop; otherwise the page would move it to one
            ends = {"min": math.log10(low), "max": math.log10(high)}
            return widgets.FloatLogSlider(value=value, step=STEP, base=10, **ends, **common)
        return widgets.FloatSlider(value=value, min=low, max=high, step=(high - low) / 100, **common)

    def _pressed(self) -> None:
        self.commit()
        self._overtaken.pressed()

    def _moved(self, place: float) -> None:
        if self._overtaken.by_press(place):
            self.commit()  # the value is older than the press, so it belongs to the commit
        else:
            self._refresh()

    def _refresh(self) -> None:
        shown = replace(self.prediction, knots=tuple(self.curve.items()), name="")
        picture = self._pad.draw(shown.sketched(), self.curve)
        self.picture.value = figure_html(picture, f"A curve that you draw. {self.text}", WIDTH, HEIGHT)
        self.twin.value = f'<span role="status">{html.escape(self.text)}</span>'


@wraps(curve_of)
def predict_curve(
    lab_id: str,
    curve: Mapping[float | str, float] | str | EllipsisType = ...,
    within: float = WITHIN,
    skip: bool = False,
    **settings: Value,
) -> CurveSketch:
    return CurveSketch(lab_id, within=within, skip=skip, curve=curve, **settings)


def _with_room(places: list[float], lab: Lab) -> tuple[float, float]:
    """Return the ends of the axis: the outer places, and a share ROOM of their distance beyond."""
    first, last = places[0], places[-1]
    if lab.sliders[lab.axis].scale == "log":
        room = (last / first) ** ROOM
        return first / room, last * room
    room = ROOM * (last - first)
    return first - room, last + room


class _Pad:
    """The empty axes of the lab's figure, and on them the reader's curve."""

    @draws
    def __init__(self, lab: Lab, span: tuple[float, float], reach: tuple[float, float]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        axes = self._axes = self._figure.subplots()
        self._figure.subplots_adjust(left=LEFT, right=RIGHT, top=0.96, bottom=0.17)
        axes.grid(True, color="#dddddd", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        slider = lab.sliders[lab.axis]
        axes.set_xlabel(axis_title(slider), fontsize=11)
        axes.set_ylabel(value_title(lab), fontsize=11)
        if slider.scale == "log":
            axes.set_xscale("log", base=2)
        if lab.scale == "log":
            axes.set_yscale("log", base=2 if lab.unit == "B" else 10)
        axes.set_ylim(*reach)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(lambda value, _: slider.rendered(value))
        axes.yaxis.set_major_formatter(
            lambda value, _: lab.rendered(value) if lab.percent else units.on_axis(value, lab.unit)
        )
        axes.set_xlim(*span)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)  # axes and text take 40 ms, the curve 5

    @draws
    def draw(self, sketch: Sketch, knots: Mapping[float, float]) -> bytes:
        self._canvas.restore_region(self._background)
        draw_band(self._axes, sketch)
        self._axes.plot(list(knots), list(knots.values()), linestyle="", marker="o", markersize=8, color=COMMITTED)
        for artist in (*self._axes.collections, *self._axes.lines):
            self._axes.draw_artist(artist)
            artist.remove()
        return encoded(np.asarray(self._canvas.buffer_rgba()), "webp")
