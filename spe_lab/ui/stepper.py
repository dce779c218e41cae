"""A sequence of pictures to step through by button, slider or arrow key."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from spe_lab.core import mode
from spe_lab.core.errors import SpeLabError
from spe_lab.ui import book
from spe_lab.ui.page import bundle, page_of


class Stepper:
    """A page that shows one of `frames`: pairs of an SVG with a label, and a sentence for it."""

    def __init__(self, frames: Sequence[tuple[str, str]], title: str = "step") -> None:
        if not frames:
            raise SpeLabError("frames must hold at least one picture, got none; give the start and one for each step")
        self.frames = list(frames)
        self.place = widgets.IntSlider(0, 0, len(self.frames) - 1, description=title, continuous_update=True)
        self._picture, self._said = widgets.HTML(), widgets.HTML()
        buttons = [
            self._button("Back", "step-backward", lambda: self.place.value - 1),
            self._button("Next", "step-forward", lambda: self.place.value + 1),
            self._button("Reset", "refresh", lambda: 0),
        ]
        self.back, self.next, self.reset = buttons
        self.place.observe(lambda _: self._show(), "value")
        row = widgets.HBox([*buttons, self.place], layout=widgets.Layout(flex_flow="row wrap"))
        self.page = page_of(self, widgets.VBox([row, self._picture, self._said]))
        self._show()

    @property
    def text(self) -> str:
        """The sentence of the present frame."""
        return self.frames[self.place.value][1]

    def _button(self, name: str, icon: str, target: Callable[[], int]) -> widgets.Button:
        button = widgets.Button(description=name, icon=icon, layout=widgets.Layout(width="100px"))
        button.on_click(lambda _: setattr(self.place, "value", min(max(target(), 0), self.place.max)))
        return button

    def _show(self) -> None:
        picture, said = self.frames[self.place.value]
        self._picture.value = picture
        self._said.value = f'<p role="status" style="font-size: 1.05em">{html.escape(said)}</p>'
        self.back.disabled, self.next.disabled = self.place.value == 0, self.place.value == self.place.max

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        words = f"{len(self.frames)} pictures to step through. {self.text}"
        if mode.building_book():
            frames = [(str(i), f"{picture}<p>{html.escape(said)}</p>") for i, (picture, said) in enumerate(self.frames)]
            return {"text/html": book.plates(self.place.description, frames), "text/plain": words}, {}
        return bundle(self.page, kwargs, text=words)
