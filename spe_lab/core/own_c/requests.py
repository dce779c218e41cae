"""What the notebook asks of the worker process, and what a timing answers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call of a C function. Blocks of memory stand as their numbers; their bytes are in the shared file.

    `name` is the function's in C, `symbol` the linker's of what is called; `kinds` are names of ctypes classes;
    `pointers` are (block, offset, block pointed to).
    """

    name: str
    symbol: str
    result: str
    kinds: tuple[str, ...]
    values: tuple[Any, ...]  # a number, Block or None
    sizes: tuple[int, ...]
    pointers: tuple[tuple[int, int, int], ...]
    limit_s: float
    memory_bytes: int


@dataclass(frozen=True)
class Block:
    number: int


@dataclass(frozen=True)
class TimedPoint:
    """A work kernel: path of its library, its symbol, the number of its state's block, the index of its twin if any."""

    library: str
    symbol: str
    state: int
    twin: int | None = None


@dataclass(frozen=True)
class Timing:
    """Work kernels to be timed in interleaved rounds, until every interval is within `target` or the budget is used."""

    name: str
    points: tuple[TimedPoint, ...]
    sizes: tuple[int, ...]
    pointers: tuple[tuple[int, int, int], ...]
    limit_s: float
    memory_bytes: int
    budget_s: float
    target: float = 0.01
    seed: int = 1


@dataclass(frozen=True)
class Timed:
    """The result of a timing after some rounds; later ones are more precise.

    - progress: share of the budget, 0 to 1
    - estimate: an Estimate with one value for each point, ns
    - blocks: array of blocks × points, ns: what stands behind the estimate
    """

    progress: float
    estimate: Any
    blocks: Any
    rounds: int
    notes: tuple[str, ...]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A Python function for the worker to run on the C library, which was compiled from `source`."""

    function: Callable[[Any], Any]
    source: Path
    provenance: dict[str, Any]
    limit_s: float
    memory_bytes: int
    name: str
    sizes: tuple[int, ...] = ()
