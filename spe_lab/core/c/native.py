"""Compiles kernels_c/ (and the reader's own cells) on first use, caches by content, loads, and binds by prototype.

A cached library is named by what went into it (source, flags, compiler) and by its own contents, so a file that was
truncated or edited is noticed before it is loaded, and two processes that build at once write the same name: the second
rename wins and nothing is lost. The loader returns what it has already loaded for a path, so a changed source always
gets a new file name.
"""

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spe_lab.core.c import prototypes
from spe_lab.core.errors import SpeLabError, UnavailableError

# One place for the flags. The baseline instruction set, so that a curve means the same on two machines; -g since line
# numbers cost nothing and the assembly view wants them.
FLAGS = ("-O2", "-g", "-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes")
_LINK = {".so": ("-fPIC", "-shared", "-lm", "-pthread"), ".program": ("-lm", "-pthread")}  # by what is built
NO_COMPILER = (
    "kernels need a C compiler and none was found: install one (Debian: apt install gcc, macOS: xcode-select --install,"
    " conda: c-compiler) or the Python package ziglang (pip install 'spe-lab[compiler]'); until then labs show their"
    " models and recorded data"
)


class CompilerError(SpeLabError):
    """C that does not compile; `said` is what the compiler says, with whole paths."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.said)  # it may come from a worker process


@dataclass(frozen=True)
class Compiler:
    """A C compiler: the command's words and the first line of what it says of its version."""

    command: tuple[str, ...]
    version: str


@cache
def compiler() -> Compiler:
    """The compiler named by $CC, else `cc`, else that of the Python package ziglang."""
    candidates = [
        shlex.split(os.environ.get("CC", "")),
        ["cc"],
        [sys.executable, "-m", "ziglang", "cc"],
    ]  # $CC may hold options
    for command in [(found, *words[1:]) for words in candidates if words and (found := shutil.which(words[0]))]:
        try:
            said = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if said.returncode == 0 and said.stdout.strip():
            return Compiler(command, said.stdout.splitlines()[0].strip())
    raise UnavailableError(NO_COMPILER)


def available() -> bool:
    """Whether kernels can be compiled here."""
    try:
        compiler()
    except UnavailableError:
        return False
    return True


def kernel_folder() -> Path:
    """kernels_c/: inside an installed package, else beside spe_lab/ in a checkout."""
    package = Path(__file__).parents[2]
    installed = package / "kernels_c"
    return installed if installed.is_dir() else package.parent / "kernels_c"


class Library:
    """A loaded kernel file. Its functions are attributes, callable with the types of their C prototypes."""

    def __init__(self, path: Path, declarations: prototypes.Declarations, provenance: dict[str, Any]) -> None:
        self.path = path
        self.provenance = provenance
        self.constants = declarations.constants
        self._declarations = declarations
        self._loaded = ctypes.CDLL(str(path))  # CDLL releases the GIL during a call: the page stays alive

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._declarations.functions:
            known = ", ".join(self._declarations.functions)
            raise AttributeError(f"{self.provenance['source']} has no function {name!r}; it declares {known}")
        function = self._loaded[name]
        declared = self._declarations.functions[name]
        function.argtypes = [prototypes.argument_type(kind) for kind in declared.parameters.values()]
        function.restype = declared.result
        setattr(self, name, function)
        return function

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._declarations.functions]

    def struct(self, tag: str) -> type[ctypes.Structure]:
        """The ctypes class of `struct tag`, laid out as C declares it."""
        return self._declarations.structures[tag]

    def address(self, name: str) -> int:
        """The address of a kernel, for the harness to call."""
        return ctypes.cast(getattr(self, name), ctypes.c_void_p).value


def load(stem: str, flags: Sequence[str] = FLAGS) -> Library:
    """kernels_c/`stem`.c, compiled if no library of this content, flags and compiler is cached."""
    return _load(stem, tuple(flags))


@cache
def _load(stem: str, flags: tuple[str, ...]) -> Library:
    return _open(source(stem), stem, flags)


def compile_text(text: str, name: str = "cell", flags: Sequence[str] = FLAGS) -> Library:
    """The reader's own C as a library; it may include "spe.h". Compiler messages come back as the error's text."""
    return _open(text_file(text, name), name, tuple(flags))


@dataclass(frozen=True)
class Built:
    """A library or a program that is compiled and neither loaded nor started."""

    path: Path
    declarations: prototypes.Declarations
    provenance: dict[str, Any]


def build_text(text: str, name: str = "cell", flags: Sequence[str] = FLAGS) -> Built:
    """`compile_text` for another process to load."""
    return _built(text_file(text, name), name, tuple(flags))


def build_program(name: str) -> Built:
    """Compile kernels_c/programs/`name`.c into an executable, unless one of this content is cached."""
    return _built(_named("name", name, kernel_folder() / "programs"), name, FLAGS, ".program")


