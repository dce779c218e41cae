"""Fast simulation of MESI caches: the Python side of kernels_c/coherence.c."""

from collections.abc import Sequence

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import SpeLabError
from spe_lab.models.mesi import KINDS, MOST_CORES, STATES

MOST_ACCESSES = 10**10
MOST_LINES = 1 << 20
STATE_CODES = {"I": "MESI_INVALID", "S": "MESI_SHARED", "E": "MESI_EXCLUSIVE", "M": "MESI_MODIFIED"}  # enumerators in C
KIND_CODES = {"R": "MESI_READ", "W": "MESI_WRITE", "D": "MESI_DROP"}
COUNTS = ("accesses", "bus_reads", "bus_owns", "bus_upgrades", "write_backs", "transfers")


class Bus:
    """`cores` caches on a bus with `lines` cache lines, all copies invalid at first.

    `counts` adds up the events. `states` holds the C code of each copy's state (lines × cores); `codes` gives the codes
    of I, S, E and M.
    """

    def __init__(self, cores: int, lines: int) -> None:
        for name, value, high in (("cores", cores, MOST_CORES), ("lines", lines, MOST_LINES)):
            if value != int(value) or not 1 <= value <= high:
                rule = f"{name} must be a whole number between 1 and {high}"
                raise SpeLabError(f"{rule}, got {value}; choose one in that range")
        self.library = native.load("coherence")
        self.codes = {letter: self.library.constants[name] for letter, name in STATE_CODES.items()}
        self.states = np.full((int(lines), int(cores)), self.codes["I"], np.uint8)
        self._bus = self.library.struct("mesi")(self.states.ctypes.data, int(lines), int(cores))

    def run(self, core: Sequence[int], line: Sequence[int], kind: str, cancel: Cancel | None = None) -> "Bus":
        """Run a trace: `core` and `line` of each access, and a text `kind` with R, W or D for each.

        >>> Bus(2, 1).run([0, 1, 0], [0, 0, 0], "RWR").counts["bus_owns"]
        1
        """
        if not len(core) == len(line) == len(kind):
            lengths = f"{len(core)}, {len(line)} and {len(kind)}"
            raise SpeLabError(
                f"core, line and kind must be equally long, got {lengths}; give one of each for each access"
            )
        lines, cores = self.states.shape
        for name, values, end in (("core", core, cores), ("line", line, lines)):
            if len(values) and not 0 <= np.min(values) <= np.max(values) < end:
                got = f"values from {np.min(values)} to {np.max(values)}"
                raise SpeLabError(f"{name} must be between 0 and {end - 1}, got {got}; count from 0")
        if set(kind) - set(KINDS):
            raise SpeLabError(f"kind must consist of R, W and D, got {kind!r:.40}; write for example RWR")
        codes = {ord(letter): self.library.constants[name] for letter, name in KIND_CODES.items()}
        kinds = np.frombuffer(kind.translate(codes).encode(), np.uint8)
        arrays = np.asarray(core, np.uint8), np.asarray(line, np.uint32), kinds
        self._check(self.library.mesi_trace(self._bus, *arrays, len(kind), (cancel or Cancel()).flag))
        return self

    def run_random(
        self,
        accesses: int,
        *,
        write: float,
        tenure: float,
        lines: int = 1,
        padded: bool = False,
        seed: int = 1,
        cancel: Cancel | None = None,
    ) -> "Bus":
        """Run random accesses.

        - accesses: their number
        - write: share of them that write
        - tenure: mean number of accesses (geometric) that a core makes before a random other core's turn
        - lines, padded: lines that all cores share, or that each core has for itself if `padded`
        - seed, cancel: seed of the random numbers, and the flag that stops the simulation
        """
        count, cores = self.states.shape
        for name, value, low, high in (
            ("write", write, 0, 1),
            ("tenure", tenure, 1, 1e9),
            ("accesses", accesses, 0, MOST_ACCESSES),
            ("lines", lines, 1, count // (cores if padded else 1)),
        ):
            if not low <= value <= high:
                rule = f"{name} must be between {low:g} and {high:g}"
                raise SpeLabError(f"{rule}, got {value}; choose a value in that range")
        writes, changes = round(write * 2**32), round(2**32 / tenure)
        law = self.library.struct("mesi_law")(writes, changes, int(lines), int(padded), 0, seed)
        self._check(self.library.mesi_random(self._bus, law, int(accesses), (cancel or Cancel()).flag))
        return self

    @property
    def counts(self) -> dict[str, int]:
        return {name: int(getattr(self._bus, name)) for name in COUNTS}

    @property
    def transitions(self) -> np.ndarray:
        """Numbers of transitions between the states of a copy: 4 × 4, in the order of STATES (I, S, E, M)."""
        order = [self.codes[letter] for letter in STATES]
        return np.array(self._bus.transitions, dtype=np.int64).reshape(len(STATES), len(STATES))[np.ix_(order, order)]

    def copies(self, line: int) -> str:
        """Return the states of a line's copies, one letter for each core."""
        letters = {code: letter for letter, code in self.codes.items()}
        return "".join(letters[state] for state in self.states[line])

    def _check(self, status: int) -> None:
        if status == self.library.constants["SPE_BAD_ARGUMENT"]:  # Python has checked all other arguments
            rule = "the copies of a line must be legal: no other copy exists beside an exclusive or modified one"
            raise SpeLabError(f"{rule}; start from a new Bus")
        check(status, self.library)
