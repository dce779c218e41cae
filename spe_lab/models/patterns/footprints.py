"""The published evaluation of an expression: caches are divided by footprint, and what is left in them is a share of
each region.

From the paper (Manegold, Boncz, Kersten, VLDB 2002): the structure, that is, ⊙ divides a level's capacity in proportion
to the footprints of its parts, and ⊕ hands on a state of pairs ⟨region, resident share⟩. The footprints and the two
functions that use and make a state are the usual retelling; the originals are in Manegold's thesis.
"""

import numpy as np

from spe_lab.models.patterns import formulas
from spe_lab.models.patterns.algebra import Basic, Concurrent, Pattern, Region, nest, r_trav, rr_acc, rr_trav, rs_trav

State = dict[Region, np.ndarray]


def published(pattern: Pattern, line: int, room: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """(in order, at random): misses in levels that hold so many lines of `line` bytes and are empty at first."""
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
    # A sweep finds what is left only if all of it is: else each line is evicted just before the sweep comes to it.
    missed = missed * (resident < 1) if pattern.sequential else missed * (1 - resident)
    share = formulas.order(pattern, line, "published")
    return missed * share, missed * (1 - share), {pattern.region: np.minimum(1, room / lines)}


def footprint(pattern: Pattern, line: int) -> float:
    """Lines that a pattern may come back to: one for a single sweep, one for each cursor of a nest, otherwise the
    region.
    """
    if isinstance(pattern, Basic):
        if isinstance(pattern, nest):
            return pattern.m
        revisits = isinstance(pattern, rs_trav | rr_trav | rr_acc) or (
            isinstance(pattern, r_trav) and pattern.region.w - pattern.u < line
        )
        return _lines(pattern, line) if revisits else 1.0
    each = [footprint(part, line) for part in pattern.parts]
    return sum(each) if isinstance(pattern, Concurrent) else max(each)


def _lines(pattern: Basic, line: int) -> float:
    return formulas.shape(pattern, line, "published")[0]
