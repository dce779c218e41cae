"""spe-lab, as a reader and as a program use it: what is printed where, with which exit status."""

import contextlib
import csv
import importlib.util
import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from spe_lab.cli import main
from spe_lab.core import machine, registry
from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal
from spe_lab.core.reader.prediction import predict
from spe_lab.core.recording import Recording, Run

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
QUICK = ("run", "memory.working_set", "--quick", "--over", "size=4KiB,16KiB")
FULL = Path("/dev/full")


@pytest.fixture
def call(capsys):
    """Runs a command in this process: (status, standard output, standard error)."""

    def called(*arguments):
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return called


def spe_lab(*arguments, stdout=subprocess.PIPE, **environment):
    """Runs a command in a process of its own, whose output is buffered as usual."""
    variables = {
        name: value
        for name, value in {**os.environ, "PYTHONUNBUFFERED": None, **environment}.items()
        if value is not None
    }
    command = [sys.executable, "-m", "spe_lab.cli", *arguments]
    return subprocess.run(
        command, env=variables, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )


@pytest.fixture
def machine_file(tmp_path):
    """Writes a machine file with `text` replaced in it."""

    def written(old="", new="", parameters=None):
        data = machine.current().to_dict()
        data["parameters"] = data["parameters"] if parameters is None else parameters
        path = tmp_path / "machine.json"
        path.write_text(json.dumps(data).replace(old, new, 1) if old else json.dumps(data))
        return path

    return written


def assert_refused(answer, *parts):
    """Status 2, nothing on standard output, one sentence with the cure on standard error."""
    status, out, err = answer
    assert (status, out) == (2, "")
    assert err.startswith("spe-lab: ") and err.count("\n") == 1 and err.endswith("\n") and "Traceback" not in err
    assert ";" in err
    for part in parts:
        assert part in err


