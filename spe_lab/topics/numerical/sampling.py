"""The choice of the measured points that a model is fitted to."""

import numpy as np

from spe_lab.core.errors import SpeLabError

SPACINGS = ("log", "powers of 2", "even", "Chebyshev", "random")
SEED = 1


def choose(n: np.ndarray, points: int, low: float, high: float, spacing: str = "log", seed: int = SEED) -> np.ndarray:
    """Return increasing indices of `points` of the sizes between `low` and `high`, both ends included.

    - n: all sizes, increasing
    - spacing: even over log n ("log"), the same among "powers of 2", "even" over n, denser towards both ends of log n
      ("Chebyshev"), or "random" with this seed; each place takes the nearest free size

    A range with fewer sizes gives all of them; a range without any gives the size nearest to `low`.

    >>> choose(np.array([16, 23, 32, 45, 64, 91, 128]), 3, 16, 128, "powers of 2")
    array([0, 2, 6])
    """
    n = np.asarray(n, dtype=float)
    if spacing not in SPACINGS:
        raise SpeLabError(f"spacing must be one of {', '.join(SPACINGS)}, got {spacing!r}; name one of them")
    if not points >= 1:
        raise SpeLabError(f"points must be 1 or more, got {points}; choose 2 or more to fit a curve")
    low, high = sorted((low, high))
    there = np.flatnonzero((n >= low) & (n <= high) & ((np.log2(n) % 1 == 0) | (spacing != "powers of 2")))
    if not there.size:
        return np.array([np.argmin(np.abs(np.log(n / low)))])
    points = min(int(points), there.size)
    if spacing == "random":
        ends = there[[0, -1]][:points]
        drawn = np.random.default_rng(seed).permutation(there[1:-1])[: points - ends.size]
        return np.unique([*ends, *drawn])
    u = n[there] if spacing == "even" else np.log2(n[there])
    even = np.linspace(0, 1, points)
    places = u[0] + (u[-1] - u[0]) * ((1 - np.cos(np.pi * even)) / 2 if spacing == "Chebyshev" else even)
    free, taken = np.ones(there.size, dtype=bool), []
    middle = (u[0] + u[-1]) / 2
    for place in sorted(places, key=lambda place: -abs(place - middle)):  # the ends first: they bound the others
        nearest = int(np.argmin(np.where(free, np.abs(u - place), np.inf)))
        free[nearest] = False
        taken.append(there[nearest])
    return np.sort(np.array(taken))
