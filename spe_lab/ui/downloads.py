"""The content of an explorer's data fold: files to download, the state as lines to paste, and a table."""

import base64
import html
from collections.abc import Mapping

from spe_lab.core.lab import Lab
from spe_lab.core.recording import Run
from spe_lab.core.slider import Value
from spe_lab.ui import state


def content(lab: Lab, run: Run, point: Mapping[str, Value], png: bytes | None) -> str:
    """Return markup for `run` as the figure shows it at `point`; `png` is the figure, if it has points."""
    links = [
        ("CSV", "csv", "text/csv", run.to_csv().encode()),
        ("JSON", "json", "application/json", run.to_json().encode()),
    ]
    if png:
        links.append(("PNG", "png", "image/png", png))
    joined = " · ".join(_link(label, f"{run.lab}.{ending}", kind, data) for label, ending, kind, data in links)
    lines = html.escape(f"{state.code(lab, point)}\n{state.command(lab, point)}")
    here = f'<p>This state, for a cell and for a terminal:</p><pre style="margin: 0.5em 0 1em">{lines}</pre>'
    table = f'<pre tabindex="0" style="white-space: pre; overflow-x: auto">{html.escape(run.summary())}</pre>'
    return f"<p>Download: {joined}</p>{here}{table}"


def _link(label: str, name: str, kind: str, data: bytes) -> str:
    return f'<a download="{html.escape(name)}" href="data:{kind};base64,{base64.b64encode(data).decode()}">{label}</a>'