# Wrong input


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "-64KiB",
        "0",
        "1EiB",
        "1e400",
        "nan",
        "inf",
        "3ns",
        "16K",
        "1,5",
        "100000001B",
        "99999999999999999999",
        "big",
        "=",
        "64KiB=1",
    ],
)
@pytest.mark.parametrize("option", ["--set", "--over"])
def test_a_size_that_cannot_be_is_refused(call, option, value):
    assert_refused(call("run", "memory.working_set", option, f"size={value}"), "size must be ", ", got ")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((), ["required: COMMAND", "see spe-lab --help"]),
        (("measure",), ["invalid choice: 'measure'"]),
        (("run",), ["required: LAB", "see spe-lab run --help"]),
        (("run", "memory.nope"), ["lab must be one of ", "memory.stride", "got 'memory.nope'"]),
        (("run", "memory.stride", "--colour"), ["unrecognized arguments: --colour"]),
        (("run", "memory.stride", "--json", "--csv"), ["not allowed with"]),
        (("run", "memory.stride", "--set", "size"), ["--set must be NAME=VALUE, got 'size'"]),
        (("run", "memory.stride", "--set", "size="), ["--set must be NAME=VALUE"]),
        (("run", "memory.stride", "--set", "colour=1"), ["memory.stride has no slider 'colour'; it has stride, size"]),
        (("run", "memory.stride", "--set", "pages=8K"), ["pages must be one of 4K, huge, got '8K'"]),
        (
            ("run", "memory.stride", "--over", "size=64KiB"),
            ["--over must name the axis that memory.stride sweeps, which is stride, got size"],
        ),
        (("run", "memory.stride", "--over", "colour=1"), ["no slider 'colour'"]),
        (("run", "memory.stride", "--over", "stride=64B,3B"), ["stride must be between 4 B and 64 KiB, got 3 B"]),
        (("run", "memory.stride", "--over", "stride=65B"), ["stride must be a multiple of 4 B, got 65 B; try 64B"]),
        (("run", "memory.stride", "--over", "stride=,"), ["at least one value", "stride=64B"]),
        (("run", "memory.stride", "--budget", "soon"), ["invalid float value: 'soon'"]),
        (("asm", "memory"), ["KERNEL must be stem.function, got 'memory'"]),
        (("asm", "nope.f"), ["stem must name a file of kernels_c, got 'nope'"]),
        (("asm", "memory.nope"), ["kernel must be one of ", "memory.cycle_walk", "got 'nope'"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_input_is_refused_in_one_sentence_with_the_cure(call, arguments, parts):
    assert_refused(call(*arguments), *parts)


@needs_compiler
@pytest.mark.parametrize("budget", ["0", "-1", "nan"])
def test_a_budget_that_cannot_be_is_refused(call, budget):
    assert_refused(call(*QUICK, "--budget", budget), "budget_s must be between 0 and 3600 seconds, got ")


@needs_compiler
def test_a_measurement_that_could_not_be_had_has_status_3_and_says_why(call):
    status, out, err = call(*QUICK, "--budget", "1e-6")
    assert (status, out) == (3, "") and err.startswith(
        "spe-lab: one round of this sweep takes longer than twice the budget"
    )


def test_an_interrupt_is_no_traceback(call, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "labs", interrupted)
    assert call("labs") == (130, "", "spe-lab: interrupted\n")


def test_a_machine_file_that_is_absent_or_damaged_is_refused_and_left_as_it_is(call, machine_file, tmp_path):
    assert_refused(call(*QUICK, "--machine", tmp_path / "absent"), "the machine file must be readable text")
    for old, new in (
        ('"format": 1', '"format": 2'),
        ('"value": ', '"value": -'),
        ('"value": ', '"value": NaN, "x": '),
        ("{", "["),
    ):
        path = machine_file(old, new)
        before = path.read_text()
        assert_refused(call(*QUICK, "--machine", path), f"the machine file {path} must ")
        assert path.read_text() == before


def test_a_machine_file_without_what_a_model_needs_is_refused(call, machine_file):
    assert_refused(
        call(*QUICK, "--machine", machine_file(parameters={})),
        "the machine must have the parameter ",
        "this profile has none",
    )


def test_a_folder_that_exists_is_not_overwritten(call, tmp_path):
    (tmp_path / "work").write_text("mine")
    for taken in (tmp_path, tmp_path / "work"):
        assert_refused(
            call("notebooks", taken), f"DIR must not exist yet, as its files would be overwritten, got {taken}"
        )
    assert_refused(call("notebooks", tmp_path / "work" / "below"), "below must be accessible, got: Not a directory")
    assert (tmp_path / "work").read_text() == "mine"


def test_a_workbook_that_does_not_fit_the_disk_is_not_left_in_part(call, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # real writes that fail half-way, as on a full disk
    try:
        answer = call("notebooks", tmp_path / "work")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_refused(answer, f"DIR must have room for the workbook, got {tmp_path / 'work'}: ")
    assert list(tmp_path.iterdir()) == []


@needs_compiler
def test_a_picture_is_written_as_png_or_not_at_all(call, tmp_path):
    assert_refused(call(*QUICK, "--png", tmp_path / "figure.jpg"), "FILE must end in .png, got ", "figure.png")
    absent = tmp_path / "absent" / "figure.png"
    assert_refused(call(*QUICK, "--png", absent), f"FILE must lie in a folder that exists, got {absent}")
    assert list(tmp_path.iterdir()) == []


# What works


@pytest.mark.machine
@needs_compiler
def test_run_prints_one_json_object_with_every_part(call):
    status, out, err = call(*QUICK, "--set", "pages=4K", "--set", "l_L1=3ns", "--json")
    assert (status, err) == (0, "")
    run = json.loads(out)
    assert {"lab", "point", "x", "measured", "predicted", "comparison", "kept", "tried", "machine", "version"} <= set(
        run
    )
    assert run["x"] == {"name": "size", "unit": "B", "values": [4096, 16384]}
    assert run["point"]["pages"] == "4K" and run["point"]["l_L1"] == 3 and "size" not in run["point"]
    for curve in (*run["measured"], *run["predicted"]):
        assert {"name", "unit", "values", "low", "high", "source"} <= set(curve) and len(curve["values"]) == 2
    assert {curve["source"] for curve in run["measured"]} == {"measured"} and {
        curve["source"] for curve in run["predicted"]
    } == {"predicted"}
    assert {"median_relative_error", "max_relative_error"} <= set(run["comparison"]) and len(
        run["comparison"]["residuals"]
    ) == 2
    assert 0 < run["kept"] <= run["tried"]


@pytest.mark.machine
@needs_compiler
def test_run_prints_csv_with_a_row_for_each_curve_and_value(call):
    status, out, _ = call(*QUICK, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    lab = registry.get("memory.working_set")
    assert status == 0 and len(rows) == 2 * (
        len(lab.measured_names) + len(lab.predict(lab.point(), lab.x(short=True), lab.recorded_fit))
    )
    assert {float(row["size [B]"]) for row in rows} == {4096, 16384} and all(float(row["value"]) > 0 for row in rows)


@pytest.mark.machine
@needs_compiler
def test_run_writes_a_png_and_prints_a_table(call, tmp_path):
    status, out, _ = call(*QUICK, "--png", tmp_path / "figure.png")
    assert status == 0 and "16 KiB" in out and "measured, ns" in out
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "figure.png"]


@needs_compiler
def test_a_model_takes_the_machine_file_s_parameters(call, machine_file):
    parameters = machine.current().to_dict()["parameters"]
    parameters["l1_latency"]["value"] = 123.0
    status, out, _ = call(*QUICK, "--machine", machine_file(parameters=parameters), "--json")
    run = json.loads(out)
    assert status == 0 and run["point"]["t0"] == 123 and min(run["predicted"][0]["values"]) >= 123


def test_labs_machine_and_doctor_print_json(call):
    listed, described, found = (call(command, "--json") for command in ("labs", "machine", "doctor"))
    assert [answer[0] for answer in (listed, described, found)] == [0, 0, 0]
    sliders = {lab["id"]: {slider["name"] for slider in lab["sliders"]} for lab in json.loads(listed[1])}
    assert {"stride", "size", "pages"} <= sliders["memory.stride"] and set(sliders) == set(registry.labs())
    assert json.loads(described[1])["parameters"]["page_size"]["value"] == os.sysconf("SC_PAGE_SIZE")
    assert all({"what", "ok", "found", "cure"} == set(finding) for finding in json.loads(found[1]))


def test_labs_machine_and_doctor_print_for_people(call):
    for command, part in (
        ("labs", "memory.working_set  (chapter 03b)"),
        ("machine", "page_size"),
        ("doctor", "C compiler"),
    ):
        status, out, _ = call(command)
        assert status == 0 and part in out


@needs_compiler
def test_asm_prints_instructions_for_the_flags_given(call):
    (status, out, _), (other_status, other, _) = (
        call("asm", "memory.cycle_walk"),
        call("asm", "memory.cycle_walk", "--flags=-O0"),
    )
    assert (status, other_status) == (0, 0) and "cycle_walk:" in out and "cycle_walk:" in other
    assert len(out.splitlines()) < len(other.splitlines())


@needs_compiler
def test_flags_that_the_compiler_refuses_are_shown_with_its_words(call):
    status, out, err = call("asm", "memory.cycle_walk", "--flags=-fno-such-option")
    assert (status, out) == (2, "") and err.startswith("spe-lab: memory.c must compile") and "-fno-such-option" in err


def test_notebooks_copies_the_workbook(call, tmp_path):
    status, out, _ = call("notebooks", tmp_path / "new" / "work")
    assert status == 0 and f"jupyter lab {tmp_path / 'new' / 'work'}" in out
    assert (tmp_path / "new" / "work" / "03b_memory.ipynb").stat().st_size > 0


# In a process of its own


def test_the_command_ends_with_its_status_and_keeps_the_streams_apart():
    refused = spe_lab("run", "memory.nope")
    assert_refused((refused.returncode, refused.stdout, refused.stderr), "lab must be one of")
    assert spe_lab("--help").returncode == 0


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_output_that_does_not_fit_the_disk_is_noticed(tmp_path):
    with FULL.open("w") as full:
        said = spe_lab("notebooks", str(tmp_path / "work"), stdout=full)  # one line, which leaves the buffer at the end
    assert_refused((said.returncode, "", said.stderr), "the output must be accessible, got: No space left")


def test_a_reader_that_went_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    said = spe_lab("labs", "--json", stdout=write)  # more than the buffer holds
    os.close(write)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is not None, reason="ziglang is installed, which is a compiler")
def test_without_a_compiler_recorded_data_stand_in_with_status_3_and_the_cure(tmp_path):
    said = spe_lab("run", "memory.working_set", "--quick", "--json", PATH=str(tmp_path), CC=None)
    assert said.returncode == 3
    assert (
        said.stderr.startswith("spe-lab: kernels need a C compiler")
        and "apt install gcc" in said.stderr
        and "Traceback" not in said.stderr
    )
    recorded = registry.get("memory.working_set").recorded()
    if recorded is None:
        assert said.stdout == ""
    else:
        assert "recorded on" in said.stderr
        assert [curve["source"] for curve in json.loads(said.stdout)["measured"]] == ["recorded"] * len(
            recorded.measured
        )


def test_a_full_disk_while_compiling_is_one_sentence_with_status_3_and_no_partial_file(tmp_path):
    fake = tmp_path / "cc"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo fake 1.0 && exit\necho "No space left on device" >&2\nexit 1\n'
    )
    fake.chmod(0o755)
    said = spe_lab("run", "memory.stride", "--quick", CC=str(fake), SPE_LAB_CACHE_DIR=str(tmp_path / "cache"))
    assert said.returncode == 3 and said.stderr.count("\n") == 1
    assert said.stderr.startswith("spe-lab: compiling memory.c needs a few MB of disk space, and the disk is full; ")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


# Surroundings


@pytest.mark.parametrize("command", [("labs",), ("machine",), ("run", "--help"), ("labs", "--json")])
def test_an_output_that_lacks_our_characters_gets_others(command, monkeypatch):
    shown = {}
    for encoding in ("ascii", "utf-8"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        with contextlib.suppress(SystemExit):  # of --help
            assert main(command) == 0
        stream.flush()
        shown[encoding] = stream.buffer.getvalue().decode(encoding)
    if "--json" in command:
        assert json.loads(shown["ascii"]) == json.loads(shown["utf-8"])
    else:
        assert len(shown["ascii"].splitlines()) == len(shown["utf-8"].splitlines()) > 5


@pytest.mark.parametrize(
    ("command", "status"), [("run branches.predictor --quick", 0), ("run branches.nope", 2), ("asm memory", 2)]
)
def test_closed_standard_streams_change_nothing_but_what_is_shown(command, status):
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "spe_lab.cli", *command.split()]
    if "predictor" in command and not native.available():
        status = 3
    assert subprocess.run(shell, timeout=120, check=False).returncode == status


@pytest.mark.parametrize("cc", ["gcc '-O2", "no-such-compiler"])
def test_the_doctor_goes_to_its_end_where_cc_names_no_compiler(cc):
    said = spe_lab("doctor", CC=cc)
    assert said.returncode == 0 and said.stderr == ""
    assert "MISS  C compiler" in said.stdout and f"kernels need a C compiler, and CC={cc!r} " in said.stdout
    assert said.stdout.splitlines()[-1].split()[:2] == ["ok", "python"]


def test_where_cc_names_no_compiler_recorded_data_stand_in_and_it_is_said():
    said = spe_lab("run", "memory.working_set", "--quick", CC="no-such-compiler")
    assert said.returncode == 3 and said.stderr.count("\n") == 1
    assert "CC='no-such-compiler' names a program that is not there; unset CC" in said.stderr
    assert spe_lab("asm", "memory.cycle_walk", CC="no-such-compiler").returncode == 3


# The reader's journal


def test_an_empty_journal_says_how_to_begin(call):
    status, out, err = call("journal")
    assert (status, err) == (0, "") and "No prediction has been scored yet" in out
    assert json.loads(call("journal", "--json")[1])["predictions"] == {}


def test_a_journal_is_shown_exported_and_taken_over(call, tmp_path, monkeypatch):
    predict("memory.stride", "64B", 1, 2)
    assert "memory.stride · at stride 64 B · 1 to 2 ns · not measured yet" in call("journal")[1]
    file = tmp_path / "journal.json"
    assert call("journal", "--export", file)[:2] == (0, f"1 predictions and 0 exercises in {file}\n")
    assert_refused(call("journal", "--export", file), "FILE must not exist yet")
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "elsewhere"))
    assert call("journal", "--import", file)[:2] == (0, "your journal now has 1 predictions and 0 exercises\n")
    assert "at stride 64 B" in call("journal")[1]


