"""A slider: a parameter of a lab that the reader moves, with its domain, unit, meaning and default."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError

Value = Any  # a number or, for a choice, a str


@dataclass(frozen=True)
class Slider:
    """A parameter that the reader moves.

    `scale` is "linear", "log" (positive numbers, shown in steps of equal ratio) or "choice" (one of `choices`). Values
    are multiples of `multiple_of`, unless that is 0. `measured`: a measurement depends on the slider, so that moving it
    makes the points on the figure stale; any other slider changes the model alone. `source` says where the default
    comes from.

    - label: the parameter in a few words (default: the name), with `symbol` behind it: "L2 latency", "l_L2"
    - group: heading in the fold *More*, for a slider that is not in the lab's first view
    - percent: True for a share from 0 to 1 that is shown in per cent
    - places: names of the values 1, 2, …; the values are then categories, and nothing lies between two of them
    """

    name: str
    unit: str
    default: Value
    meaning: str
    low: float = 0.0
    high: float = math.inf
    scale: str = "linear"
    choices: tuple[str, ...] = ()
    multiple_of: float = 0.0
    measured: bool = True
    source: str = ""
    label: str = ""
    symbol: str = ""
    group: str = ""
    percent: bool = False
    places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name)
        object.__setattr__(self, "symbol", self.symbol or self.name)

    @classmethod
    def choice(
        cls,
        name: str,
        choices: Iterable[str],
        meaning: str,
        source: str,
        *,
        default: str = "",
        measured: bool = True,
        label: str = "",
        symbol: str = "",
        group: str = "",
    ) -> "Slider":
        """Return a slider for one of `choices`, by default the first."""
        offered = tuple(choices)
        shown: dict[str, Any] = {"label": label, "symbol": symbol, "group": group}
        domain: dict[str, Any] = {"scale": "choice", "choices": offered, "measured": measured}
        return cls(name, "", default or offered[0], meaning, source=source, **domain, **shown)

    @classmethod
    def count(
        cls,
        name: str,
        default: float,
        meaning: str,
        low: float,
        high: float,
        source: str,
        scale: str = "linear",
        *,
        measured: bool = True,
        label: str = "",
        symbol: str = "",
        group: str = "",
    ) -> "Slider":
        """Return a slider for a whole number."""
        shown: dict[str, Any] = {"label": label, "symbol": symbol, "group": group}
        return cls(
            name, "", default, meaning, low, high, scale, multiple_of=1, measured=measured, source=source, **shown
        )

    @classmethod
    def category(cls, name: str, places: Iterable[str], meaning: str, source: str, *, label: str = "") -> "Slider":
        """Return a slider for the categories 1, 2, …, which are shown by their names."""
        named = tuple(places)
        return cls(name, "", 1, meaning, 1, len(named), source=source, label=label, multiple_of=1, places=named)

    @property
    def title(self) -> str:
        """The label, and behind it the symbol if that says something else: "L2 latency, l_L2"."""
        return self.label if self.symbol.lower() == self.label.lower() else f"{self.label}, {self.symbol}"

    def rendered(self, value: Value) -> str:
        """Return a value of this slider as text, with its unit; what is no number, such as a choice, as it is."""
        if not isinstance(value, int | float | np.number):
            return str(value)
        if self.places and value in range(1, len(self.places) + 1):
            return self.places[int(value) - 1]
        return units.percent(float(value)) if self.percent else units.render(value, self.unit)

    def parsed(self, text: str) -> float:
        """Return the number that `text` means, in the slider's unit; a share may be given in per cent."""
        number = text.strip()
        if number in self.places:
            return self.places.index(number) + 1.0
        if self.percent and number.endswith("%"):
            return units.parse(number.removesuffix("%"), "", self.name) / 100
        return units.parse(text, self.unit, self.name)

    def checked(self, value: Value) -> Value:
        """Return the value, parsed with its unit if it is text. Raise SpeLabError if it is outside the domain."""
        if self.scale == "choice":
            if value not in self.choices:
                rule = f"{self.name} must be one of {', '.join(self.choices)}"
                raise SpeLabError(f"{rule}, got {value!r}; write for example {self.name}={self.default}")
            return value
        number = units.finite(self.parsed(value) if isinstance(value, str) else value, self.name)
        if math.isclose(number, self.rounded(number), rel_tol=1e-9):
            number = self.rounded(number)  # a dragged slider adds up its steps and ends at 10.999999999999998
        if not self.low <= number <= self.high:
            low, high, got = (units.render(value, self.unit) for value in (self.low, self.high, number))
            raise SpeLabError(f"{self.name} must be between {low} and {high}, got {got}; choose a value in that range")
        if self.multiple_of and number % self.multiple_of:
            step = units.render(self.multiple_of, self.unit)
            raise SpeLabError(
                f"{self.name} must be a multiple of {step}, got {number:.15g} {self.unit}; try"
                f" {self.rounded(number):.15g}{self.unit}"
            )
        return number

    def rounded(self, value: float) -> float:
        """Return the value in the domain that is nearest to `value`."""
        if self.multiple_of:
            value = round(value / self.multiple_of) * self.multiple_of
            value = max(value, math.ceil(self.low / self.multiple_of) * self.multiple_of)
        return min(max(value, self.low), self.high)

    def to_dict(self) -> dict[str, Any]:
        domain = {"choices": list(self.choices)} if self.scale == "choice" else {"low": self.low, "high": self.high}
        return {
            "name": self.name,
            "label": self.label,
            "symbol": self.symbol,
            "group": self.group,
            "unit": self.unit,
            "default": self.default,
            "scale": self.scale,
            **domain,
            "multiple_of": self.multiple_of,
            "measured": self.measured,
            "meaning": self.meaning,
            "source": self.source,
        }


class Preset(NamedTuple):
    """Settings worth trying, with all other sliders at their defaults, and a sentence on what to look for."""

    settings: Mapping[str, Value]
    look: str
