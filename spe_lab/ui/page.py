"""A widget as the output of a cell: a page for a live kernel, with a picture or text for other places."""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets

from spe_lab.ui.access import named
from spe_lab.ui.cell_lifetime import Page, until_rerun
from spe_lab.ui.page_lock import in_turn


def page_of(shown: Page, box: widgets.Box, release: Callable[[], None] | None = None) -> widgets.Box:
    """Make `box` the page of `shown` and return it.

    Its sliders get accessible names, and its messages are handled one at a time. When the cell runs again, `release` is
    called and the page closed.
    """
    until_rerun(shown, release)
    return in_turn(named(box))


def bundle(page: widgets.Widget, how: Mapping[str, Any], **elsewhere: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the mimebundle of `page` for `how`; `elsewhere`: `text`, and `html` for a picture."""
    shown = page._repr_mimebundle_(**how) if page.comm else {}  # no comm: closed, as its cell was run again
    data, metadata = shown if isinstance(shown, tuple) else (shown, {})
    kinds = {"text": "text/plain", "html": "text/html"}
    return {**data, **{kinds[name]: content for name, content in elsewhere.items()}}, metadata
