"""What the compiler and a crash have to say to the reader: the line of the cell, the element of the array, and the
cure.
"""

import mmap
import re
import shutil
import signal
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError

_STACK_REACH = 128 << 20  # Linux leaves this much room below the stack's limit
_NO_ADDRESS = 128  # siginfo's code where the processor does not tell it (x86: an address that is none)
_DIAGNOSTIC = re.compile(
    r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:\d+:)? (?P<kind>fatal error|error|warning|note): (?P<text>.*)"
)
_UNDEFINED = re.compile(
    r"(?:\S*ld(?:\.lld)?: (?:error: )?)?(?P<file>/[^:\n]*):(?P<line>\d+): (?P<text>undefined reference to .*)"
)
_INCLUDED = re.compile(r"(?:In file included|\s+) from (?P<file>[^:\n]+):(?P<line>\d+)")
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class Sentence:
    """An exception of which a notebook shows the text alone: the calls inside this library would
    tell a reader nothing.
    """

    def _render_traceback_(self) -> list[str]:
        first, *rest = str(self).splitlines()
        return [f"{_RED}{first}{_PLAIN}", *rest]


class CellError(Sentence, SpeLabError):
    """Something in the reader's C or its call that the reader can put right."""


class Stopped(Sentence, KeyboardInterrupt):
    """The reader stopped a call. Still an interrupt: what caught it before catches it now."""


@dataclass(frozen=True)
class Diagnostic:
    """A message of the compiler. `line` is the cell's, also for what is wrong in a file that the cell includes (then
    `place` names file and line there); `excerpt` is the compiler's: the source line and a caret below the place.
    """

    kind: str
    line: int
    text: str
    excerpt: str
    place: str = ""

    def __str__(self) -> str:
        said = f"line {self.line}: {self.kind}: {f'in {self.place}: ' if self.place else ''}{self.text}"
        return f"{said}\n{self.excerpt}" if self.excerpt else said


def diagnostics(said: str, source: Path) -> list[Diagnostic]:
    """The compiler's messages about `source`, notes among them, in its order; of two alike the first."""
    found: list[tuple[re.Match, int, list[str]]] = []
    included = 0
    for line in said.splitlines():
        if via := _INCLUDED.match(line):
            included = int(via["line"]) if via["file"] == str(source) else included
        elif message := _DIAGNOSTIC.fullmatch(line):
            found.append((message, included, []))
        elif undefined := _UNDEFINED.fullmatch(line):
            found.append((undefined, included, []))
        elif found and line.startswith(" "):
            found[-1][2].append(line)  # the source line, and a caret below the place
    return list(dict.fromkeys(_diagnostic(message, included, excerpt, source) for message, included, excerpt in found))


def _diagnostic(message: re.Match, included: int, excerpt: list[str], source: Path) -> Diagnostic:
    kind = message.groupdict().get("kind", "error")  # the linker does not say
    if message["file"] == str(source):
        return Diagnostic(kind, int(message["line"]), message["text"], "\n".join(excerpt))
    place = f"{Path(message['file']).name}, line {message['line']}"
    return Diagnostic(kind, included, message["text"], "\n".join(excerpt), place)


def refused(name: str, said: str, source: Path) -> CellError:
    """The error for a cell that does not compile: the errors with their notes. Warnings can wait: many follow from an
    error.
    """
    shown: list[Diagnostic] = []
    told = False  # whether a note would belong to an error
    for each in diagnostics(said, source):
        if "error" in each.kind or (each.kind == "note" and told):
            shown.append(each)
        told = each.kind != "warning" and (each.kind != "note" or told)
    errors = sum("error" in each.kind for each in shown)
    if not errors:  # the linker's words, or a compiler that writes otherwise
        return CellError(f"the C of {name} must compile; the compiler says:\n{said.strip().replace(str(source), name)}")
    return CellError(
        "\n".join([f"the C of {name} must compile; {errors} error{'s' if errors > 1 else ''}:", *map(str, shown)])
    )


@dataclass(frozen=True)
class Memory:
    """A block of memory that the C code was given: an array of `count` elements, or a structure."""

    name: str
    address: int
    element_bytes: int
    count: int


