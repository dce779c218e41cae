"""A widget as what a cell shows: the page where a kernel is behind it, and something else to see or to read elsewhere."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets


def bundle(page: widgets.Widget, how: Mapping[str, Any], **elsewhere: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `_repr_mimebundle_(**how)` returns for `page`. `elsewhere`: `text` and, if there is something to see, `html`."""
    shown = page._repr_mimebundle_(**how) if page.comm else {}  # closed: its cell was run again
    data, metadata = shown if isinstance(shown, tuple) else (shown, {})
    kinds = {"text": "text/plain", "html": "text/html"}
    return {**data, **{kinds[name]: content for name, content in elsewhere.items()}}, metadata
