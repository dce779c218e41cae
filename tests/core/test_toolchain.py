"""Which compiler is taken, and what is said of one that cannot be used: one sentence, whatever it does."""

import os
import re
import time

import psutil
import pytest

from spe_lab.core.c import commands, native, toolchain
from spe_lab.core.errors import SpeLabError, UnavailableError

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
HALF = "double half(double x) { return x / 2; }\n"
VERSION = '[ "$1" = --version ] && { echo fake cc 1.0; exit; }\n'
TO_RESULT = 'while [ "$1" != -o ]; do shift; done\n'


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes $CC a shell script with this text, in a cache of its own; returns its path."""
    monkeypatch.setattr(native, "_cache_folder", lambda: tmp_path)
    monkeypatch.setattr(toolchain, "cache_folder", lambda: tmp_path)

    def made(script):
        path = tmp_path / "fake-cc"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("CC", str(path))
        return path

    return made


def refusal(call=native.compiler):
    with pytest.raises(UnavailableError) as refused:
        call()
    sentence = str(refused.value)
    assert "\n" not in sentence and ";" in sentence
    return sentence


@pytest.mark.parametrize(
    ("cc", "fault"),
    [
        ("gcc '-O2", "has a quote or a backslash without its end"),
        ("gcc \\", "has a quote or a backslash without its end"),
        ("no-such-compiler -O2", "names a program that is not there"),
        ("/no/such/compiler", "names a program that is not there"),
        ("''", "names a program that is not there"),
        ("/", "names a file that cannot be run"),
        ("x" * 5000, "names a program that is not there"),
    ],
)
def test_a_cc_that_is_no_program_is_said_and_no_other_compiler_is_taken(cc, fault, monkeypatch):
    monkeypatch.setenv("CC", cc)
    said = refusal()
    assert said.startswith(f"kernels need a C compiler, and CC={cc!r:.200} {fault}; unset CC, or name a compiler")
    assert native.missing() == said and not native.available()


@pytest.mark.parametrize("cc", ["", "  "])
def test_an_empty_cc_is_none(cc, monkeypatch):
    monkeypatch.setenv("CC", cc)
    said = native.missing()
    monkeypatch.delenv("CC")
    assert native.missing() == said


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("echo broken >&2; exit 1", "ended with status 1 when it was asked for its --version (broken)"),
        ("kill -SEGV $$", "ended with status -11 when it was asked for its --version"),
        ("exit 0", "printed nothing when it was asked for its --version"),
        ("exec yes garbage", "answered --version without an end"),
    ],
)
def test_a_program_that_does_not_tell_its_version_is_refused(script, fault, fake, monkeypatch):
    monkeypatch.setattr(commands, "MOST_OUTPUT", 1 << 16)
    path = fake(script)
    assert f"CC='{path}' names a program that {fault}; unset CC" in refusal()


def test_a_file_that_is_no_program_is_refused(fake):
    path = fake("")
    path.write_bytes(b"\x7fELF")
    assert "names a program that cannot be started: Exec format error;" in refusal()
    path.chmod(0o644)
    assert "names a file that cannot be run;" in refusal()


def test_a_compiler_that_hangs_is_ended_with_what_it_started(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(toolchain, "ANSWER_S", 2.0)
    fake(f'sleep 60 & echo $! $$ > "{tmp_path}/started"; wait')
    assert "names a program that gave no answer to --version within 2 s;" in refusal()
    started, until = [int(word) for word in (tmp_path / "started").read_text().split()], time.monotonic() + 30
    while any(map(runs, started)):
        assert time.monotonic() < until
        time.sleep(0.02)


def runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_fault_is_remembered_until_the_file_is_mended(fake, tmp_path):
    path = fake('echo asked >> "${0%/*}/log"; exit 1')
    os.utime(path, (1, 1))
    refusal()
    refusal()
    assert (tmp_path / "log").read_text() == "asked\n"
    fake(VERSION)
    assert native.compiler().version == "fake cc 1.0"


def test_garbage_as_a_version_is_printable_and_short(fake):
    fake("printf '\\n \\001\\351%0300d\\n' 7")
    version = native.compiler().version
    assert len(version) == 120 and version.isprintable() and version.startswith("��0")


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("exit 0", "wrote nothing for an empty program"),
        (f'{TO_RESULT}: > "$2"', "wrote nothing for an empty program"),
        ("echo 'no such luck' >&2; exit 3", "ended with status 3 for an empty program (no such luck)"),
        ("printf '\\351t\\351\\n' >&2; exit 1", "ended with status 1 for an empty program (�t�)"),
    ],
)
def test_a_compiler_that_compiles_nothing_is_unavailable(script, fault, fake):
    path = fake(VERSION + script)
    for call in (lambda: native.build_text(HALF), lambda: native.load("memory", ("-O1", "-DNOT_CACHED"))):
        assert f"kernels need a C compiler, and CC='{path}' {fault}; take options such as" in refusal(call)


def test_a_compiler_that_hangs_at_an_empty_program_is_doubted(fake, monkeypatch):
    path = fake(f"{VERSION}sleep 60")
    used = native.compiler()
    monkeypatch.setattr(toolchain, "ANSWER_S", 0.3)
    assert str(toolchain.doubt(used)).startswith(
        f"kernels need a C compiler, and CC='{path}' did not compile an empty program within 0.3 s; take options"
    )


def test_a_compiler_that_takes_too_long_is_ended(fake, monkeypatch):
    monkeypatch.setattr(toolchain, "COMPILE_S", 0.3)
    fake(f"{VERSION}sleep 60")
    said = refusal(lambda: native.build_text(HALF))
    assert re.match(r"compiling cell-\w+\.c must end within 0\.3 s, and fake-cc was still running; name another", said)


def test_a_library_that_does_not_load_is_said(fake):
    fake(f'{VERSION}{TO_RESULT}echo junk > "$2"')
    said = refusal(lambda: native.compile_text(HALF))
    assert said.startswith("the compiler must write libraries that load, got one with ")


def test_assembly_goes_through_a_file_and_leaves_none(fake, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    # zig would write a file named "-" for -o -
    fake(f'{VERSION}{TO_RESULT}printf "half:\\n # \\351\\n" > "$2"; echo warned >&2')
    assert native.assemble(native.text_file(HALF)) == ("half:\n # �\n", "warned\n")
    assert list((tmp_path / "work").iterdir()) == [] and not list(tmp_path.glob("assemble-*"))


@needs_compiler
def test_messages_that_are_not_utf_8_are_shown(fake, tmp_path):
    fake(f'{VERSION}case "$*" in *empty.c*) exec cc "$@";; esac; printf "x.c:1: error: \\351t\\351\\n" >&2; exit 1')
    with pytest.raises(native.CompilerError, match=r"x\.c:1: error: �t�"):
        native.build_text(HALF)


@needs_compiler
def test_flags_that_write_nothing_are_refused(fake):
    fake('exec cc "$@"')
    with pytest.raises(
        SpeLabError, match=r"flags must let the compiler write a file, got -O1 -fsyntax-only .*; leave out"
    ):
        native.build_text(HALF, flags=("-O1", "-fsyntax-only"))


@needs_compiler
def test_without_the_headers_of_the_c_library_kernels_are_unavailable(fake):
    fake('exec cc -nostdinc "$@"')
    with pytest.raises(UnavailableError, match=r"(?s)kernels must compile, .* libc6-dev\) or .*fatal error: .*\.h"):
        native.build_program("guard")


def test_ziglang_is_told_to_compile_as_others_do(monkeypatch):
    monkeypatch.setattr(toolchain, "find_spec", lambda name: name == "ziglang")
    assert toolchain._usual()[1][2:] == ("ziglang", "cc", "-mcpu=baseline", "-fno-sanitize=undefined", "-UNDEBUG")
