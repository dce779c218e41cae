"""Curves, comparisons and runs: what they hold, what they refuse, and how they survive a file."""

import csv
import dataclasses
import errno
import io
import json
import math
import os
import resource

import numpy as np
import pytest

from spe_lab.core.curve import SOURCES, Axis, Comparison, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import write_atomically
from spe_lab.core.recording import Recording, Run

X = Axis("size", "B", [1024, 2048, 4096])


def curve(name="walk", source="measured", values=(1.5, math.nan, 4.0), **more):
    return Curve(name, source, X, "ns", values, **more)


@pytest.fixture
def run():
    interval = {"low": (1.4, math.nan, 3.5), "high": (1.6, math.nan, 4.5)}
    measured = curve(**interval, kept=(9, 0, 7), tried=(9, 9, 9), provenance={"seed": 1, "notes": ["a note"]})
    predicted = curve("model", "predicted", (1.0, 2.0, 4.0))
    return Run(
        "memory.walk",
        {"pages": "4K"},
        X,
        [measured],
        {},
        {"facts": {}},
        "0.1",
        [predicted],
        Comparison.of(measured, predicted),
    )


def test_without_an_interval_low_and_high_are_the_value():
    exact = curve(values=(1, 2, 3))
    assert exact.low.tolist() == exact.high.tolist() == [1, 2, 3]


@pytest.mark.parametrize("part", ["values", "low", "high", "kept", "tried"])
def test_every_array_has_one_entry_for_each_x(part):
    with pytest.raises(SpeLabError, match=rf"^{part} must have one entry for each x, got \(2,\) for \(3,\)"):
        dataclasses.replace(curve(kept=(1, 1, 1), tried=(1, 1, 1)), **{part: (1, 2)})


def test_an_unknown_source_is_refused():
    with pytest.raises(SpeLabError, match=f"source must be one of {', '.join(SOURCES)}, got 'guessed'"):
        curve(source="guessed")


def test_a_residual_is_measured_over_predicted_less_one(run):
    assert run.comparison.residuals.tolist() == pytest.approx([0.5, math.nan, 0.0], nan_ok=True)
    assert (run.comparison.median_relative_error, run.comparison.max_relative_error) == (0.25, 0.5)


def test_a_prediction_of_zero_leaves_no_residual():
    compared = Comparison.of(curve(values=(1, 0, 2)), curve(source="predicted", values=(0, 0, 1)))
    assert compared.residuals.tolist() == pytest.approx([math.nan, math.nan, 1.0], nan_ok=True)


def test_no_shared_point_means_no_error_figure():
    compared = Comparison.of(curve(values=[math.nan] * 3), curve(source="predicted", values=(1, 2, 3)))
    assert math.isnan(compared.median_relative_error) and math.isnan(compared.max_relative_error)
    assert compared.to_dict()["median_relative_error"] is None


def test_curves_over_other_values_or_in_another_unit_are_not_compared():
    with pytest.raises(SpeLabError, match="share their x values"):
        Comparison.of(curve(), Curve("model", "predicted", Axis("size", "B", [1024, 2048, 8192]), "ns", (1, 2, 3)))
    with pytest.raises(SpeLabError, match="share a unit to be compared, got 'ns' and 'B'"):
        Comparison.of(curve(), Curve("model", "predicted", X, "B", (1, 2, 3)))


def test_a_run_reads_back_as_it_was_written(run):
    again = Run.from_json(run.to_json())
    assert again.to_dict() == run.to_dict()
    assert again.measured[0].values.tolist() == pytest.approx([1.5, math.nan, 4.0], nan_ok=True)


def test_a_missing_value_is_null_in_the_file(run):
    written = json.loads(run.to_json())
    assert written["measured"][0]["values"] == [1.5, None, 4.0]
    assert written["comparison"]["residuals"] == [0.5, None, 0.0]


def test_numbers_are_kept_to_their_last_digit(run):
    thirds = [1 / 3, 2e-9 / 3, 2e15 / 3]
    kept = dataclasses.replace(run, measured=[curve(values=thirds)], comparison=None)
    assert Run.from_json(kept.to_json()).measured[0].values.tolist() == thirds


def test_a_number_beyond_every_float_is_refused(run):
    with pytest.raises(SpeLabError, match="must be JSON as SPE Lab writes it: 1e999 is not a finite number"):
        Run.from_json(run.to_json().replace("1024.0", "1e999", 1))


def test_what_was_measured_becomes_recorded_when_loaded(run, tmp_path):
    run.save(tmp_path / "run.json")
    loaded = Run.load(tmp_path / "run.json")
    assert [c.source for c in (*loaded.measured, *loaded.predicted)] == ["recorded", "predicted"]
    assert loaded.measured[0].provenance == run.measured[0].provenance