def build_program_text(text: str, name: str = "program") -> Built:
    """Compile C text with a `main` into an executable; it may include "companion.h"."""
    return _built(text_file(text, name), name, FLAGS, ".program")


def text_file(text: str, name: str = "cell") -> Path:
    """A file in the cache that holds this text; its name says so."""
    folder = _cache_folder() / "cells"
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.c"
    from spe_lab.core.files import write_atomically

    write_atomically(source, text)
    return source


def stems() -> list[str]:
    """The names of the files in kernels_c/."""
    return sorted(path.stem for path in kernel_folder().glob("*.c"))


def source(stem: str) -> Path:
    return _named("stem", stem, kernel_folder())


def _named(argument: str, value: str, folder: Path) -> Path:
    """Return the C file of this name in `folder`."""
    there = sorted(path.stem for path in folder.glob("*.c"))
    if value not in there:
        place = folder.relative_to(kernel_folder().parent)
        raise SpeLabError(f"{argument} must name a file of {place}, got {value!r}; there are {', '.join(there)}")
    return folder / f"{value}.c"


def _open(source: Path, stem: str, flags: tuple[str, ...]) -> Library:
    built = _built(source, stem, flags)
    return Library(built.path, built.declarations, built.provenance)


def _built(source: Path, stem: str, flags: tuple[str, ...], suffix: str = ".so") -> Built:
    path, key = _build(source, stem, flags, suffix)  # before reading: the compiler's messages are better than ours
    declarations = prototypes.read(source, kernel_folder())
    return Built(
        path,
        declarations,
        {"source": source.name, "compiler": compiler().version, "flags": " ".join(flags), "sha256": key},
    )


def _build(source: Path, stem: str, flags: tuple[str, ...], suffix: str) -> tuple[Path, str]:
    used = compiler()
    key = hashlib.sha256()
    headers = (header.read_bytes() for header in sorted(kernel_folder().glob("*.h")))
    for part in (
        source.read_bytes(),
        *headers,
        *(word.encode() for word in (*flags, *_LINK[suffix], *used.command, used.version)),
    ):
        key.update(hashlib.sha256(part).digest())
    name = f"{stem}-{key.hexdigest()[:20]}"
    folder = _cache_folder()
    for candidate in folder.glob(f"{name}-*{suffix}"):
        if _digest(candidate) == candidate.stem.rpartition("-")[2]:
            return candidate, key.hexdigest()
        candidate.unlink(missing_ok=True)  # damaged: neither loaded nor kept
    with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as scratch:
        built = Path(scratch) / f"built{suffix}"
        run_compiler([*flags, f"-I{kernel_folder()}", "-o", str(built)], source, _LINK[suffix])
        target = folder / f"{name}-{_digest(built)}{suffix}"
        built.replace(target)
    return target, key.hexdigest()


def assemble(source: Path, flags: Sequence[str] = FLAGS) -> tuple[str, str]:
    """The assembly of a file, and what the compiler says on the way: its warnings."""
    said = _compiler_says([*flags, f"-I{kernel_folder()}", "-S", "-o", "-"], source)
    return said.stdout, said.stderr


def run_compiler(options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> str:
    return _compiler_says(options, source, libraries).stdout


def _compiler_says(options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> subprocess.CompletedProcess:
    try:
        command = [*compiler().command, *options, str(source), *libraries]
        english = {**os.environ, "LC_ALL": "C"}  # the message about a full disk is looked for below
        said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=english)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"the compiler must be able to run, got {error}; see spe-lab doctor") from None
    if "No space left" in said.stderr:
        cure = "free some or set SPE_LAB_CACHE_DIR to another folder"
        raise UnavailableError(f"compiling {source.name} needs a few MB of disk space, and the disk is full; {cure}")
    if (
        said.returncode < 0 or "terminated program" in said.stderr
    ):  # the compiler itself, or one of the programs that it starts
        raise UnavailableError(
            f"the compiler must live until it has compiled {source.name}, and it was killed; close programs, since"
            " memory may have run out"
        )
    if said.returncode != 0:
        shown = said.stderr.strip().replace(f"{source.parent}{os.sep}", "")
        raise CompilerError(f"{source.name} must compile; the compiler says:\n{shown}", said.stderr)
    return said


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:20]


@cache
def _cache_folder() -> Path:
    """The user's cache folder ($SPE_LAB_CACHE_DIR overrides it); where that cannot be written, or others can write it,
    one for this process alone.
    """
    import platformdirs

    wanted = Path(os.environ.get("SPE_LAB_CACHE_DIR") or platformdirs.user_cache_path("spe-lab")) / "kernels"
    try:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = wanted.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            raise PermissionError  # what others may write, they may have written
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    except OSError:
        # Never a shared, guessable name: a library loaded from there would be anybody's.
        import atexit

        private = Path(tempfile.mkdtemp(prefix="spe-lab-"))
        atexit.register(shutil.rmtree, private, ignore_errors=True)
        return private
