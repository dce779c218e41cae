"""How far the models of access patterns are from exact LRU simulations, over random parameters.

    python benchmarks/pattern_models.py [--sets N] [--expressions N] [--seed N]

For each basic pattern: median and 95 % quantile of the relative error of our model and of the published rule, against
the mean of three simulated executions in a fully associative LRU level. Then the same for random expressions of two to
four patterns. What our model was built for is 5 % and 15 % for basic patterns, and a median of 10 % for expressions.
Takes a minute or two.
"""

import argparse
import math
import operator
from functools import reduce

import numpy as np

from spe_lab.models.patterns import formulas
from spe_lab.models.patterns.algebra import (
    Basic,
    Pattern,
    Region,
    nest,
    r_trav,
    rr_acc,
    rr_trav,
    rs_trav,
    s_trav,
    s_trav_cr,
)
from spe_lab.models.patterns.footprints import published
from spe_lab.models.patterns.traces import simulated
from spe_lab.models.patterns.uses import geometry, reuse

WIDTHS = (1, 4, 8, 12, 16, 24, 32, 48, 64, 96, 100, 128, 256, 300)
LINES = (32, 64, 128)
FEWEST_LINES = 16


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def random_basic(kind: str, rng: np.random.Generator) -> Basic:
    """A pattern of this kind (see formulas.KINDS) with random parameters."""
    w, n = int(rng.choice(WIDTHS)), int(log_uniform(rng, 500, 30_000))
    u = int(rng.integers(1, w + 1)) if rng.random() < 0.6 else w
    name, *how = kind.split()
    if name == "nest":
        m = int(log_uniform(rng, 2, n / 4))
        return nest(Region(n // m * m, w), m=m, o=how[0], d=how[1] if len(how) > 1 else "uni", u=u)
    region, r = Region(n, w), int(rng.integers(2, 6))
    makers = {
        "s_trav": lambda: s_trav(region, u=u),
        "rs_trav": lambda: rs_trav(region, r=r, d=how[0], u=u),
        "r_trav": lambda: r_trav(region, u=u),
        "rr_trav": lambda: rr_trav(region, r=r, u=u),
        "rr_acc": lambda: rr_acc(region, r=int(n * log_uniform(rng, 0.1, 5)), u=u),
        "s_trav_cr": lambda: s_trav_cr(region, s=float(rng.uniform(0.01, 1)), u=u),
    }
    return makers[name]()


def random_expression(rng: np.random.Generator) -> Pattern:
    """Two to four basic patterns, concurrent in groups that follow each other; groups may share regions."""
    count = int(rng.integers(2, 5))
    pool = [
        Region(64 * int(log_uniform(rng, 8, 300)), int(rng.choice([4, 8, 16, 24, 64, 128])), name) for name in "ABCD"
    ]
    groups = []
    while count:
        size = int(rng.integers(1, count + 1))
        count -= size
        groups.append(reduce(operator.mul, [_over(pool[i], rng) for i in rng.choice(4, size, replace=False)]))
    return reduce(operator.add, groups)


def _over(region: Region, rng: np.random.Generator) -> Basic:
    u = int(rng.integers(1, region.w + 1)) if rng.random() < 0.5 else region.w
    r, d, o = int(rng.integers(2, 4)), str(rng.choice(["uni", "bi"])), str(rng.choice(["ran", "seq"]))
    m, s, visits = (
        int(rng.choice([2, 4, 8, 16, 32, 64])),
        float(rng.uniform(0.02, 1)),
        int(region.n * rng.uniform(0.2, 4)),
    )
    makers = [
        lambda: s_trav(region, u=u),
        lambda: rs_trav(region, r=r, d=d, u=u),
        lambda: r_trav(region, u=u),
        lambda: rr_trav(region, r=r, u=u),
        lambda: rr_acc(region, r=visits, u=u),
        lambda: nest(region, m=m, o=o, d=d, u=u),
        lambda: s_trav_cr(region, s=s, u=u),
    ]
    return makers[rng.integers(len(makers))]()


def errors(pattern: Pattern, line: int, room: int) -> tuple[float, float]:
    """Relative errors of (our model, the published rule)."""
    exact = float(simulated(pattern, line, room))
    ours, theirs = sum(reuse(pattern, line).misses(room)), float(sum(published(pattern, line, room))[0])
    return abs(ours / exact - 1), abs(theirs / exact - 1)


def basic_errors(kind: str, sets: int, seed: int) -> np.ndarray:
    """sets × (ours, published)."""
    rng, found = np.random.default_rng([seed, formulas.KINDS.index(kind)]), []
    for _ in range(sets):
        pattern, line = random_basic(kind, rng), int(rng.choice(LINES))
        found.append(
            errors(pattern, line, max(FEWEST_LINES, int(geometry(pattern, line)[0] * log_uniform(rng, 0.05, 1.5))))
        )
    return np.array(found)


def expression_errors(count: int, seed: int) -> np.ndarray:
    """count × (ours, published), for lines of 64 B."""
    rng, found = np.random.default_rng([seed, len(formulas.KINDS)]), []
    for _ in range(count):
        pattern = random_expression(rng)
        lines = sum(region.size for region in pattern.regions()) / 64
        found.append(errors(pattern, 64, max(FEWEST_LINES, int(lines * log_uniform(rng, 0.03, 1.2)))))
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--expressions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("                       ours                     published")
    print("pattern         median   95 %     worst     median   95 %     worst")
    rows = [(kind, basic_errors(kind, options.sets, options.seed)) for kind in formulas.KINDS]
    for kind, found in [*rows, ("expressions", expression_errors(options.expressions, options.seed))]:
        cells = "   ".join(f"{np.median(c):7.2%} {np.quantile(c, 0.95):7.2%} {c.max():8.1%}" for c in found.T)
        print(f"{kind:14} {cells}")


if __name__ == "__main__":
    main()
