"""Signatures and layouts read from debug information: types, names, lines, as the compiler made them."""

import ctypes
import itertools
import struct
import subprocess

import pytest

from spe_lab.core.c import binding, ctype, dwarf, mach, native
from spe_lab.core.c.ctype import prototype
from spe_lab.core.errors import SpeLabError

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler, which writes debug information")

STRUCTURES = """
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
enum { SIZE = 3, NEXT, LAST = -1, AFTER };
typedef struct { char c; double d; } first;
typedef struct { int8_t a[NEXT]; } second;
struct inner { uint16_t x; struct { uint8_t low; uint64_t high; } part; };
struct outer { char tag; struct inner in[2]; first f; second s; struct outer *next; const int32_t *data; uint64_t (*kernel)(void *, uint64_t);
               double grid[2][SIZE]; bool flag; long long unsigned count; enum { RED, GREEN } colour; float last; };
"""


def declared(text, name="declared", flags=native.CELL_FLAGS):
    return native.build_text(text, name, flags).declarations


def kinds(text, function="f"):
    return [each.type for each in declared(text).functions[function].parameters]


def test_signatures_are_read_with_names_types_and_order_and_line():
    function = declared(
        "#include <stdint.h>\n\ndouble mean(const double *x, uint64_t n, int32_t step)\n{ return x[n * (uint64_t)step]; }\n"
    ).functions["mean"]
    assert prototype(function) == "double mean(const double *x, uint64_t n, int32_t step)" and function.line == 3


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("unsigned x", ctypes.c_uint),
        ("long unsigned int x", ctypes.c_ulong),
        ("signed x", ctypes.c_int),
        ("short unsigned x", ctypes.c_ushort),
        ("long int long x", ctypes.c_longlong),
        ("const volatile int32_t x", ctypes.c_int32),
        ("_Bool x", ctypes.c_bool),
        ("size_t x", ctypes.c_size_t),
        ("void *x", ctypes.c_void_p),
        ("char *x", ctypes.c_void_p),
        ("int32_t **x", ctypes.c_void_p),
        ("uint64_t (*x)(void *, uint64_t)", ctypes.c_void_p),
        ("enum { A } x", ctypes.c_uint),
        ("enum { A = -1 } x", ctypes.c_int),
        ("double *x", binding.array_pointer(ctypes.c_double)),
        ("float *restrict x", binding.array_pointer(ctypes.c_float)),
        ("double x[]", binding.array_pointer(ctypes.c_double)),
        ("const double x[8]", binding.array_pointer(ctypes.c_double, const=True)),
        ("const double x[8][2]", binding.array_pointer(ctypes.c_double, const=True)),
        ("struct s { pthread_mutex_t m; } *x", "s"),
        ("struct bits { int low : 3, high : 5; } *x", ctypes.c_void_p),
    ],
)
def test_a_kernel_s_parameter_has_the_type_that_c_gives_it(written, kind):
    (found,) = kinds(
        f"#include <pthread.h>\n#include <stdint.h>\n#include <stddef.h>\nint f({written}) {{ return (x, 0); }}\n"
    )
    made = binding.argument(found)
    plain = next((each for each in (ctypes.c_uint, ctypes.c_int) if made.__name__ == f"checked_{each.__name__}"), made)
    if kind == "s":
        assert made.element.__name__ == "s"
    elif made.__name__.startswith("checked_"):
        assert made is binding.whole_number(kind) or plain is kind
    else:
        assert made is kind


def test_a_function_of_nothing_has_no_parameters_and_a_void_one_no_result():
    functions = declared(
        "void f(void) {}\nint g() { return 1; }\nint h(a) int a; { return a; }\nint k(int n, ...) { return n; }\n"
    ).functions
    assert (functions["f"].parameters, functions["f"].result, functions["g"].parameters) == ((), None, ())
    assert [functions[name].prototyped for name in "fgh"] == [True, True, False]
    assert [functions[name].variadic for name in "fghk"] == [False, False, False, True]


def test_only_functions_that_other_files_can_call_are_offered():
    text = "static int f(void) { return 1; }\ninline int g(void) { return 2; }\nint h(void) { return f() + g(); }\nint missing(void);\n"
    assert list(declared(text).functions) == ["h"]


def test_two_functions_with_the_same_code_are_both_offered():
    text = "#include <math.h>\ndouble f(double x) { return sqrt(x) + 1; }\ndouble g(double y) { return sqrt(y) + 1; }\n"
    assert list(declared(text).functions) == ["f", "g"]


def test_an_enumerator_counts_on_from_the_last_given_value():
    assert declared(STRUCTURES + "int f(void) { return 1; }").constants == {
        "SIZE": 3,
        "NEXT": 4,
        "LAST": -1,
        "AFTER": 0,
        "RED": 0,
        "GREEN": 1,
    }


