"""What compiler and linker say about a cell, message by message: gcc, clang, and the linkers of GNU and LLVM."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spe_lab.core.c.source_text import active, line_of

_DIAGNOSTIC = re.compile(
    r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:\d+:)? (?P<kind>fatal error|error|warning|note): (?P<text>.*)"
)
# With a line as `…/own.c:4: undefined reference to `f'`; without -g as `own.c:(.text+0xf): undefined reference …`.
_UNDEFINED = re.compile(
    r"(?:\S*(?:ld|lld|mold)\S*: (?:error: )?)?(?:[^:\s]+\.o:)?(?:(?P<file>/[^:\n]*):(?P<line>\d+): )?"
    r"(?:\S+:(?:function \w+)?(?:\(\S+\))?: (?:error: )?)?(?P<text>undefined (?:reference to|symbol:) .*)"
)
_REFERENCED = re.compile(r">>> referenced by .*?(?P<file>/[^:()\n]*):(?P<line>\d+)\b.*")  # lld's second line
_UNDEFINED_NAME = re.compile(r"undefined (?:reference to|symbol:) [`'‘]?(\w+)")
_INCLUDED = re.compile(r"(?:In file included|\s+) from (?P<file>[^:\n]+):(?P<line>\d+)")
_EXPANDED = re.compile(r"in expansion of macro\b")
# Lines that belong to no message: `own.c: In function 'f':`, `cc1: some warnings …`, `2 errors generated.`
_BETWEEN = re.compile(r"\S*(?:cc1?|collect2|clang|gcc|ld|make)\S*: |\S+: (?:In|At) |\d+ .* generated|compilation ")


@dataclass(frozen=True)
class Diagnostic:
    """A compiler message.

    `line` is a line of the cell, or 0 if unknown. For a fault in an included file it is the #include, or the use of the
    macro that is defined there; `place` names file and line there. `excerpt` is the source line with a caret below the
    place.
    """

    kind: str
    line: int
    text: str
    excerpt: str
    place: str = ""

    def __str__(self) -> str:
        head = f"line {self.line}: " if self.line else ""
        message = f"{head}{self.kind}: {f'in {self.place}: ' if self.place else ''}{self.text}"
        return f"{message}\n{self.excerpt}" if self.excerpt else message

    @property
    def undefined(self) -> str:
        """The name that the linker does not find, or an empty string."""
        return match[1] if (match := _UNDEFINED_NAME.match(self.text)) else ""


@dataclass
class _Message:
    """A message as it was printed; `included` is the cell's line that leads to another file."""

    kind: str
    file: str
    line: int
    text: str
    included: int
    excerpt: list[str] = field(default_factory=list)


def diagnostics(output: str, source: Path, text: str = "") -> list[Diagnostic]:
    """Return the messages about `source`, notes included, in their order and without repetitions.

    `text` is the cell's own text, if the source has code of ours behind it.
    """
    messages = _messages(output, source)
    for i, message in enumerate(messages):  # gcc shows the macro's definition, and the use of it in notes behind
        if message.file != str(source) and message.kind != "note":
            message.included = _expansion(messages[i + 1 :], str(source)) or message.included
    if not text and source.is_file():
        text = source.read_text(encoding="utf-8", errors="replace")
    return list(dict.fromkeys(_diagnostic(message, source, text) for message in messages))


def _messages(output: str, source: Path) -> list[_Message]:
    found: list[_Message] = []
    included = 0
    for line in output.splitlines():
        if via := _INCLUDED.match(line):
            included = int(via["line"]) if via["file"] == str(source) else included
        elif match := _DIAGNOSTIC.fullmatch(line):
            found.append(_Message(match["kind"], match["file"], int(match["line"]), match["text"], included))
        elif "undefined" in line and (match := _UNDEFINED.fullmatch(line)):
            found.append(_Message("error", match["file"] or "", int(match["line"] or 0), match["text"], 0))
        elif (match := _REFERENCED.fullmatch(line)) and found and not found[-1].file:
            found[-1].file, found[-1].line = match["file"], int(match["line"])
        elif found and _continues(line, found[-1]):
            found[-1].excerpt.append(line)
    return found


def _continues(line: str, message: _Message) -> bool:
    """Return True if the line shows the source of a message: gcc indents it, clang 14 shows it as it is written."""
    if line.startswith((" ", "\t")):
        return True
    if message.excerpt:
        return line.startswith(("^", "~"))
    return message.line > 0 and bool(line) and not _BETWEEN.match(line) and not line.startswith(">>>")


def _expansion(following: Sequence[_Message], source: str) -> int:
    """Return the line of the cell that uses the macro in which the error before these messages lies; 0 if none does."""
    for message in following:
        if message.kind != "note":
            break
        if message.file == source and _EXPANDED.match(message.text):
            return message.line
    return 0


def _diagnostic(message: _Message, source: Path, text: str) -> Diagnostic:
    excerpt = "\n".join(message.excerpt)
    if not message.file:
        made = Diagnostic(message.kind, 0, message.text, "")
        return Diagnostic(message.kind, _use(made.undefined, text), message.text, "")
    if message.file == str(source):
        # What our own code behind the cell's says is told of the cell's last line.
        last = text.rstrip("\n").count("\n") + 1 if text else message.line
        return Diagnostic(message.kind, min(message.line, last), message.text, excerpt)
    place = f"{Path(message.file).name}, line {message.line}"
    return Diagnostic(message.kind, message.included, message.text, excerpt, place)


def _use(name: str, text: str) -> int:
    """Return the first line that calls a function inside another one; 0 if none does."""
    shown = active(text)
    uses = (match.start() for match in re.finditer(rf"\b{re.escape(name)}\s*\(", shown))
    inside = (at for at in uses if shown.count("{", 0, at) > shown.count("}", 0, at))
    return next((line_of(text, at) for at in inside), 0)
