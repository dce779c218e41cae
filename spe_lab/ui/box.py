"""The frame of a prediction's form: its page, *Commit* and *Skip*, and the note beside them."""

import html
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import ipywidgets as widgets

from spe_lab.core import mode
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.prediction import Asked, JournalEntry
from spe_lab.core.reader.prediction.base import capitalised
from spe_lab.core.text import Text
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN, locked, serving

SETTLED_S = 0.2  # a press may overtake the fields' last values (ui/page_lock.py): it waits for them
_ROW = {"flex_flow": "row wrap", "align_items": "center"}
_NOTE = "line-height: 1.4; overflow-wrap: anywhere"


class Buttons:
    """*Commit* and *Skip* with the note beside them, and the presses of the reader.

    `wait`: a press waits for the fields' last values; False if the form itself takes care of late ones.
    """

    def __init__(self, thing: str, commit: Callable[[], None], skip: Callable[[], None], wait: bool = True) -> None:
        self._waits = wait
        self.commit_button = widgets.Button(
            description="Commit", icon="check", button_style="primary", tooltip=f"Keep {thing} in the journal"
        )
        self.skip_button = widgets.Button(description="Skip", icon="forward", tooltip="Go on without a prediction")
        self.note = widgets.HTML()
        self.commit_button.on_click(lambda _: self._soon(commit))
        self.skip_button.on_click(lambda _: self._soon(skip))
        buttons = [self.commit_button, self.skip_button, self.note]
        self.row = widgets.HBox(buttons, layout=widgets.Layout(**_ROW))

    def tell(self, sentence: str) -> None:
        self.note.value = f'<span role="status" style="{_NOTE}">{html.escape(sentence)}</span>'

    def _soon(self, action: Callable[[], None]) -> None:
        """Act on a press: at once if code pressed, else when the fields' last values have arrived."""

        def act() -> None:
            with TURN:
                try:
                    action()
                except SpeLabError as error:
                    self.tell(f"{capitalised(str(error))}.")
                except Exception as error:  # a defect of ours: shown on the page, and raised for the log
                    self.tell(f"This could not be kept: {error!r:.200}.")
                    raise

        if self._waits and serving():
            timer = threading.Timer(SETTLED_S, act)
            timer.daemon = True
            timer.start()
        else:
            act()


class Box:
    """A prediction as a form. Its attributes are those of the prediction, as it stands."""

    hint: ClassVar[str]  # how to answer well, in one sentence

    def __init__(self, prediction: JournalEntry) -> None:
        self.asked = Asked.of(prediction)
        self.buttons = Buttons(prediction.thing, self._commit_fields, self.skip)
        self.commit_button, self.skip_button, self.note = (
            self.buttons.commit_button,
            self.buttons.skip_button,
            self.buttons.note,
        )
        self.fields = self.make_fields()
        self._filling = False
        for field in self.fields:
            field.observe(lambda _: self._drafted(), "value")
        rows = [
            widgets.HTML(f"<b>Your prediction.</b> {html.escape(self.question)}"),
            widgets.HBox([*self.fields, *self.units()], layout=widgets.Layout(**_ROW)),
            self.buttons.row,
        ]
        self.page = page_of(self, widgets.VBox(rows, layout=widgets.Layout(max_width="900px")))
        self.follow()
        self.asked.on_change(self.follow)

    @abstractmethod
    def make_fields(self) -> list[widgets.Widget]:
        """Return the fields in the order of reading."""

    def units(self) -> list[widgets.Widget]:
        """Return what stands behind the fields."""
        return []

    @abstractmethod
    def fill(self) -> None:
        """Show the committed values in the fields."""

    @property
    @abstractmethod
    def draft(self) -> str:
        """What the fields say, in words."""

    @abstractmethod
    def typed(self) -> tuple[Any, ...]:
        """Return the fields' values as arguments of `commit`. Raise SpeLabError if one is missing."""

    @property
    def question(self) -> str:
        return f"{capitalised(self.prediction.subject)}. {self.hint}"

    @property
    def prediction(self) -> Any:
        """The prediction as it stands: a JournalEntry."""
        return self.asked.prediction

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "asked":
            raise AttributeError(name)
        return getattr(self.asked.prediction, name)

    def __bool__(self) -> bool:
        return True

    @locked
    def commit(self, *values: Any, **named: Any) -> None:
        """Commit these values, as the arguments of the cell do, or without any those of the form."""
        if values or named:
            self.asked.commit(*values, **named)
        else:
            self._commit_fields()

    def _commit_fields(self) -> None:
        self.asked.commit(*self.typed())

    @locked
    def skip(self) -> None:
        """Go on without a prediction."""
        self.asked.skip()

    def on_change(self, follow: Callable[[], None]) -> None:
        """Call `follow` whenever the prediction is committed or skipped."""
        self.asked.on_change(follow)

    def follow(self) -> None:
        """Show the prediction as it stands."""
        with TURN:
            if self.prediction.committed:
                self._filling = True
                try:
                    self.fill()
                finally:
                    self._filling = False
            self.buttons.tell(self.asked.note)

    def _drafted(self) -> None:
        if not self._filling:
            self.buttons.tell(f"Not committed yet: {self.draft}.")

    @property
    def text(self) -> Text:
        """The form in words."""
        return Text(f"Your prediction. {self.question} {self.asked.note}")

    def __repr__(self) -> str:
        return str(self.text)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        words = f"<p><b>Your prediction.</b> {html.escape(self.question)}</p>"
        if mode.building_book():
            return {"text/html": words, "text/plain": str(self.text)}, {}
        return bundle(self.page, kwargs, html=words, text=str(self.text))
