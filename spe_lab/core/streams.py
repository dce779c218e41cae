"""The standard streams of a process, made usable whatever state they were handed over in.

They may be closed (`spe-lab labs >&-`), or have an encoding that lacks our characters (PYTHONIOENCODING=ascii, the C
locale).
"""

import codecs
import os
import re
import sys
import unicodedata
from typing import Any

# A unit must not become another one or a question mark: 12 µs is "12 us".
_SPELLED = {"µ": "u", "μ": "u", "€": "EUR", "²": "^2", "³": "^3", "×": "x", "÷": "/", "−": "-", "–": "-", "±": "+-"}
_SPELLED |= {"→": "->", "←": "<-", "…": "...", "≤": "<=", "≥": ">=", "≈": "~", "·": "|", "∞": "inf"}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (\w+)")


def fill_descriptors() -> None:
    """Open /dev/null as descriptor 0, 1 or 2 where it is closed.

    Otherwise the next file or pipe takes its number, and a child process that gets standard streams loses that pipe.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the system gives the lowest free number


def prepare() -> None:
    """Make the standard streams of this process usable; call it first, before anything opens a file."""
    fill_descriptors()
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - stays open
    codecs.register_error("spelled", _spelled)
    for stream in (sys.stdout, sys.stderr):
        # Another handler is the reader's choice (PYTHONIOENCODING=ascii:ignore), but for standard error Python's own.
        chosen = stream is not sys.stderr and stream.errors not in ("strict", "surrogateescape")
        if hasattr(stream, "reconfigure") and not chosen:  # a notebook's streams hold any text
            stream.reconfigure(errors="spelled")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Return ASCII for the characters that an encoding lacks, and where to go on: a handler of encoding errors."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_in_ascii, error.object[error.start : error.end])), error.end


def _in_ascii(character: str) -> str:
    """Return ASCII for a character; "?" if there is nothing better.

    >>> [_in_ascii(character) for character in "µρΦ⌈"]
    ['u', 'rho', 'Phi', '?']
    """
    if character in _SPELLED:
        return _SPELLED[character]
    if greek := _GREEK.fullmatch(unicodedata.name(character, "")):
        return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
    return "?"


def json_for(stream: Any, text: str) -> str:
    """Return this JSON as it is for a stream in UTF-8, else with \\u escapes, so that nothing is lost."""
    encoding = codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name
    if encoding == "utf-8":
        return text
    # Only strings hold other characters than ASCII, and there JSON has an escape for each.
    return "".join(character if character.isascii() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    """Return the escape of a character; two, of a surrogate pair, beyond U+FFFF."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
