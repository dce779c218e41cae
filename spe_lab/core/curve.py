"""The one result type: a curve with its provenance, and the comparison of two curves."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import plain, plain_number

SOURCES = ("measured", "simulated", "recorded", "predicted")

NUMBERS = {"type": "array", "items": {"type": ["number", "null"]}}
COUNTS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2**53}}
AXIS = {
    "type": "object",
    "required": ["name", "unit", "values"],
    "properties": {"name": {"type": "string"}, "unit": {"type": "string"}, "values": NUMBERS},
}
CURVE = {
    "type": "object",
    "required": ["name", "unit", "values", "low", "high", "source", "x"],
    "properties": {
        "name": {"type": "string"},
        "unit": {"type": "string"},
        "values": NUMBERS,
        "low": NUMBERS,
        "high": NUMBERS,
        "source": {"enum": list(SOURCES)},
        "x": AXIS,
        "kept": COUNTS,
        "tried": COUNTS,
        "provenance": {"type": "object"},
    },
}


@dataclass(frozen=True)
class Axis:
    """The x axis of a curve: name, unit and values, strictly increasing where they are numbers."""

    name: str
    unit: str
    values: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=float))


@dataclass(frozen=True)
class Curve:
    """Values over an axis, each with an interval, and the source of the numbers.

    `low` and `high` bound the interval: equal to the value for an exact prediction, NaN where no interval is known.
    `kept` and `tried` count samples per point. `provenance` says how the numbers were obtained.
    """

    name: str
    source: str
    x: Axis
    unit: str
    values: np.ndarray
    low: np.ndarray = None
    high: np.ndarray = None
    kept: np.ndarray = None
    tried: np.ndarray = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise SpeLabError(f"source must be one of {', '.join(SOURCES)}, got {self.source!r}")
        values = np.asarray(self.values, dtype=float)
        arrays = {
            "values": values,
            "low": values if self.low is None else np.asarray(self.low, dtype=float),
            "high": values if self.high is None else np.asarray(self.high, dtype=float),
            "kept": np.asarray(() if self.kept is None else self.kept, dtype=int),
            "tried": np.asarray(() if self.tried is None else self.tried, dtype=int),
        }
        for name, array in arrays.items():
            if array.shape != self.x.values.shape and not (name in ("kept", "tried") and array.size == 0):
                raise SpeLabError(f"{name} must have one entry for each x, got {array.shape} for {self.x.values.shape}")
            object.__setattr__(self, name, array)
        if self.kept.size != self.tried.size:
            raise SpeLabError(
                f"kept and tried must both be there or neither, got {self.kept.size} and {self.tried.size} entries;"
                " give both"
            )

    def recorded(self) -> "Curve":
        """Return the same numbers as data of another time or machine: "measured" becomes "recorded"."""
        return dataclasses.replace(self, source="recorded") if self.source == "measured" else self

    def at(self, x: Axis) -> "Curve":
        """Return the same curve at some of its x values."""
        places = np.searchsorted(self.x.values, x.values)
        if not np.array_equal(self.x.values[np.minimum(places, self.x.values.size - 1)], x.values):
            raise SpeLabError(f"x must be some of the curve's own values, got others for {self.name}; predict there")
        names = ("values", "low", "high", "kept", "tried")
        parts = {name: array[places] for name in names if (array := getattr(self, name)).size}
        return dataclasses.replace(self, x=x, **parts)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "values": plain(self.values),
            "low": plain(self.low),
            "high": plain(self.high),
            "source": self.source,
            "x": axis_to_dict(self.x),
            "kept": self.kept.tolist(),
            "tried": self.tried.tolist(),
            "provenance": self.provenance,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Curve":
        axis = Axis(data["x"]["name"], data["x"]["unit"], numbers(data["x"]["values"]))
        arrays = {name: numbers(data[name]) for name in ("values", "low", "high")}
        counts = {name: data.get(name) or None for name in ("kept", "tried")}
        how = data.get("provenance", {})
        return cls(data["name"], data["source"], axis, data["unit"], provenance=how, **arrays, **counts)


@dataclass(frozen=True)
class Comparison:
    """Deviation of a measurement from a prediction: residual = measured / predicted − 1 at each shared x."""

    measured: str
    predicted: str
    residuals: np.ndarray

    @classmethod
    def of(cls, measured: Curve, predicted: Curve) -> "Comparison":
        if measured.unit != predicted.unit:
            raise SpeLabError(f"curves must share a unit to be compared, got {measured.unit!r} and {predicted.unit!r}")
        if not np.array_equal(measured.x.values, predicted.x.values):
            raise SpeLabError("curves must share their x values to be compared; predict at the measured points")
        with np.errstate(divide="ignore", invalid="ignore"):
            residuals = measured.values / predicted.values - 1
        return cls(measured.name, predicted.name, np.where(np.isfinite(residuals), residuals, np.nan))

    @property
    def median_relative_error(self) -> float:
        """Median of |residual| over the points that have both values; NaN if there are none."""
        finite = np.abs(self.residuals[np.isfinite(self.residuals)])
        return float(np.median(finite)) if finite.size else math.nan

    @property
    def max_relative_error(self) -> float:
        finite = np.abs(self.residuals[np.isfinite(self.residuals)])
        return float(finite.max()) if finite.size else math.nan

    @property
    def pair(self) -> str:
        """The two curves as a quotient."""
        return pair(self.measured, self.predicted)

    @property
    def worst(self) -> int | None:
        """Index of the point whose ratio lies farthest from 1, on a logarithmic scale; None without any."""
        ratios = self.residuals + 1
        known = np.isfinite(ratios) & (ratios > 0)
        if not known.any():
            return None
        return int(np.argmax(np.abs(np.log(ratios, out=np.zeros(ratios.shape), where=known))))

    def said(self, places: Callable[[float], str], x: Axis) -> str:
        """Return the error in words: "median 1 %, worst ×6.8 at 1.7 MiB". `places` renders a value of `x`."""
        if self.worst is None:
            return ""
        place, ratio = places(float(x.values[self.worst])), float(self.residuals[self.worst]) + 1
        return f"median {units.percent(self.median_relative_error, 2)}, worst {times(ratio)} at {place}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "measured": self.measured,
            "predicted": self.predicted,
            "median_relative_error": plain_number(self.median_relative_error),
            "max_relative_error": plain_number(self.max_relative_error),
            "residuals": plain(self.residuals),
        }


def pair(measured: str, predicted: str) -> str:
    """Return two curves as a quotient, by their names.

    >>> pair("branching", "fitted"), pair("data", "data")
    ('branching ÷ fitted', 'data ÷ its prediction')
    """
    return f"{measured} ÷ {'its prediction' if predicted == measured else predicted}"


def times(ratio: float) -> str:
    """Return a ratio as a factor.

    >>> times(6.84), times(0.25), times(1.004), times(0.996)
    ('×6.8', '×1/4', '×1.004', '×1/1.004')
    """
    factor = max(ratio, 1 / ratio)
    digits = 2 if factor >= 1.1 else 3 if factor >= 1.01 else 4
    return f"×{'' if ratio >= 1 else '1/'}{float(f'{factor:.{digits}g}'):g}"


def axis_to_dict(axis: Axis) -> dict[str, Any]:
    return {"name": axis.name, "unit": axis.unit, "values": plain(axis.values)}


def numbers(values: list[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], dtype=float)
