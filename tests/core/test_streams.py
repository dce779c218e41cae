"""Standard streams that are closed, or that lack characters: what is printed arrives, and nothing is lost in JSON."""

import io
import json
import os
import subprocess
import sys

import pytest

from spe_lab.core import streams

PROGRAM = """
import os, sys
from spe_lab.core import streams
streams.prepare()
ends = os.pipe()
print("out"), print("err", file=sys.stderr)
inherited = os.system(f"test -c /dev/fd/0 && echo 1 >&1 && echo 2 >&2")
os.write(int(sys.argv[1]), repr((min(ends) > 2, sys.stdin.read(), inherited)).encode())
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_filled_before_a_pipe_takes_their_numbers(closed):
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as answer:
        shell = f'exec "$@" </dev/null >/dev/null 2>/dev/null {closed}'
        command = ["sh", "-c", shell, "sh", sys.executable, "-c", PROGRAM, str(write)]
        done = subprocess.run(command, pass_fds=[write], check=False, timeout=60)
        os.close(write)
        assert (done.returncode, answer.read()) == (0, "(True, '', 0)")


@pytest.fixture
def printed(monkeypatch):
    """Prints text to a standard output of this encoding, and returns the bytes."""

    def called(text, encoding, errors="strict"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        streams.prepare()
        print(text, end="", flush=True)
        return stream.buffer.getvalue()

    return called


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", b"12 us / 3 EUR^2 -> rho <= x2 ?"),
        ("latin-1", b"12 \xb5s \xf7 3 EUR\xb2 -> rho <= \xd72 ?"),
        ("utf-8", "12 µs ÷ 3 €² → ρ ≤ ×2 ?".encode()),
    ],
)
def test_characters_that_an_encoding_lacks_are_spelled(printed, encoding, expected):
    half_a_pair = "\ud83d"
    assert printed(f"12 µs ÷ 3 €² → ρ ≤ ×2 {half_a_pair}", encoding) == expected


def test_another_handler_of_errors_is_the_reader_s_choice(printed):
    assert printed("a → b", "ascii", "ignore") == b"a  b"
    assert printed("a → b", "ascii", "surrogateescape") == b"a -> b"  # Python's own in the C locale


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "UTF8"])
def test_json_loses_nothing(encoding):
    data = {"ρ": ["12 µs", "\U0001f600", "\ud83d"]}
    text = json.dumps(data, ensure_ascii=False)
    shown = streams.json_for(io.TextIOWrapper(io.BytesIO(), encoding=encoding), text)
    assert json.loads(shown) == data and (shown == text) == encoding.lower().startswith("utf")
