"""How many accesses a second the simulated caches see, on one core.

    python benchmarks/coherence_simulator.py [--accesses N] [--repeats N]

Prints the median and the slowest of the repeats. What it was built for is 20 million accesses a second.
"""

import argparse
import time
from itertools import product

import numpy as np

from spe_lab.topics.coherence import Bus


def measure_speed(cores: int, lines: int, tenure: float, accesses: int, repeats: int) -> np.ndarray:
    """Millions of accesses a second of each repeat, half of them writes."""
    seconds = []
    for seed in range(repeats):
        bus = Bus(cores, lines)
        began = time.perf_counter()
        bus.run_random(accesses, write=0.5, tenure=tenure, lines=lines, seed=seed)
        seconds.append(time.perf_counter() - began)
    return accesses / np.array(seconds) / 1e6


def measure_trace_speed(cores: int, lines: int, accesses: int, repeats: int) -> np.ndarray:
    """The same for a trace that is given, with Python's checks of it."""
    rng = np.random.default_rng(1)
    core, line, kind = (
        rng.integers(0, cores, accesses),
        rng.integers(0, lines, accesses),
        "".join(rng.choice(list("RW"), accesses)),
    )
    seconds = []
    for _ in range(repeats):
        bus = Bus(cores, lines)
        began = time.perf_counter()
        bus.run(core, line, kind)
        seconds.append(time.perf_counter() - began)
    return accesses / np.array(seconds) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accesses", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    Bus(2, 1).run([0], [0], "R")  # compiled and loaded before the clock runs
    print("cores   lines   tenure   median [M/s]   slowest [M/s]")
    for cores, lines, tenure in product((2, 4, 8), (1, 64), (1, 16)):
        speed = measure_speed(cores, lines, tenure, options.accesses, options.repeats)
        print(f"{cores:5}   {lines:5}   {tenure:6}   {np.median(speed):12.0f}   {speed.min():13.0f}")
    speed = measure_trace_speed(4, 64, options.accesses, options.repeats)
    print(f"    4      64   given    {np.median(speed):12.0f}   {speed.min():13.0f}")


if __name__ == "__main__":
    main()
