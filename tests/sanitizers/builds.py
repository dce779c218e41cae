"""Kernels built as `make lab` does not build them: by each compiler here, at each level, with sanitizers, warnings as
errors.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from spe_lab.core.c import native

LONG = os.environ.get("SPE_LAB_LONG", "0") not in ("", "0")
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
LEVELS = ("-O0", "-O1", "-O2", "-O3")
# -Wsign-conversion, which gcc counts among the first, is off: CPU_SET of the system's own header does not pass it.
STRICT = (
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wno-sign-conversion",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Werror",
)
SANITIZERS = {
    "address": ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"),
    "thread": ("-fsanitize=thread",),
}


@dataclass(frozen=True)
class Build:
    """A way to compile, and to run Python with the kernels that come of it."""

    compiler: str
    level: str
    sanitizer: str
    folder: Path

    def environment(self) -> dict[str, str]:
        """The variables of a Python process whose kernels are built so; skips the test where this system cannot."""
        wrapper = self.folder / self.compiler
        # A kernel names its state's type, and the harness calls all of them with a void *: C leaves that undefined,
        # every ABI that has dlsym defines it, and clang complains from version 17 on.
        flags = ("-shared-libsan", "-fno-sanitize=function") if self.compiler == "clang" else ()
        # The library's own flags come first: of two levels the compiler takes the last one.
        words = [*STRICT, self.level, "-g", "-fno-omit-frame-pointer", *SANITIZERS[self.sanitizer], *flags]
        # Without the runtime, under which dash ends with a segmentation fault: no compiler would answer.
        wrapper.write_text(
            f'#!/usr/bin/env -S -u LD_PRELOAD sh\nexec {shutil.which(self.compiler)} "$@" {" ".join(words)}\n'
        )
        wrapper.chmod(0o755)
        said = "exitcode=99:abort_on_error=0"
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))
        }  # lanes and coverage are not for it
        environment = ours | {
            "CC": str(wrapper),
            "LD_PRELOAD": ":".join(self.runtimes()),
            "PYTHONMALLOC": "malloc",  # or one allocation of Python's would hide what lies behind an array
            "ASAN_OPTIONS": (
                f"{said}:detect_leaks=0"
            ),  # CPython keeps what it allocates; kernels allocate nothing, which a test looks at
            "UBSAN_OPTIONS": f"{said}:print_stacktrace=1",
            "TSAN_OPTIONS": f"{said}:ignore_noninstrumented_modules=1",
            "SPE_LAB_SANITIZED": self.sanitizer,
            "SPE_LAB_CACHE_DIR": str(self.folder / "cache"),
            "SPE_LAB_CONFIG_DIR": str(self.folder / "config"),
        }
        probe = subprocess.run(
            [*self.prefix(), sys.executable, "-c", ""],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if probe.returncode or probe.stderr:
            why = (
                probe.stderr.strip()[:200] or f"it ended with {probe.returncode}"
            )  # -11 with clang 14's thread sanitizer; clang 19's starts
            pytest.skip(f"needs a Python that starts with {self.compiler}'s {self.sanitizer} sanitizer loaded: {why}")
        return environment

    def runtimes(self) -> list[str]:
        """The shared libraries that a program built so expects to be there before any other."""
        short = {"address": "asan", "thread": "tsan"}[self.sanitizer]
        names = [f"libclang_rt.{short}-{platform.machine()}.so"] if self.compiler == "clang" else [f"lib{short}.so"]
        found = [
            subprocess.run(
                [self.compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
            ).stdout.strip()
            for name in names
        ]
        if not all(Path(path).is_absolute() for path in found):
            pytest.skip(
                f"needs {self.compiler}'s shared library of the {self.sanitizer} sanitizer ({', '.join(names)})"
            )
        return found

    def prefix(self) -> list[str]:
        # The thread sanitizer keeps its tables where randomised addresses may fall.
        return ["setarch", platform.machine(), "-R"] if self.sanitizer == "thread" and shutil.which("setarch") else []

    def python(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess:
        command = [*self.prefix(), sys.executable, *arguments]
        return subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, timeout=timeout, check=False
        )


# Goes with the environment that make test sets up (make clean); elsewhere nothing is remembered.
PASSED = Path(sys.prefix) / ".sanitized" if sys.prefix != sys.base_prefix else None


def _fingerprint(build: Build, edges: list[Path]) -> str:
    """Kernels, headers, edge tests, compiler and flags as one number."""
    told = subprocess.run([build.compiler, "--version"], capture_output=True, text=True, check=True).stdout
    files = [*sorted(native.kernel_folder().glob("*.[ch]")), *edges, *sorted(Path(__file__).parent.glob("*.py"))]
    parts = [told, build.level, build.sanitizer, *(file.read_text(encoding="utf-8") for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def passed_before(build: Build, edges: list[Path]) -> bool:
    return bool(PASSED and PASSED.exists() and PASSED.read_text(encoding="utf-8") == _fingerprint(build, edges))


def remember(build: Build, edges: list[Path]) -> None:
    if PASSED:
        PASSED.write_text(_fingerprint(build, edges), encoding="utf-8")
