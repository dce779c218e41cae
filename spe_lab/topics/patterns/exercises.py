"""Exercises: write loops as expressions, choose a layout, change C, break the model.

An expression is judged by its misses: its trace and the loop's trace, which does not use the algebra, run through the
same simulated levels.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, judge_c, number
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
    """A loop in C, its addresses and sizes, and the equivalent expression."""

    text: str
    run: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
    expression: Callable[[], Pattern]


def _woven(*columns: np.ndarray) -> np.ndarray:
    """Interleave the columns: one access of each, again and again."""
    return np.stack(columns, axis=1).ravel()


def _copied(rng: np.random.Generator):
    i = np.arange(N)
    return _woven(PLACES[0] + 4 * i, PLACES[1] + 4 * i), 4


def _looked_up(rng: np.random.Generator):
    addresses = _woven(PLACES[0] + 4 * np.arange(N), PLACES[1] + 8 * rng.integers(0, 2048, N))
    return addresses, _woven(np.full(N, 4), np.full(N, 8))


def _repeated(rng: np.random.Generator):
    return PLACES[0] + 128 * np.tile(np.arange(1024), 3), 8


def _permuted(rng: np.random.Generator):
    i, place = np.arange(N), rng.permutation(N)
    addresses = [_woven(PLACES[0] + 8 * i, PLACES[1] + 4 * i, PLACES[2] + 8 * place), PLACES[2] + 8 * i]
    sizes = [_woven(np.full(N, 8), np.full(N, 4), np.full(N, 8)), np.full(N, 8)]
    return np.concatenate(addresses), np.concatenate(sizes)


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
    """Return the four loops of the first exercise."""
    return Text("\n\n".join(f"`{name}`\n```c\n{loop.text}\n```" for name, loop in LOOPS.items()))


def judge_loops(answer: Any) -> Verdict:
    if not isinstance(answer, Mapping) or set(answer) - set(LOOPS):
        rule = f"the answer must be a dictionary with the keys {', '.join(LOOPS)}"
        raise SpeLabError(f"{rule}, got {answer!r:.60}; give each key a pattern, or ... for now")
    missing = [name for name in LOOPS if answer.get(name, ...) is ...]
    for name, given in answer.items():
        if given is ...:
            continue
        if not isinstance(given, Pattern):
            raise SpeLabError(f"{name} must be a pattern, got {given!r:.60}; write for example s_trav(Region(8192, 4))")
        if difference := compare_with_loop(given, LOOPS[name]):
            return Verdict("wrong", f"{name}: {difference}")
    if len(missing) == len(LOOPS):
        return Verdict("not attempted", "no pattern yet")
    if missing:
        return Verdict("wrong", f"right so far; still to do: {', '.join(missing)}")
    return Verdict("right", f"all four miss as often as their loops, in {len(JUDGES)} simulated levels each")


def compare_with_loop(given: Pattern, loop: Loop) -> str:
    """Return the first difference between expression and loop in the simulated levels; "" if none."""
    traces = (trace(given, 7), loop.run(np.random.default_rng(8)))
    lines = {line for line, _ in JUDGES}
    seen = {line: [cache.stack_distances(cache.lines_of(*visits, line)) for visits in traces] for line in lines}
    for line, room in JUDGES:
        mine, wanted = (int(distances.misses(room)) for distances in seen[line])
        if abs(mine - wanted) > CLOSE * wanted + 2:
            return f"with {room} lines of {line} B the loop misses {wanted:,} times, and your expression {mine:,} times"
    mine, wanted = (len(cache.lines_of(*visits, 64)) for visits in traces)
    return "" if mine == wanted else f"the loop makes {wanted:,} accesses, and your expression {mine:,}"


LAYOUTS = (  # (bytes of a line and of a record, width of a field, fields that are read)
    *((64, 4, 2), (64, 4, 3), (64, 8, 2), (64, 8, 3), (64, 16, 2)),
    *((128, 8, 2), (128, 8, 3), (128, 16, 2), (128, 16, 3), (128, 32, 2)),
)
CLOSE_SHARE = 0.006  # less than what lies between the right share and the share if every line were touched


def layout_crossover(fields: int, per_line: int) -> float:
    """Return the s at which n·s lines of records equal f · (n/k) · (1 − (1 − s)^k) lines of columns."""
    from scipy.optimize import brentq

    return float(brentq(lambda s: s - _columns(s, fields, per_line), 0.02, 0.99))


def _columns(share: float, fields: int, per_line: int) -> float:
    """Return the lines that the columns miss, for each item of the table."""
    return fields / per_line * (1 - (1 - share) ** per_line)


def layout(rng: random.Random) -> Exercise:
    """Return the exercise on records and columns, for fields that are drawn."""
    line, width, fields = rng.choice(LAYOUTS)
    per_line = line // width
    all_read = fields / per_line  # the share if every line of a column were touched
    crossover = layout_crossover(fields, per_line)

    def judge(answer: Any) -> Verdict:
        share = number(answer, "the selectivity at which both layouts miss equally often")
        if abs(share - 100 * crossover) <= 1:
            return Verdict(
                "wrong", f"the right size, in per cent: give a number between 0 and 1, such as {share / 100:g}"
            )
        if share <= 0 or share > 1:
            return Verdict("wrong", f"a selectivity lies between 0 and 1, got {share:g}")
        columns = _columns(share, fields, per_line)
        misses_of_each = f"records miss {share:.3f} times for each of the n items, and columns {columns:.3f} times"
        result = f"at s = {share:g} {misses_of_each}"
        if abs(share - crossover) <= CLOSE_SHARE:
            return Verdict("right", f"{result}: for smaller s the records win, since one line holds all fields")
        if math.isclose(share, all_read, abs_tol=0.002):
            why = "that holds if every line of a column is touched. At this share some lines have no selected item"
            return Verdict("wrong", f"{why}: {misses_of_each}")
        return Verdict("wrong", f"{result}: there {'records' if share < columns else 'columns'} win")

    return Exercise(
        f"A table has n records of {line} bytes, each one line: {per_line} fields of {width} bytes. A query reads"
        f" {fields} fields of a share s of the records. Stored as records, they lie side by side in one line; stored as"
        f" columns, in {fields} lines. At which s (above 0) do both layouts miss equally often?",
        (
            (
                f"Both are s_trav_cr: one with w = {line}, u = {fields * width}, and {fields} with w = {width}. How many"
                " lines do they touch?"
            ),
            (
                f"n·s = {fields} · (n/{per_line}) · (1 − (1 − s)^{per_line}). Solve it with sympy's nsolve, or read it from a"
                " plot."
            ),
        ),
        round(crossover, 3),
        f"For smaller s a line of a column mostly serves a single item, so columns need {fields} times as many lines as"
        f" records. For larger s items share lines: a column's line serves up to {per_line} items.",
        judge,
    )


def judge_break(answer: Any) -> Verdict:
    if not isinstance(answer, Pattern):
        cure = "write for example rs_trav(Region(64, 8), r=10)"
        raise SpeLabError(f"the answer must be a pattern, got {answer!r:.60}; {cure}")
    level = PricedLevel("L1", 32 << 10, 64)
    expected = sum(misses(answer, level))
    found = cache.Hierarchy([cache.Level(32 << 10, 64, ways=8)]).run(*trace(answer)).misses[0]
    result = f"the model predicts {expected:,.0f} misses, and a cache of 32 KiB with 8 ways has {found:,}"
    if found >= 2 * expected:
        return Verdict("right", f"{result}: a factor of {found / expected:.1f}")
    ratio = f"a factor of {found / expected:.2f}; at least 2 is needed"
    return Verdict("wrong", f"{result}: {ratio}. Which addresses share a set?")


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
    right = ": the nest has become a single sweep"
    return judge_c(answer, run_matrix, means, name="sum_cells", limit=FASTER, below=True, right=right, wrong=wrong)


def run_matrix(own: native.Library) -> tuple[float, float, float] | str:
    """Check the reader's sum_cells over whole passes, then compare its time with the template's."""
    template = native.compile_text(MATRIX_TEMPLATE, "sum_cells")
    try:
        matrix = own.struct("matrix")
        own.address("sum_cells")
    except (KeyError, AttributeError):
        prototype = "struct matrix and uint64_t sum_cells(struct matrix *m, uint64_t work)"
        return f"the source must declare {prototype}, as the template does"
    rng = np.random.default_rng(1)
    for rows, columns in ((1, 1), (3, 5), (64, 32)):
        cells = rng.integers(0, 1000, rows * columns, dtype=np.int32)
        state = matrix(cells.ctypes.data, rows, columns, 0, 0)
        halves = own.sum_cells(state, rows * columns // 2) + own.sum_cells(state, rows * columns - rows * columns // 2)
        if halves != cells.sum() or (state.row, state.column) != (0, 0):
            rule = f"one pass over {rows} × {columns} cells, in two calls, must give {cells.sum()} and end at the start"
            return f"{rule}; it gives {halves}"
    cells = rng.integers(0, 1000, SIDE * SIDE, dtype=np.int32)

    def point(library: native.Library) -> Point:
        state = library.struct("matrix")(cells.ctypes.data, SIDE, SIDE, 0, 0)
        return Point("sum_cells", library.address("sum_cells"), state, keep=cells)

    return compare(point(own), point(template), budget_s=2.0)


EXERCISES = Exercises(
    "patterns",
    {
        "loops": Exercise(
            "Write each of the four loops as an expression.",
            (
                (
                    "Accesses of one iteration are concurrent (*); two loops are sequential (+). Widths are in bytes: an"
                    " int has 4, a double 8."
                ),
                (
                    "field: three sweeps that touch 8 of 128 bytes. permute: a permutation visits each item once; use the"
                    " same region `out` in both loops."
                ),
            ),
            {name: loop.expression() for name, loop in LOOPS.items()},
            "One pattern for each array of an iteration, joined by ⊙; successive loops are joined by ⊕ and share the"
            ' region that both use:\n```python\ncopy = s_trav(Region(8192, 4, "a")) * s_trav(Region(8192, 4,'
            ' "b"))\nlook_up = s_trav(Region(8192, 4, "key")) * rr_acc(Region(2048, 8, "table"), r=8192)\nfield ='
            ' rs_trav(Region(1024, 128, "record"), r=3, u=8)\nout = Region(8192, 8, "out")\npermute = s_trav(Region(8192,'
            ' 8, "in")) * s_trav(Region(8192, 4, "perm")) * r_trav(out) + s_trav(out)\n```',
            judge_loops,
        ),
        "layout": Seeded(layout),
        "matrix": Exercise(
            "Change sum_cells so that it takes less than 0.7 of its time, with the same sum for each pass.",
            (
                "Which expression is the template? A nest with one cursor for each row; the cursors take turns.",
                "Traverse each row first: the nest becomes s_trav.",
            ),
            MATRIX_SOLUTION,
            "In the template successive accesses are a row apart: nest(R, rows, s_trav, seq). Its cursors use more lines"
            " than a first-level cache holds. With the loops exchanged it is s_trav(R).",
            judge_matrix,
            template=MATRIX_TEMPLATE,
        ),
        "break": Exercise(
            "Break the model: find a pattern for which a cache of 32 KiB with 8 ways misses at least twice as often as the"
            " model predicts.",
            (
                (
                    "The model's cache is fully associative. In the simulated cache, lines whose numbers differ by a"
                    " multiple of 64 share 8 places."
                ),
                "Items 4096 bytes apart all share one set. Visit more than 8 of them repeatedly.",
            ),
            rs_trav(Region(64, 4096), u=8, r=10),
            "All 64 items begin in the same set of 8 lines, so each is evicted before its next visit, while 504 lines stay"
            " empty.",
            judge_break,
        ),
    },
)
