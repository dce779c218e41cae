"""Numerical models: functions of a chosen form through measured points, by numpy and scipy.

Every basis but the power law is fitted over u = log₂ n, since a search takes about log₂ n steps: the choice of a
coordinate is the first piece of knowledge that a numerical model is given. Least squares are of the relative error.
"""

from collections.abc import Callable

import numpy as np

from spe_lab.core.errors import SpeLabError

Fit = Callable[[np.ndarray], np.ndarray]
FOLDS = 5


def power_law(n: np.ndarray, times: np.ndarray, terms: int = 3) -> Fit:
    """a · n^b · (log₂ n)^c: linear in log a, b and c once logarithms are taken. Three coefficients; fewer through fewer
    points.
    """

    def columns(n: np.ndarray) -> np.ndarray:
        return np.stack([np.ones(len(n)), np.log(n), np.log(np.log2(n))][: min(3, len(times))], axis=1)

    found = np.linalg.lstsq(columns(n), np.log(times), rcond=None)[0]
    return lambda x: np.exp(np.minimum(columns(x) @ found, 700.0))  # 10³⁰⁴ is far enough from any time


def polynomial(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """The polynomial with that many terms that comes nearest to the points."""
    degree = min(terms, len(times)) - 1
    # Chebyshev's polynomials are well conditioned where powers of u are not; nothing is cut off, lest an interpolant
    # miss its points.
    found = np.polynomial.Chebyshev.fit(np.log2(n), times, degree, rcond=np.finfo(float).tiny, w=1 / times)
    return lambda x: found(np.log2(x))


def interpolating_polynomial(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """The one polynomial through all points, of a degree one below their number. Not by the barycentric formula, which
    divides 0 by 0 far outside.
    """
    return polynomial(n, times, len(times))


def piecewise_linear(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Straight lines from point to point; the first and the last go on beyond the ends."""
    u = np.log2(n)

    def value(x: np.ndarray) -> np.ndarray:
        at = np.log2(x)
        left = np.clip(np.searchsorted(u, at, side="right") - 1, 0, len(u) - 2)
        return times[left] + (times[left + 1] - times[left]) / (u[left + 1] - u[left]) * (at - u[left])

    return value


def cubic_spline(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Cubics from point to point that agree in their first two derivatives."""
    from scipy.interpolate import CubicSpline

    found = CubicSpline(np.log2(n), times)
    return lambda x: found(np.log2(x))


def monotone_spline(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """Cubics from point to point that rise only where the points do (Fritsch and Carlson, SIAM J.
    Numer. Anal. 1980).
    """
    from scipy.interpolate import PchipInterpolator

    found = PchipInterpolator(np.log2(n), times)
    return lambda x: found(np.log2(x))


def smooth_spline(n: np.ndarray, times: np.ndarray, terms: int) -> Fit:
    """The cubic spline with that many coefficients that comes nearest to the points, its knots
    spread like the points.
    """
    from scipy.interpolate import make_lsq_spline

    u, free = np.log2(n), min(terms, len(times))
    order = min(3, free - 1)
    inner = np.quantile(u, np.linspace(0, 1, free - order + 1)[1:-1])
    found = make_lsq_spline(
        u, times, np.concatenate([[u[0]] * (order + 1), inner, [u[-1]] * (order + 1)]), order, w=1 / times
    )
    return lambda x: found(np.log2(x))


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
    """The function of this basis for `times` [ns] at sizes `n`, increasing and above 1. A single point gives a
    constant.

    `terms`: of the polynomial, and coefficients of the smooth spline, no more than there are points; the other bases
    have their own. Called with an array of sizes, the function gives times, which may be negative where the form knows
    no better.

    >>> n = np.array([16.0, 64.0, 256.0])
    >>> law = fit("power law", n, 3 * np.log2(n))
    >>> law(np.array([1024.0])).round(6)
    array([30.])
    """
    n, times = np.asarray(n, dtype=float), np.asarray(times, dtype=float)
    if basis not in BASES:
        raise SpeLabError(f"basis must be one of {', '.join(BASES)}, got {basis!r}; name one of them")
    if not (
        n.size
        and n.shape == times.shape
        and (np.diff(n) > 0).all()
        and n[0] > 1
        and (times > 0).all()
        and np.isfinite(times).all()
    ):
        found = (
            f"{n.size} sizes and {times.size} times, {np.array2string(n[:3])} and {np.array2string(times[:3])} the"
            " first"
        )
        raise SpeLabError(
            f"the points must be sizes above 1 in increasing order, each with a time above 0, got {found}; sort them"
        )
    if not terms >= 1:
        raise SpeLabError(f"terms must be 1 or more, got {terms}; a straight line has 2")
    if n.size == 1:
        return lambda x: np.full(np.shape(x), times[0])
    return BASES[basis](n, times, int(terms))


def cross_validated(n: np.ndarray, times: np.ndarray, terms: int = 4) -> dict[str, float]:
    """Error of each basis at points that it was not given: every fifth inner point is left out in turn, five times.

    The mean of |predicted / measured − 1|, at most 1 each, so that one wild oscillation does not decide alone. The ends
    stay in: between the points is all that cross-validation can judge. NaN below three points, which have nothing
    between them.
    """
    n, times = np.asarray(n, dtype=float), np.asarray(times, dtype=float)
    inner = np.arange(1, len(n) - 1)
    if not inner.size:
        return dict.fromkeys(BASES, float("nan"))
    found = {}
    for basis in BASES:
        errors = []
        for fold in range(min(FOLDS, inner.size)):
            out = inner[fold::FOLDS]
            kept = np.setdiff1d(np.arange(len(n)), out, assume_unique=True)
            errors.append(np.minimum(np.abs(fit(basis, n[kept], times[kept], terms)(n[out]) / times[out] - 1), 1))
        found[basis] = float(np.mean(np.concatenate(errors)))
    return found
