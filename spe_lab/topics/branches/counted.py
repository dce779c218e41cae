"""Counted mispredictions: by hardware counters where they are available, or in a simulated core."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import counter
from spe_lab.topics.branches.selection import KEY_RANGE, KEYS, Data, kernels

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0)
SIMULATED_KEYS = 200_000  # valgrind runs some 50 times slower than the machine
_MAIN = """
#include "spe.h"
#include <stdio.h>
#include <stdlib.h>

struct selection { const int32_t *keys, *payload; uint64_t n, width, position; int64_t threshold; };
uint64_t sum_branching(struct selection *state, uint64_t work);

int main(int count, char **words)
{
    uint64_t n = count == 3 ? strtoull(words[1], NULL, 10) : 0, random = 1;
    int32_t *keys = malloc(n * sizeof *keys);
    if (keys == NULL)
        return 1;
    for (uint64_t i = 0; i < n; i++)
        keys[i] = (int32_t)(spe_random(&random) >> 34);
    struct selection state = {keys, keys, n, 1, 0, strtoll(words[2], NULL, 10)};
    printf("%llu", (unsigned long long)sum_branching(&state, n));
    free(keys);
    return 0;
}
"""


def counted_by_hardware(shares: Sequence[float] = SHARES) -> Curve:
    """Return mispredicted branches per element; raise UnavailableError without hardware counters."""
    library, data = kernels(), Data(0)
    points = [data.point("branching", p) for p in _checked(shares)]
    runs = [partial(library.sum_branching, point.state, KEYS) for point in points]
    missed = np.array([counter.count(counter.HARDWARE, counter.BRANCH_MISSES, run) for run in runs])
    return Curve("counted by the hardware", "measured", Axis("p", "", np.array(sorted(shares))), "", missed / KEYS)


def counted_by_valgrind(shares: Sequence[float] = SHARES, keys: int = SIMULATED_KEYS) -> Curve:
    """Return mispredicted branches per element of the same machine code in cachegrind's simulated core.

    Its predictor is a table of two-bit counters. Takes a few seconds. Raise UnavailableError without valgrind.
    """
    shares = _checked(shares)
    if shutil.which("valgrind") is None:
        raise UnavailableError(
            "counting in simulation needs valgrind, and none was found; install it (Debian: apt install valgrind)"
        )
    with tempfile.TemporaryDirectory() as folder:
        program, main = Path(folder) / "selection", Path(folder) / "main.c"
        main.write_text(_MAIN, encoding="utf-8")
        source = native.kernel_folder() / "branches.c"
        native.run_compiler([*native.FLAGS, f"-I{native.kernel_folder()}", "-o", str(program), str(main)], source)
        rates = [_run_cachegrind(program, Path(folder) / "counts", keys, p) for p in shares]
    return Curve("counted in a simulated core", "simulated", Axis("p", "", np.array(shares)), "", np.array(rates))


def _run_cachegrind(program: Path, counts: Path, keys: int, p: float) -> float:
    options = ["--tool=cachegrind", "--branch-sim=yes", "--cache-sim=no", f"--cachegrind-out-file={counts}"]
    command = ["valgrind", *options, str(program), str(keys), str(round(p * KEY_RANGE))]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=120, check=False)
    if ended.returncode or not counts.is_file():
        raise UnavailableError(
            f"valgrind ended with status {ended.returncode}: {ended.stderr.strip()[-200:]}; install another version"
        )
    return mispredicted(counts.read_text(encoding="utf-8", errors="replace"), "sum_branching") / keys


def mispredicted(counts: str, function: str) -> int:
    """Return the mispredicted conditional branches of `function` from the text of a cachegrind file."""
    names = re.search(r"^events: (.*)$", counts, flags=re.MULTILINE)[1].split()
    column, current, total = names.index("Bcm"), None, 0
    for line in counts.splitlines():
        if line.startswith("fn="):
            current = line[3:]
        elif current == function and line[:1].isdigit():
            values = line.split()[1:]
            total += int(values[column]) if column < len(values) else 0
    return total


def _checked(shares: Sequence[float]) -> list[float]:
    if not shares or not all(0 <= p <= 1 for p in shares):
        raise SpeLabError(f"shares must be between 0 and 1, got {list(shares)!r:.80}; write for example [0.1, 0.5]")
    return sorted(shares)
