"""The registry: topics register labs by a decorator, and are imported when a lab of theirs is needed."""

import importlib
import pkgutil
import re
from types import ModuleType

from spe_lab.core.chapter import Chapter
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine

_registered: dict[str, type[Lab]] = {}


def register(lab: type[Lab]) -> type[Lab]:
    """Register a lab class under its id, which must start with its topic's stem. A class decorator."""
    stem = lab.__module__.split(".")[2] if lab.__module__.startswith("spe_lab.topics.") else lab.id.partition(".")[0]
    if not re.fullmatch(rf"{stem}\.[a-z_]+", lab.id):
        raise SpeLabError(
            f"a lab's id must be its topic's stem, a dot and a name, got {lab.id!r} in topic {stem!r}; rename it"
        )
    if lab.__module__.startswith("spe_lab.topics."):
        lab.chapter = chapter(stem).number
    _registered[lab.id] = lab
    return lab


def chapter(stem: str) -> Chapter:
    """Return the topic's chapter, as its chapter.py defines it."""
    return importlib.import_module(f"spe_lab.topics.{stem}.chapter").CHAPTER


def stems() -> list[str]:
    """Return the topics' names without importing them."""
    return [module.name for module in pkgutil.iter_modules(importlib.import_module("spe_lab.topics").__path__)]


def topics(stem: str | None = None) -> list[ModuleType]:
    """Return all topics, or the one of this stem. They are found by name: a new one needs no line here."""
    return [importlib.import_module(f"spe_lab.topics.{name}") for name in stems() if stem in (None, name)]


def labs() -> dict[str, type[Lab]]:
    """Return every lab class by id, in the order of the chapters."""
    topics()
    return dict(sorted(_registered.items(), key=lambda item: (item[1].chapter, item[0])))


def get(lab_id: str, machine: Machine | None = None) -> Lab:
    """Return the lab with this id, for this machine (or the one described by `machine`)."""
    if lab_id not in _registered:
        topics(lab_id.partition(".")[0])  # one topic: importing all of them takes half a second
    if lab_id not in _registered and lab_id not in (registered := labs()):
        raise SpeLabError(f"lab must be one of {', '.join(registered)}, got {lab_id!r}; see spe-lab labs")
    return _registered[lab_id](machine)
