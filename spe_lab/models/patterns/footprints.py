"""The published evaluation of an expression, by footprints and resident shares of regions.

The structure is from the paper (Manegold, Boncz, Kersten, VLDB 2002): ⊙ divides a level's capacity in proportion to the
footprints of its parts, and ⊕ passes on a state of pairs ⟨region, resident share⟩. The footprints and the two functions
that use and update a state are from later descriptions; the originals are in Manegold's thesis.
"""

import numpy as np

from spe_lab.models.patterns import formulas
from spe_lab.models.patterns.algebra import Basic, Concurrent, Pattern, Region, nest, r_trav, rr_acc, rr_trav, rs_trav

State = dict[Region, np.ndarray]


def published(pattern: Pattern, line: int, room: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return (in order, at random): misses in initially empty levels of `room` lines of `line` bytes."""
    return _evaluated(pattern, line, np.atleast_1d(np.asarray(room, float)), {})[:2]


def _evaluated(pattern: Pattern, line: int, room: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray, State]:
    if isinstance(pattern, Basic):
        return _basic(pattern, line, room, state)
    in_order, at_random = np.zeros_like(room), np.zeros_like(room)
    left: State = {}
    if isinstance(pattern, Concurrent):
        whole = sum(footprint(part, line) for part in pattern.parts)
        for part in pattern.parts:
            more_in_order, more_at_random, after = _evaluated(part, line, room * footprint(part, line) / whole, state)
            in_order, at_random, left = in_order + more_in_order, at_random + more_at_random, left | after
        return in_order, at_random, left
    for part in pattern.parts:
        more_in_order, more_at_random, state = _evaluated(part, line, room, state)
        in_order, at_random = in_order + more_in_order, at_random + more_at_random
    return in_order, at_random, state


def _basic(pattern: Basic, line: int, room: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray, State]:
    lines = _lines(pattern, line)
    room = np.maximum(room, 1e-9)
    resident = state.get(pattern.region, np.zeros_like(room))
    missed = formulas.evaluate(pattern, line, room, "published")
    # A sweep hits resident lines only if all lines are resident: else each line is evicted just before its visit.
    missed = missed * (resident < 1) if pattern.sequential else missed * (1 - resident)
    share = formulas.order(pattern, line, "published")
    return missed * share, missed * (1 - share), {pattern.region: np.minimum(1, room / lines)}


def footprint(pattern: Pattern, line: int) -> float:
    """Return the lines that a pattern may revisit: 1 for a sweep or a cursor, else the region."""
    if isinstance(pattern, Basic):
        if isinstance(pattern, nest):
            return pattern.m
        revisits = isinstance(pattern, rs_trav | rr_trav | rr_acc) or (
            isinstance(pattern, r_trav) and pattern.region.w - pattern.u < line
        )
        return _lines(pattern, line) if revisits else 1.0
    footprints = [footprint(part, line) for part in pattern.parts]
    return sum(footprints) if isinstance(pattern, Concurrent) else max(footprints)


def _lines(pattern: Basic, line: int) -> float:
    return formulas.shape(pattern, line, "published")[0]
