"""Messages of compilers and linkers about a cell: each at a line of the cell, whoever words it."""

import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c.diagnostics import diagnostics
from spe_lab.core.own_c.messages import Crash, crashed, refused


def compiled(text, *flags):
    """What the compiler says about a cell, and the file that it was given."""
    source = native.text_file(text, "own")
    with pytest.raises(native.CompilerError) as error:
        native.assemble(source, [*native.CELL_FLAGS, *flags])
    return error.value.said, source


@pytest.mark.usefixtures("each_compiler")
class TestCompilers:
    def test_a_source_line_stands_below_its_message_also_where_it_is_not_indented(self):
        for text in ("\nint f(void) { return 1 }\n", "\nint f(void)\n{\n    return 1\n}\n"):
            error, *_ = diagnostics(*compiled(text))
            shown, caret, *_ = error.excerpt.splitlines()
            assert "return 1" in shown and caret.index("^") == shown.index("return 1") + len("return 1")

    def test_a_line_directive_changes_no_line(self):
        (error,) = diagnostics(*compiled('\n#line 100 "other.c"\nint f(void) { return nosuch; }\n'))[:1]
        assert (error.line, error.place) == (3, "") and "nosuch" in error.excerpt

    def test_an_error_in_a_macro_is_shown_with_the_lines_that_use_it(self):
        messages = diagnostics(
            *compiled("#define G(x) (x + nosuch)\n#define F(x) G(x)\nint f(void) { return F(1); }\n")
        )
        assert [message.kind for message in messages[:3]] == ["error", "note", "note"]
        assert {message.line for message in messages[:3]} == {1, 2, 3}

    def test_an_error_in_a_macro_of_a_header_stands_at_its_use(self, tmp_path):
        (tmp_path / "macros.h").write_text("#define G(x) (x + nosuch)\n")
        said, source = compiled('#include "macros.h"\nint f(void)\n{\n    return G(1);\n}\n', f"-I{tmp_path}")
        error, *_ = diagnostics(said, source)
        assert error.kind == "error" and error.line == 4
        lines = str(refused("own", said, source)).splitlines()
        assert lines[1].startswith("line 4: error: ") and "nosuch is not declared" in lines[1]

    def test_an_error_in_a_header_s_header_stands_at_the_include(self, tmp_path):
        (tmp_path / "outer.h").write_text('\n#include "inner.h"\n')
        (tmp_path / "inner.h").write_text("int x = ;\n")
        error, *_ = diagnostics(*compiled('\n#include "outer.h"\n', f"-I{tmp_path}"))
        assert (error.line, error.place) == (2, "inner.h, line 1")

    def test_options_that_the_compiler_does_not_know_are_told_in_a_sentence(self):
        said = str(refused("own", *compiled("int f(void) { return 1; }\n", "-fast-math")))
        assert said.startswith("flags must be options of the compiler, and it says: ") and "\n" not in said
        assert "-fast-math" in said and said.endswith("; correct them")


TEXT = "int missing(int);\nint f(int x)\n{\n    return missing(x);\n}\n"


@pytest.fixture
def source(tmp_path):
    (tmp_path / "own.c").write_text(TEXT)
    return tmp_path / "own.c"


@pytest.mark.parametrize(
    "said",
    [
        "/usr/bin/ld: /tmp/own.o: in function `f':\n{source}:4: undefined reference to `missing'\n",
        "/usr/bin/ld: {source}:4: undefined reference to `missing'\ncollect2: error: ld returned 1 exit status\n",
        "/usr/bin/ld: /tmp/own.o: in function `f':\nown.c:(.text+0xf): undefined reference to `missing'\n",
        "/usr/bin/ld: own.c:(.text+0xf): undefined reference to `missing'\n",
        "{source}:4: error: undefined reference to 'missing'\n",
        "/tmp/own.o:own.c:function f: error: undefined reference to 'missing'\n",
        "ld.lld: error: undefined symbol: missing\n>>> referenced by own.c:4 ({source}:4)\n>>>     /tmp/own.o:(f)\n",
        "ld.lld: error: undefined symbol: missing\n>>> referenced by own.c\n>>>               /tmp/own.o:(f)\n",
        "mold: error: undefined symbol: missing\n>>> referenced by /tmp/own.o\n",
    ],
    ids=["ld", "ld again", "ld without -g", "ld without -g again", "gold", "gold without -g", "lld", "lld -g0", "mold"],
)
def test_an_undefined_reference_has_a_line_whichever_linker_finds_it(source, said):
    (message,) = diagnostics(said.format(source=source), source)
    assert (message.kind, message.line, message.undefined, message.excerpt) == ("error", 4, "missing", "")


def test_the_words_of_newer_clangs_are_understood(source):
    said = (
        f"{source}:4:12: error: call to undeclared library function 'puts' with type 'int (const char *)'; ISO C99 and"
        f" later do not support implicit function declarations [-Wimplicit-function-declaration]\n"
        f"{source}:5:12: error: call to undeclared function 'nosuch'; ISO C99 and later do not support implicit function"
        " declarations [-Wimplicit-function-declaration]\n    4 |     return missing(x);\n      |            ^\n"
    )
    _, first, second, *_ = str(refused("own", said, source)).splitlines()
    if native.available():
        assert first == "line 4: error: puts is not declared; write #include <stdio.h> at the top of the cell"
        assert second.startswith("line 5: error: nosuch is not declared: its name is misspelt")


def test_code_of_ours_behind_the_cell_gives_no_line_beyond_it(source):
    (message,) = diagnostics(f"{source}:99:1: error: unknown\n", source)
    assert message.line == 5
    (message,) = diagnostics(f"{source}:4:1: error: unknown\n", source, text="int f(int);\n")
    assert message.line == 1


def test_a_fault_without_an_address_may_be_an_unaligned_vector():
    said = str(crashed("f", Crash(11, 128, 0, ()), ("f", "line 3"), (), 0, 1 << 30))
    assert said.startswith("f crashed in line 3: it followed a pointer that is no address, or used an aligned vector")
    assert "load vectors unaligned (_mm256_loadu_pd)" in said
