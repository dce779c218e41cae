"""How many branches a second the simulated predictors see, on one core.

    python benchmarks/branch_simulator.py [--branches N] [--repeats N]

Prints the median and the slowest of the repeats. What it was built for is 100 million branches a second with one
counter.
"""

import argparse
import time
from itertools import product

import numpy as np

from spe_lab.topics.branches.simulator import KINDS, LAWS, simulate


def measure_speed(kind: str, law: str, states: int, branches: int, repeats: int) -> np.ndarray:
    """Millions of branches a second of each repeat, at p = 0.3."""
    seconds = []
    for seed in range(repeats):
        began = time.perf_counter()
        simulate(0.3, branches, kind=kind, law=law, states=states, seed=seed)
        seconds.append(time.perf_counter() - began)
    return branches / np.array(seconds) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--branches", type=int, default=50_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    simulate(0.5, 1000)  # compiled and loaded before the clock runs
    print("predictor       states   outcomes        median [M/s]   slowest [M/s]")
    for kind, states, law in product(KINDS, (4, 16), LAWS):
        speed = measure_speed(kind, law, states, options.branches, options.repeats)
        print(f"{kind:13}   {states:6}   {law:13}   {np.median(speed):12.0f}   {speed.min():13.0f}")


if __name__ == "__main__":
    main()
