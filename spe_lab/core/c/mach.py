"""Finds the debug information in an object file of macOS (Mach-O), whose sections pyelftools does not look for.

Apple's documentation of the format: <mach-o/loader.h>. In an object file, debug information refers to itself by plain
offsets, so nothing needs to be relocated but addresses, which are not used here.
"""

import io
import struct
from typing import Any

_MAGIC_64 = 0xFEEDFACF
_SEGMENT_64 = 0x19
_HEADER_BYTES, _SEGMENT_BYTES, _SECTION_BYTES = 32, 72, 80


def debug_sections(content: bytes) -> Any:
    """Return pyelftools' DWARFInfo for an object file, or None if it is none of 64-bit macOS or has none."""
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

    found = dict(_sections(content))
    if "__debug_info" not in found:
        return None

    def section(name: str) -> Any:
        data = found.get(f"__debug_{name}"[:16])  # Mach-O cuts names
        return data and DebugSectionDescriptor(io.BytesIO(data), f".debug_{name}", None, len(data), 0)

    names = (
        "info aranges abbrev frame str loc ranges line pubtypes pubnames addr str_offsets line_str loclists rnglists"
        " sup types"
    )
    return DWARFInfo(
        config=DwarfConfig(little_endian=True, machine_arch="AArch64", default_address_size=8),
        eh_frame_sec=None,
        gnu_debugaltlink_sec=None,
        **{f"debug_{name}_sec": section(name) for name in names.split()},
    )


def _sections(content: bytes) -> list[tuple[str, bytes]]:
    if len(content) < _HEADER_BYTES or struct.unpack_from("<I", content)[0] != _MAGIC_64:
        return []
    commands, at, found = struct.unpack_from("<I", content, 16)[0], _HEADER_BYTES, []
    for _ in range(commands):
        command, size = struct.unpack_from("<II", content, at)
        if command == _SEGMENT_64:
            for i in range(struct.unpack_from("<I", content, at + 64)[0]):
                place = at + _SEGMENT_BYTES + i * _SECTION_BYTES
                name = content[place : place + 16].rstrip(b"\0").decode(errors="replace")
                length, start = (
                    struct.unpack_from("<Q", content, place + 40)[0],
                    struct.unpack_from("<I", content, place + 48)[0],
                )
                found.append((name, content[start : start + length]))
        at += size
    return found
