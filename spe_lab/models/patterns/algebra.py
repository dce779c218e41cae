"""The algebra of access patterns: regions, basic patterns, and their composition with + and *.

    V, H = Region(10_000, 8, "V"), Region(16_384, 16, "H")
    s_trav(V) * r_trav(H) + s_trav(V) * rr_acc(H, r=10_000)

`*` is ⊙, concurrent: both patterns are interleaved in proportion to their lengths. `+` is ⊕, sequential: the second
pattern finds in the caches what the first one left there. As in the papers, ⊙ binds tighter than ⊕.

Source: Manegold, Boncz, Kersten, "Generic Database Cost Models for Hierarchical Memory Systems", VLDB 2002, for the
patterns and operators; `rr_acc` is the lecture notes' name for r_acc; `s_trav_cr` is from Pirk et al., ICDE 2013. The
proportional interleaving is our choice: the papers do not define one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from spe_lab.core.errors import SpeLabError

DIRECTIONS = ("uni", "bi")
ORDERS = ("ran", "seq")
MOST = 1 << 40
MOST_VISITS = 1 << 26
LEAST_SHARE = 1e-9  # a smaller share touches no item, and 1 − s loses it to rounding


def _whole(name: str, value: float, low: int, cure: str) -> int:
    number = value if isinstance(value, int | float | np.integer) and not isinstance(value, bool) else float("nan")
    if not low <= number <= MOST or number != int(number):
        raise SpeLabError(f"{name} must be a whole number between {low} and {MOST}, got {value!r:.40}; {cure}")
    return int(number)


@dataclass(frozen=True, eq=False)
class Region:
    """`n` items of `w` bytes. Regions with the same name are one place; an unnamed region is unique."""

    n: int
    w: int
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", _whole("n", self.n, 1, "a region holds at least one item"))
        object.__setattr__(self, "w", _whole("w", self.w, 1, "an item is at least one byte wide"))

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Region) and self.name and (self.n, self.w, self.name) == (other.n, other.w, other.name)
        return self is other or bool(same)

    def __hash__(self) -> int:
        return hash((self.n, self.w, self.name)) if self.name else id(self)

    @property
    def label(self) -> str:
        return self.name or "R"

    @property
    def size(self) -> int:
        return self.n * self.w


class Pattern:
    """Base of the basic patterns and of their compositions."""

    parts: tuple["Pattern", ...]  # of a composition

    @property
    def visits(self) -> int:
        """Number of items visited, including repetitions."""
        raise NotImplementedError

    def __mul__(self, other: "Pattern") -> "Concurrent":
        return Concurrent((*_parts(self, Concurrent), *_parts(other, Concurrent)))

    def __add__(self, other: "Pattern") -> "Sequential":
        return Sequential((*_parts(self, Sequential), *_parts(other, Sequential)))

    def basics(self) -> Iterator["Basic"]:
        """Yield the basic patterns of an expression, from left to right."""
        raise NotImplementedError

    def latex(self, word: int | None = None) -> str:
        """Return the expression in the notes' notation.

        Widths are in words of `word` bytes; without `word`, a region with a name appears as its name.
        """
        raise NotImplementedError

    def regions(self) -> tuple[Region, ...]:
        return tuple(dict.fromkeys(basic.region for basic in self.basics()))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __repr__(self) -> str:
        return str(self)


def _parts(pattern: Pattern, kind: type) -> tuple[Pattern, ...]:
    if not isinstance(pattern, Pattern):
        raise SpeLabError(
            f"⊕ and ⊙ need a pattern on both sides, got {pattern!r:.40}; write for example s_trav(R) * r_trav(S)"
        )
    return pattern.parts if isinstance(pattern, kind) else (pattern,)


@dataclass(frozen=True, eq=False, repr=False)
class Basic(Pattern):
    """A pattern over one region that touches the first `u` bytes (default: w) of each visited item."""

    region: Region
    u: int | None = field(default=None, kw_only=True)

    sequential = False  # True if lines are visited in the order of their addresses, so that a prefetcher predicts them

    def __post_init__(self) -> None:
        if not isinstance(self.region, Region):
            rule = f"the first argument of {type(self).__name__} must be a Region"
            raise SpeLabError(f"{rule}, got {self.region!r:.40}; write Region(n, w)")
        u = _whole("u", self.region.w if self.u is None else self.u, 1, "a visit touches at least one byte")
        if u > self.region.w:
            got = f"got u={u} B with w={self.region.w} B"
            raise SpeLabError(f"u must be at most the item's width w, {got}; choose a smaller u")
        object.__setattr__(self, "u", u)
        _check_visits(self)

    @property
    def visits(self) -> int:
        return self.region.n

    def items(self, rng: np.random.Generator) -> np.ndarray:
        """Return the numbers of the visited items, in the order of the visits."""
        raise NotImplementedError

    def arguments(self) -> str:
        return ""

    def basics(self) -> Iterator["Basic"]:
        yield self

    def latex(self, word: int | None = None) -> str:
        name, of = type(self).__name__.replace("_", r"\_"), rf"\mathrm{{{self.region.label}}}"
        if word is None and self.region.name:
            touched = "" if self.u == self.region.w else rf",\,u={self.u}"
            return rf"\mathrm{{{name}}}({of}{touched}{self.arguments()})"
        w, u = (f"{value / (word or 1):g}" for value in (self.region.w, self.u))
        return rf"\mathrm{{{name}}}({of}.w={w},\,u={u},\,{of}.n={self.region.n}{self.arguments()})"

    def __str__(self) -> str:
        more = self.arguments()
        for latex, plain in ((r"\,", " "), (r"\mathrm", ""), ("{", ""), ("}", ""), (r"\_", "_")):
            more = more.replace(latex, plain)
        return f"{type(self).__name__}({self.region.label}, u={self.u}{more})"


@dataclass(frozen=True, eq=False, repr=False)
class s_trav(Basic):
    """One visit to each item, in storage order."""

    sequential = True

    def items(self, rng: np.random.Generator) -> np.ndarray:
        return np.arange(self.region.n)


@dataclass(frozen=True, eq=False, repr=False)
class rs_trav(Basic):
    """`r` sweeps in storage order, in one direction (`d` = "uni") or in alternating directions ("bi")."""

    r: int = 2
    d: str = "uni"

    sequential = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "r", _whole("r", self.r, 1, "one sweep is the least"))
        _choice("d", self.d, DIRECTIONS)
        super().__post_init__()

    @property
    def visits(self) -> int:
        return self.region.n * self.r

    def items(self, rng: np.random.Generator) -> np.ndarray:
        sweeps = np.tile(np.arange(self.region.n), (self.r, 1))
        if self.d == "bi":
            sweeps[1::2] = sweeps[1::2, ::-1]
        return sweeps.ravel()

    def arguments(self) -> str:
        return rf",\,r={self.r},\,\mathrm{{{self.d}}}"


@dataclass(frozen=True, eq=False, repr=False)
class r_trav(Basic):
    """One visit to each item, in random order."""

    def items(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(self.region.n)


@dataclass(frozen=True, eq=False, repr=False)
class rr_trav(Basic):
    """`r` traversals that visit each item once, each in a new random order."""

    r: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "r", _whole("r", self.r, 1, "one traversal is the least"))
        super().__post_init__()

    @property
    def visits(self) -> int:
        return self.region.n * self.r

    def items(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permuted(np.tile(np.arange(self.region.n), (self.r, 1)), axis=1).ravel()

    def arguments(self) -> str:
        return rf",\,r={self.r}"


@dataclass(frozen=True, eq=False, repr=False)
class rr_acc(Basic):
    """`r` visits to items drawn with replacement: some items are visited several times, some never."""

    r: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "r", _whole("r", self.r, 1, "one access is the least"))
        super().__post_init__()

    @property
    def visits(self) -> int:
        return self.r

    def items(self, rng: np.random.Generator) -> np.ndarray:
        return rng.integers(0, self.region.n, self.r)

    def arguments(self) -> str:
        return rf",\,r={self.r}"


@dataclass(frozen=True, eq=False, repr=False)
class s_trav_cr(Basic):
    """A traversal in storage order that touches an item with probability `s`, independently of the others."""

    s: float = 0.5

    sequential = True

    def __post_init__(self) -> None:
        number = isinstance(self.s, int | float | np.floating) and not isinstance(self.s, bool)
        if not number or not LEAST_SHARE <= self.s <= 1:
            rule = f"s must be a share between {LEAST_SHARE:g} and 1"
            raise SpeLabError(f"{rule}, got {self.s!r:.40}; write for example s=0.1")
        super().__post_init__()

    @property
    def visits(self) -> int:
        return max(1, round(self.region.n * self.s))

    def items(self, rng: np.random.Generator) -> np.ndarray:
        # The distances between visited items are geometric; draw six standard deviations more than expected.
        drawn = int(self.region.n * self.s + 6 * (self.region.n * self.s) ** 0.5 + 20)
        places = rng.geometric(self.s, drawn).cumsum() - 1
        return places[places < self.region.n]

    def arguments(self) -> str:
        return rf",\,s={self.s:g}"


@dataclass(frozen=True, eq=False, repr=False)
class nest(Basic):
    """`m` equal parts, each traversed in storage order by its own cursor.

    The next cursor is drawn at random (`o` = "ran"), or the cursors take turns ("seq"): from first to last each time
    (`d` = "uni"), or back and forth ("bi"). The papers allow other patterns inside; with a random one the whole nest is
    a random traversal, r_trav(R).
    """

    m: int = 1
    o: str = "ran"
    d: str = "uni"

    def __post_init__(self) -> None:
        if not isinstance(self.region, Region):
            rule = "the first argument of nest must be a Region"
            raise SpeLabError(f"{rule}, got {self.region!r:.40}; write Region(n, w)")
        object.__setattr__(self, "m", _whole("m", self.m, 1, "a nest has at least one part"))
        _choice("o", self.o, ORDERS)
        _choice("d", self.d, DIRECTIONS)
        if self.m > self.region.n or self.region.n % self.m:
            rule = "m must divide the region into equal, non-empty parts"
            raise SpeLabError(f"{rule}, got m={self.m} for n={self.region.n} items; choose a divisor of n")
        super().__post_init__()

    def items(self, rng: np.random.Generator) -> np.ndarray:
        part, each = np.arange(self.m), self.region.n // self.m
        if self.o == "seq":
            turns = np.tile(part, (each, 1))
            if self.d == "bi":
                turns[1::2] = turns[1::2, ::-1]
            chosen = turns.ravel()
        else:
            chosen = rng.permuted(np.repeat(part, each))
        # The k-th move of a cursor visits the k-th item of its part.
        order = np.argsort(chosen, kind="stable")
        items = np.empty(self.region.n, np.int64)
        items[order] = np.arange(self.region.n)
        return items

    def arguments(self) -> str:
        direction = rf",\,\mathrm{{{self.d}}}" if self.o == "seq" else ""
        return rf",\,m={self.m},\,\mathrm{{s\_trav}},\,\mathrm{{{self.o}}}{direction}"


def _check_visits(pattern: Pattern) -> None:
    if pattern.visits > MOST_VISITS:
        rule = f"a pattern must visit at most {MOST_VISITS:,} items"
        raise SpeLabError(f"{rule}, got {pattern.visits:,}; choose a smaller n or r")


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SpeLabError(f"{name} must be one of {', '.join(choices)}, got {value!r:.40}; name one of them")


@dataclass(frozen=True, eq=False, repr=False)
class Composition(Pattern):
    """Two or more patterns, sequential or concurrent."""

    parts: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        named: dict[str, Region] = {}
        for region in self.regions():
            if region.name and named.setdefault(region.name, region) != region:
                first, rule = named[region.name], "two regions with the same name must have the same n and w"
                got = f"got {region.name} with n={first.n}, w={first.w} and with n={region.n}, w={region.w}"
                raise SpeLabError(f"{rule}, {got}; give one of them another name")
        _check_visits(self)

    @property
    def visits(self) -> int:
        return sum(part.visits for part in self.parts)

    def basics(self) -> Iterator[Basic]:
        for part in self.parts:
            yield from part.basics()


class Sequential(Composition):
    """P₁ ⊕ P₂ ⊕ …: patterns one after the other."""

    def latex(self, word: int | None = None) -> str:
        return r" \;\oplus\; ".join(part.latex(word) for part in self.parts)

    def __str__(self) -> str:
        return " ⊕ ".join(map(str, self.parts))


class Concurrent(Composition):
    """P₁ ⊙ P₂ ⊙ …: concurrent patterns, each on its own region."""

    def __post_init__(self) -> None:
        super().__post_init__()
        seen: dict[Region, Pattern] = {}
        for part in self.parts:
            for region in part.regions():
                if seen.setdefault(region, part) is not part:
                    rule = f"concurrent patterns must have regions of their own, got {region.label} in two of them"
                    raise SpeLabError(f"{rule}; give each its own Region, or write them one after the other with +")

    def latex(self, word: int | None = None) -> str:
        parts = ((part.latex(word), isinstance(part, Sequential)) for part in self.parts)
        return r" \odot ".join(rf"\left[{latex}\right]" if brackets else latex for latex, brackets in parts)

    def __str__(self) -> str:
        return " ⊙ ".join(f"[{part}]" if isinstance(part, Sequential) else str(part) for part in self.parts)
