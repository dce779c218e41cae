"""A recording holds what a machine measured; a run is a recording with the model's predictions.

JSON format history: 1, the first. 2: `training` holds what a fit needs, which the curves' provenance held before, and a
recording may have no predictions.
"""

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from spe_lab.core import units
from spe_lab.core.curve import AXIS, CURVE, NUMBERS, Axis, Comparison, Curve, axis_to_dict, numbers
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import checked_json, read_text, write_atomically

FORMAT = 2
_TRAINING_IN_FORMAT_1 = ("costs", "late_us")  # like "training", in the provenance of the first curve
_SCHEMA = {
    "type": "object",
    "required": ["format", "lab", "point", "x", "measured", "machine", "version"],
    "properties": {
        "format": {"enum": [1, FORMAT]},
        "lab": {"type": "string"},
        "point": {"type": "object"},
        "x": AXIS,
        "measured": {"type": "array", "items": CURVE},
        "training": {"type": "object"},
        "predicted": {"type": "array", "items": CURVE},
        "comparison": {
            "type": ["object", "null"],
            "required": ["measured", "predicted", "residuals"],
            "properties": {"measured": {"type": "string"}, "predicted": {"type": "string"}, "residuals": NUMBERS},
        },
        "machine": {"type": "object"},
        "version": {"type": "string"},
    },
}


@dataclass(frozen=True)
class Recording:
    """A measurement at one point of a lab's sliders: it is saved, loaded, overlaid and shipped.

    - `lab`: the lab's id; `version`: that of the package
    - `point`: the sliders' values, except the axis
    - `measured`: curves over `x`; `training`: other data that a fit needs, as JSON values
    - `machine`: facts and parameters of the machine that measured
    """

    lab: str
    point: Mapping[str, Any]
    x: Axis
    measured: Sequence[Curve]
    training: Mapping[str, Any]
    machine: Mapping[str, Any]
    version: str

    @property
    def kept(self) -> int:
        """Number of clean samples of all curves."""
        return int(sum(curve.kept.sum() for curve in self.measured))

    @property
    def tried(self) -> int:
        """Number of samples of all curves."""
        return int(sum(curve.tried.sum() for curve in self.measured))

    @property
    def notes(self) -> list[str]:
        """Remarks made while measuring, each sentence once."""
        return list(dict.fromkeys(note for curve in self.measured for note in curve.provenance.get("notes", ())))

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "lab": self.lab,
            "point": dict(self.point),
            "x": axis_to_dict(self.x),
            "measured": [curve.to_dict() for curve in self.measured],
            "training": dict(self.training),
            "kept": self.kept,
            "tried": self.tried,
            "machine": dict(self.machine),
            "version": self.version,
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, origin: str = "the text") -> Self:
        """Read a recording or a run of format 1 or 2; the error says what is wrong with `origin`, and where."""
        data = checked_json(text, _SCHEMA, origin)
        if data["format"] == 1:
            measured, training = training_apart(data["measured"])
            data = {**data, "measured": measured, "training": training}
        made = cls(**cls._fields(data))
        for curve in made.curves:
            if not np.array_equal(curve.x.values, made.x.values, equal_nan=True):
                raise SpeLabError(
                    f"{origin} must have curves over the x values of the run, got others for {curve.name:.40}; write it"
                    " anew"
                )
        return made

    @classmethod
    def _fields(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "lab": data["lab"],
            "point": data["point"],
            "x": Axis(data["x"]["name"], data["x"]["unit"], numbers(data["x"]["values"])),
            "measured": [Curve.from_dict(curve) for curve in data["measured"]],
            "training": data.get("training", {}),
            "machine": data["machine"],
            "version": data["version"],
        }

    @property
    def curves(self) -> Sequence[Curve]:
        return self.measured

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a saved recording; its measured curves become recorded ones."""
        try:
            text = read_text(Path(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SpeLabError(
                f"the run file must be readable text, got {path}: {error}; save one with spe-lab run LAB --json"
            ) from None
        made = cls.from_json(text, str(path))
        return dataclasses.replace(made, measured=[curve.recorded() for curve in made.measured])

    def save(self, path: Path) -> None:
        write_atomically(Path(path), self.to_json() + "\n")


def training_apart(measured: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Split curves of format 1 (JSON) into curves without training, and the training in their provenance."""
    provenance = measured[0].get("provenance", {}) if measured else {}
    training = dict(provenance.get("training") or {})
    training |= {name: provenance[name] for name in _TRAINING_IN_FORMAT_1 if name in provenance}
    moved = {"training", *_TRAINING_IN_FORMAT_1}
    curves = []
    for curve in measured:
        rest = {name: value for name, value in curve.get("provenance", {}).items() if name not in moved}
        curves.append({**curve, "provenance": rest})
    return curves, training


@dataclass(frozen=True)
class Run(Recording):
    """A recording with predictions at the same x and the comparison of a pair: what a figure shows.

    `fit_notes` says if the predictions come from a fit to other data.
    """

    predicted: Sequence[Curve] = ()
    comparison: Comparison | None = None
    fit_notes: Sequence[str] = field(default=(), compare=False)

    @property
    def curves(self) -> Sequence[Curve]:
        return [*self.measured, *self.predicted]

    @property
    def notes(self) -> list[str]:
        return list(dict.fromkeys([*super().notes, *self.fit_notes]))

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {
            "predicted": [curve.to_dict() for curve in self.predicted],
            "comparison": self.comparison.to_dict() if self.comparison else None,
        }

    @classmethod
    def _fields(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        pair = data.get("comparison")
        return super()._fields(data) | {
            "predicted": [Curve.from_dict(curve) for curve in data.get("predicted", ())],
            "comparison": pair and Comparison(pair["measured"], pair["predicted"], numbers(pair["residuals"])),
        }

    def summary(self) -> str:
        """Return the run as a table for a terminal: one row for each x, one column for each curve."""
        shown = self.curves
        rows = [
            [_header(self.x.name, ""), *(curve.name for curve in shown)],
            ["", *(f"{curve.source}, {curve.unit}".rstrip(", ") for curve in shown)],
        ]
        for i, x in enumerate(self.x.values):
            rows.append([units.render(x, self.x.unit), *(_cell(curve.values[i], curve.unit) for curve in shown)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        if self.comparison and (error := self.comparison.said(lambda x: units.render(x, self.x.unit), self.x)):
            lines.append(f"\n{self.comparison.pair}: {error}")
        lines.append(f"{self.kept} of {self.tried} samples clean" + "".join(f"; {note}" for note in self.notes))
        return "\n".join(lines)

    def to_csv(self) -> str:
        """Return CSV with one row for each curve and x, in the order of the figure's legend."""
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(
            ["curve", "source", _header(self.x.name, self.x.unit), "value", "low", "high", "unit", "kept", "tried"]
        )
        for curve in self.curves:
            counts = zip(curve.kept, curve.tried, strict=True) if curve.kept.size else [("", "")] * curve.x.values.size
            arrays = (curve.x.values, curve.values, curve.low, curve.high)
            for count, *row in zip(counts, *(array.tolist() for array in arrays), strict=True):
                rows.writerow([curve.name, curve.source, *map(_exact, row), curve.unit, *count])
        return out.getvalue()


def _exact(number: float) -> str:
    """Return digits that read back as the same number: 1048576 for 1 MiB, not 1.04858e+06."""
    return repr(number).removesuffix(".0")


def _cell(value: float, unit: str) -> str:
    """Return a table cell. The head names the unit; bytes are easier to read with their own prefix."""
    return units.render(value, unit) if unit == "B" or math.isnan(value) else f"{value:.3g}"


def _header(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
