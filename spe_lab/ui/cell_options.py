"""The line behind `%%c`: a name, limits and options for the compiler, and a sentence for what makes no sense."""

import keyword
import re
import shlex
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from spe_lab.core.own_c.compiled import LIMIT_S
from spe_lab.core.own_c.messages import CellError

_EXAMPLES = {"--limit": "2s", "--memory": "64MiB", "--flags": "-O3 -march=native"}
_LIST = "--limit, --memory and --flags"
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:\\.|[^"\\])*"|'[^']*')+""")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<inside>.*)(?P=quote)""")
# Options of compilers whose value may be a word of its own.
_WITH_VALUE = frozenset({"-D", "-U", "-I", "-L", "-l", "-include", "-isystem", "-Xclang", "-mllvm", "--param"})


class OptionError(CellError):
    """Options of `%%c` that make no sense; `name` is the variable that the line names, if that can be read."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True)
class Options:
    """What stands behind `%%c`: limits with their units, and options for the compiler."""

    name: str = "cell"
    limit: str = f"{LIMIT_S:g}s"
    memory: str = "1GiB"
    flags: tuple[str, ...] = ()


def parse(line: str) -> Options:
    """Return the options of a line such as `own --limit 2s --flags -O3 -march=native`.

    The compiler's options end with the line or at the next option of `%%c`. Quotes around them change nothing, and
    several --flags add up. Raises OptionError, in one sentence that names the option and the cure.
    """
    read = _Line(line)
    name = read.names[0] if read.names else Options.name
    if len(read.names) > 1:
        cure = "write values without blanks, as in --limit 2s, and the compiler's options behind --flags"
        read.faults.append(f"name must be one word, got {' '.join(read.names)}; {cure}")
    elif not _is_name(name):
        read.faults.append(f"name must be a Python name, got {name!r}; choose for example own")
    if read.faults:
        named = [each for each in read.names or [name] if _is_name(each)]
        raise OptionError(read.faults[0], named[0] if named else "")
    return Options(name, **read.values, flags=tuple(read.flags))


def _is_name(word: str) -> bool:
    return word.isidentifier() and not keyword.iskeyword(word)


class _Line:
    """The line's parts, and sentences for its faults in their order."""

    def __init__(self, line: str) -> None:
        self.names: list[str] = []
        self.values: dict[str, str] = {}
        self.flags: list[str] = []
        self.faults = list(_open_quote(line))
        self._words = deque(_WORD.findall(line))
        behind_flags = False
        while self._words:
            word = self._words.popleft()
            option, equals, value = word.partition("=")
            if option in _EXAMPLES:
                behind_flags = option == "--flags"
                self._set(option, value if equals else self._value())
            elif behind_flags and self._is_flag(word):
                self.flags += shlex.split(word)
            elif word.startswith("-"):
                self.faults.append(_unknown(word))
            else:
                self.names.append(word)

    def _is_flag(self, word: str) -> bool:
        needed = bool(self.flags) and self.flags[-1] in _WITH_VALUE
        return needed or (word.lstrip("\"'").startswith("-") and not _similar(word))

    def _value(self) -> str:
        """Take the word behind an option; return an empty string if there is none."""
        missing = not self._words or self._words[0].partition("=")[0] in _EXAMPLES or _similar(self._words[0])
        return "" if missing else self._words.popleft()

    def _set(self, option: str, value: str) -> None:
        if not value:
            example = f"write for example {option} {_EXAMPLES[option]}"
            self.faults.append(f"{option} must have a value, got none; {example} (the options are {_LIST})")
            return
        inside = quoted["inside"] if (quoted := _QUOTED.fullmatch(value)) else value
        if option != "--flags":
            self.values[option.removeprefix("--")] = inside
        elif fault := [*_open_quote(inside, option)]:
            self.faults += fault
        else:
            self.flags += shlex.split(inside)


def _similar(word: str) -> str:
    """Return the option of `%%c` that this one, which is another, seems to mean; an empty string if none."""
    option = word.partition("=")[0]
    near = get_close_matches(option, _EXAMPLES, 1, 0.75) if option.startswith("--") else []
    return near[0] if near and option not in _EXAMPLES else ""


def _unknown(word: str) -> str:
    if meant := _similar(word):
        cure = f"write {meant} {_EXAMPLES[meant]}"
    else:
        cure = f"write --flags {word} if it is meant for the compiler"
    return f"options must be {_LIST.replace(' and ', ' or ')}, got {word}; {cure}"


def _open_quote(text: str, option: str = "") -> Iterator[str]:
    """Yield a sentence about a quote that has no second one, or about a backslash at the end, if there is one.

    `option` is the one that the text belongs to; without it, the last one before the quote.
    """
    rest = _WORD.sub(lambda word: " " * len(word[0]), text)
    if not rest.strip():
        return
    at = len(rest) - len(rest.lstrip())
    option = option or (re.findall("|".join(_EXAMPLES), text[:at]) or ["the line behind %%c"])[-1]
    example = f"{option} {_EXAMPLES[option]}" if option in _EXAMPLES else "%%c own"
    yield (
        f"{option} must end each quote that it begins, and not end in a backslash, got {text[at:].strip()}; write for"
        f" example {example} (the options are {_LIST})"
    )
