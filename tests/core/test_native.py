"""Compiling, caching, loading: what is built once, what is built again, and what is said when it cannot be built."""

import ctypes
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError, UnavailableError

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
HALF = "double half(double x) { return x / 2; }\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of this test's own."""
    monkeypatch.setattr(native, "_cache_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def compilations(monkeypatch):
    """A list that grows by one command with each run of the compiler."""
    commands, run = [], native._run
    monkeypatch.setattr(native, "_run", lambda *words: commands.append(words) or run(*words))
    return commands


def python(program, **environment):
    """What a new process prints, with these variables added to (or None: taken from) its environment."""
    variables = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".c")


def links(compilations):
    return [options for options, *_ in compilations if "-S" not in options]


@needs_compiler
def test_a_second_call_compiles_and_links_nothing_of_a_kernel_and_links_nothing_of_a_text(cache, compilations):
    built = [native.build("laws") for _ in range(2)]
    assert len(compilations) == 1 and built[0].path == built[1].path
    first, second = (native.compile_text(HALF) for _ in range(2))
    assert len(links(compilations)) == 2 and first.path == second.path
    assert second.half(3.0) == 1.5


@needs_compiler
def test_a_text_is_compiled_anew_when_a_file_that_it_includes_has_changed(cache, tmp_path):
    header = tmp_path / "value.h"
    made = []
    for value in (1, 2):
        header.write_text(f"#define VALUE {value}\n")
        made.append(native.compile_text('#include "value.h"\nint f(void) { return VALUE; }\n', flags=[f"-I{tmp_path}"]))
    assert [library.f() for library in made] == [1, 2]


@needs_compiler
def test_other_source_and_other_flags_give_other_files(cache):
    paths = {
        native.compile_text(text, flags=flags).path
        for text in (HALF, HALF + "\n")
        for flags in (native.FLAGS, [*native.FLAGS, "-O3"])
    }
    assert len(paths) == 4 and len(files(cache)) == 4


@needs_compiler
def test_every_library_says_what_it_was_made_of(cache):
    made = native.compile_text(HALF, flags=("-O1",)).provenance
    assert (made["flags"], made["compiler"]) == ("-O1", native.compiler().version)
    assert re.fullmatch(r"cell-[0-9a-f]{16}\.c", made["source"]) and len(made["sha256"]) == 64


@needs_compiler
@pytest.mark.parametrize("keep", [0, 1, 500])
def test_a_truncated_library_is_rebuilt_and_never_loaded(cache, compilations, monkeypatch, keep):
    path = native.compile_text(HALF).path
    whole = path.read_bytes()
    path.unlink()  # not written to: this process has it mapped
    path.write_bytes(whole[:keep])
    loaded = []
    monkeypatch.setattr(native.ctypes, "CDLL", lambda name: loaded.append(Path(name).stat().st_size))
    native.compile_text(HALF)
    assert loaded == [len(whole)] and len(links(compilations)) == 2 and len(files(cache)) == 1


@needs_compiler
def test_a_library_whose_name_belies_its_content_is_neither_loaded_nor_kept(cache):
    path = native.compile_text(HALF).path
    path.rename(path.with_name(f"{path.stem.rpartition('-')[0]}-{'0' * 20}.so"))
    assert native.compile_text(HALF).path.name == path.name
    assert files(cache) == [path.name]


@pytest.mark.slow
@needs_compiler
def test_two_processes_that_build_at_once_both_succeed_and_leave_one_library_each(tmp_path):
    program = "from spe_lab.core.c import native; print([native.load(stem).path for stem in native.stems()])"
    environment = {**os.environ, "SPE_LAB_CACHE_DIR": str(tmp_path)}
    both = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0] and said[0] == said[1]
    left = list((tmp_path / "kernels").iterdir())
    assert sorted(path.name.split("-")[0] for path in left) == native.stems()
    for path in left:
        assert native._digest(path) == path.stem.rpartition("-")[2]
        ctypes.CDLL(str(path))


@needs_compiler
def test_where_the_cache_cannot_be_written_a_private_folder_is_used_and_removed(tmp_path):
    (tmp_path / "file").write_text("a folder cannot lie below a file, whoever asks")
    program = (
        "from spe_lab.core.c import native; folder = native.load('memory').path.parent; print(folder.stat().st_mode &"
        " 0o777, folder, sep='\\n')"
    )
    said = python(program, SPE_LAB_CACHE_DIR=str(tmp_path / "file" / "cache"), TMPDIR=str(tmp_path))
    assert said.returncode == 0, said.stderr
    mode, folder = said.stdout.splitlines()
    assert int(mode) == 0o700 and Path(folder).parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is not None, reason="ziglang is installed, which is a compiler")
