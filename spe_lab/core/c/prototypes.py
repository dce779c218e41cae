"""Reads C declarations, so that a signature or a structure is written once: in the C file.

Function bodies are blanked and preprocessor lines dropped; pycparser parses the plain declarations that remain. It
supports the types that kernels use: the fixed-width integers, double and float, pointers to them and to structures,
structures of those, arrays of constant length, and enumerations. Layouts that ctypes and the C compiler would choose
differently (bit-fields, alignment, packing) are refused. A structure whose members only the system's headers describe
(threads, locks) has no fields: C passes pointers to it, and Python does not access it.
"""

import contextlib
import ctypes
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from spe_lab.core.errors import SpeLabError

_SCALARS = {
    "int8_t": ctypes.c_int8,
    "uint8_t": ctypes.c_uint8,
    "int16_t": ctypes.c_int16,
    "uint16_t": ctypes.c_uint16,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "uintptr_t": ctypes.c_size_t,
    "intptr_t": ctypes.c_ssize_t,
    "char": ctypes.c_char,
    "signed char": ctypes.c_int8,
    "unsigned char": ctypes.c_uint8,
    "short": ctypes.c_short,
    "unsigned short": ctypes.c_ushort,
    "int": ctypes.c_int,
    "unsigned": ctypes.c_uint,
    "long": ctypes.c_long,
    "unsigned long": ctypes.c_ulong,
    "long long": ctypes.c_longlong,
    "unsigned long long": ctypes.c_ulonglong,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "_Bool": ctypes.c_bool,
    "bool": ctypes.c_bool,
}
_INTEGERS = set(_SCALARS.values()) - {ctypes.c_char, ctypes.c_float, ctypes.c_double, ctypes.c_bool}
_OPAQUE = ("pthread_t", "pthread_mutex_t", "pthread_cond_t", "cpu_set_t")
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
# On one line, so that messages count lines as the source does.
_C_STANDARD = "".join(
    f"typedef int {name}; " for name in (*_SCALARS, *_OPAQUE) if name.endswith("_t") or name == "bool"
)


class _OpaqueError(Exception):
    """A type whose size only the system's headers know."""


@dataclass(frozen=True)
class Function:
    """The signature of a C function in ctypes types; `parameters` maps each name to its type, in order."""

    name: str
    result: Any
    parameters: dict[str, Any]


