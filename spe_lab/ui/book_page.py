"""A notebook as a page of the book, which is read without a kernel.

Tags of cells decide what becomes of them:

- kernel: code is left out; prose stands in a frame that says it needs a running kernel
- lecturer: notes for a lecturer are folded below their heading
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

DROPPED = ("links-bottom",)  # the theme has links of its own below a page
KERNEL = "With a running kernel"
LECTURER = "Notes for a lecturer"
_HEADING = re.compile(r"^( {0,3}#{1,6} .+)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the name that JupyterLab gives a heading, so that a link in a notebook leads there in both.

    >>> anchor("How to read a figure")
    'How-to-read-a-figure'
    """
    return heading.replace(" ", "-")


def page(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a notebook (as its JSON has it) for the book."""
    copy = deepcopy(dict(notebook))
    copy["cells"] = [cell for cell in copy["cells"] if not _left_out(cell)]
    for cell in copy["cells"]:
        tags = _tags(cell)
        if cell["cell_type"] == "markdown" and tags & {"kernel", "lecturer"}:
            form = _framed if "kernel" in tags else _folded
            cell["source"] = _below_headings("".join(cell["source"]), form)
    return copy


def _left_out(cell: Mapping[str, Any]) -> bool:
    return cell.get("id") in DROPPED or (cell["cell_type"] == "code" and "kernel" in _tags(cell))


def _tags(cell: Mapping[str, Any]) -> set[str]:
    return set(cell["metadata"].get("tags", []))


def _below_headings(source: str, form: Callable[[str], str]) -> str:
    """Apply `form` to the prose between headings: a heading within a frame would break the page's outline."""
    listings: list[str] = []

    def hide(found: re.Match[str]) -> str:
        listings.append(found[0])
        return f"\0{len(listings) - 1}\0"

    hidden = re.sub(r"^ *(```|~~~).*?^ *\1", hide, source, flags=re.DOTALL | re.MULTILINE)
    parts = [part.strip() for part in _HEADING.split(hidden)]
    formed = [part if _HEADING.fullmatch(part) else form(part) for part in parts if part]
    return re.sub(r"\0(\d+)\0", lambda found: listings[int(found[1])], "\n\n".join(formed))


def _framed(prose: str) -> str:
    return f"``````{{admonition}} {KERNEL}\n:class: note\n\n{prose}\n``````"


def _folded(prose: str) -> str:
    return f"<details><summary>{LECTURER}</summary>\n\n{prose}\n\n</details>"
