"""What the book shows in a widget's place: pictures to switch between, in HTML and CSS alone.

While the book is built (SPE_LAB_BOOK=1), explorers show recorded data beside the model of the machine that they come
from, at three settings of their sliders. A cell that measures all the same is labelled as such
(`core.sampling.rounds.refined`), for the machine that builds is neither the reader's nor quiet.
"""

import html
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from spe_lab.core import units
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.slider import Slider, Value
from spe_lab.ui.static import dense

FACTOR = 4  # how far a slider is moved
_groups = itertools.count()


def plates(title: str, shown: Sequence[tuple[str, str]]) -> str:
    """Markup of which the reader sees one piece at a time; `shown` holds pairs of a label and the piece's HTML.

    Radio buttons: arrow keys step through them, screen readers say which of how many, and no script is needed. The
    style sheet hides what is not chosen; without it, and in print, all are there one below the other.
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
    """`count` settings by a label: the lab's presets, and then, each with one slider moved, those that change the
    prediction most.

    Points stay valid where the model alone moves, or where a lab simulates and so has points everywhere. Other sliders
    are moved if there are not enough of these, and the same slider twice if there is no second one.
    """
    moves = [(slider, value) for slider in lab.sliders.values() if slider.name != lab.axis for value in _moved(slider)]
    ranks = {
        (slider.name, value): (not slider.measured or lab.simulated, _change(lab, {slider.name: value}))
        for slider, value in moves
    }
    ranked = sorted((move for move in ranks if ranks[move][1] > 0), key=ranks.get, reverse=True)
    best_of_each = list({name: (name, value) for name, value in reversed(ranked)}.values())[::-1]
    moved = {
        f"{name} {_said(lab.sliders[name], value)}": {name: value}
        for name, value in dict.fromkeys([*best_of_each, *ranked])
    }
    presets = {name: preset.settings for name, preset in lab.presets().items()}
    return dict(list({**presets, **moved}.items())[:count])


def _said(slider: Slider, value: Value) -> str:
    return value if isinstance(value, str) else units.render(value, slider.unit)


def _moved(slider: Slider) -> list[Value]:
    """Values worth a look: the other choices; a quarter and four times of a default; where that is zero, a quarter of
    the way.
    """
    if slider.scale == "choice":
        return [choice for choice in slider.choices if choice != slider.default]
    wanted = (
        [slider.default / FACTOR, slider.default * FACTOR]
        if slider.default
        else [slider.low + (slider.high - slider.low) / FACTOR]
    )
    return [value for value in map(slider.rounded, wanted) if value != slider.default]


def _change(lab: Lab, settings: dict[str, Value]) -> float:
    """How far the predictions move, relative to themselves, on average over the axis; 0 where there
    is no prediction.
    """
    axis = dense(lab, lab.x(), points=60)
    try:
        before, after = (lab.predict(lab.point(each), axis, lab.recorded_fit) for each in ({}, settings))
    except SpeLabError:
        return 0.0
    return max((_distance(a, b) for a, b in zip(before, after, strict=True)), default=0.0)


def _distance(a: Curve, b: Curve) -> float:
    both = np.isfinite(a.values) & np.isfinite(b.values)
    scale = np.maximum(np.abs(a.values), np.abs(b.values))[both]
    moved = np.abs(a.values - b.values)[both]
    return float(np.mean(np.divide(moved, scale, out=np.zeros_like(moved), where=scale > 0))) if moved.size else 0.0
