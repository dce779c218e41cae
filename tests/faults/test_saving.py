"""kill -9 at any moment of a save, and of a build: the old file or the new one is there, never a broken one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spe_lab.core.c import native

SAVES = 200

# A process that forks a child for each kill: the child saves two contents in turn, without end, until it is killed, and
# what is there must be one of the two, whole.
PROGRAM = """
import os, random, signal, sys, time
from pathlib import Path
KINDS = {}

def kind(make):
    KINDS[make.__name__] = make
    return make

@kind
def profile():
    from dataclasses import replace
    from spe_lab.core import machine as machines
    from spe_lab.core.machine import store
    one = machines.Machine({"calibrated_at": "2026-01-01T00:00:00+00:00"}, machines.claim())
    other = replace(one, facts={"calibrated_at": "2026-02-02T00:00:00+00:00", "filling": "x" * 20000})
    return (one, other), lambda it: store.save_own(it, replace=True), lambda: store.load_own().facts, lambda it: it.facts

@kind
def journal():
    from spe_lab.core.reader import journal
    def save(text):
        with journal.open_journal() as kept:
            kept.data["shown"] = {text: "2026-01-01T00:00:00+00:00"}
    return ("a", "b" * 20000), save, lambda: list(journal.load().data["shown"]), lambda text: [text]

@kind
def curve():
    from spe_lab.core import registry
    from spe_lab.core.recording import Recording
    file = Path(os.environ["SPE_LAB_CONFIG_DIR"]) / "run.json"
    runs = [registry.get(each).recorded() for each in ("memory.stride", "memory.working_set")]
    return runs, lambda run: run.save(file), lambda: Recording.load(file).to_json(), lambda run: run.to_json()

contents, save, load, told = KINDS[sys.argv[1]]()
known = [told(each) for each in contents]
save(contents[0])
chance, folder, cut = random.Random(1), Path(os.environ["SPE_LAB_CONFIG_DIR"]), 0
for number in range(int(sys.argv[2])):
    begun, begin = os.pipe()
    child = os.fork()
    if not child:
        os.write(begin, b".")
        while True:
            for each in contents:
                save(each)
    os.read(begun, 1)
    if number % 2:  # at any moment
        time.sleep(chance.uniform(0, 0.004))
    else:  # while a file is half there
        until = time.monotonic() + 0.1
        while time.monotonic() < until and not any(name.startswith(".") for name in os.listdir(folder)):
            pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(begun)
    os.close(begin)
    assert load() in known, number
    parts = [path for path in folder.iterdir() if path.name.startswith(".")]
    cut += bool(parts)
    for path in parts:
        path.unlink()
print(cut)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["profile", "journal", "curve"])
def test_a_save_that_is_killed_leaves_the_old_file_or_the_new_one(kind, tmp_path):
    environment = {**os.environ, "SPE_LAB_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(SAVES)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= SAVES / 20  # so many kills, at least, fell into the writing itself


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
def test_a_build_that_is_killed_is_built_by_the_next_one(tmp_path):
    program = "from spe_lab.core.c import native; print(native.load('memory').constants['SPE_OK'])"
    command, environment = [sys.executable, "-c", program], {**os.environ, "SPE_LAB_CACHE_DIR": str(tmp_path)}
    killed = subprocess.Popen(command, env=environment, start_new_session=True)
    while not list(Path(tmp_path).glob("kernels/build-*/*")) and killed.poll() is None:
        time.sleep(0.001)
    os.killpg(killed.pid, signal.SIGKILL)  # the compiler as well
    killed.wait()
    assert killed.returncode == -signal.SIGKILL and not list(tmp_path.glob("kernels/*.so"))
    assert (
        subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False).stdout
        == "0\n"
    )


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
@pytest.mark.parametrize("who", ["$$", "cc1"])
def test_a_compiler_that_is_killed_half_way_is_said_and_leaves_nothing(who, tmp_path):
    script = tmp_path / "cc"
    end = "kill -9 $$" if who == "$$" else 'echo "cc: fatal error: Killed signal terminated program cc1" >&2; exit 1'
    script.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo killed cc 1.0; exit; }\nwhile [ "$1" != -o ]; do shift;'
        f' done\necho half > "$2"\n{end}\n'
    )
    script.chmod(0o755)
    program = (
        "from spe_lab.core.c import native\ntry: native.load('memory')\nexcept ValueError as error:"
        " print(type(error).__name__, error)"
    )
    environment = {**os.environ, "CC": str(script), "SPE_LAB_CACHE_DIR": str(tmp_path / "cache")}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    expected = (
        "UnavailableError the compiler must finish memory.c, and it was killed; close other programs, since memory may"
        " have run out\n"
    )
    assert said.stdout == expected, said.stderr
    assert list((tmp_path / "cache" / "kernels").iterdir()) == []
