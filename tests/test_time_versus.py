"""spe-lab time and spe-lab versus: what is printed, JSON, exit status, and everything that can be wrong."""

import math

import numpy as np
import pytest

from spe_lab.cli import main
from spe_lab.commands import wording
from spe_lab.core import files
from spe_lab.core.c import native
from spe_lab.core.own_c.findings import SCHEMA, Finding
from spe_lab.core.own_c.side_by_side import Times
from spe_lab.core.own_c.versus import verdict

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

SUM = """
#include "step.h"
double total(const double *x, long n) { double s = 0; for (long i = 0; i < n; i += STEP) s += x[i]; return s; }
void half(double *x, long n) { for (long i = 0; i < n; i++) x[i] /= DIVISOR; }
int crash(const int *p) { return *p; }
int never(void) { for (;;) __asm__ volatile(""); }
int three(void) { return 3; }
static int hidden(void) { return 3; }
int shown(void) { return hidden(); }
"""
GIVEN = ("--set", "n=500", "--set", "x=random:n")


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Runs a command beside sum.c: (status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "step.h").write_text(
        "#ifndef STEP\n#define STEP 1\n#endif\n#ifndef DIVISOR\n#define DIVISOR 2\n#endif\n"
    )
    (tmp_path / "sum.c").write_text(SUM)

    def called(*arguments):
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return called


def report(out):
    return files.checked_json(out, SCHEMA, "the report")


@pytest.mark.machine
def test_time_says_the_time_of_a_call_and_its_interval(call):
    status, out, err = call("time", "sum.c", "total", *GIVEN, "--budget", "0.5")
    assert (status, err) == (0, "")
    first, second, *_ = out.splitlines()
    assert first.startswith("total  ") and " per call; builds at different places differ by up to " in first
    assert "samples clean" in second


@pytest.mark.machine
def test_time_over_values_is_one_json_object(call):
    given = ("--set", "x=random:n", "--over", "n=100,200")
    status, out, _ = call("time", "sum.c", "total", *given, "--budget", "0.3", "--json")
    data = report(out)
    assert (status, data["command"], data["per"], data["threshold"], data["status"]) == (0, "time", "call", None, 0)
    assert [point["arguments"] for point in data["points"]] == [{"x": "random:n", "n": n} for n in ("100", "200")]
    for point in data["points"]:
        (found,) = point["times"]
        assert found["low"] <= found["value"] <= found["high"] and len(found["builds"]) == 12
        assert (point["ratio"], point["verdict"]) == (None, None)


@pytest.mark.machine
def test_versus_of_one_source_with_two_sets_of_flags(call):
    arguments = ("versus", "sum.c", "sum.c", "total", *GIVEN, "--flags-a=-O2", "--flags-b=-O0", "--threshold", "20%")
    status, out, err = call(*arguments, "--json", "--budget", "1")
    data = report(out)
    assert (status, data["status"], data["threshold"], err) == (1, 1, 0.2, "")
    (point,) = data["points"]
    assert point["verdict"] == "slower" and point["ratio"]["value"] > 1.2 and len(point["times"]) == 2
    assert [version["name"] for version in data["versions"]] == ["sum.c -O2", "sum.c -O0"]
    assert {"-O0", "-iquote"} <= set(data["versions"][1]["flags"].split())


def test_unequal_results_have_their_own_status_and_the_header_beside_the_file_counts(call, tmp_path):
    arguments = ("versus", "sum.c", "sum.c", "half", *GIVEN, "--flags-b=-DDIVISOR=4")
    status, out, err = call(*arguments)
    assert (status, err) == (4, "") and out.startswith("unequal: x[") and "500 of 500 elements differ" in out
    status, out, _ = call(*arguments, "--json")
    (point,) = report(out)["points"]
    assert (status, point["verdict"], point["times"], point["ratio"]) == (4, "unequal", [], None)
    assert point["difference"] in call(*arguments)[1]
    header = "#define STEP 1\n#define DIVISOR {}\n"
    (tmp_path / "step.h").write_text(header.format(3))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "step.h").write_text(header.format(5))
    (tmp_path / "other" / "sum.c").write_text(SUM)
    for divisor in (5, 7):  # each file finds its own header, also after a change
        (tmp_path / "other" / "step.h").write_text(header.format(divisor))
        said = call("versus", "sum.c", "other/sum.c", "half", "--set", "n=1", "--set", "x=105")[1]
        assert said.startswith(f"unequal: x[0] is 35.0 and {105 / divisor}, ")


def finding(ratio, noise=0.0, words=None, notes=()):
    """What is found about two versions, the first of which takes 1 µs."""
    rng, strata = np.random.default_rng(1), np.repeat([0, 16, 32, 48], 3)
    blocks = 1000 * np.array([1, ratio])[:, None, None] * np.exp(noise * rng.standard_normal((2, 24, 12)))
    times = Times(1.0, blocks, strata, np.array([90, 95]), np.array([100, 100]), 24, notes, {})
    return Finding(words or {}, times, verdict(times.ratio(), 0.01), notes=notes)


