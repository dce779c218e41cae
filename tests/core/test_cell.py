"""The reader's own C: every way in which it can go wrong ends in a sentence, and in nothing else."""

import contextlib
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from spe_lab.core.c import listing as listings
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.core.model import Model, Quantity
from spe_lab.core.own_c import timing
from spe_lab.core.own_c.beside import CellLab
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError, diagnostics
from spe_lab.core.own_c.sandbox import MOST_OUTPUT
from spe_lab.core.own_c.values import dtype_of

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
SOON_S = 2.0  # within this a reader hears what happened
LIMIT_S = 0.5

HAZARDS = r"""
#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count;
static volatile int sink;

int calls(void) { return ++count; }
int fault(int *pointer) { return *pointer; }
int wild(void) { volatile uintptr_t address = 0xdeadbeefdeadbeef; return *(volatile int *)address; }
void loop(void) { for (;;) sink++; }
void sleeps(void) { for (;;) sleep(1); }
static int deeper(int n) { volatile char room[512]; room[0] = (char)n; return n < 0 ? 0 : deeper(n + 1) + room[0]; }
int overflow(void) { return deeper(0); }
int64_t too_large(int64_t n) { volatile char room[n]; for (int64_t i = n; i > 0; i -= 1024) room[i - 1] = 1; return room[n - 1]; }
void leaves(int status) { exit(status); }
void aborts(void) { printf("before\n"); abort(); }
void asserts(int n) { assert(n > 0); }
int divides(int a, int b) { return a / b; }
void kills(void) { raise(SIGKILL); }
void closes(void) { for (int i = 3; i < 256; i++) close(i); for (;;) sleep(1); }
void flood(void) { for (;;) puts("flood"); }
void says(int times) { for (int i = 0; i < times; i++) printf("%d\n", i); fprintf(stderr, "done\n"); }
int allocates(int64_t bytes) { volatile char *p = malloc((size_t)bytes); if (!p) return 0; for (int64_t i = 0; i < bytes; i += 4096) p[i] = 1; return 1; }
void careless(int64_t bytes) { volatile char *p = malloc((size_t)bytes); for (int64_t i = 0; i < bytes; i += 4096) p[i] = 1; }
void put(double *x, int64_t i) { x[i] = 1; }
double get(const double *x, int64_t i) { return x[i]; }
void fill(double *x, int64_t n) { for (int64_t i = 0; i < n; i++) x[i] = (double)i; memset(x, 0, 1u << 24); }
"""
LINE = {
    text.split("(")[0].split()[-1].lstrip("*"): number
    for number, text in enumerate(HAZARDS.splitlines(), 1)
    if text.endswith("}")
}


@pytest.fixture(scope="module")
def hazards():
    with contextlib.closing(Cell(HAZARDS, limit_s=LIMIT_S)) as cell:
        yield cell


@pytest.fixture
def warm(hazards):
    """The hazards behind a process that has started: its start is no part of what is timed."""
    hazards.calls()
    return hazards


def refused(call, *arguments):
    """The error's text, which came soon."""
    began = time.monotonic()
    with pytest.raises(CellError) as error:
        call(*arguments)
    assert time.monotonic() - began < LIMIT_S + SOON_S
    return str(error.value)


def in_line(name):
    return f"crashed in line {LINE[name]}: "


needs_place = pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="needs a system that says where libraries lie"
)


# ---- Hazards


@needs_place
def test_a_line_is_the_cell_s_where_wrappers_stand_behind_its_text():
    """The function that returns a structure has one."""
    source = "struct pair { int a, b; };\nint fault(const int *p) { return *p; }\nstruct pair same(struct pair p) { return p; }"
    with contextlib.closing(Cell(source)) as cell, pytest.raises(CellError, match=r"^fault crashed in line 2: "):
        cell.fault(None)


@needs_place
def test_a_null_pointer_is_named_with_its_line(warm):
    assert refused(warm.fault, None).startswith(
        f"fault {in_line('fault')}it followed a null pointer (SIGSEGV); test pointers before use"
    )