@dataclass
class Declarations:
    """The non-static functions, the structures by tag and the enumerators by name of a C file."""

    functions: dict[str, Function] = field(default_factory=dict)
    structures: dict[str, type[ctypes.Structure]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


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


def bounds(kind: type) -> tuple[int, int]:
    """Return the least and largest number of an integer type; plain char is signed, as with gcc on x86.

    >>> bounds(ctypes.c_int8), bounds(ctypes.c_bool)
    ((-128, 127), (0, 1))
    """
    bits = 1 if kind is ctypes.c_bool else 8 * ctypes.sizeof(kind)
    signed = kind is ctypes.c_char or kind(-1).value < 0
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


@cache
def whole_number(kind: type) -> type:
    """Return an argument type that refuses numbers out of range; ctypes would keep their lowest bits."""
    low, high = bounds(kind)

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


def argument_type(kind: Any) -> Any:
    """Return the ctypes type of an argument for a parameter of type `kind`."""
    return whole_number(kind) if kind in _INTEGERS else kind


def read(source: Path, *folders: Path) -> Declarations:
    """Return the declarations of a C file and of its includes, from beside it or from `folders`."""
    return parse(_declarations_in(source, folders), source.name)


def parse(text: str, name: str = "the source") -> Declarations:
    """Return the declarations in C source text.

    >>> text = "struct s { double x[2]; }; static int f(void) { return 1; } double g(struct s *s, int n) { return n; }"
    >>> found = parse(text)
    >>> list(found.functions), ctypes.sizeof(found.structures["s"]), list(found.functions["g"].parameters)
    (['g'], 16, ['s', 'n'])
    """
    from pycparser import c_ast, c_parser

    try:
        tree = c_parser.CParser().parse(_C_STANDARD + declarations_only(text), name)
    except RecursionError:
        raise SpeLabError(
            f"{name} must have declarations that nest less deeply than Python's stack; simplify them, or make the"
            " function static"
        ) from None
    except Exception as error:  # pycparser 2 and 3 raise different classes
        if type(error).__module__.partition(".")[0] != "pycparser":
            raise
        cure = "simplify that declaration, or make the function static"
        raise SpeLabError(
            f"{name} must contain C that pycparser can read outside of function bodies: {error}; {cure}"
        ) from None
    reader = _Reader(c_ast)
    for node in tree.ext:
        reader.visit(node)
    return reader.found


def declarations_only(text: str) -> str:
    """Return the declarations in C text; all else is blanked, so that lines keep their numbers."""

    def blank(match: re.Match) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    def without_content(match: re.Match) -> str:
        first = match.group()[0]
        return '""' if first == '"' else "0" if first == "'" else blank(match)

    def without_effect(match: re.Match) -> str:
        return match.group() if re.search("packed|aligned", match.group()) else blank(match)

    # One pass from left to right: a comment may hold quotes, and a string may hold what looks like a comment.
    text = re.sub(
        r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", without_content, text, flags=re.DOTALL
    )
    text = re.sub(r"^[ \t]*#(\\\n|[^\n])*", blank, text, flags=re.MULTILINE)
    text = re.sub(r"\b(__restrict__|__restrict|__inline__|__extension__)\b", "", text)
    text = _ATTRIBUTE.sub(without_effect, text)
    out, depth, body, previous = [], 0, False, ""
    for character in text:
        if character == "{":
            body = body or (depth == 0 and previous == ")")
            depth += 1
        if not body or character == "\n":
            out.append(character)
        if character == "}":
            depth -= 1
            if depth == 0 and body:
                out.append(";")
                body = False
        if not character.isspace():
            previous = character
    # Drop static functions: nobody outside calls them, and they may take types that only the system's headers describe.
    declared = re.sub(r"\bstatic\b[^;{}=]*\([^;{}=]*\)\s*;", blank, "".join(out))
    if layout := _ATTRIBUTE.search(declared):
        raise SpeLabError(
            f"a declaration's layout must be C's default, got {layout.group()}; pad the structure with an array instead"
        )
    return declared


def _declarations_in(source: Path, folders: Sequence[Path], seen: frozenset = frozenset()) -> str:
    """Return declarations_only() of a file, with those of its includes before them on the first line."""
    text = source.read_text(encoding="utf-8")
    declared = declarations_only(text)
    for included in re.findall(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', text, flags=re.MULTILINE):
        path = next((folder / included for folder in (source.parent, *folders) if (folder / included).exists()), None)
        if path and path not in seen:
            declared = _declarations_in(path, folders, seen | {source}).replace("\n", " ") + declared
    return declared


class _Reader:
    """Walks pycparser's tree of declarations; types named earlier are looked up in `found`."""

    def __init__(self, c_ast: Any) -> None:
        self.c = c_ast
        self.found = Declarations()
        self.types = dict(_SCALARS)
        self.opaque: set[str] = set()  # tags of structures that hold what only the system's headers describe

    def visit(self, node: Any) -> None:
        if isinstance(node, self.c.Typedef):
            if node.name not in self.types:
                self.types[node.name] = self.type_of(node.type)
        elif isinstance(node, self.c.Decl):
            if isinstance(node.type, self.c.FuncDecl):
                if "static" not in node.storage:
                    self.found.functions[node.name] = self.function(node)
            else:
                self.tags_in(node.type)

    def tags_in(self, node: Any) -> None:
        """Register a structure or an enumeration that is declared here, with or without a variable."""
        while node is not None and not isinstance(node, self.c.Struct | self.c.Enum):
            node = getattr(node, "type", None)
            if isinstance(node, list):  # an IdentifierType has names, no type
                return
        if node is not None:
            with contextlib.suppress(_OpaqueError):  # a pointer needs only its name
                self.type_of(node)

    def function(self, node: Any) -> Function:
        parameters = {}
        for i, parameter in enumerate(node.type.args.params if node.type.args else ()):
            if isinstance(parameter, self.c.EllipsisParam):
                rule = "a kernel must declare its parameters"
                raise SpeLabError(f"{rule}, and {node.name} takes any number of them; write one function for each use")
            is_array = isinstance(parameter.type, self.c.ArrayDecl)  # C passes its address
            kind = self.pointer_to(parameter.type.type) if is_array else self.type_of(parameter.type)
            if kind is not None:
                parameters[parameter.name or f"argument{i}"] = kind
        return Function(node.name, self.type_of(node.type.type), parameters)

    def type_of(self, node: Any):
        c = self.c
        if isinstance(node, c.TypeDecl):
            return self.type_of(node.type)
        if isinstance(node, c.IdentifierType):
            return self.named(" ".join(node.names))
        if isinstance(node, c.Struct):
            return self.structure(node)
        if isinstance(node, c.Enum):
            return self.enumeration(node)
        if isinstance(node, c.PtrDecl):
            return self.pointer_to(node.type)
        if isinstance(node, c.ArrayDecl):
            return self.type_of(node.type) * self.constant(node.dim)
        raise SpeLabError(
            f"a kernel's declaration must use supported C types, got {type(node).__name__}; pass it through a pointer"
            " or a structure"
        )

    def pointer_to(self, node: Any):
        try:
            target = None if isinstance(node, self.c.FuncDecl) else self.type_of(node)
        except _OpaqueError:
            target = None
        simple = isinstance(target, type) and issubclass(target, ctypes._SimpleCData | ctypes.Structure)
        if not simple or issubclass(target, ctypes.c_char | ctypes.c_void_p):
            return ctypes.c_void_p
        return array_pointer(target, "const" in getattr(node, "quals", ()))

    def named(self, name: str):
        if name == "void":
            return None
        if name in _OPAQUE:
            raise _OpaqueError(name)
        if name not in self.types:
            # "long unsigned int" is "unsigned long"
            words = sorted((word for word in name.split() if word not in ("int", "signed")), reverse=True)
            if (plain := " ".join(words) or "int") not in self.types:
                raise SpeLabError(
                    f"a kernel's types must be known, got {name!r}; use a type of <stdint.h>, float, double or a struct"
                )
            name = plain
        return self.types[name]

    def structure(self, node: Any):
        tag = node.name or f"unnamed at {node.coord}"
        if tag not in self.found.structures:
            self.found.structures[tag] = type(tag, (ctypes.Structure,), {})
        kind: Any = self.found.structures[tag]  # Any: _pointers_ is an attribute of ours
        if tag in self.opaque:
            raise _OpaqueError(tag)
        if node.decls and not hasattr(kind, "_fields_"):
            for member in node.decls:
                if member.bitsize or member.align:
                    place = f"{member.name} of struct {node.name or '(unnamed)'}"
                    cure = "pad the structure with an array instead"
                    raise SpeLabError(f"a structure's layout must be C's default, got {place}; {cure}")
            # A pointer inside a structure holds an address: ctypes cannot store the argument converter there.
            try:
                kind._fields_ = [(member.name, self.stored(member.type)) for member in node.decls]
                pointers = [member for member in node.decls if isinstance(member.type, self.c.PtrDecl)]
                kind._pointers_ = {member.name: self.type_of(member.type) for member in pointers}
            except _OpaqueError:
                self.opaque.add(tag)
                raise
        return kind

    def stored(self, node: Any):
        kind = self.type_of(node)
        return ctypes.c_void_p if isinstance(kind, type) and issubclass(kind, ctypes.c_void_p) else kind

    def enumeration(self, node: Any):
        value = -1
        for item in node.values.enumerators if node.values else ():
            value = self.constant(item.value) if item.value else value + 1
            self.found.constants[item.name] = value
        return ctypes.c_int

    def constant(self, node: Any) -> int:
        if isinstance(node, self.c.Constant):
            return int(node.value.rstrip("uUlL"), 0)
        if isinstance(node, self.c.UnaryOp) and node.op == "-":
            return -self.constant(node.expr)
        if isinstance(node, self.c.ID) and node.name in self.found.constants:
            return self.found.constants[node.name]
        raise SpeLabError("a constant in a declaration must be a number or an enumerator; write it out")
