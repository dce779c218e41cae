"""What moves on a lab's figure, as SVG that a page lays over the pixels of what stays.

A frame is then a few kilobytes of paths: no pixel is drawn, compressed, sent or decoded when a slider moves (with
pixels a frame took 19 ms in the kernel alone).
"""

import html
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from spe_lab.ui.sheet import Sheet


def svg(sheet: "Sheet") -> str:
    """The inside of an SVG whose unit is the figure's pixel: lines, ratios, markers and the caption, where matplotlib
    draws them.
    """
    top, bottom = sheet.axes
    drawn = [
        _window(top, [_line(sheet, line) for line in (*sheet.lines, *sheet.places)] + [_line(sheet, sheet.markers[0])]),
        _window(bottom, [_dots(sheet, sheet.ratio_points), _line(sheet, sheet.markers[1])]),
    ]
    x, y = sheet.caption.get_transform().transform(sheet.caption.get_position())
    font = (
        f'font-size="{_pixels(sheet, sheet.caption.get_fontsize()):.1f}" font-family="DejaVu Sans, Verdana, sans-serif"'
    )
    text = html.escape(sheet.caption.get_text())
    return "".join(drawn) + f'<text x="{x:.1f}" y="{_height(sheet) - y:.1f}" {font}>{text}</text>'


def _window(axes: "Axes", drawn: list[str]) -> str:
    """An inner picture as large as the axes: what reaches beyond them is cut off there."""
    box, height = axes.bbox, axes.figure.bbox.height
    x, y = box.x0, height - box.y1
    view = f"{x:.1f} {y:.1f} {box.width:.1f} {box.height:.1f}"
    return (
        f'<svg x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        f' viewBox="{view}">{"".join(drawn)}</svg>'
    )


def _line(sheet: "Sheet", line: "Line2D") -> str:
    if not line.get_visible():
        return ""
    width = _pixels(sheet, line.get_linewidth())
    style = sheet.dashes[line]
    dashes = f' stroke-dasharray="{" ".join(f"{part * width:.1f}" for part in style[1])}"' if style != "-" else ""
    return (
        f'<path d="{path(_points(sheet, line))}" fill="none" stroke="{line.get_color()}"'
        f' stroke-width="{width:.1f}"{dashes}/>'
    )


def _dots(sheet: "Sheet", line: "Line2D") -> str:
    radius, opacity = _pixels(sheet, line.get_markersize()) / 2, line.get_alpha()
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>' for x, y in _points(sheet, line) if np.isfinite(x + y)
    )
    return f'<g fill="{line.get_color()}" opacity="{opacity}">{dots}</g>'


def _points(sheet: "Sheet", line: "Line2D") -> np.ndarray:
    """n × 2 in the figure's pixels from its upper left corner; not finite where a value is not, or lies below a
    logarithmic axis.
    """
    xy = np.column_stack([np.asarray(part, dtype=float) for part in line.get_data()])
    with np.errstate(divide="ignore", invalid="ignore"):
        place = line.get_transform().transform(xy)
    place[:, 1] = _height(sheet) - place[:, 1]
    return place


def path(points: np.ndarray) -> str:
    """A path that begins anew after each point that is not finite. Far outside, a coordinate says no more than that."""
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
