"""The algebra of access patterns: regions, basic patterns, and their composition, as values that can be added and
multiplied.

    V, H = Region(10_000, 8, "V"), Region(16_384, 16, "H")
    s_trav(V) * r_trav(H) + s_trav(V) * rr_acc(H, r=10_000)

`*` is ⊙, concurrent: both run at once, interleaved in proportion to their lengths. `+` is ⊕, one after the other, and
what the first leaves in the caches the second finds there. As in the papers, ⊙ binds tighter than ⊕.

Source: Manegold, Boncz, Kersten, "Generic Database Cost Models for Hierarchical Memory Systems", VLDB 2002, for the
patterns and operators; `rr_acc` is the lecture notes' name for r_acc; `s_trav_cr` is from Pirk et al., ICDE 2013. The
proportional interleaving is ours: the papers leave it open.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from spe_lab.core.errors import SpeLabError

DIRECTIONS = ("uni", "bi")
ORDERS = ("ran", "seq")
MOST = 1 << 40
MOST_VISITS = 1 << 26
LEAST_SHARE = 1e-9  # a smaller one touches none of so many items, and is lost in 1 − s


def _whole(name: str, value: float, low: int, cure: str) -> int:
    number = value if isinstance(value, int | float | np.integer) and not isinstance(value, bool) else float("nan")
    if not low <= number <= MOST or number != int(number):
        raise SpeLabError(f"{name} must be a whole number between {low} and {MOST}, got {value!r:.40}; {cure}")
    return int(number)


@dataclass(frozen=True, eq=False)
class Region:
    """`n` items of `w` bytes, one after the other. Regions of one name are one place; without a
    name, each is its own.
    """

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
    """What the basic patterns and their compositions have in common."""

    parts: tuple["Pattern", ...]  # of a composition

    @property
    def visits(self) -> int:
        """Items visited, repetitions included."""
        raise NotImplementedError

    def __mul__(self, other: "Pattern") -> "Concurrent":
        return Concurrent((*_parts(self, Concurrent), *_parts(other, Concurrent)))

    def __add__(self, other: "Pattern") -> "Sequential":
        return Sequential((*_parts(self, Sequential), *_parts(other, Sequential)))

    def basics(self) -> Iterator["Basic"]:
        """The basic patterns of an expression, from left to right."""
        raise NotImplementedError

    def latex(self, word: int | None = None) -> str:
        """In the notes' notation, with widths in words of `word` bytes; without `word`, of a region that has a name
        only the name.
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
    """A pattern over one region that touches the first `u` bytes of each item it visits; u = w if it is left out."""

    region: Region
    u: int | None = field(default=None, kw_only=True)

    sequential = False  # whether the lines come in the order of their addresses, so that a prefetcher sees them coming

    def __post_init__(self) -> None:
        if not isinstance(self.region, Region):
            raise SpeLabError(
                f"the first argument of {type(self).__name__} must be a Region, got {self.region!r:.40}; write"
                " Region(n, w)"
            )
        u = _whole("u", self.region.w if self.u is None else self.u, 1, "a visit touches at least one byte")
        if u > self.region.w:
            raise SpeLabError(
                f"u must be at most the item's width w, got u={u} B with w={self.region.w} B; a visit cannot touch more"
                " than the item"
            )
        object.__setattr__(self, "u", u)
        if self.visits > MOST_VISITS:
            raise SpeLabError(
                f"a pattern must visit at most {MOST_VISITS:,} items, got {self.visits:,}; choose a smaller n or r"
            )

    @property
    def visits(self) -> int:
        return self.region.n

    def items(self, rng: np.random.Generator) -> np.ndarray:
        """The numbers of the visited items, in their order."""
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
        more = (
            self.arguments()
            .replace(r"\,", " ")
            .replace(r"\mathrm", "")
            .replace("{", "")
            .replace("}", "")
            .replace("\\_", "_")
        )
        return f"{type(self).__name__}({self.region.label}, u={self.u}{more})"


@dataclass(frozen=True, eq=False, repr=False)
class s_trav(Basic):
    """Each item once, in storage order."""

    sequential = True

    def items(self, rng: np.random.Generator) -> np.ndarray:
        return np.arange(self.region.n)


