"""Calibration beside an independent program, and beside itself: python benchmarks/calibration.py [--times 5]

Compiles independent.c, runs it and a calibration in one go, and prints for each of latency and bandwidth both numbers
and their ratio; then repeats the calibration and prints how far each parameter moved, and how long it took. Where
likwid-bench is installed (Debian: likwid), its load test stands beside the bandwidth of memory.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.calibration import calibration
from spe_lab.core.machine import claim


def calibrate() -> tuple[dict, float]:
    began = time.monotonic()
    found = list(calibration.calibrate(claim()))[-1][2]
    return found, time.monotonic() - began


def independent(sizes: list[int]) -> dict[int, tuple[float, float]]:
    """size → (ns per dependent load, GB/s in order)"""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "independent"
        source = Path(__file__).with_name("independent.c")
        subprocess.run([*native.compiler().command, "-O2", str(source), "-o", str(program)], check=True)
        said = subprocess.run([program, *map(str, sizes)], capture_output=True, text=True, check=True).stdout
    return {
        int(size): (float(latency), float(rate))
        for size, latency, rate, _ in (line.split() for line in said.splitlines())
    }


def likwid() -> float | None:
    """GB/s of likwid's load kernel on one core. It takes one long time, so that its own start counts little only on a
    gigabyte.
    """
    if not shutil.which("likwid-bench"):
        return None
    said = subprocess.run(
        ["likwid-bench", "-t", "load", "-W", "S0:1GB:1"], capture_output=True, text=True, check=False
    ).stdout
    rates = [float(line.split()[1]) / 1000 for line in said.splitlines() if line.startswith("MByte/s")]
    return rates[0] if rates else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    first, second = int(claim()["l1_capacity"].value // 2), int(claim()["l1_capacity"].value * 4)
    memory = calibration.Calibration(claim(), calibration.Cancel()).largest
    # Others before and after each calibration, and the best of each: both sides see quiet moments.
    others, rates, runs, seconds = [independent([first, second, memory])], [likwid()], [], []
    for _ in range(times):
        run, taken = calibrate()
        runs, seconds = [*runs, run], [*seconds, taken]
        others, rates = [*others, independent([first, second, memory])], [*rates, likwid()]
    other = {size: (min(o[size][0] for o in others), max(o[size][1] for o in others)) for size in others[0]}
    middle = {
        name: np.median([run[name].value or np.nan for run in runs])
        for name in ("l1_latency", "l2_latency", "memory_bandwidth")
    }
    ours = {
        "first-level latency [ns]": (middle["l1_latency"], other[first][0]),
        "second-level latency [ns]": (middle["l1_latency"] + middle["l2_latency"], other[second][0]),
        "memory bandwidth [GB/s]": (middle["memory_bandwidth"], other[memory][1]),
    }
    if None not in rates:
        ours["memory bandwidth, likwid"] = (middle["memory_bandwidth"], max(rates))
    print(f"{'':<28} {'ours':>8} {'theirs':>8}  ratio")
    for name, (mine, theirs) in ours.items():
        print(f"{name:<28} {mine:8.3f} {theirs:8.3f}  {mine / theirs:.3f}")
    print(f"\n{times} calibrations, {min(seconds):.1f} to {max(seconds):.1f} s each")
    for name in runs[0]:
        values = np.array([run[name].value if run[name].value is not None else np.nan for run in runs])
        spread = (
            f"{np.nanmax(values) / np.nanmin(values) - 1:7.1%}"
            if np.nanmin(values, initial=np.inf) not in (0, np.inf)
            else "       "
        )
        print(f"{name:<28} {spread}  {'  '.join('–' if np.isnan(v) else f'{v:.4g}' for v in values)}")


if __name__ == "__main__":
    main()
