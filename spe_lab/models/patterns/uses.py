"""Our model: the distribution of stack distances of an expression's uses of lines.

A use of a line hits in an LRU cache of K lines if fewer than K other lines were used since its last use. So one
distribution gives the misses for every K. A pattern is described by

- its first uses, which always miss,
- its further uses: their number by the time (in visits) and the number of other lines since the last use,
- and, for each region, the mean number of lines that a window of t visits touches.

The third part allows composition. Concurrent patterns share the cache: the window of a use also contains the lines that
the other patterns touch, and these add up. For sequential patterns, the window of a line begins in the pattern that
used it last, includes all patterns in between, and ends in the present pattern. No rule for the division of a cache or
for its state is needed.

For random visits this is Che's approximation (IEEE JSAC 2002) and Denning's working set; the composition of footprints
is that of Xiang, Ding, Luo, Bao (HOTL, ASPLOS 2013). The use of these to evaluate the algebra is our own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spe_lab.models.patterns.algebra import (
    Basic,
    Concurrent,
    Pattern,
    Region,
    nest,
    r_trav,
    rr_acc,
    rr_trav,
    rs_trav,
    s_trav_cr,
)

PIECES = 256  # points of a distribution of further uses
NODES = 24  # points of each of two independent distributions
_GRID = np.concatenate(([0.0], np.geomspace(1e-6, 1, 200)))
_MIDDLES = (np.arange(PIECES) + 0.5) / PIECES


@dataclass(frozen=True)
class Use:
    """A pattern's use of a region of `span` lines: it touches `lines`, and `within(t)` in t visits.

    `first`, `last`: order of the lines' first and last uses ("up", "down" or "random"); `in_order`: share of the misses
    of first uses that a prefetcher predicts.
    """

    span: float
    lines: float
    within: Callable[[np.ndarray], np.ndarray]
    visits: float
    first: str
    last: str
    in_order: float

    @cached_property
    def _met(self) -> np.ndarray:
        return np.maximum.accumulate(self.within(_GRID * self.visits))

    def when(self, share: np.ndarray) -> np.ndarray:
        """Return the visits until this share of the lines has been touched, the time of first uses."""
        return np.interp(share * self._met[-1], self._met, _GRID * self.visits)

    def share(self, t: np.ndarray) -> np.ndarray:
        """Return the share of the region's lines that a window of t visits touches."""
        return np.minimum(self.within(np.minimum(t, self.visits)), self.lines) / self.span

    def stretched(self, factor: float) -> "Use":
        """Return the use with all times multiplied by `factor`."""
        return replace(self, within=lambda t: self.within(np.asarray(t) / factor), visits=self.visits * factor)


