"""Time one or two versions of a function, each built at several places, in interleaved rounds of one process."""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.ctype import prototype
from spe_lab.core.cancel import Cancel
from spe_lab.core.own_c import builds, timing
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.packed import Packed
from spe_lab.core.own_c.requests import Timed, TimedPoint, Timing
from spe_lab.core.own_c.sandbox import Sandbox
from spe_lab.core.own_c.versus import Interval, per_build, ratio_of, time_of

_CALLS_BEFORE = 4  # of each version, if they are long
_NEVER = 0.0  # no interval is as narrow as this: the caller decides when to stop


@dataclass(frozen=True)
class Version:
    """A function of a cell with libraries of it at several places, and the record that holds its arguments."""

    cell: Cell
    name: str
    libraries: tuple[Path, ...]
    source: Path
    symbol: str
    record: Any
    provenance: Mapping[str, Any]


@dataclass(frozen=True)
class Times:
    """What is known after some rounds; later results are more precise.

    - blocks: versions × blocks × builds, ns per call (of a work kernel: per unit of work); NaN: no clean sample
    - kept, tried: clean samples of each version, and all of them
    """

    progress: float
    blocks: np.ndarray
    strata: np.ndarray
    kept: np.ndarray
    tried: np.ndarray
    rounds: int
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]

    def time(self, version: int) -> Interval:
        return time_of(self.blocks[version], self.strata)

    def ratio(self) -> Interval:
        """Return the time of the second version over that of the first."""
        return ratio_of(self.blocks[1], self.blocks[0], self.strata)

    def builds(self, version: int) -> np.ndarray:
        """Return the time of each build, ns; NaN without a clean sample."""
        return per_build(self.blocks[version])

    def spread(self, version: int) -> float:
        """Return how much longer the slowest build takes than the fastest, as a share."""
        builds = self.builds(version)
        return float(np.nanmax(builds) / np.nanmin(builds) - 1) if np.isfinite(builds).any() else math.nan


class SideBySide:
    """Versions of a function, built to be timed. Leaving the `with` block removes the libraries."""

    def __init__(self, cells: Sequence[Cell], name: str, seed: int = 1) -> None:
        """Build the function `name` of each cell. `seed` chooses the places and the order of samples."""
        self._folder = ExitStack()
        folder = self._folder.enter_context(native.scratch_folder())
        self._seed, self._at = seed, builds.offsets(seed)
        try:
            with ThreadPoolExecutor(len(cells)) as threads:
                folders = [folder / str(i) for i in range(len(cells))]
                self.versions = list(threads.map(self._built, cells, [name] * len(cells), folders))
            self._check_units()
        except BaseException:
            self._folder.close()
            raise

    def __enter__(self) -> "SideBySide":
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.close()

    def _built(self, cell: Cell, name: str, folder: Path) -> Version:
        built, symbol, record = timing.kernel_of(cell, cell.function(name).declared, builds.MARK, builds.FLAGS)
        folder.mkdir()
        libraries = builds.build(built, cell.flags, self._at, folder)
        return Version(cell, name, tuple(libraries), built.source, symbol, record, built.provenance)

    def _check_units(self) -> None:
        functions = [version.cell.function(version.name).declared for version in self.versions]
        if len({timing.is_work_kernel(function) for function in functions}) > 1:
            declared = " and ".join(prototype(function) for function in functions)
            raise CellError(
                f"both versions must be timed per call, or both per unit of work, got {declared}; give them one"
                " prototype"
            )

    def times(
        self, arguments: Sequence[Mapping[str, Any]], budget_s: float, cancel: Cancel | None = None
    ) -> Iterator[Times]:
        """Yield ever more precise times for the arguments of each version, by C's names.

        An array that stands among the arguments of both versions lies at one place for both. Closing the generator ends
        the measurement.
        """
        packed, points = Packed(), list[TimedPoint]()
        for version, given in zip(self.versions, arguments, strict=True):
            label = version.name if timing.is_work_kernel(version.cell.function(version.name).declared) else ""
            state, first = packed.structure(dict(given), version.record, label).number, len(points)
            points += [
                TimedPoint(str(library), version.symbol, state, first if i else None)
                for i, library in enumerate(version.libraries)
            ]
        cell, name = self.versions[0].cell, self.versions[0].name
        # The budget bounds the rounds alone. Before them come calls that calibrate.
        limit_s = 2 * budget_s + _CALLS_BEFORE * len(self.versions) * cell.limit_s
        request = Timing(
            name,
            tuple(points),
            packed.sizes,
            tuple(packed.pointers),
            limit_s,
            cell.memory_bytes,
            budget_s,
            _NEVER,
            self._seed,
        )
        sandbox = Sandbox(self.versions[0].libraries[0], self.versions[0].source)
        try:
            for timed in sandbox.ask(request, packed.blocks, packed.described, cancel):
                yield self._result(timed)
        finally:
            sandbox.close()

    def _result(self, timed: Timed) -> Times:
        count = len(self.versions)
        blocks = timed.blocks.reshape(len(timed.blocks), count, -1).swapaxes(0, 1)
        kept, tried = (
            np.asarray(x).reshape(count, -1).sum(axis=1) for x in (timed.estimate.kept, timed.estimate.tried)
        )
        strata = self._at % builds.LINE
        return Times(timed.progress, blocks, strata, kept, tried, timed.rounds, timed.notes, timed.provenance)
