"""Reads signatures and layouts from the debug information (DWARF) that the compiler writes beside its code.

So they are those that the compiler made, after the preprocessor and with its flags. pyelftools does the reading. A
library of Linux holds its debug information; on macOS the linker leaves it in the object file, which `native` keeps.
"""

import dataclasses
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

from spe_lab.core.c.ctype import (
    Array,
    Declarations,
    Enumeration,
    Function,
    Member,
    Number,
    Other,
    Parameter,
    Pointer,
    Record,
    Type,
    size_of,
)
from spe_lab.core.c.entries import files_of, is_set, name_of, number_of, target_of, text_of
from spe_lab.core.c.mach import debug_sections
from spe_lab.core.errors import SpeLabError

_KINDS = {  # DW_ATE_…
    0x02: ("bool", False),
    0x03: ("complex", True),
    0x04: ("float", True),
    0x05: ("int", True),
    0x06: ("int", True),
    0x07: ("int", False),
    0x08: ("int", False),
    0x10: ("int", False),  # char16_t and char32_t
}
_QUALIFIERS = ("const", "volatile", "restrict", "atomic")
_COMPLEX = {8: "float _Complex", 16: "double _Complex", 32: "long double _Complex"}
# Types of these names have a size that others have, too, and another format.
_ELSEWHERE = ("__bf16", "_Float128", "__float128", "_Float64x", "__ibm128")
_LONGEST = 1 << 26  # elements; an array type beyond it is none that Python would fill


def read(path: Path, *folders: Path) -> Declarations:
    """Return what a library or object file declares.

    Functions are those that it exports, in the order of the source. Enumerators, structures and unions are those of
    sources in `folders`, and those that the functions use: reading all that the system's headers declare takes 0.1 s.
    Raises SpeLabError if there is no debug information.
    """
    content = path.read_bytes()
    if content[:4] == b"\x7fELF":
        from elftools.elf.elffile import ELFFile

        elf = ELFFile(io.BytesIO(content))
        symbols: Any = elf.get_section_by_name(".dynsym")
        listed = symbols.iter_symbols() if symbols else ()  # a program exports nothing
        exported = {
            symbol.name
            for symbol in listed
            if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["type"] == "STT_FUNC"
        }
        debug = elf.get_dwarf_info(relocate_dwarf_sections=False) if elf.has_dwarf_info() else None
    else:
        exported, debug = None, debug_sections(content)
    if debug is None or not debug.debug_info_sec:
        if not exported:
            return Declarations()  # the compiler writes none about an empty file
        raise SpeLabError(
            "a library must hold debug information, from which types are read, and this one has none; leave out flags"
            " such as -s"
        )
    return _Reader(debug, exported, folders).found


