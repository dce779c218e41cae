"""The reader's own C as courses, textbooks and public questions have it: every call gives what C itself computes.

Each file of corpus/ has a `main` of its own, compiled by the same compiler with the same flags, which makes the same
calls and prints what they give. A call from Python gives the same values, or is refused in one sentence.
"""

import contextlib
import importlib
import re
import subprocess
from pathlib import Path

import pytest
from own_c.corpus.example import CANNOT_RUN_HERE, Example, Refused, Rejected, shown

from spe_lab.core.c import native
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError

CORPUS = Path(__file__).parent / "corpus"
FOLDERS = sorted(calls.parent for calls in CORPUS.glob("*/calls.py"))
# A multiplication and an addition may be one instruction with one rounding: in C's main the compiler computes some of
# them beforehand, with two.
FLAGS = [*native.CELL_FLAGS, "-ffp-contract=off"]
INSIDE = re.compile(r"Traceback|object at 0x|<class|ctypes|DW_|\n")  # what no reader is shown


def _entries(kind):
    """The entries of a kind in all tables, each with its file's path."""
    for folder in FOLDERS:
        table = vars(importlib.import_module(f"own_c.corpus.{folder.name}.calls"))
        listed = [*table.values(), *table.get("REFUSED", ()), *table.get("REJECTED", ())]
        yield from ((folder / entry.file, entry) for entry in listed if isinstance(entry, kind))


def _id(value):
    if isinstance(value, Path):
        return f"{value.parent.name}-{value.stem}"
    return " ".join(value.flags) if isinstance(value, Example) else ""


EXAMPLES, REJECTED = list(_entries(Example)), list(_entries(Rejected))
REFUSED = [(path, entry) for path, entry in _entries(Refused)]


@pytest.fixture(scope="module")
def printing(compiler, tmp_path_factory):
    """The functions of show.h, compiled once: they would take longer than the rest of a main."""
    compiled = tmp_path_factory.mktemp("printing") / "show.o"
    _run([*compiler.command, *FLAGS, "-c", CORPUS / "show.c", "-o", compiled])
    return compiled


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=_id)
def test_each_call_gives_what_main_prints(path, example, compiler, printing, tmp_path):
    if example.needs and not _accepts(compiler, example, tmp_path):
        pytest.skip(f"{compiler.version} does not take {example.needs.splitlines()[0]}")
    expected = _printed_by_main(path, example, compiler, printing, tmp_path)
    with contextlib.closing(Cell(path.read_text("utf-8"), "own", flags=[*FLAGS, *example.flags])) as own:
        for refused in (entry for other, entry in REFUSED if other == path):
            _check_refusal(own, path, refused)
        given = "".join(shown(value) for value in example.calls(own))
    assert given.splitlines() == expected.splitlines()


@pytest.mark.parametrize(("path", "rejected"), REJECTED, ids=_id)
def test_a_cell_that_does_not_compile_says_what_is_missing(path, rejected, compiler):
    with pytest.raises(CellError) as error:
        Cell(path.read_text("utf-8"), "own", flags=FLAGS)
    beginning = "\n".join(str(error.value).splitlines()[:2])
    for word in (*rejected.words, f"line {rejected.line}"):
        assert word in beginning


def test_each_file_is_called():
    files = set(CORPUS.glob("*/*.c"))
    assert files == {path for path, _ in EXAMPLES + REJECTED}
    assert len({path for path, _ in EXAMPLES}) >= 70
    assert {path for path, _ in REFUSED} <= {path for path, _ in EXAMPLES}


def _accepts(compiler, example, folder):
    """Whether the compiler takes what the example needs."""
    needed = folder / "needed.c"  # a file, since zig cc does not read C from its input
    needed.write_text(f"{example.needs}\n", "utf-8")
    command = [*compiler.command, *FLAGS, *example.flags, "-w", "-c", needed, "-o", folder / "needed.o"]
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def _printed_by_main(path, example, compiler, printing, folder):
    """The output of the file's own main."""
    program = folder / "main"
    flags = [*FLAGS, "-g0", *example.flags, "-w", "-DMAIN", f"-I{CORPUS}"]
    _run([*compiler.command, *flags, path, printing, "-o", program, "-lm", "-pthread"])
    ran = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, cwd=folder)
    if ran.returncode == CANNOT_RUN_HERE:
        pytest.skip(f"this processor does not have the instructions of {' '.join(example.flags)}")
    assert ran.returncode == 0
    return ran.stdout.decode()


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _check_refusal(own, path, refused):
    """One sentence with its words, and with the line of the function if its type is the cause."""
    try:
        given = refused.call(own)
    except CellError as error:
        said = str(error)
    else:
        assert refused.otherwise is not None and shown(given) == shown(refused.otherwise)
        return
    assert not INSIDE.search(said) and "; " in said, said
    line = f"line {_line(path, refused.begins)}" if refused.begins else ""
    assert [word for word in (*refused.words, line) if word not in said] == [], said


def _line(path, begins):
    """The line of the only place in a file that begins so."""
    before, _, after = f"\n{path.read_text('utf-8')}".partition(f"\n{begins}")
    assert after and f"\n{begins}" not in after, f"{begins!r} must begin one line of {path.name}"
    return before.count("\n") + 1