@needs_place
def test_a_pointer_that_is_no_address_is_named(warm):
    assert (
        f"wild {in_line('wild')}it followed a pointer that is no address" in refused(warm.wild)
        or os.uname().machine != "x86_64"
    )


@needs_place
@pytest.mark.parametrize(("name", "index"), [("put", 3), ("get", 3), ("put", 400), ("get", -600)])
def test_an_index_outside_of_its_array_is_named_with_array_and_line(warm, name, index):
    x = np.zeros(3)
    said = f"{name} {in_line(name)}it reached for x[{index}], and x has 3 elements (SIGSEGV); keep indexes from 0 to 2"
    assert refused(getattr(warm, name), x, index) == said
    assert not x.any()


def test_a_write_just_before_an_array_is_noticed(warm):
    assert refused(warm.put, np.zeros(3), -1) == "put wrote to memory before x[0]; keep indexes from 0 upwards"


def test_a_crash_inside_the_system_s_library_names_the_line_that_called_it(warm):
    said = refused(warm.fill, np.zeros(100), 100)
    assert said.startswith("fill crashed") and "x has 100 elements" in said


def test_an_endless_loop_ends_at_its_limit(warm):
    assert (
        refused(warm.loop)
        == f"loop must return within {LIMIT_S} s and was still running; look for a loop that never ends, or allow more"
        " time (limit_s)"
    )
    assert "sleeps must return within" in refused(warm.sleeps)


@pytest.mark.machine
@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="a signal interrupts the main thread alone"
)
def test_the_stop_button_ends_an_endless_loop(warm):
    warm.limit_s = 60.0
    pressed = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    began = time.monotonic()
    pressed.start()
    try:
        with pytest.raises(KeyboardInterrupt, match=r"loop was stopped after 0\.\d s, and its process was ended"):
            warm.loop()
    finally:
        pressed.join()
        warm.limit_s = LIMIT_S
    assert time.monotonic() - began < 0.3 + SOON_S
    assert warm.calls() == 1


@needs_place
def test_a_stack_overflow_is_told_from_other_crashes(warm):
    assert "stack overflow (SIGSEGV); end the recursion, or take a large array from Python" in refused(warm.overflow)
    assert "stack overflow" in refused(warm.too_large, 100 << 20)


@pytest.mark.parametrize("status", [0, 3])
def test_exit_is_no_way_to_return(warm, status):
    assert refused(warm.leaves, status) == f"leaves ended its process with exit({status}); return a value instead"


def test_abort_and_a_failed_assertion_show_what_was_printed_before(warm, capsys):
    assert "it aborted itself (SIGABRT" in refused(warm.aborts)
    assert capsys.readouterr().out == "before\n"
    assert "it aborted itself (SIGABRT" in refused(warm.asserts, 0)
    assert f".c:{LINE['asserts']}: asserts: Assertion" in capsys.readouterr().out.replace("‘", "").replace("`", "")


@pytest.mark.skipif(
    os.uname().machine not in ("x86_64", "i686"), reason="this processor divides by zero without a word"
)
def test_a_division_by_zero_is_named(warm):
    assert "it divided an integer by zero (SIGFPE); test the divisor first" in refused(warm.divides, 1, 0)


def test_a_signal_and_closed_descriptors_end_in_a_sentence(warm):
    assert refused(warm.kills).startswith("kills was ended by SIGKILL")
    warm.calls()
    assert refused(warm.closes).startswith("closes closed file descriptors")


@pytest.mark.machine
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not limit address space")
def test_two_gibibytes_are_not_to_be_had(warm):
    began = time.monotonic()
    assert (warm.allocates(2 << 30), warm.allocates(16 << 20)) == (0, 1)
    assert time.monotonic() - began < SOON_S
    assert "it followed a null pointer" in refused(warm.careless, 2 << 30)


