"""Run a Python function on the reader's compiled C in the sandbox, for checks of several calls."""

from collections.abc import Callable
from typing import Any

from spe_lab.core.c import native
from spe_lab.core.own_c.requests import Task
from spe_lab.core.own_c.sandbox import Sandbox, build

LIMIT_S = 60.0
_MEMORY_BYTES = 1 << 32  # for the working sets of whole measurements


def judged(text: str, name: str, function: Callable[[native.Library], Any], limit_s: float = LIMIT_S) -> Any:
    """Return `function(library)`, computed in a process of its own on the compiled C `text`.

    `function` must be importable and its result picklable; its exceptions are raised here. Messages call the C `name`.
    Raises CellError if the C does not compile, crashes, prints too much or takes longer than `limit_s`.
    """
    built = build(text, name, native.CELL_FLAGS)
    sandbox = Sandbox(built.path, built.source)
    try:
        ((result,),) = sandbox.ask(Task(function, built.source, built.provenance, limit_s, _MEMORY_BYTES, name), (), ())
    finally:
        sandbox.close()
    return result
