"""The explorer: one lab as a page of sliders, a figure and a measurement that runs beside the kernel thread."""

import html
import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from spe_lab.core import mode, registry, units
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Curve
from spe_lab.core.recording import Run
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Value
from spe_lab.core.machine import Machine
from spe_lab.core.reader.prediction import Prediction, reveal
from spe_lab.core.text import Text
from spe_lab.ui import book, controls, downloads
from spe_lab.ui.figure import LabFigure, collect_left
from spe_lab.ui.frame import Frame
from spe_lab.ui.heap import limit_heaps, return_freed
from spe_lab.ui.interrupt import cancel_on_interrupt, main_loop
from spe_lab.ui.overlay import Chooser
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN, Overtaken
from spe_lab.ui.presets import PresetBar
from spe_lab.ui.static import alt_text, dense, figure_html, ground_html, lab_of, moving_html, ratios

_TWIN_STYLE = "font-size: 0.9em; color: var(--jp-ui-font-color1, inherit)"
_REST_S, _HELD_BACK_S = 0.3, 3.0  # a slider that did not move for so long rests; points wait no longer for that
_SETTLED_S = 0.2  # after a press, until the sliders' last values are here: it overtakes them (ui/page_lock.py)
_WRAP = {"flex_flow": "row wrap"}
_IDLE = "Move the sliders: the model follows. Press {} to ask the machine."


def explore(
    lab: str | Lab, prediction: Prediction | None = None, machine: Machine | None = None, **settings: Value
) -> "Explorer":
    """A lab as a page, by its id or as an object, its sliders set to `settings`; a committed prediction is drawn on the
    figure.
    """
    lab = lab if isinstance(lab, Lab) else registry.get(lab, machine)
    if mode.building_book() and machine is None and (recorded := lab.recorded()):
        lab = lab_of(recorded)  # the model of the machine that the data come from
    return Explorer(lab, prediction, settings)


