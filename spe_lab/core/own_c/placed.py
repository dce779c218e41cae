"""Write Python's values into the memory of a structure: numbers, text, arrays, structures inside, pointers.

Each function returns how the value comes back after the call.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from spe_lab.core.c.ctype import Array, Member, Other, Pointer, Record, Type, size_of, spelled
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.requests import Block
from spe_lab.core.own_c.values import (
    dtype_of,
    loaded,
    number_of,
    read,
    read_member,
    scalar,
    stored,
    write_bits,
)

Update = Callable[[memoryview], Any]  # content of a block after the call -> the value that Python keeps


class Pointers(Protocol):
    """What is needed of the call that values are packed for: memory that pointers lead to."""

    pointers: list[tuple[int, int, int]]

    def pointer(self, value: Any, kind: Pointer, name: str) -> Block | None: ...


def record_at(
    packed: Pointers, content: bytearray, at: int, record: Record, value: Any, name: str, block: int
) -> Update:
    """Write a structure into a block's content at an offset."""
    if record.fault:
        raise CellError(
            f"{name} must be left out for C's {spelled(record)}, since {record.fault}, got {type(value).__name__};"
            " widen the bit-field, or use another compiler"
        )
    if isinstance(value, np.void | np.ndarray):
        return _numpy_record(content, at, record, value, name)
    if not isinstance(value, Mapping):
        raise CellError(
            f"{name} must be a dict for C's {spelled(record)}, got {type(value).__name__}; write for example"
            f" {{{example(record)}}}"
        )
    members = {member.name: member for member in record.members}
    if unknown := [key for key in value if key not in members]:
        raise CellError(
            f"{name or 'the arguments'} must have members of {spelled(record)} ({', '.join(members)}), got"
            f" {unknown[0]!r}; leave it out or rename it"
        )
    updates: dict[str, Update] = {}
    written: list[tuple[str, slice, bytes]] = []
    for key, each in value.items():
        member, label = members[key], f"{name}.{key}".lstrip(".")
        if member.bits is not None:
            write_bits(content, member, at, each, label)
            updates[key] = _reader(member, at)
            continue
        updates[key] = place(packed, content, at + member.offset, member.type, each, label, block)
        if member.group is not None:
            spot = slice(at + member.offset, at + member.offset + size_of(member.type))
            written.append((label, spot, bytes(content[spot])))
    for label, spot, before in written:
        if content[spot] != before:
            raise CellError(
                f"{label} must be the only member given of its union, since its members share their memory, got"
                f" {', '.join(each for each, *_ in written)}; leave out all but one"
            )
    given = {members[key].group for key in value} - {None}
    for member in record.members:
        if member.name not in updates and member.group not in given and not isinstance(member.type, Pointer | Other):
            updates[member.name] = _reader(member, at)

    def update(after: memoryview) -> Any:
        new = {key: one(after) for key, one in updates.items()}
        if isinstance(value, dict):
            value.update(new)
        return value

    return update


def place(packed: Pointers, content: bytearray, at: int, kind: Type, value: Any, name: str, block: int) -> Update:
    """Write any value into a block's content at an offset."""
    if (number := number_of(kind)) is not None:
        content[at : at + number.bytes] = stored(scalar(value, number, name), number)
        return lambda after: loaded(after[at : at + number.bytes], number)
    if isinstance(kind, Record) and kind.bytes is not None:
        return record_at(packed, content, at, kind, value, name, block)
    if isinstance(kind, Pointer):
        if (target := packed.pointer(value, kind, name)) is not None:
            packed.pointers.append((block, at, target.number))
        return lambda after: value
    if isinstance(kind, Array):
        return _inside(packed, content, at, kind, value, name, block)
    raise CellError(f"{name} must be left out, since Python has no {spelled(kind)}, got {value!r:.60}; set it in C")


def _inside(packed: Pointers, content: bytearray, at: int, kind: Array, value: Any, name: str, block: int) -> Update:
    """Write an array inside a structure: numbers, text, structures or pointers."""
    element, size = kind.element, size_of(kind.element)
    number, dtype = number_of(element), dtype_of(element)
    shape = tuple(len(value) if extent is None and hasattr(value, "__len__") else extent for extent in kind.shape)
    kind = Array(element, shape, kind.vector)
    text = number is not None and number.kind == "char" and len(shape) == 1
    if text and isinstance(value, bytes | bytearray):
        if len(value) > shape[0]:
            raise CellError(f"{name} must have at most {shape[0]} bytes, got {len(value)}; shorten it")
        content[at : at + len(value)] = value
        return lambda after: read(after, kind, at)
    if not isinstance(value, list | tuple | np.ndarray):
        wanted, cure = ("bytes", 'give for example b"text"') if text else ("an array", "give a list or a numpy array")
        raise CellError(f"{name} must be {wanted} for C's {spelled(kind)}, got {type(value).__name__}; {cure}")
    numeric = number is not None and dtype is not None and not (number.kind == "char" and len(shape) > 1)
    if not numeric:
        if len(value) != shape[0]:
            raise CellError(f"{name} must have {shape[0]} elements, got {len(value)}; give all of them")
        inner = element if len(shape) == 1 else Array(element, shape[1:], kind.vector)
        step = size_of(inner)
        updates = [
            place(packed, content, at + i * step, inner, each, f"{name}[{i}]", block) for i, each in enumerate(value)
        ]

        def update(after: memoryview) -> Any:
            new = [one(after) for one in updates]
            if isinstance(value, list):
                value[:] = new
            return new if isinstance(value, tuple) else value  # the elements of a numpy array are views of it

        return update
    given = _shape(value, name)
    if given != shape:
        raise CellError(
            f"{name} must have shape {shape} for C's {spelled(kind)}, got {given}; give all of its elements"
        )
    if isinstance(value, np.ndarray) and value.dtype == dtype:
        content[at : at + value.nbytes] = value.tobytes()
        if value.flags.writeable:

            def refill(after: memoryview) -> Any:
                value[...] = np.frombuffer(after[at : at + value.nbytes], dtype).reshape(shape)
                return value

            return refill
    else:
        flat = np.asarray(value, dtype=object).reshape(-1)
        for i, each in enumerate(flat):
            content[at + i * size : at + (i + 1) * size] = stored(scalar(each, number, f"{name}[{i}]"), number)
    return lambda after: read(after, kind, at)


def _reader(member: Member, at: int) -> Update:
    return lambda after: read_member(after, member, at)


def _numpy_record(content: bytearray, at: int, record: Record, value: Any, name: str) -> Update:
    if value.ndim or value.dtype != dtype_of(record):
        raise CellError(
            f"{name} must be a dict or a numpy record for C's {spelled(record)}, got {value.dtype} with shape"
            f" {value.shape}; take the type from the cell: dtype({(record.tag or record.alias)!r})"
        )
    content[at : at + record.bytes] = value.tobytes()

    def update(after: memoryview) -> Any:
        new = np.frombuffer(after[at : at + record.bytes], value.dtype)[0]
        for field_name in value.dtype.names:
            value[field_name] = new[field_name]
        return value

    return update


def _shape(value: Any, name: str) -> tuple[int, ...]:
    try:
        return np.shape(value)
    except ValueError:
        raise CellError(
            f"{name} must have rows of the same length, got different ones; fill the shorter ones"
        ) from None


def example(record: Record) -> str:
    return ", ".join(f'"{member.name}": …' for member in record.members[:3])
