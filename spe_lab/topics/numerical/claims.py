"""Claims of chapter 03a that a machine can contradict."""

import numpy as np

from spe_lab.core.reader.claims import Claim, Interval, at, between, both, fit_of, less
from spe_lab.core.recording import Run

WHOLE = {"low": 16, "high": 1 << 23}
ALIKE = 1.08  # times that the text calls equal may differ by this factor


def whole(run: Run) -> bool:
    """Return True if a run of lab numerical.fit has the whole sweep of predicated searches."""
    return run.x.values.size > 30 and run.point["search"] == "predicated"


def close_between(run: Run) -> bool | None:
    if not whole(run):
        return None
    fit = fit_of(run)
    bases = ("polynomial", "piecewise linear", "cubic spline", "monotone spline")
    return bool(max(fit.errors({"basis": basis}).median("between") for basis in bases) < 0.1)


def worse_outside(run: Run) -> bool | None:
    if not whole(run):
        return None
    found = fit_of(run).errors()
    return bool(found.median("outside") > 3 * found.median("between"))


def spread_points_suffice(run: Run) -> bool | None:
    if not whole(run):
        return None
    return bool(fit_of(run).errors({"basis": "monotone spline", **WHOLE}).median("between") < 0.2)


def stairs(run: Run) -> bool | None:
    """A size between two powers of two takes as many steps as the upper one."""
    if not whole(run):
        return None
    pairs = [(23.0, 32.0), (91.0, 128.0), (362.0, 512.0)]
    return both(*(between(quotient(at(run, "search", a), at(run, "search", b)), 1 / ALIKE, ALIKE) for a, b in pairs))


def quotient(a: Interval | None, b: Interval | None) -> Interval | None:
    """Return the interval of a / b."""
    return None if a is None or b is None else Interval(a.low / b.high, a.value / b.value, a.high / b.low)


def larger_can_be_faster(run: Run) -> bool | None:
    """Some array of √2 · 2^k records is searched in less time than one of 2^k."""
    if not whole(run):
        return None
    powers = [x for x in run.x.values if x >= 1 << 12 and np.log2(x) % 1 == 0]
    found = [less(at(run, "search", float(round(x * 2**0.5))), at(run, "search", x)) for x in powers]
    return True if True in found else None if None in found else False


def chebyshev_helps(run: Run) -> bool | None:
    if not whole(run):
        return None
    runge = {"basis": "interpolating polynomial", "points": 20, "high": 1 << 23}
    fit = fit_of(run)
    return bool(fit.errors(runge).worst("between") > 3 * fit.errors({**runge, "spacing": "Chebyshev"}).worst("between"))


def value(run: Run, name: str, x: float) -> float | None:
    """Return a measured value; its interval is that of the draws, not of the median."""
    found = at(run, name, x)
    return None if found is None else found.value


def first_points_count(run: Run) -> bool | None:
    return less(value(run, "piecewise", 8), value(run, "piecewise", 4), 0.6)


def more_points_do_not_halve(run: Run) -> bool | None:
    return less(value(run, "piecewise", 8), value(run, "piecewise", 16), 2)


def bias_stays(run: Run) -> bool | None:
    return less(value(run, "power law", 4), value(run, "power law", 16), 2)


CLAIMS = (
    Claim(
        "numerical.fit",
        "Between its points, the median error of every local basis and of the cubic is below 10 %.",
        close_between,
        "The times themselves may be too uncertain: compare the ± in the summary.",
    ),
    Claim(
        "numerical.fit",
        "Outside the range of its points, the cubic's median error is more than three times the error between them.",
        worse_outside,
        "The largest array may fit into the caches.",
    ),
    Claim(
        "numerical.fit",
        "A monotone spline through eight points over all sizes has a median error below 20 % between them.",
        spread_points_suffice,
    ),
    Claim(
        "numerical.fit",
        "Stairs: arrays of 23, 91 and 362 records take as long as those of 32, 128 and 512, within 8 %.",
        stairs,
    ),
    Claim(
        "numerical.fit",
        "Saw-teeth: from 4096 records on, some array that is 41 % larger than a power of two is searched in less time.",
        larger_can_be_faster,
        "The caches of this machine may choose their sets by a hash of the address.",
    ),
    Claim(
        "numerical.fit",
        "Chebyshev's points make the worst error of the polynomial through 20 points more than three times smaller.",
        chebyshev_helps,
    ),
    Claim(
        "numerical.points",
        "With eight points instead of four, the error of straight lines falls to less than 60 %.",
        first_points_count,
    ),
    Claim(
        "numerical.points",
        "Sixteen points do not halve the error of straight lines that eight leave.",
        more_points_do_not_halve,
        "The stairs and saw-teeth are smaller here than the curve's bends.",
    ),
    Claim(
        "numerical.points",
        "With sixteen points, the power law's error is still more than half of its error with four: it is bias.",
        bias_stays,
    ),
)