def test_a_flood_of_output_is_ended_and_little_of_it_shown(warm, capsys):
    assert (
        refused(warm.flood)
        == "flood printed more than 97.7 KiB and was ended; print less, every thousandth step for example"
    )
    assert 0 < len(capsys.readouterr().out) < 1000 < MOST_OUTPUT


def test_output_appears_after_the_call(warm, capsys):
    warm.says(3)
    assert capsys.readouterr().out == "0\n1\n2\ndone\n" == warm.output
    with pytest.raises(CellError):
        warm.says(1.5)
    assert warm.output == capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["fault", "loop", "overflow", "leaves", "flood"])
def test_nothing_is_left_behind_in_the_calling_process(warm, name):
    arguments = {"fault": [None], "leaves": [0]}.get(name, [])
    refused(getattr(warm, name), *arguments)  # whatever a first error loads is loaded now
    warm.calls()
    here = psutil.Process()
    before, memory = (here.num_threads(), here.num_fds(), len(here.children(recursive=True))), here.memory_info().rss
    for _ in range(3):
        refused(getattr(warm, name), *arguments)
        assert warm.calls() == 1  # a new process: its static variables start anew
    assert (here.num_threads(), here.num_fds(), len(here.children(recursive=True))) == before
    assert here.memory_info().rss - memory < 16 << 20


def test_static_variables_live_as_long_as_the_process(warm):
    first = warm.calls()
    assert [warm.calls(), warm.calls()] == [first + 1, first + 2]
    warm.close()
    assert warm.calls() == 1


def test_the_process_ends_with_its_cell():
    cell = Cell("int one(void) { return 1; }")
    cell.one()
    worker = psutil.Process(cell._sandbox.pid)
    del cell
    assert not worker.is_running()


def test_a_process_that_was_killed_meanwhile_is_replaced(warm):
    os.kill(warm._sandbox.pid, signal.SIGKILL)
    time.sleep(0.05)
    assert warm.calls() == 1


# ---- Arguments and results

EVERY = "\n".join(
    f"{kind} twice_{name}({kind} *x, int64_t n, {kind} y) {{ for (int64_t i = 0; i < n; i++) x[i] = ({kind})(2 * x[i]);"
    " return y; }"
    for name, kind in [
        (kind.removesuffix("_t"), kind)
        for kind in (
            "int8_t",
            "uint8_t",
            "int16_t",
            "uint16_t",
            "int32_t",
            "uint32_t",
            "int64_t",
            "uint64_t",
            "float",
            "double",
            "int",
            "long",
            "size_t",
        )
    ]
)
SHAPES = """
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
struct inner { double x; };
struct body { double mass; float at[3]; int32_t *moons; int64_t n; char *name; };
void swap(int32_t *a, int32_t *b) { int32_t t = *a; *a = *b; *b = t; }
bool not(bool x) { return !x; }
char next(char c) { return (char)(c + 1); }
int64_t length(const char *text) { return (int64_t)strlen(text); }
double weigh(struct body *b) { for (int64_t i = 0; i < b->n; i++) b->moons[i]++; b->mass *= 2; return b->mass + b->at[2]; }
void count(struct inner *many, int64_t n) { for (int64_t i = 0; i < n; i++) many[i].x = (double)i; }
int is_null(const void *p) { return p == 0; }
int64_t bytes(const void *p, int64_t n) { int64_t sum = 0; for (int64_t i = 0; i < n; i++) sum += ((const uint8_t *)p)[i]; return sum; }
struct inner by_value(double x) { struct inner made = {x}; return made; }
double *pointer(double *x) { return x; }
static int hidden(void) { return 0; }
int uses(void) { return hidden(); }
"""


@pytest.fixture(scope="module")
def every():
    with contextlib.closing(Cell(f"#include <stdint.h>\n#include <stddef.h>\n{EVERY}")) as cell:
        yield cell


@pytest.fixture(scope="module")
def shapes():
    with contextlib.closing(Cell(SHAPES)) as cell:
        yield cell


