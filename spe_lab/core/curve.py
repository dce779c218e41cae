"""The one result type: a curve that says where it comes from, and the comparison of two.

JSON format history: 1, the first.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import checked_json, plain, plain_number, read_text, write_atomically

FORMAT = 1
SOURCES = ("measured", "simulated", "recorded", "predicted")

_NUMBERS = {"type": "array", "items": {"type": ["number", "null"]}}
_COUNTS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2**53}}
_AXIS = {
    "type": "object",
    "required": ["name", "unit", "values"],
    "properties": {"name": {"type": "string"}, "unit": {"type": "string"}, "values": _NUMBERS},
}
CURVE = {
    "type": "object",
    "required": ["name", "unit", "values", "low", "high", "source", "x"],
    "properties": {
        "name": {"type": "string"},
        "unit": {"type": "string"},
        "values": _NUMBERS,
        "low": _NUMBERS,
        "high": _NUMBERS,
        "source": {"enum": list(SOURCES)},
        "x": _AXIS,
        "kept": _COUNTS,
        "tried": _COUNTS,
        "provenance": {"type": "object"},
    },
}
_RUN = {
    "type": "object",
    "required": [
        "format",
        "lab",
        "point",
        "x",
        "measured",
        "predicted",
        "comparison",
        "kept",
        "tried",
        "machine",
        "version",
    ],
    "properties": {
        "format": {"const": FORMAT},
        "lab": {"type": "string"},
        "point": {"type": "object"},
        "x": _AXIS,
        "measured": {"type": "array", "items": CURVE},
        "predicted": {"type": "array", "items": CURVE},
        "comparison": {
            "type": ["object", "null"],
            "required": ["measured", "predicted", "residuals"],
            "properties": {"measured": {"type": "string"}, "predicted": {"type": "string"}, "residuals": _NUMBERS},
        },
        "machine": {"type": "object"},
        "version": {"type": "string"},
    },
}


@dataclass(frozen=True)
class Axis:
    """What a curve is drawn over: a name, a unit and the values, strictly increasing where they are numbers."""

    name: str
    unit: str
    values: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=float))


@dataclass(frozen=True)
class Curve:
    """Values with an interval over an axis, and their source.

    `low` and `high` bound the interval of each value (equal to the value for an exact prediction; NaN where there is no
    interval to be had). `kept` and `tried` count samples per point. `provenance` says how the numbers came about.
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
        """The same numbers as data of another time or machine: "measured" becomes "recorded"."""
        return dataclasses.replace(self, source="recorded") if self.source == "measured" else self

    def at(self, x: Axis) -> "Curve":
        """The same curve at some of its x values."""
        places = np.searchsorted(self.x.values, x.values)
        if not np.array_equal(self.x.values[np.minimum(places, self.x.values.size - 1)], x.values):
            raise SpeLabError(
                f"a curve can be taken at x values of its own alone, got others for {self.name}; predict there"
            )
        parts = {
            name: array[places]
            for name in ("values", "low", "high", "kept", "tried")
            if (array := getattr(self, name)).size
        }
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
        axis = Axis(data["x"]["name"], data["x"]["unit"], _numbers(data["x"]["values"]))
        return cls(
            data["name"],
            data["source"],
            axis,
            data["unit"],
            _numbers(data["values"]),
            _numbers(data["low"]),
            _numbers(data["high"]),
            data.get("kept") or None,
            data.get("tried") or None,
            data.get("provenance", {}),
        )


@dataclass(frozen=True)
class Comparison:
    """How far a measurement lies from a prediction: residual = measured / predicted − 1, for each shared x."""

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
        """Median of |residual| over the points that have both values; NaN if none has."""
        finite = np.abs(self.residuals[np.isfinite(self.residuals)])
        return float(np.median(finite)) if finite.size else math.nan

    @property
    def max_relative_error(self) -> float:
        finite = np.abs(self.residuals[np.isfinite(self.residuals)])
        return float(finite.max()) if finite.size else math.nan

    def to_dict(self) -> dict[str, Any]:
        return {
            "measured": self.measured,
            "predicted": self.predicted,
            "median_relative_error": plain_number(self.median_relative_error),
            "max_relative_error": plain_number(self.max_relative_error),
            "residuals": plain(self.residuals),
        }


