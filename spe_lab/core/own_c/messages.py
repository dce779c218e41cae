"""Messages about compiler errors and crashes: line of the cell, element of the array, and cure."""

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

_STACK_REACH = 128 << 20  # the gap that Linux leaves below the stack limit
_NO_ADDRESS = 128  # siginfo's code if the processor reports no address (x86: a non-canonical address)
_DIAGNOSTIC = re.compile(
    r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:\d+:)? (?P<kind>fatal error|error|warning|note): (?P<text>.*)"
)
_UNDEFINED = re.compile(
    r"(?:\S*ld(?:\.lld)?: (?:error: )?)?(?P<file>/[^:\n]*):(?P<line>\d+): (?P<text>undefined reference to .*)"
)
_INCLUDED = re.compile(r"(?:In file included|\s+) from (?P<file>[^:\n]+):(?P<line>\d+)")
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class Sentence:
    """An exception that a notebook shows without the traceback, which has only calls of this library."""

    def _render_traceback_(self) -> list[str]:
        first, *rest = str(self).splitlines()
        return [f"{_RED}{first}{_PLAIN}", *rest]


class CellError(Sentence, SpeLabError):
    """A fault in the reader's C or in a call of it, which the reader can correct."""


class Stopped(Sentence, KeyboardInterrupt):
    """The reader stopped a call. It is a KeyboardInterrupt, so that handlers of interrupts still catch it."""


@dataclass(frozen=True)
class Diagnostic:
    """A compiler message.

    `line` is a line of the cell; for a fault in an included file it is the #include, and `place` names file and line
    there. `excerpt` is the source line with a caret below the place.
    """

    kind: str
    line: int
    text: str
    excerpt: str
    place: str = ""

    def __str__(self) -> str:
        message = f"line {self.line}: {self.kind}: {f'in {self.place}: ' if self.place else ''}{self.text}"
        return f"{message}\n{self.excerpt}" if self.excerpt else message


def diagnostics(output: str, source: Path) -> list[Diagnostic]:
    """Return the compiler's messages about `source`, notes included, in its order and without repetitions."""
    found: list[tuple[re.Match, int, list[str]]] = []
    included = 0
    for line in output.splitlines():
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


def refused(name: str, output: str, source: Path) -> CellError:
    """Return the error for a cell that does not compile: the errors with their notes, no warnings."""
    shown: list[Diagnostic] = []
    of_error = False  # whether a note would belong to an error
    for message in diagnostics(output, source):
        if "error" in message.kind or (message.kind == "note" and of_error):
            shown.append(message)
        of_error = message.kind != "warning" and (message.kind != "note" or of_error)
    errors = sum("error" in message.kind for message in shown)
    rule = f"the C of {name} must compile"
    if not errors:  # messages of the linker, or of a compiler with another format
        return CellError(f"{rule}; the compiler says:\n{output.strip().replace(str(source), name)}")
    return CellError("\n".join([f"{rule}; {errors} error{'s' if errors > 1 else ''}:", *map(str, shown)]))


@dataclass(frozen=True)
class Memory:
    """A block of memory that the C code received: an array of `count` elements, or a structure."""

    name: str
    address: int
    element_bytes: int
    count: int


@dataclass(frozen=True)
class Crash:
    """A crash as the process reported it; `frames` are the return addresses, the innermost first."""

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
    """Return the error for a reported crash.

    - place: function and line, or empty strings
    - memory: blocks that the C code received
    - stack_top: address of the stack's end
    - limit: bytes that the call may allocate
    """
    name = signal.Signals(crash.signal).name
    where, line = place
    at = f"{function} crashed{f' in {where}' if where not in ('', function) else ''}{f' in {line}' if line else ''}"
    if crash.signal in (signal.SIGSEGV, signal.SIGBUS):
        return CellError(f"{at}: {_address(crash, name, memory, stack_top, limit)}")
    reason = {
        "SIGFPE": "it divided an integer by zero (SIGFPE); test the divisor first",
        "SIGABRT": "it aborted itself (SIGABRT: abort, a failed assert, or a damaged heap); read its output",
        "SIGILL": "it ran an invalid instruction (SIGILL); the compiler puts one where C's behaviour is undefined",
        "SIGTRAP": "it ran into a trap (SIGTRAP); the compiler puts one where C's behaviour is undefined",
    }[name]
    return CellError(f"{at}: {reason}")


def _address(crash: Crash, name: str, memory: Sequence[Memory], stack_top: int, limit: int) -> str:
    if 0 < stack_top - crash.address < _STACK_REACH + (64 << 20):
        return f"stack overflow ({name}); end the recursion, or take a large array from Python instead of the stack"
    if crash.code == _NO_ADDRESS:
        return f"it followed a pointer that is no address ({name}); look for a pointer that was never set"

    def outside(block: Memory) -> float:
        """Bytes from the block to the address; negative inside the block."""
        half = block.element_bytes * block.count / 2
        return abs(crash.address - block.address - half) - half

    block = min(memory, key=outside, default=None)
    if block and outside(block) <= 2 * mmap.PAGESIZE:
        index, count = (crash.address - block.address) // block.element_bytes, block.count
        held = f"{block.name} has {count} element{'s' if count != 1 else ''}"
        cure = f"keep indexes {f'from 0 to {count - 1}' if count else 'out of it'}"
        return f"it reached for {block.name}[{index}], and {held} ({name}); {cure}"
    if crash.address < mmap.PAGESIZE:
        asked = f"malloc returns one for more than {units.render(limit, 'B')}"
        return f"it followed a null pointer ({name}); test pointers before use ({asked})"
    return f"it accessed memory that is not its own ({name}); look for a pointer or an index that leaves its array"


def place(library: Path, span: tuple[int, int], frames: Sequence[int], source: Path) -> tuple[str, str]:
    """Return function and line of the innermost call in the reader's library; empty strings if unknown."""
    # The first two frames are the signal handler's, the third is the place of the crash, the others return addresses.
    found = next(((i, at) for i, at in enumerate(frames) if i >= 2 and span[0] <= at < span[1]), None)
    if found is None or shutil.which("addr2line") is None:
        return "", ""
    i, at = found
    command = ["addr2line", "-f", "-i", "-e", str(library), hex(at - span[0] - (1 if i > 2 else 0))]
    try:
        done = subprocess.run(command, capture_output=True, timeout=5, check=False)
        lines = done.stdout.decode(errors="replace").splitlines()
    except subprocess.TimeoutExpired:
        return "", ""
    position = re.match(r"(.+):(\d+)", lines[1]) if len(lines) > 1 else None
    if position is None:
        return "", ""
    file = Path(position[1]).name
    return lines[0], f"line {position[2]}" if file == source.name else f"{file}, line {position[2]}"
