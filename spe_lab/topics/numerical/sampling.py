"""Which of the measured points a fit is given."""

import numpy as np

from spe_lab.core.errors import SpeLabError

SPACINGS = ("log", "powers of 2", "even", "Chebyshev", "random")
SEED = 1


def choose(n: np.ndarray, points: int, low: float, high: float, spacing: str = "log", seed: int = SEED) -> np.ndarray:
    """Indices of `points` of the sizes `n` (increasing) between `low` and `high`, the ends among them, in increasing
    order.

    `spacing`: evenly over log n ("log"), the same among powers of two alone, evenly over n ("even"), denser towards
    both ends of log n ("Chebyshev"), or drawn at random. Each place takes the nearest size that is not taken yet. Where
    the range has fewer sizes, all of them; where it has none, the nearest one.

    >>> choose(np.array([16, 23, 32, 45, 64, 91, 128]), 3, 16, 128, "powers of 2")
    array([0, 2, 6])
    """
    n = np.asarray(n, dtype=float)
    if spacing not in SPACINGS:
        raise SpeLabError(f"spacing must be one of {', '.join(SPACINGS)}, got {spacing!r}; name one of them")
    if not points >= 1:
        raise SpeLabError(f"points must be 1 or more, got {points}; a fit needs something to go by")
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
    for place in sorted(
        places, key=lambda place: -abs(place - (u[0] + u[-1]) / 2)
    ):  # the ends first: they bound what is inside
        nearest = int(np.argmin(np.where(free, np.abs(u - place), np.inf)))
        free[nearest] = False
        taken.append(there[nearest])
    return np.sort(np.array(taken))
