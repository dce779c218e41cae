"""Calibration beside an independent program, and beside itself: python benchmarks/calibration.py [--times 5]

Compiles independent.c, runs it and a calibration in one go, and prints for each of latency and bandwidth both numbers and their
ratio; then repeats the calibration and prints how far each parameter moved, and how long it took. Where likwid-bench is installed
(Debian: likwid), its load test stands beside the bandwidth of memory.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from spe_lab.core import native
from spe_lab.core.machine import calibration, claim


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
    return {int(size): (float(latency), float(rate)) for size, latency, rate, _ in (line.split() for line in said.splitlines())}


def likwid() -> float | None:
    """GB/s of likwid's load kernel on one core."""
    if not shutil.which("likwid-bench"):
        return None
    said = subprocess.run(["likwid-bench", "-t", "load", "-W", "N:128MB:1"], capture_output=True, text=True, check=False).stdout
    rates = [float(line.split()[1]) / 1000 for line in said.splitlines() if line.startswith("MByte/s")]
    return rates[0] if rates else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    first, second = int(claim()["l1_capacity"].value // 2), int(claim()["l1_capacity"].value * 4)
    memory = calibration.Calibration(claim(), calibration.Cancel()).largest
    runs, seconds = zip(*(calibrate() for _ in range(times)), strict=True)
    other = independent([first, second, memory])
    last = {name: p.value or np.nan for name, p in runs[-1].items()}
    ours = {
        "first-level latency [ns]": (last["l1_latency"], other[first][0]),
        "second-level latency [ns]": (last["l1_latency"] + last["l2_latency"], other[second][0]),
        "memory bandwidth [GB/s]": (last["memory_bandwidth"], other[memory][1]),
    }
    print(f"{'':<28} {'ours':>8} {'theirs':>8}  ratio")
    for name, (mine, theirs) in ours.items():
        print(f"{name:<28} {mine:8.3f} {theirs:8.3f}  {mine / theirs:.3f}")
    if (rate := likwid()) is not None:
        print(f"{'memory bandwidth, likwid':<28} {last['memory_bandwidth']:8.3f} {rate:8.3f}  {last['memory_bandwidth'] / rate:.3f}")
    print(f"\n{times} calibrations, {min(seconds):.1f} to {max(seconds):.1f} s each")
    for name in runs[0]:
        values = np.array([run[name].value if run[name].value is not None else np.nan for run in runs])
        spread = f"{np.nanmax(values) / np.nanmin(values) - 1:7.1%}" if np.nanmin(values, initial=np.inf) not in (0, np.inf) else "       "
        print(f"{name:<28} {spread}  {'  '.join('–' if np.isnan(v) else f'{v:.4g}' for v in values)}")


if __name__ == "__main__":
    main()
