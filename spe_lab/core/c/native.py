"""Compiles kernels_c/ (and the reader's own cells) on first use, caches, loads, and binds by prototype.

The name of a cached library holds a hash of what went into it (source, flags, compiler) and a hash of its contents. So
a truncated or edited file is noticed before it is loaded. Two processes that build at once write the same name: the
second rename wins and nothing is lost. The loader returns what it has already loaded for a path, so a changed source
always gets a new file name.
"""

import contextlib
import ctypes
import hashlib
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spe_lab.core.c import binding, dwarf, toolchain
from spe_lab.core.c.cache_folder import cache_folder as _cache_folder
from spe_lab.core.c.commands import Finished
from spe_lab.core.c.ctype import Declarations
from spe_lab.core.c.source_text import unnumbered
from spe_lab.core.c.toolchain import NO_COMPILER as NO_COMPILER
from spe_lab.core.c.toolchain import Compiler as Compiler
from spe_lab.core.c.toolchain import CompilerError, compiler
from spe_lab.core.errors import SpeLabError, UnavailableError

# The only place for the flags. The baseline instruction set makes curves of two machines comparable. -g costs nothing,
# and the assembly view needs its line numbers.
FLAGS = ("-O2", "-g", "-std=c11", "-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes")
# A reader's cell is compiled as plain gcc does it, with GNU's and POSIX's names. A function that is used without its
# declaration returns int for C, whatever it is: that is an error.
CELL_FLAGS = ("-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-Werror=implicit-function-declaration")
# Debug information in the one format that every compiler writes, with enumerators that the C file does not use.
_DECLARED = ("-g", "-gdwarf-4", "-gno-split-dwarf", "-fno-eliminate-unused-debug-types")
_SEPARATE = sys.platform == "darwin"  # the linker leaves debug information in the object file
# macOS's linker reports undefined names anyhow, and binds a library's calls to its own functions. On Linux a function
# named like one of libc (index, div) would be libc's, also for calls within the reader's text, and gcc would not inline
# them.
_DEFINED = ("-Wl,-z,defs", "-Wl,-Bsymbolic") if sys.platform.startswith("linux") else ()
_SHARED = ("-fPIC", "-fno-semantic-interposition")
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


@dataclass(frozen=True)
class Built:
    """A compiled library or program that is neither loaded nor started, and the file that was compiled.

    Of text, `assembly` is what the compiler made of it, with line numbers, and `said` are its warnings.
    """

    path: Path
    source: Path
    declarations: Declarations
    provenance: dict[str, Any]
    assembly: str = ""
    said: str = ""

    def struct(self, tag: str) -> type[ctypes.Structure]:
        """Return the ctypes class of `struct tag`, laid out as C declares it."""
        return binding.structure(self.declarations.records[tag])


class Library:
    """A loaded kernel file. Its functions are attributes, callable with the types of their C prototypes."""

    def __init__(self, built: Built) -> None:
        self.path = built.path
        self.provenance = built.provenance
        self.constants = built.declarations.constants
        self.struct = built.struct
        self._functions = built.declarations.functions
        try:
            self._loaded = ctypes.CDLL(str(self.path))  # CDLL releases the GIL during a call: the page stays alive
        except OSError as error:
            reason = str(error).removeprefix(f"{self.path}: ")
            cure = "take options such as -c out of the variable CC, or name another compiler in it"
            raise UnavailableError(
                f"the compiler must write libraries that load, got one with {reason}; {cure}"
            ) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._functions:
            functions = ", ".join(self._functions)
            raise AttributeError(f"{self.provenance['source']} has no function {name!r}; it declares {functions}")
        function = self._loaded[name]
        declared = self._functions[name]
        function.argtypes = [binding.argument(each.type) for each in declared.parameters]
        function.restype = binding.result(declared)
        setattr(self, name, function)
        return function

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._functions]

    def address(self, name: str) -> int:
        """Return the address of a kernel, for the harness to call."""
        return ctypes.cast(getattr(self, name), ctypes.c_void_p).value


def load(stem: str, flags: Sequence[str] = FLAGS) -> Library:
    """Return kernels_c/`stem`.c as a library, compiled if none of this content and compiler is cached."""
    return _load(stem, tuple(flags))


@cache
def _load(stem: str, flags: tuple[str, ...]) -> Library:
    with _ours(flags):
        return Library(build(stem, flags))


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
    return Library(build_text(text, name, flags))


def build(stem: str, flags: Sequence[str] = FLAGS) -> Built:
    """Compile kernels_c/`stem`.c without loading it."""
    return _built(source(stem), stem, tuple(flags))


def build_text(text: str, name: str = "cell", flags: Sequence[str] = FLAGS) -> Built:
    """Compile text as `compile_text` does, for another process to load."""
    return build_file(text_file(text, name), name, flags)


def build_file(source: Path, name: str, flags: Sequence[str] = FLAGS) -> Built:
    """Compile what `text_file` wrote, for another process to load.

    The compiler runs in any case, since the text may include files that have changed; the cache saves only the linker.
    """
    assembly, said = assemble(source, [*flags, *_DECLARED, *_SHARED])
    used, linking = compiler(), _linking(flags)
    key = _key((assembly.encode(), *map(str.encode, (*linking, *_LINK[".so"], *used.command, used.version))))
    path = _cached(name, key, ".so")
    if path is None:
        with scratch_folder() as scratch:
            assembled = scratch / f"{source.stem}.s"
            assembled.write_text(assembly, encoding="utf-8")
            path = _made(assembled, name, key, linking, ".so", scratch)
    return Built(path, source, _declared(path, source), _provenance(source, flags, key), assembly, said)


