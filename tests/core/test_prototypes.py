"""C declarations read from source: types, layouts as the compiler makes them, and everything that only looks like C."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spe_lab.core.c import native, prototypes
from spe_lab.core.c.prototypes import array_pointer, declarations_only, parse
from spe_lab.core.errors import SpeLabError

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to compare layouts with")
fixed = settings(deadline=None, derandomize=True)

STRUCTURES = """
enum { SIZE = 3, NEXT, LAST = -1, AFTER };
typedef struct { char c; double d; } first;
typedef struct { int8_t a[NEXT]; } second;
struct inner { uint16_t x; struct { uint8_t low; uint64_t high; } part; };
struct outer { char tag; struct inner in[2]; first f; second s; struct outer *next; const int32_t *data; uint64_t (*kernel)(void *, uint64_t);
               double grid[2][SIZE]; bool flag; long long unsigned count; enum { RED, GREEN } colour; float last; };
"""


def test_signatures_are_read_with_names_types_and_order():
    function = parse("double mean(const double *x, uint64_t n, int32_t step);").functions["mean"]
    assert function.result is ctypes.c_double
    assert list(function.parameters.items()) == [
        ("x", array_pointer(ctypes.c_double, const=True)),
        ("n", ctypes.c_uint64),
        ("step", ctypes.c_int32),
    ]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("unsigned", ctypes.c_uint),
        ("long unsigned int", ctypes.c_ulong),
        ("signed", ctypes.c_int),
        ("short unsigned", ctypes.c_ushort),
        ("long int long", ctypes.c_longlong),
        ("const volatile int32_t", ctypes.c_int32),
        ("_Bool", ctypes.c_bool),
        ("size_t", ctypes.c_size_t),
        ("void *", ctypes.c_void_p),
        ("char *", ctypes.c_void_p),
        ("int32_t **", ctypes.c_void_p),
        ("uint64_t (*)(void *, uint64_t)", ctypes.c_void_p),
        ("enum { A }", ctypes.c_int),
        ("double *", array_pointer(ctypes.c_double)),
        ("float *restrict", array_pointer(ctypes.c_float)),
        ("double x[]", array_pointer(ctypes.c_double)),
        ("const double x[8]", array_pointer(ctypes.c_double, const=True)),
    ],
)
def test_a_parameter_has_the_type_that_c_gives_it(written, kind):
    assert list(parse(f"int f({written});").functions["f"].parameters.values()) == [kind]


def test_a_function_of_nothing_has_no_parameters_and_a_void_one_no_result():
    functions = parse("void f(void); int g();").functions
    assert (functions["f"].parameters, functions["f"].result, functions["g"].parameters) == ({}, None, {})


def test_a_structure_with_a_lock_is_passed_by_pointer_and_has_no_fields():
    found = parse(
        "struct guarded { pthread_mutex_t m; }; struct pair { struct guarded a[2]; }; struct plain { int32_t x; };"
        "void f(struct guarded *g, struct pair *p, struct plain *q);"
    )
    assert [getattr(kind, "_fields_", None) for kind in found.structures.values()] == [
        None,
        None,
        [("x", ctypes.c_int32)],
    ]
    assert list(found.functions["f"].parameters.values()) == [
        ctypes.c_void_p,
        ctypes.c_void_p,
        array_pointer(found.structures["plain"]),
    ]


def test_static_functions_are_not_offered():
    assert list(parse("static int f(void) { return 1; } static inline int g(void); int h(void);").functions) == ["h"]


def test_enumerators_count_on_from_the_last_given_value():
    assert parse(STRUCTURES).constants == {"SIZE": 3, "NEXT": 4, "LAST": -1, "AFTER": 0, "RED": 0, "GREEN": 1}


@needs_compiler
def test_nested_structures_are_laid_out_as_the_compiler_does_it():
    members = [name for name, _ in parse(STRUCTURES).structures["outer"]._fields_]
    asked = "".join(f"uint64_t offset_{name}(void) {{ return offsetof(struct outer, {name}); }}\n" for name in members)
    headers = "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
    library = native.compile_text(
        f"{headers}{STRUCTURES}{asked}uint64_t size(void) {{ return sizeof(struct outer); }}\n", "layout"
    )
    ours = library.struct("outer")
    assert {name: getattr(ours, name).offset for name in members} == {
        name: getattr(library, f"offset_{name}")() for name in members
    }
    assert ctypes.sizeof(ours) == library.size()


@pytest.mark.parametrize(
    "source",
    [
        "struct s { int a : 3; };",
        "struct s { _Alignas(64) int a; };",
        "struct s { char c; int a; } __attribute__((packed));",
        "struct __attribute__((aligned(64))) s { int a; };",
    ],
)
def test_a_layout_that_ctypes_would_get_wrong_is_refused(source):
    with pytest.raises(SpeLabError, match=r"layout must be C's default, got .*; pad the structure"):
        parse(source)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("int f(complicated x);", "pycparser can read"),
        ("int f(__int128 x);", "'__int128'"),
        ("int f(union { int a; } x);", "got Union"),
        ("struct s { double x[2 * 3]; };", "write it out"),
        ("int f(const char *format, ...);", "takes any number of them"),
        ("int f(void) { {", "pycparser can read"),
        ("not C at all", "pycparser can read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(source, reason):
    with pytest.raises(SpeLabError) as refused:
        parse(source)
    assert reason in str(refused.value) and "\n" not in str(refused.value)


def test_a_refusal_names_the_line_of_the_source():
    with pytest.raises(SpeLabError, match=r"cell\.c:4:"):
        parse('/* two\n lines */\n#include "spe.h"\nint f(complicated x);', "cell.c")


def test_included_declarations_are_read_from_beside_the_file_and_from_given_folders(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "far.h").write_text("struct far { int a; };\n")
    (tmp_path / "near.h").write_text('#include "far.h"\n#include "near.h"\nstruct near { struct far f; };\n')
    (tmp_path / "cell.c").write_text(
        '#include <stdint.h>\n#include "near.h"\nint f(struct near *x);\nint g(unknown x);\n'
    )
    with pytest.raises(SpeLabError, match=r"cell\.c:4:"):
        prototypes.read(tmp_path / "cell.c", tmp_path / "far")
    (tmp_path / "cell.c").write_text('#include "near.h"\nint f(struct near *x);\n')
    assert list(prototypes.read(tmp_path / "cell.c", tmp_path / "far").structures) == ["far", "near"]


# What stands in comments, strings and bodies must not matter.
comments = st.text(st.characters(exclude_characters="*\x00", codec="utf-8"), max_size=20).map(
    lambda text: f"/*{text}*/"
)
line_comments = st.text(st.characters(exclude_characters="\\\n\r\x00", codec="utf-8"), max_size=20).map(
    lambda text: f"//{text}\n"
)
pieces = st.sampled_from(("{", "}", "(", "'", ";", "#", "a", "//", "/*", "*/", '\\"', "\\\\", "\\n", "\\x7b"))
strings = st.lists(pieces, max_size=8).map(lambda parts: f'"{"".join(parts)}";')
characters = st.sampled_from(("'{';", "'}';", "'\"';", "'\\'';", "'\\\\';", "'/';", "'\\x7b';"))
statements = st.lists(
    comments | line_comments | strings | characters | st.sampled_from(("{ x; }", "if (a) { b; }", "int x[] = {1};")),
    max_size=8,
)


@fixed
@given(statements)
def test_nothing_inside_of_a_body_or_a_comment_changes_the_declarations(inside):
    body = " ".join(inside)
    source = f"/* {{ */ struct s {{ int32_t a; }};\nint f(void)\n{{ {body}\n}}\ndouble g(struct s *x); // }}\n"
    found = parse(source)
    assert (list(found.functions), list(found.structures)) == (["f", "g"], ["s"])
    assert declarations_only(source).count("\n") == source.count("\n")


def test_arrays_of_another_type_or_with_gaps_are_refused_before_c_sees_them():
    wrong = {
        "dtype float64, got float32": np.zeros(4, np.float32),
        "contiguous": np.zeros(8)[::2],
        "got list": [1.0],
        "got float": 1.5,
    }
    for reason, argument in wrong.items():
        with pytest.raises(SpeLabError, match=f"for C must .*{reason}.*; "):
            array_pointer(ctypes.c_double).from_param(argument)


def test_a_pointer_takes_an_array_a_structure_an_address_or_none():
    pointer, array, one = array_pointer(ctypes.c_double), np.zeros(4), ctypes.c_double(1)
    assert pointer.from_param(array).value == array.ctypes.data
    assert pointer.from_param(one).value == ctypes.addressof(one)
    assert pointer.from_param(4096).value == 4096 and pointer.from_param(None).value is None


def test_a_type_that_refuses_what_c_cannot_hold_is_made_once():
    assert prototypes.argument_type(ctypes.c_int32) is prototypes.argument_type(ctypes.c_int32)