class Explorer:
    """Sliders move the model at once; measuring runs in a thread, refines while it runs, and can be cancelled.

    `run` is what the figure shows of the machine: measured here, recorded elsewhere where this machine has no compiler,
    or None. Its points keep the settings that they were measured at, and fade when the sliders leave those. A lab that
    `follows` is simulated anew at each move instead.
    """

    def __init__(
        self, lab: Lab, prediction: Prediction | None = None, settings: Mapping[str, Value] | None = None
    ) -> None:
        self.lab = lab
        self.prediction = prediction
        self.run: Run | None = None
        limit_heaps()
        self._figure = LabFigure(lab, form="webp")
        self._cancel = Cancel()
        self._thread: threading.Thread | None = None
        # Not Thread.is_alive: before Python 3.13, an interrupted join marks a thread as dead that goes on running.
        self._ended = threading.Event()
        self._ended.set()
        self._loop = main_loop()  # explorers are made by cells, and cells run in the main thread
        self._frame = 0
        self._moved = -math.inf  # when a slider last did
        self._asked: Mapping[str, Value] = {}  # by the last preset
        self._overtaken = Overtaken()
        self._recorded = False  # whether recorded data were asked for
        self._simulated: dict[str, Value] | None = (
            None  # settings that a lab which follows was last simulated at, the axis left out
        )
        self._follow = True
        self._x = lab.x()
        self._axis = dense(lab, self._x)
        self._initial = lab.point(settings)
        self._build()
        if mode.building_book() or not native.available():
            self.show_recorded()
        else:
            self._refresh()

    @property
    def _verb(self) -> str:
        return "Simulate" if self.lab.simulated else "Measure"

    # ---- the page
    # ------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        lab = self.lab
        workload = [slider for slider in lab.sliders.values() if slider.measured]
        model = [slider for slider in lab.sliders.values() if not slider.measured]
        self.sliders = controls.group([*workload, *model], self._initial, self._slider_moved)
        self._measure_button = widgets.Button(
            description=self._verb,
            icon="play",
            button_style="primary",
            disabled=not native.available(),
            layout=widgets.Layout(min_width="110px"),
        )
        self._measure_button.on_click(lambda _: self._toggle())
        recorded = widgets.Button(
            description="Recorded",
            icon="history",
            tooltip="Show data recorded on another machine",
            disabled=not lab.recorded(),
        )
        recorded.on_click(lambda _: self.show_recorded())
        self._progress = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="160px", display="none"))
        self._status = widgets.HTML(_IDLE.format(self._verb))
        self.presets = PresetBar(lab, self._preset)
        self._beside = Chooser(lab, self._overlay_changed)
        self._ground, self._moving, self._twin, self._data = (widgets.HTML() for _ in range(4))
        self._picture = widgets.Box([self._ground, self._moving])
        self._picture.add_class("spe-picture")
        parameters = (
            {
                "Model parameters": widgets.HBox(
                    [self.sliders[slider.name] for slider in model], layout=widgets.Layout(**_WRAP)
                )
            }
            if model
            else {}
        )
        folds = {**parameters, "Data and downloads": self._data, "Beside another machine": self._beside.page}
        self._folds = widgets.Accordion([*folds.values()], titles=tuple(folds), selected_index=0 if model else None)
        self._folds.observe(self._fold_opened, "selected_index")
        rows = [
            widgets.HTML(f"<b>{html.escape(lab.title)}.</b> {html.escape(lab.question)}"),
            widgets.HBox([self.sliders[slider.name] for slider in workload], layout=widgets.Layout(**_WRAP)),
            widgets.HBox(
                [self._measure_button, recorded, self._progress, self._status], layout=widgets.Layout(**_WRAP)
            ),
            self.presets.page,
            self._picture,
            self._twin,
            self._folds,
            widgets.HTML(f"<i>Where the model breaks:</i> {html.escape(lab.breaks)}"),
        ]
        self.page = page_of(self, widgets.VBox(rows, layout=widgets.Layout(max_width="900px")), self._rest)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The page where a kernel is behind it; elsewhere the picture with its alternative text, or that text."""
        if mode.building_book():
            return {"text/html": self._plates(), "text/plain": self.text}, {}
        return bundle(self.page, kwargs, html=self._html(), text=self.text)

    def _plates(self) -> str:
        """The figure as it stands and at two other settings, to switch between without a kernel."""
        lab, run, start = self.lab, self.run, self.point
        shown = [("as it opens", self._plate("as it opens"))]
        for label, settings in book.telling_settings(lab).items():
            if lab.simulated and native.available():
                *_, (_, self.run) = lab.runs({**start, **settings}, short=True)
            self.set(**settings)
            shown.append((label, self._plate(label)))
            self.run = run
            self._set(start)
        question = f"<p><b>{html.escape(lab.title)}.</b> {html.escape(lab.question)}</p>"
        ends = f"<p>{self._status.value} <i>Where the model breaks:</i> {html.escape(lab.breaks)}</p>"
        return question + book.plates(f"{lab.title}: sliders", shown) + ends

    def _plate(self, label: str) -> str:
        """The picture and its text; the alternative text begins with the setting, since ranges and errors may be those
        of another.
        """
        return f"{self._html(f'{label}: ')}<p>{self._said}</p>"

    def _html(self, before: str = "") -> str:
        """The last frame as one picture, with `before` and its text for who cannot see it."""
        with TURN:
            return figure_html(self._figure.picture("webp"), f"{before}{self.text}")

    @property
    def text(self) -> Text:
        """The figure in words."""
        return Text(self._in_words(self._look()))

    def _in_words(self, frame: Frame) -> str:
        sketch = self.prediction.drawn if self.prediction is not None else None
        said = alt_text(self.lab, frame.shown, self._elsewhere(frame.point), frame.marks)
        return " ".join([said, *([f"{sketch.said[0].upper()}{sketch.said[1:]}."] if sketch else [])])

    @property
    def point(self) -> dict[str, Value]:
        """The sliders' values."""
        return {name: self.lab.sliders[name].checked(widget.value) for name, widget in self.sliders.items()}

    def set(self, **values: Value) -> "Explorer":
        """Moves sliders, as a reader would."""
        self._set({name: self.lab.slider(name).checked(value) for name, value in values.items()})
        return self

    def _preset(self, values: Mapping[str, Value]) -> None:
        self._set(values)
        self._asked = values
        self._overtaken.pressed()

    def _set(self, values: Mapping[str, Value]) -> None:
        with TURN:
            self._follow = False  # one frame for all of them
            try:
                for name, value in values.items():
                    widget = self.sliders[name]
                    if isinstance(widget, widgets.SelectionSlider) and value not in [
                        each for _, each in widget.options
                    ]:
                        slider = self.lab.sliders[name]
                        widget.options = [
                            (units.render(each, slider.unit), each) for each in controls.stops(slider, value)
                        ]
                    widget.value = value
            finally:
                self._follow = True
            self._figure.refit()
            self._refresh()

    def overlay(self, run: Run | Path | str) -> "Explorer":
        """Draws the measured curves of a run of this lab, or of a file that holds one, beside the figure's own: as
        recorded ones, with their machine's name.
        """
        self._beside.add(run)
        return self

    def _overlay_changed(self) -> None:
        with TURN:
            self._figure.refit()
            self._answer()

    def _elsewhere(self, point: Mapping[str, Value]) -> Sequence[Curve]:
        chosen = self._beside.chosen
        return chosen.curves(point, self._axis) if chosen else ()

    def _slider_moved(self, name: str) -> None:
        if not self._follow:
            return
        if self._overtaken.by_press(name):
            self._set({name: self._asked[name]})
            return
        self._moved = time.monotonic()
        self._answer()

    def _answer(self) -> None:
        try:
            self._refresh()
        except Exception as error:  # a defect of ours: shown where the reader looks, and raised for the log
            self._say(f"this point cannot be shown: {error}")
            raise

    def _look(self) -> Frame:
        return Frame(self.lab, self.point, self._x, self._axis, self.run)

    def _refresh(self) -> None:
        """A frame: prediction at the sliders' values, measured points, marker, and the same in words."""
        with TURN:
            self._simulate_anew()
            frame = self._look()
            shown = frame.shown
            ground, moving = self._figure.layers(
                frame.predicted,
                shown.measured,
                ratios(shown),
                at=frame.point[self.lab.axis],
                stale=bool(frame.moved),
                prediction=self.prediction,
                marks=frame.marks,
                elsewhere=self._elsewhere(frame.point),
            )
            self._frame += 1
            if ground:
                self._ground.value = ground_html(ground)
            self._moving.value = moving_html(moving, self._in_words(frame))
            self._said = html.escape(self._state(frame))
            self._twin.value = (
                f'<span class="spe-state" role="status" data-frame="{self._frame}"'
                f' style="{_TWIN_STYLE}">{self._said}</span>'
            )
            self._refresh_data(frame)

    def _simulate_anew(self) -> None:
        """Where a simulation can keep up with the sliders, its points are those of the sliders' values, whenever these
        move.

        Not before a prediction that stands on the figure is committed, or the simulation asked for by its button.
        """
        settings = {name: value for name, value in self.point.items() if name != self.lab.axis}
        if not self.lab.follows or self._recorded or settings == self._simulated or not native.available():
            return
        if self.run is None and self.prediction is not None and not self.prediction.committed:
            return
        self.cancel()  # what is being refined belongs to other settings
        self.run, self._simulated = self.lab.glimpse(self.point), settings
        reveal(self.run, self.lab)

    def _state(self, frame: Frame) -> str:
        """The sliders, the model's answer at the marker, and how the measurement compares; a screen reader's view of a
        frame.
        """
        lab, point, shown = self.lab, frame.point, frame.shown
        moved = {name for name, value in point.items() if value != lab.sliders[name].default}
        said = [
            f"{name} {self._rendered(name, value)}"
            for name, value in point.items()
            if lab.sliders[name].measured or name in moved
        ]
        said += [f"predicted {curve.name} {units.render(curve.values[0], curve.unit)}" for curve in frame.here]
        if shown.comparison:
            kind = shown.measured[0].source
            error = shown.comparison.median_relative_error
            apart = (
                f"median error {error:.0%}, " if math.isfinite(error) else ""
            )  # where there is no model to compare with
            said.append(f"{kind}: {apart}{shown.kept} of {shown.tried} samples clean")
        said += [
            f"{name} at {units.render(place, lab.sliders[lab.axis].unit)}"
            for name, place in frame.marks.items()
            if math.isfinite(place)
        ]
        for name, value in frame.moved.items():
            said.append(f"points were {frame.run.measured[0].source} at {name} {self._rendered(name, value)}")
        said += [f"beside: {self._beside.chosen.said}"] if self._beside.chosen else []
        return " · ".join([*said, *shown.notes])

    def _rendered(self, name: str, value: Value) -> str:
        return value if isinstance(value, str) else units.render(value, self.lab.sliders[name].unit)

    def _fold_opened(self, _: Any) -> None:
        if self._unfolded(self._beside.page):
            self._beside.look_up()
        with TURN:
            self._refresh_data(self._look())

    def _unfolded(self, part: widgets.Widget) -> bool:
        index = self._folds.selected_index
        return index is not None and self._folds.children[index] is part

    def _refresh_data(self, frame: Frame) -> None:
        if self._unfolded(self._data):
            png = self._figure.picture("png") if self.run is not None else None
            self._data.value = downloads.content(self.lab, frame.shown, frame.point, png)

    def _say(self, text: str) -> None:
        self._status.value = html.escape(text)

    # ---- measuring
    # -----------------------------------------------------------------------------------------------------

    @property
    def measuring(self) -> bool:
        return not self._ended.is_set()

    def show_recorded(self) -> None:
        """Shows the data that ship with the workbook, at once: a lecture's way out when the machine at hand will not
        measure.

        `measured()` then gives these, too, until the next measurement is started.
        """
        with TURN:
            self.cancel()
            self._recorded, recorded = True, self.lab.recorded()
            missing = "" if native.available() else f"{native.NO_COMPILER}. "
            if recorded:
                self.run = recorded
                self._say(f"{missing}Shown: data recorded on {recorded.machine['facts']['cpu']}.")
            else:
                self._say(f"{missing}There are no recorded data for this lab.")
            self._refresh()

    def _toggle(self) -> None:
        if self.measuring:
            self.cancel()
        else:
            self._start(_SETTLED_S)

    def start(self) -> None:
        """Measures at the sliders' values, in a thread; the page stays alive."""
        if self._cancel.is_set():
            self._ended.wait(1)  # what is being cancelled
        self._start()

    def _start(self, wait_s: float = 0) -> None:
        with TURN:
            if self.measuring:
                return
            self._cancel, self._recorded = Cancel(), False
            self._simulated = {name: value for name, value in self.point.items() if name != self.lab.axis}
            self._ended.clear()
            self._thread = threading.Thread(
                target=self._measure,
                args=(self.point, self._cancel, wait_s),
                daemon=True,
                name=f"measure {self.lab.id}",
            )
            cancel_on_interrupt(self._cancel, self._loop)
            self._thread.start()

    def cancel(self) -> None:
        """Ends a running measurement within 0.2 s; what it has found so far stays."""
        self._cancel.set()

    def _rest(self) -> None:
        """Nobody sees the page any more."""
        self.cancel()
        self._ended.wait(1)

    def measured(self) -> Run:
        """The measured run behind the figure: of the measurement that is running, or of the last one, or of a new one.

        Waits for it. Ctrl-C and the stop button end the waiting and the measurement.
        """
        if (
            not self.measuring
            and not self._recorded
            and (self.run is None or self.run.measured[0].source == "recorded")
        ):
            self.start()
        try:
            while not self._ended.wait(0.1):
                pass
        except KeyboardInterrupt:
            self.cancel()
            raise
        if self.run is None:
            raise SpeLabError(f"there is no measurement: {html.unescape(self._status.value)}")
        return self.run

    def _measure(self, point: dict[str, Value], cancel: Cancel, wait_s: float) -> None:
        self._measure_button.description, self._measure_button.icon = "Cancel", "stop"
        self._progress.value, self._progress.layout.display = 0, None
        self._say("preparing …")
        if wait_s:
            time.sleep(wait_s)
            with TURN:
                point = self.point
        held, shown = (
            None,
            -math.inf,
            # points that wait for a slider to rest, as drawing them would keep its frames waiting; when the last ones
            # came
        )
        try:
            for number, (progress, run) in enumerate(self.lab.runs(point, cancel=cancel)):
                with TURN:
                    if self._gone_on(cancel):
                        break
                    if number == 0:
                        reveal(run, self.lab)
                    self._progress.value = progress
                    self._say(
                        f"{'simulating' if self.lab.simulated else 'measuring'}: {run.kept} of {run.tried} samples"
                        " clean"
                    )
                    now = time.monotonic()
                    if number and now - self._moved < _REST_S and now - shown < _HELD_BACK_S:
                        held = run
                    else:
                        self.run, held, shown = run, None, now
                        self._refresh()
            with TURN:
                if self._recorded:
                    return
                if held is not None and not self._gone_on(cancel):
                    self.run = held
                    self._refresh()
                ended = (
                    f"{'cancelled after' if cancel.is_set() else f'{self.run.measured[0].source}:'} {self.run.kept}"
                    f" clean samples of {self.run.tried}"
                )
                predicted = self.prediction is not None and self.prediction.committed and not cancel.is_set()
                self._say(f"{ended}. {self.prediction.score(self.run)}" if predicted else ended)
        except UnavailableError as error:
            self.run = self.run or self.lab.recorded()
            self._say(str(error))
            self._refresh()
        except SpeLabError as error:
            self._say(str(error))
        except Exception as error:  # a defect of ours: shown where the reader looks, and raised for the log
            self._say(f"the measurement failed: {error!r}")
            raise
        finally:
            self._measure_button.description, self._measure_button.icon = self._verb, "play"
            self._progress.layout.display = "none"
            collect_left()
            return_freed()
            self._ended.set()

    def _gone_on(self, cancel: Cancel) -> bool:
        """Whether the figure shows other points than those of the measurement that this has ended: a new simulation, or
        recorded data.
        """
        return cancel.is_set() and (self.lab.follows or self._recorded)
