"""ctypes for the kernels: argument types that check what they are given, and structures laid out as C has them."""

import contextlib
import ctypes
import operator
from functools import cache
from typing import Any

from spe_lab.core.c.ctype import Array, Enumeration, Function, Number, Pointer, Record, Type, spelled
from spe_lab.core.errors import SpeLabError

_WHOLE = [getattr(ctypes, f"c_{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)]
_SCALARS = {("int", kind(-1).value < 0, ctypes.sizeof(kind)): kind for kind in _WHOLE} | {
    ("char", True, 1): ctypes.c_char,
    ("char", False, 1): ctypes.c_char,
    ("bool", False, 1): ctypes.c_bool,
    ("float", True, 4): ctypes.c_float,
    ("float", True, 8): ctypes.c_double,
}


def array_pointer(element: type, const: bool = False) -> type:
    """Return a pointer type that accepts a numpy array of this element type, an address, or None.

    It refuses arrays of another type or not contiguous, before C can misread them. It refuses read-only arrays, unless
    C promises not to write to them (`const`).
    """
    return _pointer(element, const)


@cache
def _pointer(element: Any, const: bool) -> type:
    def from_param(cls: type, argument: Any):
        import numpy as np

        if isinstance(argument, np.ndarray):
            if argument.dtype != np.dtype(element):
                raise SpeLabError(
                    f"an array for C must have dtype {np.dtype(element)}, got {argument.dtype}; convert it with"
                    " .astype()"
                )
            if not argument.flags.c_contiguous:
                raise SpeLabError(
                    "an array for C must be contiguous, got a strided view; pass np.ascontiguousarray(array)"
                )
            if not argument.flags.aligned:
                raise SpeLabError(
                    "an array for C must be aligned to its elements, got one that begins in between; pass array.copy()"
                )
            if not (const or argument.flags.writeable):
                raise SpeLabError("an array that C writes to must be writeable, got a read-only one; pass array.copy()")
            return ctypes.c_void_p(argument.ctypes.data)
        if argument is None or (isinstance(argument, int) and not isinstance(argument, bool)):
            return ctypes.c_void_p(argument)
        if isinstance(argument, element):
            return ctypes.c_void_p(ctypes.addressof(argument))
        raise SpeLabError(
            f"a pointer argument for C must be a numpy array, a {element.__name__} or an address, got"
            f" {type(argument).__name__}; convert it first"
        )

    return type(
        f"{element.__name__}_pointer",
        (ctypes.c_void_p,),
        {"from_param": classmethod(from_param), "element": element, "const": const},
    )


@cache
def whole_number(kind: type) -> type:
    """Return an argument type that refuses numbers out of range; ctypes would keep their lowest bits."""
    low, high = Number(kind.__name__, "int", ctypes.sizeof(kind), kind(-1).value < 0).bounds

    def from_param(cls: type, argument: Any):
        if isinstance(argument, kind):
            return argument
        try:
            number = operator.index(argument)
        except TypeError:
            raise SpeLabError(
                f"a whole number is needed here for C, got {argument!r:.40}; convert it with int()"
            ) from None
        if not low <= number <= high:
            raise SpeLabError(
                f"a number for C must be between {low} and {high} here, got {number}; choose one in that range"
            )
        return kind(number)

    return type(f"checked_{kind.__name__}", (kind,), {"from_param": classmethod(from_param)})


def scalar(kind: Type) -> Any:
    """Return the ctypes class of a number or an enumeration; None for one that ctypes cannot pass."""
    if isinstance(kind, Enumeration):
        kind = kind.number
    return _SCALARS.get((kind.kind, kind.signed, kind.bytes)) if isinstance(kind, Number) else None


def argument(kind: Type) -> Any:
    """Return the ctypes class of an argument of this type. Raise SpeLabError if a kernel cannot have it."""
    if isinstance(kind, Pointer):
        return _pointer_to(kind)
    found = scalar(kind)
    if found is None:
        raise SpeLabError(
            f"a kernel's argument must be a number or a pointer, got {spelled(kind)}; pass it through a pointer"
        )
    return whole_number(found) if found in _WHOLE else found


def result(function: Function) -> Any:
    """Return the ctypes class of a function's result; None for void."""
    if function.result is None:
        return None
    found = ctypes.c_void_p if isinstance(function.result, Pointer) else scalar(function.result)
    if found is None:
        raise SpeLabError(
            f"a kernel must return a number or nothing, and {function.name} returns {spelled(function.result)}; write"
            " through a pointer"
        )
    return found


def _pointer_to(kind: Pointer) -> type:
    target = kind.target.element if isinstance(kind.target, Array) else kind.target
    element = scalar(target)
    if isinstance(target, Record) and target.bytes:
        with contextlib.suppress(SpeLabError):  # Python passes a pointer to what it cannot look into
            element = structure(target)
    return ctypes.c_void_p if element in (None, ctypes.c_char) else array_pointer(element, kind.const)


@cache
def structure(record: Record) -> type[ctypes.Structure]:
    """Return a structure or union as a ctypes class with C's offsets.

    A pointer in it holds an address. Raises SpeLabError for another layout than C's default.
    """
    base: Any = ctypes.Structure if record.keyword == "struct" else ctypes.Union
    fields = [(member.name, _stored(member.type)) for member in record.members if member.bits is None]
    kind = type(record.tag or record.alias or "unnamed", (base,), {"_fields_": fields})
    offsets = {member.name: member.offset for member in record.members}
    if ctypes.sizeof(kind) == record.bytes and offsets == {name: getattr(kind, name).offset for name, _ in fields}:
        return kind
    raise SpeLabError(
        f"a kernel's structure must have C's default layout without bit-fields, got {spelled(record)}; pad it with an"
        " array instead"
    )


def _stored(kind: Type) -> Any:
    if isinstance(kind, Pointer):
        return ctypes.c_void_p
    if isinstance(kind, Record) and kind.bytes:
        return structure(kind)
    if isinstance(kind, Array):
        stored = _stored(kind.element)
        for extent in reversed(kind.shape):
            stored = stored * (extent or 0)
        return stored
    found = scalar(kind)
    if found is None:
        raise SpeLabError(
            f"a kernel's structure must hold numbers and pointers, got {spelled(kind)}; pass it otherwise"
        )
    return found
