"""The reader's journal: nothing is lost by a restart, by another kernel or by a damaged file, and nothing counts that
came too late.
"""

import json
import multiprocessing
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal
from spe_lab.core.reader.journal import Journal, open_journal

FACTS = {"lab": "memory.stride", "kind": "range", "asked": "at stride 64 B", "settings": {}, "unit": "ns"}
LAB, KEY = "memory.stride", "memory.stride: range at stride 64 B"
FIRST, SECOND = {"low": 1.0, "high": 2.0}, {"low": 3.0, "high": 4.0}
SCORED = {
    "said": "inside",
    "right": 1,
    "of": 1,
    "value": 1.5,
    "low": 1.4,
    "high": 1.6,
    "source": "measured",
    "machine": "a CPU",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "settings"))
    return tmp_path / "settings"


def commit(kept, values, key=KEY):
    return kept.commit(key, LAB, FACTS, values, f"{values['low']:g} to {values['high']:g} ns")


# ---- What counts
# -------------------------------------------------------------------------------------------------------


def test_until_the_reveal_a_new_prediction_takes_the_place_of_the_old_one():
    kept = Journal()
    assert commit(kept, FIRST) and commit(kept, SECOND)
    assert kept.latest(KEY)["values"] == SECOND and kept.predictions[KEY]["revised"] == []


def test_after_the_reveal_a_change_is_kept_and_does_not_count():
    kept = Journal()
    commit(kept, FIRST)
    assert kept.reveal(KEY, LAB, FIRST, SCORED) == "counts"
    assert not commit(kept, SECOND)
    assert kept.latest(KEY)["values"] == FIRST
    assert [late["values"] for late in kept.predictions[KEY]["revised"]] == [SECOND]
    assert kept.reveal(KEY, LAB, SECOND, SCORED | {"right": 0}) == "revised"
    assert kept.predictions[KEY]["scored"]["right"] == 1


def test_a_cell_that_runs_again_changes_nothing():
    kept = Journal()
    commit(kept, FIRST)
    kept.reveal(KEY, LAB, FIRST, SCORED)
    commit(kept, SECOND)
    before = json.dumps(kept.data)
    assert commit(kept, FIRST) and not commit(kept, SECOND)
    kept.reveal(KEY, LAB, FIRST, SCORED)
    assert json.dumps(kept.data) == before


def test_the_first_measurement_counts_and_not_the_one_that_fits():
    kept = Journal()
    commit(kept, FIRST)
    kept.reveal(KEY, LAB, FIRST, SCORED | {"right": 0, "said": "above"})
    kept.reveal(KEY, LAB, FIRST, SCORED)
    assert kept.predictions[KEY]["scored"]["said"] == "above"


def test_a_prediction_after_the_first_look_is_kept_and_does_not_count():
    kept = Journal()
    kept.show(LAB)
    assert not commit(kept, FIRST)
    assert kept.predictions[KEY]["committed"] is None and kept.latest(KEY)["values"] == FIRST
    assert commit(Journal(), FIRST)


def test_other_settings_of_a_lab_are_another_question():
    kept = Journal()
    kept.show("memory.stride size=1048576.0")
    assert commit(kept, FIRST)


def test_values_that_were_never_committed_are_not_scored():
    kept = Journal()
    assert kept.reveal(KEY, LAB, FIRST, SCORED) == "" and kept.predictions == {}
    commit(kept, SECOND)
    assert kept.reveal(KEY, LAB, FIRST, SCORED) == "" and kept.predictions[KEY]["scored"] is None


def test_the_last_right_answer_stays_beside_the_last_of_all():
    kept = Journal()
    for answer, state in ((9, "wrong"), (10, "right"), (11, "wrong")):
        kept.answered("memory.ramp", answer, state, "because")
    entry = kept.exercises["memory.ramp"]
    assert (entry["right"]["answer"], entry["last"]["answer"]) == (10, 11)
    assert [verdict["state"] for verdict in entry["verdicts"]] == ["wrong", "right", "wrong"]


def test_a_journal_does_not_grow_without_end():
    kept = Journal()
    kept.show(LAB)
    for i in range(journal.LONGEST + 7):
        commit(kept, {"low": float(i), "high": float(i + 1)})
        kept.answered("memory.ramp", i, "wrong", "no")
    assert len(kept.predictions[KEY]["revised"]) == len(kept.exercises["memory.ramp"]["verdicts"]) == journal.LONGEST
    kept.answered("memory.ramp", "x" * 10**6, "wrong", "no")
    assert len(kept.to_json()) < 50_000


