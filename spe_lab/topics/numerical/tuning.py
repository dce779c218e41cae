"""Between the two kinds of model: the analytical form, its parameters fitted to measured points."""

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.topics.numerical.analytical import LEVELS

PER_OCTAVE = 8  # capacities that are tried


def tune(n: np.ndarray, times: np.ndarray, record_bytes: int, capacities: dict[str, float]) -> dict[str, float]:
    """c, t and l₁ … l₄ [ns] and C₄ [B] of the analytical model that come nearest to the times of predicated searches.

    Given the capacities, the time is linear in all others, none of which can be negative: a non-negative least squares
    of the relative error. C₁ to C₃ are taken as given; of the last-level cache, which others share, each size from C₂
    on is tried. MeasurementError where there are fewer points than parameters.
    """
    from scipy.optimize import nnls

    names = ["c", "t", *(f"l{i}" for i in LEVELS)]
    if len(n) <= len(names):
        raise MeasurementError(
            f"tuning must have more than {len(names)} points with a clean sample, got {len(n)}; measure the whole sweep"
        )
    size, steps = n * record_bytes, np.ceil(np.log2(n))
    octaves = max(1.0, np.log2(size.max() / capacities["C2"]))
    found = []
    for last in capacities["C2"] * 2 ** np.linspace(0, octaves, int(octaves * PER_OCTAVE), endpoint=False):
        stores = [*(capacities[f"C{i}"] for i in LEVELS[:-1]), last]
        columns = np.stack(
            [np.ones(len(n)), steps, *(np.maximum(0, np.log2(size / store)) for store in stores)], axis=1
        )
        solution, residual = nnls(columns / times[:, None], np.ones(len(n)))
        found.append((residual, {**dict(zip(names, solution.tolist(), strict=True)), "C4": float(last)}))
    return min(found, key=lambda each: each[0])[1]
