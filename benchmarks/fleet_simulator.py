"""How many failures and repairs a second the simulated fleets of scaling.cost go through, on one core.

    python benchmarks/fleet_simulator.py [--events N] [--repeats N]

Prints the median and the slowest of the repeats. What it was built for is 20 million events a second.
"""

import argparse
import time

import numpy as np

from spe_lab.topics.scaling.cost import simulate_fleet


def measure_speed(machines: int, events: int, repeats: int) -> np.ndarray:
    """Millions of events a second of each repeat: machines that are up for ten hours and down for one."""
    speed = []
    for seed in range(repeats):
        years = events / 2 / machines * 11 / 8766
        began = time.perf_counter()
        failures = simulate_fleet(machines, np.zeros(machines + 1), 10 / 8766, 1, years, seed=seed)[0, 0] * years
        speed.append(2 * failures / (time.perf_counter() - began) / 1e6)
    return np.array(speed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    simulate_fleet(1, np.zeros(2), 1, 1, 1)  # compiled and loaded before the clock runs
    print("machines   median [M/s]   slowest [M/s]")
    for machines in (1, 16, 256):
        speed = measure_speed(machines, options.events, options.repeats)
        print(f"{machines:8}   {np.median(speed):12.0f}   {speed.min():13.0f}")


if __name__ == "__main__":
    main()