@pytest.mark.parametrize(
    ("answer", "stored"),
    [
        (2, 2),
        ("int f;", "int f;"),
        ((1, 2), [1, 2]),
        (np.float32(0.5), 0.5),
        (np.arange(2), [0, 1]),
        ({"points": 8}, {"points": 8}),
        (float("inf"), "inf"),
        (1j, "1j"),
        ([10**309], ["1" + 309 * "0"]),
        ([10**5000], "a list that cannot be printed"),
        ("half \ud800", "half ?"),
    ],
)
def test_answers_are_kept_as_simple_types(answer, stored):
    assert journal.plain(answer) == stored


@pytest.mark.parametrize("answer", [10**400, [10**400], [10**5000], "\ud800"])
def test_no_answer_makes_the_journal_unreadable(answer, folder):
    _, complaint = journal.attempt(lambda kept: kept.answered("memory.ramp", answer, "wrong", "no"), None)
    assert not complaint and journal.load().exercises["memory.ramp"]["last"]


# ---- The file
# ----------------------------------------------------------------------------------------------------------


def test_without_a_journal_there_is_an_empty_one_and_nothing_is_made(folder):
    assert journal.load().data == Journal().data and not folder.exists()


def test_what_was_kept_is_there_for_the_next_process(folder):
    with open_journal() as kept:
        commit(kept, FIRST)
    program = f"from spe_lab.core.reader import journal; print(journal.load().latest({KEY!r})['values'])"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert said.strip() == str(FIRST)


def test_what_did_not_change_is_not_written_again():
    with open_journal() as kept:
        commit(kept, FIRST)
    before = journal.path().stat().st_mtime_ns
    with open_journal() as kept:
        commit(kept, FIRST)
    assert journal.path().stat().st_mtime_ns == before


def test_an_error_while_it_is_changed_leaves_the_old_one():
    with open_journal() as kept:
        commit(kept, FIRST)
    before = journal.path().read_text()
    with pytest.raises(ZeroDivisionError), open_journal() as kept:
        commit(kept, SECOND)
        raise ZeroDivisionError
    assert journal.path().read_text() == before
    assert sorted(entry.name for entry in journal.path().parent.iterdir()) == ["journal.json", "journal.lock"]


def _note(name: str, times: int) -> None:
    for i in range(times):
        with open_journal() as kept:
            kept.answered(f"{name}.{i}", i, "right", "yes")


def test_two_kernels_that_write_at_once_lose_nothing():
    context = multiprocessing.get_context("spawn")
    kernels = [context.Process(target=_note, args=(name, 20)) for name in ("one", "two")]
    threads = [threading.Thread(target=_note, args=(name, 20)) for name in ("three", "four")]
    for each in (*kernels, *threads):
        each.start()
    for each in (*kernels, *threads):
        each.join(60)
    assert len(journal.load().exercises) == 80