@pytest.mark.parametrize(
    ("ratio", "noise", "said"),
    [
        (0.9, 0.0, "faster: b.c takes 10.00 % less time (10.00 to 10.00 % less) than a.c"),
        (1.25, 0.02, "slower: b.c takes 2"),
        (1.002, 0.001, "no difference larger than 1 %: b.c takes 0.2"),
        (0.998, 0.08, "inconclusive: b.c takes "),
        (math.nan, 0, "inconclusive: too few clean samples for an interval; close other programs, or raise --budget"),
    ],
)
def test_a_verdict_in_words(ratio, noise, said):
    lines = wording.text("f", "call", ["a.c", "b.c"], 0.01, "", [finding(ratio, noise, notes=("busy",))]).splitlines()
    assert lines[0].startswith(said)
    assert lines[1].startswith("a.c  ") and lines[1].endswith(" %") and lines[2].startswith("b.c  ")
    assert lines[3:] == ["185 of 200 samples clean", "note: busy"]


def test_several_values_in_words():
    found = [finding(ratio, words={"n": n}) for n, ratio in (("10", 1.0), ("1000", 1.5))]
    found += [Finding({"n": "7"}, None, "unequal", "result is 1 and 2")]
    table = wording.text("f", "call", ["a.c", "b.c"], 0.01, "n", found).splitlines()
    assert [" ".join(row.split()) for row in table[1:]] == [
        "10 1 µs (1 µs to 1 µs) 1 µs (1 µs to 1 µs) +0.0 % (+0.0 to +0.0 %) no difference",
        "1000 1 µs (1 µs to 1 µs) 1.5 µs (1.5 µs to 1.5 µs) +50.0 % (+50.0 to +50.0 %) slower",
        "7 – – result is 1 and 2 unequal",
        "370 of 400 samples clean",
    ]
    assert table[0].split() == ["n", "a.c,", "per", "call", "b.c,", "per", "call", "difference", "verdict"]
    assert len({len(row) for row in table[:3]}) == 1


WRONG = [
    (("time",), ["required: FILE, FUNCTION", "see spe-lab time --help"]),
    (("versus", "sum.c", "total"), ["required: FUNCTION"]),
    (("time", "gone.c", "f"), ["gone.c must be accessible, got: No such file or directory"]),
    (("time", ".", "f"), [". must be accessible, got: Is a directory"]),
    (("time", "bytes.c", "f"), ["bytes.c must be text in UTF-8, got other bytes; name a C file"]),
    (("time", "sum.c", "gone"), ["FUNCTION must be defined in sum.c, got gone; choose among total, half, crash"]),
    (("time", "sum.c", "hidden"), ["FUNCTION must be defined in sum.c, got hidden"]),
    (("time", "sum.c", "total"), ["total needs a value for x, n, as double total(", "write --set x=random:1000 --set n=1000"]),
    (("time", "sum.c", "total", "--set", "n"), ["--set must be NAME=VALUE, got 'n'; write for example --set n=1000"]),
    (("time", "sum.c", "total", "--over", "n=,"), ["--over must give n at least one value"]),
    (("time", "sum.c", "total", "--set", "x=random:n", "--over", "n=1,two"), ["n must be a whole number for C's long int, got 'two'"]),
    (("time", "sum.c", "total", *GIVEN, "--set", "k=1"), ["--set and --over must name one of x, n of double total("]),
    (("time", "sum.c", "total", "--set", "n=9", "--set", "x=random:4"), ["sum.c: total crashed in line 3: it reached for x[4]"]),
    (("time", "sum.c", "crash", "--set", "p=null"), ["sum.c: crash crashed in line 5: it followed a null pointer"]),
    (("time", "sum.c", "never", "--limit", "0.3"), ["sum.c: never must return within 0.3 s and was still running"]),
    (("time", "sum.c", "three", "--limit", "0"), ["limit_s must be between 0 and 3600 seconds, got 0"]),
    (("time", "sum.c", "three", "--budget", "0"), ["budget_s must be between 0 and 3600 seconds, got 0"]),
    (("time", "sum.c", "three", "--seed", "-1"), ["--seed must be a whole number from 0, got -1"]),
    (("time", "sum.c", "three", "--seed", "x"), ["invalid int value: 'x'"]),
    (("time", "sum.c", "three", "--flags='"), ["--flags must be flags for the compiler, got"]),
    (("versus", "sum.c", "sum.c", "three", "--threshold", "no"), ["--threshold must be at least 0.0001 and below 1, got 'no'"]),
    (("versus", "sum.c", "sum.c", "three", "--threshold", "0"), ["--threshold must be at least 0.0001"]),
    (("versus", "sum.c", "sum.c", "three", "--tolerance=-1%"), ["--tolerance must be at least 0 and below 1"]),
    (("versus", "sum.c", "gone.c", "three"), ["gone.c must be accessible"]),
    (("versus", "sum.c", "other.c", "three"), ["FUNCTION must be defined in other.c, got three; choose among two"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "parts"), WRONG, ids=lambda value: " ".join(value)[:60])
def test_what_is_wrong_is_said_in_one_sentence_with_the_cure(call, tmp_path, arguments, parts):
    (tmp_path / "bytes.c").write_bytes(b"\xff\xfe int f(void) { return 1; }")
    (tmp_path / "other.c").write_text("int two(void) { return 2; }")
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("spe-lab: ") and err.count("\n") == 1 and ";" in err
    for part in parts:
        assert part in err


def test_c_that_does_not_compile_is_shown_with_file_and_line(call, tmp_path):
    (tmp_path / "broken.c").write_text("int broken(int a)\n{\n    return a + ;\n}\n")
    status, out, err = call("versus", "sum.c", "broken.c", "broken")
    assert (status, out) == (2, "") and "Traceback" not in err
    assert err.startswith("spe-lab: broken.c: the C of broken must compile; 1 error:\nline 3: error: ")
