"""Steps of a latency curve: capacities and miss latencies, found by fitting families of curves.

An access to a working set of S bytes takes the hit latency of the first level. For every level that the set may
outgrow, the latency of a miss there is added, times the share of accesses that miss:

    t(S) = base + Σ latency_i · share_i(S),    share = max(0, 1 − C/S) ("ramp")  or  1 if S > C else 0 ("cliff").

A ramp is a level in which a share C/S of the set stays resident (random replacement, shared or hashed caches, a TLB). A
cliff is LRU replacement under a cyclic order. The fit chooses between them for each level. Thresholds and change-point
detectors split after the rise, 1.2 to 1.4 times too high; ramps fitted to a cliff give 0.7 times its capacity. A level
that follows neither family, such as a cache shared with neighbours, may be fitted by two or three steps together.

Sources: the families are those of spe_lab.topics.memory.models; the criterion is Schwarz's (Ann. Statist. 6, 1978) with
three parameters for each step, as Zhang and Siegmund (Biometrics 63, 2007) advise for change points.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.sampling.statistics import CONFIDENCE

MIN_SIZES = 8  # base and two steps are five parameters; fewer points leave no residual to judge them
SEPARATION = 1.5  # capacities closer than this, or with no size between them, are one step with a soft edge
LEAST_RISE = 0.15  # of the curve where a step begins; a smaller rise is the shape of a neighbouring level
NOISE_FACTOR = 2.0  # a rise below so many typical errors is not a level either
TOLERANCE = 0.03  # no cache follows a family more closely: better repeatability adds no weight
FLOOR = 1e-3  # a relative error that counts as zero: without it, a noise-free curve gets ever more steps
SOFT_EDGE = 192 * 1024  # bytes: no first-level cache is larger, and larger caches hide the stack's lines
DRAWS = 200
CHUNK = 50  # draws fitted at once; more outgrow the second-level cache and take twice the time
FEWEST_BLOCKS = 6  # the fewest whose range covers their median with 95 % confidence
REJECT = 3.0  # lower-side deviations: a block so far above the median is an outlier


@dataclass(frozen=True)
class Step:
    """One level's step, with intervals; they are NaN if there were too few blocks.

    `capacity`, in bytes: where a ramp begins, or the largest size that fits below a cliff. `latency`, in ns: what a
    miss adds.
    """

    capacity: float
    capacity_low: float
    capacity_high: float
    latency: float
    latency_low: float
    latency_high: float
    kind: str  # "ramp" or "cliff"


@dataclass(frozen=True)
class Staircase:
    """A fitted curve: `base` is the first level's hit latency in ns, `steps` are in order of capacity.

    `residual` is the median relative error of the fit.
    """

    base: float
    base_low: float
    base_high: float
    steps: tuple[Step, ...]
    residual: float

    def predict(self, sizes: np.ndarray | float) -> np.ndarray:
        """Return the time per access in ns for working sets of these sizes in bytes."""
        sizes = np.asarray(sizes, dtype=float)
        return self.base + sum(
            (step.latency * miss_share(step.kind, step.capacity, sizes) for step in self.steps), np.zeros_like(sizes)
        )


def miss_share(kind: str, capacity: float, sizes: np.ndarray) -> np.ndarray:
    """Return the share of accesses to `sizes` bytes that miss a level of `capacity` bytes, 0 to 1."""
    return np.maximum(0.0, 1.0 - capacity / sizes) if kind == "ramp" else np.where(sizes > capacity, 1.0, 0.0)


def fit(sizes: np.ndarray, blocks: np.ndarray, *, max_steps: int = 5, seed: int = 1) -> Staircase:
    """Return the staircase that explains a latency curve with no more steps than its noise permits.

    - `sizes`: working-set sizes in bytes, increasing, at least 8 with a value
    - `blocks`: time per access in ns, blocks × sizes: a low quantile per block of rounds, NaN without a clean sample
    - `max_steps`: the largest number of steps that is tried, 0 to 8
    - `seed`: of the resampling

    The intervals are 95 % bootstrap intervals over whole blocks, since the points of a block share the minute they were
    taken in. Capacities, kinds and latencies are fitted again for the same number of steps. If the families miss the
    points by more than the blocks scatter, the intervals are wider by that ratio, like the Particle Data Group's scale
    factor. A cliff lies between two neighbouring sizes, and its interval covers both. A ramp needs no such allowance,
    since no grid of capacities is searched. The intervals do not cover an error in the number of steps, nor effects
    that all blocks share: a constant neighbour is part of the machine. Fewer than six blocks give NaN.

    Raises SpeLabError for arguments outside these rules, and MeasurementError if too few sizes have a value.

    >>> sizes = 2.0 ** np.arange(12, 24)
    >>> found = fit(sizes, 1.5 + 3.0 * miss_share("ramp", 80_000, sizes)[None, :])
    >>> round(found.base, 6), [(step.kind, round(step.capacity), round(step.latency, 6)) for step in found.steps]
    (1.5, [('ramp', 80000, 3.0)])
    """
    sizes, blocks = _checked(sizes, blocks, max_steps)
    centre = _centre(blocks)
    if len(blocks) < FEWEST_BLOCKS:
        return _Search(sizes, centre, np.zeros_like(centre)).best(max_steps)[2]
    rows = np.random.default_rng(seed).integers(len(blocks), size=(DRAWS, len(blocks)))
    drawn = _centre(blocks[rows])
    drawn = np.where(np.isnan(drawn), centre, drawn)  # a size whose few values were not drawn
    error = drawn.std(axis=0) / centre
    search = _Search(sizes, centre, error)
    column, theta, found = search.best(max_steps)
    misfit, scatter = search.misfit(column, theta, (search.scaled @ centre)[None]), math.sqrt(search.weights @ error**2)
    stretch = max(1.0, misfit / max(scatter, FLOOR))
    return _with_intervals(found, search, column, theta, drawn, stretch)


def _with_intervals(
    found: Staircase, search: "_Search", column: np.ndarray, theta: np.ndarray, drawn: np.ndarray, stretch: float
) -> Staircase:
    """Return the staircase with the intervals of its refits to the `drawn` curves, `stretch` times as wide."""
    target = drawn @ search.scaled.T
    refined = []
    for part in np.array_split(target, DRAWS // CHUNK):
        columns, thetas = (np.repeat(values, len(part), axis=0) for values in (column, theta))
        refined.append(search.refine(columns, thetas, part, rounds=2))
    column, theta = map(np.concatenate, zip(*refined, strict=True))
    (capacity, beyond), latency = search.capacity(column, theta), search.solve(column, theta, target)[0]
    order = np.argsort(capacity, axis=1)  # the base, at the first size, stays first
    capacity, beyond, latency = (np.take_along_axis(values, order, axis=1).T for values in (capacity, beyond, latency))

    def around(value: float, values: np.ndarray) -> tuple[float, float, float]:
        low, high = np.quantile(values, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)) - value
        return value, max(0.0, value + stretch * min(0.0, float(low))), value + stretch * max(0.0, float(high))

    steps = []
    for i, step in enumerate(found.steps, start=1):
        value, low, high = around(step.capacity, capacity[i])
        high = max(high, float(np.quantile(beyond[i], (1 + CONFIDENCE) / 2)))
        steps.append(Step(value, low, high, *around(step.latency, latency[i]), step.kind))
    return Staircase(*around(found.base, latency[0]), tuple(steps), found.residual)


def _checked(sizes: np.ndarray, blocks: np.ndarray, max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays of floats without sizes that have no value; raise SpeLabError if they cannot be fitted."""
    sizes, blocks = np.asarray(sizes, dtype=float), np.asarray(blocks, dtype=float)
    if sizes.ndim != 1 or not (np.isfinite(sizes).all() and (sizes > 0).all() and (np.diff(sizes) > 0).all()):
        got = f"got {np.array2string(sizes, threshold=6, edgeitems=3)}"
        raise SpeLabError(f"sizes must be positive, increasing byte counts, {got}; sort them and leave out repetitions")
    if blocks.ndim != 2 or blocks.shape[1] != len(sizes):
        raise SpeLabError(
            f"blocks must have one column for each of the {len(sizes)} sizes, got the shape {blocks.shape}; give blocks"
            " × sizes"
        )
    if np.isinf(blocks).any() or (blocks <= 0).any():
        worst = blocks[np.isinf(blocks) | (blocks <= 0)][0]
        raise SpeLabError(
            f"blocks must be positive times in ns, got {worst:g}; write NaN where a block had no clean sample"
        )
    if not 0 <= max_steps <= 8:
        raise SpeLabError(f"max_steps must be between 0 and 8, got {max_steps}; a machine has up to five levels")
    known = ~np.isnan(blocks).all(axis=0)
    if known.sum() < MIN_SIZES:
        raise MeasurementError(
            f"blocks must hold times for at least {MIN_SIZES} sizes, got {known.sum()}; measure more sizes or for"
            " longer"
        )
    return sizes[known], blocks[:, known]


