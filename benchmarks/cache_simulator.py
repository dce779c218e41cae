"""How many accesses a second the simulated caches see, on one core.

    python benchmarks/cache_simulator.py [--accesses N] [--repeats N]

Prints the median and the slowest of the repeats. What it was built for is 20 million accesses a second with one LRU
level of 8 ways.
"""

import argparse
import time

import numpy as np

from spe_lab.models.cache import Hierarchy, Level, lines_of, stack_distances

LEVELS = {
    "8 ways, LRU": [Level(32 << 10, ways=8)],
    "8 ways, tree": [Level(32 << 10, ways=8, policy="tree-PLRU")],
    "512 lines, LRU": [Level(32 << 10)],
    "16384 lines, LRU": [Level(1 << 20)],
    "three levels": [Level(32 << 10, ways=8), Level(1 << 20, ways=16), Level(8 << 20, ways=16)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accesses", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, rng = options.accesses, np.random.default_rng(1)
    traces = {
        "random, 4 MiB": rng.integers(0, 4 << 20, n),
        "random, 30 kB": rng.integers(0, 30_000, n),
        "in order": np.arange(n) * 8 % (4 << 20),
    }
    print("simulated           trace            median [M/s]   slowest [M/s]")
    for trace, addresses in traces.items():
        runs = {name: lambda levels=levels, a=addresses: Hierarchy(levels).run(a) for name, levels in LEVELS.items()}
        lines = lines_of(addresses, 1, 64)
        for name, run in {**runs, "stack distances": lambda lines=lines: stack_distances(lines)}.items():
            speeds = []
            for _ in range(options.repeats):
                began = time.perf_counter()
                run()
                speeds.append(n / (time.perf_counter() - began) / 1e6)
            print(f"{name:18}  {trace:14}   {np.median(speeds):12.0f}   {min(speeds):13.0f}")


if __name__ == "__main__":
    main()
