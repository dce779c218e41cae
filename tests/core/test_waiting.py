"""What stands for a run that waits: every cell runs to its end with it, and shows one line."""

import copy

import numpy as np
import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.waiting import Waiting, waits

SAID = "Commit a range above, or press Skip, and run this cell again."


@pytest.fixture
def waiting():
    return Waiting(SAID)


def test_it_is_false_empty_and_says_what_to_do(waiting):
    assert not waiting and len(waiting) == 0 and list(waiting) == [] and "x" not in waiting
    assert str(waiting) == repr(waiting) == f"{waiting:.2f}" == SAID


def test_whatever_a_cell_does_with_it_waits_too(waiting):
    for other in (
        waiting.measured[0].values,
        waiting.fit.summary(),
        waiting(1, at=2)["x"],
        waiting + 1,
        2 * waiting,
        1 / waiting - waiting,
        round(abs(-waiting), 2),
        np.round(waiting, 1),
    ):
        assert other is waiting
    assert dict(**waiting) == {} and not waiting > 1 and not waiting <= 1
    assert np.isnan(float(waiting)) and np.asarray(waiting).size == 0


def test_it_is_copied_and_shown_like_any_object(waiting):
    assert str(copy.deepcopy(waiting)) == SAID
    display = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    assert display.format(waiting)[0] == {"text/plain": SAID}


def test_a_function_that_takes_a_run_passes_it_on(waiting):
    @waits
    def slope(lab, run=None):
        return run["slope"]

    assert slope(1, run=waiting) is waiting and slope(waiting) is waiting and slope(1, {"slope": 3}) == 3


def test_a_notebook_shows_an_error_as_its_sentence():
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shown = []
    shell._showtraceback = lambda _kind, _error, lines: shown.append(lines)
    try:
        raise SpeLabError("size must be smaller; choose another")
    except SpeLabError:
        shell.showtraceback()
    assert shown == [["size must be smaller; choose another"]]