def test_a_report_is_written_for_a_class(call, tmp_path):
    predict("memory.stride", "64B", 1, 2)
    for name in ("mine.html", "mine.csv"):
        status, out, _ = call("journal", "--report", tmp_path / name)
        assert status == 0 and "it is signed by nothing" in out and "memory.stride" in (tmp_path / name).read_text()
    assert_refused(call("journal", "--report", tmp_path / "mine.csv"), "FILE must not exist yet")
    assert_refused(call("journal", "--report", tmp_path / "mine.txt"), "FILE must end in .html or .csv")


@pytest.mark.parametrize(
    "option", [(), ("--json",), ("--export", "new.json"), ("--report", "new.csv"), ("--import", "journal.json")]
)
def test_a_damaged_journal_is_refused_and_left_alone(call, option):
    journal.path().parent.mkdir(parents=True, exist_ok=True)
    journal.path().write_text("{")
    assert_refused(
        call("journal", *option),
        "the journal",
        "repair it, or move it away" if "--import" not in option else "export one with",
    )
    assert journal.path().read_text() == "{"


# A grid


@needs_compiler
def test_sweep_prints_a_run_for_each_setting(call):
    status, out, _ = call(
        "sweep",
        "branches.predictor",
        "--over",
        "p=0.1..0.3/2",
        "--over",
        "states=2,4",
        "--quick",
        "--json",
        "--executor",
        "threads",
    )
    assert status == 0
    runs = json.loads(out)["runs"]
    assert [(run["point"]["states"], run["x"]["values"]) for run in runs] == [(2, [0.1, 0.3]), (4, [0.1, 0.3])]