def link(assembly: str, target: Path, flags: Sequence[str] = FLAGS) -> None:
    """Assemble and link a variant of `Built.assembly` into a library at `target`, past the cache."""
    source = target.with_suffix(".s")
    source.write_text(assembly, encoding="utf-8")
    run_compiler([*_linking(flags), "-o", str(target)], source, _LINK[".so"])


def _linking(flags: Sequence[str]) -> list[str]:
    # The assembly has its line numbers already.
    return [*(flag for flag in flags if not flag.startswith("-g")), *_DEFINED]


def build_program(name: str) -> Built:
    """Compile kernels_c/programs/`name`.c into an executable, unless one of this content is cached."""
    with _ours(FLAGS):
        return _built(_named("name", name, kernel_folder() / "programs"), name, FLAGS, ".program")


def build_program_text(text: str, name: str = "program") -> Built:
    """Compile C text with a `main` into an executable; it may include "companion.h"."""
    return _built(text_file(text, name), name, FLAGS, ".program")


def text_file(text: str, name: str = "cell") -> Path:
    """Write this text to a file of the cache that is named by its content, and return the path.

    `#line` directives in it become empty lines, so that messages and debug information count the lines of `text`.
    """
    folder = _cache_folder() / "cells"
    try:
        source = folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.c"
    except UnicodeEncodeError:
        raise SpeLabError("C must be text that UTF-8 can hold, got half of a surrogate pair; remove it") from None
    from spe_lab.core.files import write_atomically

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(source, unnumbered(text))
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


def _built(source: Path, stem: str, flags: tuple[str, ...], suffix: str = ".so") -> Built:
    used = compiler()
    headers = (header.read_bytes() for header in sorted(kernel_folder().glob("*.h")))
    words = (*flags, *_DECLARED, *_LINK[suffix], *used.command, used.version)
    key = _key((source.read_bytes(), *headers, *map(str.encode, words)))
    path = _cached(stem, key, suffix)
    if path is None:
        with scratch_folder() as scratch:
            options = [*flags, *_DECLARED, f"-I{kernel_folder()}"]
            path = _made(source, stem, key, options, suffix, scratch)
    return Built(path, source, _declared(path, source), _provenance(source, flags, key))


def _provenance(source: Path, flags: Sequence[str], key: str) -> dict[str, Any]:
    return {"source": source.name, "compiler": compiler().version, "flags": " ".join(flags), "sha256": key}


def _declared(path: Path, source: Path) -> Declarations:
    return dwarf.read(path.with_suffix(".o") if _SEPARATE else path, source.parent, kernel_folder())


def _key(parts: Iterable[bytes]) -> str:
    key = hashlib.sha256()
    for part in parts:
        key.update(hashlib.sha256(part).digest())
    return key.hexdigest()


def _cached(stem: str, key: str, suffix: str) -> Path | None:
    for candidate in _cache_folder().glob(f"{stem}-{key[:20]}-*{suffix}"):
        if _digest(candidate) == candidate.stem.rpartition("-")[2]:
            return candidate
        candidate.unlink(missing_ok=True)  # damaged
    return None


def _made(source: Path, stem: str, key: str, options: Sequence[str], suffix: str, scratch: Path) -> Path:
    """Compile or assemble, link, and move what results into the cache."""
    built, compiled = scratch / f"built{suffix}", source
    if _SEPARATE:
        compiled = scratch / "built.o"
        run_compiler([*options, "-fPIC", "-c", "-o", str(compiled)], source)
    run_compiler([*options, "-o", str(built)], compiled, _LINK[suffix])
    target = _cache_folder() / f"{stem}-{key[:20]}-{_digest(built)}{suffix}"
    if _SEPARATE:
        compiled.replace(target.with_suffix(".o"))
    built.replace(target)
    return target


def assemble(source: Path, flags: Sequence[str] = FLAGS) -> tuple[str, str]:
    """Return the assembly of a file, and the compiler's warnings."""
    with scratch_folder() as scratch:
        assembled = scratch / "assembled.s"  # not standard output: zig writes a file named "-"
        done = _run([*flags, f"-I{kernel_folder()}", "-S", "-o", str(assembled)], source)
        return assembled.read_text(encoding="utf-8", errors="replace"), done.err


def run_compiler(options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> str:
    """Run the compiler on a file and return what it printed; a file that `options` name by -o is there afterwards."""
    return _run(options, source, libraries).out


def _run(options: Sequence[str], source: Path, libraries: Sequence[str] = ()) -> Finished:
    return toolchain.run(compiler(), options, source, libraries)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder for a run of the compiler, in the folder of compiled C."""
    try:
        folder = tempfile.TemporaryDirectory(dir=_cache_folder(), prefix="build-")
    except OSError as error:
        raise _no_room(error) from None
    with folder as path:
        yield Path(path)


def _no_room(error: OSError) -> UnavailableError:
    cure = "make room or set SPE_LAB_CACHE_DIR to another folder"
    return UnavailableError(f"the folder of compiled C must be writable, got {error.strerror}; {cure}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:20]
