"""A run without a browser: a picture, its alternative text, and HTML with both."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from spe_lab.core import registry
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.files import write_atomically
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.recording import Recording, Run
from spe_lab.ui.figure import LabFigure
from spe_lab.ui.sheet import HEIGHT, WIDTH, pair_title


def picture(run: Run) -> bytes:
    """Return a PNG of a run: measured points, and predictions as lines."""
    lab = lab_of(run)
    fit, point = lab.fitted(run if run.measured else None).fit, {**lab.point(), **run.point}
    smooth = lab.predict(point, dense(lab, run.x), fit)
    return LabFigure(lab).draw(smooth, run.measured, ratios(run), marks=lab.marks(point, fit))


def check_png(path: Path) -> None:
    """Raise SpeLabError if a picture cannot have this path; call this before the measurement."""
    if path.suffix.lower() != ".png":
        raise SpeLabError(f"FILE must end in .png, got {path}; name it for example {path.stem or 'figure'}.png")
    if not path.parent.is_dir():
        raise SpeLabError(f"FILE must lie in a folder that exists, got {path}; make the folder first")


def save_png(run: Run, path: Path) -> None:
    check_png(path)
    write_atomically(path, picture(run))


def figure_html(png: bytes, alt: str, width: int = 0, height: int = 0, look: str = ' class="spe-figure"') -> str:
    """Return a picture with its alternative text.

    - width, height: in pixels; 0 for the picture's own
    - look: attributes of the image; a dark theme inverts the class spe-figure
    """
    from PIL import Image

    if not width:
        width, height = Image.open(io.BytesIO(png)).size
    data = base64.b64encode(png).decode()
    kind = "webp" if png.startswith(b"RIFF") else "png"
    size = f'width="{width}" height="{height}" style="max-width: 100%; height: auto"'
    told = html.escape(alt, quote=True)
    return f'<img alt="{told}"{look} {size} src="data:image/{kind};base64,{data}">'


def ground_html(ground: bytes) -> str:
    """Return the lower layer of a figure on a page: the parts that stay, without alternative text."""
    return figure_html(ground, "", WIDTH, HEIGHT, look="")  # a dark theme inverts both layers together


def moving_html(inside: str, alt: str) -> str:
    """Return the upper layer: an SVG of the same size, with the figure's alternative text."""
    label = html.escape(alt, quote=True)
    return (
        f'<svg class="spe-moving" role="img" aria-label="{label}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0'
        f' {WIDTH} {HEIGHT}">{inside}</svg>'
    )


def alt_text(lab: Lab, run: Run, elsewhere: Sequence[Curve] = (), marks: Mapping[str, float] | None = None) -> str:
    """Return the figure in words: axes, each curve with its source and range, and the error of the model."""
    slider = lab.sliders[lab.axis]
    ends = f"{slider.rendered(run.x.values[0])} to {slider.rendered(run.x.values[-1])}"
    words = [f"{lab.quantity.capitalize()} against {slider.meaning}, {ends}."]
    for curve in [*run.measured, *run.predicted, *elsewhere]:
        finite = curve.values[np.isfinite(curve.values)]
        if finite.size:
            low, high = lab.rendered(finite.min()), lab.rendered(finite.max())
            words.append(f"{curve.source.capitalize()}, {curve.name}: {low} to {high}.")
    for name, place in (marks or {}).items():
        if np.isfinite(place):
            words.append(f"{name.capitalize()} at {slider.rendered(place)}.")
    if said := compared(lab, run):
        words.append(f"{said}.")
    return " ".join(words)


def compared(lab: Lab, run: Run) -> str:
    """Return the error of the compared pair: "branching ÷ fitted: median 1 %, worst ×1.1 at 0.05", or nothing."""
    if run.comparison is None or not (said := run.comparison.said(lab.sliders[lab.axis].rendered, run.x)):
        return ""
    return f"{pair_title(lab)}: {said}"


def dense(lab: Lab, x: Axis, points: int = 240) -> Axis:
    """Return values of the axis, those of x included, to draw a model; for a counting axis, x itself."""
    slider, low, high = lab.sliders[x.name], x.values[0], x.values[-1]
    if slider.scale == "log":
        return Axis(x.name, x.unit, np.unique([*x.values, *np.geomspace(low, high, points)]))
    return x if slider.multiple_of else Axis(x.name, x.unit, np.unique([*x.values, *np.linspace(low, high, points)]))


def ratios(run: Run) -> Curve | None:
    """Return measured ÷ predicted of the compared pair as a curve; None without a comparison."""
    return Curve("ratio", "measured", run.x, "", run.comparison.residuals + 1) if run.comparison else None


def lab_of(recording: Recording) -> Lab:
    """Return the lab of a recording, on the recording's machine."""
    return registry.get(recording.lab, Machine.from_dict(dict(recording.machine)))