def _centre(blocks: np.ndarray) -> np.ndarray:
    """Return the median over blocks (last axis but one), without NaN and without blocks that were disturbed.

    Outliers are always slow: 10 % of them shift the plain median by 0.14 σ, more than the fit's own error. The distance
    from the median down to the lower sixth, one σ of the undisturbed blocks, limits how far above a block may lie.
    """
    ordered = np.sort(blocks, axis=-2)  # NaN last
    count = (~np.isnan(ordered)).sum(axis=-2)
    median, sixth = _quantile(ordered, count, 1 / 2), _quantile(ordered, count, 1 / 6)
    limit = median + REJECT * (median - sixth)
    return _quantile(ordered, (ordered <= limit[..., None, :]).sum(axis=-2), 1 / 2)


def _quantile(ordered: np.ndarray, count: np.ndarray, q: float) -> np.ndarray:
    """Return the interpolated quantile of the first `count` of the ordered values (last axis but one)."""
    place = q * np.maximum(count - 1, 0)
    below = place.astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    low, high = (np.take_along_axis(ordered, at[..., None, :], axis=-2)[..., 0, :] for at in (below, above))
    return low + (place - below) * (high - low)


class _Search:
    """Finds steps by coordinate descent: adds the best further step, then moves each step again.

    Between two neighbouring sizes a and b, every ramp is a mix of the ramps that begin at a and at b, on all the sizes:
    (1 − θ) · (1 − a/S) + θ · (1 − b/S) is the ramp of C = (1 − θ) · a + θ · b. A mix of two neighbouring cliffs is a
    soft edge, one size at which a share 1 − θ already misses: the stack evicts some of a set as large as the
    first-level cache. (For larger caches, soft cliffs would pass for ramps where an octave has two points.) So a step
    is a column, a ramp or cliff at one of the sizes, and a θ. Its best capacity is a least-squares solution, not a
    point of a grid. The search needs only the Gram matrix of the columns, not the sizes. Curves that share the weights,
    such as resampled ones, are fitted at once: `column` and `theta` are curves × steps, with the base as step 0.

    A step counts only if all latencies are positive, which avoids a non-negative solver. Where plain least squares
    wants a negative latency, the non-negative optimum omits that step; it is found among the fits with fewer steps.
    """

    def __init__(self, sizes: np.ndarray, centre: np.ndarray, error: np.ndarray) -> None:
        # Two sizes below each capacity and two above it: a single point is an outlier, not a level.
        at = np.arange(1, len(sizes) - 2)
        n = len(at)
        self.sizes, self.centre = sizes, centre
        self.place = np.concatenate([at, at, [0]])
        self.kind = np.repeat(["ramp", "cliff", "base"], [n, n, 1])
        self.columns = np.array(
            [*map(miss_share, self.kind[:-1], sizes[self.place[:-1]], [sizes] * 2 * n), np.ones_like(sizes)]
        )
        self.weights = 1 / (error**2 + TOLERANCE**2)
        self.weights /= self.weights.sum()
        self.scaled = self.columns * self.weights / centre**2  # least squares of the relative error
        self.gram = self.scaled @ self.columns.T
        # A column with the next one; every column but the base has one.
        soft = (self.kind[:-1] == "ramp") | (sizes[self.place[1:]] <= SOFT_EDGE)
        self.mixes = (self.kind[:-1] == self.kind[1:]) & soft
        distance, ratio = np.abs(self.place[:, None] - self.place), sizes[self.place][:, None] / sizes[self.place]
        self.apart = (distance >= 2) & (np.maximum(ratio, 1 / ratio) >= SEPARATION)
        self.apart[-1] = True

    def mix(self, values: np.ndarray, column: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the rows of `values`, one per column, mixed for the steps: curves × steps × length of a row."""
        after = np.minimum(column + 1, len(self.kind) - 1)
        return (1 - theta)[..., None] * values[column] + theta[..., None] * values[after]

    def solve(
        self, column: np.ndarray, theta: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return latencies (curves × steps) and two products that `add` needs.

        These are the products of steps and columns, without and with the inverse Gram matrix of the steps. `target` is
        curves × columns: the products of curves and columns.
        """
        mix, rows = self.mix(np.eye(len(self.kind)), column, theta), self.mix(self.gram, column, theta)
        inverse = np.linalg.inv(rows @ mix.swapaxes(1, 2))
        return (inverse @ (mix @ target[:, :, None]))[:, :, 0], rows, inverse @ rows

    def add(
        self, column: np.ndarray, theta: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return column and θ of the best further step for each curve, and its gain.

        The gain is the decrease of the sum of squares; −inf if no further step is possible.
        """
        latency, rows, projected = self.solve(column, theta, target)
        fresh = target - np.einsum("ckm,ck->cm", rows, latency)  # what the steps leave of the curve in each column
        left = self.gram.diagonal() - np.einsum("ckm,ckm->cm", rows, projected)  # and of the column itself
        usable = (self.apart[column].all(axis=1) & (left > 1e-10 * self.gram.diagonal()))[:, :-1]
        # A neighbouring pair gives two equations for a and b. Where one of these is negative, one column alone is best.
        (left, left_b), (fresh, fresh_b), (projected, projected_b) = (
            (x[..., :-1], x[..., 1:]) for x in (left, fresh, projected)
        )
        both = self.gram.diagonal(1) - np.einsum("ckm,ckm->cm", rows[..., :-1], projected_b)
        determinant = left * left_b - both**2
        mixed = usable & self.mixes & (determinant > 1e-10 * left * left_b)
        determinant = np.where(mixed, determinant, 1)
        a, b = (fresh * left_b - fresh_b * both) / determinant, (fresh_b * left - fresh * both) / determinant
        mixed &= (a > 0) & (b > 0)
        a, b = np.where(mixed, a, fresh / np.where(usable, left, 1)), np.where(mixed, b, 0)
        positive = (a > 0) & (latency[:, :, None] > projected * a[:, None] + projected_b * b[:, None]).all(axis=1)
        gain = np.where(usable & positive, fresh * a + fresh_b * b, -np.inf)
        best = gain.argmax(axis=1)
        a, b, gain = (values[np.arange(len(best)), best] for values in (a, b, gain))
        return best, b / np.where(gain > 0, a + b, 1), gain

    def refine(
        self, column: np.ndarray, theta: np.ndarray, target: np.ndarray, rounds: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Refine step positions by coordinate descent until no step moves."""
        column, theta = column.copy(), theta.copy()
        for _ in range(rounds):
            before = column + theta
            for i in range(1, column.shape[1]):
                best, mix, gain = self.add(np.delete(column, i, 1), np.delete(theta, i, 1), target)
                possible = np.isfinite(gain)
                column[:, i], theta[:, i] = np.where(possible, best, column[:, i]), np.where(possible, mix, theta[:, i])
            if np.abs(column + theta - before).max(initial=0) < 1e-7:
                break
        return column, theta

    def best(self, max_steps: int) -> tuple[np.ndarray, np.ndarray, Staircase]:
        """Return columns, θ and staircase of the number of steps that minimises the criterion.

        Fits with a step too small to be believed are skipped.
        """
        n = len(self.sizes)
        target = (self.scaled @ self.centre)[None]
        column, theta = np.full((1, 1), len(self.kind) - 1), np.zeros((1, 1))
        chosen, least = None, math.inf
        for steps in range(min(max_steps, (n - 2) // 3) + 1):
            if steps:
                further, mix, gain = self.add(column, theta, target)
                if not np.isfinite(gain[0]):
                    break
                column, theta = self.refine(
                    np.column_stack([column, further]), np.column_stack([theta, mix]), target, rounds=50
                )
            found = self.staircase(column, theta, target)
            square = self.misfit(column, theta, target) ** 2
            criterion = n * math.log(square + FLOOR**2) + 3 * steps * math.log(n)
            least_rise = max(LEAST_RISE, NOISE_FACTOR * math.sqrt(square))
            believed = all(step.latency > least_rise * found.predict(step.capacity) for step in found.steps)
            if believed and criterion < least:
                chosen, least = (column, theta, found), criterion
        return chosen

    def capacity(self, column: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return capacities in bytes, curves × steps, and their upper bounds.

        A ramp's is exact. A cliff's lies between the last size at which less than half of the accesses miss and the
        next size. The base has the first size.
        """
        place, cliff = self.place[column] + (theta > 0.5), self.kind[column] == "cliff"
        ramp = (1 - theta) * self.sizes[self.place[column]] + theta * self.sizes[self.place[column] + 1]
        return np.where(cliff, self.sizes[place], ramp), np.where(cliff, self.sizes[place + 1], ramp)

    def staircase(self, column: np.ndarray, theta: np.ndarray, target: np.ndarray) -> Staircase:
        """Return the fit of the first curve, without intervals."""
        latency, capacity = self.solve(column, theta, target)[0][0], self.capacity(column, theta)[0][0]
        unknown = (math.nan, math.nan)
        order = 1 + np.argsort(capacity[1:])
        steps = (
            Step(float(capacity[i]), *unknown, float(latency[i]), *unknown, str(self.kind[column[0, i]])) for i in order
        )
        found = Staircase(float(latency[0]), *unknown, tuple(steps), math.nan)
        return replace(found, residual=float(np.median(np.abs(found.predict(self.sizes) / self.centre - 1))))

    def misfit(self, column: np.ndarray, theta: np.ndarray, target: np.ndarray) -> float:
        """Return the weighted RMS of the relative error of the first curve's fit, soft edges included."""
        fitted = self.solve(column, theta, target)[0][0] @ self.mix(self.columns, column, theta)[0]
        return math.sqrt(self.weights @ (fitted / self.centre - 1) ** 2)
