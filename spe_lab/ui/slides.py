"""A notebook as slides: where each begins follows from its headings and steps, so that a chapter need not be marked by
hand.

    python -m spe_lab.ui.slides notebooks/03b_memory.ipynb dist/lecture

writes a copy with the `slideshow` metadata that presentation tools read. `make lecture` does so and opens it.
"""

import argparse
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

_NBVAL = "# NBVAL_CHECK_OUTPUT\n"
_HEADING = re.compile(r"^#{1,3} ", re.MULTILINE)
_LISTING = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)  # a # in it is a comment
_TALL = re.compile(r"\b(explore|Stepper)\(")


def slides(notebook: dict[str, Any]) -> dict[str, Any]:
    """A copy of a notebook (as its JSON has it) whose cells say what begins with them.

    A heading begins a slide (to the right). On the way down from it, a part begins with prose that follows code, and
    with what fills a screen by itself, whose code is folded. Cells in between stay with the one above. What a cell says
    of itself already is kept; the comment that has nbval compare a cell goes, as no audience needs it.
    """
    copy = deepcopy(notebook)
    above = None
    for cell in copy["cells"]:
        source = cell["source"] = "".join(cell["source"]).replace(_NBVAL, "")
        if kind := _beginning(cell["cell_type"], source, above):
            cell["metadata"].setdefault("slideshow", {"slide_type": kind})
        if cell["cell_type"] == "code" and _TALL.search(source):
            cell["metadata"]["jupyter"] = {"source_hidden": True}  # a click on its place shows it
        above = cell["cell_type"]
    return copy


def _beginning(cell_type: str, source: str, above: str | None) -> str | None:
    if cell_type == "markdown" and _HEADING.search(_LISTING.sub("", source)):
        return "slide"
    if (cell_type == "markdown" and above == "code") or (cell_type == "code" and _TALL.search(source)):
        return "subslide"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a copy of a notebook whose cells say where a slide begins.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path, help="where the copy goes; an older one is replaced")
    arguments = parser.parse_args()
    try:
        notebook = json.loads(arguments.notebook.read_text(encoding="utf-8"))
        arguments.folder.mkdir(parents=True, exist_ok=True)
        (arguments.folder / arguments.notebook.name).write_text(
            json.dumps(slides(notebook), ensure_ascii=False, indent=1), encoding="utf-8"
        )
    except (OSError, ValueError, KeyError) as error:
        parser.error(
            f"NOTEBOOK must be a notebook that can be read and FOLDER a place to write to, got {error}; name one of"
            " notebooks/*.ipynb"
        )


if __name__ == "__main__":
    main()
