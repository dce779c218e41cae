"""The cure for a name that a cell uses and does not declare: a header, a move, or another spelling."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from spe_lab.core.c.source_text import Declarations, active, line_of
from spe_lab.core.own_c.headers import Unknown, header_of

_NAME = r"['‘](\w+)['’]"
_UNDECLARED = [  # by what is missing; the words are those of gcc, and of clang until and from version 16
    ("function", rf"implicit declaration of function {_NAME}"),
    ("function", rf"implicitly declaring library function {_NAME}"),
    ("function", rf"call to undeclared (?:library )?function {_NAME}"),
    ("name", rf"{_NAME} undeclared"),
    ("name", rf"use of undeclared identifier {_NAME}"),
    ("type", rf"unknown type name {_NAME}(?!; use )"),  # after "use", gcc names the cure itself
]
_INCOMPLETE = re.compile(r"incomplete|undefined type|never completed|storage size of")
_TAG = re.compile(r"\b(struct|union)\s+(\w+)")
_SUGGESTED = re.compile(r"did you mean ['‘](\w+)['’]")
_NOTED_HEADER = re.compile(r"include (?:the header )?['‘]?(<[\w./]+>)")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(<[^>\n]+>|\"[^\"\n]+\")", re.MULTILINE)
_ALL = "#define _GNU_SOURCE as the first line of the cell"
_KEYWORDS = ("asm", "typeof")  # of GNU C, which -std=c11 and the like hide


class Undeclared(NamedTuple):
    """What an error calls undeclared: its `kind` is "function", "name", "type" or "structure"."""

    name: str
    kind: str
    suggested: str

    @property
    def fault(self) -> str:
        return f"{self.name} is not {'defined' if self.kind == 'structure' else 'declared'}"


def undeclared(message: str, excerpt: str) -> Undeclared | None:
    """Return what an error calls undeclared; None for other errors.

    For a variable of an unknown structure, gcc names the variable; the source line in `excerpt` has the structure.
    """
    suggested = _SUGGESTED.search(message)
    for kind, pattern in _UNDECLARED:
        if match := re.match(pattern, message):
            return Undeclared(match[1], kind, suggested[1] if suggested else "")
    if _INCOMPLETE.search(message) and (tag := _TAG.search(message) or _TAG.search(excerpt)):
        return Undeclared(f"{tag[1]} {tag[2]}", "structure", "")
    return None


def follows(missing: Undeclared, earlier: Iterable[Undeclared], text: str) -> bool:
    """Return True if the name is undeclared only because its type is: clang takes `FILE *f` for a product."""
    types = "|".join(re.escape(each.name) for each in earlier if each.kind in ("name", "type"))
    return bool(types) and bool(re.search(rf"\b(?:{types})[\s*]+{re.escape(missing.name)}\b", active(text)))


def cure(missing: Undeclared, line: int, text: str, flags: Sequence[str], notes: Sequence[str]) -> str:
    """Return in one sentence what is missing and what to write; an empty string if the compiler cannot be asked.

    - line: of the cell, where the name is used
    - text: the cell's source
    - flags: of the compiler; they decide what a header declares
    - notes: of the compiler, to this error
    """
    name, fault = missing.name, missing.fault
    shown = active(text)
    if own := Declarations(shown).find(name, _start(text, line)):
        prototype = ", or write its prototype there" if own[0] == "function" else ""
        there = f"{name} is declared in line {line_of(text, own[1])}, behind its use"
        return f"{there}; move that above line {line}{prototype}"
    if missing.kind != "function" and (tag := re.search(rf"\b(?:struct|union|enum)\s+{name}\b", shown)):
        return f"{fault} as a type of its own; write {tag[0]}"
    if name in _KEYWORDS:
        return f"{fault}, since it is no word of standard C; write __{name}__, or leave out -std"
    included = {
        match[1]: line_of(text, match.start())
        for match in reversed([*_INCLUDE.finditer(text)])
        if "#" in shown[match.start() : match.end()]
    }
    try:
        plain, all_declared = _header(missing, flags), None
        if plain is None or included.get(plain[0], line) < line:
            others = [flag for flag in flags if not flag.startswith(("-std", "-ansi"))]  # they matter no longer
            all_declared = _header(missing, [*others, "-std=gnu11", "-D_GNU_SOURCE"])
    except Unknown:
        return ""
    if all_declared:
        header = all_declared[0]
        below = "" if included.get(header, line) < line else f", and #include {header} below it"
        return f"{fault}, since {header} hides it without _GNU_SOURCE; write {_ALL}{below}"
    noted = next((match[1] for note in notes if (match := _NOTED_HEADER.search(note))), None)
    header, kind = plain or (noted, missing.kind)
    if header is None:
        suggested = f" ({missing.suggested}?)" if missing.suggested else ""
        lost = "definition" if missing.kind in ("function", "structure") else "declaration"
        return f"{fault}: its name is misspelt{suggested}, or its {lost} is missing"
    verb, place = ("move", "to") if header in included else ("write", "at")
    write = f"{verb} #include {header} {place} the top of the cell"
    if missing.kind == "name" and (kind == "function" or len(name) == 1):  # rather a variable: y1, index, I
        return f"{fault}; declare it, or {write} if the {name} of C's library is meant"
    return f"{fault}; {write}"


def _header(missing: Undeclared, flags: Sequence[str]) -> tuple[str, str] | None:
    found = header_of(missing.name, flags)
    return None if found and missing.kind == "type" and found[1] in ("function", "enumerator") else found


def _start(text: str, line: int) -> int:
    """Return the position at which a line begins."""
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1])
