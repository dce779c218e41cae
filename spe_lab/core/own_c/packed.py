"""Pack the arguments of a call for another process, and copy C's changes back.

A pointer to numbers takes a numpy array of them, or None; a pointer to arrays takes an array of more dimensions. A
structure is a dict of its members, where missing ones are zero, or a numpy record; a pointer to structures takes one,
or a list of them. Pointers to bytes take bytes, which get a terminating zero, or a bytearray. C's changes come back
into arrays, bytearrays, dicts and lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spe_lab.core.c.ctype import Array, Function, Other, Pointer, Record, Type, size_of, spelled
from spe_lab.core.own_c.extents import inner_extents
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.placed import Update, example, place, record_at
from spe_lab.core.own_c.requests import Block
from spe_lab.core.own_c.values import dtype_of, number_of, scalar

_LARGEST_ALIGNMENT = 64


@dataclass
class Packed:
    """Values and memory blocks of one call.

    `described` holds (name, bytes per element, count) of each block, `pointers` (block, offset, block pointed to).
    """

    values: list[Any] = field(default_factory=list)
    blocks: list[memoryview] = field(default_factory=list)
    described: list[tuple[str, int, int]] = field(default_factory=list)
    pointers: list[tuple[int, int, int]] = field(default_factory=list)
    _arrays: list[tuple[str, np.ndarray, int]] = field(default_factory=list)
    _known: dict[tuple[int, int], tuple[Block, Any]] = field(default_factory=dict)  # by id; the object keeps it valid
    _back: list[tuple[int, Update]] = field(default_factory=list)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(block.nbytes for block in self.blocks)

    @classmethod
    def of(
        cls, function: Function, arguments: Mapping[str, Any], source: str, record: Record | None = None
    ) -> "Packed":
        """Pack the arguments of a call.

        - arguments: by C's names of the parameters
        - source: the C text, which tells the names of extents
        - record: the structure that holds the arguments, if they travel in one; then `values` is its block alone
        """
        packed = cls()
        content = bytearray(record.bytes) if record else bytearray()
        block = packed._add(function.name, content, max(1, len(content))) if record else None
        for i, parameter in enumerate(function.parameters):
            value, name, kind = arguments[parameter.name], parameter.name, parameter.type
            at = record.members[i].offset if record else 0
            if isinstance(kind, Pointer):
                where = f", as line {parameter.line or function.line} declares it"
                target = packed.pointer(value, kind, name, where, inner_extents(source, parameter, arguments))
                packed.values.append(target)
                if block and target:
                    packed.pointers.append((block.number, at, target.number))
            elif block:
                place(packed, content, at, kind, value, name, block.number)
            else:
                packed.values.append(packed.number(value, kind, name))
        if block:
            packed.values = [block]
        return packed

    @staticmethod
    def number(value: Any, kind: Type, name: str) -> Any:
        checked = scalar(value, number_of(kind), name)
        return bool(checked) if number_of(kind).kind == "bool" else checked

    def pointer(
        self, value: Any, kind: Pointer, name: str, where: str = "", inner: tuple[int | None, ...] = ()
    ) -> Block | None:
        """Add what a pointer points to; `where` says where it is declared, `inner` are extents of a row if known."""
        target = kind.target
        if value is None:
            return None
        if isinstance(target, Other | Pointer) or (isinstance(target, Record) and target.bytes is None):
            raise CellError(_not_from_python(name, kind, where, value))
        number = number_of(target)
        if isinstance(value, bytes | bytearray) and (target is None or (number and number.bytes == 1)):
            return self._text(value, name, kind)
        if isinstance(target, Record) and not isinstance(value, np.ndarray):
            return self._records(value, target, name, where)
        element, shape = (target.element, target.shape) if isinstance(target, Array) else (target, None)
        untyped = target is None or bool(number and number.kind == "char")
        dtype = None if untyped else dtype_of(element)
        if isinstance(value, np.ndarray) and dtype == np.dtype("S1") and value.dtype in (np.int8, np.uint8):
            dtype = value.dtype  # chars of a matrix, as numbers
        if dtype is None and not untyped:
            raise CellError(_not_from_python(name, kind, where, value))
        return self._array(value, kind, dtype, name, where, _narrowed(shape, inner))

    def _array(
        self, array: Any, kind: Pointer, dtype: np.dtype | None, name: str, where: str, row: tuple | None
    ) -> Block:
        written = spelled(kind)
        if not isinstance(array, np.ndarray):
            expected = f"of {dtype}" if dtype is not None else "or bytes"
            raise CellError(
                f"{name} must be a numpy array {expected} for C's {written}{where}, got {type(array).__name__}; convert"
                " it with np.array()"
            )
        if dtype is not None and array.dtype != dtype:
            raise CellError(
                f"{name} must have dtype {dtype} for C's {written}{where}, got {array.dtype}; convert it with .astype()"
            )
        if array.dtype.hasobject:
            raise CellError(f"{name} must hold numbers, got dtype {array.dtype}; C cannot read Python objects")
        if row is not None:
            _check_shape(array, row, name, f"{written}{where}")
        if not array.flags.c_contiguous:
            raise CellError(
                f"{name} must be contiguous, row after row, got a strided view; pass np.ascontiguousarray({name})"
            )
        for other, known, number in self._arrays:
            if known is array or (known.ctypes.data == array.ctypes.data and known.nbytes == array.nbytes):
                return Block(number)
            if np.may_share_memory(known, array):
                raise CellError(
                    f"{name} and {other} must not overlap, and they share memory; pass a copy, or one array and an"
                    " offset"
                )
        block = self._add(name, array.reshape(-1).view(np.uint8).data, array.itemsize)
        self._arrays.append((name, array, block.number))
        self._back.append((block.number, lambda content: _give_back(array, content, name)))
        return block

    def _text(self, value: bytes | bytearray, name: str, kind: Pointer) -> Block:
        if isinstance(value, bytearray):
            if (key := (id(value), 0)) not in self._known:
                block = self._add(name, bytearray(value), 1)
                self._known[key] = block, value

                def update(content: memoryview) -> None:
                    value[:] = content

                self._back.append((block.number, update))
            return self._known[key][0]
        block = self._add(name, bytearray(value + b"\0"), 1)

        def check(content: memoryview) -> None:
            if content != value + b"\0":
                raise CellError(
                    f"{name} must not be written to, since bytes cannot change, and the C code wrote to it; pass a"
                    " bytearray"
                )

        self._back.append((block.number, check))
        return block

    def _records(self, value: Any, record: Record, name: str, where: str) -> Block:
        """Add a structure, or several in a list, as a block."""
        many = isinstance(value, list | tuple)
        if not many and not isinstance(value, Mapping | np.void):
            raise CellError(
                f"{name} must be a dict, a list of dicts or a numpy array for C's {spelled(record)} *{where}, got"
                f" {type(value).__name__}; write for example {{{example(record)}}}"
            )
        if (key := (id(value), id(record))) in self._known:
            return self._known[key][0]
        each = list(value) if many else [value]
        flexible = 0 if many or isinstance(value, np.void) else _flexible_bytes(record, value)
        size = len(each) * record.bytes + flexible
        alignment = min(record.bytes & -record.bytes, _LARGEST_ALIGNMENT) or 1
        content = bytearray(-(-size // alignment) * alignment)
        block = self._add(name, content, record.bytes or 1)
        self._known[key] = block, value
        updates = [
            record_at(self, content, i * record.bytes, record, one, f"{name}[{i}]" if many else name, block.number)
            for i, one in enumerate(each)
        ]

        def update(after: memoryview) -> None:
            for one in updates:
                one(after)

        self._back.append((block.number, update))
        return block

    def structure(self, fields: Mapping[str, Any], record: Record, name: str) -> Block:
        """Add a structure with these members as a block; C's changes come back into the dict."""
        return self._records(fields, record, name, "")

    def _add(self, name: str, block: Any, element_bytes: int) -> Block:
        view = memoryview(block)
        self.blocks.append(view)
        self.described.append((name, max(1, element_bytes), view.nbytes // max(1, element_bytes)))
        return Block(len(self.blocks) - 1)

    def give_back(self, returned: list[bytearray]) -> None:
        """Copy C's changes into the caller's arrays and dicts."""
        for number, update in self._back:
            update(memoryview(returned[number]))


def _give_back(array: np.ndarray, returned: memoryview, name: str) -> None:
    changed = np.frombuffer(returned, array.dtype).reshape(array.shape)
    if array.flags.writeable:
        array[...] = changed
    elif bytes(returned) != array.tobytes():
        raise CellError(f"{name} must not be written to, and the C code changed it; pass a writeable copy")


def _check_shape(array: np.ndarray, row: tuple[int | None, ...], name: str, written: str) -> None:
    """Compare an array with the shape of what a pointer points to; the first extent is free."""
    wanted = ("n", *(str(extent) if extent is not None else "any" for extent in row))
    fits = array.ndim == len(wanted) and all(
        extent in (None, given) for extent, given in zip(row, array.shape[1:], strict=True)
    )
    if not fits:
        raise CellError(
            f"{name} must have {len(wanted)} dimensions of ({', '.join(wanted)}) elements for C's {written}, got shape"
            f" {array.shape}; reshape it"
        )


def _narrowed(shape: tuple | None, inner: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
    """Return a row's shape, with extents that only the call knows."""
    if shape is None or len(inner) != len(shape):
        return shape
    return tuple(known if extent is None else extent for extent, known in zip(shape, inner, strict=True))


def _flexible_bytes(record: Record, value: Mapping[str, Any]) -> int:
    """Return the bytes that a flexible array at the end takes beyond the structure."""
    last = record.members[-1] if record.members else None
    if last is None or not isinstance(last.type, Array) or last.type.shape[:1] != (None,):
        return 0
    given = value.get(last.name, ())
    count = len(given) if hasattr(given, "__len__") else 0
    row = size_of(Array(last.type.element, last.type.shape[1:])) if last.type.shape[1:] else size_of(last.type.element)
    return max(0, last.offset + count * row - record.bytes)


def _not_from_python(name: str, kind: Pointer, where: str, value: Any) -> str:
    target = kind.target
    if isinstance(target, Other) and target.what == "a function":
        what, cure = "a pointer to a function, and Python has no C functions", "call it from C that passes one"
    elif isinstance(target, Pointer):
        what, cure = "a pointer to pointers", "pass one array, and compute the places of its rows in C"
    elif isinstance(target, Record) and target.bytes is not None:
        return (
            f"{name} must be a dict or a list of dicts for C's {spelled(kind)}{where}, since numpy has no type for its"
            f" pointers and bit-fields, got {type(value).__name__}; give for example {{{example(target)}}}"
        )
    elif isinstance(target, Record):
        what, cure = "a pointer to a type that the cell does not define", "let C create and pass it"
    else:
        what, cure = "a pointer to a type that Python lacks", "let C turn it into another type"
    return f"{name} must be None for C's {spelled(kind)}{where}, {what}, got {type(value).__name__}; {cure}"
