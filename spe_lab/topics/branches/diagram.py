"""Pictures of a saturating counter, one for each branch."""

from spe_lab.core.units import render
from spe_lab.models.predictor import checked_states
from spe_lab.topics.branches.simulator import follow

RADIUS, GAP, HEIGHT = 30, 110, 190
NOT_TAKEN, TAKEN, HERE = "#0072B2", "#D55E00", "#F0E442"  # Okabe and Ito


def steps_through(
    outcomes: str, states: int = 4, threshold: int | None = None, initial: int = 0, p: float | None = None
) -> list[tuple[str, str]]:
    """Return (SVG, sentence) for the start and for each branch: its prediction and its outcome.

    - outcomes: T (taken) or N (not taken) for each branch
    - states, threshold, initial: of the counter; it predicts "taken" from state `threshold` on
    - p: probability shown at the arrows as a number; without it they show p and 1 − p

    `spe_lab.ui.stepper.Stepper` shows the pictures.
    """
    states, threshold = checked_states(states, threshold)
    walked = follow(outcomes, states, threshold, initial)
    start = f"Start in state {initial}, which predicts {_word(initial >= threshold)}."
    frames = [(_svg(states, threshold, initial, None, p), start)]
    missed = 0
    for i, step in enumerate(walked, 1):
        missed += step.predicted != step.taken
        judged = "right" if step.predicted == step.taken else "mispredicted"
        moved = f"stays in state {step.after}" if step.after == step.before else f"moves to state {step.after}"
        sentence = (
            f"Branch {i}: predicted {_word(step.predicted)}, was {_word(step.taken)}: {judged}. The counter {moved}."
            f" Mispredicted so far: {missed} of {i}."
        )
        frames.append((_svg(states, threshold, step.after, (step.before, step.after), p), sentence))
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
        place, label = f'x="{x}" text-anchor="middle"', _word(i >= threshold)
        parts += [
            f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{fill}" stroke="{colour}" stroke-width="{stroke}"/>',
            f'<text {place} y="{y + 6}" font-size="18" fill="black">{i}</text>',
            f'<text {place} y="{HEIGHT - 8}" font-size="12" fill="{colour}">{label}</text>',
        ]
        if i < states - 1:
            parts += [_arrow(x, y, 1, up, (i, i + 1) == moved), _arrow(x + GAP, y, -1, down, (i + 1, i) == moved)]
    parts.append(_loop(GAP, y, -1, down, moved == (0, 0)))
    parts.append(_loop(width - GAP, y, 1, up, moved == (states - 1, states - 1)))
    label = f"A counter with {states} states. States {threshold} and up predict taken. It is in state {here}."
    head = (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {HEIGHT}" width="{width}" style="max-width: 100%;'
        ' background: white"'
    )
    return f'{head} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">{"".join(parts)}</svg>'


def _arrow(x: float, y: float, direction: int, label: str, bold: bool) -> str:
    """Return an arc from the state at x to its neighbour: above towards the right, below towards the left."""
    start, end, bend = x + direction * RADIUS * 0.75, x + direction * (GAP - RADIUS * 0.75), y - direction * 52
    edge, middle = y - direction * RADIUS * 0.75, x + direction * GAP / 2
    path = f"M {start} {edge} Q {middle} {bend} {end} {edge}"
    return _curve(path, end, edge, direction, label, middle, bend + (8 if direction > 0 else 2), bold)


def _loop(x: float, y: float, direction: int, label: str, bold: bool) -> str:
    """Return an arc from the first or the last state to itself."""
    near, far = x + direction * RADIUS * 0.85, x + direction * (RADIUS + 52)
    path = f"M {near} {y - 14} C {far} {y - 42} {far} {y + 42} {near} {y + 14}"
    return _curve(path, near, y + 14, -direction, label, x + direction * (RADIUS + 32), y - 30, bold)


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
