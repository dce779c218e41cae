"""A slider: a parameter of a lab that the reader moves, with its domain, unit, meaning and default."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError

Value = Any  # a number or, for a choice, a str: which of the two, the name of the slider decides


@dataclass(frozen=True)
class Slider:
    """A parameter that the reader moves.

    `scale` is "linear", "log" (positive numbers, shown in steps of equal ratio) or "choice" (one of `choices`).
    `multiple_of` restricts values to multiples of it. `measured` says whether a measurement depends on it: moving such
    a slider makes the points on the figure stale, moving another one changes the model alone. `source` says where the
    default comes from.
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

    @classmethod
    def choice(
        cls, name: str, choices: Iterable[str], meaning: str, source: str, *, default: str = "", measured: bool = True
    ) -> "Slider":
        """A slider for one of `choices`, the first of them by default."""
        known = tuple(choices)
        chosen = default or known[0]
        return cls(name, "", chosen, meaning, scale="choice", choices=known, measured=measured, source=source)

    @classmethod
    def count(
        cls, name: str, default: float, meaning: str, low: float, high: float, source: str, scale: str = "linear"
    ) -> "Slider":
        """A slider for a whole number."""
        return cls(name, "", default, meaning, low, high, scale, multiple_of=1, source=source)

    def checked(self, value: Value) -> Value:
        """`value` if it is in the domain; text is parsed with its unit. The error says the rule, the value and the
        cure.
        """
        if self.scale == "choice":
            if value not in self.choices:
                rule = f"{self.name} must be one of {', '.join(self.choices)}"
                raise SpeLabError(f"{rule}, got {value!r}; write for example {self.name}={self.default}")
            return value
        number = units.finite(units.parse(value, self.unit, self.name) if isinstance(value, str) else value, self.name)
        if math.isclose(number, self.rounded(number), rel_tol=1e-9):
            number = self.rounded(number)  # a slider that is dragged adds up its steps, and ends at 10.999999999999998
        if not self.low <= number <= self.high:
            low, high = units.render(self.low, self.unit), units.render(self.high, self.unit)
            found = units.render(number, self.unit)
            raise SpeLabError(
                f"{self.name} must be between {low} and {high}, got {found}; choose a value in that range"
            )
        if self.multiple_of and number % self.multiple_of:
            step = units.render(self.multiple_of, self.unit)
            raise SpeLabError(
                f"{self.name} must be a multiple of {step}, got {number:.15g} {self.unit}; try"
                f" {self.rounded(number):.15g}{self.unit}"
            )
        return number

    def rounded(self, value: float) -> float:
        """The value in the domain that is nearest to `value`."""
        if self.multiple_of:
            value = round(value / self.multiple_of) * self.multiple_of
            value = max(value, math.ceil(self.low / self.multiple_of) * self.multiple_of)
        return min(max(value, self.low), self.high)

    def to_dict(self) -> dict[str, Any]:
        domain = {"choices": list(self.choices)} if self.scale == "choice" else {"low": self.low, "high": self.high}
        return {
            "name": self.name,
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
    """Settings worth trying, with all other sliders at their defaults, and one sentence on what to look for."""

    settings: Mapping[str, Value]
    look: str
