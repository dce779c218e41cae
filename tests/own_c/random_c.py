"""Structures, unions and signatures for hypothesis, as C writes them, with values and with C that reads each member.

A structure's value is a dict as a cell takes it. C reads and writes the members by their names, so that a wrong offset
on the Python side is seen; integers travel through an array of uint64_t, other numbers through one of double.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

CHANNELS = "uint64_t *ints, double *reals"
PRELUDE = """#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum shade { DARK = -70000, LIGHT = 70000 };
"""


@dataclass(frozen=True)
class Scalar:
    """A number type: its C name, kind (int, bool, char, real or complex), and bits of an integer or of a part."""

    c: str
    kind: str
    bits: int
    signed: bool = True


@dataclass(frozen=True)
class Array:
    element: "Scalar | Record"
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Member:
    """A member; without a name its members belong to what it stands in, or it is padding between bit-fields."""

    name: str
    type: "Type"
    bits: int | None = None
    attribute: str = ""


@dataclass(frozen=True)
class Record:
    """A structure or union. Without a tag it is defined where it is used. `pack` is that of #pragma pack."""

    keyword: str
    tag: str
    members: tuple[Member, ...]
    attribute: str = ""
    pack: int = 0


Type: TypeAlias = Scalar | Array | Record
Leaf: TypeAlias = tuple[str, Scalar, Any]  # how C names the number, its type, its value

INTEGERS = tuple(
    Scalar(name, "int", bits, signed)
    for name, bits, signed in (
        ("signed char", 8, True),
        ("uint8_t", 8, False),
        ("short", 16, True),
        ("unsigned short", 16, False),
        ("int", 32, True),
        ("unsigned", 32, False),
        ("int64_t", 64, True),
        ("unsigned long long", 64, False),
    )
)
WIDE = (Scalar("__int128", "int", 128), Scalar("unsigned __int128", "int", 128, False))
BOOL, CHAR, SHADE = Scalar("_Bool", "bool", 1, False), Scalar("char", "char", 8), Scalar("enum shade", "int", 32)
REALS = (Scalar("float", "real", 32), Scalar("double", "real", 64), Scalar("long double", "real", 64))
COMPLEX = (Scalar("float _Complex", "complex", 32), Scalar("double _Complex", "complex", 64))
SCALARS = (*INTEGERS, *WIDE, BOOL, CHAR, SHADE, *REALS, *COMPLEX)
# Of these a pointer takes a numpy array.
ELEMENTS = (*INTEGERS, BOOL, *REALS, *COMPLEX)
FEW = 12  # numbers in what stands inside an array or as an earlier record: a chain of arrays of records grows fast
ATTRIBUTES = ("", "", "", "packed", "aligned(16)", "packed, aligned(4)")


@st.composite
def records(draw, tag: str, earlier: tuple[Record, ...] = (), prefix: str = "m", depth: int = 2) -> Record:
    """A structure or union of one to six members; those of `earlier` may stand inside."""
    keyword = draw(st.sampled_from(("struct", "struct", "struct", "union")))
    members = [draw(_members(f"{prefix}{i}", earlier, depth)) for i in range(draw(st.integers(1, 6)))]
    if not any(member.name or isinstance(member.type, Record) for member in members):
        members.append(Member(f"{prefix}last", draw(st.sampled_from(INTEGERS))))
    pack = draw(st.sampled_from((0, 0, 0, 1, 2, 4))) if tag else 0
    return Record(keyword, tag, tuple(members), draw(st.sampled_from(ATTRIBUTES)), pack)