def test_nested_structures_are_laid_out_as_the_compiler_does_it():
    members = ["tag", "in", "f", "s", "next", "data", "kernel", "grid", "flag", "count", "colour", "last"]
    asked = "".join(f"uint64_t offset_{name}(void) {{ return offsetof(struct outer, {name}); }}\n" for name in members)
    library = native.compile_text(
        f"{STRUCTURES}{asked}uint64_t size(void) {{ return sizeof(struct outer); }}\n", "layout"
    )
    ours = library.struct("outer")
    offsets = {name: getattr(library, f"offset_{name}")() for name in members}
    assert {name: getattr(ours, name).offset for name in members} == offsets
    assert ctypes.sizeof(ours) == library.size()


@pytest.mark.parametrize(
    "source",
    [
        "struct s { int a : 3; };",
        "struct s { int b; _Alignas(64) int a; };",
        "struct s { char c; int a; } __attribute__((packed));",
        "struct __attribute__((aligned(64))) s { int a; };",
        "#pragma pack(push, 1)\nstruct s { char c; int a; };\n#pragma pack(pop)",
    ],
)
def test_a_kernel_s_structure_of_another_layout_is_refused(source):
    record = declared(f"{source}\nint f(struct s *x) {{ return x->a; }}").records["s"]
    with pytest.raises(SpeLabError, match=r"layout without bit-fields, got struct s; pad it"):
        binding.structure(record)


def test_flags_change_what_is_read():
    text = "struct s { char c; int a; };\n#ifdef DEBUG\ntypedef float real;\n#else\ntypedef double real;\n#endif\nint f(struct s *x, char c, real y) { return x->a + c + (int)y; }\n"
    found = declared(text, flags=("-O2", "-DDEBUG", "-fpack-struct", "-funsigned-char"))
    (pointer, char, real) = [each.type for each in found.functions["f"].parameters]
    assert [member.offset for member in pointer.target.members] == [0, 1]
    assert (char.signed, real.bytes) == (False, 4)


@pytest.mark.parametrize("flag", ["-g0", "-gdwarf-2", "-gdwarf-5", "-gsplit-dwarf", "-flto"])
def test_a_reader_s_flags_for_debug_information_change_nothing(flag):
    text = "struct p { char c; double x; int low : 3, high : 7; }; double f(struct p *p) { return p->x; }\n"
    (kind,) = [each.type for each in declared(text, flags=("-O2", flag)).functions["f"].parameters]
    members = [(each.name, each.offset, each.bits, each.bit_offset) for each in kind.target.members]
    assert members[:2] == [("c", 0, None, 0), ("x", 8, None, 64)]
    assert [(name, bits, bit) for name, _, bits, bit in members[2:]] == [("low", 3, 128), ("high", 7, 131)]


def test_a_library_without_debug_information_is_refused_and_an_empty_one_is_not():
    with pytest.raises(SpeLabError, match=r"must hold debug information.*leave out flags such as -s"):
        declared("int f(void) { return 1; }", flags=("-O2", "-s"))
    assert declared("\n") == ctype.Declarations()


def mach_object(sections):
    """An object file of macOS with these sections, after <mach-o/loader.h>."""
    header, segment, each = 32, 72, 80
    start = header + segment + each * len(sections)
    places = list(itertools.accumulate((len(data) for data in sections.values()), initial=start))
    described = b"".join(
        struct.pack("<16s16sQQIIIIIIII", name.encode(), b"__DWARF", 0, len(data), place, 0, 0, 0, 0, 0, 0, 0)
        for (name, data), place in zip(sections.items(), places, strict=False)
    )
    size = segment + each * len(sections)
    command = struct.pack("<II16sQQQQIIII", 0x19, size, b"", 0, 0, start, 0, 7, 7, len(sections), 0)
    return (
        struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 1, 1, size, 0, 0)
        + command
        + described
        + b"".join(sections.values())
    )


def test_an_object_file_of_macos_is_read_alike(tmp_path):
    text = STRUCTURES + "double f(struct outer *x, const int8_t y[2][3]) { return x->last + y[1][2]; }\n"
    built = native.build_text(text, "both", ("-O2",))
    sections = {}
    for name in ("info", "abbrev", "str", "line", "line_str", "str_offsets", "addr"):
        part = tmp_path / name
        subprocess.run(
            [
                "objcopy",
                "-O",
                "binary",
                f"--only-section=.debug_{name}",
                "--set-section-flags",
                f".debug_{name}=alloc",
                built.path,
                part,
            ],
            check=False,
        )
        if part.exists() and part.stat().st_size:
            sections[f"__debug_{name}"[:16]] = part.read_bytes()
    if "__debug_info" not in sections:
        pytest.skip("needs objcopy to take debug information out of a library")
    file = tmp_path / "both.o"
    file.write_bytes(mach_object(sections))
    found = dwarf.read(file, native.text_file(text, "both").parent)
    assert [prototype(each) for each in found.functions.values()] == ["double f(struct outer *x, const int8_t (*y)[3])"]
    assert found.constants == built.declarations.constants
    there, here = (each.records["outer"].members for each in (found, built.declarations))
    assert [(member.name, member.offset) for member in there] == [(member.name, member.offset) for member in here]


def test_what_is_no_object_file_of_macos_has_no_debug_information():
    assert mach.debug_sections(b"") is None and mach.debug_sections(b"\xcf\xfa\xed\xfe" + b"\0" * 40) is None
