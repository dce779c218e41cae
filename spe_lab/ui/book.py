"""Static pages of the book in place of widgets: pictures to switch between, in HTML and CSS alone.

While the book is built (SPE_LAB_BOOK=1), an explorer shows recorded data at three settings of its sliders, beside the
model of the machine that recorded them. Cells that measure are labelled (`core.sampling.rounds.refined`): the machine
that builds the book is neither the reader's nor quiet.
"""

import html
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Slider, Value
from spe_lab.ui.static import dense

FACTOR = 4  # by which a slider is moved down and up
_groups = itertools.count()


def plates(title: str, shown: Sequence[tuple[str, str]]) -> str:
    """Return markup that shows one piece at a time; `shown` holds (label, HTML) of each piece.

    Radio buttons need no script, react to arrow keys, and tell screen readers their number. The style sheet hides the
    pieces that are not chosen; without it, and in print, all pieces appear one below the other.
    """
    group = f"spe-plates-{next(_groups)}"
    pieces = [
        f'<input type="radio" name="{group}" id="{group}-{i}"{" checked" if i == 0 else ""}><label'
        f' for="{group}-{i}">{html.escape(label)}</label><div class="spe-plate">{piece}</div>'
        for i, (label, piece) in enumerate(shown)
    ]
    return (
        '<div class="spe-plates" role="radiogroup"'
        f' aria-label="{html.escape(title, quote=True)}">{"".join(pieces)}</div>'
    )


def telling_settings(lab: Lab, count: int = 2) -> dict[str, Mapping[str, Value]]:
    """Return `count` settings by label: presets, then moves that change the prediction most.

    Moves that keep the points valid come first: those of the model alone, and all moves of a lab that simulates. A
    slider is moved twice only if there are not enough sliders.
    """
    moves = [(slider, value) for slider in lab.sliders.values() if slider.name != lab.axis for value in _moved(slider)]
    ranks = {
        (slider.name, value): (not slider.measured or lab.simulated, _change(lab, {slider.name: value}))
        for slider, value in moves
    }
    ranked = sorted((move for move in ranks if ranks[move][1] > 0), key=ranks.get, reverse=True)
    best_of_each = list({name: (name, value) for name, value in reversed(ranked)}.values())[::-1]
    ordered = dict.fromkeys([*best_of_each, *ranked])
    moved = {f"{name} {lab.sliders[name].rendered(value)}": {name: value} for name, value in ordered}
    presets = {name: preset.settings for name, preset in lab.presets().items()}
    return dict(list({**presets, **moved}.items())[:count])


def _moved(slider: Slider) -> list[Value]:
    """Return the other choices, or a quarter and four times the default (of 0: a quarter of the range)."""
    if slider.scale == "choice":
        return [choice for choice in slider.choices if choice != slider.default]
    quarter = slider.low + (slider.high - slider.low) / FACTOR
    wanted = [slider.default / FACTOR, slider.default * FACTOR] if slider.default else [quarter]
    return [value for value in map(slider.rounded, wanted) if value != slider.default]


def _change(lab: Lab, settings: dict[str, Value]) -> float:
    """Return the mean relative change of the predictions over the axis; 0 without a prediction."""
    axis = dense(lab, lab.x(), points=60)
    try:
        before, after = (lab.predict(lab.point(moved), axis, lab.recorded_fit) for moved in ({}, settings))
    except SpeLabError:
        return 0.0
    return max((_distance(a, b) for a, b in zip(before, after, strict=True)), default=0.0)


def _distance(a: Curve, b: Curve) -> float:
    both = np.isfinite(a.values) & np.isfinite(b.values)
    scale = np.maximum(np.abs(a.values), np.abs(b.values))[both]
    moved = np.abs(a.values - b.values)[both]
    return float(np.mean(np.divide(moved, scale, out=np.zeros_like(moved), where=scale > 0))) if moved.size else 0.0