class _Reader:
    """Walks the entries of the debug information. Types are kept by the offset of their entry."""

    def __init__(self, debug: Any, exported: set[str] | None, folders: tuple[Path, ...]) -> None:
        self.found = Declarations()
        self._exported = exported
        self._types: dict[int, Type] = {}
        functions: list[Function] = []
        for unit in debug.iter_CUs():
            self._files = files_of(debug.line_program_for_CU(unit))
            for entry in unit.get_top_DIE().iter_children():
                if entry.tag == "DW_TAG_subprogram":
                    functions += self._functions(entry)
                elif self._file(entry).parent in folders:
                    self._visit(entry)
        self.found.functions = {each.name: each for each in sorted(functions, key=lambda each: each.line)}

    def _file(self, entry: Any) -> Path:
        return self._files.get(number_of(entry, "decl_file"), Path())

    def _visit(self, entry: Any) -> None:
        """Note a type that is declared outside of functions."""
        if entry.tag in ("DW_TAG_enumeration_type", "DW_TAG_structure_type", "DW_TAG_union_type", "DW_TAG_typedef"):
            self._type(entry)

    def _functions(self, entry: Any) -> list[Function]:
        name = name_of(entry)
        if not name or not is_set(entry, "external") or is_set(entry, "declaration"):
            return []
        function = self._function(entry, name)
        return [function] if self._exported is None or function.symbol in self._exported else []

    def _function(self, entry: Any, name: str) -> Function:
        children = list(entry.iter_children())
        parameters: list[Parameter] = []
        for child in children:
            if child.tag == "DW_TAG_formal_parameter":
                parameters.append(
                    Parameter(
                        name_of(child) or f"argument{len(parameters)}",
                        self._type_of(child),
                        self._spelling(target_of(child)),
                        number_of(child, "decl_line"),
                        number_of(child, "decl_column"),
                    )
                )
        return Function(
            name,
            text_of(entry, "linkage_name") or name,
            self._type_of(entry),
            self._spelling(target_of(entry)),
            tuple(parameters),
            any(child.tag == "DW_TAG_unspecified_parameters" for child in children) and is_set(entry, "prototyped"),
            is_set(entry, "prototyped") or not parameters,
            self._file(entry).name,
            number_of(entry, "decl_line"),
        )

    def _type_of(self, entry: Any) -> Type:
        target = target_of(entry)
        return None if target is None else self._type(target)

    def _type(self, entry: Any) -> Type:
        if entry.offset in self._types:
            return self._types[entry.offset]
        if entry.tag in ("DW_TAG_structure_type", "DW_TAG_union_type"):
            return self._record(entry)  # remembers the type itself, since it may point to itself
        return self._types.setdefault(entry.offset, self._other_type(entry))

    def _other_type(self, entry: Any) -> Type:
        kind, name = entry.tag.removeprefix("DW_TAG_").removesuffix("_type"), name_of(entry)
        if kind in _QUALIFIERS:
            return self._type_of(entry)
        if kind == "typedef":
            if isinstance(named := self._type_of(entry), Record):
                named.alias = named.alias or name
                self.found.records.setdefault(name, named)
            return dataclasses.replace(named, name=name) if isinstance(named, Number) else named
        if kind == "base":
            return _base(entry, name)
        if kind == "enumeration":
            size = number_of(entry, "byte_size") or 4
            values = tuple(_enumerators(entry).items())
            self.found.constants.update(values)
            signed = any(value < 0 for _, value in values)
            if (underlying := target_of(entry)) is not None and isinstance(stored := self._type(underlying), Number):
                signed = stored.signed
            return Enumeration(name, Number(f"enum {name}".rstrip(), "int", size, signed), values)
        if kind == "pointer":
            target = target_of(entry)
            return Pointer(self._type_of(entry), target is not None and _is_const(target))
        if kind == "array":
            return self._array(entry)
        if kind == "subroutine":
            result = target_of(entry)
            return Other(self._spelling(result) or "void", "a function")
        return Other(name or kind, f"a type of kind {kind}")

    def _array(self, entry: Any) -> Type:
        element: Any = self._type_of(entry)
        shape = tuple(_extent(child) for child in entry.iter_children() if child.tag == "DW_TAG_subrange_type")
        if isinstance(element, Array):  # an array of a typedef of an array
            element, shape = element.element, shape + element.shape
        return Array(element, shape, is_set(entry, "GNU_vector"))

    def _record(self, entry: Any) -> Record:
        keyword = "struct" if entry.tag == "DW_TAG_structure_type" else "union"
        size = None if is_set(entry, "declaration") else number_of(entry, "byte_size")
        record = Record(keyword, name_of(entry), size)
        self._types[entry.offset] = record
        if record.tag and size is not None:
            self.found.records[record.tag] = record
        for child in entry.iter_children():
            if child.tag == "DW_TAG_member":
                record.members += self._members(child, 0 if keyword == "union" else None)
        if keyword == "struct" and _overlap(record.members):
            record.fault = "the compiler tells a wrong place for a bit-field that is as wide as its type"
        return record

    def _members(self, entry: Any, group: int | None) -> list[Member]:
        """Return a member, or those of a nameless structure or union inside."""
        kind, name = self._type_of(entry), name_of(entry)
        offset, bits, bit_offset = _place(entry)
        if name or not isinstance(kind, Record):
            return [Member(name, kind, offset, bits, bit_offset, group)] if name else []
        # Everything in a nameless union stands for the same place; so does everything in a nameless structure within a
        # union.
        own = group if group is not None else entry.offset if kind.keyword == "union" else None
        return [
            Member(
                each.name,
                each.type,
                each.offset + offset,
                each.bits,
                each.bit_offset + 8 * offset,
                each.group if own is None else own,
            )
            for each in kind.members
        ]

    def _spelling(self, entry: Any) -> str:
        """Return how C writes this type where a value of it is declared; "" if it has no name."""
        if entry is None:
            return "void"
        kind, name = entry.tag.removeprefix("DW_TAG_").removesuffix("_type"), name_of(entry)
        if kind in _QUALIFIERS:
            return self._spelling(target_of(entry))
        if kind == "pointer":
            return "void *"
        if kind in ("structure", "union", "enumeration"):
            return f"{kind.replace('ure', '').replace('eration', '')} {name}" if name else ""
        if kind == "base" and number_of(entry, "encoding") == 0x03:
            return _COMPLEX.get(number_of(entry, "byte_size"), "")
        return name if kind in ("typedef", "base") else ""


