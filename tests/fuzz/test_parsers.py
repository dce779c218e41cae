"""Everything that parses, on generated input: what was read is written as something that reads the same, what is wrong
is refused by a SpeLabError, and nothing else comes out.
"""

import contextlib
import ctypes
import io
import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from targets import RECORDED, TARGETS, UNITS, survives

from spe_lab.cli import main
from spe_lab.core import registry, units
from spe_lab.core.c import binding, native
from spe_lab.core.errors import SpeLabError
from spe_lab.core.own_c import wrapped
from spe_lab.core.own_c.packed import Packed
from spe_lab.models.patterns.algebra import (
    DIRECTIONS,
    ORDERS,
    Region,
    nest,
    r_trav,
    rr_acc,
    rr_trav,
    rs_trav,
    s_trav,
    s_trav_cr,
)

HUGE = st.sampled_from([0, -1, 2**53, 2**63, 2**64, 10**400, -0.0, 5e-324, 1e308, math.inf, -math.inf, math.nan])
NUMBERS = st.integers() | st.floats() | HUGE
TEXTS = st.text(max_size=20)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def places(value, path=()):
    """The path of each value in a JSON document."""
    yield path
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*path, key))


@st.composite
def edited(draw, seeds):
    """A valid document, a few of whose values were replaced, removed or doubled; sometimes cut off."""
    document = json.loads(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(places(document), key=str)))
        if not path:
            continue
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "remove", "double"])):
            case "replace":
                holder[path[-1]] = draw(ANYTHING)
            case "remove":
                del holder[path[-1]]
            case "double" if isinstance(holder, list):
                holder.append(holder[path[-1]])
    text = json.dumps(document).encode(errors="replace")
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text


FILES = ("curve", "profile", "own_profile", "journal")


@pytest.mark.parametrize("name", TARGETS)
def test_what_ships_is_read(name):
    assert all(survives(name, seed) for seed in TARGETS[name].seeds if name != "quantity")


@pytest.mark.parametrize("name", FILES)
@given(st.data())
def test_files_that_were_edited_are_read_or_refused(name, data):
    survives(name, data.draw(edited(TARGETS[name].seeds)))


@pytest.mark.parametrize("name", TARGETS)
@given(st.binary(max_size=200) | TEXTS.map(str.encode))
@example(b"[" * 100_000)
@example(b"(" * 100_000)
@example(b"{" * 100_000)
@example(b'{"format": ' + b"9" * 5000 + b"}")
@example(b"\xff\xfe\x00")
def test_bytes_of_any_kind_are_read_or_refused(name, data):
    survives(name, data)


@pytest.mark.parametrize(
    "old,new",
    [
        ('"tried": [', '"tried": [], "was": ['),
        ('"kept": [', '"kept": [1e300, '),
        ('"kept": [', '"kept": [99999999999999999999, '),
    ],
)
def test_counts_that_are_not_a_pair_for_each_value_are_refused(old, new):
    text = RECORDED[0].read_text(encoding="utf-8")
    assert old in text and not survives("curve", text.replace(old, new, 1).encode())


# ---- quantities and sliders
# ---------------------------------------------------------------------------------------------


@example("B", 0.5, 1)
@given(st.sampled_from(UNITS), st.floats(-1e15, 1e15, allow_nan=False, allow_subnormal=False), st.integers(1, 12))
def test_a_quantity_is_read_as_it_was_printed(unit, value, digits):
    if value and abs(value) < 1e-12:
        value = 0.0
    again = units.parse(units.render(value, unit, digits), unit)
    assert again == pytest.approx(value, rel=0.51 * 10 ** (1 - digits) + 1e-12)


@given(
    st.sampled_from(UNITS),
    st.from_regex(r"\s*[-+]?[0-9.,_]{0,8}(e[-+]?[0-9]{0,4})?\s?[a-zA-Zµ°%/]{0,5}\s*", fullmatch=True) | TEXTS,
)
def test_a_text_is_a_finite_quantity_or_none(unit, text):
    with contextlib.suppress(SpeLabError):
        assert math.isfinite(units.parse(text, unit))


