"""Arguments of a C function in words: `n=1000`, `x=random:n`, `grid=zeros:100x100`, `body.mass=1.5`, `x=data.npy`.

The types are those of the C function. An array is `KIND:SHAPE` or `random:SHAPE:LOW:HIGH`. Its extents are numbers, or
names of numbers that are given, with an x between two of them. The kinds:

- zeros, ones
- range: 0, 1, 2 …
- random: floats from 0 to 1, whole numbers from 0 to 99, chars from a to z with a zero at the end; or from LOW to below
  HIGH. They depend on the name of the array and on the seed alone

`1,2,3` are the elements themselves, `null` is a null pointer, `text:…` a string, and a name that ends in .npy a file of
numpy.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.c.ctype import Array, Enumeration, Function, Number, Other, Pointer, Record, Type, prototype, spelled
from spe_lab.core.own_c import timing
from spe_lab.core.own_c.filled import HOW, filled, listed, load
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.values import dtype_of, number_of

_BYTE = Number("unsigned char", "int", 1, False)
_MOST = 1 << 50  # elements along an extent
_MOST_EXTENTS = 8


class Given:
    """Words by parameter name, turned into values for functions whose types may differ.

    Functions get the same array where its type is the same. `most_bytes` limits an array.
    """

    def __init__(self, words: Mapping[str, str], seed: int = 1, most_bytes: int = 1 << 30) -> None:
        self.words = dict(words)
        self.seed = seed
        self.most_bytes = most_bytes
        self._made: dict[tuple[str, str], Any] = {}

    def values(self, function: Function) -> dict[str, Any]:
        """Return the value of each parameter; of a work kernel, of each member of its structure that is given.

        Raises CellError for a parameter without a value, a name that the function does not know, and a word that does
        not fit the type.
        """
        kinds = timing.fields(function)
        self._check_names("", kinds, prototype(function))
        missing = [name for name in kinds if not self._has(name)]
        if missing and not timing.is_work_kernel(function):
            cure = " ".join(f"--set {name}{_example(kinds[name])}" for name in missing)
            raise CellError(
                f"{function.name} needs a value for {', '.join(missing)}, as {prototype(function)} says; write {cure}"
            )
        # Numbers first: an extent that is no whole number is said before the array that needs it.
        given = sorted((name for name in kinds if self._has(name)), key=lambda name: number_of(kinds[name]) is None)
        values = {name: self._value(name, kinds[name]) for name in given}
        return {name: values[name] for name in kinds if name in values}

    def _has(self, name: str) -> bool:
        return name in self.words or any(word.startswith(f"{name}.") for word in self.words)

    def _check_names(self, owner: str, kinds: Mapping[str, Type], declared: str) -> None:
        """Refuse words below `owner` that name no member."""
        for word in self.words:
            if word.startswith(owner) and word.removeprefix(owner).split(".")[0] not in kinds:
                raise CellError(
                    f"--set and --over must name one of {', '.join(kinds) or '(none)'} of {declared}, got {word};"
                    " leave it out or rename it"
                )

    def _value(self, name: str, kind: Type) -> Any:
        record = kind.target if isinstance(kind, Pointer) else kind
        if isinstance(record, Record) and name not in self.words:
            members = {member.name: member.type for member in record.members}
            self._check_names(f"{name}.", members, spelled(record))
            return {
                member: self._value(f"{name}.{member}", inner)
                for member, inner in members.items()
                if self._has(f"{name}.{member}")
            }
        if name not in self.words:
            raise CellError(f"{name} must be one value, since C's {spelled(kind)} has no members; write --set {name}=…")
        word = self.words[name]
        if (number := number_of(kind)) is not None:
            return _number(word, kind, number, name)
        if isinstance(kind, Pointer) and word == "null":
            return None
        if isinstance(kind, Pointer) and isinstance(kind.target, Other | Pointer):
            raise CellError(f"{name} must be null for C's {spelled(kind)}, got {word!r:.60}; write --set {name}=null")
        if isinstance(kind, Pointer) and not isinstance(kind.target, Record):
            return self._pointed(word, kind, name)
        if isinstance(kind, Array):
            return self._array(word, kind.element, name, kind)
        if isinstance(record, Record) and record.members:
            raise CellError(
                f"{name} must be given by its members, got {word!r:.60}; write --set {name}{_example(kind)}"
            )
        cure = f"write --set {name}=null" if isinstance(kind, Pointer) else "time a function that takes another type"
        raise CellError(f"{name} must have a type with values in Python, got C's {spelled(kind)}; {cure}")

    def _pointed(self, word: str, kind: Pointer, name: str) -> Any:
        if word.startswith("text:"):
            return self._once(name, "text", lambda: bytearray(word.removeprefix("text:").encode() + b"\0"))
        target = kind.target.element if isinstance(kind.target, Array) else kind.target
        return self._array(word, _BYTE if target is None else target, name, kind)

    def _once(self, name: str, kind: str, make: Callable[[], Any]) -> Any:
        if (name, kind) not in self._made:
            self._made[name, kind] = make()
        return self._made[name, kind]

    def _array(self, word: str, element: Type, name: str, kind: Type) -> np.ndarray:
        """Return the array that a word is, for a pointer or a member of this kind."""
        if word.endswith(".npy"):
            return self._once(name, word, lambda: load(Path(word), name))
        dtype, number = dtype_of(element), number_of(element)
        if number is None or dtype is None:
            raise CellError(
                f"{name} must hold numbers that numpy has, for C's {spelled(kind)}; write --set {name}=null"
            )
        elements = [each.strip() for each in word.split(",")]
        if all(_plain(each) is not None for each in elements):
            values = [_number(each, element, number, name) for each in elements]
            return self._once(name, f"{dtype} {word}", lambda: listed(values, dtype, number, name))
        how, _, rest = word.partition(":")
        shape, *bounds = rest.split(":")
        extents, ends = self._extents(shape), (0, 2) if how == "random" else (0,)
        if how not in HOW or extents is None or len(extents) > _MOST_EXTENTS or len(bounds) not in ends:
            raise CellError(
                f"{name} must be an array for C's {spelled(kind)}, got {word!r:.60}; write for example --set"
                f" {name}=random:1000, with numbers or names that are set as extents, 1,2,3 or a file that ends in .npy"
            )
        if (size := dtype.itemsize * math.prod(extents)) > self.most_bytes:
            room = units.render(self.most_bytes, "B")
            raise CellError(f"{name} must have at most {room}, got {size:.2g} B; choose smaller extents")
        low_high = [self._bound(bound, name) for bound in bounds]
        return self._once(name, f"{dtype} {word}", lambda: filled(how, extents, dtype, low_high, self.seed, name))

    def _extents(self, text: str) -> list[int] | None:
        """Return the extents that stand in `text`, a name of which may hold an x; None if some do not."""
        whole = self._extent(text)
        if whole is not None:
            return [whole]
        for i in (i for i, letter in enumerate(text) if letter == "x"):
            first = self._extent(text[:i])
            if first is not None and (others := self._extents(text[i + 1 :])):
                return [first, *others]
        return None

    def _extent(self, text: str) -> int | None:
        number = _plain(self.words.get(text, text))
        return int(number) if number is not None and 0 <= number < _MOST and number == int(number) else None

    def _bound(self, text: str, name: str) -> float:
        number = _plain(self.words.get(text, text))
        if number is None:
            raise CellError(
                f"the bounds of {name} must be numbers or names that are set, got {text!r:.60}; write for example"
                f" --set {name}=random:100:0:1000"
            )
        return number


def _plain(word: str) -> float | None:
    """Return the number that a word is, also in hexadecimal; None if it is none, or none that is finite."""
    if len(word) > units.LONGEST:
        return None
    try:
        return int(word, 0)
    except ValueError:
        try:
            number = float(word)
        except ValueError:
            return None
        return number if math.isfinite(number) else None


def _number(word: str, kind: Type, number: Number, name: str) -> Any:
    """Return a number of this type; its range is checked where it is packed."""
    if isinstance(kind, Enumeration) and word in dict(kind.values):
        return dict(kind.values)[word]
    if number.kind == "bool" and word in ("true", "false"):
        return word == "true"
    if number.kind == "char" and len(word.encode()) == 1 and not word.isdecimal():
        return word.encode()
    if number.kind == "complex":
        try:
            return complex(word.replace("i", "j"))
        except ValueError:
            pass
    plain = _plain(word)
    if number.kind in ("float", "complex") and word.lower().lstrip("+-") in ("inf", "nan"):
        plain = float(word)
    if plain is None or (number.kind not in ("float", "complex") and plain != int(plain)):
        wanted = "a number" if number.kind in ("float", "complex") else "a whole number"
        raise CellError(
            f"{name} must be {wanted} for C's {spelled(kind)}, got {word!r:.60}; write for example --set {name}=1000"
        )
    return float(plain) if number.kind == "float" else plain if number.kind == "complex" else int(plain)


def _example(kind: Type) -> str:
    """Return what stands behind the name of an argument of this type, beginning with its = or its dot."""
    record = kind.target if isinstance(kind, Pointer) else kind
    if isinstance(record, Record) and record.members:
        # Not by a pointer: it may lead to the same structure, as in a list.
        member = next((each for each in record.members if not isinstance(each.type, Pointer)), None)
        if member is not None:
            return f".{member.name}{_example(member.type)}"
        return "=null" if isinstance(kind, Pointer) else f".{record.members[0].name}=null"
    if isinstance(kind, Pointer) and isinstance(kind.target, Other | Pointer):
        return "=null"
    if isinstance(kind, Enumeration) and kind.values:
        return f"={kind.values[0][0]}"
    rows = kind.target if isinstance(kind, Pointer) else kind
    if isinstance(rows, Array):
        extents = [str(extent or 10) for extent in rows.shape]
        return f"=random:{'x'.join((['10'] if isinstance(kind, Pointer) else []) + extents)}"
    if isinstance(kind, Number) and kind.kind != "float":
        return {"bool": "=true", "char": "=a", "complex": "=1+2i"}.get(kind.kind) or f"={min(1000, kind.bounds[1])}"
    return "=random:1000" if isinstance(kind, Pointer) else "=1000"