def test_a_lock_that_another_process_never_gives_back_is_said_and_not_waited_for(monkeypatch, folder):
    import fcntl

    monkeypatch.setattr(journal, "LOCK_PATIENCE_S", 0.05)
    folder.mkdir()
    with (folder / "journal.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(SpeLabError, match=r"the journal must be free within .* end that process"), open_journal():
            pass


def valid() -> dict:
    kept = Journal()
    commit(kept, FIRST)
    kept.reveal(KEY, LAB, FIRST, SCORED)
    kept.answered("memory.ramp", 10, "right", "yes")
    return kept.data


def broken() -> dict[str, str]:
    def edited(change) -> str:
        data = valid()
        change(data)
        return json.dumps(data)

    return {
        "empty": "",
        "half": json.dumps(valid())[:200],
        "a list": "[]",
        "newer": edited(lambda data: data.update(format=3)),
        "no predictions": edited(lambda data: data.pop("predictions")),
        "a word for a number": edited(lambda data: data["predictions"][KEY]["committed"]["values"].update(low="much")),
        "nothing committed": edited(lambda data: data["predictions"][KEY].update(committed=None)),
        "infinite": json.dumps(valid()).replace("1.5", "1e999"),
        "no date": edited(lambda data: data["shown"].update({LAB: "yesterday"})),
        "binary": "\ud800",
    }


@pytest.mark.parametrize("name", sorted(broken()))
def test_a_journal_that_cannot_be_read_is_refused_with_the_cure_and_left_alone(name, folder):
    folder.mkdir()
    content = broken()[name].encode("utf-8", "surrogatepass")
    journal.path().write_bytes(content)
    with pytest.raises(SpeLabError, match=r"the journal .*; repair it, or move it away to begin a new one$"):
        journal.load()
    done, complaint = journal.attempt(lambda kept: commit(kept, SECOND), False)
    assert not done and complaint.startswith("Not kept: the journal ")
    assert journal.path().read_bytes() == content


def test_a_valid_journal_passes_its_schema(folder):
    folder.mkdir()
    data = valid()
    journal.path().write_text(json.dumps(data))
    assert journal.load().data == data


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_said(folder):
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(SpeLabError, match="the folder of the journal must be writable"), open_journal():
        pass


def test_a_folder_that_is_a_file_is_said(folder):
    folder.write_text("")
    with pytest.raises(SpeLabError, match="the folder of the journal must be writable"), open_journal():
        pass


def test_the_journal_is_in_the_users_own_folder_where_no_other_is_named(monkeypatch):
    monkeypatch.delenv("SPE_LAB_CONFIG_DIR")
    assert journal.path().name == "journal.json" and journal.path().parent.name == "spe-lab"


# ---- To and from other machines
# ----------------------------------------------------------------------------------------


def test_an_exported_journal_comes_back_elsewhere(tmp_path, monkeypatch):
    with open_journal() as kept:
        commit(kept, FIRST)
        kept.answered("memory.ramp", 10, "right", "yes")
    journal.export(tmp_path / "mine.json")
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "elsewhere"))
    assert journal.load().predictions == {}
    assert journal.take_over(tmp_path / "mine.json").data == journal.load().data
    assert (
        journal.load().latest(KEY)["values"] == FIRST
        and journal.load().exercises["memory.ramp"]["right"]["answer"] == 10
    )


def test_nothing_is_overwritten_by_an_export_nor_taken_from_what_is_no_journal(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SpeLabError, match="FILE must not exist yet"):
        journal.export(tmp_path / "notes.txt")
    for name in ("notes.txt", "nothing.json"):
        with pytest.raises(SpeLabError, match=r"the journal .*; export one with spe-lab journal"):
            journal.take_over(tmp_path / name)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def at(time, **entries):
    return {"time": f"2026-11-0{time}T00:00:00+00:00", **entries}


def test_of_two_journals_the_scored_and_then_the_earlier_prediction_stays():
    def having(time, values, scored=None):
        return Journal(
            {
                "format": 1,
                "shown": {},
                "exercises": {},
                "predictions": {
                    KEY: {**FACTS, "committed": at(time, values=values, words=""), "revised": [], "scored": scored}
                },
            }
        )

    for own, other, kept in (
        (having(1, FIRST), having(2, SECOND), FIRST),
        (having(2, FIRST), having(1, SECOND), SECOND),
        (having(1, FIRST), having(2, SECOND, at(3, **SCORED)), SECOND),
    ):
        own.merge(other)
        assert own.latest(KEY)["values"] == kept


def test_merging_twice_changes_nothing_and_the_earliest_look_stays():
    own, other = Journal(), Journal(valid())
    own.data["shown"][LAB] = "2020-01-01T00:00:00+00:00"
    own.answered("memory.ramp", 3, "wrong", "no")
    own.merge(other)
    once = json.dumps(own.data)
    own.merge(other)
    assert json.dumps(own.data) == once
    assert own.data["shown"][LAB].startswith("2020")
    assert own.exercises["memory.ramp"]["right"]["answer"] == 10 and len(own.exercises["memory.ramp"]["verdicts"]) == 2


@pytest.mark.parametrize(
    "answer",
    [10**400, -(10**400), 10**5000, [10**400], {"a": 10**400}],
    ids=["large", "negative", "unprintable", "list", "dict"],
)
def test_a_whole_number_that_no_float_holds_leaves_the_journal_readable(answer):
    with open_journal() as kept:
        kept.answered("memory.ramp", answer, "wrong", "too large")
    assert journal.load().exercises["memory.ramp"]["last"]["state"] == "wrong"
