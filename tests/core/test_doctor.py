"""The doctor: looks at everything, and names a cure for each thing that it finds missing."""

import pytest

from spe_lab.core import machine
from spe_lab.core.c import cache_folder, native, toolchain
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import arena, cpus, doctor


@pytest.fixture
def poor(monkeypatch):
    """A machine that lacks all that it may lack."""

    def no_compiler():
        raise UnavailableError(native.NO_COMPILER)

    facts = {**machine.facts(), "cores": 1, "virtualised": None, "clock_source": None, "python": "3.9.2"}
    monkeypatch.setattr(machine, "facts", lambda: facts)
    monkeypatch.setattr(native, "compiler", no_compiler)
    monkeypatch.setattr(native, "load", lambda stem: no_compiler())
    monkeypatch.setattr(cpus, "current", lambda: cpus.Cpus((3,), 0.5, pinned=False))
    monkeypatch.setattr(arena, "huge_pages_offered", lambda: False)
    monkeypatch.setattr(doctor, "_PACKAGES", ("numpy", "no-such-package"))


def found():
    return {finding.what: finding for finding in doctor.examine()}


def test_everything_is_looked_at():
    asked = {
        "C compiler",
        "kernels",
        "cores",
        "memory",
        "huge pages",
        "hardware counters",
        "virtual machine",
        "clock",
        "python",
        "numpy",
        "sympy",
    }
    assert asked <= set(found())
    assert all(finding.found for finding in found().values())


def test_what_works_needs_no_cure_and_what_is_missing_has_one():
    for finding in found().values():
        assert bool(finding.cure) is not finding.ok, finding


def test_a_poor_machine_is_told_its_cures(poor):
    missing = {what: finding.cure for what, finding in found().items() if not finding.ok}
    assert missing["C compiler"] == missing["kernels"] == native.NO_COMPILER
    assert missing["no-such-package"] == "pip install no-such-package"
    assert missing["python"] == "install Python 3.11 to 3.13"
    assert {"cores", "huge pages"} <= set(missing) and all(missing.values())
    assert (
        "one CPU" in found()["cores"].found and "0.5 CPUs" in found()["cores"].found and "waiting" in missing["cores"]
    )


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
def test_kernels_that_do_not_compile_are_told_in_one_line(monkeypatch):
    def broken(stem):
        raise SpeLabError(f"{stem}.c must compile; the compiler says:\nmany\n{stem}.c:1:1: error: here\nlines")

    monkeypatch.setattr(native, "load", broken)
    stem = native.stems()[0]
    assert found()["kernels"].cure == f"{stem}.c must compile; the compiler says: {stem}.c:1:1: error: here"
    assert found()["C compiler"].found == native.compiler().version


def test_a_compiler_that_compiles_nothing_is_missing_and_builds_no_kernels(monkeypatch):
    monkeypatch.setattr(native, "compiler", lambda: native.Compiler(("cc",), "cc 1.0"))
    monkeypatch.setattr(toolchain, "doubt", lambda used: UnavailableError("it wrote nothing; name another one"))
    monkeypatch.setattr(native, "load", lambda stem: pytest.fail("builds a kernel"))
    for what, shown in (("C compiler", "cc 1.0"), ("kernels", "not built")):
        finding = found()[what]
        assert (finding.ok, finding.found, finding.cure) == (False, shown, "it wrote nothing; name another one")


def test_a_cache_of_one_process_is_told_with_its_reason(monkeypatch, tmp_path):
    monkeypatch.setattr(cache_folder, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(cache_folder, "unusable", lambda folder: f"{folder} is mounted noexec")
    assert found()["kernel cache"].found.endswith("kernels is mounted noexec")
    assert "set SPE_LAB_CACHE_DIR" in found()["kernel cache"].cure


def test_memory_is_what_this_process_may_use(monkeypatch):
    monkeypatch.setattr(machine, "memory_available", lambda: 3 << 30)
    assert found()["memory"].found == "3 GiB available to this process"
