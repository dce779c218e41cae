"""Numerical models: functions of a chosen form through measured points, by numpy and scipy.

Every basis except the power law is fitted over u = log₂ n, since a search takes about log₂ n steps. The choice of a
coordinate is the first knowledge that a numerical model contains. Least squares minimise the relative error.
"""

from collections.abc import Callable

import numpy as np

from spe_lab.core.errors import SpeLabError

Fit = Callable[[np.ndarray], np.ndarray]
FOLDS = 5


def power_law(n: np.ndarray, times: np.ndarray, terms: int = 3) -> Fit:
    """Fit a · n^b · (log₂ n)^c, which is linear in log a, b and c after taking logarithms."""

    def columns(n: np.ndarray) -> np.ndarray:
        return np.stack([np.ones(len(n)), np.log(n), np.log(np.log2(n))][: min(3, len(times))], axis=1)

    coefficients = np.linalg.lstsq(columns(n), np.log(times), rcond=None)[0]
    return lambda x: np.exp(np.minimum(columns(x) @ coefficients, 700.0))  # e^710 would overflow


def polynomial(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Fit a polynomial with `terms` terms by least squares."""
    degree = min(terms, len(times)) - 1
    # Chebyshev polynomials are well conditioned, powers of u are not. The tiny rcond cuts no term off: an interpolant
    # must meet its points.
    fitted = np.polynomial.Chebyshev.fit(np.log2(n), times, degree, rcond=np.finfo(float).tiny, w=1 / times)
    return lambda x: fitted(np.log2(x))


def interpolating_polynomial(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Fit the polynomial through all points. The barycentric formula would divide 0 by 0 far outside."""
    return polynomial(n, times, len(times))


def piecewise_linear(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Connect the points by straight lines; the first and the last line continue beyond the ends."""
    u = np.log2(n)

    def value(x: np.ndarray) -> np.ndarray:
        at = np.log2(x)
        left = np.clip(np.searchsorted(u, at, side="right") - 1, 0, len(u) - 2)
        return times[left] + (times[left + 1] - times[left]) / (u[left + 1] - u[left]) * (at - u[left])

    return value


def cubic_spline(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Connect the points by cubics whose first two derivatives are continuous."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(np.log2(n), times)
    return lambda x: spline(np.log2(x))


def monotone_spline(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Connect the points by cubics that rise only where they do (Fritsch, Carlson, SINUM 1980)."""
    from scipy.interpolate import PchipInterpolator

    spline = PchipInterpolator(np.log2(n), times)
    return lambda x: spline(np.log2(x))


def smooth_spline(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Fit a cubic spline with `terms` coefficients by least squares; its knots are spread like the points."""
    from scipy.interpolate import make_lsq_spline

    u, free = np.log2(n), min(terms, len(times))
    order = min(3, free - 1)
    inner = np.quantile(u, np.linspace(0, 1, free - order + 1)[1:-1])
    knots = np.concatenate([[u[0]] * (order + 1), inner, [u[-1]] * (order + 1)])
    spline = make_lsq_spline(u, times, knots, order, w=1 / times)
    return lambda x: spline(np.log2(x))


BASES = {
    "power law": power_law,
    "polynomial": polynomial,
    "interpolating polynomial": interpolating_polynomial,
    "piecewise linear": piecewise_linear,
    "cubic spline": cubic_spline,
    "monotone spline": monotone_spline,
    "smooth spline": smooth_spline,
}


def fit(basis: str, n: np.ndarray, times: np.ndarray, terms: int = 4) -> Fit:
    """Return the function of this basis fitted to `times` [ns] at sizes `n`, which must increase and exceed 1.

    `terms` is the number of terms of the polynomial, or of coefficients of the smooth spline, at most the number of
    points; other bases ignore it. The function maps sizes to times, which may be negative. A single point gives a
    constant.

    >>> n = np.array([16.0, 64.0, 256.0])
    >>> law = fit("power law", n, 3 * np.log2(n))
    >>> law(np.array([1024.0])).round(6)
    array([30.])
    """
    n, times = np.asarray(n, dtype=float), np.asarray(times, dtype=float)
    if basis not in BASES:
        raise SpeLabError(f"basis must be one of {', '.join(BASES)}, got {basis!r}; name one of them")
    increasing = n.size and n.shape == times.shape and (np.diff(n) > 0).all() and n[0] > 1
    if not (increasing and (times > 0).all() and np.isfinite(times).all()):
        rule = "the points must be sizes above 1 in increasing order, each with a time above 0"
        first = f"beginning with {np.array2string(n[:3])} and {np.array2string(times[:3])}"
        raise SpeLabError(f"{rule}, got {n.size} sizes and {times.size} times, {first}; sort them")
    if not terms >= 1:
        raise SpeLabError(f"terms must be 1 or more, got {terms}; a straight line has 2")
    if n.size == 1:
        return lambda x: np.full(np.shape(x), times[0])
    return BASES[basis](n, times, int(terms))


def cross_validated(n: np.ndarray, times: np.ndarray, terms: int = 4) -> dict[str, float]:
    """Return the error of each basis in fivefold cross-validation.

    Each fold leaves out every fifth inner point, but never the ends: cross-validation judges interpolation only. The
    error is the mean of |predicted / measured − 1|, each at most 1, so that one oscillation does not decide alone. NaN
    for fewer than three points.
    """
    n, times = np.asarray(n, dtype=float), np.asarray(times, dtype=float)
    inner = np.arange(1, len(n) - 1)
    if not inner.size:
        return dict.fromkeys(BASES, float("nan"))
    scores = {}
    for basis in BASES:
        errors = []
        for fold in range(min(FOLDS, inner.size)):
            out = inner[fold::FOLDS]
            kept = np.setdiff1d(np.arange(len(n)), out, assume_unique=True)
            errors.append(np.minimum(np.abs(fit(basis, n[kept], times[kept], terms)(n[out]) / times[out] - 1), 1))
        scores[basis] = float(np.mean(np.concatenate(errors)))
    return scores
