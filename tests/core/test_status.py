"""A status of a C function becomes a sentence that says what to do."""

import pytest

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import CancelledError, SpeLabError, UnavailableError


class Library:
    """What `check` reads of a loaded library; the numbers differ from today's header on purpose."""

    constants = {"SPE_OK": 0, "SPE_CANCELLED": -7, "SPE_BAD_ARGUMENT": -8, "SPE_NO_THREADS": -9}  # noqa: RUF012
    provenance = {"source": "made_up.c"}  # noqa: RUF012


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (-7, CancelledError, r"^the race was cancelled; start it again$"),
        (-8, SpeLabError, r"^the race must .* made_up\.c, .*refused an argument; choose smaller"),
        (
            -9,
            UnavailableError,
            r"^the race needs 4 threads and the system refused .*; choose fewer, or raise ulimit -u$",
        ),
        (-3, SpeLabError, r"^the race must .* got -3 from made_up\.c; report"),
    ],
)
def test_a_status_becomes_a_sentence(status, error, sentence):
    with pytest.raises(error, match=sentence) as raised:
        check(status, Library, "the race", threads=4)
    assert type(raised.value) is error


@pytest.mark.parametrize("status", [0, 1, 5000])
def test_success_and_counts_pass(status):
    assert check(status, Library) is None


def test_every_status_of_the_header_has_a_sentence_of_its_own():
    class Header(Library):
        constants = native.build("laws").declarations.constants

    failures = [status for status in Header.constants.values() if status < 0]
    assert len(failures) >= 3
    for status in failures:
        with pytest.raises(SpeLabError, match=r"^(?!.*must end with a status)"):
            check(status, Header)