@pytest.mark.parametrize(
    "name",
    [
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float",
        "double",
        "int",
        "long",
        "size",
    ],
)
def test_arrays_and_numbers_of_every_type_go_and_come_back(every, name):
    function = every.function(f"twice_{name}")
    dtype = dtype_of(function.declared.parameters[0].type.target)
    x = np.arange(50).astype(dtype)
    extreme = 0.5 if dtype.kind == "f" else np.iinfo(dtype).max
    assert function(x, 50, extreme) == extreme
    assert x.dtype == dtype and x.tolist() == list(range(0, 100, 2))
    if dtype.kind in "iu":
        for beyond in (int(np.iinfo(dtype).max) + 1, int(np.iinfo(dtype).min) - 1):
            with pytest.raises(CellError, match=rf"^y must be between .* to fit C's [a-z0-9_ ]+, got {beyond}"):
                function(x, 0, beyond)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros(3, np.float32), "x must have dtype float64 for {C}, got float32; convert it with .astype()"),
        (np.zeros(3, ">f8"), "x must have dtype float64 for {C}, got >f8; convert it with .astype()"),
        (
            np.zeros(6)[::2],
            "x must be contiguous, row after row, got a strided view; pass np.ascontiguousarray(x)",
        ),
        ([1.0, 2.0], "x must be a numpy array of float64 for {C}, got list; convert it with np.array()"),
        (3.0, "x must be a numpy array of float64 for {C}, got float; convert it with np.array()"),
    ],
)
def test_an_array_that_c_would_misread_is_refused(hazards, array, sentence):
    with pytest.raises(CellError) as error:
        hazards.get(array, 0)
    declared = f"C's const double *, as line {LINE['get']} declares it"
    assert str(error.value) == sentence.replace("{C}", declared)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            (np.zeros(3),),
            (
                "the arguments must be those of double get(const double *x, int64_t i): missing a required argument: 'i';"
                " give one for each parameter"
            ),
        ),
        ((np.zeros(3), 1.5), "i must be a whole number for C's int64_t, got 1.5; convert it with int()"),
        ((np.zeros(3), "1"), "i must be a whole number for C's int64_t, got '1'; convert it with int()"),
    ],
)
def test_numbers_that_c_cannot_hold_are_refused(hazards, arguments, sentence):
    with pytest.raises(CellError) as error:
        hazards.get(*arguments)
    assert str(error.value) == sentence


def test_arguments_may_be_named_and_numpy_s_numbers_will_do(hazards):
    assert hazards.get(i=np.int8(1), x=np.array([1.0, 2.0])) == 2.0


def test_what_else_c_takes(shapes):
    a, b = np.array([1], np.int32), np.array([2], np.int32)
    assert shapes.swap(a, b) is None and (a[0], b[0]) == (2, 1)
    shapes.swap(a, a)  # one array twice is one memory
    assert a[0] == 2
    assert getattr(shapes, "not")(True) is False and shapes.next(b"a") == b"b" == shapes.next(97)
    assert shapes.length(b"four") == 4
    assert (shapes.is_null(None), shapes.is_null(np.zeros(0)), shapes.is_null(np.zeros((2, 3)))) == (1, 0, 0)
    assert shapes.bytes(np.arange(6, dtype=np.uint8).reshape(2, 3), 6) == 15
    many = np.zeros(3, np.dtype([("x", "f8")]))
    shapes.count(many, 3)
    assert many["x"].tolist() == [0, 1, 2]


def test_a_structure_is_a_dict_of_its_fields(shapes):
    body = {"mass": 1.5, "at": [0, 0, 0.25], "moons": np.array([1, 2], np.int32), "n": 2}
    assert shapes.weigh(body) == 3.25
    assert body["mass"] == 3.0 and body["moons"].tolist() == [2, 3]
    for wrong, said in [
        ({"weight": 1}, r"members of struct body \(mass, at, moons, n, name\), got 'weight'"),
        ({"at": [1]}, r"b\.at must have shape \(3,\) for C's float \[3\], got \(1,\)"),
        ({"moons": np.zeros(2)}, r"b\.moons must have dtype int32 for C's int32_t \*, got float64"),
    ]:
        with pytest.raises(CellError, match=said):
            shapes.weigh(wrong)


