"""Where compiled C is kept: the user's folder, else a private one where programs may run."""

import stat

import pytest

from spe_lab.core import folders
from spe_lab.core.c import cache_folder as module
from spe_lab.core.c import native
from spe_lab.core.errors import UnavailableError


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """Returns the folder that is taken if these of a/, b/ and c/ allow programs: the cache, TMPDIR, a further place."""
    for name in "abc":
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SPE_LAB_CACHE_DIR", str(tmp_path / "a"))
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path / "b"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(module, "_ROOMY", (str(tmp_path / "c"),))
    monkeypatch.setattr(folders, "home_known", lambda: False)

    def folder(allowed):
        monkeypatch.setattr(module, "_executable", lambda path: path.relative_to(tmp_path).parts[0] in allowed)
        return module.cache_folder.__wrapped__()

    return folder


def test_the_wanted_folder_is_taken_where_programs_may_run(chosen, tmp_path):
    assert chosen("abc") == tmp_path / "a" / "kernels" == module.wanted_folder()


@pytest.mark.parametrize(("allowed", "place"), [("bc", "b"), ("c", "c")])
def test_elsewhere_it_is_a_private_one(allowed, place, chosen, tmp_path):
    folder = chosen(allowed)
    assert folder.parent == tmp_path / place and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert module.unusable(module.wanted_folder()) == f"{tmp_path / 'a' / 'kernels'} is mounted noexec"


def test_without_any_place_one_sentence_says_so(chosen):
    with pytest.raises(
        UnavailableError, match=r"kernels need a folder .* noexec; set SPE_LAB_CACHE_DIR to another one"
    ):
        chosen("")


def test_without_room_a_cell_s_text_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(native, "_cache_folder", lambda: tmp_path / "file")
    (tmp_path / "file").touch()
    for call in (lambda: native.text_file("int x;"), lambda: native.assemble(tmp_path / "x.c")):
        with pytest.raises(UnavailableError, match=r"folder of compiled C must be writable, got .*; make room or set"):
            call()
