"""A user without a home folder: nothing is kept, which is said where something is to be kept, and all else works."""

import pwd
from pathlib import Path

import platformdirs
import pytest

from spe_lab.core import folders
from spe_lab.core.c import cache_folder
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import store
from spe_lab.core.reader import journal


def unknown(uid):
    raise KeyError(uid)


@pytest.fixture
def no_home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in (
        "HOME",
        "SPE_LAB_CONFIG_DIR",
        "SPE_LAB_CACHE_DIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
    ):
        monkeypatch.delenv(name, raising=False)


def test_there_is_no_folder_to_keep_anything_in(no_home, tmp_path):
    assert not folders.home_known()
    assert {folders.user_folder(kind) for kind in ("cache", "config", "data")} == {folders.NOWHERE}
    assert cache_folder.unusable(cache_folder.wanted_folder()) == "this user has no home folder"
    assert list(tmp_path.iterdir()) == []


def test_an_older_platformdirs_is_understood_too(no_home, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: Path("~/.local/share", name))
    assert folders.user_folder("data") == folders.NOWHERE


def test_the_journal_and_the_profile_are_empty_and_cannot_be_kept(no_home):
    assert journal.load().predictions == {} and store.load_own({}) is None
    for what, keep in (("the journal", journal.open_journal().__enter__), ("the machine profile", store.make_room)):
        with pytest.raises(
            SpeLabError, match=f"{what} must have a folder to be kept in, and this user has no home folder; set"
        ):
            keep()


def test_with_a_folder_named_all_is_kept(no_home, tmp_path, monkeypatch):
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "own"))
    with journal.open_journal() as own:
        own.show("a question")
    assert journal.path() == tmp_path / "own" / "journal.json" and journal.path().exists()


def test_a_profile_that_cannot_be_kept_is_said_before_it_is_measured(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPE_LAB_CONFIG_DIR", str(tmp_path / "file"))
    with pytest.raises(
        SpeLabError, match=r"the folder of the machine profile must be writable, got .*; make room or set"
    ):
        store.make_room()
