"""The explorer: a page for one lab, with sliders, a figure, and a measurement in a background thread."""

import html
import math
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from spe_lab.core import machine as machines
from spe_lab.core import mode, registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.reader.prediction import Prediction, reveal
from spe_lab.core.reader.waiting import Waiting
from spe_lab.core.recording import Recording, Run
from spe_lab.core.slider import Value
from spe_lab.core.text import Text
from spe_lab.ui import calibrator, controls, downloads, legend
from spe_lab.ui.background import Background
from spe_lab.ui.explorer_parts import Moves, Parts
from spe_lab.ui.figure import LabFigure, collect_left
from spe_lab.ui.frame import Frame
from spe_lab.ui.gate import Gate
from spe_lab.ui.heap import return_freed
from spe_lab.ui.interrupt import main_loop
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN, Overtaken
from spe_lab.ui.plates import explorer_plates
from spe_lab.ui.static import alt_text, compared, dense, figure_html, ground_html, lab_of, moving_html, ratios

_REST_S = 0.3  # without a move for so long, a slider rests
_HELD_BACK_S = 3.0  # new points wait at most so long for a slider to rest
_SETTLED_S = 0.2  # after a press, which overtakes the sliders' last values (ui/page_lock.py), until they arrive
_IDLE = "Move a slider: the model follows. Press {} to run it on this machine."
_LIVE = "simulated again at each move. Press Simulate for narrower intervals."
_CALIBRATED = "calibrated: the model uses this machine's values."


class Shows(Enum):
    """The origin of the points on the figure."""

    OWN = "this machine"  # measured, simulated, or none yet
    RECORDED = "recorded"  # on the reader's request: they stay until a measurement is started


def explore(
    lab: str | Lab, prediction: Prediction | None = None, machine: Machine | None = None, **settings: Value
) -> "Explorer":
    """Return a page for a lab (its id or an object) with sliders at `settings`, beside `prediction`."""
    lab = lab if isinstance(lab, Lab) else registry.get(lab, machine)
    if mode.building_book() and machine is None and (recorded := lab.recorded()):
        lab = lab_of(recorded)  # the model of the machine that recorded the data
    return Explorer(lab, prediction, settings)