def test_arrays_that_share_memory_in_part_are_refused(shapes):
    x = np.zeros(3, np.int32)
    with pytest.raises(CellError, match=r"^b and a must not overlap, and they share memory; pass a copy"):
        shapes.swap(x[:2], x[1:])


def test_a_read_only_array_may_be_read_and_not_written(hazards):
    x = np.arange(3.0)
    x.flags.writeable = False
    assert hazards.get(x, 1) == 1.0
    with pytest.raises(CellError, match=r"^x must not be written to, and the C code changed it; pass a writeable copy"):
        hazards.put(x, 0)
    assert x[0] == 0


def test_a_structure_comes_back_as_a_dict_and_a_pointer_is_refused(shapes):
    assert shapes.by_value(1.5) == {"x": 1.5}
    with pytest.raises(CellError) as error:
        shapes.pointer(np.zeros(1))
    assert re.fullmatch(
        r"pointer \(line \d+\) must return a number, a structure or nothing to be called from Python, got double \*; write"
        " through a pointer",
        str(error.value),
    )


def test_static_functions_are_the_cell_s_own_affair(shapes):
    assert shapes.uses() == 0 and "hidden" not in dir(shapes)
    with pytest.raises(AttributeError, match="has no function 'hidden'; it has swap, "):
        _ = shapes.hidden


def test_a_static_function_may_take_what_python_cannot_read():
    source = (
        '#include <stdio.h>\nstatic void tell(FILE *where)\n{\n    fputs("told\\n", where);\n}\nint f(void)\n{\n   '
        " tell(stdout);\n    return 1;\n}\n"
    )
    assert Cell(source).f() == 1


# ---- Compiling


def messages(source):
    with pytest.raises(CellError) as error:
        Cell(source, "own")
    return str(error.value).splitlines()


def test_an_error_stands_at_its_line_with_a_caret():
    head, first, excerpt, caret, *_ = messages("int f(void)\n{\n    return missing;\n}\n")
    assert head == "the C of own must compile; 1 error:"
    assert first.startswith("line 3: error: ") and "missing" in first
    assert excerpt.endswith("return missing;") and caret.index("^") - excerpt.index("missing") == 0


def test_an_error_is_not_hidden_among_the_warnings_that_follow_from_it():
    said = messages("int f(void)\n{\n    int unused;\n    return missing;\n}\n")
    assert not any("warning" in line for line in said) and "4 | " in "\n".join(said)


def test_an_error_in_an_included_file_stands_at_the_line_that_includes_it():
    said = "\n".join(messages('\ntypedef double spe_cancel;\n#include "spe.h"\nint f(void) { return 1; }\n'))
    assert "line 3: error: in spe.h, line " in said


@pytest.mark.skipif(sys.platform != "linux", reason="other linkers word it otherwise")
def test_a_function_that_nobody_defines_is_named_with_the_line_that_calls_it():
    said = messages("int missing(int);\nint f(void)\n{\n    return missing(1);\n}\n")
    assert said[0] == "the C of own must compile; 1 error:" and re.fullmatch(
        r"line 4: error: undefined reference to [`'‘]missing['’]", said[1]
    )


def test_a_function_that_is_only_declared_is_not_called():
    with pytest.raises(AttributeError, match="has no function 'missing'"):
        Cell("int missing(int);\n").missing(1)


def test_not_even_a_constructor_runs_in_the_notebook_s_process():
    cell = Cell(
        "#include <stdlib.h>\n__attribute__((constructor)) static void first(void)\n{\n    exit(3);\n}\nint"
        " f(void)\n{\n    return 1;\n}\n"
    )
    with pytest.raises(CellError, match=r"^a process must load the C code, and it did not"):
        cell.f()


