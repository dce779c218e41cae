"""The extents of a matrix parameter that debug information does not hold: `int a[n][m]` names them in the source."""

import re
from collections.abc import Mapping
from typing import Any

from spe_lab.core.c.ctype import Array, Parameter, Pointer


def inner_extents(source: str, parameter: Parameter, arguments: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return the extents of a row where they are names of other parameters, from these arguments; else None for each.

    >>> from spe_lab.core.c.ctype import Number
    >>> matrix = Parameter("a", Pointer(Array(Number("int", "int", 4), (None,))), "void *", line=1)
    >>> inner_extents("int sum(int n, int m, int a[n][m]) { … }", matrix, {"n": 2, "m": 3})
    (3,)
    """
    rows = parameter.type.target if isinstance(parameter.type, Pointer) else None
    if not isinstance(rows, Array) or None not in rows.shape:
        return ()
    lines = source.splitlines()
    text = " ".join(lines[parameter.line - 1 : parameter.line + 2]) if 0 < parameter.line <= len(lines) else ""
    text = text[max(0, parameter.column - 1) :] if parameter.column else text
    name = re.escape(parameter.name)
    extents = r"((?:\s*\[[^][]*\])+)"
    if found := re.search(rf"\(\s*\*\s*(?:\w+\s+)*{name}\s*\){extents}", f"(*{text}" if parameter.column else text):
        words = re.findall(r"\[([^][]*)\]", found[1])
    elif found := re.search(rf"\b{name}{extents}", text):
        words = re.findall(r"\[([^][]*)\]", found[1])[1:]
    else:
        return ()
    if len(words) != len(rows.shape):
        return ()
    values = [arguments.get(word.strip()) for word in words]
    return tuple(value if isinstance(value, int) and not isinstance(value, bool) else None for value in values)
