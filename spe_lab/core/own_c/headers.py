"""Which header of this system declares a name: the compiler is asked, by preprocessing all of them once.

With -dD the preprocessor's output has every declaration and every `#define` of all headers. Its line markers
(`# 12 "/usr/include/string.h" 1`; 1 enters a file, 2 returns to one) give the includes that lead to each line.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePath

from spe_lab.core.c import native
from spe_lab.core.c.source_text import Declarations
from spe_lab.core.errors import SpeLabError

# The first header in the list that leads to a declaration counts, unless a header between the two is in the list, too.
# So those that a reader would name come first: <time.h> before <sys/types.h>, which defines time_t as well.
_STANDARD = """
    stddef stdint stdbool inttypes limits float stdarg string strings ctype math complex stdio unistd time pthread
    signal sys/time sched semaphore threads assert errno locale setjmp stdatomic stdalign stdnoreturn fenv iso646 wchar
    wctype uchar alloca stdlib sys/select sys/types sys/stat fcntl sys/mman sys/wait sys/resource sys/times sys/uio
    sys/socket sys/un netinet/in netinet/tcp arpa/inet netdb net/if poll sys/ioctl sys/ipc sys/shm sys/sem sys/msg
    sys/utsname sys/statvfs dirent dlfcn fnmatch ftw getopt glob grp iconv langinfo libgen mqueue nl_types pwd regex
    search spawn syslog termios utime utmpx wordexp aio cpio tar monetary
    malloc endian byteswap err error execinfo ucontext sys/param sys/sysinfo sys/syscall sys/random sys/prctl sys/epoll
    sys/eventfd sys/timerfd sys/signalfd sys/auxv linux/futex linux/perf_event omp numa numaif
"""
_HEADERS = tuple(_STANDARD.split())
_PROCESSORS = {
    "defined(__x86_64__) || defined(__i386__)": ("immintrin", "x86intrin", "cpuid"),
    "defined(__ARM_NEON)": ("arm_neon", "arm_acle"),
}
_OURS = "spe"  # kernels_c/spe.h, which cells may include
_NAMES = frozenset(
    f"{name}.h" for name in (*_HEADERS, *(each for some in _PROCESSORS.values() for each in some), _OURS)
)
_MARKER = re.compile(r'^# \d+ "((?:[^"\\]|\\.)*)"((?: \d)*)$', re.MULTILINE)
_DIALECT = ("-std", "-ansi", "-D", "-U", "-m", "-f", "-pthread")  # beginnings of options that decide what is declared


class Unknown(SpeLabError):
    """The compiler could not be asked."""


def header_of(name: str, flags: Sequence[str]) -> tuple[str, str] | None:
    """Return (header, kind) for a name that a header of this system declares if compiled with `flags`.

    The header is written as in an #include, `<string.h>` or `"spe.h"`; the kinds are those of `Declarations`, and
    `name` may be "struct timespec". Raises Unknown if the compiler fails.
    """
    headers = _headers(_dialect(flags), native.compiler())
    found = headers.declarations.find(name, headers.begin)
    if found is None or not (header := headers.at(found[1])):
        return None
    return (f'"{header}"' if header == f"{_OURS}.h" else f"<{header}>"), found[0]


def _dialect(flags: Sequence[str]) -> tuple[str, ...]:
    """Return those of the compiler's options that decide what a header declares."""
    kept: list[str] = []
    for flag in flags:
        if (kept and kept[-1] in ("-D", "-U")) or (flag.startswith(_DIALECT) and flag != "-mllvm"):
            kept.append(flag)
    return tuple(kept)


@lru_cache(maxsize=2)  # 10 MB each; a name that is hidden needs a second one
def _headers(flags: tuple[str, ...], _compiler: native.Compiler) -> "_Headers":
    """Return the headers for these options; the compiler is part of the cache's key."""
    source = native.text_file(_including(), "headers")
    try:
        preprocessed = native.run_compiler([*flags, "-w", "-E", "-dD", f"-I{native.kernel_folder()}"], source)
    except SpeLabError as error:
        raise Unknown(str(error)) from None
    return _Headers(preprocessed, str(source))


def _including() -> str:
    """Return C text that includes every header of the list that is there."""

    def optional(name: str) -> str:
        return f"#if __has_include(<{name}.h>)\n#include <{name}.h>\n#endif"

    lines = [optional(name) for name in _HEADERS]
    for processor, names in _PROCESSORS.items():
        lines += [f"#if {processor}", *map(optional, names), "#endif"]
    return "\n".join([*lines, f'#include "{_OURS}.h"', ""])


class _Headers:
    """The preprocessed text of all headers: its declarations, and the header that each place belongs to."""

    def __init__(self, preprocessed: str, source: str) -> None:
        self.declarations = Declarations(preprocessed)
        stack: list[str] = []
        folders: set[str] = set()
        includes: list[tuple[str, ...]] = []
        self._starts: list[int] = []
        self.begin = 0  # of the text of the first header, behind the compiler's own macros
        for marker in _MARKER.finditer(preprocessed):
            file, enters, returns = marker[1], " 1" in marker[2], " 2" in marker[2]
            if enters:
                stack.append(file)
                if len(stack) == 1 and (name := _listed(file)):
                    folders.add(file.removesuffix(name))
                    self.begin = self.begin or marker.start()
            elif returns and stack:
                stack.pop()
            self._starts.append(marker.start())
            includes.append(tuple(stack))
        spelled = {file: _spelled(file, folders) for files in set(includes) for file in files}
        self._named = [next((name for file in reversed(files) if (name := spelled[file])), "") for files in includes]

    def at(self, position: int) -> str:
        """Return the innermost header of the list that leads to a position; an empty string if none does."""
        i = bisect_right(self._starts, position)
        return self._named[i - 1] if i else ""


def _spelled(file: str, folders: set[str]) -> str:
    """Return the name of a listed header from its path below one of the compiler's folders, else an empty string."""
    names = (file.removeprefix(folder) for folder in folders if file.startswith(folder))
    return next((name for name in names if name in _NAMES), "")


def _listed(file: str) -> str:
    """Return the header's name as in the list, from the path of a file that the list's #include has found."""
    parts = PurePath(file).parts
    return next((name for name in ("/".join(parts[-2:]), parts[-1]) if name in _NAMES), "")
