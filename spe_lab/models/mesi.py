"""MESI for one line, as readable as it gets: what an access does to the copies in all caches, and a reader's trace
followed.

Caches are of unlimited size and share a bus. Source: M. Papamarcos, J. Patel, "A Low-Overhead Coherence Solution for
Multiprocessors with Private Cache Memories", ISCA 1984; lecture notes §4.3. The names of the messages are those of
Culler, Singh, Gupta, "Parallel Computer Architecture", 1999. kernels_c/coherence.c does the same at speed.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spe_lab.core.errors import SpeLabError

STATES = {"I": "invalid", "S": "shared", "E": "exclusive", "M": "modified"}
KINDS = {"R": "reads", "W": "writes", "D": "drops"}
MOST_CORES = 8
MOST_STEPS = 1000  # of a trace to look at


@dataclass(frozen=True)
class Reaction:
    """The copies after an access, the message that it took ("" for none), and whether a modified copy was written back.

    `transfer` says whether the line came from another cache.
    """

    after: str
    message: str = ""
    write_back: bool = False
    transfer: bool = False


def react(copies: str, core: int, kind: str) -> Reaction:
    """What happens to `copies`, one letter for each core, if `core` reads (R), writes (W) or drops (D) the line.

    >>> react("MI", 1, "R")
    Reaction(after='SS', message='BusRd', write_back=True, transfer=True)
    >>> react("EI", 0, "W")
    Reaction(after='MI', message='', write_back=False, transfer=False)
    """
    own = copies[core]
    others = copies[:core] + copies[core + 1 :]
    held, dirty = others.strip("I") != "", "M" in others

    def then(state: str, rest: str) -> str:
        return rest[:core] + state + rest[core:]

    shared, gone = re.sub("[SEM]", "S", others), "I" * len(others)
    if kind == "D":
        return Reaction(then("I", others), write_back=own == "M")
    if kind == "R":
        if own != "I":
            return Reaction(copies)
        return Reaction(then("S" if held else "E", shared), "BusRd", dirty, held)
    if own == "I":
        return Reaction(then("M", gone), "BusRdX", dirty, held)
    return Reaction(then("M", gone), "BusUpgr" if own == "S" else "")


@dataclass(frozen=True)
class Access:
    """One access of a trace: by which core, of which kind (R, W or D), to which variable."""

    core: int
    kind: str
    variable: str


@dataclass(frozen=True)
class Step:
    """An access and what it did to its line: the copies before, and the reaction."""

    access: Access
    line: int
    before: str
    reaction: Reaction


@dataclass(frozen=True)
class Walk:
    """A trace that was followed. `lines` holds the variables of each cache line; `steps` what each access did."""

    cores: int
    lines: tuple[tuple[str, ...], ...]
    steps: tuple[Step, ...]

    def counts(self) -> dict[str, int]:
        """Messages of each kind and in all, lines that came from another cache, and copies written back."""
        messages = [step.reaction.message for step in self.steps]
        found = {name: messages.count(name) for name in ("BusRd", "BusRdX", "BusUpgr")}
        return {
            **found,
            "messages": sum(found.values()),
            "transfers": sum(step.reaction.transfer for step in self.steps),
            "write-backs": sum(step.reaction.write_back for step in self.steps),
        }

    def transitions(self) -> dict[str, int]:
        """How often a copy went from one state to another, by access or by another core's message.

        >>> follow("0:R x, 1:W x, 0:W x").transitions()
        {'I → E': 1, 'I → M': 2, 'E → I': 1, 'M → I': 1}
        """
        moves = Counter(move for step in self.steps for move in zip(step.before, step.reaction.after, strict=True))
        return {f"{a} → {b}": moves[a, b] for a in STATES for b in STATES if a != b and moves[a, b]}


def parse(trace: str) -> list[Access]:
    """The accesses in a text such as "0:R x, 1:W x": core, kind (R reads, W writes, D drops the line) and variable.

    Accesses are separated by commas, semicolons or line ends.

    >>> parse("0:R x, 1:W x")
    [Access(core=0, kind='R', variable='x'), Access(core=1, kind='W', variable='x')]
    """
    words = [word.strip() for word in re.split(r"[,;\n]", trace) if word.strip()]
    if not 1 <= len(words) <= MOST_STEPS:
        raise SpeLabError(
            f"trace must hold between 1 and {MOST_STEPS} accesses, got {len(words)}; write for example 0:R x, 1:W x"
        )
    accesses = []
    for word in words:
        found = re.fullmatch(r"(\d)\s*:\s*([RWDrwd])\s+(\w+)", word)
        if not found:
            raise SpeLabError(
                f"an access must be a core, a colon, R, W or D, and a variable, got {word[:40]!r}; write for example"
                " 0:R x"
            )
        accesses.append(Access(int(found[1]), found[2].upper(), found[3]))
    return accesses


def layout_of(layout: str | None, variables: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The variables of each line, from a text such as "x y | z" (x and y share a line); without one, a line for each
    variable.

    >>> layout_of("x y | z", ["x", "y", "z"])
    (('x', 'y'), ('z',))
    """
    if layout is None:
        return tuple((name,) for name in dict.fromkeys(variables))
    lines = tuple(tuple(part.split()) for part in layout.split("|"))
    names = [name for line in lines for name in line]
    if not all(lines) or len(set(names)) != len(names):
        raise SpeLabError(
            f"layout must name each variable once, lines divided by |, got {layout!r:.60}; write for example x y | z"
        )
    if missing := [name for name in dict.fromkeys(variables) if name not in names]:
        raise SpeLabError(
            f"layout must hold every variable of the trace, got none for {', '.join(missing)}; write for example"
            f" {layout} | {missing[0]}"
        )
    return lines


def follow(trace: str, layout: str | None = None, cores: int | None = None) -> Walk:
    """The way of each line through a trace such as "0:R x, 1:W x", all copies invalid at first.

    `layout` puts variables on cache lines, as in "x y | z"; without it each has one to itself. `cores` is the number of
    caches, at least those that the trace names and two.

    >>> [follow("0:W x, 1:W y", layout=layout).counts()["transfers"] for layout in ("x y", "x | y")]
    [1, 0]
    """
    accesses = parse(trace)
    lines = layout_of(layout, [access.variable for access in accesses])
    needed = max(2, *(access.core + 1 for access in accesses))
    cores = needed if cores is None else cores
    if cores != int(cores) or not needed <= cores <= MOST_CORES:
        raise SpeLabError(
            f"cores must be a whole number between {needed} (cores of the trace count from 0) and {MOST_CORES}, got"
            f" {cores}; choose one of those"
        )
    line_of = {name: i for i, line in enumerate(lines) for name in line}
    copies = ["I" * int(cores)] * len(lines)
    steps = []
    for access in accesses:
        line = line_of[access.variable]
        reaction = react(copies[line], access.core, access.kind)
        steps.append(Step(access, line, copies[line], reaction))
        copies[line] = reaction.after
    return Walk(int(cores), lines, tuple(steps))
