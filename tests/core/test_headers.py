"""Names that a cell does not declare: the compiler tells which header does, and the sentence says what to write."""

import platform
import subprocess

import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c.headers import header_of
from spe_lab.core.own_c.messages import refused

pytestmark = pytest.mark.usefixtures("each_compiler")


def sentences(text, *flags):
    """The messages about a cell that does not compile, without the source lines."""
    source, flags = native.text_file(text, "own"), [*native.CELL_FLAGS, *flags]
    with pytest.raises(native.CompilerError) as error:
        native.assemble(source, flags)
    lines = str(refused("own", error.value.said, source, flags)).splitlines()
    return [line for line in lines if line.startswith("line ")]


# Each name with a line that uses it.
NAMES = {
    "strdup": "char *use(char *s) { return strdup(s); }",
    "printf": 'void use(void) { printf("x"); }',
    "malloc": "void *use(void) { return malloc(3); }",
    "clock_gettime": "void *use(void) { return (void *)clock_gettime; }",
    "pthread_create": "void *use(void) { return (void *)pthread_create; }",
    "uint64_t": "uint64_t use(void) { return 1; }",
    "bool": "bool use(void) { return 1; }",
    "size_t": "size_t use(void) { return 1; }",
    "FILE": "FILE *use(void) { return 0; }",
    "CLOCK_MONOTONIC": "int use(void) { return CLOCK_MONOTONIC; }",
    "M_PI": "double use(void) { return M_PI; }",
    "memory_order_relaxed": "int use(void) { return memory_order_relaxed; }",
    "INT64_MAX": "long use(void) { return INT64_MAX; }",
    "struct timespec": "struct timespec use(struct timespec *t) { return *t; }",
    "SPE_OPAQUE": "void use(int x) { SPE_OPAQUE(x); }",
}


@pytest.mark.parametrize(("name", "use"), NAMES.items(), ids=NAMES)
def test_the_header_that_is_named_makes_the_line_compile(name, use):
    header, _ = header_of(name, native.CELL_FLAGS)
    command = [*native.compiler().command, *native.CELL_FLAGS, f"-I{native.kernel_folder()}"]
    text = f"#include {header}\n{use}\n"
    done = subprocess.run(
        [*command, "-fsyntax-only", "-xc", "-"], input=text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sentences(use) == [sentence for sentence in sentences(use) if f"#include {header}" in sentence]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("strdup", "<string.h>"),
        ("uint64_t", "<stdint.h>"),
        ("size_t", "<stddef.h>"),
        ("FILE", "<stdio.h>"),
        ("time_t", "<time.h>"),
        ("pthread_t", "<pthread.h>"),
        ("spe_random", '"spe.h"'),
    ],
)
def test_of_several_headers_the_one_that_a_reader_would_name_is_chosen(name, header):
    assert header_of(name, native.CELL_FLAGS)[0] == header


@pytest.mark.parametrize("name", ["nosuch", "i", "struct nosuch", "__need_size_t", "stdi"])
def test_what_no_header_declares_is_not_found(name):
    assert header_of(name, native.CELL_FLAGS) is None


def test_an_undeclared_function_is_an_error_that_names_the_header():
    assert sentences("\nchar *f(char *s)\n{ return strdup(s); }\n") == [
        "line 3: error: strdup is not declared; write #include <string.h> at the top of the cell"
    ]


def test_an_include_below_the_use_is_to_be_moved():
    first, *_ = sentences('\nvoid f(void) { puts("x"); }\n#include <stdio.h>\n')
    assert first == "line 2: error: puts is not declared; move #include <stdio.h> to the top of the cell"


def test_a_header_in_a_comment_or_behind_if_0_is_not_included():
    (only,) = sentences("// #include <math.h>\n#if 0\n#include <math.h>\n#endif\ndouble f(void) { return M_PI; }\n")
    assert only == "line 5: error: M_PI is not declared; write #include <math.h> at the top of the cell"


def test_a_name_that_no_header_has_is_misspelt_or_not_defined():
    function, variable = sentences("int f(void) { return nosuch(1); }\nint g(void) { return another; }\n")
    assert function == "line 1: error: nosuch is not declared: its name is misspelt, or its definition is missing"
    assert variable == "line 2: error: another is not declared: its name is misspelt, or its declaration is missing"


def test_the_compiler_s_suggestion_is_kept():
    (only,) = sentences("static int count;\nint f(void) { return conut; }\n")
    assert only == (
        "line 2: error: conut is not declared: its name is misspelt (count?), or its declaration is missing"
    )


def test_a_function_that_is_defined_below_its_use_is_found_in_the_cell():
    (only,) = sentences("int f(void) { return index(1); }\n\nint index(int x) { return x; }\n")[:1]
    assert only == (
        "line 1: error: index is declared in line 3, behind its use; move that above line 1, or write its prototype"
        " there"
    )


def test_a_variable_that_is_called_like_a_function_of_the_library_may_be_just_that():
    (only,) = sentences("double f(double x) { return x * y1; }\n")
    assert only == (
        "line 1: error: y1 is not declared; declare it, or write #include <math.h> at the top of the cell if the y1 of"
        " C's library is meant"
    )


def test_a_structure_without_its_word_gets_it():
    (only,) = sentences("struct node { int x; };\nint f(node *n) { return n->x; }\n")[:1]
    assert "struct" in only and "misspelt" not in only


def test_a_name_of_which_only_the_type_is_missing_is_no_error_of_its_own():
    assert sentences("void f(void) { FILE *here; size_t n = 1; (void)here; (void)n; }\n") == [
        "line 1: error: FILE is not declared; write #include <stdio.h> at the top of the cell",
        "line 1: error: size_t is not declared; write #include <stddef.h> at the top of the cell",
    ]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc, whose headers hide names")
@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ('#include <stdio.h>\nint f(char **x) { return asprintf(x, "x"); }\n', ()),
        ("#include <string.h>\nchar *f(char *x) { return strdup(x); }\n", ("-std=c11",)),
        ("#define _POSIX_C_SOURCE 1\n#include <string.h>\nchar *f(char *x) { return strdup(x); }\n", ()),
    ],
    ids=["not by default", "-std", "a macro"],
)
def test_what_a_header_hides_is_shown_by_gnu_source(text, flags):
    (only,) = sentences(text, *flags)
    assert only.endswith("hides it without _GNU_SOURCE; write #define _GNU_SOURCE as the first line of the cell")
    native.assemble(native.text_file(f"#define _GNU_SOURCE\n{text}", "own"), [*native.CELL_FLAGS, *flags])
