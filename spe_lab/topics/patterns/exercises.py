"""Exercises: write loops as expressions, choose a layout, change C, break the model.

An expression is judged by what it does: its trace and the loop's own, written down without the algebra, run through the
same simulated levels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, judge_c, number
from spe_lab.core.sampling.kernels import Point, compare
from spe_lab.core.text import Text
from spe_lab.models import cache
from spe_lab.models.patterns.algebra import Pattern, Region, r_trav, rr_acc, rs_trav, s_trav
from spe_lab.models.patterns.levels import PricedLevel, misses
from spe_lab.models.patterns.traces import trace

JUDGES = tuple((line, room) for line, rooms in ((64, (16, 64, 200, 1000)), (4096, (4, 64))) for room in rooms)
CLOSE = 0.04  # two random executions of one expression differ by less
N = 8192
PLACES = [i << 20 for i in range(4)]  # of the loops' arrays


@dataclass(frozen=True)
class Loop:
    """A loop in C, its own addresses and sizes, and the expression that says the same."""

    text: str
    run: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
    expression: Callable[[], Pattern]


def _woven(*columns: np.ndarray) -> np.ndarray:
    """One access of each column in turn."""
    return np.stack(columns, axis=1).ravel()


def _copied(rng: np.random.Generator):
    i = np.arange(N)
    return _woven(PLACES[0] + 4 * i, PLACES[1] + 4 * i), 4


def _looked_up(rng: np.random.Generator):
    return _woven(PLACES[0] + 4 * np.arange(N), PLACES[1] + 8 * rng.integers(0, 2048, N)), _woven(
        np.full(N, 4), np.full(N, 8)
    )


def _repeated(rng: np.random.Generator):
    return PLACES[0] + 128 * np.tile(np.arange(1024), 3), 8


def _permuted(rng: np.random.Generator):
    i, place = np.arange(N), rng.permutation(N)
    return np.concatenate(
        [_woven(PLACES[0] + 8 * i, PLACES[1] + 4 * i, PLACES[2] + 8 * place), PLACES[2] + 8 * i]
    ), np.concatenate([_woven(np.full(N, 8), np.full(N, 4), np.full(N, 8)), np.full(N, 8)])


def _permuted_expression() -> Pattern:
    out = Region(N, 8, "out")
    return s_trav(Region(N, 8, "in")) * s_trav(Region(N, 4, "perm")) * r_trav(out) + s_trav(out)


LOOPS = {
    "copy": Loop(
        "for (int i = 0; i < 8192; i++)\n    b[i] = a[i];                    // int a[8192], b[8192]",
        _copied,
        lambda: s_trav(Region(N, 4, "a")) * s_trav(Region(N, 4, "b")),
    ),
    "look-up": Loop(
        "for (int i = 0; i < 8192; i++)\n    sum += table[key[i]];           // int key[8192], random; double"
        " table[2048]",
        _looked_up,
        lambda: s_trav(Region(N, 4, "key")) * rr_acc(Region(2048, 8, "table"), r=N),
    ),
    "field": Loop(
        "for (int k = 0; k < 3; k++)\n    for (int i = 0; i < 1024; i++)\n        sum += record[i].price;     // of 128"
        " bytes, a double in front",
        _repeated,
        lambda: rs_trav(Region(1024, 128, "record"), r=3, u=8),
    ),
    "permute": Loop(
        "for (int i = 0; i < 8192; i++)\n    out[perm[i]] = in[i];           // double in[8192], out[8192]; int"
        " perm[8192], a permutation\nfor (int i = 0; i < 8192; i++)\n    sum += out[i];",
        _permuted,
        _permuted_expression,
    ),
}


def loops() -> Text:
    """The four loops of the first exercise."""
    return Text("\n\n".join(f"`{name}`\n```c\n{loop.text}\n```" for name, loop in LOOPS.items()))


def judge_loops(answer: Any) -> Verdict:
    if not isinstance(answer, Mapping) or set(answer) - set(LOOPS):
        raise SpeLabError(
            f"the answer must be a dictionary with the keys {', '.join(LOOPS)}, got {answer!r:.60}; give each a"
            " pattern, or ... for now"
        )
    missing = [name for name in LOOPS if answer.get(name, ...) is ...]
    for name, given in answer.items():
        if given is ...:
            continue
        if not isinstance(given, Pattern):
            raise SpeLabError(f"{name} must be a pattern, got {given!r:.60}; write for example s_trav(Region(8192, 4))")
        found = compare_with_loop(given, LOOPS[name])
        if found:
            return Verdict("wrong", f"{name}: {found}")
    if missing:
        return (
            Verdict("wrong", f"right so far; still to do: {', '.join(missing)}")
            if len(missing) < len(LOOPS)
            else Verdict("not attempted", "no pattern yet")
        )
    return Verdict("right", f"all four miss as often as their loops, in {len(JUDGES)} simulated levels each")


def compare_with_loop(given: Pattern, loop: Loop) -> str:
    """What differs between the expression and the loop, in the first level that tells them apart;
    empty if none does.
    """
    own, true = trace(given, 7), loop.run(np.random.default_rng(8))
    seen = {
        line: [cache.stack_distances(cache.lines_of(*each, line)) for each in (own, true)]
        for line in {line for line, _ in JUDGES}
    }
    for line, room in JUDGES:
        mine, wanted = (int(distances.misses(room)) for distances in seen[line])
        if abs(mine - wanted) > CLOSE * wanted + 2:
            return f"with {room} lines of {line} B the loop misses {wanted:,} times, and your expression {mine:,} times"
    accesses = [len(cache.lines_of(*each, 64)) for each in (own, true)]
    return (
        ""
        if accesses[0] == accesses[1]
        else f"the loop makes {accesses[1]:,} accesses, and your expression {accesses[0]:,}"
    )


def layout_crossover() -> float:
    """s where n·s lines of records and two columns' 2 · n/8 · (1 − (1 − s)^8) are equally many."""
    from scipy.optimize import brentq

    return float(brentq(lambda s: s - 0.25 * (1 - (1 - s) ** 8), 0.05, 0.9))


