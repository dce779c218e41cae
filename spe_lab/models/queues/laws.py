"""Distributions of random times (services, gaps between arrivals), sampled in kernels_c/laws.c."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError

MOST_DRAWN = 100_000_000  # 0.8 GB


@dataclass(frozen=True)
class Law:
    """The distribution of a non-negative random time, with its exact moments.

    `mean`: in any unit of time; `scv`: squared coefficient of variation, var / mean² (0 deterministic, 1 exponential).
    """

    name: str
    mean: float
    scv: float
    kind: str = field(repr=False)  # of enum law_kind
    parameters: tuple[float, ...] = field(default=(), repr=False)  # a, b, share
    values: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def second_moment(self) -> float:
        """Return E(X²).

        >>> exponential(2.0).second_moment
        8.0
        """
        return self.mean**2 * (1 + self.scv)

    def sample(self, n: int, seed: int, cancel: Cancel | None = None) -> np.ndarray:
        """Return n independent values. The same seed gives the same doubles on every machine.

        >>> deterministic(3.0).sample(2, seed=1).tolist()
        [3.0, 3.0]
        """
        n, seed = whole("n", n, 0, MOST_DRAWN), whole("seed", seed, 0, 2**53)
        out = np.empty(n)
        self.fill(out, seed, cancel)
        return out

    def fill(self, out: np.ndarray, seed: int, cancel: Cancel | None = None) -> None:
        """Fill an array of float64 with independent values; `seed` is any word of 64 bits."""
        library = native.load("laws")
        sample, count = (None, 0) if self.values is None else (self.values.ctypes.data, self.values.size)
        a, b, share = (*self.parameters, 0.0, 0.0, 0.0)[:3]
        struct = library.struct("law")(library.constants[f"LAW_{self.kind}"], a, b, share, sample, count)
        flag = (Cancel() if cancel is None else cancel).flag
        status = library.law_draw(struct, np.array([seed], np.uint64), out, out.size, flag)
        check(status, library, "drawing random times")


def deterministic(mean: float) -> Law:
    """Return the distribution of a constant, the mean."""
    return Law("deterministic", positive("mean", mean), 0.0, "FIXED", (mean,))


def exponential(mean: float) -> Law:
    """Return the exponential distribution with the given mean: P(X > x) = e^(−x / mean)."""
    return Law("exponential", positive("mean", mean), 1.0, "EXPONENTIAL", (mean,))


def lognormal(mean: float, scv: float) -> Law:
    """Return the lognormal distribution (e^N with N normal), the usual shape of measured service times."""
    sigma2 = math.log1p(positive("scv", scv, 1e6))
    return Law("lognormal", positive("mean", mean), scv, "LOGNORMAL", (math.log(mean) - sigma2 / 2, math.sqrt(sigma2)))


def hyperexponential(mean: float, scv: float) -> Law:
    """Return a mixture of two exponentials, each with half of the total time ("balanced means"); scv ≥ 1."""
    if not 1 <= scv <= 1e6:
        rule = "scv must be between 1 and 1e6 for a hyperexponential distribution"
        raise SpeLabError(f"{rule}, got {scv}; use lognormal for less")
    share = (1 + math.sqrt((scv - 1) / (scv + 1))) / 2
    mean = positive("mean", mean)
    return Law("hyperexponential", mean, scv, "MIXTURE", (mean / (2 * share), mean / (2 * (1 - share)), share))


def bimodal(mean: float, long_share: float = 0.001, ratio: float = 1000.0) -> Law:
    """Return a distribution with two values: short jobs, and long jobs `ratio` times as long.

    >>> law = bimodal(1.0, 0.1, 11.0)  # 90 % of 0.5 and 10 % of 5.5
    >>> sorted(set(law.sample(1000, seed=1).tolist())), round(law.scv, 6)
    ([0.5, 5.5], 2.25)
    """
    if not 0 < long_share < 1:
        raise SpeLabError(f"long_share must lie between 0 and 1, got {long_share}; 0.001 means one job in a thousand")
    if not 1 <= ratio <= 1e9:
        raise SpeLabError(f"ratio must be between 1 and 1e9, got {ratio}; give long job over short job")
    short = positive("mean", mean) / (1 - long_share + long_share * ratio)
    scv = short**2 * (1 - long_share + long_share * ratio**2) / mean**2 - 1
    return Law("bimodal", mean, scv, "TWO_POINTS", (short * ratio, short, long_share))


def empirical(sample: Sequence[float] | np.ndarray, name: str = "measured sample") -> Law:
    """Return the distribution of a measured sample: draws with replacement."""
    values = np.ascontiguousarray(sample, dtype=float)
    listed = values.ndim == 1 and 1 <= values.size < 2**32
    if not (listed and np.isfinite(values).all() and values.min() >= 0 and values.mean() > 0):
        rule = "sample must be a list of times, finite, not negative and not all zero"
        raise SpeLabError(f"{rule}, got {np.size(sample)} values; remove missing values")
    return Law(name, float(values.mean()), float(values.var() / values.mean() ** 2), "SAMPLE", (), values)


def poisson(rate: float) -> Law:
    """Return the gaps of a Poisson stream with `rate` arrivals per unit of time."""
    return _gaps(exponential(1 / positive("rate", rate)), "Poisson")


def regular(rate: float) -> Law:
    """Return the constant gaps of `rate` arrivals per unit of time."""
    return _gaps(deterministic(1 / positive("rate", rate)), "regular")


def bursty(rate: float, scv: float = 9.0) -> Law:
    """Return the gaps of a Poisson stream that is switched on and off at random (interrupted Poisson).

    The gaps are hyperexponential with the given `scv` (Kuczura, Bell System Technical Journal 52, 1973).
    """
    return _gaps(hyperexponential(1 / positive("rate", rate), scv), "bursty")


def _gaps(law: Law, name: str) -> Law:
    return Law(name, law.mean, law.scv, law.kind, law.parameters)


def positive(name: str, value: float, most: float = 1e12) -> float:
    """Return `value` as a float; it must be between 1 / most and most."""
    if not (isinstance(value, int | float | np.number) and 1 / most <= value <= most):
        raise SpeLabError(f"{name} must be between {1 / most:g} and {most:g}, got {value}; give a positive number")
    return float(value)


def checked_load(rho: np.ndarray | float) -> np.ndarray:
    """Return the loads as an array; each must be at least 0 and below 1."""
    rho = np.asarray(rho, dtype=float)
    inside = (rho >= 0) & (rho < 1)
    if not inside.all():
        raise SpeLabError(
            f"rho must be at least 0 and below 1, got {rho[~inside].flat[0]}; from 1 on the queue grows without bound"
        )
    return rho


def whole(name: str, value: float, low: int, high: int) -> int:
    """Return `value` as an int; it must be a whole number between `low` and `high`."""
    if not (isinstance(value, int | float | np.number) and low <= value <= high and value == int(value)):
        raise SpeLabError(
            f"{name} must be a whole number between {low} and {high:,}, got {value}; choose one in that range"
        )
    return int(value)