@st.composite
def _members(draw, name: str, earlier: tuple[Record, ...], depth: int) -> Member:
    kind = draw(st.sampled_from(("number", "number", "array", "array", "bits", "bits", "record", "earlier")))
    if kind == "bits":
        number = draw(st.sampled_from((*INTEGERS, BOOL)))
        named = draw(st.integers(0, 5)) > 0
        # A field as wide as its type is no bit-field in clang's debug information: see corpus/structures/crossing.c.
        most = max(1, number.bits - 1)
        return Member(name if named else "", number, draw(st.integers(1 if named else 0, most)))
    attribute = draw(st.sampled_from(("", "", "", "", "packed", "aligned(8)", "aligned(32)")))
    inside: Scalar | Record = draw(st.sampled_from(SCALARS))
    if kind == "record" and depth:
        inside = draw(records("", (), f"{name}_", depth - 1))
        if not draw(st.booleans()):
            return Member("" if draw(st.booleans()) else name, inside)
    elif kind == "earlier" and (small := [each for each in earlier if count(each) <= FEW]):
        inside = draw(st.sampled_from(small))
    if kind == "number" or count(inside) > FEW:
        return Member(name, inside, attribute=attribute)
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    return Member(name, Array(inside, shape), attribute=attribute)


def count(kind: Type) -> int:
    """How many numbers a type holds."""
    if isinstance(kind, Array):
        return math.prod(kind.shape) * count(kind.element)
    return sum(count(member.type) for member in kind.members) if isinstance(kind, Record) else 1


@dataclass(frozen=True)
class Parameter:
    """A parameter: by value if `pointer` is False, else a pointer to a structure or to a numpy array's elements."""

    name: str
    type: Type
    pointer: bool = False

    @property
    def c(self) -> str:
        if isinstance(self.type, Array):
            return f"const {written(self.type.element)} {self.name}{_extents(self.type.shape)}"
        return f"const {written(self.type)} *{self.name}" if self.pointer else f"{written(self.type)} {self.name}"


@dataclass(frozen=True)
class Signature:
    """A function of these parameters, which gives one of them back, or nothing (-1)."""

    name: str
    parameters: tuple[Parameter, ...]
    result: int


@st.composite
def signatures(draw, name: str, known: tuple[Record, ...]) -> Signature:
    parameters = []
    for i in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(("number", "number", "record", "pointer", "array")))
        if kind == "number":
            parameters.append(Parameter(f"p{i}", draw(st.sampled_from(SCALARS))))
        elif kind == "array":
            shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
            parameters.append(Parameter(f"p{i}", Array(draw(st.sampled_from(ELEMENTS)), shape), True))
        else:
            parameters.append(Parameter(f"p{i}", draw(st.sampled_from(known)), kind == "pointer"))
    values = [-1, *(i for i, each in enumerate(parameters) if not each.pointer)]
    return Signature(name, tuple(parameters), draw(st.sampled_from(values)))


def written(kind: Scalar | Record) -> str:
    """The type before a name: a number's name, a tag, or the whole text of a record without one."""
    if isinstance(kind, Scalar):
        return kind.c
    return f"{kind.keyword} {kind.tag}" if kind.tag else _body(kind)


def definition(record: Record) -> str:
    """The C text that defines a record with a tag."""
    text = f"{_body(record)};\n"
    return f"#pragma pack(push, {record.pack})\n{text}#pragma pack(pop)\n" if record.pack else text


def _body(record: Record) -> str:
    attribute = f" __attribute__(({record.attribute}))" if record.attribute else ""
    members = " ".join(map(_declared, record.members))
    return f"{record.keyword}{attribute} {record.tag}{' ' if record.tag else ''}{{ {members} }}"


def _declared(member: Member) -> str:
    element, shape = (member.type.element, member.type.shape) if isinstance(member.type, Array) else (member.type, ())
    name = f" {member.name}{_extents(shape)}" if member.name else ""
    bits = f" : {member.bits}" if member.bits is not None else ""
    attribute = f" __attribute__(({member.attribute}))" if member.attribute else ""
    return f"{written(element)}{name}{bits}{attribute};"


def _extents(shape: tuple[int, ...]) -> str:
    return "".join(f"[{extent}]" for extent in shape)


