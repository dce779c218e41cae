"""C as text: what is no code is blanked, and what is declared at file scope is found."""

import pytest

from spe_lab.core.c import native
from spe_lab.core.c.source_text import Declarations, active, code, unnumbered


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("int a; // int b;\nint c;", "int a;\nint c;"),
        ("int a; /* int\nb; */ int c;", "int a;\nint c;"),
        ('char *s = "int \\" b;"; int c;', 'char *s = ""; int c;'),
        ("char q = '\"'; int c; // \\\nint d;", "char q = ''; int c;"),
        ('char *s = "// no comment"; int c;', 'char *s = ""; int c;'),
        ("int a; /* without an end", "int a;"),
    ],
)
def test_comments_and_literals_are_blanked_in_their_place(text, shown):
    blanked = code(text)
    assert "".join(blanked.split()) == "".join(shown.split())
    assert [len(line) for line in blanked.split("\n")] == [len(line) for line in text.split("\n")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("#if 0\nint a;\n#if X\nint b;\n#endif\n#else\nint c;\n#endif\nint d;", "int c; int d;"),
        ('#ifdef __cplusplus\nextern "C" {\n#endif\nint a;\n#ifdef __cplusplus\n}\n#endif', "int a;"),
        ("#ifndef __cplusplus\nint a;\n#endif\n#ifdef X\nint b;\n#else\nint c;\n#endif", "int a; int b; int c;"),
        ("#if defined(__cplusplus)\nint a;\n#elif X\nint b;\n#endif", "int b;"),
        ("// #if 0\nint a;", "int a;"),
    ],
)
def test_lines_that_no_c_compiler_reads_are_blanked(text, shown):
    lines = active(text).split("\n")
    assert " ".join(line for line in lines if line.strip() and not line.startswith("#")) == shown
    assert len(lines) == text.count("\n") + 1


def test_line_directives_become_empty_lines():
    text = '#line 100 "other.c"\nint a;\n# 7\n/*\n#line 3\n*/\n#define line 3\n'
    assert unnumbered(text).split("\n") == [" " * 19, "int a;", "   ", "/*", "#line 3", "*/", "#define line 3", ""]
    assert native.text_file(text, "numbered").read_text() == unnumbered(text)


TEXT = """#define SIZE 10
typedef struct node { int value; struct node *next; } node;
enum colour { RED, GREEN = 3 };
typedef int (*compare)(int first, int second);
extern double table[SIZE], other;
static int helper(int argument);
int uses(int x) { int local = helper(x); return local + RED; }
#define GONE 1
#undef GONE
"""


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("SIZE", "macro", 1),
        ("node", "object", 2),
        ("struct node", "structure", 2),
        ("GREEN", "enumerator", 3),
        ("compare", "object", 4),
        ("table", "object", 5),
        ("other", "object", 5),
        ("helper", "function", 6),
        ("uses", "function", 7),
    ],
)
def test_declarations_are_found_by_name(name, kind, line):
    found, at = Declarations(TEXT).find(name)
    assert (found, TEXT.count("\n", 0, at) + 1) == (kind, line)


@pytest.mark.parametrize("name", ["GONE", "value", "next", "argument", "first", "local", "x", "abl", "colour"])
def test_what_is_not_declared_at_file_scope_is_not_found(name):
    assert Declarations(TEXT).find(name) is None