@dataclass(frozen=True)
class Further:
    """Further uses of lines: their number `weight`, `time` visits and `others` lines since the last use.

    `in_order`: share of their misses that a prefetcher predicts.
    """

    weight: np.ndarray
    time: np.ndarray
    others: np.ndarray
    in_order: np.ndarray

    @classmethod
    def of(cls, weight: ArrayLike, time: ArrayLike, others: ArrayLike, in_order: float) -> "Further":
        weight, time, others = np.broadcast_arrays(
            np.asarray(weight, float), np.asarray(time, float), np.asarray(others, float)
        )
        return cls(weight.ravel(), time.ravel(), others.ravel(), np.full(weight.size, in_order))

    @classmethod
    def joined(cls, parts: "list[Further]") -> "Further":
        names = ("weight", "time", "others", "in_order")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class Reuse:
    """An expression at one line size: visits, first uses (in order, at random), further uses, regions."""

    visits: float
    first_in_order: float
    first_at_random: float
    further: Further
    uses: dict[Region, Use]

    def met(self, t: np.ndarray) -> np.ndarray:
        """Return the number of lines that a window of t visits touches."""
        return sum(use.within(np.minimum(t, use.visits)) for use in self.uses.values())  # type: ignore[return-value]  # never 0: a pattern has a region

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        order = np.argsort(self.further.others)
        weight, share = self.further.weight[order], self.further.in_order[order]
        in_order, at_random = (
            np.append(part[::-1].cumsum()[::-1], 0.0) for part in (weight * share, weight * (1 - share))
        )
        return self.further.others[order], in_order, at_random

    def misses(self, room: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return (in order, at random): misses of fully associative LRU levels of `room` lines."""
        others, in_order, at_random = self._sorted
        place = np.searchsorted(others, np.floor(np.asarray(room, float)) - 1e-9)
        return self.first_in_order + in_order[place], self.first_at_random + at_random[place]


def reuse(pattern: Pattern, line: int) -> Reuse:
    """Return the model of an expression for lines (or pages) of `line` bytes."""
    if isinstance(pattern, Basic):
        return _basic(pattern, line)
    parts = [reuse(part, line) for part in pattern.parts]
    return _concurrent(parts) if isinstance(pattern, Concurrent) else _sequential(parts)


def geometry(pattern: Basic, line: int) -> tuple[float, float]:
    """Return (X, q): lines that a traversal of the region touches, and mean lines that one visit touches.

    `formulas` derives both in sympy, which is too slow for a slider; tests compare the two.
    """
    region, u = pattern.region, pattern.u
    grain = math.gcd(region.w, line)
    per_visit = 1 + grain * ((u - 1) // grain) / line
    touched = math.ceil(((region.n - 1) * region.w + u) / line) if region.w - u < line else region.n * per_visit
    return float(touched), per_visit


def _basic(pattern: Basic, line: int) -> Reuse:
    lines, q = geometry(pattern, line)
    n = float(pattern.region.n)
    k = n * q / lines  # uses of a line in one traversal
    again = n * q - lines
    visits = float(pattern.visits)
    if isinstance(pattern, rr_trav | r_trav):
        return _random_traversals(pattern, lines, n, k)
    if isinstance(pattern, rr_acc):
        return _random_visits(pattern, lines, k)
    if isinstance(pattern, nest):
        return _nest(pattern, line, lines, q)
    sweep, found, share = n, lines, 1.0
    if isinstance(pattern, s_trav_cr):
        share = 1 - sum(part * (1 - pattern.s) ** c for c, part in _kinds_of_lines(k))
        sweep, found, again = visits, lines * share, max(0.0, visits * q - lines * share)

    def within(t: np.ndarray) -> np.ndarray:
        return np.minimum(found, np.minimum(t, 1) * q + np.maximum(t - 1, 0) * found / sweep)

    sweeps = pattern.r if isinstance(pattern, rs_trav) else 1
    back = isinstance(pattern, rs_trav) and pattern.d == "bi"
    further = [Further.of(again * sweeps, 1.0, 0.0, share)]
    if sweeps > 1 and back:
        further.append(Further.of((sweeps - 1) * found / PIECES, 2 * sweep * _MIDDLES, found * _MIDDLES, share))
    elif sweeps > 1:
        further.append(Further.of((sweeps - 1) * found, sweep, found - 1, share))
    last = "down" if back and sweeps % 2 == 0 else "up"
    use = Use(lines, found, within, visits, "up", last, share)
    return Reuse(visits, found * share, found * (1 - share), Further.joined(further), {pattern.region: use})


def _kinds_of_lines(k: float) -> list[tuple[float, float]]:
    """Return (uses, share of the lines) for a mean of k uses: lines differ by at most one item."""
    low = max(1, math.floor(k + 1e-9))
    more = min(1.0, max(0.0, k - low))
    return [(uses, share) for uses, share in ((low, 1 - more), (low + 1, more)) if share > 1e-9]


def _random_traversals(pattern: r_trav | rr_trav, lines: float, n: float, k: float) -> Reuse:
    """Model random traversals; a line with c uses is not used in t visits with P = (1 − t/n)^c."""
    kinds = _kinds_of_lines(k)

    def within(t: np.ndarray) -> Any:  # an array: `kinds` is not empty
        return lines * (1 - sum(share * (1 - np.minimum(t / n, 1)) ** c for c, share in kinds))

    rounds = pattern.r if isinstance(pattern, rr_trav) else 1
    further = []
    nodes = (np.arange(NODES) + 0.5) / NODES
    for c, share in kinds:
        waited = n * (1 - _MIDDLES ** (1 / c))
        further.append(Further.of(rounds * lines * share * (c - 1) / PIECES, waited, within(waited), 0.0))
        if rounds > 1:
            # From the last use in one traversal to the first in the next, as in `revisit_hits`, for lines with c uses.
            a, b = nodes[:, None] ** (1 / c), nodes[None, :] ** (1 / c)
            between = lines * (1 - sum(part * (a * b) ** uses for uses, part in kinds))
            further.append(Further.of((rounds - 1) * lines * share / NODES**2, n * (2 - a - b), between, 0.0))
    use = Use(lines, lines, within, n * rounds, "random", "random", 0.0)
    return Reuse(n * rounds, 0.0, lines, Further.joined(further), {pattern.region: use})


def _random_visits(pattern: rr_acc, lines: float, k: float) -> Reuse:
    """Model independent random visits: a visit touches a line with c items with probability p = c/n.

    The mean number of its uses more than t visits after the last use is p·((1 − p)^t · (r − t − 1/p) + (1 − p)^r / p).
    """
    r = float(pattern.r)
    met_by_a_visit = [(min(c / pattern.region.n, 1 - 1e-12), share) for c, share in _kinds_of_lines(k)]

    def within(t: np.ndarray | float) -> Any:  # as `t`: an array or one number
        return lines * (1 - sum(share * (1 - p) ** t for p, share in met_by_a_visit))

    further = []
    for p, share in met_by_a_visit:
        missed = (1 - p) ** r
        edge = np.linspace(1.0, missed, PIECES + 1)
        waited = np.minimum(np.log(np.maximum(edge, 1e-300)) / math.log1p(-p), r)
        count = lines * share * p * (edge * (r - waited - 1 / p) + missed / p)
        middle = (waited[:-1] + waited[1:]) / 2
        further.append(Further.of(np.maximum(count[:-1] - count[1:], 0), middle, within(middle), 0.0))
    touched = within(r)
    use = Use(lines, touched, within, r, "random", "random", 0.0)
    return Reuse(r, 0.0, touched, Further.joined(further), {pattern.region: use})


def _nest(pattern: nest, line: int, lines: float, q: float) -> Reuse:
    """Model a nest; its m cursors use `front` lines, fewer than m·q if a line holds several parts.

    The cursors reach a line that none of them uses `openings` times; that may exceed X, since a part may end within the
    first line of the next part.
    """
    region, n, m = pattern.region, float(pattern.region.n), float(pattern.m)
    part = region.n // pattern.m
    width = part * region.w
    front = math.ceil(((m - 1) * width + pattern.u) / line) if width - pattern.u < line else m * q
    openings = lines
    if width >= line and region.w - pattern.u < line:
        grain = math.gcd(width, line)
        openings = max(lines, m * (1 + grain * (((part - 1) * region.w + pattern.u - 1) // grain) / line))
    far = Further.of(openings - lines, n, lines * max(0.0, 1 - m / lines), 0.0)
    if pattern.o == "seq":
        rounds = n / m
        new = openings / (rounds * front)

        def within(t: np.ndarray) -> np.ndarray:
            return np.minimum(lines, front / m * (np.minimum(t, m) + np.maximum(t - m, 0) * new))

        same = Further.of(n * q - rounds * front, 1.0, 0.0, 0.0)  # the next cursor is in the same line
        near = rounds * front - openings
        back = Further.of(near, m, front - 1, 0.0)
        if pattern.d == "bi":
            back = Further.of(near / PIECES, 2 * m * _MIDDLES, front * _MIDDLES * (1 + new), 0.0)
        further = [far, same, back]
    else:
        new = openings / (n * q)

        def within(t: np.ndarray) -> np.ndarray:
            held = front * (1 - np.exp(-t * q / front))
            return np.minimum(lines, held + (t * q - held) * new)

        waited = -front / q * np.log(_MIDDLES)
        further = [far, Further.of((n * q - openings) / PIECES, waited, within(waited) if m > 1 else 0.0, 0.0)]
    use = Use(lines, lines, within, n, "random", "random", 0.0)
    return Reuse(n, 0.0, lines, Further.joined(further), {region: use})


def _concurrent(parts: list[Reuse]) -> Reuse:
    """Compose patterns that begin and end together: t visits of part k take t·N/Nₖ visits of the whole."""
    total = sum(part.visits for part in parts)
    further = []
    uses: dict[Region, Use] = {}
    for part in parts:
        window = part.further.time / part.visits  # as a share of the whole
        company = sum((other.met(window * other.visits) for other in parts if other is not part), np.zeros_like(window))
        further.append(replace(part.further, time=window * total, others=part.further.others + company))
        uses |= {region: use.stretched(total / part.visits) for region, use in part.uses.items()}
    in_order, at_random = sum(p.first_in_order for p in parts), sum(p.first_at_random for p in parts)
    return Reuse(total, in_order, at_random, Further.joined(further), uses)


def _sequential(parts: list[Reuse]) -> Reuse:
    """Compose successive patterns: a first use of a line is a further use if an earlier part used it."""
    further, in_order, at_random = [], 0.0, 0.0
    for now, part in enumerate(parts):
        further.append(part.further)
        in_order, at_random = in_order + part.first_in_order, at_random + part.first_at_random
        for region, use in part.uses.items():
            unseen = 1.0
            for before in range(now - 1, -1, -1):
                earlier = parts[before].uses.get(region)
                if earlier is None:
                    continue
                common = use.lines * unseen * min(1.0, earlier.lines / max(use.span, earlier.span))
                unseen *= 1 - min(1.0, earlier.lines / max(use.span, earlier.span))
                further.append(_crossing(parts, before, now, region, common))
                in_order, at_random = in_order - common * use.in_order, at_random - common * (1 - use.in_order)
    regions = dict.fromkeys(region for part in parts for region in part.uses)
    visits, uses = sum(part.visits for part in parts), {region: _over_all(parts, region) for region in regions}
    return Reuse(visits, in_order, at_random, Further.joined(further), uses)


def _crossing(parts: list[Reuse], before: int, now: int, region: Region, count: float) -> Further:
    """Return `count` uses of lines of `region` in part `now` that were last used in part `before`."""
    earlier, use = parts[before].uses[region], parts[now].uses[region]
    ordered = "random" not in (earlier.last, use.first)
    if ordered:
        place = _MIDDLES  # of the line in the region
        left = earlier.when(1 - place if earlier.last == "up" else place)
        waited = use.when(place if use.first == "up" else 1 - place)
    else:
        nodes = (np.arange(NODES) + 0.5) / NODES
        left, waited = (grid.ravel() for grid in np.meshgrid(earlier.when(nodes), use.when(nodes)))
    between = parts[before + 1 : now]
    others = np.zeros_like(left)
    for other in dict.fromkeys(r for part in parts[before : now + 1] for r in part.uses):
        within = [part.uses[other] for part in between if other in part.uses]
        shares: list[np.ndarray | float] = [part_use.lines / part_use.span for part_use in within]
        ends = [parts[i].uses[other].share(t) for i, t in ((before, left), (now, waited)) if other in parts[i].uses]
        if other == region and ordered:  # in one order both ends touch different lines, in opposite orders the same
            ends = [np.minimum(1, sum(ends)) if earlier.last == use.first else np.maximum(*ends)]
        span = max(part.uses[other].span for part in parts[before : now + 1] if other in part.uses)
        others = others + span * (1 - math.prod((1 - share for share in (*shares, *ends)), start=1.0))
    time = left + sum(part.visits for part in between) + waited
    return Further.of(np.full(left.size, count / left.size), time, np.maximum(others - 1, 0), use.in_order)


def _over_all(parts: list[Reuse], region: Region) -> Use:
    """Return a region's use by successive parts; a window lies in one part, in proportion to its length."""
    total = sum(part.visits for part in parts)
    at = [part.uses[region] for part in parts if region in part.uses]
    span = max(use.span for use in at)
    lines = span * (1 - math.prod(1 - min(1.0, use.lines / span) for use in at))

    def within(t: np.ndarray) -> np.ndarray:
        return np.minimum(lines, sum(use.visits / total * use.within(np.minimum(t, use.visits)) for use in at))

    in_order = sum(use.in_order * use.lines for use in at) / sum(use.lines for use in at)
    return Use(span, lines, within, total, at[0].first, at[-1].last, in_order)
