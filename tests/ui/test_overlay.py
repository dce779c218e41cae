"""Recorded runs and published machines beside a lab's own curves."""

import dataclasses
from datetime import UTC, datetime

import pytest
from kinds import ALL_LABS

from spe_lab import explore
from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.ui import overlay
from spe_lab.ui.sheet import Sheet


def picture(explorer):
    return explorer.parts.ground.value + explorer.parts.moving.value


def options(explorer):
    return dict(explorer.parts.beside.choice.options)


def unfold(explorer):
    explorer.parts.folds.selected_index = explorer.parts.folds.titles.index("Beside another machine")


@pytest.mark.parametrize("lab_id", ALL_LABS)
def test_the_shipped_run_can_stand_beside_and_says_whose_it_is(lab_id):
    explorer = explore(lab_id)
    before = picture(explorer)
    explorer.overlay(explorer.lab.recorded())
    assert picture(explorer) != before
    assert f"beside: {explorer.parts.beside.chosen.said}" in explorer.parts.twin.value.replace("&#x27;", "'")
    source = "simulated" if explorer.lab.simulated else "recorded"
    for curve in explorer.lab.recorded().measured:
        assert f"{source.capitalize()}, {curve.name}, " in explorer.text
    explorer.parts.beside.choice.value = None
    assert "beside" not in explorer.parts.twin.value


def test_a_file_is_loaded_and_what_is_none_is_refused(tmp_path):
    explorer = explore("memory.stride")
    run = explorer.lab.recorded()
    other = dataclasses.replace(run, machine={"facts": {"cpu": "Example(R) Core(TM) X-1 CPU @ 3.00GHz"}})
    other.save(tmp_path / "run.json")
    explorer.overlay(tmp_path / "run.json")
    assert explorer.parts.beside.chosen.name.startswith("recorded on Example Core X-1")
    with pytest.raises(
        SpeLabError, match=r"must be of memory\.working_set over size, .*, got one of memory\.stride over stride"
    ):
        explore("memory.working_set").overlay(run)


def test_an_uploaded_file_joins_the_choice_and_a_bad_one_is_refused_in_words():
    explorer = explore("memory.stride")
    run = explorer.lab.recorded()
    upload = explorer.parts.beside.file
    content = {"type": "application/json", "size": 1, "last_modified": datetime.now(UTC)}
    upload.value = ({**content, "name": "notes.json", "content": memoryview(b"{}")},)
    assert (
        "notes.json must follow the format" in explorer.parts.beside.status.value
        and explorer.parts.beside.chosen is None
    )
    upload.value = ({**content, "name": "run.json", "content": memoryview(run.to_json().encode())},)
    assert explorer.parts.beside.status.value == "" and explorer.parts.beside.chosen.name.startswith("recorded on ")


def test_a_published_machine_lends_only_curves_that_its_numbers_determine():
    stride = explore("memory.stride")
    unfold(stride)
    (name,) = [each for each in options(stride) if "n6005" in each]
    stride.parts.beside.choice.value = options(stride)[name]
    assert "sum over levels, intel-tremont-n6005" in stride.text
    assert "prefetched, intel" not in stride.text  # its prices are assumed, not published
    assert "model of intel-tremont-n6005" in stride.parts.twin.value


@pytest.mark.parametrize("facts", [None, [], {}, {"cpu": None}, {"cpu": 7}, {"cpu": "$x^$ (y)"}])
def test_a_run_of_whatever_machine_can_be_drawn(facts):
    run = registry.get("memory.stride").recorded()
    explorer = explore("memory.stride").overlay(dataclasses.replace(run, machine={"facts": facts}))
    assert explorer.parts.beside.chosen.name.startswith("recorded on ") and "$" not in explorer.text


def test_a_lab_without_published_parameters_offers_no_machine():
    assert not overlay.published(registry.get("branches.predictor"))
    explorer = explore("branches.predictor")
    unfold(explorer)
    assert [name.partition(" ")[0] for name in options(explorer)] == ["nothing", "recorded"]


def test_published_machines_are_looked_up_when_their_fold_opens_and_what_was_chosen_stays():
    explorer = explore("memory.stride")
    explorer.overlay(explorer.lab.recorded())
    chosen, before = explorer.parts.beside.chosen, [*options(explorer)]
    assert not any(name.startswith("model of") for name in before)
    unfold(explorer)
    listed = [*options(explorer)]
    assert listed[: len(before)] == before and any(name.startswith("model of") for name in listed)
    assert explorer.parts.beside.chosen is chosen and f"beside: {chosen.said}" in explorer.parts.twin.value.replace(
        "&#x27;", "'"
    )
    explorer.parts.folds.selected_index = None
    unfold(explorer)
    assert [*options(explorer)] == listed


def test_another_machine_s_curve_follows_the_workload_and_not_the_own_model():
    stride = registry.get("memory.stride")
    first = overlay.published(stride)[0]
    x = stride.x()
    at = {size: first.curves(stride.point({"size": size}), x)[0].values for size in ("64KiB", "8MiB")}
    assert (at["64KiB"] != at["8MiB"]).any()
    assert (first.curves(stride.point({"size": "8MiB", "l_L3": 1.0}), x)[0].values == at["8MiB"]).all()


def test_a_memory_of_five_levels_has_five_marks():
    sheet = Sheet(registry.get("patterns.basic"))
    sheet.dress([], [], (0, 0), False, None, ["L1", "L2", "L3", "L4", "TLB"])
    assert len(sheet.places) == 5