def test_warnings_are_kept_with_their_line_whether_or_not_the_library_was_cached():
    for _ in range(2):
        cell = Cell("int f(void)\n{\n    int unused;\n    return 1;\n}\n")
        (warning,) = cell.warnings
        assert (warning.kind, warning.line) == ("warning", 3) and "unused" in warning.text
        assert str(warning) in repr(cell)


def test_messages_of_clang_are_read_as_well(tmp_path):
    source = tmp_path / "own.c"
    said = (
        f"In file included from {source}:2:\n/x/spe.h:7:3: error: no such type\n   7 |   foo x;\n     |  "
        f" ^\n{source}:4:12: warning: unused [-Wunused]\n"
    )
    first, second = diagnostics(said + "2 diagnostics generated.\n", source)
    assert (first.line, first.place, first.text) == (2, "spe.h, line 7", "no such type")
    assert (second.line, second.place, second.excerpt) == (4, "", "")


def test_a_cell_without_functions_is_compiled_and_says_so():
    cell = Cell("enum { SIZE = 3 };\n", "own")
    assert repr(cell) == "own is compiled: no function that is not static, so nothing to call"
    with pytest.raises(CellError, match="this cell has no function"):
        timing.timed(cell, "f", {"n": [1]})


def test_a_changed_cell_is_another_library():
    first, second = (Cell(f"int f(void) {{ return {value}; }}") for value in (1, 2))
    assert (first.f(), second.f(), first.f()) == (1, 2, 1)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"limit_s": 0}, "limit_s must be between 0 and 3600 seconds, got 0"),
        ({"memory_bytes": 1}, "memory_bytes must be between 1 MiB and 1 TiB, got 1 B"),
        ({"name": "../own"}, "name must be a Python name, got '../own'"),
        ({"limit_s": np.nan}, "limit_s must be a finite number"),
    ],
)
def test_limits_outside_of_reason_are_refused(option, sentence):
    with pytest.raises(SpeLabError, match=sentence):
        Cell("int f(void) { return 1; }", **option)


# ---- Assembly

LOOPS = """
#include "spe.h"
double mean(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}
uint64_t mix(uint64_t n)
{
    uint64_t state = 1, sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += spe_random(&state);
    return sum;
}
int64_t one(void) { return 1; }
"""


@pytest.fixture(scope="module")
def loops():
    with contextlib.closing(Cell(LOOPS)) as cell:
        yield cell


def test_the_hot_loop_stands_beside_its_source_lines(loops):
    made = loops.assembly("mean")
    (loop,) = made.loops
    assert not made.whole and {row.line for row in loop.rows} >= {7} and {row.line for row in loop.rows} <= {0, 6, 7}
    assert any(row.text == "sum += x[i];" for row in loop.rows) and not any(
        "line" in row.instruction for row in loop.rows
    )
    assert "sum += x[i];" in str(made) and "sum += x[i];" in made._repr_html_()


def test_what_a_header_brings_into_the_loop_has_no_line_of_the_cell(loops):
    (loop,) = loops.assembly("mix").loops
    assert {row.line for row in loop.rows} <= {0, 13, 14} and any(
        row.line == 0 and row.instruction.startswith(" ") for row in loop.rows
    )


def test_a_function_without_a_loop_is_shown_whole(loops):
    made = loops.assembly("one")
    assert made.whole and made.title == "one: no loop; the whole function" and "ret" in str(made)


def test_the_analyser_s_word_is_there_or_said_to_be_missing(loops, monkeypatch):
    said = loops.assembly("mean").loops[0].analysis
    assert said == listings.NO_ANALYSER or said.startswith(("llvm-mca predicts ", "llvm-mca cannot judge"))
    monkeypatch.setattr(listings.shutil, "which", lambda _: None)
    assert loops.assembly("mean").loops[0].analysis == listings.NO_ANALYSER


# ---- Timing

