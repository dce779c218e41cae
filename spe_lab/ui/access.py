"""Names for sliders that a screen reader can say.

ipywidgets (8.1) writes a slider's description beside it and leaves the handle, which has the focus, without a name. The
handle of a slider that chooses from a list reports the number of the option as its value. Python can set neither, so
each page holds a widget without content whose script (access.js) does. anywidget imports the script from a blob: URL. A
Content-Security-Policy must allow that source of scripts, but no script in HTML; where it allows neither, the sliders
move and have no names.
"""

from pathlib import Path

import ipywidgets as widgets
from anywidget import AnyWidget

_CLASS = "spe-page"  # access.js looks for it


class _Names(AnyWidget):
    """Names the sliders of the page that it stands on."""

    _esm = Path(__file__).with_name("access.js")


def named(page: widgets.Box) -> widgets.Box:
    """Give the sliders of `page` their names and values, and return the page."""
    page.add_class(_CLASS)
    page.children = (*page.children, _Names())
    return page