def test_without_a_compiler_one_sentence_says_the_cure(tmp_path):
    program = (
        "from spe_lab.core.c import native\ntry: native.load('memory')\nexcept ValueError as error: print(error,"
        " native.available())"
    )
    said = python(program, PATH=str(tmp_path), CC=None)
    assert said.stdout == f"{native.NO_COMPILER} False\n"


@needs_compiler
def test_cc_names_the_compiler_and_may_hold_options(tmp_path):
    program = (
        "from spe_lab.core.c import native; print(native.compiler().command[1:],"
        " native.load('memory').provenance['compiler'])"
    )
    said = python(program, CC="cc -DFROM_CC", SPE_LAB_CACHE_DIR=str(tmp_path))
    assert said.stdout.startswith("('-DFROM_CC',) "), said.stderr


@pytest.fixture
def full_disk(tmp_path, monkeypatch):
    """A compiler that leaves half of a library behind and says that the disk is full."""
    fake = tmp_path / "fake-cc"
    fake.write_text(
        '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho half > "$2"\necho "$2: No space left on device"'
        " >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(native, "compiler", lambda: native.Compiler((str(fake),), "fake 1.0"))


def test_a_full_disk_while_compiling_is_one_sentence_and_leaves_no_partial_file(full_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(native, "_cache_folder", lambda: tmp_path / "cache")
    with pytest.raises(UnavailableError) as refused:
        native.compile_text(HALF)
    assert re.fullmatch(
        r"compiling cell-\w+\.c needs .* the disk is full; free some or set SPE_LAB_CACHE_DIR to another folder",
        str(refused.value),
    )
    assert files(tmp_path / "cache") == []


@needs_compiler
def test_a_compile_error_shows_the_compiler_s_message_with_its_line_and_no_path(cache):
    with pytest.raises(SpeLabError) as refused:
        native.compile_text("int f(void)\n{\n    return missing;\n}\n")
    said = str(refused.value)
    assert re.match(r"cell-\w+\.c must compile; the compiler says:\n", said)
    assert re.search(r"^cell-\w+\.c:3:\d+: error: .*missing", said, flags=re.MULTILINE)
    assert str(cache) not in said and files(cache) == []


@needs_compiler
def test_a_cell_may_use_what_spe_h_declares(cache):
    own = native.compile_text(
        '#include "spe.h"\nint32_t seen(spe_cancel cancel) { return *cancel == 7 ? SPE_OK : SPE_CANCELLED; }\n'
    )
    assert (
        own.seen(ctypes.c_int32(7)) == own.constants["SPE_OK"]
        and own.seen(ctypes.c_int32(0)) == own.constants["SPE_CANCELLED"]
    )


def test_an_unknown_stem_is_refused_with_those_that_exist():
    with pytest.raises(SpeLabError, match=r"stem must name a file of kernels_c, got 'nope'; there are .*memory"):
        native.load("nope")


@needs_compiler
def test_an_unknown_function_is_refused_with_those_that_exist():
    with pytest.raises(AttributeError, match=r"memory\.c has no function 'nope'; it declares .*cycle_walk"):
        native.load("memory").nope  # noqa: B018 - the access is what is tested


@needs_compiler
@pytest.mark.parametrize("wrong", [np.zeros(8, np.float32), np.zeros(16)[::2], [0.0] * 8])
def test_arrays_that_c_would_misread_are_refused(cache, wrong):
    own = native.compile_text(
        "#include <stdint.h>\ndouble first(const double *x, uint64_t n) { return n ? x[0] : 0; }\n"
    )
    assert own.first(np.arange(8.0) + 2, 8) == 2
    with pytest.raises(ctypes.ArgumentError, match="for C must"):
        own.first(wrong, 8)


@needs_compiler
def test_an_array_that_c_may_write_to_must_be_writeable_and_aligned(cache):
    own = native.compile_text(
        "#include <stdint.h>\nvoid put(double *x) { x[0] = 1; }\ndouble get(const double *x) { return x[0]; }\n"
    )
    fixed, between = np.arange(2.0), np.zeros(17, np.uint8)[1:].view(np.float64)
    fixed.flags.writeable = False
    assert own.get(fixed) == 0  # C promises not to write
    for function, wrong in ((own.put, fixed), (own.put, between), (own.get, between), (own.put, True)):
        with pytest.raises(ctypes.ArgumentError, match=r"for C must|that C writes to must"):
            function(wrong)


@needs_compiler
@pytest.mark.parametrize("wrong", [-1, 2**32, 10**30, 0.5, float("nan"), None, "1"])
def test_a_number_that_c_cannot_hold_is_refused_rather_than_cut(cache, wrong):
    own = native.compile_text("#include <stdint.h>\nuint64_t same(uint32_t n) { return n; }\n")
    assert own.same(np.int64(2**32 - 1)) == 2**32 - 1
    with pytest.raises(ctypes.ArgumentError, match="for C"):
        own.same(wrong)