def value_of(kind: Type, chance: random.Random, bits: int | None = None) -> Any:
    """A value as a cell takes it; of a union, one member's."""
    if isinstance(kind, Scalar):
        return _number(kind, chance, bits)
    if isinstance(kind, Array):
        if kind.element == CHAR and len(kind.shape) == 1:
            return bytes(chance.randrange(1, 256) for _ in range(chance.randrange(kind.shape[0] + 1)))
        inner = Array(kind.element, kind.shape[1:]) if len(kind.shape) > 1 else kind.element
        return [value_of(inner, chance) for _ in range(kind.shape[0])]
    members = [each for each in kind.members if each.name or isinstance(each.type, Record)]
    if kind.keyword == "union":
        members = [chance.choice(members)]
    value: dict[str, Any] = {}
    for member in members:
        inside = value_of(member.type, chance, member.bits)
        value |= {member.name: inside} if member.name else inside
    return value


def _number(kind: Scalar, chance: random.Random, bits: int | None) -> Any:
    if kind.kind == "bool":
        return chance.random() < 0.5
    if kind.kind == "char":
        return bytes([chance.randrange(256)])
    if kind.kind == "int":
        width = kind.bits if bits is None else bits
        number = chance.getrandbits(width)
        return number - (1 << width) if kind.signed and number >> (width - 1) else number
    parts = [float(np.dtype(f"f{kind.bits // 8}").type(chance.uniform(-1e6, 1e6))) for _ in range(2)]
    return complex(*parts) if kind.kind == "complex" else parts[0]


def zero_of(value: Any) -> Any:
    """A value of the same members, all zero, for C to fill in."""
    if isinstance(value, dict):
        return {name: zero_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return [zero_of(each) for each in value]
    return b"\0" if isinstance(value, bytes) and len(value) == 1 else type(value)()


def leaves(kind: Type, value: Any, place: str) -> Iterator[Leaf]:
    """The numbers in a value, in the order in which C reads and writes them."""
    if isinstance(kind, Scalar):
        yield place, kind, value
    elif isinstance(kind, Array):
        if isinstance(value, bytes):
            value = [bytes([byte]) for byte in value.ljust(kind.shape[0], b"\0")]
        inner = Array(kind.element, kind.shape[1:]) if len(kind.shape) > 1 else kind.element
        for i, each in enumerate(value):
            yield from leaves(inner, each, f"{place}[{i}]")
    else:
        for member in kind.members:
            if member.name and member.name in value:
                yield from leaves(member.type, value[member.name], f"{place}.{member.name}")
            elif not member.name and isinstance(member.type, Record):
                yield from leaves(member.type, value, place)


def channels(found: list[Leaf]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers as C passes them: integers modulo 2^64, those of 128 bits in two; real and imaginary parts."""
    ints, reals = [], []
    for _, kind, value in found:
        if kind.kind == "real":
            reals.append(value)
        elif kind.kind == "complex":
            reals += [value.real, value.imag]
        else:
            number = value[0] if kind.kind == "char" else int(value)
            ints += [number >> shift & (1 << 64) - 1 for shift in ((0, 64) if kind.bits == 128 else (0,))]
    return np.array([*ints, 0], np.uint64), np.array([*reals, 0.0])


def reading(found: list[Leaf]) -> str:
    """Statements that copy the numbers into the channels."""
    return " ".join(_reading(place, kind) for place, kind, _ in found)


def _reading(place: str, kind: Scalar) -> str:
    if kind.kind == "real":
        return f"*reals++ = (double){place};"
    if kind.kind == "complex":
        return f"*reals++ = __real__ {place}; *reals++ = __imag__ {place};"
    if kind.kind == "char":
        return f"*ints++ = (unsigned char){place};"
    high = f" *ints++ = (uint64_t)((unsigned __int128){place} >> 64);" if kind.bits == 128 else ""
    return f"*ints++ = (uint64_t){place};{high}"


def writing(found: list[Leaf]) -> str:
    """Statements that set the numbers from the channels."""
    return " ".join(_writing(place, kind) for place, kind, _ in found)


def _writing(place: str, kind: Scalar) -> str:
    if kind.kind == "real":
        return f"{place} = *reals++;"
    if kind.kind == "complex":
        return f"__real__ {place} = *reals++; __imag__ {place} = *reals++;"
    if kind.bits == 128:
        return f"{place} = ({kind.c})((unsigned __int128)ints[1] << 64 | ints[0]); ints += 2;"
    return f"{place} = ({kind.c})*ints++;"
