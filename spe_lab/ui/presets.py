"""Buttons for a lab's presets, and one that resets the sliders."""

import html
from collections.abc import Callable, Mapping

import ipywidgets as widgets

from spe_lab.core.lab import Lab
from spe_lab.core.slider import Preset, Value


class PresetBar:
    """A button for each preset, a reset button, and what to look for. `apply` gets all values."""

    def __init__(self, lab: Lab, apply: Callable[[Mapping[str, Value]], None]) -> None:
        self.lab, self._apply = lab, apply
        self.look = widgets.HTML()
        presets = lab.presets().items()
        self.tries = {name: self._button(name, preset, tooltip=f"Try this: {preset.look}") for name, preset in presets}
        self.reset = self._button("Reset", Preset({}, ""), icon="undo", tooltip="Set all sliders to their defaults")
        title = [widgets.HTML("Try:")] if self.tries else []
        layout = widgets.Layout(flex_flow="row wrap")
        self.page = widgets.VBox([widgets.HBox([*title, *self.tries.values(), self.reset], layout=layout), self.look])

    def _button(self, name: str, preset: Preset, **more: str) -> widgets.Button:
        button = widgets.Button(description=name, layout=widgets.Layout(width="auto"), **more)
        button.on_click(lambda _: self._press(preset))
        return button

    def _press(self, preset: Preset) -> None:
        self._apply(self.lab.point(preset.settings))
        self.look.value = f'<span role="status">{html.escape(preset.look, quote=False)}</span>'
