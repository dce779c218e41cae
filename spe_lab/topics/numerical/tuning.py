"""Tuning: the analytical model with parameters fitted to measured points."""

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.topics.numerical.analytical import LEVELS

PER_OCTAVE = 8  # tried capacities of the last-level cache


def tune(n: np.ndarray, times: np.ndarray, record_bytes: int, capacities: dict[str, float]) -> dict[str, float]:
    """Fit c, t, the latencies l [ns] and C_L3 [B] of the analytical model to the times of predicated searches.

    For given capacities the time is linear in the other parameters, which cannot be negative. They follow from
    non-negative least squares of the relative error. The other capacities are given; C_L3 is tried in steps from
    C_L2 on, since other programs share the last-level cache. Raise MeasurementError if there are fewer points than
    parameters.
    """
    from scipy.optimize import nnls

    names = ["c", "t", *(f"l_{level}" for level in LEVELS)]
    if len(n) <= len(names):
        raise MeasurementError(
            f"tuning must have more than {len(names)} points with a clean sample, got {len(n)}; measure the whole sweep"
        )
    size, steps = n * record_bytes, np.ceil(np.log2(n))
    octaves = max(1.0, np.log2(size.max() / capacities["C_L2"]))
    fits = []
    for last in capacities["C_L2"] * 2 ** np.linspace(0, octaves, int(octaves * PER_OCTAVE), endpoint=False):
        stores = [*(capacities[f"C_{level}"] for level in LEVELS[:-1]), last]
        misses = (np.maximum(0, np.log2(size / store)) for store in stores)
        columns = np.stack([np.ones(len(n)), steps, *misses], axis=1)
        solution, residual = nnls(columns / times[:, None], np.ones(len(n)))
        fits.append((residual, {**dict(zip(names, solution.tolist(), strict=True)), "C_L3": float(last)}))
    return min(fits, key=lambda fit: fit[0])[1]