def judge_layout(answer: Any) -> Verdict:
    share = number(answer, "the selectivity at which both layouts miss equally often")
    rows, columns = share, 0.25 * (1 - (1 - share) ** 8)
    said = f"at s = {share:g} records miss {rows:.3f} times for each of the n items, and columns {columns:.3f} times"
    if share <= 0 or share > 1:
        return Verdict("wrong", f"a selectivity lies between 0 and 1, got {share:g}")
    if abs(share - layout_crossover()) <= 0.01:
        return Verdict("right", f"{said}: below it the records win, since one line brings both fields")
    return Verdict("wrong", f"{said}: there {'records' if rows < columns else 'columns'} win")


def judge_break(answer: Any) -> Verdict:
    if not isinstance(answer, Pattern):
        raise SpeLabError(
            f"the answer must be a pattern, got {answer!r:.60}; write for example rs_trav(Region(64, 8), r=10)"
        )
    level = PricedLevel("L1", 32 << 10, 64)
    expected = sum(misses(answer, level))
    found = cache.Hierarchy([cache.Level(32 << 10, 64, ways=8)]).run(*trace(answer)).misses[0]
    said = f"the model says {expected:,.0f} misses, and a cache of 32 KiB with 8 ways has {found:,}"
    if found >= 2 * expected:
        return Verdict("right", f"{said}: a factor of {found / expected:.1f}")
    return Verdict(
        "wrong", f"{said}: a factor of {found / expected:.2f}, and 2 is asked for. Which addresses share a set?"
    )


MATRIX_TEMPLATE = """
#include "spe.h"

struct matrix { const int32_t *cells; uint64_t rows, columns, row, column; };

uint64_t sum_cells(struct matrix *m, uint64_t work)   /* the next `work` cells; all of them are one pass */
{
    uint64_t sum = 0;
    for (; work > 0; work--) {
        sum += (uint64_t)m->cells[m->row * m->columns + m->column];
        if (++m->row == m->rows) {
            m->row = 0;
            if (++m->column == m->columns)
                m->column = 0;
        }
    }
    return sum;
}
"""

MATRIX_SOLUTION = """
#include "spe.h"

struct matrix { const int32_t *cells; uint64_t rows, columns, row, column; };

uint64_t sum_cells(struct matrix *m, uint64_t work)
{
    uint64_t sum = 0;
    for (; work > 0; work--) {
        sum += (uint64_t)m->cells[m->row * m->columns + m->column];
        if (++m->column == m->columns) {   /* along a row first: the order in which the cells lie */
            m->column = 0;
            if (++m->row == m->rows)
                m->row = 0;
        }
    }
    return sum;
}
"""

SIDE = 2048  # cells: a column's lines are more than a first-level cache or a first-level TLB holds
FASTER = 0.7


def judge_matrix(answer: Any) -> Verdict:
    means = "your loop takes {} times as long as the template"
    wrong = f": less than {FASTER} is asked for. In which order do the cells lie in memory?"
    return judge_c(
        answer,
        run_matrix,
        means,
        name="sum_cells",
        limit=FASTER,
        below=True,
        right=": a nest has become a single sweep",
        wrong=wrong,
    )


