"""Compiles kernels_c/ (and the reader's own cells) on first use, caches, loads, and binds by prototype.

The name of a cached library holds a hash of what went into it (source, flags, compiler) and a hash of its contents. So
a truncated or edited file is noticed before it is loaded. Two processes that build at once write the same name: the
second rename wins and nothing is lost. The loader returns what it has already loaded for a path, so a changed source
always gets a new file name.
"""

import contextlib
import ctypes
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spe_lab.core.c import prototypes, toolchain
from spe_lab.core.c.cache_folder import cache_folder as _cache_folder
from spe_lab.core.c.commands import Finished
from spe_lab.core.c.toolchain import NO_COMPILER as NO_COMPILER
from spe_lab.core.c.toolchain import Compiler as Compiler
from spe_lab.core.c.toolchain import CompilerError, compiler
from spe_lab.core.errors import SpeLabError, UnavailableError

# The only place for the flags. The baseline instruction set makes curves of two machines comparable. -g costs nothing,
# and the assembly view needs its line numbers.
FLAGS = ("-O2", "-g", "-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes")
_LINK = {".so": ("-fPIC", "-shared", "-lm", "-pthread"), ".program": ("-lm", "-pthread")}  # by suffix of the result


def missing() -> str:
    """Return why kernels cannot be compiled here, with the cure; empty if there is a compiler."""
    try:
        compiler()
    except UnavailableError as error:
        return str(error)
    return ""


def available() -> bool:
    """Return True if there is a compiler for kernels."""
    return not missing()


def kernel_folder() -> Path:
    """Return kernels_c/: inside an installed package, else beside spe_lab/ in a checkout."""
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
        try:
            self._loaded = ctypes.CDLL(str(path))  # CDLL releases the GIL during a call: the page stays alive
        except OSError as error:
            reason = str(error).removeprefix(f"{path}: ")
            cure = "take options such as -c out of the variable CC, or name another compiler in it"
            raise UnavailableError(
                f"the compiler must write libraries that load, got one with {reason}; {cure}"
            ) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._declarations.functions:
            functions = ", ".join(self._declarations.functions)
            raise AttributeError(f"{self.provenance['source']} has no function {name!r}; it declares {functions}")
        function = self._loaded[name]
        declared = self._declarations.functions[name]
        function.argtypes = [prototypes.argument_type(kind) for kind in declared.parameters.values()]
        function.restype = declared.result
        setattr(self, name, function)
        return function

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._declarations.functions]

    def struct(self, tag: str) -> type[ctypes.Structure]:
        """Return the ctypes class of `struct tag`, laid out as C declares it."""
        return self._declarations.structures[tag]

    def address(self, name: str) -> int:
        """Return the address of a kernel, for the harness to call."""
        return ctypes.cast(getattr(self, name), ctypes.c_void_p).value


def load(stem: str, flags: Sequence[str] = FLAGS) -> Library:
    """Return kernels_c/`stem`.c as a library, compiled if none of this content and compiler is cached."""
    return _load(stem, tuple(flags))


@cache
def _load(stem: str, flags: tuple[str, ...]) -> Library:
    with _ours(flags):
        return _open(source(stem), stem, flags)


@contextlib.contextmanager
def _ours(flags: Sequence[str]) -> Iterator[None]:
    """Compile C of ours: with our flags, a compiler error says that this machine lacks something."""
    try:
        yield
    except CompilerError as error:
        if tuple(flags) != FLAGS:
            raise
        cure = "install the C library's headers (Debian: apt install libc6-dev) or name another compiler in CC"
        raise UnavailableError(
            f"kernels must compile, and with {compiler().version} they do not; {cure}. {error}"
        ) from None


def compile_text(text: str, name: str = "cell", flags: Sequence[str] = FLAGS) -> Library:
    """Return the reader's own C as a library; it may include "spe.h". Errors hold the compiler's messages."""
    return _open(text_file(text, name), name, tuple(flags))


@dataclass(frozen=True)
class Built:
    """A compiled library or program that is neither loaded nor started."""

    path: Path
    declarations: prototypes.Declarations
    provenance: dict[str, Any]


def build_text(text: str, name: str = "cell", flags: Sequence[str] = FLAGS) -> Built:
    """Compile text as `compile_text` does, for another process to load."""
    return _built(text_file(text, name), name, tuple(flags))


