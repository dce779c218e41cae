"""A machine as models see it: named parameters, and the JSON file that stores them.

JSON format history: 1, the first.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import checked_json, read_text, write_atomically

FORMAT = 1
ORIGINS = ("measured", "claimed", "published", "assumed")


def _parameter(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["value", "unit", "origin", "source"],
        "additionalProperties": False,
        "properties": {
            "value": {"type": ["number", "null"], **value},
            "unit": {"type": "string"},
            "origin": {"enum": list(ORIGINS)},
            "source": {"type": "string"},
            "low": {"type": ["number", "null"]},
            "high": {"type": ["number", "null"]},
            "method": {"type": "string"},
            "verdict": {"type": "string"},
            "earlier": {"type": "array", "items": {"type": "number"}},
        },
    }


SCHEMA = {
    "type": "object",
    "required": ["format", "facts", "parameters"],
    "properties": {
        "format": {"const": FORMAT},
        "facts": {"type": "object"},
        "parameters": {
            "type": "object",
            "patternProperties": {"_replacement$": _parameter({"minimum": 0, "maximum": 1})},
            "additionalProperties": _parameter({"exclusiveMinimum": 0}),
        },
    },
}


@dataclass(frozen=True)
class Parameter:
    """One property of a machine. `origin` says what kind of number it is, `source` where it was found.

    A measured parameter has an interval, a `method` and a `verdict`. Its value is None if this machine does not show
    it. `earlier` holds the values of earlier calibrations, oldest first, and the interval covers them.
    """

    value: float | None
    unit: str
    origin: str
    source: str
    low: float | None = None
    high: float | None = None
    method: str = ""
    verdict: str = ""
    earlier: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "earlier", tuple(self.earlier))  # JSON has lists
        if self.origin not in ORIGINS:
            raise SpeLabError(f"origin must be one of {', '.join(ORIGINS)}, got {self.origin!r}")


@dataclass(frozen=True)
class Machine:
    """Facts (text, for provenance) and parameters (numbers, for models) of one machine."""

    facts: dict[str, Any]
    parameters: dict[str, Parameter]

    def parameter(self, name: str) -> Parameter:
        if name not in self.parameters or self.parameters[name].value is None:
            raise SpeLabError(
                f"the machine must have the parameter {name}, and this profile has"
                f" {', '.join(self.parameters) or 'none'}; write it anew"
            )
        return self.parameters[name]

    def value(self, name: str) -> float:
        return self.parameter(name).value

    def to_dict(self) -> dict[str, Any]:
        parameters = {name: asdict(p) for name, p in self.parameters.items()}
        return {"format": FORMAT, "facts": self.facts, "parameters": parameters}

    def save(self, path: Path) -> None:
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(Path(path), text + "\n", private=True)

    @classmethod
    def load(cls, path: Path) -> "Machine":
        """Load a machine saved earlier or elsewhere. Raise SpeLabError for any other file."""
        try:
            text = read_text(Path(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SpeLabError(
                f"the machine file must be readable text, got {path}: {error}; write one with spe-lab machine --json"
            ) from None
        return cls.from_dict(checked_json(text, SCHEMA, f"the machine file {path}"))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Machine":
        return cls(data["facts"], {name: Parameter(**fields) for name, fields in data["parameters"].items()})
