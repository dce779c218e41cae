"""Messages about compiler errors and crashes: line of the cell, element of the array, and cure."""

import mmap
import re
import shutil
import signal
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c import dialect
from spe_lab.core.own_c.diagnostics import Diagnostic, diagnostics
from spe_lab.core.own_c.undeclared import Undeclared, cure, follows, undeclared

_STACK_REACH = 128 << 20  # the gap that Linux leaves below the stack limit
_NO_ADDRESS = 128  # siginfo's code if the processor reports no address (x86: a non-canonical address)
_OPTIONS = re.compile(
    r"^(?:\S+: )?(?:fatal )?error: (?!ld returned|linker command)(.*)", re.MULTILINE
)  # no file, no line
_OF_CPLUSPLUS = 2  # errors of C++ that are shown: all others follow from its being C++
_OF_CLANG = "expression is not assignable"  # what clang says of size_t n = 1 after it has taken size_t for sizeof
_Noted = tuple[Diagnostic, list[Diagnostic]]  # an error and its notes
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


def refused(
    name: str, output: str, source: Path, flags: Sequence[str] = native.CELL_FLAGS, text: str = ""
) -> CellError:
    """Return the error for a cell that does not compile: the errors with their notes and cures, no warnings.

    - name: of the cell
    - output: messages of the compiler or of the linker
    - source, flags: what was compiled, and how
    - text: the cell's own text, if the source has code of ours behind it
    """
    text = text or source.read_text(encoding="utf-8", errors="replace")
    errors = _with_notes(diagnostics(output, source, text))
    if errors and (seen := dialect.cplusplus(text)):
        line, words = seen
        head = f"{name} must be C, since a cell compiles C, and line {line} is C++ ({words}); write it in C"
        return CellError(
            "\n".join([f"{head}. The compiler says:", *(str(error) for error, _ in errors[:_OF_CPLUSPLUS])])
        )
    rule = f"the C of {name} must compile"
    if errors := _causes(errors, text):
        shown = [line for error, notes in errors for line in _explained(error, notes, text, flags)]
        return CellError("\n".join([f"{rule}; {len(errors)} error{'s' if len(errors) > 1 else ''}:", *map(str, shown)]))
    if options := _OPTIONS.findall(output):
        return CellError(f"flags must be options of the compiler, and it says: {'; '.join(options)}; correct them")
    return CellError(f"{rule}; the compiler says:\n{output.strip().replace(str(source), name)}")


def _with_notes(messages: Sequence[Diagnostic]) -> list[_Noted]:
    """Return the errors, each with the notes that follow it."""
    found: list[_Noted] = []
    of_error = False  # whether a note would belong to an error
    for message in messages:
        if "error" in message.kind:
            found.append((message, []))
        elif message.kind == "note" and of_error:
            found[-1][1].append(message)
        of_error = message.kind != "warning" and (message.kind != "note" or of_error)
    return found


def _causes(errors: Sequence[_Noted], text: str) -> list[_Noted]:
    """Return the errors without those that another one brings about, and each undeclared name once a line."""
    kept: list[_Noted] = []
    earlier: dict[tuple[Undeclared, int], None] = {}
    for error, notes in errors:
        missing = undeclared(error.text, error.excerpt)
        if missing is None:
            if error.text != _OF_CLANG or error.line not in {line for _, line in earlier}:
                kept.append((error, notes))
        elif (missing, error.line) not in earlier and not follows(missing, [name for name, _ in earlier], text):
            kept.append((error, notes))
            earlier[missing, error.line] = None
    return kept


def _explained(error: Diagnostic, notes: Sequence[Diagnostic], text: str, flags: Sequence[str]) -> list[Diagnostic]:
    """Return an error and its notes; instead of the compiler's words, the cure if it is known."""
    if error.undefined:
        sentence = dialect.inline_only(text, error.undefined)
        if error.undefined.startswith("omp_"):
            sentence = f"{error.undefined} needs the library of OpenMP; write --flags -fopenmp behind %%c"
        return [replace(error, text=sentence or error.text), *notes]
    missing = undeclared(error.text, error.excerpt)
    sentence = missing and cure(missing, error.line, text, flags, [note.text for note in notes])
    if not sentence:
        return [error, *notes]
    shown = "\n".join(error.excerpt.splitlines()[:2])  # without gcc's suggestion of another name
    return [replace(error, text=sentence, excerpt=shown), *takewhile(lambda note: "macro" in note.text, notes)]


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
        return (
            f"it followed a pointer that is no address, or used an aligned vector instruction at an unaligned address"
            f" ({name}); look for a pointer that was never set, and load vectors unaligned (_mm256_loadu_pd)"
        )

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
