"""Accessible names for sliders, for screen readers.

ipywidgets (8.1) writes a slider's description beside it, but the handle, which has the focus, has no name. The handle
of a slider over a list reports the index of the option as its value. Python can set neither. So each page holds an
empty widget whose script (access.js) sets both. anywidget imports the script from a blob: URL, which a
Content-Security-Policy must allow; otherwise the sliders work without names.
"""

from pathlib import Path

import ipywidgets as widgets
from anywidget import AnyWidget

_CLASS = "spe-page"  # access.js looks for it


class _Names(AnyWidget):
    """An empty widget whose script names the sliders of its page."""

    _esm = Path(__file__).with_name("access.js")


def named(page: widgets.Box) -> widgets.Box:
    """Give the sliders of `page` their names and values, and return the page."""
    page.add_class(_CLASS)
    page.children = (*page.children, _Names())
    return page