class Explorer:
    """A page for one lab. Sliders move the model at once; a measurement refines its points in a thread.

    `fitted` is the recording on the figure with its fit, always replaced as a pair. It was measured here, or recorded
    elsewhere if this machine has no compiler, or it is empty. Its points keep their settings, and fade when the sliders
    leave these. A live lab is simulated again at each move instead.

    While the prediction is open, the page shows the model alone, without the curves that come from a measurement.
    `measured()`, `run`, `fit` and `marks` wait.
    """

    def __init__(
        self, lab: Lab, prediction: Prediction | None = None, settings: Mapping[str, Value] | None = None
    ) -> None:
        self.lab = lab
        self.prediction = prediction
        self.gate = Gate(prediction, self._answered)
        self.fitted = lab.fitted()
        self.verb = "Simulate" if lab.simulated else "Measure"
        self.figure = LabFigure(lab, form="webp")
        self._work = Background(f"measure {lab.id}", main_loop())  # cells make explorers, in the main thread
        self._shows = Shows.OWN
        self._frames = 0
        self._moved = -math.inf  # time of the last slider move
        self._preset_values: Mapping[str, Value] = {}  # of the last preset
        self._overtaken = Overtaken()
        self._simulated: dict[str, Value] | None = None  # settings of a live lab's last simulation, without the axis
        self._follow = True
        self._x = lab.x()
        self._axis = dense(lab, self._x)
        moves = Moves(
            self._slider_moved,
            self._preset,
            self._overlay_changed,
            self._toggle,
            self.show_recorded,
            self._fold_opened,
            self._calibrated,
        )
        self.parts = Parts(lab, lab.point(settings), self.verb, moves)
        self.sliders, self.presets = self.parts.sliders, self.parts.presets
        self.parts.status.value = _IDLE.format(self.verb)
        self.page = page_of(self, self.parts.box, self._rest)
        self._begin()

    # An open prediction

    def _begin(self) -> None:
        """Show the first frame: the model alone, or with recorded data where nothing can be measured."""
        self.presets.hold(self.gate.closed)
        if self.gate.closed:
            self._say(self.gate.advice)
            self.refresh()
        elif mode.building_book() or not native.available():
            self.show_recorded()
        else:
            self.refresh()

    def _answered(self) -> None:
        """The reader has committed or skipped: show what was held back."""
        with TURN:
            if self.page.comm is None:  # its cell has run again
                return
            self.presets.hold(self.gate.closed)
            if self.recording is None:
                self._say(_IDLE.format(self.verb))
                self._begin()
            else:
                self._answer()

    # Content of the page

    @property
    def recording(self) -> Recording | None:
        """The recording on the figure: measured, simulated or recorded elsewhere."""
        return self.fitted.recording

    @property
    def run(self) -> Run | Waiting | None:
        """The recording with predictions at its settings; None while there is none."""
        if self.gate.closed:
            return self.gate.waiting
        return self.lab.joined(self.fitted) if self.recording else None

    @property
    def fit(self) -> Any:
        """The fit to the recording; without one, to the shipped recording."""
        return self.gate.waiting if self.gate.closed else self.fitted.fit

    @property
    def point(self) -> dict[str, Value]:
        """The sliders' values."""
        return {name: self.lab.sliders[name].checked(widget.value) for name, widget in self.sliders.items()}

    @property
    def frame(self) -> Frame:
        """The frame at the sliders' present values."""
        return self._frame(self.point)

    def _frame(self, point: dict[str, Value]) -> Frame:
        closed = self.gate.closed
        model = not (closed and self.lab.exact)
        return Frame(self.lab, point, self._x, self._axis, self.fitted, model, not closed)

    @property
    def marks(self) -> Mapping[str, float] | Waiting:
        """The marked places on the axis, by name."""
        return self.gate.waiting if self.gate.closed else self.frame.marks

    @property
    def status(self) -> str:
        """The text beside the button."""
        return html.unescape(self.parts.status.value)

    @property
    def text(self) -> Text:
        """The figure in words."""
        return Text(self._in_words(self.frame))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the page for a live kernel, and a picture with alternative text for other places."""
        if mode.building_book():
            return {"text/html": explorer_plates(self), "text/plain": self.text}, {}
        return bundle(self.page, kwargs, html=self.html(), text=self.text)

    def html(self, before: str = "") -> str:
        """Return the last frame as one picture; its alternative text is `before` and the figure in words."""
        with TURN:
            return figure_html(self.figure.picture("webp"), f"{before}{self.text}")

    def _in_words(self, frame: Frame) -> str:
        sketch = self.prediction.drawn if self.prediction is not None else None
        words = alt_text(self.lab, frame.shown, self._elsewhere(frame.point), self.gate.marks(frame.marks))
        return " ".join([words, *([f"{sketch.said[0].upper()}{sketch.said[1:]}."] if sketch else [])])

    # Moves

    def set(self, **values: Value) -> "Explorer":
        """Move sliders to these values, validated."""
        self.move({name: self.lab.slider(name).checked(value) for name, value in values.items()})
        return self

    def move(self, values: Mapping[str, Value]) -> None:
        """Move sliders to these checked values, in one frame."""
        with TURN:
            self._follow = False  # one frame for all of them
            try:
                for name, value in values.items():
                    widget, slider = self.sliders[name], self.lab.sliders[name]
                    if isinstance(widget, widgets.SelectionSlider) and value not in dict(widget.options).values():
                        widget.options = controls.options(slider, value)
                    widget.value = value
            finally:
                self._follow = True
            self.figure.refit()
            self.refresh()

    def _preset(self, values: Mapping[str, Value]) -> None:
        self.move(values)
        self._preset_values = values
        self._overtaken.pressed()

    def overlay(self, run: Recording | Path | str) -> "Explorer":
        """Draw the measured curves of another run of this lab, or of its file, with its machine's name."""
        self.parts.beside.add(run)
        return self

    def _overlay_changed(self) -> None:
        with TURN:
            if self.gate.closed:
                self._say(self.gate.advice)
            self.figure.refit()
            self._answer()

    def _elsewhere(self, point: Mapping[str, Value]) -> Sequence[Curve]:
        chosen = self.parts.beside.chosen
        return self.gate.elsewhere(chosen.curves(point, self._axis)) if chosen else ()

    def _slider_moved(self, name: str) -> None:
        if not self._follow:
            return
        if self._overtaken.by_press(name):
            self.move({name: self._preset_values[name]})
            return
        self._moved = time.monotonic()
        self._answer()

    def _answer(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # a defect of ours: shown on the page, and raised for the log
            self._say(f"this point cannot be shown: {error}")
            raise

    def refresh(self) -> None:
        """Show a frame: prediction at the sliders' values, measured points, marker, and words."""
        with TURN:
            point = self.point
            self._simulate_again(point)
            frame = self._frame(point)
            shown, elsewhere = frame.shown, self._elsewhere(point)
            ground, moving = self.figure.layers(
                frame.predicted,
                shown.measured,
                ratios(shown),
                at=point[self.lab.axis],
                stale=bool(frame.moved),
                prediction=self.prediction,
                marks=self.gate.marks(frame.marks),
                elsewhere=elsewhere,
            )
            self._frames += 1
            if ground:
                self.parts.ground.value = ground_html(ground)
            self.parts.moving.value = moving_html(moving, self._in_words(frame))
            words = f'<span class="spe-state" role="status" data-frame="{self._frames}">{self.in_state(frame)}</span>'
            self.parts.twin.value = f"{self._values(frame, elsewhere)}{words}"
            self._refresh_data(frame)

    def _simulate_again(self, point: Mapping[str, Value]) -> None:
        """Simulate a live lab again if its sliders have moved, unless an open prediction waits."""
        settings = {name: value for name, value in point.items() if name != self.lab.axis}
        recorded = self._shows is Shows.RECORDED
        if not self.lab.live or recorded or settings == self._simulated or not native.available():
            return
        if self.gate.closed:
            return
        self.cancel()  # the running refinement is for other settings
        self._simulated = settings
        try:
            self.fitted = self.lab.fitted(self.lab.first_answer(point))
        except UnavailableError as error:  # there is a compiler, and it does not compile the kernels
            self._fall_back(error)
            return
        self._say(_LIVE)
        reveal(self.recording, self.lab)

    def _fall_back(self, error: UnavailableError) -> None:
        """Take the recorded data, unless there are points, and say why."""
        if self.recording is None and (recorded := self.lab.recorded()):
            self.fitted = self.lab.fitted(recorded)
        self._say(str(error))

    def _values(self, frame: Frame, elsewhere: Sequence[Curve]) -> str:
        """Return the values at the marker as a table, and below it the model's error and remarks."""
        at, stale = frame.point[self.lab.axis], bool(frame.moved)
        rows = legend.rows(
            self.lab,
            frame.predicted,
            frame.shown.measured,
            at=at,
            stale=stale,
            prediction=self.prediction,
            marks=self.gate.marks(frame.marks),
            elsewhere=elsewhere,
        )
        said = [
            text for text in (compared(self.lab, frame.shown), *self._moved_since(frame), *frame.shown.notes) if text
        ]
        below = f'<p class="spe-said">{html.escape("; ".join(said), quote=False)}</p>' if said else ""
        return legend.table(self.lab, rows, at) + below

    def _moved_since(self, frame: Frame) -> list[str]:
        """Return the settings of the points that are not the sliders' settings any more."""
        sliders = self.lab.sliders
        return [
            f"points were {frame.recording.measured[0].source} at {controls.plain(sliders[name])}"
            f" {sliders[name].rendered(value)}"
            for name, value in frame.moved.items()
        ]

    def in_state(self, frame: Frame | None = None) -> str:
        """Return the sliders, the model's values at the marker, and the model's error, as markup."""
        frame = frame or self.frame
        sliders, point, shown = self.lab.sliders, frame.point, frame.shown
        named = (name for name in point if sliders[name].measured or point[name] != sliders[name].default)
        words = [f"{controls.plain(sliders[name])} {sliders[name].rendered(point[name])}" for name in named]
        words += [f"predicted {curve.name} {self.lab.rendered(curve.values[0])}" for curve in frame.here]
        if shown.comparison:
            error = shown.comparison.said(sliders[self.lab.axis].rendered, shown.x)  # a model may have no value here
            error = f"{error.replace('median', 'median error', 1)}, " if error else ""
            words.append(f"{shown.measured[0].source}: {error}{shown.kept} of {shown.tried} samples clean")
        marks = {name: place for name, place in self.gate.marks(frame.marks).items() if math.isfinite(place)}
        words += [f"{name} at {sliders[self.lab.axis].rendered(place)}" for name, place in marks.items()]
        words += self._moved_since(frame)
        words += [f"beside: {self.parts.beside.chosen.said}"] if self.parts.beside.chosen else []
        return html.escape(" · ".join([*words, *shown.notes]))

    def _fold_opened(self) -> None:
        if self.parts.unfolded(self.parts.beside.page):
            self.parts.beside.look_up()
        with TURN:
            self._refresh_data(self.frame)

    def _refresh_data(self, frame: Frame) -> None:
        if self.parts.unfolded(self.parts.data):
            png = self.figure.picture("png") if self.recording is not None else None
            self.parts.data.value = downloads.content(self.lab, frame.shown, frame.point, png)

    def _calibrated(self) -> None:
        """Take the new profile: sliders that the reader has not moved get this machine's values."""
        self.cancel()
        lab, former, point = self.lab.on(machines.current()), self.lab, self.point
        untouched = [name for name, value in point.items() if value == former.sliders[name].default]
        self.lab = self.figure.lab = lab
        self.presets.lab = lab
        self._x, self.fitted = lab.x(), lab.fitted(self.recording)
        self._axis = dense(lab, self._x)
        with TURN:
            self._follow = False
            try:
                for name, slider in lab.sliders.items():
                    value = (
                        slider.default
                        if name in untouched
                        else slider.rounded(point[name])
                        if slider.scale != "choice"
                        else point[name]
                    )
                    controls.fit(self.sliders[name], slider, value)
            finally:
                self._follow = True
            self.parts.describe(lab)
            self.figure.refit()
            self.refresh()
            self._say(_CALIBRATED)

    def _say(self, text: str) -> None:
        self.parts.status.value = html.escape(text)

    # Measuring

    @property
    def measuring(self) -> bool:
        return self._work.running

    def show_recorded(self) -> None:
        """Show the data that ship with the workbook, for example in a lecture if the machine cannot measure.

        `measured()` returns them too, until the next measurement is started.
        """
        with TURN:
            if self.gate.closed:
                self._say(self.gate.advice)
                return
            self.cancel()
            self._shows, recorded = Shows.RECORDED, self.lab.recorded()
            missing = f"{lacking}. " if (lacking := native.missing()) else ""
            if recorded:
                self.fitted = self.lab.fitted(recorded)
                self._say(f"{missing}Shown: data recorded on {recorded.machine['facts']['cpu']}.")
            else:
                self._say(f"{missing}There are no recorded data for this lab.")
            self.refresh()

    def _toggle(self) -> None:
        if self.measuring:
            self.cancel()
        elif calibrator.shared().running:
            self._say(calibrator.BUSY)
        else:
            self._start(_SETTLED_S)

    def start(self) -> None:
        """Measure at the sliders' values, in a background thread."""
        if self._work.cancelled.is_set():
            self._work.wait(1)  # until the cancelled measurement has ended
        self._start()

    def _start(self, wait_s: float = 0) -> None:
        with TURN:
            if self.gate.closed:
                self._say(self.gate.advice)
                return
            if self.measuring:
                return
            point, self._shows = self.point, Shows.OWN
            self._simulated = {name: value for name, value in point.items() if name != self.lab.axis}
            self._work.start(lambda cancel: self._measure(point, cancel, wait_s))

    def cancel(self) -> None:
        """End a running measurement within 0.2 s; its points so far stay."""
        self._work.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no measurement runs; return True if none does."""
        return self._work.wait(timeout_s)

    def _rest(self) -> None:
        """End the measurement of a page that was closed."""
        self.cancel()
        self.wait(1)

    def measured(self) -> Run | Waiting:
        """Wait for the running measurement, or a new one if there are no points, and return the run.

        Ctrl-C and the stop button end the waiting and the measurement. While the prediction is open, nothing is
        measured.
        """
        if self.gate.closed:
            return self.gate.waiting
        own = self.recording is not None and self.recording.measured[0].source != "recorded"
        if not self.measuring and self._shows is Shows.OWN and not own:
            self.start()
        try:
            self.wait()
        except KeyboardInterrupt:
            self.cancel()
            raise
        if self.recording is None:
            raise SpeLabError(f"there is no measurement: {self.status}")
        return self.lab.joined(self.fitted)

    def _measure(self, point: Mapping[str, Value], cancel: Cancel, wait_s: float) -> None:
        self.parts.show_measuring(True, self.verb)
        self._say("preparing …")
        if wait_s:
            time.sleep(wait_s)
            with TURN:
                point = self.point
        try:
            held = self._refine(point, cancel)
            with TURN:
                if self._shows is Shows.RECORDED:
                    return
                if held is not None and not self._replaced(cancel):
                    self.fitted = self.lab.fitted(held)
                    self.refresh()
                self._say(self._ending(cancel))
        except UnavailableError as error:
            self._fall_back(error)
            self.refresh()
        except SpeLabError as error:
            self._say(str(error))
        except Exception as error:  # a defect of ours: shown on the page, and raised for the log
            self._say(f"the measurement failed: {error!r}")
            raise
        finally:
            self.parts.show_measuring(False, self.verb)
            collect_left()
            return_freed()

    def _refine(self, point: Mapping[str, Value], cancel: Cancel) -> Recording | None:
        """Show points as they are refined; return the last ones if they were not drawn because a slider moved."""
        held, shown = None, -math.inf
        for number, (progress, recording) in enumerate(self.lab.recordings(point, refine=True, cancel=cancel)):
            with TURN:
                if self._replaced(cancel):
                    break
                if number == 0:
                    reveal(recording, self.lab)
                self.parts.progress.value = progress
                doing = "simulating" if self.lab.simulated else "measuring"
                self._say(f"{doing}: {recording.kept:,} of {recording.tried:,} samples clean")
                now = time.monotonic()
                if number and now - self._moved < _REST_S and now - shown < _HELD_BACK_S:
                    held = recording
                else:
                    self.fitted, held, shown = self.lab.fitted(recording), None, now
                    self.refresh()
        return held

    def _ending(self, cancel: Cancel) -> str:
        recording = self.recording
        how = "cancelled after" if cancel.is_set() else f"{recording.measured[0].source}:"
        kept, tried = recording.kept, recording.tried
        ended = f"{how} {tried:,} samples" if kept == tried else f"{how} {kept:,} clean samples of {tried:,}"
        predicted = self.prediction is not None and self.prediction.committed and not cancel.is_set()
        return f"{ended}. {self.prediction.score(recording)}" if predicted else ended

    def _replaced(self, cancel: Cancel) -> bool:
        """True if newer points or recorded data have replaced those of this measurement, which was cancelled."""
        return cancel.is_set() and (self.lab.live or self._shows is Shows.RECORDED)
