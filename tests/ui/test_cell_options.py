"""The line behind `%%c`, as it is read: the compiler's options with and without quotes, in any order."""

import pytest

from spe_lab.ui.cell_options import OptionError, Options, parse


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("own", ()),
        ('own --flags ""', ()),
        ("own --flags -O3 -march=native", ("-O3", "-march=native")),
        ("--flags '-O3 -march=native' own", ("-O3", "-march=native")),
        ("own --flags -O3 '-march=native'", ("-O3", "-march=native")),
        ('own --flags="-O3" --flags=-g0', ("-O3", "-g0")),
        ("own --flags -D X=3 -I include --param inline=3", ("-D", "X=3", "-I", "include", "--param", "inline=3")),
        ('own --flags -DTEXT="a b" --std=c99', ("-DTEXT=a b", "--std=c99")),
        (r"own --flags -DTEXT=\"a\"", ('-DTEXT="a"',)),
        ("own --flags \"-DTEXT='a b' -O3\"", ("-DTEXT=a b", "-O3")),
    ],
)
def test_flags_are_read(line, flags):
    assert parse(line) == Options("own", flags=flags)


def test_the_name_may_be_left_out():
    assert parse("") == Options() and parse("--limit 2s") == Options("cell", limit="2s")


@pytest.mark.parametrize(
    ("line", "name"), [("own --fast", "own"), ("--limt 3s own", "own"), ("--fast", "cell"), ("1st", ""), ("if", "")]
)
def test_a_fault_names_the_variable_as_far_as_it_can_be_read(line, name):
    with pytest.raises(OptionError) as error:
        parse(line)
    assert error.value.name == name
