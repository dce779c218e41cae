"""The calibration of this machine from a page: one for all pages, with progress and cancel.

A kernel has one `CALIBRATION`. Each page with a button for it listens: the calibrator of chapter 00, and explorers
whose models assume what a calibration measures. At its end the explorers take the new profile.
"""

import html
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol
from weakref import WeakSet

import ipywidgets as widgets

from spe_lab.core import machine as machines
from spe_lab.core import mode
from spe_lab.core.c import native
from spe_lab.core.calibration import calibration
from spe_lab.core.calibration.assumptions import assumed_sliders
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Parameter, words
from spe_lab.ui.background import Background
from spe_lab.ui.interrupt import main_loop
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN

BUSY = "this machine is being calibrated; measure when the calibration has ended"


class Listener(Protocol):
    """A page that shows the calibration."""

    def calibration_moved(self) -> None:
        """Show the progress."""

    def calibration_ended(self, profile: bool) -> None:
        """Show how the calibration ended; `profile`: True if there is a new profile."""


class SharedCalibration:
    """The calibration that runs or ran last; `progress` is a share, `status` a sentence.

    `listeners` does not keep a page alive. They are called under the lock of all pages.
    """

    def __init__(self) -> None:
        self.listeners: WeakSet[Listener] = WeakSet()
        self.progress, self.status = 0.0, ""
        self._work = Background("calibrate", main_loop())

    @property
    def running(self) -> bool:
        return self._work.running

    def start(self) -> None:
        """Calibrate in a background thread, unless that runs already."""
        if not self.running:
            self._work.start(self._calibrate)

    def cancel(self) -> None:
        self._work.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._work.wait(timeout_s)

    def _calibrate(self, cancel: Cancel) -> None:
        self._move(0.0, "preparing …")
        profile = False
        measured: dict[str, Parameter] = {}
        try:
            former = machines.load_own()
            machines.make_room()
            for progress, text, refined in calibration.calibrate(machines.claim(), cancel):
                measured = refined
                self._move(progress, text)
            machines.save_own(machines.profile_of(measured, former))
            profile, ended = True, "Measured and saved: the models use this machine's values."
        except SpeLabError as error:
            ended = str(error)
        except Exception as error:  # a defect of ours: shown on the page, and raised for the log
            ended = f"the calibration failed: {error!r}"
            raise
        finally:
            with TURN:
                self.status = ended
                for listener in list(self.listeners):
                    listener.calibration_ended(profile)

    def _move(self, progress: float, text: str) -> None:
        with TURN:
            self.progress, self.status = progress, text
            for listener in list(self.listeners):
                listener.calibration_moved()


@cache
def shared() -> SharedCalibration:
    """Return the calibration of all pages of this kernel."""
    return SharedCalibration()


class CalibrateButton:
    """A button that starts and cancels the calibration, with its progress and its status."""

    def __init__(self, idle: str, status: str, follow: Callable[[], None] | None = None) -> None:
        self._idle, self._follow = idle, follow
        missing = native.missing()
        self.button = widgets.Button(
            description=idle,
            icon="play",
            button_style="primary",
            disabled=bool(missing),
            tooltip=missing or "Measure this machine's parameters",
            layout=widgets.Layout(width="auto", min_width="110px"),
        )
        self.button.on_click(lambda _: shared().cancel() if shared().running else shared().start())
        self.progress = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="160px", display="none"))
        self.status = widgets.HTML()
        self.say(missing or status)
        shared().listeners.add(self)
        if shared().running:
            self.calibration_moved()

    def say(self, sentence: str) -> None:
        self.status.value = f'<span role="status">{html.escape(sentence)}</span>'

    def calibration_moved(self) -> None:
        if self.button.comm is None:  # its page was closed
            return
        self.button.description, self.button.icon = "Cancel", "stop"
        self.progress.value, self.progress.layout.display = shared().progress, None
        self.say(shared().status)

    def calibration_ended(self, profile: bool) -> None:
        if self.button.comm is None:
            return
        self.button.description, self.button.icon = self._idle, "play"
        self.progress.layout.display = "none"
        self.say(shared().status)
        if profile and self._follow is not None:
            self._follow()


class Uncalibrated:
    """The line of an explorer whose model assumes what a calibration measures; it is empty otherwise.

    `page` is the line. `follow` is called when there is a new profile, shown or not.
    """

    def __init__(self, lab: Lab, follow: Callable[[], None]) -> None:
        self.own = lab.machine.facts == machines.facts()  # not the lab of a published machine
        self._follow = follow
        self.said = widgets.HTML()
        self.calibrate = CalibrateButton("Calibrate (half a minute)", "", self._ended)
        self._row = [self.said, self.calibrate.button, self.calibrate.progress, self.calibrate.status]
        self.page = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap", align_items="center"))
        self.page.add_class("spe-uncalibrated")
        self.show(lab)

    def show(self, lab: Lab) -> None:
        """Name what the lab's model assumes; empty the line if that is nothing."""
        names = () if mode.building_book() else assumed_sliders(lab)
        labels = [lab.sliders[name].label for name in names]
        some = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
        verb = "is" if len(labels) == 1 else "are"
        self.said.value = html.escape(f"This machine is not calibrated: {some} {verb} assumed, not measured.")
        self.page.children = self._row if names else ()

    def _ended(self) -> None:
        if self.own:
            self._follow()


_FOLD = "Latencies (chapter 00 asks you to predict one of them)"


def _found() -> str:
    """Return the profile in words, as markup; empty without a profile that can be used.

    The latencies are folded, since chapter 00 asks for a prediction of one of them.
    """
    try:
        profile = machines.load_own()
    except SpeLabError:
        return ""  # the status says what is wrong with it
    if profile is None:
        return ""
    opened, folded = html.escape(words.capacities(profile)), html.escape(words.latencies(profile))
    return f"<p>{opened}</p><details><summary>{_FOLD}</summary><p>{folded}</p></details>"


class Calibrator:
    """A page for `spe-lab machine --calibrate`. The old profile stays until all parameters are measured.

    Below the button stands what the calibration found, in words.
    """

    def __init__(self) -> None:
        self._found = widgets.HTML(_found())
        self._calibrate = CalibrateButton("Calibrate", self._profile_state(), self._ended)
        row = [self._calibrate.button, self._calibrate.progress, self._calibrate.status]
        controls = widgets.HBox(row, layout=widgets.Layout(flex_flow="row wrap"))
        self.page = page_of(self, widgets.VBox([controls, self._found]), self.cancel)

    def _ended(self) -> None:
        self._found.value = _found()

    @staticmethod
    def _profile_state() -> str:
        try:
            own = machines.load_own()
        except SpeLabError as error:
            return str(error)
        missing = "No profile yet: it takes about half a minute. Close other programs first."
        return "There is a profile of this machine." if own else missing

    @property
    def calibrating(self) -> bool:
        return shared().running

    def start(self) -> None:
        shared().start()

    def cancel(self) -> None:
        shared().cancel()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return bundle(self.page, kwargs, text="A button that calibrates this machine.")
