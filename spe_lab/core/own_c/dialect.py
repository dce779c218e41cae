"""What is C++ in a cell, and what `inline` means in C: both look like C and fail at the compiler or the linker."""

import re

from spe_lab.core.c.source_text import Declarations, active, line_of, without_directives

_TYPE = r"(?:(?:int|double|float|char|bool|long|short|unsigned|auto|\w+_t)\s*|const\s+\w+\s*)"
_INLINE = {"inline", "__inline", "__inline__"}
_CPLUSPLUS = [
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^[ \t]*#[ \t]*include[ \t]*<\w+>",  # headers of C end in .h
        r"\busing\s+(?:namespace\s+\w+|\w+\s*=)",
        r"\bnamespace\s+\w*\s*\{",
        r"\btemplate\s*<",
        r"\b[A-Za-z_]\w*\s*::\s*\w+",
        r"\b(?:class|struct)\s+\w+\s*(?:final\s*)?:\s*(?:public|private|protected|virtual)?\s*[A-Za-z_]\w*",
        r"\bclass\s+\w+\s*[{;]",
        r"^[ \t]*(?:public|private|protected)\s*:",
        r"(?:=|\(|,|\breturn)\s*(new\s+[A-Za-z_]\w*)",
        r"\bdelete\s*(?:\[\s*\]\s*|\s)[A-Za-z_]\w*",
        rf"\b({_TYPE}&&?\s*[A-Za-z_]\w*)\s*[,)=;:{{]",
        r"\bc(?:out|err)\s*<<|\bcin\s*>>",
        r"\b(?:static|dynamic|reinterpret|const)_cast\s*<",
        r"\b(?:vector|array|unique_ptr|shared_ptr|map|pair|function)\s*<\s*\w+[^;&|]*>\s*&?\s*\w+",
        r"\boperator\s*(?:[-+*/%<>=!&|^~]+|\(\s*\)|\[\s*\])\s*\(",
        r"\[\s*[&=]?\s*\]\s*\([^()]*\)\s*(?:->\s*\w+\s*)?\{",
        r"\bfor\s*\(\s*(?:const\s+)?\w+\s*&?\s*\w+\s*:(?!:)",
        r"\}\s*(catch\s*\()|\btry\s*\{|\bdecltype\s*\(|\bvirtual\s+[\w*& ]+\w\s*\(",
        r"\bextern\s*\"\s*\"",
    )
]


def cplusplus(text: str) -> tuple[int, str] | None:
    """Return (line, what was seen) for the first C++ in text that does not compile as C; None without any.

    A guess from words that valid C may have as names, so ask only about text that the compiler refused.
    """
    shown = re.sub(r"\[\[[^][]*\]\]", lambda attribute: " " * len(attribute[0]), active(text))  # [[gnu::unused]] is C
    found = [match.span(match.lastindex or 0) for pattern in _CPLUSPLUS if (match := pattern.search(shown))]
    if not found:
        return None
    start, end = min(found)
    return line_of(text, start), " ".join(text[start:end].split())


def inline_only(text: str, name: str) -> str:
    """Return why C emits no function `name`, in one sentence; an empty string if `inline` is not the reason.

    C99, 6.7.4: if every declaration of a function has `inline` and none has `extern`, its definition is for inlining
    alone. A call that the compiler does not inline needs another definition, and the linker finds none.
    """
    shown = without_directives(active(text))
    declared = [at for kind, at in Declarations(shown).every(name) if kind == "function"]
    heads = [set(re.findall(r"\w+", re.split(r"[;{}]", shown[:at])[-1])) for at in declared]
    if any(words & {"static", "extern"} or not words & _INLINE for words in heads):
        return ""
    definition = next((at for at in declared if _has_body(shown, at)), None)
    if definition is None:
        return ""
    return (
        f"{name} is defined with inline alone (line {line_of(text, definition)}), for which C makes no function; write"
        " static inline if only this cell calls it, or leave inline out to call it from Python"
    )


def _has_body(shown: str, at: int) -> bool:
    """Return True if the declaration of a function whose name is at this position goes on with a body."""
    depth = 0
    for bracket in re.compile(r"[(){;,]").finditer(shown, at):
        depth += {"(": 1, ")": -1}.get(bracket[0], 0)
        if depth == 0 and bracket[0] in "{;,":
            return bracket[0] == "{"
    return False
