"""The moving parts of a lab's figure as SVG, which a page lays over the pixels of the ground.

A frame is then a few kilobytes of paths. No pixel is drawn, compressed, sent or decoded when a slider moves; with
pixels, a frame took 19 ms in the kernel alone.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from spe_lab.ui.sheet import Sheet


def svg(sheet: "Sheet") -> str:
    """Return SVG content in the figure's pixels: lines, ratios and markers."""
    top, bottom = sheet.axes
    drawn = [
        _window(top, [_line(sheet, line) for line in (*sheet.lines, *sheet.places)] + [_line(sheet, sheet.markers[0])]),
        _window(bottom, [_dots(sheet, sheet.ratio_points), _line(sheet, sheet.markers[1])]),
    ]
    return "".join(drawn)


def _window(axes: "Axes", drawn: list[str]) -> str:
    """Return an inner SVG as large as the axes, which clips its content."""
    box = axes.bbox
    x, y, width, height = (f"{part:.1f}" for part in (box.x0, axes.figure.bbox.height - box.y1, box.width, box.height))
    size = f'x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{x} {y} {width} {height}"'
    return f"<svg {size}>{''.join(drawn)}</svg>"


def _line(sheet: "Sheet", line: "Line2D") -> str:
    if not line.get_visible():
        return ""
    width = _pixels(sheet, line.get_linewidth())
    style = sheet.dashes[line]
    dashes = f' stroke-dasharray="{" ".join(f"{part * width:.1f}" for part in style[1])}"' if style != "-" else ""
    look = f'fill="none" stroke="{line.get_color()}" stroke-width="{width:.1f}"{dashes}'
    return f'<path d="{path(_points(sheet, line))}" {look}/>'


def _dots(sheet: "Sheet", line: "Line2D") -> str:
    radius, opacity = _pixels(sheet, line.get_markersize()) / 2, line.get_alpha()
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>' for x, y in _points(sheet, line) if np.isfinite(x + y)
    )
    return f'<g fill="{line.get_color()}" opacity="{opacity}">{dots}</g>'


def _points(sheet: "Sheet", line: "Line2D") -> np.ndarray:
    """Return n × 2 pixels from the figure's upper left corner; NaN or infinite off the axes."""
    xy = np.column_stack([np.asarray(part, dtype=float) for part in line.get_data()])
    with np.errstate(divide="ignore", invalid="ignore"):
        place = line.get_transform().transform(xy)
    place[:, 1] = _height(sheet) - place[:, 1]
    return place


def path(points: np.ndarray) -> str:
    """Return a path with a gap at each point that is not finite; coordinates far outside are clipped."""
    commands, pen = [], "M"
    for x, y in np.clip(points, -9999, 9999).tolist():
        if x != x or y != y:
            pen = "M"
            continue
        commands.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(commands)


def _height(sheet: "Sheet") -> float:
    return sheet.figure.bbox.height


def _pixels(sheet: "Sheet", points: float) -> float:
    return points * sheet.figure.dpi / 72
