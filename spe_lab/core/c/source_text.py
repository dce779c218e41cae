"""C source as text: comments, literals and inactive lines blanked, so that a search finds only code.

Every function keeps positions and line numbers: what it removes becomes spaces.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice

_NO_CODE = re.compile(
    r"""//(?:\\\n|[^\n])* | /\*.*?(?:\*/|\Z) | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'?""", re.DOTALL | re.VERBOSE
)
_DIRECTIVE = re.compile(r"^[ \t]*(?:\#|%:)[ \t]*(\w*)((?:\\\n|[^\n])*)", re.MULTILINE)
_FOLLOWING = re.compile(r"\s*(__attribute__|__asm__|\W)")
_AFTER_DECLARATOR = (";", ",", "[", "=", "__attribute__", "__asm__")
_AFTER_ENUMERATOR = (",", "=", "}")
_NEAR = 400  # characters, more than stand between `enum` and its brace
_NEVER = re.compile(r"\s*(?:0|__cplusplus|defined\s*\(?\s*__cplusplus\s*\)?)\s*")  # conditions that are false in C


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def code(text: str) -> str:
    """Return `text` with comments and the contents of strings and character constants blanked."""

    def blanked(match: re.Match) -> str:
        piece = match[0]
        if piece[0] == "/" or len(piece) < 2:
            return _blank(piece)
        return piece[0] + _blank(piece[1:-1]) + piece[-1]

    return _NO_CODE.sub(blanked, text)


def active(text: str) -> str:
    """Return the code of `text` without the lines that no C compiler reads: `#if 0` and `#ifdef __cplusplus`."""
    shown = code(text)
    kept, at = [], 0
    branches: list[bool | None] = []  # of each open #if: whether its branch is left out; None: the condition is unknown
    for directive in _DIRECTIVE.finditer(shown):
        part = shown[at : directive.start()]
        kept.append(_blank(part) if True in branches else part)
        word, condition = directive[1], directive[2]
        if word in ("if", "ifdef", "ifndef"):
            branches.append(True if word != "ifndef" and _NEVER.fullmatch(condition) else None)
        elif word in ("else", "elif") and branches:
            branches[-1] = False if branches[-1] else None
        elif word == "endif" and branches:
            branches.pop()
        at = directive.start()
    kept.append(_blank(shown[at:]) if True in branches else shown[at:])
    return "".join(kept)


def without_directives(text: str) -> str:
    return _DIRECTIVE.sub(lambda directive: _blank(directive[0]), text)


def unnumbered(text: str) -> str:
    """Return C source without `#line` directives, so that every message counts the lines of `text` itself."""
    numbered = [
        directive.span()
        for directive in _DIRECTIVE.finditer(code(text))
        if directive[1] == "line" or directive[1].isdigit()
    ]
    for start, end in numbered:
        text = text[:start] + _blank(text[start:end]) + text[end:]
    return text


def _blank(text: str) -> str:
    return "\n".join(" " * len(line) for line in text.split("\n"))


class Declarations:
    """The declarations at file scope of C text that has neither comments nor string contents worth a search.

    Text that the compiler preprocessed with -dD will do, and `active` text: macros are found by their `#define`.
    """

    def __init__(self, text: str) -> None:
        self._code = without_directives(text)
        brackets = [(match.start(), match[0]) for match in re.finditer(r"[{}()]", self._code)]
        self._places = array("L", (place for place, _ in brackets))
        self._braces = array("h", [0, *accumulate({"{": 1, "}": -1}.get(bracket, 0) for _, bracket in brackets)])
        self._parentheses = array("h", [0, *accumulate({"(": 1, ")": -1}.get(bracket, 0) for _, bracket in brackets)])
        self._macros: dict[str, list[int]] = {}  # where each is defined, unless it was undefined later
        for directive in re.finditer(r"^[ \t]*#[ \t]*(define|undef)[ \t]+(\w+)", text, re.MULTILINE):
            if directive[1] == "define":
                self._macros.setdefault(directive[2], []).append(directive.start())
            else:
                self._macros.pop(directive[2], None)

    def find(self, name: str, after: int = 0) -> tuple[str, int] | None:
        """Return (kind, position) of the first declaration of `name` that begins after a position.

        The kind is "macro", "function", "object" (a type or a variable) or "enumerator"; for a `name` such as
        "struct timespec" it is "structure", and the declaration must define the members.
        """
        macros = [("macro", at) for at in self._macros.get(name, []) if at >= after]
        found = [*macros[:1], *islice(self.every(name, after), 1)]
        return min(found, key=lambda each: each[1], default=None)

    def every(self, name: str, after: int = 0) -> Iterator[tuple[str, int]]:
        """Yield (kind, position) of each declaration that is no macro."""
        pattern = re.compile(r"\s+".join(map(re.escape, name.split())) + r"\b")
        for use in pattern.finditer(self._code, after):
            if kind := self._kind(*use.span()):
                yield kind, use.start()

    def _kind(self, start: int, end: int) -> str:
        """Return the kind of declaration that the name between these positions has; an empty string for a use."""
        if self._code[start - 1 : start].isalnum() or self._code[start - 1 : start] == "_":
            return ""  # the end of a longer name; \b before a pattern makes a search of megabytes slow
        i = bisect_right(self._places, start)
        depth = (self._braces[i], self._parentheses[i])
        before = self._code[max(0, start - _NEAR) : start].rstrip()
        following = match[1] if (match := _FOLLOWING.match(self._code, end)) else ""
        if " " in self._code[start:end]:
            return "structure" if depth == (0, 0) and following in ("{", "__attribute__") else ""
        if (
            depth == (0, 0)
            and re.search(r"(?:\w|[*,)}])$", before)
            and not before.endswith(("struct", "union", "enum"))
        ):
            return "function" if following == "(" else "object" if following in _AFTER_DECLARATOR else ""
        if depth == (0, 1) and following == ")" and re.search(r"\(\s*\*$", before):
            return "object"  # typedef int (*name)(…)
        if depth == (1, 0) and following in _AFTER_ENUMERATOR:
            opening = self._code.rfind("{", 0, start)
            head = self._code[max(0, opening - _NEAR) : opening]
            return "enumerator" if re.search(r"\benum\b[^;{}()]*$", head) else ""
        return ""
