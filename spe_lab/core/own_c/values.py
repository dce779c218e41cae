"""Numbers and structures of C as Python values: checked on the way in, read on the way out.

A number that the C type cannot hold is an error: ctypes would wrap it silently.
"""

import math
import operator
import sys
from typing import Any

import numpy as np

from spe_lab.core.c.ctype import Array, Enumeration, Member, Number, Other, Pointer, Record, Type, size_of, spelled
from spe_lab.core.own_c.messages import CellError


def number_of(kind: Type) -> Number | None:
    """Return the number that a value of this type is; None for structures, pointers and the like."""
    if isinstance(kind, Enumeration):
        return kind.number
    return kind if isinstance(kind, Number) else None


def scalar(value: Any, kind: Number, name: str) -> Any:
    """Return `value` as a Python number of this C type. Raise CellError if the type cannot hold it."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if kind.kind in ("float", "complex"):
        return _real(value, kind, name) if kind.kind == "float" else _complex(value, kind, name)
    if kind.kind == "char" and isinstance(value, bytes) and len(value) == 1:
        return int.from_bytes(value, "little", signed=kind.signed)
    low, high = kind.bounds
    try:
        number = int(value) if isinstance(value, np.bool_) else operator.index(value)
    except TypeError:
        wanted = "one byte or a whole number" if kind.kind == "char" else "a whole number"
        raise CellError(
            f"{name} must be {wanted} for C's {kind.name}, got {value!r:.60}; convert it with int()"
        ) from None
    if not low <= number <= high:
        raise CellError(
            f"{name} must be between {low} and {high} to fit C's {kind.name}, got {number}; choose another number or"
            " another type"
        )
    return number


def _real(value: Any, kind: Number, name: str) -> Any:
    try:
        if isinstance(value, str | bytes):
            raise TypeError  # Python's float() would read it
        real = np.longdouble(value) if kind.bytes > 8 else float(value)
    except (TypeError, ValueError, OverflowError):
        raise CellError(
            f"{name} must be a number that fits C's {kind.name}, got {value!r:.60}; give for example 0.5"
        ) from None
    with np.errstate(over="ignore"):
        if kind.bytes < 8 and math.isfinite(real) and not np.isfinite(dtype_of(kind).type(real)):
            most = float(np.finfo(dtype_of(kind)).max)
            raise CellError(
                f"{name} must be between {-most:.8g} and {most:.8g} to fit C's {kind.name}, got {value!r:.60}; choose a"
                " smaller one, or declare it as double"
            )
    return real


def _complex(value: Any, kind: Number, name: str) -> complex:
    try:
        if isinstance(value, str):
            raise TypeError
        number = complex(value)
    except (TypeError, ValueError, OverflowError):
        raise CellError(
            f"{name} must be a number that fits C's {kind.name}, got {value!r:.60}; give for example 1+2j"
        ) from None
    half = Number("float", "float", kind.bytes // 2)
    for part in (number.real, number.imag):
        _real(part, half, name)
    return number


def stored(number: Any, kind: Number) -> bytes:
    """Return the bytes of a checked number in memory."""
    if kind.kind in ("float", "complex"):
        return np.asarray(number, dtype_of(kind)).tobytes()
    return int(number).to_bytes(kind.bytes, sys.byteorder, signed=kind.signed)


def loaded(content: Any, kind: Number) -> Any:
    """Return the number in these bytes: a bool, int, float, complex, np.longdouble, or one byte for a char."""
    if kind.kind in ("float", "complex"):
        number = np.frombuffer(content, dtype_of(kind), 1)[0]
        return number if kind.bytes > 8 and kind.kind == "float" else number.item()
    if kind.kind == "char":
        return bytes(content)
    number = int.from_bytes(content, sys.byteorder, signed=kind.signed)
    return bool(number) if kind.kind == "bool" else number


def shown(number: Any, kind: Number) -> Any:
    """Return a number that ctypes returned as `loaded` does: a char as one byte."""
    return (number % 256).to_bytes(1, "little") if kind.kind == "char" else number


def dtype_of(kind: Type) -> np.dtype | None:
    """Return the numpy type with this type's layout; None if numpy has none."""
    if (number := number_of(kind)) is not None:
        return _dtype_of_number(number)
    if isinstance(kind, Array):
        element = dtype_of(kind.element)
        if element is not None and element == np.dtype("S1") and kind.shape and kind.shape[-1]:
            element, shape = np.dtype(f"S{kind.shape[-1]}"), kind.shape[:-1]
        else:
            shape = kind.shape
        return None if element is None or None in shape else np.dtype((element, shape))
    if isinstance(kind, Record) and kind.bytes is not None:
        kinds = [dtype_of(member.type) for member in kind.members]
        # Not `None in kinds`: numpy takes None for the name of a type.
        if any(each is None for each in kinds) or any(member.bits is not None for member in kind.members):
            return None
        return np.dtype(
            {
                "names": [member.name for member in kind.members],
                "formats": kinds,
                "offsets": [member.offset for member in kind.members],
                "itemsize": kind.bytes,
            }
        )
    return None


