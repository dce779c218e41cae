"""Attributes of an entry of debug information, as pyelftools gives it, in Python's own types."""

from pathlib import Path
from typing import Any


def target_of(entry: Any) -> Any:
    return entry.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in entry.attributes else None


def name_of(entry: Any) -> str:
    return text_of(entry, "name")


def text_of(entry: Any, attribute: str) -> str:
    found = entry.attributes.get(f"DW_AT_{attribute}")
    return found.value.decode(errors="replace") if found and isinstance(found.value, bytes) else ""


def number_of(entry: Any, attribute: str) -> int:
    found = entry.attributes.get(f"DW_AT_{attribute}") if entry is not None else None
    return found.value if found and isinstance(found.value, int) else 0


def is_set(entry: Any, attribute: str) -> bool:
    found = entry.attributes.get(f"DW_AT_{attribute}")
    return bool(found and found.value)


def files_of(lines: Any) -> dict[int, Path]:
    """Return the source files by their number in the debug information."""
    if lines is None:
        return {}
    # Until DWARF 4, the folder of number 0 and the file of number 0 are those of the unit, and not in the tables.
    first = 0 if lines["version"] >= 5 else 1
    folders = dict(enumerate((_path(each) for each in lines["include_directory"]), first))
    return {
        number: folders.get(file.dir_index, Path()) / _path(file.name)
        for number, file in enumerate(lines["file_entry"], first)
    }


def _path(name: Any) -> Path:
    """Return a name in the line table as a path; in DWARF 5 folders are tables of their own."""
    return Path((name if isinstance(name, bytes) else name.name).decode(errors="replace"))