SLIDERS = [
    pytest.param(slider, id=f"{name}-{slider.name}")
    for name, kind in registry.labs().items()
    for slider in kind().sliders.values()
]


@pytest.mark.parametrize("slider", SLIDERS)
def test_a_slider_takes_what_it_takes_again_and_nothing_outside(slider):
    @given(
        NUMBERS
        | TEXTS
        | st.floats(0, 1)
        | st.none()
        | st.booleans()
        | st.lists(st.integers(), max_size=2)
        | st.sampled_from(slider.choices or ("",))
    )
    @example(slider.default)
    @example(np.float64(1) / 3)
    def check(value):
        if (
            slider.scale != "choice" and isinstance(value, float) and 0 <= value <= 1
        ):  # within the domain more often than by chance
            value = slider.low + value * (min(slider.high, 1e12) - slider.low)
            assert slider.rounded(slider.rounded(value)) == slider.rounded(value)
            slider.checked(slider.rounded(value))
        try:
            taken = slider.checked(value)
        except SpeLabError:
            return
        assert slider.checked(taken) == taken
        assert taken in slider.choices if slider.scale == "choice" else slider.low <= taken <= slider.high

    check()


# ---- the algebra of patterns
# ----------------------------------------------------------------------------------------------

SMALL = st.integers(1, 200)
WRONG = NUMBERS | TEXTS | st.none()
WIDTHS = st.integers(1, 64)


@st.composite
def basics(draw):
    region = Region(draw(SMALL), draw(WIDTHS), draw(st.sampled_from(["", "R", "S"])))
    kind = draw(st.sampled_from([s_trav, rs_trav, r_trav, rr_trav, rr_acc, s_trav_cr, nest]))
    more = {
        rs_trav: {"r": draw(st.integers(1, 5)), "d": draw(st.sampled_from(DIRECTIONS))},
        rr_trav: {"r": draw(st.integers(1, 5))},
        rr_acc: {"r": draw(SMALL)},
        s_trav_cr: {"s": draw(st.floats(0, 1))},
        nest: {
            "m": draw(st.integers(1, 10)),
            "o": draw(st.sampled_from(ORDERS)),
            "d": draw(st.sampled_from(DIRECTIONS)),
        },
    }.get(kind, {})
    return kind(region, **more) if draw(st.booleans()) else kind(region, u=draw(st.integers(0, 70)), **more)


@st.composite
def expressions(draw):
    found = draw(basics())
    for _ in range(draw(st.integers(0, 4))):
        other = draw(basics())
        match draw(st.integers(0, 3)):
            case 0:
                found = found + other
            case 1:
                found = found * other
            case 2:
                found = other + found
            case 3:
                found = other * found
    return found


@given(st.data())
def test_an_expression_follows_the_laws_of_the_algebra_or_is_refused(data):
    from spe_lab.models.patterns import levels, traces

    try:
        pattern = data.draw(expressions())
    except SpeLabError as refused:
        assert ";" in str(refused)  # a rule, and a cure
        return
    starts, sizes = traces.trace(pattern)
    assert starts.shape == sizes.shape
    assert (pattern + pattern).visits == 2 * pattern.visits  # ⊕ is associative, and visits add up
    assert str((pattern + pattern) + pattern) == str(pattern + (pattern + pattern))
    assert str(pattern) and pattern.latex(4)
    assert levels.cost(pattern) >= 0


@pytest.mark.parametrize("kind", [s_trav, rs_trav, r_trav, rr_trav, rr_acc, s_trav_cr, nest])
@given(st.data())
def test_arguments_of_patterns_outside_their_domain_are_refused(kind, data):
    names = [name for name in kind.__dataclass_fields__ if name != "region"]
    with contextlib.suppress(SpeLabError):
        kind(Region(data.draw(WRONG), data.draw(WRONG)))
    with contextlib.suppress(SpeLabError):
        assert kind(Region(8, 8), **{data.draw(st.sampled_from(names)): data.draw(WRONG)}).visits >= 0
    with pytest.raises(SpeLabError):
        kind(Region(8, 8), **({"r": 1} if kind in (rr_acc, rr_trav, rs_trav) else {})) * data.draw(WRONG)