def build_program(name: str) -> Built:
    """Compile kernels_c/programs/`name`.c into an executable, unless one of this content is cached."""
    with _ours(FLAGS):
        return _built(_named("name", name, kernel_folder() / "programs"), name, FLAGS, ".program")


def build_program_text(text: str, name: str = "program") -> Built:
    """Compile C text with a `main` into an executable; it may include "companion.h"."""
    return _built(text_file(text, name), name, FLAGS, ".program")


def text_file(text: str, name: str = "cell") -> Path:
    """Write this text to a file of the cache that is named by its content, and return the path."""
    folder = _cache_folder() / "cells"
    try:
        source = folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.c"
    except UnicodeEncodeError:
        raise SpeLabError("C must be text that UTF-8 can hold, got half of a surrogate pair; remove it") from None
    from spe_lab.core.files import write_atomically

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(source, text)
    except OSError as error:
        raise _no_room(error) from None
    return source


def stems() -> list[str]:
    """Return the names of the files in kernels_c/."""
    return sorted(path.stem for path in kernel_folder().glob("*.c"))


def source(stem: str) -> Path:
    return _named("stem", stem, kernel_folder())


def _named(argument: str, value: str, folder: Path) -> Path:
    """Return the C file of this name in `folder`."""
    names = sorted(path.stem for path in folder.glob("*.c"))
    if value not in names:
        place = folder.relative_to(kernel_folder().parent)
        raise SpeLabError(f"{argument} must name a file of {place}, got {value!r}; there are {', '.join(names)}")
    return folder / f"{value}.c"


def _open(source: Path, stem: str, flags: tuple[str, ...]) -> Library:
    built = _built(source, stem, flags)
    return Library(built.path, built.declarations, built.provenance)


def _built(source: Path, stem: str, flags: tuple[str, ...], suffix: str = ".so") -> Built:
    path, key = _build(source, stem, flags, suffix)  # before reading: the compiler's messages are better than ours
    provenance = {"source": source.name, "compiler": compiler().version, "flags": " ".join(flags), "sha256": key}
    return Built(path, prototypes.read(source, kernel_folder()), provenance)


def _build(source: Path, stem: str, flags: tuple[str, ...], suffix: str) -> tuple[Path, str]:
    used = compiler()
    key = hashlib.sha256()
    headers = (header.read_bytes() for header in sorted(kernel_folder().glob("*.h")))
    words = (*flags, *_LINK[suffix], *used.command, used.version)
    for part in (source.read_bytes(), *headers, *map(str.encode, words)):
        key.update(hashlib.sha256(part).digest())
    name = f"{stem}-{key.hexdigest()[:20]}"
    folder = _cache_folder()
    for candidate in folder.glob(f"{name}-*{suffix}"):
        if _digest(candidate) == candidate.stem.rpartition("-")[2]:
            return candidate, key.hexdigest()
        candidate.unlink(missing_ok=True)  # damaged
    with _scratch("build-") as scratch:
        built = scratch / f"built{suffix}"
        run_compiler([*flags, f"-I{kernel_folder()}", "-o", str(built)], source, _LINK[suffix])
        target = folder / f"{name}-{_digest(built)}{suffix}"
        built.replace(target)
    return target, key.hexdigest()


def assemble(source: Path, flags: Sequence[str] = FLAGS) -> tuple[str, str]:
    """Return the assembly of a file, and the compiler's warnings."""
    with _scratch("assemble-") as scratch:
        assembled = scratch / "assembled.s"  # not standard output: zig writes a file named "-"
        done = _run([*flags, f"-I{kernel_folder()}", "-S", "-o", str(assembled)], source)
        return assembled.read_text(encoding="utf-8", errors="replace"), done.err


def run_compiler(options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> str:
    """Run the compiler on a file and return what it printed; a file that `options` name by -o is there afterwards."""
    return _run(options, source, libraries).out


def _run(options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> Finished:
    return toolchain.run(compiler(), options, source, libraries)


@contextlib.contextmanager
def _scratch(prefix: str) -> Iterator[Path]:
    """Give a folder for one run of the compiler, in the folder of compiled C."""
    try:
        folder = tempfile.TemporaryDirectory(dir=_cache_folder(), prefix=prefix)
    except OSError as error:
        raise _no_room(error) from None
    with folder as path:
        yield Path(path)


def _no_room(error: OSError) -> UnavailableError:
    cure = "make room or set SPE_LAB_CACHE_DIR to another folder"
    return UnavailableError(f"the folder of compiled C must be writable, got {error.strerror}; {cure}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:20]
