"""How long the steps of a latency curve take to fit, intervals included.

    python benchmarks/step_fit.py [--repeats N]

Curves of three levels and a TLB between 4 KiB and 128 MiB, with 5 % of noise. Prints median and slowest of N curves.
The calibration fits one such curve; the limit that it was built for is 2 s.
"""

import argparse
import time

import numpy as np

from spe_lab.core.calibration import steps

LEVELS = (("cliff", 2**15, 2.7), ("ramp", 2**18, 4.0), ("ramp", 2**20, 16.2), ("ramp", 2**24, 140.0))


def measure_fit(per_octave: int, blocks: int, repeats: int) -> np.ndarray:
    """Seconds of each fit."""
    rng = np.random.default_rng(1)
    sizes = 2.0 ** np.arange(12, 27 + 1e-9, 1 / per_octave)
    curve = 1.1 + sum(latency * steps.miss_share(kind, capacity, sizes) for kind, capacity, latency in LEVELS)
    seconds = []
    for _ in range(repeats):
        noisy = curve * np.exp(0.05 * rng.standard_normal((blocks, len(sizes))))
        began = time.perf_counter()
        steps.fit(sizes, noisy)
        seconds.append(time.perf_counter() - began)
    return np.array(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    print("points per octave   blocks   median [ms]   slowest [ms]")
    for per_octave, blocks in ((2, 12), (4, 12), (4, 24)):
        seconds = measure_fit(per_octave, blocks, repeats)
        print(f"{per_octave:17}   {blocks:6}   {1e3 * np.median(seconds):11.0f}   {1e3 * seconds.max():12.0f}")


if __name__ == "__main__":
    main()