def change(run, path, value):
    data = run.to_dict()
    *parents, last = path
    target = data
    for key in parents:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("format",), 3, "at format, "),
        (("format",), ..., "at the top level, "),
        (("machine",), ..., "at the top level, "),
        (("measured", 0, "source"), "guessed", "at measured/0/source, "),
        (("measured", 0, "values", 1), "2", "at measured/0/values/1, "),
        (("measured", 0, "kept", 0), -1, "at measured/0/kept/0, "),
        (("measured", 0, "kept", 0), 0.5, "at measured/0/kept/0, "),
        (("x", "unit"), None, "at x/unit, "),
        (("predicted",), {}, "at predicted, "),
        (("comparison", "residuals"), [True], "at comparison/residuals/0, "),
        (("machine",), "mine", "at machine, "),
        (("measured", 0, "values"), [1.0], "values must have one entry for each x"),
        (("x", "values", 0), math.nan, "NaN is not a finite number"),
        (("x", "values", 0), 10**400, "is not a finite number"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_place(run, path, value, place):
    with pytest.raises(SpeLabError) as refused:
        Run.from_json(change(run, path, value), "the file")
    assert place in str(refused.value) and "\n" not in str(refused.value)


def test_format_1_is_read_with_its_training_taken_out_of_the_provenance(run):
    old = json.loads(run.to_json()) | {"format": 1}
    del old["training"]
    old["measured"][0]["provenance"] |= {"training": {"blocks": [[1.0, None]]}, "costs": {"each_ns": 3.0}}
    loaded = Run.from_json(json.dumps(old))
    assert loaded.training == {"blocks": [[1.0, None]], "costs": {"each_ns": 3.0}}
    assert loaded.measured[0].provenance == run.measured[0].provenance
    assert loaded.predicted[0].to_dict() == run.predicted[0].to_dict()
    assert json.loads(loaded.to_json())["format"] == 2


def test_a_recording_stands_without_predictions(run):
    recording = Recording(run.lab, run.point, run.x, run.measured, {"k": 1}, run.machine, run.version)
    assert "predicted" not in recording.to_dict()
    assert Recording.from_json(recording.to_json()).to_dict() == recording.to_dict()
    assert Run.from_json(recording.to_json()).predicted == []


def test_csv_numbers_read_back_as_they_were(run):
    x = Axis("size", "B", [1 << 20, 4 << 20, 0.1 + 0.2])
    exact = dataclasses.replace(
        run, x=x, measured=[Curve("walk", "measured", x, "ns", [1 / 3, 1e15 / 3, 2.0])], predicted=[]
    )
    rows = [line.split(",") for line in exact.to_csv().splitlines()[1:]]
    assert [row[2] for row in rows[:2]] == ["1048576", "4194304"]
    assert [float(row[2]) for row in rows] == x.values.tolist()
    assert [float(row[3]) for row in rows] == [1 / 3, 1e15 / 3, 2.0]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1e999}', "[" * 100_000, "\ufeff{}"])
def test_what_is_not_a_run_is_refused(text):
    with pytest.raises(SpeLabError, match=r"^the file must "):
        Run.from_json(text, "the file")


def test_a_file_cut_anywhere_is_refused(run, tmp_path):
    whole = run.to_json()
    for length in range(0, len(whole) - 1, 37):
        with pytest.raises(SpeLabError, match="must be JSON as SPE Lab writes it"):
            Run.from_json(whole[:length])


def test_a_file_that_is_absent_or_not_text_is_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "absent", tmp_path / "binary", tmp_path):
        with pytest.raises(SpeLabError, match="the run file must be readable text, got "):
            Run.load(path)


def test_a_full_disk_while_writing_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # a real write that fails half-way, as on a full disk
    try:
        with pytest.raises(OSError, match=r"run\.json") as refused:
            write_atomically(path, b"new" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.filename == str(path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_failed_rename_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "run.json"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "any").write_text("")
    write_atomically(tmp_path / "ours", "new")
    assert (tmp_path / "ours").read_text() == "new"
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_the_csv_has_a_row_for_each_curve_and_x(run):
    header, *rows = run.to_csv().splitlines()
    assert header == "curve,source,size [B],value,low,high,unit,kept,tried"
    assert rows[0] == "walk,measured,1024,1.5,1.4,1.6,ns,9,9"
    assert rows[3] == "model,predicted,1024,1,1,1,ns,," and len(rows) == 6


def test_the_csv_loses_no_digit():
    x, numbers = (
        Axis("size", "B", (1 << 20, 1 << 22)),
        {"value": (0.1 + 0.2, 1e-300), "low": (0.1, 0), "high": (2 / 3, 1)},
    )
    made = Curve("walk, back and forth", "measured", x, "ns", *numbers.values())
    rows = list(csv.DictReader(io.StringIO(Run("lab", {}, x, [made], {}, {}, "0").to_csv())))
    assert [float(row["size [B]"]) for row in rows] == [1 << 20, 1 << 22]
    assert {name: tuple(float(row[name]) for row in rows) for name in numbers} == numbers
    assert {row["curve"] for row in rows} == {"walk, back and forth"}


def test_the_summary_says_values_sources_errors_and_notes(run):
    said = run.summary()
    for part in (
        "1 KiB",
        "measured, ns",
        "predicted, ns",
        "walk ÷ model: median 25 %, worst ×1.5 at ",
        "16 of 27 samples clean; a note",
        "–",
    ):
        assert part in said


def test_the_worst_point_is_the_one_whose_ratio_lies_farthest_from_one():
    x = Axis("size", "B", (1, 2, 4, 8))
    measured, predicted = (
        Curve(name, "measured", x, "ns", v) for name, v in (("a", (2, 1, 30, math.nan)), ("b", (1, 4, 20, 1)))
    )
    comparison = Comparison.of(measured, predicted)
    assert comparison.pair == "a ÷ b" and comparison.worst == 1
    assert comparison.said(lambda place: f"{place:g} B", x) == "median 75 %, worst ×1/4 at 2 B"
    nothing = Comparison("a", "b", np.full(4, math.nan))
    assert nothing.worst is None and nothing.said(str, x) == ""
