"""The JSON format of the reader's journal.

History: 1, the first. 2: `reader` holds the seed of the reader's numbers and how often new numbers were drawn for an
exercise; an answer to drawn numbers holds their draw and the question.
"""

from typing import Any

FORMAT = 2

_TIME = {"type": "string", "format": "date-time"}
_NUMBER = {"type": ["number", "null"]}
_VALUES = {
    "type": "object",
    "required": ["time", "values", "words"],
    "properties": {
        "time": _TIME,
        "words": {"type": "string"},
        "values": {
            "type": "object",
            "properties": {
                "low": {"type": "number"},
                "high": {"type": "number"},
                "order": {"type": "array", "items": {"type": ["string", "number"]}},
                "knots": {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                },
                "within": {"type": "number"},
                "name": {"type": "string"},
                "choice": {"type": "string"},
            },
        },
    },
}
_SCORED = {
    "type": ["object", "null"],
    "required": ["time", "said", "right", "of", "value", "low", "high", "source", "machine"],
    "properties": {
        "time": _TIME,
        "said": {"type": "string"},
        "right": {"type": "integer", "minimum": 0},
        "of": {"type": "integer", "minimum": 0},
        "value": _NUMBER,
        "low": _NUMBER,
        "high": _NUMBER,
        "score": _NUMBER,
        "source": {"type": "string"},
        "machine": {"type": "string"},
    },
}
_PREDICTION = {
    "type": "object",
    "required": ["lab", "kind", "asked", "settings", "unit", "committed", "revised", "scored"],
    "properties": {
        "lab": {"type": "string"},
        "kind": {"type": "string"},
        "asked": {"type": "string"},
        "settings": {"type": "object"},
        "unit": {"type": "string"},
        "committed": {"anyOf": [{"type": "null"}, _VALUES]},
        "revised": {"type": "array", "items": _VALUES},
        "scored": _SCORED,
    },
    "anyOf": [{"properties": {"committed": {"type": "object"}}}, {"properties": {"revised": {"minItems": 1}}}],
}
_ANSWER = {
    "type": "object",
    "required": ["time", "answer", "state", "reason"],
    "properties": {
        "time": _TIME,
        "state": {"type": "string"},
        "reason": {"type": "string"},
        "draw": {"type": "integer", "minimum": 0},
        "question": {"type": "string"},
    },
}
_EXERCISE = {
    "type": "object",
    "required": ["last", "right", "verdicts"],
    "properties": {
        "last": _ANSWER,
        "right": {"anyOf": [{"type": "null"}, _ANSWER]},
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["time", "state"],
                "properties": {"time": _TIME, "state": {"type": "string"}},
            },
        },
    },
}
JOURNAL = {
    "type": "object",
    "required": ["format", "shown", "predictions", "exercises"],
    "properties": {
        "format": {"enum": [1, FORMAT]},
        "shown": {"type": "object", "additionalProperties": _TIME},
        "predictions": {"type": "object", "additionalProperties": _PREDICTION},
        "exercises": {"type": "object", "additionalProperties": _EXERCISE},
        "reader": {
            "type": "object",
            "required": ["seed", "draws"],
            "properties": {
                "seed": {"type": ["integer", "null"]},
                "draws": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
            },
        },
    },
}


def empty() -> dict[str, Any]:
    """Return a journal without entries."""
    return {"format": FORMAT, "shown": {}, "predictions": {}, "exercises": {}, "reader": {"seed": None, "draws": {}}}


def upgraded(data: dict[str, Any]) -> dict[str, Any]:
    """Return a journal of any format in the present one."""
    return empty() | data | {"format": FORMAT}
