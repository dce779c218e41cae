"""The counter as a picture: states, arrows with their probabilities, and where it stands; one picture for each branch
met.
"""

from spe_lab.core.units import render
from spe_lab.models.predictor import checked_states
from spe_lab.topics.branches.simulator import follow

RADIUS, GAP, HEIGHT = 30, 110, 190
NOT_TAKEN, TAKEN, HERE = "#0072B2", "#D55E00", "#F0E442"  # Okabe and Ito


def steps_through(
    outcomes: str, states: int = 4, threshold: int | None = None, initial: int = 0, p: float | None = None
) -> list[tuple[str, str]]:
    """(SVG, sentence) for the start and after each of `outcomes` (T taken, N not): what the counter predicted, and what
    came.

    The arrows carry p and 1 − p, as numbers if `p` is given. For `spe_lab.ui.stepper.Stepper`.
    """
    states, threshold = checked_states(states, threshold)
    walked = follow(outcomes, states, threshold, initial)
    frames = [
        (
            _svg(states, threshold, initial, None, p),
            f"Start in state {initial}, which predicts {_word(initial >= threshold)}.",
        )
    ]
    missed = 0
    for i, step in enumerate(walked, 1):
        missed += step.predicted != step.taken
        judged = "right" if step.predicted == step.taken else "mispredicted"
        moved = f"stays in state {step.after}" if step.after == step.before else f"moves to state {step.after}"
        said = (
            f"Branch {i}: predicted {_word(step.predicted)}, was {_word(step.taken)}: {judged}. The counter {moved}."
            f" Mispredicted so far: {missed} of {i}."
        )
        frames.append((_svg(states, threshold, step.after, (step.before, step.after), p), said))
    return frames


def _word(taken: bool) -> str:
    return "taken" if taken else "not taken"


def _svg(states: int, threshold: int, here: int, moved: tuple[int, int] | None, p: float | None) -> str:
    up, down = ("p", "1 − p") if p is None else (render(p, ""), render(1 - p, ""))
    width, y = 2 * GAP + (states - 1) * GAP, HEIGHT / 2
    parts = []
    for i in range(states):
        x = GAP + i * GAP
        colour = TAKEN if i >= threshold else NOT_TAKEN
        fill, stroke = (HERE, 5) if i == here else ("white", 3)
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{fill}" stroke="{colour}" stroke-width="{stroke}"/>'
        )
        parts.append(f'<text x="{x}" y="{y + 6}" text-anchor="middle" font-size="18" fill="black">{i}</text>')
        parts.append(
            f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="middle" font-size="12"'
            f' fill="{colour}">{_word(i >= threshold)}</text>'
        )
        if i < states - 1:
            parts += [_arrow(x, y, 1, up, (i, i + 1) == moved), _arrow(x + GAP, y, -1, down, (i + 1, i) == moved)]
    parts.append(_loop(GAP, y, -1, down, moved == (0, 0)))
    parts.append(_loop(width - GAP, y, 1, up, moved == (states - 1, states - 1)))
    said = f"A counter of {states} states in a row; states {threshold} and up predict taken; it stands in state {here}."
    head = (
        f'<svg role="img" aria-label="{said}" viewBox="0 0 {width} {HEIGHT}" width="{width}" style="max-width: 100%;'
        ' background: white"'
    )
    return f'{head} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">{"".join(parts)}</svg>'


def _arrow(x: float, y: float, direction: int, label: str, bold: bool) -> str:
    """An arc from the state at x to its neighbour, above to the right and below to the left."""
    start, end, bend = x + direction * RADIUS * 0.75, x + direction * (GAP - RADIUS * 0.75), y - direction * 52
    edge = y - direction * RADIUS * 0.75
    return _curve(
        f"M {start} {edge} Q {x + direction * GAP / 2} {bend} {end} {edge}",
        end,
        edge,
        direction,
        label,
        x + direction * GAP / 2,
        bend + (8 if direction > 0 else 2),
        bold,
    )


def _loop(x: float, y: float, direction: int, label: str, bold: bool) -> str:
    """An arc from a state at the end to itself."""
    a, b, far = (
        (x + direction * RADIUS * 0.85, y - 14),
        (x + direction * RADIUS * 0.85, y + 14),
        x + direction * (RADIUS + 52),
    )
    return _curve(
        f"M {a[0]} {a[1]} C {far} {y - 42} {far} {y + 42} {b[0]} {b[1]}",
        b[0],
        b[1],
        -direction,
        label,
        x + direction * (RADIUS + 32),
        y - 30,
        bold,
    )


def _curve(
    path: str, x: float, y: float, direction: int, label: str, label_x: float, label_y: float, bold: bool
) -> str:
    colour, width = ("black", 4) if bold else ("#666666", 1.6)
    tip = f"{x},{y} {x - direction * 11},{y - 5} {x - direction * 8},{y + 6}"
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/><polygon points="{tip}"'
        f' fill="{colour}"/><text x="{label_x}" y="{label_y}" text-anchor="middle" font-size="13" fill="black"'
        f' font-weight="{400 + 300 * bold}">{label}</text>'
    )