@dataclass(frozen=True, eq=False, repr=False)
class rs_trav(Basic):
    """`r` sweeps in storage order, all in the same direction (`d` = "uni") or in alternating ones ("bi")."""

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
    """Each item once, in random order."""

    def items(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(self.region.n)


@dataclass(frozen=True, eq=False, repr=False)
class rr_trav(Basic):
    """`r` times each item once, each time in a new random order."""

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
    """`r` visits to items drawn at random, each time from all of them: some may be met often, some never."""

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
        if (
            isinstance(self.s, bool)
            or not isinstance(self.s, int | float | np.floating)
            or not LEAST_SHARE <= self.s <= 1
        ):
            raise SpeLabError(
                f"s must be a share between {LEAST_SHARE:g} and 1, got {self.s!r:.40}; write for example s=0.1"
            )
        super().__post_init__()

    @property
    def visits(self) -> int:
        return max(1, round(self.region.n * self.s))

    def items(self, rng: np.random.Generator) -> np.ndarray:
        # The distances between visited items are geometric; six standard deviations more of them than are expected.
        drawn = int(self.region.n * self.s + 6 * (self.region.n * self.s) ** 0.5 + 20)
        places = rng.geometric(self.s, drawn).cumsum() - 1
        return places[places < self.region.n]

    def arguments(self) -> str:
        return rf",\,s={self.s:g}"


@dataclass(frozen=True, eq=False, repr=False)
class nest(Basic):
    """`m` equal parts, each traversed in storage order by a cursor of its own. Which cursor moves next is drawn at
    random (`o` = "ran"), or they take turns ("seq"): from first to last over and over (`d` = "uni"), or to and fro
    ("bi").

    The papers allow other patterns inside; a random one makes the nest as a whole one, so that r_trav(R) says the same.
    """

    m: int = 1
    o: str = "ran"
    d: str = "uni"

    def __post_init__(self) -> None:
        if not isinstance(self.region, Region):
            raise SpeLabError(
                f"the first argument of nest must be a Region, got {self.region!r:.40}; write Region(n, w)"
            )
        object.__setattr__(self, "m", _whole("m", self.m, 1, "a nest has at least one part"))
        _choice("o", self.o, ORDERS)
        _choice("d", self.d, DIRECTIONS)
        if self.m > self.region.n or self.region.n % self.m:
            rule = "m must divide the region into equal parts that are not empty"
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
        return rf",\,m={self.m},\,\mathrm{{s\_trav}},\,\mathrm{{{self.o}}}" + (
            rf",\,\mathrm{{{self.d}}}" if self.o == "seq" else ""
        )


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SpeLabError(f"{name} must be one of {', '.join(choices)}, got {value!r:.40}; name one of them")


@dataclass(frozen=True, eq=False, repr=False)
class Composition(Pattern):
    """Two patterns or more, and how they follow each other."""

    parts: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        named: dict[str, Region] = {}
        for region in self.regions():
            if region.name and named.setdefault(region.name, region) != region:
                first = named[region.name]
                found = f"got {region.name} with n={first.n}, w={first.w} and with n={region.n}, w={region.w}"
                raise SpeLabError(
                    f"two regions of one name must have the same n and w, {found}; give one of them another name"
                )
        if self.visits > MOST_VISITS:
            raise SpeLabError(
                f"a pattern must visit at most {MOST_VISITS:,} items, got {self.visits:,}; choose a smaller n or r"
            )

    @property
    def visits(self) -> int:
        return sum(part.visits for part in self.parts)

    def basics(self) -> Iterator[Basic]:
        for part in self.parts:
            yield from part.basics()


class Sequential(Composition):
    """P₁ ⊕ P₂ ⊕ …: one after the other."""

    def latex(self, word: int | None = None) -> str:
        return r" \;\oplus\; ".join(part.latex(word) for part in self.parts)

    def __str__(self) -> str:
        return " ⊕ ".join(map(str, self.parts))


class Concurrent(Composition):
    """P₁ ⊙ P₂ ⊙ …: at once, each on a region of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        seen: dict[Region, Pattern] = {}
        for part in self.parts:
            for region in part.regions():
                if seen.setdefault(region, part) is not part:
                    rule = (
                        f"patterns that run at once must have regions of their own, got {region.label} in two of them"
                    )
                    raise SpeLabError(f"{rule}; give each its own Region, or write them one after the other with +")

    def latex(self, word: int | None = None) -> str:
        return r" \odot ".join(
            rf"\left[{part.latex(word)}\right]" if isinstance(part, Sequential) else part.latex(word)
            for part in self.parts
        )

    def __str__(self) -> str:
        return " ⊙ ".join(f"[{part}]" if isinstance(part, Sequential) else str(part) for part in self.parts)
