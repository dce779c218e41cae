"""Files: JSON checked against a schema, text read within a limit, and files written whole or not at all."""

import contextlib
import errno
import json
import math
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spe_lab.core.errors import SpeLabError

MOST_BYTES = (
    256 << 20
)  # of a file that is read; a year's journal has some hundred KiB, a sweep of thousands of runs some MiB


def checked_json(text: str, schema: dict[str, Any], origin: str) -> dict[str, Any]:
    """Parses and checks; says in one sentence what is wrong with `origin` and where."""
    import fastjsonschema

    def refused(name: str):
        raise ValueError(f"{name:.40} is not a finite number")

    def real(digits: str) -> float:
        return value if math.isfinite(value := float(digits)) else refused(digits)

    def whole(digits: str) -> int:
        return int(digits) if math.isfinite(float(digits)) else refused(digits)

    try:
        data = json.loads(text, parse_constant=refused, parse_float=real, parse_int=whole)
        _checker(json.dumps(schema))(data)
    except fastjsonschema.JsonSchemaValueException as error:
        place = "/".join(str(part) for part in error.path[1:]) or "the top level"
        raise SpeLabError(
            f"{origin} must follow the format of SPE Lab: at {place}, {error.message[:200]}; write it anew"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SpeLabError(f"{origin} must be JSON as SPE Lab writes it: {error}; write it anew") from None
    return data


@cache
def _checker(schema: str):
    """A function that checks data; compiling one takes longer than all it will check."""
    import fastjsonschema

    return fastjsonschema.compile(json.loads(schema))


def read_text(path: Path) -> str:
    """The file's text; OSError beyond MOST_BYTES, since a device such as /dev/zero never ends."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"longer than {MOST_BYTES >> 20} MiB", str(path))
    return content.decode()


def write_atomically(path: Path, content: str | bytes, private: bool = False) -> None:
    """Writes `path` whole or not at all: a full disk or an interruption leaves the old file, and no partial one.

    A `private` file is for nobody but its owner.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(
            temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o600 if private else 0o666)
        ) as file:
            file.write(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None  # the reader knows nothing of the other name
        raise


def plain_number(value: float) -> float | None:
    """JSON has no NaN: a value that is not to be had is null. Not rounded: what is derived from a loaded run must
    agree.
    """
    return float(value) if math.isfinite(value) else None


def plain(values: Any) -> list:
    """Numbers in an array of any shape as JSON has them: lists in lists, null for what is not finite."""
    return [plain(value) if np.ndim(value) else plain_number(value) for value in values]