def _base(entry: Any, name: str) -> Type:
    encoding, size = number_of(entry, "encoding"), number_of(entry, "byte_size")
    if encoding not in _KINDS or number_of(entry, "bit_size") or name in _ELSEWHERE or "_BitInt" in name:
        return Other(name, "a decimal number" if encoding == 0x0F else "a number without a counterpart in Python")
    kind, signed = _KINDS[encoding]
    return Number(
        name if kind != "complex" else _COMPLEX.get(size, name), "char" if name == "char" else kind, size, signed
    )


def _enumerators(entry: Any) -> dict[str, int]:
    return {
        name_of(child): number_of(child, "const_value")
        for child in entry.iter_children()
        if child.tag == "DW_TAG_enumerator"
    }


def _extent(entry: Any) -> int | None:
    """Return an array's extent if it is a constant."""
    count = entry.attributes.get("DW_AT_count")
    bound = entry.attributes.get("DW_AT_upper_bound")
    found = count or bound
    if found is None or not isinstance(found.value, int) or "ref" in found.form:
        return None
    extent = found.value + (0 if count else 1)
    # GNU C's array of length zero, whose bound is -1, is what a flexible array is since C99.
    return extent if 0 < extent < _LONGEST else None


def _place(entry: Any) -> tuple[int, int | None, int]:
    """Return a member's offset in bytes, and for a bit-field its width and offset in bits."""
    location = entry.attributes.get("DW_AT_data_member_location")
    if location and not isinstance(location.value, int):
        raise SpeLabError(
            "debug information must give offsets as numbers, got an expression, as before DWARF 3; leave out -gdwarf-2"
        )
    offset, bits = number_of(entry, "data_member_location"), entry.attributes.get("DW_AT_bit_size")
    if bits is None:
        return offset, None, 8 * offset
    if (start := entry.attributes.get("DW_AT_data_bit_offset")) is None:
        # As before DWARF 4: counted from the most significant bit of a storage unit.
        unit = 8 * (number_of(entry, "byte_size") or number_of(target_of(entry), "byte_size"))
        from_top = number_of(entry, "bit_offset")  # below 0 if the field crosses its unit; clang writes 2^64 more
        from_top -= (1 << 64) * (from_top >= 1 << 63)
        return offset, bits.value, 8 * offset + unit - from_top - bits.value
    return start.value // 8, bits.value, start.value


def _overlap(members: list[Member]) -> bool:
    """Return True if a bit-field and another member have bits in common. (clang 14 calls some bit-fields plain.)"""
    ends = [
        (each.bit_offset, each.bit_offset + (8 * size_of(each.type) if each.bits is None else each.bits))
        for each in members
        if each.group is None
    ]
    ends.sort()
    fields = any(each.bits is not None for each in members)
    return fields and any(end > start for (_, end), (start, _) in pairwise(ends))


def _is_const(entry: Any) -> bool:
    """Return True if a target, or the elements of a target array, are const."""
    while entry is not None and entry.tag != "DW_TAG_const_type":
        if entry.tag not in ("DW_TAG_typedef", "DW_TAG_volatile_type", "DW_TAG_array_type"):
            return False
        entry = target_of(entry)
    return entry is not None
