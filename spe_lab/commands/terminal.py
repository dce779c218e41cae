"""What commands share: progress on a terminal, NAME=VALUE, JSON."""

import json
import sys

from spe_lab.core import streams
from spe_lab.core.errors import SpeLabError


def show_progress(progress: float | None, text: str = "") -> None:
    """Show how much is done, if standard error is a terminal; None clears the line."""
    if sys.stderr.isatty():
        line = "" if progress is None else f"measuring {progress:4.0%} {text}"
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def assignment(option: str, text: str, example: str = "size=64KiB") -> tuple[str, str]:
    """Return the name and the value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise SpeLabError(f"{option} must be NAME=VALUE, got {text!r}; write for example {option} {example}")
    return name.strip(), value.strip()


def print_json(data: object) -> None:
    """Print data, or a text that is JSON already."""
    text = data if isinstance(data, str) else json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    print(streams.json_for(sys.stdout, text))
