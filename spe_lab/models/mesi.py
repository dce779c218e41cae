"""MESI for one line in readable form: the effect of each access on the copies in all caches.

Caches are of unlimited size and share a bus. Source: M. Papamarcos, J. Patel, "A Low-Overhead Coherence Solution for
Multiprocessors with Private Cache Memories", ISCA 1984; lecture notes §4.3. The names of the messages are those of
Culler, Singh, Gupta, "Parallel Computer Architecture", 1999. kernels_c/coherence.c is the fast simulation.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spe_lab.core.errors import SpeLabError

STATES = {"I": "invalid", "S": "shared", "E": "exclusive", "M": "modified"}
KINDS = {"R": "reads", "W": "writes", "D": "drops"}
MOST_CORES = 8
MOST_STEPS = 1000  # in a trace


@dataclass(frozen=True)
class Reaction:
    """The copies after an access, its bus message ("" for none), and whether a modified copy was written back.

    `transfer` is True if the line came from another cache.
    """

    after: str
    message: str = ""
    write_back: bool = False
    transfer: bool = False


def react(copies: str, core: int, kind: str) -> Reaction:
    """Return the reaction of `copies` (a letter for each core) to a read (R), write (W) or drop (D).

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
    """One access of a trace: its core, its kind (R, W or D) and its variable."""

    core: int
    kind: str
    variable: str


@dataclass(frozen=True)
class Step:
    """An access and its effect on its line: the copies before, and the reaction."""

    access: Access
    line: int
    before: str
    reaction: Reaction


@dataclass(frozen=True)
class Walk:
    """A simulated trace. `lines` holds the variables of each cache line, `steps` the effect of each access."""

    cores: int
    lines: tuple[tuple[str, ...], ...]
    steps: tuple[Step, ...]

    def counts(self) -> dict[str, int]:
        """Return messages of each kind and in total, transfers between caches, and write-backs."""
        messages = [step.reaction.message for step in self.steps]
        kinds = {name: messages.count(name) for name in ("BusRd", "BusRdX", "BusUpgr")}
        return {
            **kinds,
            "messages": sum(kinds.values()),
            "transfers": sum(step.reaction.transfer for step in self.steps),
            "write-backs": sum(step.reaction.write_back for step in self.steps),
        }

    def transitions(self) -> dict[str, int]:
        """Return the number of transitions of copies between states, by an access or another core's message.

        >>> follow("0:R x, 1:W x, 0:W x").transitions()
        {'I → E': 1, 'I → M': 2, 'E → I': 1, 'M → I': 1}
        """
        moves = Counter(move for step in self.steps for move in zip(step.before, step.reaction.after, strict=True))
        return {f"{a} → {b}": moves[a, b] for a in STATES for b in STATES if a != b and moves[a, b]}


def parse(trace: str) -> list[Access]:
    """Return the accesses in a text such as "0:R x, 1:W x" (R reads, W writes, D drops the line).

    Commas, semicolons or line ends separate accesses.

    >>> parse("0:R x, 1:W x")
    [Access(core=0, kind='R', variable='x'), Access(core=1, kind='W', variable='x')]
    """
    words = [word.strip() for word in re.split(r"[,;\n]", trace) if word.strip()]
    if not 1 <= len(words) <= MOST_STEPS:
        rule = f"trace must hold between 1 and {MOST_STEPS} accesses"
        raise SpeLabError(f"{rule}, got {len(words)}; write for example 0:R x, 1:W x")
    accesses = []
    for word in words:
        match = re.fullmatch(r"(\d)\s*:\s*([RWDrwd])\s+(\w+)", word)
        if not match:
            rule = "an access must be a core, a colon, R, W or D, and a variable"
            raise SpeLabError(f"{rule}, got {word[:40]!r}; write for example 0:R x")
        accesses.append(Access(int(match[1]), match[2].upper(), match[3]))
    return accesses


def layout_of(layout: str | None, variables: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the variables of each line, from "x y | z" for example; by default a line for each.

    >>> layout_of("x y | z", ["x", "y", "z"])
    (('x', 'y'), ('z',))
    """
    if layout is None:
        return tuple((name,) for name in dict.fromkeys(variables))
    lines = tuple(tuple(part.split()) for part in layout.split("|"))
    names = [name for line in lines for name in line]
    if not all(lines) or len(set(names)) != len(names):
        rule = "layout must name each variable once, lines divided by |"
        raise SpeLabError(f"{rule}, got {layout!r:.60}; write for example x y | z")
    if missing := [name for name in dict.fromkeys(variables) if name not in names]:
        rule = f"layout must hold every variable of the trace, got none for {', '.join(missing)}"
        raise SpeLabError(f"{rule}; write for example {layout} | {missing[0]}")
    return lines


def follow(trace: str, layout: str | None = None, cores: int | None = None) -> Walk:
    """Simulate a trace such as "0:R x, 1:W x", all copies invalid at first.

    `layout` puts variables on cache lines, as in "x y | z"; without it each has its own line. `cores` is the number of
    caches: by default as many as the trace names, and at least two.

    >>> [follow("0:W x, 1:W y", layout=layout).counts()["transfers"] for layout in ("x y", "x | y")]
    [1, 0]
    """
    accesses = parse(trace)
    lines = layout_of(layout, [access.variable for access in accesses])
    needed = max(2, *(access.core + 1 for access in accesses))
    cores = needed if cores is None else cores
    if cores != int(cores) or not needed <= cores <= MOST_CORES:
        rule = f"cores must be a whole number between {needed} (cores of the trace count from 0) and {MOST_CORES}"
        raise SpeLabError(f"{rule}, got {cores}; choose one in that range")
    line_of = {name: i for i, line in enumerate(lines) for name in line}
    copies = ["I" * int(cores)] * len(lines)
    steps = []
    for access in accesses:
        line = line_of[access.variable]
        reaction = react(copies[line], access.core, access.kind)
        steps.append(Step(access, line, copies[line], reaction))
        copies[line] = reaction.after
    return Walk(int(cores), lines, tuple(steps))
