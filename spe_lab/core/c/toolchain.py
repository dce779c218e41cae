"""The C compiler of this machine: which one it is, and a run of it.

It is the one that $CC names, else `cc`, else that of the Python package ziglang. A $CC that cannot be used is said, and
no other compiler is taken in its place: the reader wants to know about that one. Whatever a compiler does, a caller
gets its result or one sentence.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from spe_lab.core import folders
from spe_lab.core.c import commands
from spe_lab.core.c.cache_folder import cache_folder
from spe_lab.core.errors import SpeLabError, UnavailableError

ANSWER_S = 20.0  # for an answer to --version, or an empty program: ziglang's first takes a second
COMPILE_S = 120.0  # ziglang's first library takes 15 s, since it builds a part of the C library
_LONGEST_VERSION = 120  # characters
# By itself, zig compiles for this very processor, ends a program without optimisation at an overflow, and drops
# assertions from one with optimisation. Other compilers do none of it; flags that follow can ask for each.
_LIKE_OTHERS = ("-mcpu=baseline", "-fno-sanitize=undefined", "-UNDEBUG")
_UNTIL_THEN = "until then labs show their models and recorded data"
NO_COMPILER = (
    "kernels need a C compiler and none was found: install one (Debian: apt install gcc, macOS: xcode-select --install,"
    f" conda: c-compiler) or the Python package ziglang (pip install 'spe-lab[compiler]'); {_UNTIL_THEN}"
)


class CompilerError(SpeLabError):
    """C that does not compile; `said` holds the compiler's messages, with whole paths."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.said)  # a worker process may raise it


@dataclass(frozen=True)
class Compiler:
    """A C compiler: the words of its command and the first line of its version message."""

    command: tuple[str, ...]
    version: str


def compiler() -> Compiler:
    """Return the compiler of this machine. Raise UnavailableError, with the cure, if none can be used."""
    return _found(os.environ.get("CC", ""), os.environ.get("PATH"))


@cache  # of what was found alone: a compiler that is installed while a notebook is open is found by its next cell
def _found(cc: str, path: str | None) -> Compiler:
    if cc.strip():
        return _named(cc, path)
    faults = []
    for words in _usual():
        if (program := shutil.which(words[0], path=path)) is not None:
            answer = _version((program, *words[1:]), _changed(program))
            if isinstance(answer, Compiler):
                return answer
            faults.append(f"{Path(program).name} {answer}")
    if faults:
        cure = "mend it, name another one in the variable CC, or install ziglang (pip install 'spe-lab[compiler]')"
        raise UnavailableError(f"kernels need a C compiler, and {faults[0]}; {cure}; {_UNTIL_THEN}")
    raise UnavailableError(NO_COMPILER)


def _usual() -> list[tuple[str, ...]]:
    """Return the commands that are tried where CC names none."""
    zig = (sys.executable or "python3", "-m", "ziglang", "cc", *_LIKE_OTHERS)
    return [("cc",), *([zig] if find_spec("ziglang") else [])]


def _named(cc: str, path: str | None) -> Compiler:
    """Return the compiler of this value of the variable CC, which may hold options."""
    try:
        words = shlex.split(cc)
    except ValueError:
        raise _refused(cc, "has a quote or a backslash without its end") from None
    program = shutil.which(words[0], path=path) if words else None
    if program is None:
        there = bool(words and words[0]) and os.path.lexists(words[0])
        raise _refused(cc, "names a file that cannot be run" if there else "names a program that is not there")
    answer = _version((program, *words[1:]), _changed(program))
    if isinstance(answer, str):
        raise _refused(cc, f"names a program that {answer}")
    return answer


def _refused(cc: str, fault: str) -> UnavailableError:
    cure = "unset CC, or name a compiler that is installed, for example CC=gcc"
    return UnavailableError(f"kernels need a C compiler, and CC={cc!r:.200} {fault}; {cure}; {_UNTIL_THEN}")


def _changed(program: str) -> int:
    """Return a number that changes when the program's file is replaced or mended."""
    try:
        return Path(program).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=16)  # faults too: an explorer asks at each move of a slider
def _version(command: tuple[str, ...], _changed: int) -> Compiler | str:
    """Return the compiler of this command, or what was wrong with its answer to --version."""
    try:
        done = commands.run([*command, "--version"], ANSWER_S, _environment(command))
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"gave no answer to --version within {ANSWER_S:g} s"
    said = next((line.strip() for line in done.out.splitlines() if line.strip()), "")
    if done.flooded:
        return "answered --version without an end"
    if done.status != 0:
        return f"ended with status {done.status} when it was asked for its --version{_last_words(done)}"
    if not said:
        return "printed nothing when it was asked for its --version"
    shown = "".join(character if character.isprintable() else "�" for character in said)
    return Compiler(command, shown[:_LONGEST_VERSION])


