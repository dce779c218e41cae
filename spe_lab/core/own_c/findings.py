"""What `spe-lab time` and `spe-lab versus` find, and its JSON.

JSON holds one object. `points` has one entry for each value of --over, or one. Times are in ns, ratios are the time of
the second version over that of the first, and an unknown number is null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spe_lab.core.c import native
from spe_lab.core.c.ctype import Function
from spe_lab.core.files import plain, plain_number
from spe_lab.core.lab import version
from spe_lab.core.own_c import timing
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.side_by_side import Times
from spe_lab.core.own_c.versus import VERDICTS, Interval

FORMAT = 1
UNEQUAL = "unequal"

_NUMBER = {"type": ["number", "null"]}
_INTERVAL = {
    "type": "object",
    "required": ["value", "low", "high"],
    "properties": {"value": _NUMBER, "low": _NUMBER, "high": _NUMBER},
    "additionalProperties": False,
}
_TIME = {
    "type": "object",
    "required": ["value", "low", "high", "builds", "spread", "kept", "tried"],
    "properties": {
        "value": _NUMBER,
        "low": _NUMBER,
        "high": _NUMBER,
        "builds": {"type": "array", "items": _NUMBER},  # of each build
        "spread": _NUMBER,  # of the slowest build over the fastest, less 1
        "kept": {"type": "integer", "minimum": 0},
        "tried": {"type": "integer", "minimum": 0},
    },
    "additionalProperties": False,
}
_POINT = {
    "type": "object",
    "required": ["arguments", "times", "ratio", "verdict", "difference", "rounds", "notes", "provenance"],
    "properties": {
        "arguments": {"type": "object"},  # words, as they were given
        "times": {"type": "array", "items": _TIME},  # of each version; empty if the versions are unequal
        "ratio": {"oneOf": [_INTERVAL, {"type": "null"}]},
        "verdict": {"enum": [*VERDICTS, UNEQUAL, None]},
        "difference": {"type": "string"},  # of unequal results, in words
        "rounds": {"type": "integer", "minimum": 0},
        "notes": {"type": "array", "items": {"type": "string"}},
        "provenance": {"type": "object"},
    },
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "required": [
        "format",
        "command",
        "function",
        "per",
        "unit",
        "versions",
        "threshold",
        "points",
        "status",
        "version",
    ],
    "properties": {
        "format": {"enum": [FORMAT]},
        "command": {"enum": ["time", "versus"]},
        "function": {"type": "string"},
        "per": {"enum": ["call", "unit of work"]},
        "unit": {"enum": ["ns"]},
        "versions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "compiler", "flags"],
                "properties": {"name": {"type": "string"}, "compiler": {"type": "string"}, "flags": {"type": "string"}},
            },
        },
        "threshold": _NUMBER,
        "points": {"type": "array", "items": _POINT},
        "status": {"enum": [0, 1, 3, 4]},
        "version": {"type": "string"},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Finding:
    """What was found for one choice of arguments.

    `times` is None if the results were unequal, and `difference` then says how. `verdict` is "" for one version.
    """

    words: Mapping[str, str]
    times: Times | None
    verdict: str = ""
    difference: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        times = self.times
        both = times is not None and bool(self.verdict)
        return {
            "arguments": dict(self.words),
            "times": [] if times is None else [_time_to_dict(times, i) for i in range(len(times.blocks))],
            "ratio": _interval_to_dict(times.ratio()) if both else None,
            "verdict": self.verdict or None,
            "difference": self.difference,
            "rounds": 0 if times is None else times.rounds,
            "notes": list(self.notes),
            "provenance": {} if times is None else dict(times.provenance),
        }


def report(
    function: str,
    cells: Mapping[str, Cell],
    threshold: float,
    found: Sequence[Finding],
    status: int,
) -> dict[str, Any]:
    """Return the JSON object for findings about a function of one cell or of two, under names for them.

    `status` is the exit status.
    """
    declared = next(iter(cells.values())).function(function).declared
    versions = [
        {"name": name, "compiler": native.compiler().version, "flags": " ".join(cell.flags)}
        for name, cell in cells.items()
    ]
    return {
        "format": FORMAT,
        "command": "time" if len(cells) == 1 else "versus",
        "function": function,
        "per": per(declared),
        "unit": "ns",
        "versions": versions,
        "threshold": None if len(cells) == 1 else threshold,
        "points": [finding.to_dict() for finding in found],
        "status": status,
        "version": version(),
    }


def per(function: Function) -> str:
    """Return what a time is for: a call, or a unit of work of a work kernel."""
    return "unit of work" if timing.is_work_kernel(function) else "call"


def _interval_to_dict(interval: Interval) -> dict[str, float | None]:
    return {name: plain_number(value) for name, value in vars(interval).items()}


def _time_to_dict(times: Times, version: int) -> dict[str, Any]:
    return {
        **_interval_to_dict(times.time(version)),
        "builds": plain(times.builds(version)),
        "spread": plain_number(times.spread(version)),
        "kept": int(times.kept[version]),
        "tried": int(times.tried[version]),
    }
