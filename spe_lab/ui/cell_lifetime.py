"""Close the page of a cell when the cell runs again.

ipywidgets keeps every widget until it is closed, and IPython keeps every output. So pages that a reader no longer sees
would stay in the kernel's memory: 7 MB for each explorer, over a gigabyte in an evening of running cells again.
"""

from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as widgets

from spe_lab.ui.heap import return_freed


class Page(Protocol):
    """An object that a cell shows, with its widget."""

    page: widgets.Widget


_Closings = list[Callable[[], None]]
_shown: dict[str, tuple[str, _Closings]] = {}  # by cell: the run that made its pages, and functions that close them


def until_rerun(shown: Page, release: Callable[[], None] | None = None) -> None:
    """When the running cell is run again, call `release`, close the page and forget its outputs.

    The object itself stays alive if the reader has assigned it to a name.
    """
    from IPython import get_ipython

    shell = get_ipython()
    request = _request(shell)
    if request is None:
        return

    made_in = shell.displayhook.prompt_count  # the number of this run's outputs; since IPython 9.18 not execution_count

    def close() -> None:
        if release:
            release()
        close_page(shown.page)
        outputs = shell.user_ns["Out"]
        for number in [number for number, output in outputs.items() if output is shown]:
            del outputs[number]
            for names in (shell.user_ns, shell.user_ns_hidden):
                names.pop(f"_{number}", None)
        getattr(shell.history_manager, "outputs", {}).pop(made_in, None)  # pictures, kept by IPython 9 for %notebook

    cell, run = request
    earlier, closings = _shown.get(cell, (run, []))
    if earlier != run:
        for close_earlier in closings:
            close_earlier()
        closings = []
        return_freed()
    _shown[cell] = run, [*closings, close]


def _request(shell: Any) -> tuple[str, str] | None:
    """Return the running cell's id (or else its text) and the id of this run; None outside a cell."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    if parent.get("msg_type") != "execute_request":
        return None
    return parent["metadata"].get("cellId") or parent["content"]["code"], parent["header"]["msg_id"]


def close_page(page: widgets.Widget) -> None:
    """Close a widget and its parts: children, layouts, styles."""
    if page.comm is None:
        return
    parts = [getattr(page, name) for name in page.keys]
    page.close()
    for part in parts:
        for item in part if isinstance(part, list | tuple) else (part,):
            if isinstance(item, widgets.Widget):
                close_page(item)
