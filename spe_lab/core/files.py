"""Files: JSON validated against a schema, text read up to a size limit, and atomic writes."""

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

# Largest file that is read: a year's journal has some hundred KiB, a sweep of thousands of runs some MiB.
MOST_BYTES = 256 << 20


def notebooks() -> Path:
    """Return the folder of the workbook: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).parents[1]
    return package / "notebooks" if (package / "notebooks").is_dir() else package.parent / "notebooks"


def checked_json(text: str, schema: dict[str, Any], origin: str) -> dict[str, Any]:
    """Parse JSON and validate it. The SpeLabError says what is wrong with `origin`, and where."""
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
    """Return a validator for this schema. Compiling one takes longer than all its checks."""
    import fastjsonschema

    return fastjsonschema.compile(json.loads(schema))


def read_text(path: Path) -> str:
    """Return the file's text. Raise OSError beyond MOST_BYTES: a device such as /dev/zero never ends."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"longer than {MOST_BYTES >> 20} MiB", str(path))
    return content.decode()


def write_atomically(path: Path, content: str | bytes, private: bool = False) -> None:
    """Write `path` completely or not at all: after a full disk or an interruption, the old file remains.

    Only the owner can read a `private` file.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        mode = 0o600 if private else 0o666
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None  # the reader does not know the temporary name
        raise


def plain_number(value: float) -> float | None:
    """Return the unrounded number for JSON, or None (null) if it is not finite: JSON has no NaN."""
    return float(value) if math.isfinite(value) else None


def plain(values: Any) -> list:
    """Return an array of any shape for JSON: nested lists, with None for values that are not finite."""
    return [plain(value) if np.ndim(value) else plain_number(value) for value in values]
