"""Check arguments against a C prototype, pack them for another process, and copy C's changes back.

A pointer takes a numpy array of its element type, or None. A pointer to a structure takes a dict of its fields; missing
fields are zero. `char *` and `void *` take any array, or bytes, which get a terminating zero. C's changes to arrays and
dicts come back. A number that the C type cannot hold is an error: ctypes would wrap it silently.
"""

import ctypes
import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spe_lab.core.c.prototypes import Function, bounds
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.worker import Block

_FLOATS = (ctypes.c_float, ctypes.c_double)


def is_pointer(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, ctypes.c_void_p)


def c_name(kind: Any) -> str:
    """Return the type as a programmer writes it in C."""
    if kind is None:
        return "void"
    if is_pointer(kind):
        return f"{c_name(getattr(kind, 'element', None))} *"
    if isinstance(kind, type) and issubclass(kind, ctypes.Structure):
        return f"struct {kind.__name__}"
    if kind in (ctypes.c_bool, ctypes.c_char, *_FLOATS):
        return kind.__name__.removeprefix("c_")
    return f"{'int' if bounds(kind)[0] < 0 else 'uint'}{8 * ctypes.sizeof(kind)}_t"


def prototype(function: Function) -> str:
    parameters = ", ".join(f"{c_name(kind)} {name}".replace("* ", "*") for name, kind in function.parameters.items())
    return f"{c_name(function.result)} {function.name}({parameters or 'void'})"


def signature(function: Function) -> inspect.Signature:
    return inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in function.parameters]
    )


def bound(function: Function, arguments: tuple, named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by parameter name."""
    try:
        return signature(function).bind(*arguments, **named).arguments
    except TypeError as error:
        raise CellError(
            f"the arguments must be those of {prototype(function)}: {error}; give one for each parameter"
        ) from None


def scalar(value: Any, kind: Any, name: str) -> Any:
    """Return `value` as ctypes takes it for this type. Raise CellError if the C type cannot hold it."""
    if kind is ctypes.c_char and isinstance(value, bytes) and len(value) == 1:
        return value
    if kind in _FLOATS:
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            raise CellError(
                f"{name} must be a number for C's {c_name(kind)}, got {value!r:.60}; give for example 0.5"
            ) from None
    low, high = bounds(kind)
    try:
        number = operator.index(value)
    except TypeError:
        raise CellError(
            f"{name} must be a whole number for C's {c_name(kind)}, got {value!r:.60}; convert it with int()"
        ) from None
    if not low <= number <= high:
        raise CellError(
            f"{name} must be between {low} and {high} to fit C's {c_name(kind)}, got {number}; choose a smaller one or"
            " another type"
        )
    return number % 256 if kind is ctypes.c_char else bool(number) if kind is ctypes.c_bool else number


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
    _back: list[Callable[[list[bytearray]], None]] = field(default_factory=list)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(block.nbytes for block in self.blocks)

    @classmethod
    def of(cls, function: Function, arguments: Mapping[str, Any]) -> "Packed":
        packed = cls()
        packed.values = [packed.value(arguments[name], kind, name) for name, kind in function.parameters.items()]
        return packed

    def value(self, value: Any, kind: Any, name: str) -> Any:
        if not is_pointer(kind):
            return scalar(value, kind, name)
        if value is None:
            return None
        element = getattr(kind, "element", None)
        if isinstance(value, Mapping) and isinstance(element, type) and issubclass(element, ctypes.Structure):
            return self.structure(value, element, name)
        if isinstance(value, bytes) and element is None:
            return self._add(name, memoryview(value + b"\0"), 1)
        return self.array(value, element, name)

    def array(self, array: Any, element: Any, name: str) -> Block:
        expected = f"of {c_name(element)}" if element else "or bytes"
        if not isinstance(array, np.ndarray):
            raise CellError(
                f"{name} must be a numpy array {expected} for C's pointer, got {type(array).__name__}; convert it with"
                " np.array()"
            )
        if element and array.dtype != np.dtype(element):
            raise CellError(
                f"{name} must have dtype {np.dtype(element)} for C's {c_name(element)} *, got {array.dtype}; convert it"
                " with .astype()"
            )
        if array.dtype.hasobject:
            raise CellError(f"{name} must hold numbers, got dtype {array.dtype}; C cannot read Python objects")
        if not array.flags.c_contiguous:
            raise CellError(f"{name} must be contiguous, got a strided view; pass np.ascontiguousarray({name})")
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
        self._back.append(lambda returned: _give_back(array, returned[block.number], name))
        return block

    def structure(self, fields: Mapping[str, Any], kind: type[ctypes.Structure], name: str) -> Block:
        """Add a structure with these fields as a block; C's changes come back into the dict."""
        record, pointed = kind(), []
        declared = dict(getattr(kind, "_fields_", ()))
        for member, value in fields.items():
            label = f"{name}.{member}".lstrip(".")
            if member not in declared:
                owner, known = name or "the arguments", ", ".join(declared)
                raise CellError(
                    f"{owner} must have fields of struct {kind.__name__} ({known}), got {member!r}; leave it out or"
                    " rename it"
                )
            if is_pointer(declared[member]):
                target = self.value(value, getattr(kind, "_pointers_", {}).get(member, ctypes.c_void_p), label)
                if target is not None:
                    pointed.append((getattr(kind, member).offset, target.number))
            elif issubclass(declared[member], ctypes._SimpleCData):
                setattr(record, member, scalar(value, declared[member], label))
            else:
                _set_inside(record, member, value, label)
        block = self._add(name, memoryview(bytes(record)), ctypes.sizeof(record))
        self.pointers += [(block.number, offset, target) for offset, target in pointed]
        numbers = [m for m, t in declared.items() if issubclass(t, ctypes._SimpleCData) and t is not ctypes.c_void_p]

        def update(returned: list[bytearray]) -> None:
            changed = kind.from_buffer_copy(returned[block.number])
            if isinstance(fields, dict):
                fields.update({member: getattr(changed, member) for member in numbers})

        self._back.append(update)
        return block

    def _add(self, name: str, block: memoryview, element_bytes: int) -> Block:
        self.blocks.append(block)
        self.described.append((name, max(1, element_bytes), block.nbytes // max(1, element_bytes)))
        return Block(len(self.blocks) - 1)

    def give_back(self, returned: list[bytearray]) -> None:
        """Copy C's changes into the caller's arrays and dicts."""
        for back in self._back:
            back(returned)


def _give_back(array: np.ndarray, returned: bytearray, name: str) -> None:
    changed = np.frombuffer(returned, array.dtype).reshape(array.shape)
    if array.flags.writeable:
        array[...] = changed
    elif returned != array.tobytes():
        raise CellError(f"{name} must not be written to, and the C code changed it; pass a writeable copy")


def _set_inside(record: ctypes.Structure, member: str, value: Any, label: str) -> None:
    """Set an array inside a structure from a sequence of the same length."""
    kind: Any = dict(record._fields_)[member]  # type: ignore[arg-type]  # pairs: declarations with bit-fields are refused
    if not issubclass(kind, ctypes.Array) or not issubclass(kind._type_, ctypes._SimpleCData):
        raise CellError(
            f"{label} must be a number or an array of numbers to be set from Python, got {c_name(kind)}; set it"
            " inside C"
        )
    numbers = np.ravel(value).tolist()
    if len(numbers) != kind._length_:
        raise CellError(f"{label} must have {kind._length_} numbers, got {len(numbers)}; give all of them")
    setattr(record, member, kind(*(scalar(number, kind._type_, label) for number in numbers)))
