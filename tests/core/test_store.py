"""The reader's profile: found again, told apart, refused when damaged, and never lost to a file that cannot be read."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import store
from spe_lab.core.machine.profile import FORMAT, Machine, Parameter

HERE = {
    "cpu": "AMD EPYC (family 25, model 1)",
    "architecture": "x86_64",
    "cores": 2,
    "memory_bytes": 24 << 30,
    "system": "Linux 6.18.44",
}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The reader's settings are in a folder of the test's, which nobody has made yet."""
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "settings"))
    return tmp_path / "settings"


def profile(**parameters: float) -> Machine:
    values = {"l1_capacity": 32768, "l2_capacity": 524288, "l1_latency": 1.27} | parameters
    units = {name: "ns" if name.endswith("latency") else "B" for name in values}
    return Machine(
        dict(HERE), {name: Parameter(value, units[name], "measured", "calibration") for name, value in values.items()}
    )


def test_what_is_saved_is_loaded_again_with_the_date_of_saving():
    before = datetime.now(UTC).replace(microsecond=0)
    store.save_own(profile(), here=HERE)
    loaded = store.load_own(HERE)
    assert loaded.parameters == profile().parameters
    assert before <= datetime.fromisoformat(loaded.facts["calibrated_at"]) <= datetime.now(UTC)
    assert {name: loaded.facts[name] for name in HERE} == HERE


def test_a_date_that_the_calibration_gave_is_kept():
    dated = Machine(HERE | {"calibrated_at": "2026-01-02T03:04:05+00:00"}, profile().parameters)
    store.save_own(dated, here=HERE)
    assert store.load_own(HERE).facts["calibrated_at"] == "2026-01-02T03:04:05+00:00"


def test_without_a_profile_there_is_none_and_nothing_is_made(folder):
    assert store.load_own(HERE) is None
    assert not folder.exists()


def test_a_second_save_replaces_the_first_and_leaves_nothing_else(folder):
    store.save_own(profile(), here=HERE)
    store.save_own(profile(l1_latency=1.5), here=HERE)
    assert store.load_own(HERE).value("l1_latency") == 1.5
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    "other", [{"cpu": "another"}, {"architecture": "aarch64"}, {"cores": 4}, {"memory_bytes": 8 << 30}]
)
def test_another_machine_in_the_same_home_has_another_file(other):
    assert store.own_path(HERE | other) != store.own_path(HERE)


@pytest.mark.parametrize(
    "same", [{"system": "Linux 7"}, {"python": "3.13"}, {"memory_bytes": (24 << 30) - (300 << 20)}, {}]
)
def test_the_same_machine_keeps_its_file_over_updates(same):
    assert store.own_path(HERE | same) == store.own_path(HERE)


def test_the_name_of_the_file_is_stable_and_gives_nobody_away():
    # A literal, because the point is that next year's program finds this year's file.
    assert store.own_path(HERE).name == "machine-88bac60d4d09.json"


def test_the_folder_is_the_users_own_where_no_other_is_named(monkeypatch):
    monkeypatch.delenv("SPE_LAB_CONFIG_DIR")
    assert store.own_path(HERE).parent.name == "spe-lab"


