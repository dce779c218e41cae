"""C's types as a compiler laid them out: sizes, offsets and names, for whoever passes values between Python and C.

`void` is None. A parameter `T a[3]` is a pointer, as in C; a pointer to an array of arrays keeps their extents.
"""

import math
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Number:
    """An arithmetic type; `kind` is int, bool, char, float or complex, and `name` is C's."""

    name: str
    kind: str
    bytes: int
    signed: bool = True

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and largest value of an integer type.

        >>> Number("signed char", "int", 1).bounds, Number("_Bool", "bool", 1, False).bounds
        ((-128, 127), (0, 1))
        """
        bits = 1 if self.kind == "bool" else 8 * self.bytes
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if self.signed else (0, (1 << bits) - 1)


@dataclass(frozen=True)
class Enumeration:
    """An enumeration with its enumerators, stored as `number`."""

    tag: str
    number: Number
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Pointer:
    """A pointer to `target`; `const`: C promises not to write there."""

    target: "Type"
    const: bool = False


@dataclass(frozen=True)
class Array:
    """Elements that are no arrays themselves. An extent is None if it is known only at run time, or left out.

    `vector`: a type of GNU C that is passed in vector registers.
    """

    element: "Type"
    shape: tuple[int | None, ...]
    vector: bool = False


@dataclass(eq=False)
class Record:
    """A structure or union; `keyword` says which. `bytes` is None for one that is only declared.

    Members of a nameless member are members of this record. Members that lie at the same place, as in a union, have the
    same `group`. `fault` says why its layout is not known, where debug information contradicts itself.
    """

    keyword: str
    tag: str
    bytes: int | None
    members: list["Member"] = field(default_factory=list)
    alias: str = ""  # the name of a typedef
    fault: str = ""  # why the layout is not known


@dataclass(frozen=True)
class Member:
    """A member at an offset in bytes; a bit-field at an offset in bits, with its width (`bits`)."""

    name: str
    type: "Type"
    offset: int
    bits: int | None = None
    bit_offset: int = 0
    group: int | None = None


@dataclass(frozen=True)
class Other:
    """A type without a counterpart in Python, and what it is: "a function", "a decimal number" …"""

    name: str
    what: str


Type: TypeAlias = Number | Enumeration | Pointer | Array | Record | Other | None


@dataclass(frozen=True)
class Parameter:
    """A parameter, its type, how C spells the type ("" if it has no name), and its place in the source."""

    name: str
    type: Type
    spelling: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Function:
    """A function that other files can call.

    `symbol` is its name for the linker. `prototyped` is False for a definition in the style of before 1989, whose
    arguments C converts differently. `file` and `line` tell where it begins.
    """

    name: str
    symbol: str
    result: Type
    result_spelling: str
    parameters: tuple[Parameter, ...]
    variadic: bool
    prototyped: bool
    file: str = ""
    line: int = 0


@dataclass
class Declarations:
    """Functions by name, structures and unions by tag or by the name of a typedef, enumerators by name."""

    functions: dict[str, Function] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


def size_of(kind: Type) -> int:
    """Return a type's size in bytes; that of an array without a constant extent is 0."""
    match kind:
        case Number():
            return kind.bytes
        case Enumeration():
            return kind.number.bytes
        case Array():
            return size_of(kind.element) * math.prod(extent or 0 for extent in kind.shape)
        case Pointer():
            return 8
        case Record():
            return kind.bytes or 0
        case _:
            return 0


def spelled(kind: Type) -> str:
    """Return the type as a programmer writes it, for messages.

    >>> spelled(Pointer(Array(Number("double", "float", 8), (3,)), const=True))
    'const double (*)[3]'
    """
    match kind:
        case None:
            return "void"
        case Number() | Other():
            return kind.name
        case Enumeration():
            return f"enum {kind.tag}".rstrip()
        case Record():
            return kind.alias if kind.alias and not kind.tag else f"{kind.keyword} {kind.tag or '(unnamed)'}"
        case Array():
            extents = "".join(f"[{extent if extent is not None else ''}]" for extent in kind.shape)
            return f"{spelled(kind.element)} {'vector ' if kind.vector else ''}{extents}"
        case Pointer(target=Array(vector=False) as rows):
            inside, extents = spelled(rows).split(" [", 1)
            return f"{'const ' if kind.const else ''}{inside} (*)[{extents}"
        case Pointer(target=Other(what="a function", name=result)):
            return f"{result} (*)()"
        case Pointer():
            target = spelled(kind.target)
            return f"{'const ' if kind.const else ''}{target}{'' if target.endswith('*') else ' '}*"


def prototype(function: Function) -> str:
    """Return a function's declaration in one line."""
    parameters = [_declared(each.type, each.name) for each in function.parameters] + ["..."] * function.variadic
    return f"{_declared(function.result, function.name)}({', '.join(parameters) or 'void'})"


def _declared(kind: Type, name: str) -> str:
    written = spelled(kind)
    if "(*)" in written:
        return written.replace("(*)", f"(*{name})", 1)
    return f"{written}{'' if written.endswith('*') else ' '}{name}"