def _dtype_of_number(kind: Number) -> np.dtype | None:
    if kind.kind == "char":
        return np.dtype("S1")
    if kind.kind == "bool":
        return np.dtype(bool)
    if kind.kind == "int":
        return np.dtype(f"{'i' if kind.signed else 'u'}{kind.bytes}") if kind.bytes <= 8 else None
    if kind.bytes == np.dtype(np.longdouble).itemsize * (2 if kind.kind == "complex" else 1):
        return np.dtype(np.longdouble if kind.kind == "float" else np.clongdouble)
    return np.dtype(f"{'f' if kind.kind == 'float' else 'c'}{kind.bytes}")


def read(content: memoryview, kind: Type, at: int = 0) -> Any:
    """Return the value at an offset: a number, a dict, a numpy array, a list of dicts; a pointer's address or None."""
    if (number := number_of(kind)) is not None:
        return loaded(content[at : at + number.bytes], number)
    if isinstance(kind, Record):
        shown = [member for member in kind.members if not isinstance(member.type, Other)]
        return {member.name: read_member(content, member, at) for member in shown}
    if isinstance(kind, Pointer):
        return int.from_bytes(content[at : at + 8], sys.byteorder) or None
    if isinstance(kind, Array):
        return _read_array(content, kind, at)
    raise CellError(f"a value of C's {spelled(kind)} has no counterpart in Python; let C turn it into another type")


def _read_array(content: memoryview, kind: Array, at: int) -> Any:
    count, size = math.prod(extent or 0 for extent in kind.shape), size_of(kind.element)
    dtype = dtype_of(kind.element)
    text = dtype is not None and dtype == np.dtype("S1")
    if text and len(kind.shape) == 1:
        return bytes(content[at : at + count]).rstrip(b"\0")
    if text or dtype is None or isinstance(kind.element, Record):
        inner = Array(kind.element, kind.shape[1:]) if len(kind.shape) > 1 else kind.element
        return [read(content, inner, at + i * size_of(inner)) for i in range(kind.shape[0] or 0)]
    return np.frombuffer(content[at : at + count * size], dtype).reshape([extent or 0 for extent in kind.shape]).copy()


def read_member(content: memoryview, member: Member, at: int) -> Any:
    """Return a member's value in a record that begins at `at`."""
    if member.bits is None:
        return read(content, member.type, at + member.offset)
    number = number_of(member.type)
    first, shift = divmod(8 * at + member.bit_offset, 8)
    length = (shift + member.bits + 7) // 8
    raw = int.from_bytes(content[first : first + length], "little") >> shift & ((1 << member.bits) - 1)
    if number.signed and raw >> (member.bits - 1):
        raw -= 1 << member.bits
    return bool(raw) if number.kind == "bool" else raw


def write_bits(content: bytearray, member: Member, at: int, value: Any, name: str) -> None:
    """Store a bit-field (of a little-endian machine) in a record that begins at `at`."""
    number = number_of(member.type)
    low, high = (-(1 << member.bits - 1), (1 << member.bits - 1) - 1) if number.signed else (0, (1 << member.bits) - 1)
    whole = scalar(value, Number(number.name, "int", 8, number.signed), name)
    if not low <= whole <= high:
        raise CellError(
            f"{name} must be between {low} and {high} to fit C's {number.name} of {member.bits} bits, got {whole};"
            " choose another number"
        )
    first, shift = divmod(8 * at + member.bit_offset, 8)
    length = (shift + member.bits + 7) // 8
    mask = ((1 << member.bits) - 1) << shift
    before = int.from_bytes(content[first : first + length], "little")
    content[first : first + length] = (before & ~mask | whole << shift & mask).to_bytes(length, "little")
