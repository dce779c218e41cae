"""Time the reader's C with the common harness (rounds, gates, intervals) in a process of its own.

A work kernel (`uint64_t name(struct … *, uint64_t work)`) is timed as it is, per unit of work. Any other function is
called in a loop compiled behind it, through a volatile pointer, so that the compiler cannot inline it. The time is that
of a call from another file, with arguments read from memory.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.c.ctype import Function, Number, Pointer, Record, Type, prototype
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import SHORT_BUDGET_S
from spe_lab.core.mode import quick
from spe_lab.core.own_c import wrapped
from spe_lab.core.own_c.arguments import named
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.packed import Packed
from spe_lab.core.own_c.refusals import refusal
from spe_lab.core.own_c.requests import TimedPoint, Timing
from spe_lab.core.own_c.sandbox import Sandbox
from spe_lab.core.own_c.values import number_of

_MOST_POINTS = 100


def is_work_kernel(function: Function) -> bool:
    kinds = [each.type for each in function.parameters]
    return len(kinds) == 2 and structure_of(kinds[0]) is not None and all(map(_is_uint64, (kinds[1], function.result)))


def _is_uint64(kind: Type) -> bool:
    return isinstance(kind, Number) and (kind.kind, kind.bytes, kind.signed) == ("int", 8, False)


def structure_of(kind: Type) -> Record | None:
    """Return what a pointer to a structure points to."""
    target = kind.target if isinstance(kind, Pointer) else None
    return target if isinstance(target, Record) and target.keyword == "struct" and target.bytes else None


def fields(function: Function) -> dict[str, Type]:
    """Return the inputs of a timing by name: members of a work kernel's structure, or parameters."""
    if is_work_kernel(function):
        return {member.name: member.type for member in structure_of(function.parameters[0].type).members}
    return {each.name: each.type for each in function.parameters}


def timed(
    cell: Cell,
    name: str,
    over: Mapping[str, Sequence[float] | np.ndarray],
    *,
    unit: str = "",
    budget_s: float = 2.0,
    **arguments: Any,
) -> Curve:
    """Return the time per call, or per unit of work of a work kernel, as a measured curve in ns.

    `over` names one scalar parameter (of a work kernel: a field of its structure) and its values in `unit`.
    `arguments` are the other ones. The common harness samples the points in interleaved rounds, with gates and
    intervals.
    """
    return deque(sweep(cell, name, over, unit, budget_s, arguments), maxlen=1).pop()[1]


def sweep(
    cell: Cell,
    name: str,
    over: Mapping[str, Sequence[float] | np.ndarray],
    unit: str,
    budget_s: float,
    arguments: Mapping[str, Any],
    cancel: Cancel | None = None,
) -> Iterator[tuple[float, Curve]]:
    """Yield (share done, curve), with more samples each time; the arguments are those of `timed`."""
    function = cell.function(name).declared
    over, arguments = named(fields(function), over), named(fields(function), arguments)
    axis, values = axis_of(function, over)
    needed = [] if is_work_kernel(function) else [each.name for each in function.parameters]
    missing = [parameter for parameter in needed if parameter not in arguments and parameter != axis]
    if missing:
        raise CellError(
            f"{name} needs a value for {', '.join(missing)}, as {prototype(function)} says; give one by name"
        )
    if not function.parameters:
        raise CellError(
            f"{function.name} must take a number to be timed over, as over= names it, got {prototype(function)}; add a"
            " parameter"
        )
    library, kernel, kind = kernel_of(cell, function)
    unknown = [each for each in arguments if each not in fields(function)]
    if unknown:
        raise CellError(
            f"the arguments must be {', '.join(fields(function))}, got {', '.join(unknown)}; leave out what {name} does"
            " not know"
        )
    packed, label = Packed(), name if is_work_kernel(function) else ""
    states = [packed.structure({**arguments, axis: value}, kind, label).number for value in values]
    budget_s = min(budget_s, SHORT_BUDGET_S) if quick() else budget_s
    request = Timing(
        name,
        tuple(TimedPoint(str(library.path), kernel, state) for state in states),
        packed.sizes,
        tuple(packed.pointers),
        2 * budget_s + cell.limit_s,
        cell.memory_bytes,
        budget_s,
    )
    x = Axis(axis, unit, np.array(values, dtype=float))
    sandbox = Sandbox(library.path, library.source)
    try:
        for timed in sandbox.ask(request, packed.blocks, packed.described, cancel):
            e, origin = timed.estimate, {**timed.provenance, **library.provenance, "notes": list(timed.notes)}
            yield timed.progress, Curve(name, "measured", x, "ns", e.value, e.low, e.high, e.kept, e.tried, origin)
    finally:
        sandbox.close()


def axis_of(function: Function, over: Mapping[str, Sequence[float] | np.ndarray]) -> tuple[str, list[Any]]:
    """Return the name of the swept parameter and its values, sorted."""
    known = {name: number_of(kind) for name, kind in fields(function).items() if number_of(kind)}
    if len(over) != 1 or next(iter(over)) not in known:
        raise CellError(
            f"over must name one number among {', '.join(known) or '(none)'}, got {', '.join(over) or 'nothing'}; write"
            " for example over={'n': [10, 100]}"
        )
    name, values = next(iter(over.items()))
    # Whole numbers may come from numpy.geomspace or a slider as floats.
    whole = known[name].kind not in ("float", "complex")
    given = [units.finite(value.item() if isinstance(value, np.generic) else value, name) for value in values]
    numbers = sorted({int(value) if whole and value.is_integer() else value for value in given})
    if not 1 <= len(numbers) <= _MOST_POINTS:
        raise CellError(f"over must give {name} between 1 and {_MOST_POINTS} values, got {len(numbers)}; choose some")
    return name, numbers


def kernel_of(
    cell: Cell, function: Function, behind: str = "", flags: Sequence[str] = ()
) -> tuple[native.Built, str, Record]:
    """Return a library with a work kernel for this function, the kernel's symbol and its state.

    `behind` is C text to compile at the end, `flags` are further ones.
    """
    if is_work_kernel(function):
        library = cell.built_with(behind, flags)
        return library, function.symbol, structure_of(function.parameters[0].type)
    if sentence := refusal(function):
        raise CellError(sentence)
    library = cell.built_with(f"{wrapped.loop_text(function)}{behind}", [*flags, "-w"])
    return library, wrapped.TIMED, wrapped.arguments_of(function, library.declarations, wrapped.TIMED)
