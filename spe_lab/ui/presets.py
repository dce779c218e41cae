"""Buttons for a lab's presets, and one that resets the sliders."""

import html
from collections.abc import Callable, Mapping

import ipywidgets as widgets

from spe_lab.core.lab import Lab
from spe_lab.core.slider import Preset, Value


class PresetBar:
    """A button for each preset, a reset button, and what to look for. `apply` gets all values.

    What to look for often tells the answer, so it can be held back while a prediction is open (see `hold`).
    """

    def __init__(self, lab: Lab, apply: Callable[[Mapping[str, Value]], None]) -> None:
        self.lab, self._apply = lab, apply
        self.look = widgets.HTML()
        self._held, self._pressed = False, Preset({}, "")
        self.tries = {name: self._button(name, preset) for name, preset in lab.presets().items()}
        self.reset = self._button("Reset", Preset({}, ""), icon="undo", tooltip="Set all sliders to their defaults")
        title = [widgets.HTML("Try:")] if self.tries else []
        layout = widgets.Layout(flex_flow="row wrap")
        self.hold(False)
        self.page = widgets.VBox([widgets.HBox([*title, *self.tries.values(), self.reset], layout=layout), self.look])

    def _button(self, name: str, preset: Preset, **more: str) -> widgets.Button:
        button = widgets.Button(description=name, layout=widgets.Layout(width="auto"), **more)
        button.on_click(lambda _: self._press(preset))
        return button

    def hold(self, held: bool) -> None:
        """Hold back what to look for, or show it."""
        self._held = held
        for name, preset in self.lab.presets().items():
            self.tries[name].tooltip = "Set the sliders to this case" if held else f"Try this: {preset.look}"
        self._show()

    def _press(self, preset: Preset) -> None:
        self._apply(self.lab.point(preset.settings))
        self._pressed = preset
        self._show()

    def _show(self) -> None:
        look = "" if self._held else html.escape(self._pressed.look, quote=False)
        self.look.value = f'<span role="status">{look}</span>' if look else ""
