"""Notebooks as slides: headings and steps decide where each slide begins.

    python -m spe_lab.ui.slides notebooks/03b_memory.ipynb dist/lecture

writes a copy with the `slideshow` metadata that presentation tools read. `make lecture` does this and opens the copy.
"""

import argparse
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

_HEADING = re.compile(r"^#{1,3} ", re.MULTILINE)
_LISTING = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)  # a # in it is a comment
_TALL = re.compile(r"\b(explore|Stepper)\(")


def slides(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a notebook (as its JSON has it) with slide metadata on its cells.

    A heading begins a slide (to the right). Prose after code, and code whose output fills a screen, begin a sub-slide
    (below); such code is hidden. Other cells stay with the cell above. Slide metadata that a cell has are kept.
    """
    copy = deepcopy(notebook)
    above = None
    for cell in copy["cells"]:
        source = cell["source"] = "".join(cell["source"])
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
        rule = f"NOTEBOOK must be a readable notebook and FOLDER a writable folder, got {error}"
        parser.error(f"{rule}; name one of notebooks/*.ipynb")


if __name__ == "__main__":
    main()
