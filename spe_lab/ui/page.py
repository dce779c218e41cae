"""A widget as what a cell shows: the page where a kernel is behind it, and something else to see or
to read elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from spe_lab.ui.access import named
from spe_lab.ui.cell_lifetime import Page, until_rerun
from spe_lab.ui.page_lock import in_turn


def page_of(shown: Page, box: widgets.Box, release: Callable[[], None] | None = None) -> widgets.Box:
    """The page of `shown`: this box, whose sliders have names, served in turn, and closed after `release` when its cell
    runs again.
    """
    until_rerun(shown, release)
    return in_turn(named(box))


def bundle(page: widgets.Widget, how: Mapping[str, Any], **elsewhere: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `_repr_mimebundle_(**how)` returns for `page`. `elsewhere`: `text` and, if there is something to see,
    `html`.
    """
    shown = page._repr_mimebundle_(**how) if page.comm else {}  # closed: its cell was run again
    data, metadata = shown if isinstance(shown, tuple) else (shown, {})
    kinds = {"text": "text/plain", "html": "text/html"}
    return {**data, **{kinds[name]: content for name, content in elsewhere.items()}}, metadata