def damage(text: str) -> dict[str, str]:
    data = json.loads(text)

    def edited(name: str, **fields) -> str:
        parameters = data["parameters"] | {name: data["parameters"][name] | fields}
        return json.dumps(data | {"parameters": parameters})

    return {
        "truncated": text[: len(text) // 2],
        "empty": "",
        "other JSON": "[1, 2]",
        "newer": json.dumps(data | {"format": FORMAT + 1}),
        "older": json.dumps(data | {"format": 0}),
        "a word for a number": edited("l1_capacity", value="much"),
        "negative": edited("l1_capacity", value=-1),
        "infinite": text.replace("32768", "1e999"),
        "misspelt": edited("l1_capacity", valeu=1),
        "outside its interval": edited("l1_latency", low=2.0, high=3.0),
        "first level above the second": edited("l1_capacity", value=1 << 30),
    }


DAMAGES = sorted(damage(json.dumps(profile().to_dict())))


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_profile_is_refused_in_a_sentence_and_kept(kind):
    path = store.save_own(profile(), here=HERE)
    path.write_text(damage(path.read_text())[kind])
    kept = path.read_bytes()
    with pytest.raises(SpeLabError) as refused:
        store.load_own(HERE)
    assert "\n" not in str(refused.value) and "machine" in str(refused.value)
    with pytest.raises(SpeLabError):
        store.save_own(profile(), here=HERE)
    assert path.read_bytes() == kept
    store.save_own(profile(l1_latency=2), replace=True, here=HERE)
    assert store.load_own(HERE).value("l1_latency") == 2


def test_a_profile_of_a_newer_version_is_called_that():
    path = store.save_own(profile(), here=HERE)
    path.write_text(json.dumps({"format": FORMAT + 1, "something": "else"}))
    with pytest.raises(SpeLabError, match=f"must have format {FORMAT} or older, got {FORMAT + 1} .* update"):
        store.load_own(HERE)


def test_what_is_not_a_readable_file_is_refused_and_stays():
    path = store.own_path(HERE)
    path.parent.mkdir(parents=True)
    path.symlink_to("nowhere")
    with pytest.raises(SpeLabError, match="readable"):
        store.load_own(HERE)
    path.unlink()
    path.mkdir()
    with pytest.raises(SpeLabError, match="readable"):
        store.load_own(HERE)


def test_nonsense_is_not_saved_over_a_good_profile():
    store.save_own(profile(), here=HERE)
    with pytest.raises(SpeLabError, match="l1_capacity = 1 MiB above l2_capacity = 512 KiB"):
        store.save_own(profile(l1_capacity=1 << 20), replace=True, here=HERE)
    assert store.load_own(HERE).value("l1_capacity") == 32768


def test_a_parameter_that_could_not_be_resolved_is_no_nonsense():
    unresolved = Parameter(None, "B", "measured", "calibration", method="steps", verdict="not resolvable here")
    machine = Machine(HERE, profile().parameters | {"l3_capacity": unresolved})
    store.save_own(machine, here=HERE)
    assert store.load_own(HERE).parameters["l3_capacity"] == unresolved


def test_a_save_that_fails_says_so_and_keeps_the_old_profile(monkeypatch):
    path = store.save_own(profile(), here=HERE)
    kept = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Machine, "save", full)
    with pytest.raises(SpeLabError, match=r"No space left on device.*SPE_LAB_CONFIG_DIR"):
        store.save_own(profile(l1_latency=9), here=HERE)
    assert path.read_bytes() == kept


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.mkdir(mode=0o500)
    with pytest.raises(SpeLabError, match="must be writable"):
        store.save_own(profile(), here=HERE)


def measured(age: timedelta = timedelta(0), **other) -> Machine:
    return Machine(HERE | {"calibrated_at": (NOW - age).isoformat()} | other, {})


def test_a_fresh_profile_of_this_machine_has_no_problems():
    assert store.problems(measured(), HERE, NOW) == []
    assert store.problems(measured(timedelta(days=90)), HERE, NOW) == []


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (measured(cpu="Intel"), "another machine: its CPU is Intel, here it is AMD EPYC"),
        (measured(architecture="aarch64"), "another machine: its architecture is aarch64"),
        (measured(cores=64), "another machine: its number of cores is 64, here it is 2"),
        (measured(cpu=None), "another machine: its CPU is unknown"),
        (measured(system="Linux 5.4"), "another kernel: Linux 5.4, and here runs Linux 6.18.44"),
        (measured(timedelta(days=91)), "91 days old"),
        (measured(timedelta(days=-2)), "dated in the future"),
        (measured(calibrated_at="yesterday"), "does not say when"),
        (Machine(dict(HERE), {}), "does not say when"),
    ],
)
def test_each_problem_is_one_sentence(machine, words):
    (sentence,) = store.problems(machine, HERE, NOW)
    assert words in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_date_without_a_zone_is_taken_as_universal_time():
    assert store.problems(measured(calibrated_at="2026-11-22T11:00:00"), HERE, NOW) == []


def test_every_difference_is_told():
    assert (
        len(store.problems(measured(timedelta(days=400), cpu="x", architecture="y", cores=1, system="z"), HERE, NOW))
        == 5
    )
