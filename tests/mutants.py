"""Puts deliberate faults into kernels and models, one at a time, and tells which of them the tests notice.

    python tests/mutants.py [WORD]     all faults, or those whose file or fault has WORD in it

The faults stand in tests/mutants.toml and tests/topics/<stem>/mutants.toml. The checkout is copied, so nothing here is
touched. Twenty operator faults are drawn beside them (tests/operator_mutants.py). A fault that is not noticed is a hole in the tests: exit status 1. A fault that cannot be put in, because its
fragment does not stand in the source exactly once, ends the run before it begins: exit status 2.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from operator_mutants import chosen

ROOT = Path(__file__).parents[1]
RANDOM, SEED = 20, 1  # operator faults that are drawn
COPIED = ("spe_lab", "kernels_c", "tests", "notebooks", "pyproject.toml", "environment.yml", "README.md", "Makefile")


@dataclass(frozen=True)
class Mutant:
    file: str
    fault: str
    was: str
    becomes: str
    tests: list[str]

    listed: Path

    def problem(self) -> str:
        """Why this fault cannot be put in, or '' if it can."""
        named = (self.file, *(name for name in self.tests if not name.startswith("-")))
        missing = [name for name in named if not (ROOT / name).exists()]
        count = 0 if self.file in missing else (ROOT / self.file).read_text(encoding="utf-8").count(self.was)
        where = f"{self.listed.relative_to(ROOT)}: {self.fault}"
        if missing:
            return f"{where}: names files that must exist, got {', '.join(missing)}; correct the paths"
        if count != 1:
            return f"{where}: {self.file} must have {self.was!r} exactly once, found {count}; correct the fragment"
        if self.becomes == self.was:
            return f"{where}: the fault must change the source, got the same text; correct `becomes`"
        return ""

    def put_into(self, folder: Path) -> None:
        source = (folder / self.file).read_text(encoding="utf-8")
        (folder / self.file).write_text(source.replace(self.was, self.becomes), encoding="utf-8")


def mutants() -> list[Mutant]:
    """The faults of core and models first, then those of the topics."""
    files = [ROOT / "tests" / "mutants.toml", *sorted((ROOT / "tests" / "topics").glob("*/mutants.toml"))]
    return [
        Mutant(**entry, listed=file)
        for file in files
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]
    ]


def drawn(count: int, seed: int) -> list[Mutant]:
    """Random operator faults (tests/operator_mutants.py)."""
    return [
        Mutant(str(file.relative_to(ROOT)), fault, was, becomes, tests, listed=file)
        for file, fault, was, becomes, tests in chosen(count, seed)
    ]


def tested(folder: Path, tests: list[str]) -> subprocess.CompletedProcess:
    """The tests' run in a copy, with caches of its own, for a faulty kernel must not be found by anybody else."""
    private = {
        "SPE_LAB_CACHE_DIR": str(folder / "cache"),
        "SPE_LAB_CONFIG_DIR": str(folder / "config"),
        "PYTHONPATH": str(folder),
        "SPE_LAB_QUICK": "1",
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--no-header",
        "-m",
        "not browser",
        *tests,
    ]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **private}, capture_output=True, text=True, timeout=180
    )


def noticed_by(mutant: Mutant) -> str | None:
    """The first test that fails, or None if all pass."""
    with tempfile.TemporaryDirectory(prefix="spe-lab-mutant-") as copied:
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(copied, name), ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copied)
        mutant.put_into(Path(copied))
        done = tested(Path(copied), mutant.tests)
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode == 1 and failed:
        return failed[0]
    if done.returncode:
        raise RuntimeError(
            f"pytest ended with {done.returncode} for {mutant.fault}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return None


def main(word: str = "") -> int:
    every = [*mutants(), *drawn(RANDOM, SEED)]
    asked = [mutant for mutant in every if word in f"{mutant.file} {mutant.fault}"]
    if problems := list(filter(None, (mutant.problem() for mutant in asked))):
        print("\n".join(problems), file=sys.stderr)
        return 2
    missed = 0
    for mutant in asked:
        began = time.monotonic()
        test = noticed_by(mutant)
        missed += test is None
        print(
            f"{'noticed' if test else 'MISSED '}  {mutant.file}: {mutant.fault} ({time.monotonic() - began:.0f}"
            f" s){f'; {test}' if test else ''}",
            flush=True,
        )
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
