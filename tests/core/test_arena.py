"""Working sets: where they lie, that every page is there, and what is refused."""

import mmap

import numpy as np
import pytest

from spe_lab.core import machine
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import arena
from spe_lab.core.machine.arena import HUGE_PAGE, Arena, huge_pages_offered


@pytest.mark.parametrize("size", [1, 4096, 100_000, HUGE_PAGE, HUGE_PAGE + 1])
def test_a_working_set_has_its_size_and_starts_where_a_huge_page_may(size):
    made = Arena(size)
    assert (made.size, made.view.size, made.view.itemsize) == (size, size, 1)
    assert made.address == made.view.ctypes.data and made.address % HUGE_PAGE == 0


def test_every_page_was_written_and_every_byte_can_be():
    view = Arena(10 * mmap.PAGESIZE + 1).view
    assert view[:: mmap.PAGESIZE].tolist() == [1] * 11
    view[:] = 7
    assert view.sum() == 7 * view.size


def test_two_working_sets_do_not_overlap():
    one, two = Arena(3 * HUGE_PAGE), Arena(3 * HUGE_PAGE)
    assert not np.shares_memory(one.view, two.view)
    two.view[:] = 9
    assert one.view.max() == 1


def test_a_view_outlives_its_arena():
    view = Arena(HUGE_PAGE).view[5:50]
    view[:] = 3
    assert view.sum() == 3 * 45


@pytest.mark.parametrize("size", [0, -1, 1 << 60])
def test_a_size_that_cannot_be_had_is_refused_with_the_limit(size):
    with pytest.raises(
        SpeLabError, match=rf"^size must be between 1 B and half of .* \(\d+ B\), got {size} B; choose a smaller one"
    ):
        Arena(size)


def test_half_of_the_memory_available_is_the_limit(monkeypatch):
    monkeypatch.setattr(arena, "memory_available", lambda: 2 * 8192)
    assert Arena(8192).size == 8192
    with pytest.raises(SpeLabError, match=r"\(8192 B\), got 8193 B"):
        Arena(8193)


def test_an_unknown_kind_of_page_is_refused():
    with pytest.raises(SpeLabError, match="pages must be one of 4K, huge, got '8K'"):
        Arena(4096, "8K")


@pytest.mark.skipif(
    not machine.facts()["system"].startswith("Linux"), reason="no other system says what lies on huge pages"
)
def test_base_pages_are_not_huge_ones():
    assert Arena(4 * HUGE_PAGE).huge_bytes() == 0


@pytest.mark.skipif(not huge_pages_offered(), reason="this system offers no huge pages")
def test_huge_pages_are_really_huge_or_said_to_be_missing():
    try:
        made = Arena(4 * HUGE_PAGE, "huge")
    except UnavailableError as error:
        pytest.skip(f"memory is too fragmented here: {error}")
    assert made.huge_bytes() >= 0.9 * made.size


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="this system has no huge pages to withhold")
def test_huge_pages_that_the_system_withholds_are_not_replaced_in_silence(monkeypatch):
    monkeypatch.setattr(Arena, "huge_bytes", lambda self: 0)
    with pytest.raises(UnavailableError, match=r"gave no huge pages .*; use pages=4K"):
        Arena(HUGE_PAGE, "huge")


def test_without_madvise_huge_pages_are_unavailable(monkeypatch):
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    with pytest.raises(UnavailableError, match="huge pages need Linux's madvise"):
        Arena(HUGE_PAGE, "huge")
    assert not huge_pages_offered() and Arena(4096).size == 4096