TIMED = """
#include "spe.h"
struct keys { const int32_t *keys; uint64_t n, position; };
uint64_t add(struct keys *state, uint64_t work)
{
    uint64_t sum = 0, i = state->position;
    for (; work > 0; work--) {
        sum += (uint64_t)state->keys[i];
        SPE_OPAQUE(sum);
        if (++i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}
double chain(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}
void nothing(int n) { (void)n; }
uint64_t stuck(struct keys *state, uint64_t work) { for (;;) SPE_OPAQUE(work); return state->n; }
int64_t none(void) { return 1; }
uint64_t idle(struct keys *state, uint64_t work) { return work + state->n; }
"""


@pytest.fixture(scope="module")
def timed():
    with contextlib.closing(Cell(TIMED, limit_s=LIMIT_S)) as cell:
        yield cell


def beside(cell, name, model, over, **arguments):
    return CellLab(cell=cell, name=name, model=model, over=over, axis_unit="", arguments=arguments)


@pytest.mark.machine
def test_a_function_s_time_grows_with_its_work(timed):
    curve = timing.timed(timed, "chain", {"n": [100, 10_000]}, x=np.ones(10_000), budget_s=0.7)
    assert (curve.name, curve.source, curve.unit, curve.x.name) == ("chain", "measured", "ns", "n")
    assert (curve.tried > 0).all() and curve.provenance["estimator"]
    assert (
        20 < curve.values[1] / curve.values[0] < 500
    )  # 100 in cycles of a dependent addition; a call weighs on the short one
    assert curve.values[0] > 10  # a hundred dependent additions were not optimised away


@pytest.mark.machine
def test_a_work_kernel_is_timed_by_its_unit_of_work(timed):
    keys = np.ones(1 << 12, np.int32)
    curve = timing.timed(timed, "add", {"n": [16, 4096]}, keys=keys, budget_s=0.7)
    assert curve.x.values.tolist() == [16, 4096] and (curve.values < 100).all()


@pytest.mark.parametrize(
    ("name", "over", "arguments", "sentence"),
    [
        ("chain", {"x": [1]}, {}, r"over must name one number among n, got x"),
        ("chain", {}, {}, r"over must name one number among n, got nothing"),
        ("chain", {"n": []}, {"x": np.ones(1)}, r"over must give n between 1 and 100 values, got 0"),
        ("chain", {"n": [1.5]}, {"x": np.ones(2)}, r"n must be a whole number for C's int64_t, got 1\.5"),
        ("chain", {"n": [np.nan]}, {"x": np.ones(2)}, r"n must be a finite number"),
        ("chain", {"n": [1]}, {}, r"chain needs a value for x, as double chain\(const double \*x, int64_t n\) says"),
        ("chain", {"n": [1]}, {"x": np.ones(1, int)}, r"x must have dtype float64"),
        ("chain", {"n": [1]}, {"x": np.ones(1), "y": 1}, r"the arguments must be x, n, got y"),
        ("add", {"work": [1]}, {}, r"over must name one number among n, position, got work"),
        ("none", {"n": [1]}, {}, r"over must name one number among \(none\), got n"),
        ("gone", {"n": [1]}, {}, r"name must be one of add, chain, nothing, stuck, none, idle, got 'gone'"),
        ("idle", {"n": [1]}, {}, r"a kernel's time must grow with its work"),
        ("chain", {"n": [1 << 20]}, {"x": np.ones(4)}, r"chain crashed.* x has 4 elements"),
    ],
)
def test_what_cannot_be_timed_is_refused(timed, name, over, arguments, sentence):
    with pytest.raises(SpeLabError, match=sentence):
        timing.timed(timed, name, over, budget_s=0.2, **arguments)


@pytest.mark.machine
def test_a_kernel_that_never_returns_ends_at_the_limit(timed):
    began = time.monotonic()
    with pytest.raises(CellError, match=r"stuck must return within 0\.9 s and was still running"):
        timing.timed(timed, "stuck", {"n": [1]}, budget_s=0.2)
    assert time.monotonic() - began < 0.9 + SOON_S + 5  # and the start of a process that imports numpy


