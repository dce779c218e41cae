"""C++ in a cell, and inline functions of which C makes none: recognised in code, and only there."""

import sys

import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c.dialect import cplusplus, inline_only
from spe_lab.core.own_c.messages import CellError, refused
from spe_lab.core.own_c.sandbox import build


@pytest.mark.parametrize(
    ("text", "line", "seen"),
    [
        ("#include <iostream>\nint main() { return 0; }", 1, "#include <iostream>"),
        ("#include <math.h>\ndouble f(std::vector<double> x);", 2, "std::vector"),
        ("template <typename T> T twice(T x) { return 2 * x; }", 1, "template <"),
        ("\nclass Point {\n  public:\n    int x;\n};", 2, "class Point {"),
        ("struct Derived : public Base { int x; };", 1, "struct Derived : public Base"),
        ("// C++ below\nusing namespace std;", 2, "using namespace std"),
        ("int *f(int n) {\n    return new int[n];\n}", 2, "new int"),
        ("void f(int *p) { delete[] p; }", 1, "delete[] p"),
        ("void swap(int &a, int &b) { }", 1, "int &a"),
        ("double norm(const Vector &v) { return 0; }", 1, "const Vector &v"),
        ("void f(void)\n{\n    cout << 1;\n}", 3, "cout <<"),
        ("int f(void) { int sum = 0; for (auto x : all) sum += x; return sum; }", 1, "for (auto x :"),
        ("int f(double x) { return static_cast<int>(x); }", 1, "static_cast<"),
        ("auto f = [](int x) { return x; };", 1, "[](int x) {"),
        ('extern "C" int f(void) { return 1; }', 1, 'extern "C"'),
    ],
)
def test_cplusplus_is_recognised(text, line, seen):
    assert cplusplus(text) == (line, seen)


@pytest.mark.parametrize(
    "text",
    [
        "// std::cout << 1\nint f(void) { return 1; }",
        'const char *text = "using namespace std; template <int x>";',
        '#ifdef __cplusplus\nextern "C" {\n#endif\nint f(int);\n#ifdef __cplusplus\n}\n#endif',
        "int f(int new, int delete, int class, int template) { return new & delete | class < template; }",
        "[[gnu::unused, gnu::const]] static int f(int x) { return x; }",
        "int f(unsigned a, unsigned b) { return (int)a & (int)b ? a : b; }",
        "int f(int x) { switch (x) { case 1: return sizeof(int)&x; default: goto out; }\nout: return 0; }",
        '#include <stdio.h>\n#include "own.h"\nstruct bits { unsigned a : 3; };',
        "int catch(int try, int using, int virtual) { return try << using >> virtual; }",
    ],
)
def test_c_is_not_taken_for_cplusplus(text):
    assert cplusplus(text) is None


@pytest.mark.usefixtures("each_compiler")
def test_the_first_sentence_about_cplusplus_says_so():
    source = native.text_file("\n#include <iostream>\nint main() { std::cout << 1; int &x = y; }\n", "own")
    with pytest.raises(native.CompilerError) as error:
        native.assemble(source, native.CELL_FLAGS)
    first, *rest = str(refused("own", error.value.said, source)).splitlines()
    assert first.startswith("own must be C, since a cell compiles C, and line 2 is C++ (#include <iostream>); write it")
    assert rest[0].startswith("line 2: fatal error: ")


ALONE = "f is defined with inline alone (line {}), for which C makes no function; write static inline if only this"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("inline int f(int x) { return x; }", 1),
        ("/* static */ inline int f(int x)\n{\n    return x;\n}\nint g(void) { return f(1); }", 1),
        ("inline int f(int);\n__inline__ int f(int x) { return x; }", 2),
        ("int inline __attribute__((const)) f(int (*g)(int), int x) { return g(x); }", 1),
        ("#if 0\nextern int f(int);\n#endif\ninline int f(int x) { return x; }", 4),
        ('const char *s = "int f(int x);";\n// int f(int x);\ninline int f(int x) { return x; }', 3),
        ("static inline int g(int x) { return x; } inline int f(int x) { return g(x); }", 1),
    ],
)
def test_an_inline_function_without_static_is_told(text, line):
    assert inline_only(text, "f").startswith(ALONE.format(line))


@pytest.mark.parametrize(
    "text",
    [
        "int f(int x) { return x; }",
        "static inline int f(int x) { return x; }",
        "inline static int f(int x) { return x; }",
        "extern inline int f(int x) { return x; }",
        "inline int f(int x) { return x; }\nint f(int x);",
        "inline int f(int x) { return x; }\nextern int f(int x);",
        "inline int f(int x);",
        "// inline int f(int x) { return x; }",
        'const char *s = "inline int f(int x) { return x; }";',
        "inline int g(int x) { return f(x); }",
        "inline int ff(int x) { return x; }",
    ],
)
def test_other_functions_are_not_called_inline(text):
    assert inline_only(text, "f") == ""


@pytest.mark.usefixtures("each_compiler")
@pytest.mark.skipif(sys.platform != "linux", reason="other linkers word it otherwise")
@pytest.mark.parametrize("flags", [(), ("-g0",)], ids=["with lines", "without lines"])
def test_the_linker_s_undefined_reference_is_explained(flags):
    text = "\ninline int f(int x) { return x; }\nint missing(int);\nint g(int x)\n{\n    return f(x) +\n        missing(x);\n}\n"
    with pytest.raises(CellError) as error:
        build(text, "own", [*native.CELL_FLAGS, "-O0", *flags])
    head, first, second = (line for line in str(error.value).splitlines() if line[0] != " ")
    assert head == "the C of own must compile; 2 errors:"
    assert first.startswith(f"line 6: error: {ALONE.format(2)}")
    assert second.startswith("line 7: error: undefined reference to ") and "missing" in second
