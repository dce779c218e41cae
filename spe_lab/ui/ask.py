"""A prediction as a form below its cell: fields, *Commit* and *Skip*.

`predict` and the others return a box. It forwards to the prediction object (spe_lab.core.reader.prediction), and an
explorer that is given a box holds its answer back until the reader commits or skips.
"""

import html
import threading
from abc import abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

import ipywidgets as widgets

from spe_lab.core import mode
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.prediction import Asked, JournalEntry
from spe_lab.core.reader.prediction.base import capitalised
from spe_lab.core.reader.prediction.choices import choice_of
from spe_lab.core.reader.prediction.orders import order_of
from spe_lab.core.reader.prediction.ranges import range_of
from spe_lab.core.text import Text
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.page_lock import TURN, locked, serving

SETTLED_S = 0.2  # a press may overtake the fields' last values (ui/page_lock.py): it waits for them
_UNCHOSEN = "choose …"
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


class RangeBox(Box):
    """Two fields for the ends of a range; they take units."""

    hint = "Give a range that you are 90 % sure of: a narrow one scores better, but a miss costs 20 times its distance."

    def make_fields(self) -> list[widgets.Widget]:
        layout, style = {"width": "170px"}, {"description_width": "40px"}
        return [
            widgets.Text(
                description=name,
                continuous_update=False,
                placeholder=self._unit,
                tooltip=f"the {name} end of your range",
                layout=widgets.Layout(**layout),
                style=style,
            )
            for name in ("low", "high")
        ]

    @property
    def _unit(self) -> str:
        return "%" if self.prediction.percent else self.prediction.unit

    def units(self) -> list[widgets.Widget]:
        return [widgets.HTML(html.escape("such as 64 KiB" if self._unit == "B" else self._unit))]

    def fill(self) -> None:
        for field, end in zip(self.fields, self.prediction.ends_in_words, strict=True):
            field.value = end

    @property
    def draft(self) -> str:
        return " to ".join(f"{field.value:.40}" or "…" for field in self.fields)

    def typed(self) -> tuple[Any, ...]:
        return tuple(field.value for field in self.fields)


class OrderBox(Box):
    """A list for each rank."""

    hint = "Choose one for each place."

    def make_fields(self) -> list[widgets.Widget]:
        among = self.prediction.among
        options = [(_UNCHOSEN, None), *((self.prediction.name(candidate), candidate) for candidate in among)]
        ranks = [*(f"{number}." for number in range(1, len(among) + 1))]
        ranks[0], ranks[-1] = "smallest", "largest"
        return [
            widgets.Dropdown(
                options=options,
                value=None,
                description=rank,
                style={"description_width": "60px"},
                layout=widgets.Layout(width="auto"),
            )
            for rank in ranks
        ]

    def fill(self) -> None:
        for place, field in enumerate(self.fields):
            chosen = self.prediction.candidates[place : place + 1]
            field.value = chosen[0] if chosen and chosen[0] in self.prediction.among else None

    @property
    def draft(self) -> str:
        return " < ".join("…" if field.value is None else field.label for field in self.fields)

    def typed(self) -> tuple[Any, ...]:
        chosen = tuple(field.value for field in self.fields)
        if None in chosen:
            raise SpeLabError("each place must have a candidate, got none for one; choose one in each list")
        return chosen


class ChoiceBox(Box):
    """A button for each curve, of which one is chosen."""

    hint = "Choose one."

    def make_fields(self) -> list[widgets.Widget]:
        return [
            widgets.RadioButtons(
                options=list(self.prediction.among),
                value=None,
                description=self.prediction.of,
                layout=widgets.Layout(width="auto"),
                style={"description_width": "initial"},
            )
        ]

    def fill(self) -> None:
        choice = self.prediction.choice
        self.fields[0].value = choice if choice in self.fields[0].options else None

    @property
    def draft(self) -> str:
        return str(self.fields[0].value)

    def typed(self) -> tuple[Any, ...]:
        if self.fields[0].value is None:
            raise SpeLabError("one curve must be chosen, got none; choose one")
        return (self.fields[0].value,)


@wraps(range_of)
def predict(*arguments: Any, **named: Any) -> RangeBox:
    return RangeBox(range_of(*arguments, **named))


@wraps(order_of)
def predict_order(*arguments: Any, **named: Any) -> OrderBox:
    return OrderBox(order_of(*arguments, **named))


@wraps(choice_of)
def predict_choice(*arguments: Any, **named: Any) -> ChoiceBox:
    return ChoiceBox(choice_of(*arguments, **named))
