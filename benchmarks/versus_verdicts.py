"""How often spe-lab versus is wrong about twins, and how often it finds a small difference.

    python benchmarks/versus_verdicts.py [--runs 100] [--percent 3] [--threshold 0.01] [--budget 3]

Each run takes one of ten functions, and places and orders by a seed of its own. Three kinds of pairs:

- twins: separate builds of one source
- moved twins: the second source begins with another function, so that its code lies elsewhere
- differing: the second version does as many per cent more of the same work, and is called slower if all is well

Prints verdicts by kind and function, and how long a run took: from two C files to the verdict, without Python's start.
Needs a quiet machine; the numbers of one are in versus_verdicts.md.
"""

import argparse
import contextlib
import time
from collections import Counter

import numpy as np

from spe_lab.core.own_c.compared import agreed, until
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.side_by_side import SideBySide
from spe_lab.core.own_c.versus import FASTER, SAME, SLOWER, verdict

# Bodies of `long core(const long *x, long n)`, each with an n.
CORES = {
    "sum": (1000, "long s = 0; for (long i = 0; i < n; i++) s += x[i]; return s;"),
    "floats": (500, "double s = 0; for (long i = 0; i < n; i++) s += (double)x[i] * 0.5 + 1; return (long)s;"),
    "branches": (
        400,
        """
        long s = 0;
        for (long i = 0; i < n; i++) {
            if (x[i] > 50) s += 3 * x[i]; else if (x[i] < 20) s -= x[i];
            if (s > 1000000) s -= 999983;
        }
        return s;
        """,
    ),
    "hash": (
        400,
        """
        unsigned long h = 1469598103934665603u;
        for (long i = 0; i < n; i++) h = (h ^ (unsigned long)x[i]) * 1099511628211u;
        return (long)h;
        """,
    ),
    "matrix": (
        10,
        """
        long s = 0;
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n; j++) {
                long t = 0;
                for (long k = 0; k < n; k++) t += x[i * n + k] * x[k * n + j];
                s ^= t;
            }
        return s;
        """,
    ),
    "insertion": (
        40,
        """
        long y[64];
        for (long i = 0; i < n; i++) {
            long v = x[i], j = i;
            while (j > 0 && y[j - 1] > v) { y[j] = y[j - 1]; j--; }
            y[j] = v;
        }
        return y[n / 2];
        """,
    ),
    "sieve": (
        400,
        """
        static char c[1024];
        long k = 0;
        for (long i = 0; i < n; i++) c[i] = 1;
        for (long i = 2; i < n; i++)
            if (c[i]) { k++; for (long j = 2 * i; j < n; j += i) c[j] = 0; }
        return k + x[0];
        """,
    ),
    "collatz": (
        30,
        """
        long t = x[0];
        for (long i = 1; i < n; i++)
            for (long v = i; v != 1; t++) v = v & 1 ? 3 * v + 1 : v / 2;
        return t;
        """,
    ),
    "search": (
        400,
        """
        long t = 0;
        for (long k = 0; k < 40; k++) {
            long low = 0, high = n;
            while (low < high) { long m = (low + high) / 2; if (m * 7 < k * 67) low = m + 1; else high = m; }
            t += low;
        }
        return t + x[0];
        """,
    ),
    "calls": (10, "return n < 2 ? n + x[0] : core(x, n - 1) + core(x, n - 2);"),
}
REPEATS = 100
SOURCE = """
{before}
__attribute__((noinline)) static long core(const long *x, long n) {{ {core} }}
long repeated(const long *x, long n)
{{
    long result = 0;
    for (long i = 0; i < {repeats}; i++) {{
        result ^= core(x, n);
        __asm__ volatile("" : : : "memory");
    }}
    return result;
}}
"""
BEFORE = "long other(long a) { return a * 7 + 1; }"
KINDS = {"twins": ("", 0), "moved twins": (BEFORE, 0), "differing": ("", None)}


def one(name: str, before: str, percent: int, seed: int, threshold: float, budget_s: float) -> tuple[str, float]:
    """Return a verdict and the seconds that it took."""
    began = time.monotonic()
    n, core = CORES[name]
    repeats = (REPEATS, REPEATS + percent)
    with contextlib.ExitStack() as stack:
        cells = [
            stack.enter_context(
                contextlib.closing(Cell(SOURCE.format(before=text, core=core, repeats=times), "versions"))
            )
            for text, times in zip(("", before), repeats, strict=True)
        ]
        side = stack.enter_context(SideBySide(cells, "repeated", seed))
        given = {"x": np.random.default_rng(1).integers(0, 100, 1000), "n": n}
        times = until(agreed(threshold), side, [given, given], budget_s)
    return verdict(times.ratio(), threshold), time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="of each kind")
    parser.add_argument("--percent", type=int, default=3)
    parser.add_argument("--threshold", type=float, default=0.01)
    parser.add_argument("--budget", type=float, default=3.0)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    for kind in options.kinds:
        before, percent = KINDS[kind]
        found, seconds, by_name = Counter(), [], {name: Counter() for name in CORES}
        for seed in range(1, options.runs + 1):
            name = list(CORES)[seed % len(CORES)]
            more = options.percent if percent is None else percent
            said, took = one(name, before, more, seed, options.threshold, options.budget)
            found[said] += 1
            by_name[name][said] += 1
            seconds.append(took)
        right = found[SLOWER] if percent is None else found[SAME]
        wrong = found[FASTER] + (found[SAME] if percent is None else found[SLOWER])
        print(
            f"{kind}: {right} right, {wrong} wrong, {options.runs - right - wrong} inconclusive of {options.runs};"
            f" seconds: median {np.median(seconds):.1f}, 90 % within {np.quantile(seconds, 0.9):.1f}, longest"
            f" {max(seconds):.1f}",
            flush=True,
        )
        for name, counted in by_name.items():
            print(f"    {name:<10} {', '.join(f'{count} {said}' for said, count in counted.most_common())}")


if __name__ == "__main__":
    main()