def test_a_measurement_can_be_cancelled(timed):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError, match=r"^chain was cancelled after"):
        list(timing.sweep(timed, "chain", {"n": [10]}, "", 1.0, {"x": np.ones(10)}, cancel))


@pytest.mark.machine
def test_a_cell_beside_a_model_is_a_lab(timed):
    lab = beside(
        timed,
        "chain",
        lambda n, addition: addition * n,
        {"n": np.geomspace(100, 10_000, 3)},
        x=np.ones(10_000),
        addition=1.0,
    )
    assert (
        list(lab.sliders) == ["n", "addition"]
        and lab.sliders["n"].scale == "log"
        and not lab.sliders["addition"].measured
    )
    assert lab.x().values.tolist() == [100, 1000, 10_000]
    run = lab.run(budget_s=0.7)
    assert run.lab == "cell.chain" and run.predicted[0].values.tolist() == [100, 1000, 10_000]
    assert np.isfinite(run.comparison.residuals).any()
    assert lab.predict({"addition": 2.0}, lab.x(), lab.recorded_fit)[0].values.tolist() == [200, 2000, 20_000]


@pytest.mark.parametrize(
    ("values", "scale", "step"), [([1, 2, 8], "linear", 1), ([0, 500, 1000], "linear", 0), ([1, 10, 1000], "log", 1)]
)
def test_an_axis_of_few_whole_numbers_is_counted(timed, values, scale, step):
    slider = beside(timed, "chain", lambda n: n, {"n": values}, x=np.ones(1000)).sliders["n"]
    assert (slider.scale, slider.multiple_of, slider.low, slider.high) == (scale, step, values[0], values[-1])


def test_a_sympy_model_brings_its_symbols_as_sliders(timed):
    import sympy

    n, c = sympy.symbols("n c", positive=True)
    quantities = {"n": Quantity("elements", ""), "c": Quantity("time of an addition", "ns")}
    lab = beside(
        timed, "chain", Model("adding", n * c, "ns", quantities, "by counting"), {"n": [1, 10]}, x=np.ones(10), c=1.5
    )
    assert lab.sliders["c"].unit == "ns" and lab.sliders["c"].meaning == "time of an addition"
    assert lab.predict(lab.point(), lab.x(), lab.recorded_fit)[0].values.tolist() == [1.5, 15]
    with pytest.raises(CellError, match=r"model must be in ns to stand beside a time, got adding in s"):
        beside(
            timed, "chain", Model("adding", n * c, "s", quantities, "by counting"), {"n": [1, 10]}, x=np.ones(10), c=1.5
        )


def test_arguments_that_neither_c_nor_the_model_knows_are_refused(timed):
    with pytest.raises(CellError, match=r"which takes no other"):
        beside(timed, "chain", lambda n: n, {"n": [1]}, x=np.ones(1), other=1)
    with pytest.raises(CellError, match=r"which needs price"):
        beside(timed, "chain", lambda n, price: n * price, {"n": [1]}, x=np.ones(1))


def test_nothing_is_compiled_again_to_be_timed_again(timed, monkeypatch):
    kernels = [timing.kernel_of(timed, timed.function(name).declared)[0] for name in ("idle", "chain")]
    assert kernels[0].path == timed._built.path  # a work kernel: what is called is what is timed
    monkeypatch.setattr(native, "_run", lambda *_: pytest.fail("the compiler ran"))
    assert [timing.kernel_of(timed, timed.function(name).declared)[0] for name in ("idle", "chain")] == kernels


def test_sizes_of_c_types_agree_with_the_compiler():
    sizes = Cell(
        "#include <stddef.h>\nstruct s { char c; double x; int16_t h; };\nsize_t f(void) { return sizeof(struct s); }\n".replace(
            "int16_t", "short"
        )
    )
    assert sizes.f() == sizes.dtype("s").itemsize