@dataclass(frozen=True)
class Crash:
    """What the process said of its crash."""

    signal: int
    code: int
    address: int
    frames: tuple[int, ...]

    @classmethod
    def read(cls, report: bytes) -> "Crash | None":
        numbers = struct.unpack(f"={len(report) // 8}q", report[: len(report) // 8 * 8])
        if len(numbers) < 3:
            return None
        address, *frames = (number % 2**64 for number in numbers[2:])
        return cls(numbers[0], numbers[1], address, tuple(frames))


def crashed(
    function: str, crash: Crash, place: tuple[str, str], memory: Sequence[Memory], stack_top: int, limit: int
) -> CellError:
    """The error for a crash that the process reported."""
    name = signal.Signals(crash.signal).name
    where, line = place
    at = f"{function} crashed{f' in {where}' if where not in ('', function) else ''}{f' in {line}' if line else ''}"
    if crash.signal in (signal.SIGSEGV, signal.SIGBUS):
        return CellError(f"{at}: {_address(crash, name, memory, stack_top, limit)}")
    reason = {
        "SIGFPE": "it divided an integer by zero (SIGFPE); test the divisor first",
        "SIGABRT": (
            "it aborted itself (SIGABRT: abort, a failed assert, or memory that free found damaged); what it printed"
            " says more"
        ),
        "SIGILL": (
            "it ran into an instruction that is none (SIGILL); the compiler puts one where C leaves the outcome"
            " undefined"
        ),
        "SIGTRAP": "it ran into a trap (SIGTRAP); the compiler puts one where C leaves the outcome undefined",
    }[name]
    return CellError(f"{at}: {reason}")


def _address(crash: Crash, name: str, memory: Sequence[Memory], stack_top: int, limit: int) -> str:
    if 0 < stack_top - crash.address < _STACK_REACH + (64 << 20):
        return f"stack overflow ({name}); end the recursion, or take a large array from Python instead of the stack"
    if crash.code == _NO_ADDRESS:
        return (
            f"it followed a pointer that is no address ({name}); look for a pointer that was never set, or overwritten"
        )
    near = [
        each
        for each in memory
        if -2 * mmap.PAGESIZE <= crash.address - each.address < each.element_bytes * each.count + 2 * mmap.PAGESIZE
    ]
    if near:
        each = min(
            near,
            key=lambda one: (
                abs(crash.address - one.address - one.element_bytes * one.count / 2) - one.element_bytes * one.count / 2
            ),
        )
        index = (crash.address - each.address) // each.element_bytes
        held = f"{each.name} has {each.count} element{'s' if each.count != 1 else ''}"
        return (
            f"it reached for {each.name}[{index}], and {held} ({name}); keep indexes"
            f" {f'from 0 to {each.count - 1}' if each.count else 'out of it'}"
        )
    if crash.address < mmap.PAGESIZE:
        asked = f"malloc returns one where more than {units.render(limit, 'B')} are asked for"
        return f"it followed a null pointer ({name}); test pointers before use ({asked})"
    return f"it reached for memory that is not its own ({name}); look for a pointer or an index that leaves its array"


def place(library: Path, span: tuple[int, int], frames: Sequence[int], source: Path) -> tuple[str, str]:
    """Function and line of the innermost call that lies in the reader's library; empty where that
    cannot be found out.
    """
    # The first two frames are the handler's, the third is the place itself, the others are where calls will return to.
    found = next(((i, at) for i, at in enumerate(frames) if i >= 2 and span[0] <= at < span[1]), None)
    if found is None or shutil.which("addr2line") is None:
        return "", ""
    i, at = found
    command = ["addr2line", "-f", "-i", "-e", str(library), hex(at - span[0] - (1 if i > 2 else 0))]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.splitlines()
    except subprocess.TimeoutExpired:
        return "", ""
    known = re.match(r"(.+):(\d+)", said[1]) if len(said) > 1 else None
    if known is None:
        return "", ""
    file = Path(known[1]).name
    return said[0], f"line {known[2]}" if file == source.name else f"{file}, line {known[2]}"
