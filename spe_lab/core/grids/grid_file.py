"""The file of a sweep: one line of JSON per finished part, so that a sweep can continue.

The first line holds what all parts share. An incomplete last line (power failure) is dropped and its part repeated. Any
other line that does not fit is an error, and the file stays as it is.

JSON format history: 1, the first. 2: a line has `training`, which was in the curves' provenance before.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spe_lab.core.curve import CURVE, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import checked_json, read_text
from spe_lab.core.lab import Measured
from spe_lab.core.recording import training_apart

FORMAT = 2
_HEAD = {
    "type": "object",
    "required": ["format", "lab", "version", "terms"],
    "properties": {
        "format": {"enum": [1, FORMAT]},
        "lab": {"type": "string"},
        "version": {"type": "string"},
        "terms": {"type": "object"},
    },
}
_LINE = {
    "type": "object",
    "required": ["part", "curves"],
    "properties": {
        "part": {"type": "string"},
        "curves": {"type": "array", "items": CURVE},
        "training": {"type": "object"},
    },
}


class GridFile:
    """The file at `path`, for curves of one lab, from one version of the library and on the same `terms`."""

    def __init__(self, path: Path, lab: str, version: str, terms: Mapping[str, Any]) -> None:
        self.path = path
        self.head = {"format": FORMAT, "lab": lab, "version": version, "terms": dict(terms)}

    def load(self) -> dict[str, Measured]:
        """Return the finished parts in the file by key; make the file if there is none."""
        try:
            whole, end, cut = read_text(self.path).rpartition("\n")
        except FileNotFoundError:
            whole, end, cut = "", "", ""
        except UnicodeDecodeError as error:
            rule = f"{self.path} must be text as SPE Lab writes it: {error}"
            raise SpeLabError(f"{rule}; keep this sweep in another file") from None
        if not end:
            if cut and not self._line(self.head).startswith(cut):
                rule = f"{self.path} must be a file of an earlier sweep, got something else"
                raise SpeLabError(f"{rule}; keep this sweep in another file")
            self.path.write_text(self._line(self.head), encoding="utf-8")
            return {}
        head, *lines = whole.split("\n")
        stored = checked_json(head, _HEAD, f"{self.path}, line 1,")
        differing = [name for name in self.head if name != "format" and stored[name] != self.head[name]]
        if differing:
            name = differing[0]
            rule = f"{self.path} must be of a sweep with the same {name}, {self.head[name]!r:.60}"
            raise SpeLabError(f"{rule}, got {stored[name]!r:.60}; keep this sweep in another file")
        entries = [checked_json(line, _LINE, f"{self.path}, line {2 + i},") for i, line in enumerate(lines)]
        if cut:
            with self.path.open("r+b") as file:
                file.truncate(len(f"{whole}\n".encode()))
        return {entry["part"]: _measured(entry) for entry in entries}

    def add(self, part: str, answer: Measured) -> None:
        """Append one part."""
        curves = [curve.to_dict() for curve in answer.curves]
        with self.path.open("a", encoding="utf-8") as file:
            file.write(self._line({"part": part, "curves": curves, "training": dict(answer.training)}))

    @staticmethod
    def _line(data: dict[str, Any]) -> str:
        return json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n"


def _measured(entry: Mapping[str, Any]) -> Measured:
    curves, training = entry["curves"], entry.get("training")
    if training is None:
        curves, training = training_apart(curves)
    return Measured(1.0, [Curve.from_dict(curve) for curve in curves], training)
