"""What reads files and text that somebody else wrote: each takes any bytes, and ends in a value or in a SpeLabError.

    make fuzz

runs them with atheris, guided by the branches of the code. Seeds are the files that ship with the package.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

from spe_lab.core import lab, units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.machine import Machine, store
from spe_lab.core.reader import journal
from spe_lab.core.reader.track_record import TrackRecord
from spe_lab.core.recording import Run
from spe_lab.models.task_graph import Graph

PACKAGE = Path(lab.__file__).parents[1]
# Shared memory, where there is any: a target writes ten thousands of files.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@contextlib.contextmanager
def _file(data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        file = Path(folder) / "file.json"
        file.write_bytes(data)
        yield file


def curve(data: bytes) -> None:
    """A run that was read is written as something that reads as the same, and every view of it can be made."""
    with _file(data) as file:
        run = Run.load(file)
    again = Run.from_json(run.to_json())
    assert again.to_json() == run.to_json()
    run.summary()
    run.to_csv()


def profile(data: bytes) -> None:
    """A machine that was read survives a save; what a reader keeps is read back or refused."""
    with _file(data) as file:
        machine = Machine.load(file)
        machine.save(file)
        assert Machine.load(file) == machine
    store.problems(machine, {})
    for name, parameter in machine.parameters.items():
        units.render(parameter.value, parameter.unit)
        with contextlib.suppress(SpeLabError):
            machine.value(name)


def own_profile(data: bytes) -> None:
    """The reader's own profile: never overwritten unless it can be read."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, _environment(SPE_LAB_CONFIG_DIR=folder):
        path = store.own_path({})
        path.write_bytes(data)
        try:
            machine = store.load_own({})
        except SpeLabError:
            with contextlib.suppress(SpeLabError):
                store.save_own(Machine({}, {}), here={})
                raise AssertionError("what could not be read was overwritten") from None
            assert path.read_bytes() == data
            raise
        store.save_own(machine, here={})
        assert store.load_own({}).parameters == machine.parameters


def journals(data: bytes) -> None:
    """A journal that was read can be merged with itself, which changes nothing that counts, and shown."""
    with _file(data) as file:
        kept = journal.load(file)
    twice = journal.Journal(json.loads(kept.to_json()))
    twice.merge(kept)
    assert twice.predictions == kept.predictions and set(twice.exercises) == set(kept.exercises)
    for scored in TrackRecord.of(kept).ranges:
        assert scored.hit in (True, False) and scored.needed >= 0


def quantity(data: bytes) -> None:
    unit, _, text = data.decode(errors="replace").partition(":")
    number = units.parse(text, unit if unit in UNITS else "B")
    units.render(number, unit if unit in UNITS else "B")


def graph(data: bytes) -> None:
    Graph.parse(data.decode(errors="replace"))


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    former = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in former.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


UNITS = ("B", "ns", "GHz", "GB/s", "", "cycles", "users", "requests/s", "%", "bit", "W", "J", "flop/s")
RECORDED = sorted((PACKAGE / "recorded").glob("*.json"))
PUBLISHED = sorted((PACKAGE / "core" / "machine" / "published").glob("*.json"))


def target(run: Callable[[bytes], None], *seeds: bytes) -> SimpleNamespace:
    return SimpleNamespace(run=run, seeds=seeds)


def a_journal() -> bytes:
    kept = journal.Journal()
    kept.commit(
        "a",
        "q",
        {"lab": "memory.stride", "kind": "range", "asked": "?", "settings": {}, "unit": "ns"},
        {"low": 1, "high": 2},
        "1 to 2 ns",
    )
    kept.reveal(
        "a",
        "q",
        {"low": 1, "high": 2},
        {"said": "yes", "right": 1, "of": 1, "value": 1.5, "low": 1, "high": 2, "source": "measured", "machine": "m"},
    )
    kept.answered("memory.lines", 64, "right", "")
    return kept.to_json().encode()


TARGETS = {
    "curve": target(curve, *(file.read_bytes() for file in sorted(RECORDED, key=lambda file: file.stat().st_size)[:3])),
    "profile": target(profile, *(file.read_bytes() for file in PUBLISHED)),
    "own_profile": target(own_profile, *(file.read_bytes() for file in PUBLISHED)),
    "journal": target(journals, a_journal()),
    "quantity": target(
        quantity, *(f"{unit}:{text}".encode() for unit in UNITS for text in ("16KiB", "1.5 us", "3", "-.5e3 GHz"))
    ),
    "graph": target(graph, b"a 2ms\nb 3ms after a # so\nc 1ms after a b\n"),
}


def survives(name: str, data: bytes) -> bool:
    """Whether the target takes it; a SpeLabError is a refusal. Anything else comes out."""
    try:
        TARGETS[name].run(data)
    except SpeLabError:
        return False
    return True
