"""The provenance of a curve: estimator, kernel, compiler, seed, date and notes."""

import os
import time
from collections.abc import Sequence
from typing import Any, Protocol

from spe_lab.core.c import native
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.sampling.statistics import Estimate


class Result(Protocol):
    """The result for some points: a `Sweep`, or the `Trials` of core/sampling/teams.py."""

    @property
    def estimate(self) -> Estimate: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def provenance(self) -> dict[str, Any]: ...


def load_average() -> float | None:
    """Return the threads that ran or waited for a CPU in the last minute (mean); None if unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def curves(
    result: Result,
    names: Sequence[str],
    x: Axis,
    library: native.Library,
    notes: Sequence[str] = (),
    unit: str = "ns",
    **provenance: Any,
) -> list[Curve]:
    """Return the result's points as one measured curve for each name.

    - `result`: its points are those of the first curve, then of the next; more may follow
    - `names`, `x`, `unit`: of the curves
    - `library`: the kernels' library
    - `notes`, `provenance`: additions to those of the result
    """
    n, e, how = len(x.values), result.estimate, origin(result, library, notes, **provenance)
    parts = [(name, slice(i * n, (i + 1) * n)) for i, name in enumerate(names)]
    return [
        Curve(name, "measured", x, unit, e.value[p], e.low[p], e.high[p], e.kept[p], e.tried[p], how)
        for name, p in parts
    ]


def origin(result: Result, library: native.Library, notes: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """Return the provenance of measured curves: that of result and kernel, `more`, and all notes."""
    return {**result.provenance, **library.provenance, **more, "notes": [*result.notes, *notes]}


def simulated_origin(stem: str, estimator: str, seed: int = 1, **more: Any) -> dict[str, Any]:
    """Return the provenance of simulated curves: the simulator's kernel, estimator, seed and date."""
    taken = time.strftime("%Y-%m-%d", time.gmtime())
    return (
        native.load(stem).provenance
        | {"clock": "none: simulated", "estimator": estimator, "seed": seed, "taken": taken, "notes": []}
        | more
    )