def run_matrix(own: native.Library) -> tuple[float, float, float] | str:
    """Checks the reader's sum_cells over whole passes, then times it beside the template."""
    template = native.compile_text(MATRIX_TEMPLATE, "sum_cells")
    try:
        matrix = own.struct("matrix")
        own.address("sum_cells")
    except (KeyError, AttributeError):
        return (
            "the source must declare struct matrix and uint64_t sum_cells(struct matrix *m, uint64_t work), as the"
            " template does"
        )
    rng = np.random.default_rng(1)
    for rows, columns in ((1, 1), (3, 5), (64, 32)):
        cells = rng.integers(0, 1000, rows * columns, dtype=np.int32)
        state = matrix(cells.ctypes.data, rows, columns, 0, 0)
        halves = own.sum_cells(state, rows * columns // 2) + own.sum_cells(state, rows * columns - rows * columns // 2)
        if halves != cells.sum() or (state.row, state.column) != (0, 0):
            return (
                f"one pass over {rows} × {columns} cells, in two calls, must give {cells.sum()} and end where it began;"
                f" it gives {halves}"
            )
    cells = rng.integers(0, 1000, SIDE * SIDE, dtype=np.int32)
    points = [
        Point(
            "sum_cells",
            each.address("sum_cells"),
            each.struct("matrix")(cells.ctypes.data, SIDE, SIDE, 0, 0),
            keep=cells,
        )
        for each in (own, template)
    ]
    return compare(*points, budget_s=2.0)


EXERCISES = Exercises(
    "patterns",
    {
        "loops": Exercise(
            "Write each of the four loops as an expression.",
            (
                (
                    "What runs in one iteration is concurrent (*), what runs in another loop comes after (+). Widths are in"
                    " bytes: an int has 4, a double 8."
                ),
                (
                    "field: three sweeps that touch 8 of 128 bytes. permute: a permutation visits each item once; use the"
                    " same region `out` in both loops."
                ),
            ),
            {name: loop.expression() for name, loop in LOOPS.items()},
            "One pattern for each array of an iteration, joined by ⊙; loops that follow each other are joined by ⊕, and"
            ' share the region they both use:\n```python\ncopy = s_trav(Region(8192, 4, "a")) * s_trav(Region(8192, 4,'
            ' "b"))\nlook_up = s_trav(Region(8192, 4, "key")) * rr_acc(Region(2048, 8, "table"), r=8192)\nfield ='
            ' rs_trav(Region(1024, 128, "record"), r=3, u=8)\nout = Region(8192, 8, "out")\npermute = s_trav(Region(8192,'
            ' 8, "in")) * s_trav(Region(8192, 4, "perm")) * r_trav(out) + s_trav(out)\n```',
            judge_loops,
        ),
        "layout": Exercise(
            "A table of records of 64 bytes holds eight fields of 8 bytes, two of which are read for a share s of the"
            " records. Stored as records, the two lie in one line; stored as columns, in two. At which s do both layouts"
            " miss equally often?",
            (
                (
                    "Both are s_trav_cr: one with w = 64, u = 16, and two with w = 8. How many lines does each touch, for n"
                    " records?"
                ),
                "n·s = 2 · (n/8) · (1 − (1 − s)⁸). Solve it with sympy's nsolve, or read it off a plot.",
            ),
            0.212,
            "Below s ≈ 0.21 a line of a column is mostly brought for a single item, twice as many lines as records need."
            " Above, items share lines, and a column's line serves up to eight.",
            judge_layout,
        ),
        "matrix": Exercise(
            "Change sum_cells so that it takes less than 0.7 of its time, with the same sum for each pass.",
            (
                "Which expression is the template? A nest with one cursor for each row, taking turns.",
                "Walk along a row first: the nest becomes s_trav.",
            ),
            MATRIX_SOLUTION,
            "In the template neighbours in time lie a row apart: nest(R, rows, s_trav, seq), whose cursors hold more lines"
            " than a first-level cache has. With the loops exchanged it is s_trav(R).",
            judge_matrix,
        ),
        "break": Exercise(
            "Break the model: find a pattern for which a cache of 32 KiB with 8 ways misses at least twice as often as the"
            " model says.",
            (
                (
                    "The model's cache is fully associative. In the simulated one, lines whose numbers differ by a multiple"
                    " of 64 share 8 places."
                ),
                "Items 4096 bytes apart all share one set. Visit more than 8 of them again and again.",
            ),
            rs_trav(Region(64, 4096), u=8, r=10),
            "All 64 items begin in the same set of 8 lines, so that each is evicted before its turn comes again, while 504"
            " lines stay empty.",
            judge_break,
        ),
    },
)
