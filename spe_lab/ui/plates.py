"""An explorer in the book: its figure at three settings, to switch between without a kernel."""

import html
from collections.abc import Mapping
from typing import Protocol

from spe_lab.core.c import native
from spe_lab.core.lab import Fitted, Lab
from spe_lab.core.slider import Value
from spe_lab.ui.book import plates, telling_settings


class Shown(Protocol):
    """The interface of an explorer for the book."""

    lab: Lab
    fitted: Fitted

    @property
    def point(self) -> dict[str, Value]: ...
    @property
    def status(self) -> str: ...
    def set(self, **values: Value) -> "Shown": ...
    def move(self, values: Mapping[str, Value]) -> None: ...
    def html(self, before: str = "") -> str: ...
    def in_state(self) -> str: ...


def explorer_plates(explorer: Shown) -> str:
    """Return the figures of an explorer at its own and two other settings, to switch between."""
    lab, fitted, start = explorer.lab, explorer.fitted, explorer.point
    shown = [("as it opens", _plate(explorer, "as it opens"))]
    for label, settings in telling_settings(lab).items():
        if lab.simulated and native.available():
            *_, (_, recording) = lab.recordings({**start, **settings}, short=True)
            explorer.fitted = lab.fitted(recording)
        explorer.set(**settings)
        shown.append((label, _plate(explorer, label)))
        explorer.fitted = fitted
        explorer.move(start)
    question = f"<p><b>{html.escape(lab.title)}.</b> {html.escape(lab.question)}</p>"
    ends = f"<p>{html.escape(explorer.status)} <i>Where the model breaks:</i> {html.escape(lab.breaks)}</p>"
    return question + plates(f"{lab.title}: sliders", shown) + ends


def _plate(explorer: Shown, label: str) -> str:
    """Return the figure and its text; the alternative text begins with the setting."""
    return f"{explorer.html(f'{label}: ')}<p>{explorer.in_state()}</p>"