@needs_compiler
def test_sweep_prints_rows_that_know_their_settings(call):
    status, out, _ = call("sweep", "branches.predictor", "--over", "p=0.1", "--over", "states=2,4", "--quick", "--csv")
    assert status == 0
    assert {(row["states"], row["p"]) for row in csv.DictReader(io.StringIO(out))} == {("2", "0.1"), ("4", "0.1")}


def test_sweep_refuses_several_workers_for_a_lab_that_measures(call):
    status, out, err = call("sweep", "memory.stride", "--over", "size=1MiB", "--executor", "processes")
    assert (status, out) == (2, "")
    assert err.startswith("spe-lab: executor must be None for memory.stride, which measures")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device that never ends")
@pytest.mark.parametrize(
    "words", ["run memory.stride --machine", "journal --import", "sweep queueing.single --over load=0.5,0.6 --keep"]
)
def test_a_file_without_end_is_refused_and_not_read_for_ever(words, monkeypatch, capsys):
    monkeypatch.setattr("spe_lab.core.files.MOST_BYTES", 1 << 20)
    assert main([*words.split(), "/dev/zero"]) == 2
    assert "longer than 1 MiB" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device that never ends")
def test_a_run_without_end_is_refused_too(monkeypatch):
    monkeypatch.setattr("spe_lab.core.files.MOST_BYTES", 1 << 20)
    with pytest.raises(
        SpeLabError,
        match=r"the run file must be readable text, got /dev/zero: .*longer than 1 MiB.*; save one with spe-lab run",
    ):
        Run.load(Path("/dev/zero"))


@needs_compiler
def test_a_run_is_saved_as_a_recording_without_the_model(call, tmp_path):
    file = tmp_path / "run.json"
    status, out, _ = call("run", "coherence.mesi", "--quick", "--save", file)
    saved = Recording.load(file)
    assert status == 0 and "messages" in out
    assert saved.lab == "coherence.mesi" and saved.measured[0].source == "simulated"
    assert "predicted" not in json.loads(file.read_text())
