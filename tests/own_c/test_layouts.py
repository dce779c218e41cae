"""Structures and signatures that hypothesis makes up: Python and C agree on each offset and on each value.

A batch is one cell, since compiling takes longer than all of its calls. Its C tells sizes and offsets by sizeof and
offsetof, and reads and writes each member by its name.
"""

import contextlib
import copy
import os
import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from own_c.random_c import (
    CHANNELS,
    PRELUDE,
    Array,
    Record,
    Signature,
    channels,
    definition,
    leaves,
    reading,
    records,
    signatures,
    value_of,
    writing,
    written,
    zero_of,
)

from spe_lab.core.c import native
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError

FLAGS = [*native.CELL_FLAGS, "-O1", "-w"]
# Not shrunk: each attempt compiles, and the failing structure is named with its text.
BATCHES = settings(deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
LONG = os.environ.get("SPE_LAB_LONG", "0") not in ("", "0")


@dataclass(frozen=True)
class Batch:
    """What one cell holds; `seed` makes the values."""

    records: tuple[Record, ...]
    signatures: tuple[Signature, ...]
    seed: int

    def _repr_pretty_(self, printer, cycle) -> None:
        """Print little for hypothesis: an error names the structure, and the rest is thousands of lines."""
        printer.text(f"<{len(self.records)} structures, {len(self.signatures)} signatures, seed {self.seed}>")


@st.composite
def batches(draw) -> Batch:
    size = draw(st.sampled_from((1, *[25] * 9)))  # hypothesis begins with the simplest batch: let it be small
    known: list[Record] = []
    for i in range(size):
        known.append(draw(records(f"s{i}", tuple(known[-3:]))))
    made = tuple(draw(signatures(f"f{i}", tuple(known))) for i in range(size))
    return Batch(tuple(known), made, draw(st.integers(0, 2**32 - 1)))


@settings(BATCHES, max_examples=2, derandomize=True)
@given(batches())
def test_offsets_and_values_are_those_of_c(compiler, batch):
    check(batch)


@pytest.mark.slow
@settings(BATCHES, max_examples=100 if LONG else 4, derandomize=not LONG)
@given(batches())
def test_offsets_and_values_of_many_more(compiler, batch):
    check(batch)


def check(batch: Batch) -> None:
    chance = random.Random(batch.seed)
    values = [value_of(record, chance) for record in batch.records]
    arguments = [[value_of(each.type, chance) for each in made.parameters] for made in batch.signatures]
    texts = [definition(record) for record in batch.records]
    texts += [_functions(record, value) for record, value in zip(batch.records, values, strict=True)]
    texts += [_function(made, given) for made, given in zip(batch.signatures, arguments, strict=True)]
    with contextlib.closing(Cell("\n".join([PRELUDE, *texts]), "own", flags=FLAGS)) as own:
        for record, value in zip(batch.records, values, strict=True):
            with _naming(definition(record), value):
                _check_layout(own, record)
                _check_members(own, record, value)
        for made, given_ in zip(batch.signatures, arguments, strict=True):
            used = {each.type for each in made.parameters if isinstance(each.type, Record)}
            with _naming("".join(map(definition, used)) + _function(made, given_), given_):
                _check_call(own, made, given_)


@contextlib.contextmanager
def _naming(text, value):
    """Add the C text to an error."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{text}\n{value}") from error


def _functions(record: Record, value) -> str:
    """C that reads, writes, takes and gives this record, and that tells its size and offsets."""
    name, tag = written(record), record.tag
    found = list(leaves(record, value, "x"))
    pointed = list(leaves(record, value, "(*x)"))
    offsets = "".join(f" *at++ = offsetof({name}, {member});" for member in _names(record))
    return f"""void read_{tag}(const {name} *x, {CHANNELS}) {{ {reading(pointed)} }}
void take_{tag}({name} x, {CHANNELS}) {{ {reading(found)} }}
void write_{tag}({name} *x, const {CHANNELS.replace(", ", ", const ")}) {{ {writing(pointed)} }}
{name} give_{tag}(const {CHANNELS.replace(", ", ", const ")}) {{ {name} x; memset(&x, 0, sizeof x); {writing(found)} return x; }}
void layout_{tag}(uint64_t *at) {{ *at++ = sizeof({name});{offsets} }}
"""


def _names(record: Record) -> list[str]:
    """Members that have an offset, those of members without a name among them."""
    names = []
    for member in record.members:
        if member.name and member.bits is None:
            names.append(member.name)
        elif not member.name and isinstance(member.type, Record):
            names += _names(member.type)
    return names


def _function(made: Signature, values) -> str:
    read = []
    for parameter, value in zip(made.parameters, values, strict=True):
        pointed = parameter.pointer and isinstance(parameter.type, Record)
        read.append(reading(list(leaves(parameter.type, value, f"(*{parameter.name})" if pointed else parameter.name))))
    result = made.parameters[made.result] if made.result >= 0 else None
    kind, give = (written(result.type), f"return {result.name};") if result else ("void", "")
    parameters = ", ".join(parameter.c for parameter in made.parameters)
    return f"{kind} {made.name}({parameters}, {CHANNELS}) {{ {' '.join(read)} {give} }}\n"


def _check_layout(own, record: Record) -> None:
    names = _names(record)
    at = np.zeros(1 + len(names), np.uint64)
    own[f"layout_{record.tag}"](at)
    if not _is_of_numpy(record):
        with pytest.raises(CellError):
            own.dtype(record.tag)
        return
    dtype = own.dtype(record.tag)
    assert dtype.itemsize == at[0]
    assert {name: dtype.fields[name][1] for name in names} == dict(zip(names, at[1:].tolist(), strict=True))


def _is_of_numpy(kind) -> bool:
    """Whether numpy has such numbers and, in a structure, no bit-fields."""
    if isinstance(kind, Record):
        members = [each for each in kind.members if each.name or isinstance(each.type, Record)]
        return all(each.bits is None and _is_of_numpy(each.type) for each in members)
    return _is_of_numpy(kind.element) if isinstance(kind, Array) else kind.bits <= 64


def _check_members(own, record: Record, value) -> None:
    ints, reals = channels(list(leaves(record, value, "")))
    for name in ("read", "take"):
        seen, given_ = (np.zeros_like(ints), np.zeros_like(reals)), copy.deepcopy(value)
        own[f"{name}_{record.tag}"](given_, *seen)
        np.testing.assert_array_equal(seen[0], ints, name)
        np.testing.assert_array_equal(seen[1], reals, name)
        assert _differences(given_, value) == [], name
    filled = zero_of(value)
    own[f"write_{record.tag}"](filled, ints, reals)
    assert _differences(filled, value) == [], "write"
    assert _differences(own[f"give_{record.tag}"](ints, reals), value) == [], "give"


def _check_call(own, made: Signature, values) -> None:
    found = [
        leaf
        for parameter, value in zip(made.parameters, values, strict=True)
        for leaf in leaves(parameter.type, value, "")
    ]
    ints, reals = channels(found)
    seen = np.zeros_like(ints), np.zeros_like(reals)
    given_ = [
        _given(parameter.type, copy.deepcopy(value)) for parameter, value in zip(made.parameters, values, strict=True)
    ]
    result = own[made.name](*given_, *seen)
    np.testing.assert_array_equal(seen[0], ints)
    np.testing.assert_array_equal(seen[1], reals)
    assert [_differences(after, before) for after, before in zip(given_, values, strict=True)] == [[]] * len(values)
    assert result is None if made.result < 0 else _differences(result, values[made.result]) == []


def _given(kind, value):
    """An argument: a numpy array for a pointer to numbers."""
    if not isinstance(kind, Array):
        return value
    element = kind.element
    if element.kind == "int":
        return np.array(value, f"{'i' if element.signed else 'u'}{element.bits // 8}")
    if element.kind == "bool":
        return np.array(value, bool)
    if element.c == "long double":
        return np.array(value, np.longdouble)
    return np.array(value, f"f{element.bits // 8}" if element.kind == "real" else f"c{element.bits // 4}")


def _differences(given_, value, place: str = "") -> list[str]:
    """Places at which what came back is not the value; of a union, the members that the value has are compared."""
    if isinstance(value, dict):
        missing = [f"{place}.{name} is missing" for name in value if name not in given_]
        return missing + [
            line
            for name in value
            if name in given_
            for line in _differences(given_[name], value[name], f"{place}.{name}")
        ]
    if isinstance(value, list):
        if len(given_) != len(value):
            return [f"{place} has {len(given_)} elements, not {len(value)}"]
        return [line for i, each in enumerate(value) for line in _differences(given_[i], each, f"{place}[{i}]")]
    same = given_ == value and isinstance(given_, bool | np.bool_) == isinstance(value, bool)
    return [] if same else [f"{place} is {given_!r}, not {value!r}"]
