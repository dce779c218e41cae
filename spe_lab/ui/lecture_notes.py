"""Notes for the lecturer: cells tagged `lecturer`, gathered into one HTML page per chapter."""

import base64
import html
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spe_lab.ui.drawing import draws

Cell = dict[str, Any]

NOTES = "lecturer"  # the tag of a cell for the lecturer's eyes
SHORT = "lecture"  # the tag of a cell on the path of 45 minutes
TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,3} +(.+)$", re.MULTILINE)
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.15rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; margin-top: 2rem; } h3 { font-size: 1.1rem; }
code { font-size: 0.9em; } pre { overflow-x: auto; padding: 0.6rem; border: 1px solid; border-radius: 4px; }
table { border-collapse: collapse; } th, td { border: 1px solid; padding: 0.2rem 0.6rem; text-align: left; }
img.formula { vertical-align: middle; } li p { margin: 0; }
kbd { border: 1px solid; border-radius: 3px; padding: 0 0.3em; }
@media (prefers-color-scheme: dark) { img.formula { filter: invert(1); } }
@media print { body { font-size: 10.5pt; margin: 0; max-width: none; } h2, h3 { break-after: avoid; }
  pre, table, li { break-inside: avoid; } }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>Notes: {heading}</title>
<style>{style}</style>
</head>
<body>
<h1>Notes for the lecturer: {heading}</h1>
{notes}
{path}
{keys}
</body>
</html>
"""
_KEYS = (
    ("→ ↓ Space PageDown", "next step: the next slide, or the rest of one that is taller than the screen"),
    ("← ↑ Shift+Space PageUp", "the step before"),
    ("Home End", "first slide; last slide, with links to other chapters"),
    ("F9", "run the cells of this slide"),
    ("Shift+F9", "run all cells up to this slide"),
    ("Ctrl+F9", "run all cells of the chapter"),
    ("N", "this page, in a second window"),
    ("Shift+PageDown, Shift+PageUp", "next chapter, chapter before"),
    ("Escape", "leave the slides"),
)


def notes_name(notebook: str) -> str:
    """Return the file name of the lecturer's notes to a notebook: 03b_notes.html for 03b_memory.ipynb."""
    return f"{Path(notebook).stem.split('_')[0]}_notes.html"


def title(notebook: dict[str, Any]) -> str:
    """Return the first heading of a notebook, or an empty string."""
    headings = (TITLE.search(source(cell)) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return next((found[1].strip() for found in headings if found), "")


def source(cell: Cell) -> str:
    return "".join(cell["source"])


def tags(cell: Cell) -> Sequence[str]:
    tagged: Sequence[str] = cell["metadata"].get("tags", ())
    return tagged


def notes_page(notebook: dict[str, Any], name: str) -> str:
    """Return a self-contained HTML page with the notes to a notebook (as its JSON has it).

    HTML in the notes is shown as text. A notebook without notes gets a page that says so.
    """
    cells = notebook["cells"]
    heading = title(notebook) or name
    notes = [
        source(cell) if cell["cell_type"] == "markdown" else f"```python\n{source(cell)}\n```"
        for cell in cells
        if NOTES in tags(cell)
    ]
    text = "\n\n".join(notes) or "This chapter has no notes for the lecturer yet: no cell is tagged `lecturer`."
    heading = html.escape(heading)
    return _PAGE.format(heading=heading, style=_STYLE, notes=_markdown(text), path=_path(cells, name), keys=_keys())


def _markdown(text: str) -> str:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    markdown = MarkdownIt("js-default", {"linkify": False})  # HTML is escaped, javascript: links are text
    markdown.use(dollarmath_plugin, renderer=lambda tex, _: _formula(tex), double_inline=True)
    rendered: str = markdown.render(text)
    return rendered


@draws
def _formula(tex: str) -> str:
    """Return TeX as a picture, or as text where matplotlib's subset of TeX lacks something."""
    from matplotlib import rc_context
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    picture = io.BytesIO()
    try:
        with rc_context({"svg.hashsalt": "notes"}):
            math_to_image(f"${tex.strip()}$", picture, prop=FontProperties(size=14), format="svg")
    except ValueError:
        return f"<code>{html.escape(tex)}</code>"
    data = base64.b64encode(picture.getvalue()).decode()
    return f'<img class="formula" alt="{html.escape(tex)}" src="data:image/svg+xml;base64,{data}">'


def _path(cells: Sequence[Cell], name: str) -> str:
    """Return the headings on the path of 45 minutes."""
    tagged = [source(cell) for cell in cells if SHORT in tags(cell) and cell["cell_type"] == "markdown"]
    headings = [heading for text in tagged for heading in _HEADING.findall(text)]
    if not headings:
        return ""
    items = "\n".join(f"<li>{_markdown(heading)}</li>" for heading in headings)
    command = f"<code>make lecture NOTEBOOK=notebooks/{html.escape(name)} SHORT=1</code>"
    return f"<h2>The path of 45 minutes</h2>\n<p>{command} shows these slides alone.</p>\n<ol>\n{items}\n</ol>"


def _keys() -> str:
    rows = "\n".join(
        f"<tr><th>{' '.join(f'<kbd>{key}</kbd>' for key in keys.split(' '))}</th><td>{meaning}</td></tr>"
        for keys, meaning in _KEYS
    )
    return f"<h2>Keys</h2>\n<table>\n{rows}\n</table>"
