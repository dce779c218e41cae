"""The widgets of an explorer: sliders, buttons, the figure's two layers, its text, and the folds."""

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import ipywidgets as widgets

from spe_lab.core.c import native
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Value
from spe_lab.ui import controls
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


class Parts:
    """The widgets by name; `box` holds them all.

    - `ground`, `moving`: the figure's layers; `twin`: the frame in words, for screen readers
    - `data`, `beside`: the contents of the folds below the figure
    """

    def __init__(self, lab: Lab, point: Mapping[str, Value], verb: str, moves: Moves) -> None:
        workload = [slider for slider in lab.sliders.values() if slider.measured]
        model = [slider for slider in lab.sliders.values() if not slider.measured]
        self.sliders = controls.group([*workload, *model], point, moves.slider_moved)
        self.measure_button = widgets.Button(
            description=verb,
            icon="play",
            button_style="primary",
            disabled=not native.available(),
            layout=widgets.Layout(min_width="110px"),
        )
        self.measure_button.on_click(lambda _: moves.measure_pressed())
        self.recorded_button = widgets.Button(
            description="Recorded",
            icon="history",
            tooltip="Show data recorded on another machine",
            disabled=not lab.recorded(),
        )
        self.recorded_button.on_click(lambda _: moves.recorded_pressed())
        self.progress = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="160px", display="none"))
        self.status = widgets.HTML()
        self.presets = PresetBar(lab, moves.preset_chosen)
        self.beside = Chooser(lab, moves.overlay_changed)
        self.ground, self.moving, self.twin, self.data = (widgets.HTML() for _ in range(4))
        self.picture = widgets.Box([self.ground, self.moving])
        self.picture.add_class("spe-picture")
        folds: dict[str, widgets.Widget] = {"Data and downloads": self.data, "Beside another machine": self.beside.page}
        if model:
            folds = {"Model parameters": self._row(self.sliders[slider.name] for slider in model), **folds}
        self.folds = widgets.Accordion([*folds.values()], titles=tuple(folds), selected_index=0 if model else None)
        self.folds.observe(lambda _: moves.fold_opened(), "selected_index")
        rows = [
            widgets.HTML(f"<b>{html.escape(lab.title)}.</b> {html.escape(lab.question)}"),
            self._row(self.sliders[slider.name] for slider in workload),
            self._row([self.measure_button, self.recorded_button, self.progress, self.status]),
            self.presets.page,
            self.picture,
            self.twin,
            self.folds,
            widgets.HTML(f"<i>Where the model breaks:</i> {html.escape(lab.breaks)}"),
        ]
        self.box = widgets.VBox(rows, layout=widgets.Layout(max_width="900px"))

    @staticmethod
    def _row(children: Iterable[widgets.Widget]) -> widgets.HBox:
        return widgets.HBox([*children], layout=widgets.Layout(**_WRAP))

    def unfolded(self, part: widgets.Widget) -> bool:
        """True if the fold that holds this part is open."""
        index = self.folds.selected_index
        return index is not None and self.folds.children[index] is part

    def show_measuring(self, on: bool, verb: str) -> None:
        """Switch the button between starting and cancelling, and show or hide the progress bar."""
        self.measure_button.description, self.measure_button.icon = ("Cancel", "stop") if on else (verb, "play")
        self.progress.value, self.progress.layout.display = 0, None if on else "none"
