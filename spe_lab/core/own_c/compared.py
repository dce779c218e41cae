"""Find out how long a function takes, and whether another version of it gives the same and takes less."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

from spe_lab.core.own_c import timing
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.equality import changes, difference
from spe_lab.core.own_c.findings import UNEQUAL, Finding
from spe_lab.core.own_c.given import Given
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.side_by_side import SideBySide, Times
from spe_lab.core.own_c.versus import OPEN, verdict
from spe_lab.core.sampling.rounds import check_budget

BUDGET_S = 3.0
LEAST_S = 1.0  # a second holds disturbances that a tenth does not
PRECISE = 0.01  # half width of an interval at which a time is known
_WORK = 1000  # units that a work kernel does to be compared


def findings(
    cells: Mapping[str, Cell],
    name: str,
    settings: Sequence[Mapping[str, str]],
    *,
    threshold: float = 0.01,
    tolerance: float = 0.0,
    budget_s: float = BUDGET_S,
    seed: int = 1,
    progress: Callable[[float, Mapping[str, str]], None] = lambda share, words: None,
) -> Iterator[Finding]:
    """Yield what is found about one version of the function `name`, or about two, for each setting.

    - cells: one or two, under names for messages
    - settings: arguments in words (given.py)
    - threshold, tolerance: of a difference in time that matters, and in results that does not, as shares
    - budget_s: longest duration of a measurement, s
    - seed: of random arrays, places of code and orders of samples
    - progress: called with the share done and the setting
    """
    check_budget(budget_s)
    functions = [cell.function(name).declared for cell in cells.values()]
    most = next(iter(cells.values())).memory_bytes
    for words in settings:  # before anything is timed: a wrong word may be the last
        for function in functions:
            Given(words, seed, most).values(function)
    with ExitStack() as stack:
        side = None
        for i, words in enumerate(settings):

            def show(share: float, i: int = i, words: Mapping[str, str] = words) -> None:
                progress((i + share) / len(settings), words)

            show(0.0)
            given = Given(words, seed, most)
            arguments = [given.values(function) for function in functions]
            after = [
                outcome(cell, name, each, label) for (label, cell), each in zip(cells.items(), arguments, strict=True)
            ]
            if len(after) == 2 and (differing := difference(after[0], after[1], tolerance)):
                yield Finding(words, None, UNEQUAL, differing)
                continue
            side = side or stack.enter_context(SideBySide(list(cells.values()), name, seed))
            settled = precise() if len(cells) == 1 else agreed(threshold)
            times = until(settled, side, arguments, budget_s, show)
            found = "" if len(cells) == 1 else verdict(times.ratio(), threshold)
            yield Finding(words, times, found, notes=(*_note(arguments[0], after[0]), *times.notes))


def outcome(cell: Cell, name: str, arguments: Mapping[str, Any], label: str = "") -> dict[str, Any]:
    """Return the result of one call, as "result", and what the call left of copies of the arguments.

    Errors begin with `label`.
    """
    function, after = cell.function(name).declared, deepcopy(dict(arguments))
    with labelled(label):
        if timing.is_work_kernel(function):
            state, work = (parameter.name for parameter in function.parameters)
            return {"result": cell.call(name, {state: after, work: _WORK}), **after}
        return {"result": cell.call(name, after), **after}


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """Begin errors about C with the name of its file."""
    try:
        yield
    except CellError as error:
        raise CellError(f"{label}: {error}" if label else str(error)) from None


def _note(arguments: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    changed = changes(arguments, after)
    return [f"a call changes {', '.join(changed)}: each call finds what the one before it left"] if changed else []


def precise() -> Callable[[Times], bool]:
    """Return a rule: the time is known within PRECISE."""

    def settled(times: Times) -> bool:
        found = times.time(0)
        return (found.high - found.low) / 2 <= PRECISE * found.value

    return settled


def agreed(threshold: float) -> Callable[[Times], bool]:
    """Return a rule: two results in sequence have the same verdict, and it is one."""
    last = OPEN

    def settled(times: Times) -> bool:
        nonlocal last
        before, last = last, verdict(times.ratio(), threshold)
        return last == before != OPEN

    return settled


def until(
    settled: Callable[[Times], bool],
    side: SideBySide,
    arguments: Sequence[Mapping[str, Any]],
    budget_s: float,
    show: Callable[[float], None] = lambda share: None,
) -> Times:
    """Return the first settled times, not before a second has passed, or the last ones. `show` gets the share done."""
    began, last = time.monotonic(), None
    for times in side.times(arguments, budget_s):
        last = times
        show(times.progress)
        if settled(times) and time.monotonic() - began >= min(LEAST_S, budget_s):
            break
    return last
