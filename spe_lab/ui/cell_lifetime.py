"""A cell that runs again takes the place of its earlier run: the page that it had shown is closed and forgotten.

ipywidgets keeps every widget until it is closed, and IPython everything that was ever an output. So the pages that a
reader no longer sees stayed in the kernel's memory until its end: 7 MB for each explorer, over a gigabyte for an
evening of going back and forth.
"""

from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as widgets

from spe_lab.ui.heap import return_freed


class Page(Protocol):
    """What a cell shows: an object with a widget."""

    page: widgets.Widget


_shown: dict[
    str, tuple[str, list[Callable[[], None]]]
] = {}  # by cell: the run that made its pages, and how to close them


def until_rerun(shown: Page, release: Callable[[], None] | None = None) -> None:
    """When the cell that is running now is run again: calls `release`, closes the page with all that it holds, and
    takes it out of IPython's list of outputs. The object goes on for whoever holds it by a name of his own.
    """
    from IPython import get_ipython

    shell = get_ipython()
    asked = _request(shell)
    if asked is None:
        return

    made_in = (
        shell.displayhook.prompt_count
    )  # IPython's number for the outputs of this run; since 9.18 not shell.execution_count

    def close() -> None:
        if release:
            release()
        close_page(shown.page)
        outputs = shell.user_ns["Out"]
        for number in [number for number, each in outputs.items() if each is shown]:
            del outputs[number]
            for names in (shell.user_ns, shell.user_ns_hidden):
                names.pop(f"_{number}", None)
        getattr(shell.history_manager, "outputs", {}).pop(made_in, None)  # pictures, kept by IPython 9 for %notebook

    cell, run = asked
    earlier, closings = _shown.get(cell, (run, []))
    if earlier != run:
        for each in closings:
            each()
        closings = []
        return_freed()
    _shown[cell] = run, [*closings, close]


def _request(shell: Any) -> tuple[str, str] | None:
    """The cell that is running (its id, or its text where the notebook gives none), and what tells this run from
    others.
    """
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    if parent.get("msg_type") != "execute_request":
        return None
    return parent["metadata"].get("cellId") or parent["content"]["code"], parent["header"]["msg_id"]


def close_page(page: widgets.Widget) -> None:
    """Closes a widget and all that it is made of: children, layouts, styles."""
    if page.comm is None:
        return
    parts = [getattr(page, name) for name in page.keys]
    page.close()
    for part in parts:
        for each in part if isinstance(part, list | tuple) else (part,):
            if isinstance(each, widgets.Widget):
                close_page(each)