# ---- C
# --------------------------------------------------------------------------------------------------------------------

FUNCTION = """#include <stdint.h>
struct point { double x; int32_t n[2]; const uint8_t *data; char name[4]; unsigned low : 3; union { int i; float r; } u; };
int32_t f(int8_t a, uint64_t b, double c, const int32_t *d, struct point *p, void *v, _Bool t, char k, float m[][2],
          float _Complex z, struct point q)
{ return a + (int)b + (int)c + d[0] + p->n[0] + !v + t + k + (int)m[0][0] + (int)z + q.n[0]; }"""
VALUES = st.dictionaries(st.sampled_from(["x", "n", "data", "name", "low", "u", "i"]), ANYTHING | st.binary(max_size=6))


ARRAYS = st.builds(
    lambda kind, shape, step: np.zeros(shape, kind)[::step],
    st.sampled_from(["i4", "f8", "u1", "O", "U3", "M8[s]", "c16", [("a", "i4")]]),
    st.sampled_from([(), (0,), (3,), (2, 2)]).filter(bool),
    st.sampled_from([1, 2, -1]),
)


@cache
def compiled():
    function = native.build_text(FUNCTION, "fuzzed").declarations.functions["f"]
    return native.build_text(FUNCTION + wrapped.call_text(function), "fuzzed").declarations


@pytest.mark.skipif(not native.available(), reason="needs a C compiler, which says how a structure is laid out")
@given(st.fixed_dictionaries({name: ANYTHING | ARRAYS | VALUES | st.binary(max_size=4) for name in "abcdpvtkmzq"}))
def test_arguments_for_c_are_packed_or_refused(arguments):
    declarations = compiled()
    function = declarations.functions["f"]
    with contextlib.suppress(SpeLabError):
        record = wrapped.arguments_of(function, declarations, wrapped.PREFIX + "f")
        packed = Packed.of(function, arguments, FUNCTION, record)
        packed.give_back([bytearray(block) for block in packed.blocks])


@pytest.mark.parametrize("kind", [ctypes.c_int8, ctypes.c_uint32, ctypes.c_int64, ctypes.c_uint64, ctypes.c_size_t])
@given(value=ANYTHING)
def test_a_number_reaches_c_as_it_is_or_not_at_all(kind, value):
    with contextlib.suppress(SpeLabError):
        assert binding.whole_number(kind).from_param(value).value == value


# ---- the command line
# -------------------------------------------------------------------------------------------------------

LAB_IDS = st.sampled_from(["memory.stride", "branches.predictor", "scaling.cost", "nope"]) | TEXTS
WORDS = TEXTS | st.sampled_from(
    [
        "labs",
        "machine",
        "asm",
        "journal",
        "--json",
        "--csv",
        "--over",
        "--set",
        "--budget",
        "--machine",
        "--flags",
        "--quick",
        "memory.cycle_walk",
        "stride=8B",
        "stride=nan",
        "size=9EB",
        "size=1MiB",
        "=",
        "--",
        "-1",
        "1e999",
        "--export",
        "--import",
        "/",
        "/dev/full",
        ".",
    ],
)


@given(st.lists(WORDS, max_size=6))
def test_any_command_line_ends_with_a_status_and_no_traceback(words):
    check_command_line(words)


@given(
    LAB_IDS,
    st.lists(
        st.tuples(
            st.sampled_from(["--set", "--over", "--budget", "--machine"]),
            WORDS | st.sampled_from(["stride=,", "kind=,"]),
        ),
        max_size=3,
    ),
)
def test_any_run_that_is_refused_is_refused_in_a_sentence(lab, options):
    check_command_line(
        ["run", lab, *(word for pair in options for word in pair), "--budget", "-1"]
    )  # which no lab measures with


def check_command_line(words):
    if "--calibrate" in words or "notebooks" in words:
        return  # half a minute, and a folder of any name
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            status = main(words)
        except SystemExit as ended:  # --help
            status = ended.code or 0
    assert status in (0, 2, 3), words
    assert "Traceback" not in said.getvalue() and (status == 0 or said.getvalue().startswith("spe-lab: "))