@dataclass(frozen=True)
class Run:
    """One lab run at one point of its sliders: what `spe-lab run --json` prints and what recorded data are."""

    lab: str
    point: Mapping[str, Any]
    x: Axis
    measured: Sequence[Curve]
    predicted: Sequence[Curve]
    comparison: Comparison | None
    machine: dict[str, Any]
    version: str

    @property
    def kept(self) -> int:
        return int(sum(curve.kept.sum() for curve in self.measured))

    @property
    def tried(self) -> int:
        return int(sum(curve.tried.sum() for curve in self.measured))

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "lab": self.lab,
            "point": self.point,
            "x": axis_to_dict(self.x),
            "measured": [curve.to_dict() for curve in self.measured],
            "predicted": [curve.to_dict() for curve in self.predicted],
            "comparison": self.comparison.to_dict() if self.comparison else None,
            "kept": self.kept,
            "tried": self.tried,
            "machine": self.machine,
            "version": self.version,
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, origin: str = "the text") -> "Run":
        data = checked_json(text, _RUN, origin)
        compared, x = data["comparison"], Axis(data["x"]["name"], data["x"]["unit"], _numbers(data["x"]["values"]))
        measured, predicted = ([Curve.from_dict(curve) for curve in data[kind]] for kind in ("measured", "predicted"))
        for curve in (*measured, *predicted):
            if not np.array_equal(curve.x.values, x.values, equal_nan=True):
                raise SpeLabError(
                    f"{origin} must have curves over the x values of the run, got others for {curve.name:.40}; write it"
                    " anew"
                )
        return cls(
            data["lab"],
            data["point"],
            x,
            measured,
            predicted,
            (
                Comparison(compared["measured"], compared["predicted"], _numbers(compared["residuals"]))
                if compared
                else None
            ),
            data["machine"],
            data["version"],
        )

    @classmethod
    def load(cls, path: Path) -> "Run":
        """A run saved earlier or elsewhere; its measured curves become recorded ones."""
        try:
            text = read_text(Path(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SpeLabError(
                f"the run file must be readable text, got {path}: {error}; save one with spe-lab run LAB --json"
            ) from None
        run = cls.from_json(text, str(path))
        return dataclasses.replace(run, measured=[curve.recorded() for curve in run.measured])

    def save(self, path: Path) -> None:
        write_atomically(Path(path), self.to_json() + "\n")

    def summary(self) -> str:
        """The run as a table for a terminal: one row for each x, one column for each curve."""
        from spe_lab.core import units

        shown = [*self.measured, *self.predicted]
        rows = [
            [_header(self.x.name, ""), *(curve.name for curve in shown)],
            ["", *(f"{curve.source}, {curve.unit}".rstrip(", ") for curve in shown)],
        ]
        for i, x in enumerate(self.x.values):
            rows.append([units.render(x, self.x.unit), *(_cell(curve.values[i], curve.unit) for curve in shown)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        if self.comparison:
            c = self.comparison
            lines.append(
                f"\n{c.measured} against {c.predicted}: median error {c.median_relative_error:.0%}, largest"
                f" {c.max_relative_error:.0%}"
            )
        lines.append(f"{self.kept} of {self.tried} samples clean" + "".join(f"; {note}" for note in self.notes))
        return "\n".join(lines)

    @property
    def notes(self) -> list[str]:
        """What was noticed while measuring, each sentence once."""
        return list(dict.fromkeys(note for curve in self.measured for note in curve.provenance.get("notes", ())))

    def to_csv(self) -> str:
        """Return one row for each curve and x, in the order of the figure's legend; numbers keep all their digits."""
        import csv
        import io

        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(
            ["curve", "source", _header(self.x.name, self.x.unit), "value", "low", "high", "unit", "kept", "tried"]
        )
        for curve in [*self.measured, *self.predicted]:
            counts = zip(curve.kept, curve.tried, strict=True) if curve.kept.size else [("", "")] * curve.x.values.size
            for x, value, low, high, (kept, tried) in zip(
                curve.x.values, curve.values, curve.low, curve.high, counts, strict=True
            ):
                rows.writerow(
                    [
                        curve.name,
                        curve.source,
                        *(repr(float(number)) for number in (x, value, low, high)),
                        curve.unit,
                        kept,
                        tried,
                    ]
                )
        return out.getvalue()


def _cell(value: float, unit: str) -> str:
    """A value in a table whose head names the unit; bytes are easier to read with their own prefix."""
    from spe_lab.core import units

    return units.render(value, unit) if unit == "B" or math.isnan(value) else f"{value:.3g}"


def axis_to_dict(axis: Axis) -> dict[str, Any]:
    return {"name": axis.name, "unit": axis.unit, "values": plain(axis.values)}


def _header(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _numbers(values: list[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], dtype=float)
