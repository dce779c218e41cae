"""The widgets of an explorer: controls at the left, the figure at the right, and folds."""

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import ipywidgets as widgets

from spe_lab.core.c import native
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Value
from spe_lab.ui import controls, style
from spe_lab.ui.calibrator import Uncalibrated
from spe_lab.ui.overlay import Chooser
from spe_lab.ui.presets import PresetBar

_WRAP = {"flex_flow": "row wrap"}


@dataclass(frozen=True)
class Moves:
    """Functions that the widgets of an explorer call."""

    slider_moved: Callable[[str], None]
    preset_chosen: Callable[[Mapping[str, Value]], None]
    overlay_changed: Callable[[], None]
    measure_pressed: Callable[[], None]
    recorded_pressed: Callable[[], None]
    fold_opened: Callable[[], None]
    calibrated: Callable[[], None]


class Parts:
    """The widgets by name; `box` holds them all.

    - `ground`, `moving`: the figure's layers
    - `twin`: the table of values, the model's error, and the frame in words for screen readers
    - `more`: the fold with the sliders beyond the first view, by group, and the meanings of all
    - `data`, `beside`: the contents of the folds below the figure
    - `uncalibrated`: a line with a button, where the model assumes what a calibration measures
    """

    def __init__(self, lab: Lab, point: Mapping[str, Value], verb: str, moves: Moves) -> None:
        self.sliders = controls.group(lab.sliders.values(), point, moves.slider_moved)
        self.measure_button = widgets.Button(
            description=verb,
            icon="play",
            button_style="primary",
            disabled=not native.available(),
            tooltip=native.missing(),
            layout=widgets.Layout(min_width="110px"),
        )
        self.measure_button.on_click(lambda _: moves.measure_pressed())
        self.recorded_button = widgets.Button(
            description="Recorded",
            icon="history",
            tooltip="Show data recorded on another machine",
            disabled=not lab.recorded(),
            layout=widgets.Layout(width="auto"),
        )
        self.recorded_button.on_click(lambda _: moves.recorded_pressed())
        self.progress = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="96%", display="none"))
        self.status = widgets.HTML()
        self.status.add_class("spe-status")
        self.presets = PresetBar(lab, moves.preset_chosen)
        self.beside = Chooser(lab, moves.overlay_changed)
        self.uncalibrated = Uncalibrated(lab, moves.calibrated)
        self.ground, self.moving, self.twin, self.data, self._meanings = (widgets.HTML() for _ in range(5))
        self.picture = self._box([self.ground, self.moving], "spe-picture")
        self.more = widgets.Accordion([self._folded(lab)], titles=("More",), selected_index=None)
        self.more.add_class("spe-more")
        self.folds = widgets.Accordion(
            [self.data, self.beside.page],
            titles=("Data and downloads", "Beside another machine"),
            selected_index=None,
        )
        self.folds.observe(lambda _: moves.fold_opened(), "selected_index")
        self.side = self._box(
            [
                self._box([self.sliders[name] for name in lab.first_view], "spe-controls"),
                widgets.HBox([self.measure_button, self.recorded_button], layout=widgets.Layout(**_WRAP)),
                self.progress,
                self.status,
                self.twin,
                self.presets.page,
                self.more,
            ],
            "spe-side",
            widgets.VBox,
        )
        self.more.observe(lambda _: self._more_opened(), "selected_index")
        asked = f"<b>{html.escape(lab.title)}.</b> {html.escape(lab.question)}"
        rows = [
            widgets.HTML(f"{style.SHEET}{asked}"),
            self.uncalibrated.page,
            self._box([self.side, self._box([self.picture], "spe-show")], "spe-row"),
            self.folds,
            widgets.HTML(f"<i>Where the model breaks:</i> {html.escape(lab.breaks)}"),
        ]
        self.box = self._box(rows, "spe-explorer", widgets.VBox)
        self.describe(lab)

    @staticmethod
    def _box(children: Iterable[widgets.Widget], name: str, kind: type[widgets.Box] = widgets.Box) -> widgets.Box:
        box = kind([*children])
        box.add_class(name)
        return box

    def _folded(self, lab: Lab) -> widgets.VBox:
        """Return the sliders beyond the first view, by group in the lab's order, and the meanings of all sliders."""
        groups: dict[str, list[widgets.Widget]] = {}
        for name, slider in lab.sliders.items():
            if name not in lab.first_view:
                groups.setdefault(slider.group, []).append(self.sliders[name])
        parts: list[widgets.Widget] = []
        for heading, members in groups.items():
            if heading:
                title = widgets.HTML(html.escape(heading))
                title.add_class("spe-heading")
                parts.append(title)
            parts.append(self._box(members, "spe-controls"))
        return widgets.VBox([*parts, self._meanings])

    def describe(self, lab: Lab) -> None:
        """Say what the sliders mean and where their defaults come from, for the lab's machine."""
        self._meanings.value = controls.meanings(lab.sliders.values())
        self.uncalibrated.show(lab)

    def _more_opened(self) -> None:
        """Let the controls scroll beside the figure while there are many (ui/style.py)."""
        if self.more.selected_index is None:
            self.side.remove_class("spe-open")
        else:
            self.side.add_class("spe-open")

    def unfolded(self, part: widgets.Widget) -> bool:
        """True if the fold that holds this part is open."""
        index = self.folds.selected_index
        return index is not None and self.folds.children[index] is part

    def show_measuring(self, on: bool, verb: str) -> None:
        """Switch the button between starting and cancelling, and show or hide the progress bar."""
        self.measure_button.description, self.measure_button.icon = ("Cancel", "stop") if on else (verb, "play")
        self.progress.value, self.progress.layout.display = 0, None if on else "none"
