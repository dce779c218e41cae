"""The explorer: one lab as a page of sliders, a figure and a measurement that runs beside the kernel thread."""

import html
import math
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from spe_lab.core import mode, registry, units
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.reader.prediction import Prediction, reveal
from spe_lab.core.recording import Recording, Run
from spe_lab.core.slider import Value
from spe_lab.core.text import Text
from spe_lab.ui import controls, downloads
from spe_lab.ui.background import Background
from spe_lab.ui.explorer_parts import Moves, Parts
from spe_lab.ui.figure import LabFigure, collect_left
from spe_lab.ui.frame import Frame
from spe_lab.ui.heap import return_freed
from spe_lab.ui.interrupt import main_loop
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN, Overtaken
from spe_lab.ui.plates import explorer_plates
from spe_lab.ui.static import alt_text, dense, figure_html, ground_html, lab_of, moving_html, ratios

_TWIN_STYLE = "font-size: 0.9em; color: var(--jp-ui-font-color1, inherit)"
_REST_S, _HELD_BACK_S = 0.3, 3.0  # a slider that did not move for so long rests; points wait no longer for that
_SETTLED_S = 0.2  # after a press, until the sliders' last values are here: it overtakes them (ui/page_lock.py)
_IDLE = "Move the sliders: the model follows. Press {} to ask the machine."


