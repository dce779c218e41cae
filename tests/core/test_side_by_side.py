"""Builds of a function at several places, timed side by side in one process."""

import contextlib
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c import builds, timing
from spe_lab.core.own_c.compared import findings
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.side_by_side import SideBySide
from spe_lab.core.own_c.versus import SAME, SLOWER

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

SUM = """
static double helper(const double *x, long n, long step)
{
    double sum = 0;
    for (long i = 0; i < n; i += step)
        sum += x[i];
    return sum;
}
static int calls;
double total(const double *x, long n) { return helper(x, n, 1); }
double scaled(double *x, long n) { for (long i = 0; i < n; i++) x[i] = -x[i]; return x[0]; }
int count(void) { return ++calls; }
"""
TWICE = SUM.replace(
    "return helper(x, n, 1);", 'double s = helper(x, n, 1); __asm__ volatile(""); return s + 0 * helper(x, n, 1);'
)
KERNEL = """
struct sums { const double *x; unsigned long n; };
unsigned long total(struct sums *sums, unsigned long work) { return work + sums->n; }
"""
GIVEN = {"x": "random:n", "n": "500"}


@pytest.fixture
def cells():
    with contextlib.ExitStack() as stack:
        yield lambda *sources: {
            f"{letter}.c": stack.enter_context(contextlib.closing(Cell(source, "own")))
            for letter, source in zip("ab", sources, strict=False)
        }


def addresses(library, symbols):
    listed = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[2]: int(line.split()[0], 16) for line in listed if line.split()[-1] in symbols}


@pytest.mark.skipif(not Path("/usr/bin/nm").exists(), reason="needs nm, which lists addresses")
@pytest.mark.parametrize("source", [SUM, KERNEL], ids=["called", "work kernel"])
def test_builds_have_their_code_at_every_place_of_a_line_three_times(cells, source):
    (cell,) = cells(source).values()
    cell.flags = (*cell.flags, "-ffunction-sections")
    built, symbol, _ = timing.kernel_of(cell, cell.function("total").declared, builds.MARK, builds.FLAGS)
    with native.scratch_folder() as folder:
        libraries = builds.build(built, cell.flags, builds.offsets(1), Path(folder))
        found = [addresses(library, {"total", symbol}) for library in libraries]
    at = [place["total"] for place in found]
    moved = Counter((place - at[0]) % builds.LINE for place in at)
    assert moved == dict.fromkeys(range(0, builds.LINE, builds.STEP), builds.COPIES)
    assert len(set(at)) == len(at) and {place % 4096 // 64 for place in at} != {at[0] % 4096 // 64}
    if symbol != "total":
        assert {place[symbol] % builds.LINE for place in found} == {0}  # the loop that calls it


def test_places_depend_on_the_seed_and_lie_in_one_page():
    first, second = builds.offsets(1), builds.offsets(2)
    assert (first == builds.offsets(1)).all() and (first != second).any()
    assert sorted(first % builds.LINE) == sorted(second % builds.LINE) == sorted([0, 16, 32, 48] * builds.COPIES)


@pytest.mark.machine
def test_twice_the_work_is_slower_and_twins_are_not_called_different(cells):
    (found,) = findings(cells(SUM, TWICE), "total", [GIVEN], threshold=0.2, budget_s=2)
    assert found.verdict == SLOWER and found.times.ratio().value > 1.5
    assert (found.times.kept <= found.times.tried).all() and found.times.kept.min() > 0
    assert found.times.blocks.shape[::2] == (2, builds.PLACES * builds.COPIES)
    (found,) = findings(cells(SUM, SUM), "total", [GIVEN], threshold=0.5, budget_s=2)
    assert found.verdict == SAME and found.notes is not None


@pytest.mark.machine
def test_the_time_of_one_version_grows_with_its_argument(cells):
    shares = []
    found = list(
        findings(
            cells(SUM),
            "total",
            [{"x": "random:10000", "n": n} for n in ("100", "10000")],
            budget_s=0.5,
            progress=lambda share, words: shares.append(share),
        )
    )
    short, long = (finding.times.time(0) for finding in found)
    assert 20 < long.value / short.value < 500 and short.low <= short.value <= short.high
    assert [finding.verdict for finding in found] == ["", ""] and shares == sorted(shares) and shares[0] == 0


@pytest.mark.machine
def test_arrays_are_shared_and_changes_of_them_are_noted(cells):
    (found,) = findings(cells(SUM, SUM), "scaled", [GIVEN], threshold=0.5, budget_s=0.5)
    assert found.notes[0] == "a call changes x: each call finds what the one before it left"


def test_unequal_results_are_found_before_anything_is_timed(cells):
    (found,) = findings(cells(SUM, SUM.replace("-x[i]", "x[i]")), "scaled", [GIVEN])
    assert (found.verdict, found.times) == ("unequal", None)
    assert found.difference.startswith("result is -0.")
    (found,) = findings(cells(SUM, SUM.replace("++calls", "calls--")), "count", [{}])
    assert found.difference == "result is 1 and 0"


def test_a_call_and_a_unit_of_work_are_not_compared(cells):
    with pytest.raises(CellError, match=r"both versions must be timed per call, or both per unit of work, got double"):
        SideBySide(list(cells(SUM, KERNEL).values()), "total")


@pytest.mark.machine
def test_work_kernels_are_compared_per_unit_of_work(cells):
    loop = KERNEL.replace(
        "return work + sums->n;",
        'for (unsigned long i = 0; i < work; i++) __asm__ volatile("nop"); return work + sums->n;',
    )
    (found,) = findings(cells(loop, loop.replace('"nop"', '"nop; nop; nop; nop; nop; nop; nop; nop"')), "total", [{"n": "3"}],
                        threshold=0.05, budget_s=1)  # fmt: skip
    assert found.verdict == SLOWER and found.times.time(0).value < 100
    assert np.isfinite(found.times.builds(0)).all()
