"""A button that measures the machine's parameters and saves them, with progress and cancel."""

import html
import threading
from typing import Any

import ipywidgets as widgets

from spe_lab.core import machine as machines
from spe_lab.core.c import native
from spe_lab.core.calibration import calibration
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import words
from spe_lab.ui.interrupt import cancel_on_interrupt, main_loop
from spe_lab.ui.page import bundle, page_of

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
        self._cancel = Cancel()
        self._thread: threading.Thread | None = None
        self._loop = main_loop()
        self._button = widgets.Button(
            description="Calibrate", icon="play", button_style="primary", disabled=not native.available()
        )
        self._button.on_click(lambda _: self.cancel() if self.calibrating else self.start())
        self._progress = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="200px"))
        self._status = widgets.HTML(self._profile_state())
        self._found = widgets.HTML(_found())
        controls = widgets.HBox([self._button, self._progress, self._status])
        self.page = page_of(self, widgets.VBox([controls, self._found]), self.cancel)

    @staticmethod
    def _profile_state() -> str:
        if not native.available():
            return html.escape(native.NO_COMPILER)
        try:
            own = machines.load_own()
        except SpeLabError as error:
            return html.escape(str(error))
        missing = "No profile yet: it takes about half a minute. Close other programs first."
        return "There is a profile of this machine." if own else missing

    @property
    def calibrating(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        self._cancel = Cancel()
        cancel_on_interrupt(self._cancel, self._loop)
        self._thread = threading.Thread(target=self._calibrate, args=(self._cancel,), daemon=True, name="calibrate")
        self._thread.start()

    def cancel(self) -> None:
        self._cancel.set()

    def _calibrate(self, cancel: Cancel) -> None:
        self._button.description, self._button.icon = "Cancel", "stop"
        measured = {}
        try:
            former = machines.load_own()
            for progress, text, refined in calibration.calibrate(machines.claim(), cancel):
                self._progress.value, self._status.value, measured = progress, html.escape(text), refined
            machines.save_own(machines.profile_of(measured, former))
            self._status.value, self._found.value = "Measured and saved. Run the cells below again.", _found()
        except SpeLabError as error:
            self._status.value = html.escape(str(error))
        finally:
            self._button.description, self._button.icon = "Calibrate", "play"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return bundle(self.page, kwargs, text="A button that calibrates this machine.")