class Shows(Enum):
    """Where the points on the figure come from; the next one takes their place."""

    OWN = "this machine"  # measured, simulated, or none yet
    RECORDED = "recorded"  # asked for: nothing takes their place until a measurement is started


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

    `fitted` is what the figure shows of the machine, a recording with its fit, swapped as one: measured here, recorded
    elsewhere where this machine has no compiler, or none. Its points keep the settings that they were measured at, and
    fade when the sliders leave those. A live lab is simulated again at each move instead.
    """

    def __init__(
        self, lab: Lab, prediction: Prediction | None = None, settings: Mapping[str, Value] | None = None
    ) -> None:
        self.lab = lab
        self.prediction = prediction
        self.fitted = lab.fitted()
        self.verb = "Simulate" if lab.simulated else "Measure"
        self.figure = LabFigure(lab, form="webp")
        self._work = Background(f"measure {lab.id}", main_loop())  # explorers are made by cells, in the main thread
        self._shows = Shows.OWN
        self._frames = 0
        self._moved = -math.inf  # when a slider last did
        self._asked: Mapping[str, Value] = {}  # by the last preset
        self._overtaken = Overtaken()
        self._simulated: dict[str, Value] | None = None  # settings of a live lab's last simulation, without the axis
        self._follow = True
        self._x = lab.x()
        self._axis = dense(lab, self._x)
        moves = Moves(
            self._slider_moved, self._preset, self._overlay_changed, self._toggle, self.show_recorded, self._fold_opened
        )
        self.parts = Parts(lab, lab.point(settings), self.verb, moves)
        self.sliders, self.presets = self.parts.sliders, self.parts.presets
        self.parts.status.value = _IDLE.format(self.verb)
        self.page = page_of(self, self.parts.box, self._rest)
        if mode.building_book() or not native.available():
            self.show_recorded()
        else:
            self.refresh()

    # What stands on the page

    @property
    def recording(self) -> Recording | None:
        """What the figure shows of a machine: measured, simulated or recorded."""
        return self.fitted.recording

    @property
    def run(self) -> Run | None:
        """The recording with predictions at its settings; None while there is none."""
        return self.lab.joined(self.fitted) if self.recording else None

    @property
    def fit(self) -> Any:
        """The fit to it; to the shipped recording while nothing is measured."""
        return self.fitted.fit

    @property
    def point(self) -> dict[str, Value]:
        """The sliders' values."""
        return {name: self.lab.sliders[name].checked(widget.value) for name, widget in self.sliders.items()}

    @property
    def frame(self) -> Frame:
        """What the figure shows now."""
        return Frame(self.lab, self.point, self._x, self._axis, self.fitted)

    @property
    def marks(self) -> Mapping[str, float]:
        """The places that the figure marks, by name."""
        return self.frame.marks

    @property
    def status(self) -> str:
        """What the line beside the button says."""
        return html.unescape(self.parts.status.value)

    @property
    def text(self) -> Text:
        """The figure in words."""
        return Text(self._in_words(self.frame))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The page where a kernel is behind it; elsewhere the picture with its alternative text, or that text."""
        if mode.building_book():
            return {"text/html": explorer_plates(self), "text/plain": self.text}, {}
        return bundle(self.page, kwargs, html=self.html(), text=self.text)

    def html(self, before: str = "") -> str:
        """The last frame as one picture, with `before` and its text for readers who cannot see the figure."""
        with TURN:
            return figure_html(self.figure.picture("webp"), f"{before}{self.text}")

    def _in_words(self, frame: Frame) -> str:
        sketch = self.prediction.drawn if self.prediction is not None else None
        words = alt_text(self.lab, frame.shown, self._elsewhere(frame.point), frame.marks)
        return " ".join([words, *([f"{sketch.said[0].upper()}{sketch.said[1:]}."] if sketch else [])])

    # Moves

    def set(self, **values: Value) -> "Explorer":
        """Moves sliders, as a reader would."""
        self.move({name: self.lab.slider(name).checked(value) for name, value in values.items()})
        return self

    def move(self, values: Mapping[str, Value]) -> None:
        """Move sliders to these checked values, in one frame."""
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
            self.figure.refit()
            self.refresh()

    def _preset(self, values: Mapping[str, Value]) -> None:
        self.move(values)
        self._asked = values
        self._overtaken.pressed()

    def overlay(self, run: Recording | Path | str) -> "Explorer":
        """Draws the measured curves of a run of this lab, or of a file that holds one, beside the figure's own: as
        recorded ones, with their machine's name.
        """
        self.parts.beside.add(run)
        return self

    def _overlay_changed(self) -> None:
        with TURN:
            self.figure.refit()
            self._answer()

    def _elsewhere(self, point: Mapping[str, Value]) -> Sequence[Curve]:
        chosen = self.parts.beside.chosen
        return chosen.curves(point, self._axis) if chosen else ()

    def _slider_moved(self, name: str) -> None:
        if not self._follow:
            return
        if self._overtaken.by_press(name):
            self.move({name: self._asked[name]})
            return
        self._moved = time.monotonic()
        self._answer()

    def _answer(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # a defect of ours: shown where the reader looks, and raised for the log
            self._say(f"this point cannot be shown: {error}")
            raise

    def refresh(self) -> None:
        """Show a frame: prediction at the sliders' values, measured points, marker, and the same in words."""
        with TURN:
            point = self.point
            self._simulate_again(point)
            frame = Frame(self.lab, point, self._x, self._axis, self.fitted)
            shown, elsewhere = frame.shown, self._elsewhere(point)
            ground, moving = self.figure.layers(
                frame.predicted,
                shown.measured,
                ratios(shown),
                at=point[self.lab.axis],
                stale=bool(frame.moved),
                prediction=self.prediction,
                marks=frame.marks,
                elsewhere=elsewhere,
            )
            self._frames += 1
            if ground:
                self.parts.ground.value = ground_html(ground)
            self.parts.moving.value = moving_html(moving, self._in_words(frame))
            words = f'<span class="spe-state" role="status" data-frame="{self._frames}" style="{_TWIN_STYLE}">'
            self.parts.twin.value = f"{words}{self.in_state(frame)}</span>"
            self._refresh_data(frame)

    def _simulate_again(self, point: Mapping[str, Value]) -> None:
        """Simulate a live lab at the sliders' values, whenever these have moved.

        Not before a prediction that stands on the figure is committed, or the simulation asked for by its button.
        """
        settings = {name: value for name, value in point.items() if name != self.lab.axis}
        recorded = self._shows is Shows.RECORDED
        if not self.lab.live or recorded or settings == self._simulated or not native.available():
            return
        if self.recording is None and self.prediction is not None and not self.prediction.committed:
            return
        self.cancel()  # what is being refined belongs to other settings
        self.fitted, self._simulated = self.lab.fitted(self.lab.first_answer(point)), settings
        reveal(self.recording, self.lab)

    def in_state(self, frame: Frame | None = None) -> str:
        """The sliders, the model's answer at the marker, and how the measurement compares, as markup."""
        frame = frame or self.frame
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
            )  # there may be no model to compare with
            said.append(f"{kind}: {apart}{shown.kept} of {shown.tried} samples clean")
        unit = lab.sliders[lab.axis].unit
        said += [
            f"{name} at {units.render(place, unit)}" for name, place in frame.marks.items() if math.isfinite(place)
        ]
        for name, value in frame.moved.items():
            said.append(f"points were {frame.recording.measured[0].source} at {name} {self._rendered(name, value)}")
        said += [f"beside: {self.parts.beside.chosen.said}"] if self.parts.beside.chosen else []
        return html.escape(" · ".join([*said, *shown.notes]))

    def _rendered(self, name: str, value: Value) -> str:
        return value if isinstance(value, str) else units.render(value, self.lab.sliders[name].unit)

    def _fold_opened(self) -> None:
        if self.parts.unfolded(self.parts.beside.page):
            self.parts.beside.look_up()
        with TURN:
            self._refresh_data(self.frame)

    def _refresh_data(self, frame: Frame) -> None:
        if self.parts.unfolded(self.parts.data):
            png = self.figure.picture("png") if self.recording is not None else None
            self.parts.data.value = downloads.content(self.lab, frame.shown, frame.point, png)

    def _say(self, text: str) -> None:
        self.parts.status.value = html.escape(text)

    # Measuring

    @property
    def measuring(self) -> bool:
        return self._work.running

    def show_recorded(self) -> None:
        """Shows the data that ship with the workbook, at once: a lecture's way out when the machine at hand will not
        measure.

        `measured()` then gives these, too, until the next measurement is started.
        """
        with TURN:
            self.cancel()
            self._shows, recorded = Shows.RECORDED, self.lab.recorded()
            missing = "" if native.available() else f"{native.NO_COMPILER}. "
            if recorded:
                self.fitted = self.lab.fitted(recorded)
                self._say(f"{missing}Shown: data recorded on {recorded.machine['facts']['cpu']}.")
            else:
                self._say(f"{missing}There are no recorded data for this lab.")
            self.refresh()

    def _toggle(self) -> None:
        if self.measuring:
            self.cancel()
        else:
            self._start(_SETTLED_S)

    def start(self) -> None:
        """Measures at the sliders' values, in a thread; the page stays alive."""
        if self._work.cancelled.is_set():
            self._work.wait(1)  # for what is being cancelled
        self._start()

    def _start(self, wait_s: float = 0) -> None:
        with TURN:
            if self.measuring:
                return
            point, self._shows = self.point, Shows.OWN
            self._simulated = {name: value for name, value in point.items() if name != self.lab.axis}
            self._work.start(lambda cancel: self._measure(point, cancel, wait_s))

    def cancel(self) -> None:
        """Ends a running measurement within 0.2 s; what it has found so far stays."""
        self._work.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until no measurement runs; True if none does."""
        return self._work.wait(timeout_s)

    def _rest(self) -> None:
        """Nobody sees the page any more."""
        self.cancel()
        self.wait(1)

    def measured(self) -> Run:
        """The measured run behind the figure: of the measurement that is running, or of the last one, or of a new one.

        Waits for it. Ctrl-C and the stop button end the waiting and the measurement.
        """
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
            if self.recording is None and (recorded := self.lab.recorded()):
                self.fitted = self.lab.fitted(recorded)
            self._say(str(error))
            self.refresh()
        except SpeLabError as error:
            self._say(str(error))
        except Exception as error:  # a defect of ours: shown where the reader looks, and raised for the log
            self._say(f"the measurement failed: {error!r}")
            raise
        finally:
            self.parts.show_measuring(False, self.verb)
            collect_left()
            return_freed()

    def _refine(self, point: Mapping[str, Value], cancel: Cancel) -> Recording | None:
        """Show better and better points; return the last ones if they wait for a slider to rest, as drawing them would
        keep its frames waiting.
        """
        held, shown = None, -math.inf
        for number, (progress, recording) in enumerate(self.lab.recordings(point, refine=True, cancel=cancel)):
            with TURN:
                if self._replaced(cancel):
                    break
                if number == 0:
                    reveal(recording, self.lab)
                self.parts.progress.value = progress
                doing = "simulating" if self.lab.simulated else "measuring"
                self._say(f"{doing}: {recording.kept} of {recording.tried} samples clean")
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
        ended = f"{how} {recording.kept} clean samples of {recording.tried}"
        predicted = self.prediction is not None and self.prediction.committed and not cancel.is_set()
        return f"{ended}. {self.prediction.score(recording)}" if predicted else ended

    def _replaced(self, cancel: Cancel) -> bool:
        """True if newer points or recorded data have replaced those of this measurement, which was cancelled."""
        return cancel.is_set() and (self.lab.live or self._shows is Shows.RECORDED)
