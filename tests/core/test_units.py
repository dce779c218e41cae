"""Quantities in and out: what is understood, what is refused, and that what is printed can be read again."""

import contextlib
import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError

fixed = settings(deadline=None, derandomize=True)
UNITS = ("B", "ns", "GHz", "GB/s", "", "cycles", "users", "requests/s", "%")


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("16KiB", "B", 16384),
        ("16 KiB", "B", 16384),
        ("16kB", "B", 16000),
        ("16KB", "B", 16000),
        ("1 PiB", "B", 2**50),
        ("64", "B", 64),
        ("  64\n", "B", 64),
        ("1e3B", "B", 1000),
        (".5 ns", "ns", 0.5),
        ("1.", "ns", 1),
        ("1E2", "", 100),
        ("1.5us", "ns", 1500),
        ("1.5\u00b5s", "ns", 1500),
        ("1.5 \u03bcs", "ns", 1500),
        ("7 us", "ns", 7000),
        ("0 s", "ns", 0),
        ("-3 ns", "ns", -3),
        ("-3", "ns", -3),
        ("3100 MHz", "GHz", 3.1),
        ("2 MB/s", "GB/s", 0.002),
        ("3 cycles", "cycles", 3),
        ("3", "users", 3),
        ("1500 requests/s", "requests/s", 1500),
        ("50%", "%", 50),
    ],
)
def test_a_quantity_is_read_in_the_unit_asked_for(text, unit, number):
    assert units.parse(text, unit) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "inf",
        "-inf",
        "infB",
        "nan B",
        "1e400",
        "-1e400 B",
        "1,5",
        "1,5 B",
        "16K",
        "16 Ki",
        "64 kib",
        "3 ns",
        "1 MB/s",
        "1B B",
        "B",
        "0x10",
        "1.2.3",
        "1-2",
        "1e",
        "1.5e B",
        "sixty",
        "--1",
        "5%",
        "½ B",
    ],
)
def test_anything_else_is_refused_with_the_name_the_rule_the_value_and_a_cure(text):
    with pytest.raises(SpeLabError) as refused:
        units.parse(text, "B", "size")
    assert str(refused.value) == f"size must be a quantity in B, got {text!r}; write for example size=64KiB"


@pytest.mark.parametrize(
    ("text", "unit"), [("1k", ""), ("5%", ""), ("3 B", ""), ("3 cycles", "users"), ("3 c", "cycles"), ("3 ns", "GHz")]
)
def test_a_unit_of_another_kind_is_refused(text, unit):
    with pytest.raises(SpeLabError, match="must be a"):
        units.parse(text, unit)


@pytest.mark.parametrize("unit", UNITS)
def test_the_cure_offered_is_itself_understood(unit):
    with pytest.raises(SpeLabError) as refused:
        units.parse("nonsense", unit, "x")
    example = str(refused.value).rpartition("x=")[2]
    assert units.parse(example, unit) > 0


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (65536, "B", "64 KiB"),
        (1000, "B", "1000 B"),
        (1536 * 1024, "B", "1.5 MiB"),
        (0, "B", "0 B"),
        (-5, "B", "-5 B"),
        (1.234, "ns", "1.23 ns"),
        (1500, "ns", "1.5 \u00b5s"),
        (0.0031, "GHz", "3.1 MHz"),
        (3.2, "GB/s", "3.2 GB/s"),
        (0, "ns", "0 s"),
        (0.25, "", "0.25"),
        (9999, "", "9999"),
        (12345.5, "", "12300"),
        (-1.5, "", "-1.5"),
        (3, "cycles", "3 cycles"),
        (3, "users", "3 users"),
        (1500, "requests/s", "1500 requests/s"),
        (math.nan, "ns", "–"),
        (math.inf, "B", "–"),
        (None, "ns", "–"),
    ],
)
def test_a_number_is_printed_as_a_reader_writes_it(value, unit, text):
    assert units.render(value, unit) == text


@fixed
@given(st.floats(1, 1e12), st.sampled_from(UNITS), st.sampled_from((1, -1)))
def test_what_is_printed_is_read_again_to_three_digits(size, unit, sign):
    # Three significant digits are right to half a unit of the third: 0.5 % of the number at worst, and 1023.9 B are
    # "1020 B".
    assert units.parse(units.render(sign * size, unit), unit) == pytest.approx(sign * size, rel=0.0051)


@fixed
@given(st.integers(0, 999), st.sampled_from(("B", "KiB", "MiB", "GiB", "TiB")))
def test_whole_multiples_survive_the_round_trip_exactly(count, prefixed):
    exact = units.parse(f"{count} {prefixed}", "B")
    assert (
        units.parse(units.render(exact, "B"), "B")
        == exact
        == count * 1024 ** ("B", "KiB", "MiB", "GiB", "TiB").index(prefixed)
    )


@fixed
@given(st.text(max_size=12), st.sampled_from(UNITS))
def test_any_text_gives_a_finite_number_or_a_sentence(text, unit):
    with contextlib.suppress(SpeLabError):
        assert math.isfinite(units.parse(text, unit))


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, True, None, "3", 1j, np.float64("nan"), [1.0]]
)
def test_only_finite_numbers_pass(value):
    with pytest.raises(SpeLabError, match=r"^l1 must be a finite number, got .*; leave it out"):
        units.finite(value, "l1")


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), sympy.Integer(3)])
def test_numbers_of_every_library_pass_as_plain_floats(value):
    passed = units.finite(value, "l1")
    assert passed == 3 and type(passed) is float
