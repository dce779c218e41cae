"""What the tables of the corpus are written with, and the form in which both routes print a value.

A file of the corpus is C as a reader pastes it. Below `#ifdef MAIN` stands a `main` that calls its functions and prints
what they give with show.h: the second route. The calls from Python stand in the calls.py of its folder:

    @example("trace.c")
    def trace(own):
        yield own.trace(np.eye(3))

Each value that is yielded is printed at once, with `shown`; what C printed itself is yielded as `own.output`. Members of
a dict are printed in its order, so that a table gives them as C declares them, or names them with `members`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CANNOT_RUN_HERE = 77  # exit status of a main whose instructions this processor does not have; as in show.h


@dataclass(frozen=True)
class Example:
    """Calls of a file's functions, in the order in which its `main` makes them."""

    file: str
    calls: Callable[[Any], Iterator[Any]]
    flags: tuple[str, ...] = ()
    needs: str = ""  # C that the compiler must accept; it skips the example otherwise


@dataclass(frozen=True)
class Refused:
    """A call that raises a CellError of one sentence with these words; other functions of the cell stay callable."""

    file: str
    call: Callable[[Any], Any]
    words: tuple[str, ...]
    begins: str = ""  # how the function's definition begins, whose line is named; empty for a fault of the arguments
    otherwise: Any = None  # what the call gives where its type can be taken


@dataclass(frozen=True)
class Rejected:
    """A file that is refused as a whole: the first two lines of the message have these words and the line."""

    file: str
    words: tuple[str, ...]
    line: int


def example(
    file: str, *, flags: Sequence[str] = (), needs: str = ""
) -> Callable[[Callable[[Any], Iterator[Any]]], Example]:
    """Make a generator function of calls an Example of `file`."""
    return lambda calls: Example(file, calls, tuple(flags), needs)


def members(record: Mapping[str, Any], *names: str) -> list[Any]:
    """Return the values of a dict in the order in which C declares its members, all of which must be named."""
    assert set(record) == set(names), f"{list(record)} are not {list(names)}"
    return [record[name] for name in names]


def shown(value: Any) -> str:
    """Return what show.h prints for a value: a line for each number or bytes object; text as it stands."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | np.bool_():
            return "true\n" if value else "false\n"
        case bytes() | bytearray():
            return f'"{"".join(map(_escaped, value))}"\n'
        case int() | np.integer():
            return f"{int(value)}\n"
        case np.longdouble():
            nearest = float(value)
            return f"{_real(nearest)} + {_real(float(value - nearest) if np.isfinite(nearest) else 0.0)}\n"
        case float() | np.floating():
            return f"{_real(float(value))}\n"
        case complex() | np.complexfloating():
            return f"{_real(float(value.real))} + i {_real(float(value.imag))}\n"
        case Mapping():
            return "".join(map(shown, value.values()))
        case np.void():
            return "".join(shown(value[name]) for name in value.dtype.names)
        case list() | tuple() | np.ndarray():
            return "".join(map(shown, value))
    raise TypeError(f"C gives no value of type {type(value).__name__}")


def _real(value: float) -> str:
    """Return the number as C's %a does: float.hex() without the zeros at the end of its fraction."""
    return re.sub(r"\.?0*p", "p", value.hex())


def _escaped(byte: int) -> str:
    character = chr(byte)
    return character if " " <= character <= "~" and character not in '"\\' else f"\\x{byte:02x}"
