"""A prediction as a form below its cell: fields, *Commit* and *Skip*.

`predict` and the others return a box. It forwards to the prediction object (spe_lab.core.reader.prediction), and an
explorer that is given a box holds its answer back until the reader commits or skips.
"""

import html
from functools import wraps
from typing import Any

import ipywidgets as widgets

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.prediction.choices import choice_of
from spe_lab.core.reader.prediction.orders import order_of
from spe_lab.core.reader.prediction.ranges import range_of
from spe_lab.ui.box import Box

_UNCHOSEN = "choose …"


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