def _last_words(done: commands.Finished) -> str:
    """Return the last line that the command printed, as the end of a sentence; nothing if there is none."""
    last = ((done.err.strip() or done.out.strip()).splitlines() or [""])[-1].strip()
    return f" ({last[:_LONGEST_VERSION]})" if last and last.isprintable() else ""


def run(used: Compiler, options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> commands.Finished:
    """Run the compiler on `source`; a file that `options` name by -o is there afterwards.

    Raises CompilerError if the C does not compile, SpeLabError if the options keep the file from being written, and
    UnavailableError if the compiler itself is at fault.
    """
    name = Path(used.command[0]).name
    try:
        done = commands.run([*used.command, *options, str(source), *libraries], COMPILE_S, _environment(used.command))
    except OSError as error:
        raise UnavailableError(
            f"the compiler must be able to run, got {error.strerror} for {name}; see spe-lab doctor"
        ) from None
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"compiling {source.name} must end within {COMPILE_S:g} s, and {name} was still running; name another"
            " compiler in the variable CC, or try again when the machine is less busy"
        ) from None
    # In a locale that is not UTF-8, Python's form of a path with other characters is not what the compiler printed.
    done = replace(done, err=done.err.replace(os.fsencode(source).decode(errors="replace"), str(source)))
    if done.status != 0:
        raise _failed(used, source, done)
    if not all(_written(Path(result)) for option, result in pairwise(options) if option == "-o"):
        flags = " ".join(word for word in options if word.startswith("-") and not word.startswith(("-I", "-S", "-o")))
        cure = "leave out -fsyntax-only, -M and the like"
        raise doubt(used) or SpeLabError(f"flags must let the compiler write a file, got {flags}; {cure}")
    return done


def _failed(used: Compiler, source: Path, done: commands.Finished) -> SpeLabError:
    """Return the error for a compiler that ended with another status than 0."""
    if "No space left on device" in done.err:
        cure = "free some or set SPE_LAB_CACHE_DIR to another folder"
        return UnavailableError(f"compiling {source.name} needs a few MB of disk space, and the disk is full; {cure}")
    if (done.status < 0 and not done.flooded) or "terminated program" in done.err:  # it, or a program that it starts
        cure = "close other programs, since memory may have run out"
        return UnavailableError(f"the compiler must finish {source.name}, and it was killed; {cure}")
    shown = done.err.strip().replace(f"{source.parent}{os.sep}", "")
    return doubt(used) or CompilerError(f"{source.name} must compile; the compiler says:\n{shown}", done.err)


def doubt(used: Compiler) -> UnavailableError | None:
    """Return the error for a compiler that cannot compile an empty program either; None for one that can."""
    if found := fault(used):
        named = os.environ.get("CC", "").strip()
        cure = "take options such as -fsyntax-only out of it, or name" if named else "name"
        return UnavailableError(
            f"kernels need a C compiler, and {f'CC={named!r:.200}' if named else shlex.join(used.command)} {found};"
            f" {cure} another compiler in the variable CC; {_UNTIL_THEN}"
        )
    return None


def fault(used: Compiler) -> str:
    """Return what this compiler did wrong with an empty program, as the end of "it …"; empty if nothing (15 ms)."""
    try:
        scratch = tempfile.TemporaryDirectory(dir=cache_folder(), prefix="empty-")
    except (OSError, UnavailableError):
        return ""  # there is no room to try it, which is not the compiler's fault
    with scratch as folder:
        source, result = Path(folder, "empty.c"), Path(folder, "empty.o")
        source.write_text("int spe_lab_empty;\n", encoding="utf-8")
        command = [*used.command, "-c", "-o", str(result), str(source)]
        try:
            done = commands.run(command, ANSWER_S, _environment(used.command))
        except (OSError, subprocess.TimeoutExpired):
            return f"did not compile an empty program within {ANSWER_S:g} s"
        if done.status != 0:
            return f"ended with status {done.status} for an empty program{_last_words(done)}"
        return "" if _written(result) else "wrote nothing for an empty program"


def _written(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _environment(command: Sequence[str]) -> dict[str, str]:
    """Return the environment of a compiler: its messages are English, and zig knows a folder for its cache."""
    environment = {**os.environ, "LC_ALL": "C"}  # the message about a full disk is matched
    if "ziglang" in command and not folders.home_known():
        environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(cache_folder() / "zig"))
    return environment
