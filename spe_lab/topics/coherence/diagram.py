"""Pictures of caches, one for each access of a trace: states of the copies by core and line."""

from spe_lab.models.mesi import KINDS, STATES, Step, Walk, follow

ROW, COLUMN, LEFT, TOP = 56, 132, 96, 62
# Okabe and Ito, pale enough for black letters. The letter gives the state; the colour only repeats it.
FILLS = {"I": "#ffffff", "S": "#9ad0f0", "E": "#b5e0a8", "M": "#f5b98a"}
MESSAGES = {"BusRd": "asks to read", "BusRdX": "asks to own", "BusUpgr": "tells the others to invalidate it"}


def steps_through(trace: str, layout: str | None = None, cores: int | None = None) -> list[tuple[str, str]]:
    """Return (SVG, sentence) for the start and after each access of a trace such as "0:R x, 1:W x".

    `layout` puts variables on cache lines, as in "x y | z"; without it each has its own line.
    `spe_lab.ui.stepper.Stepper` shows the pictures.
    """
    walk = follow(trace, layout, cores)
    copies = ["I" * walk.cores] * len(walk.lines)
    on = "; ".join(f"line {i} holds {' and '.join(names)}" for i, names in enumerate(walk.lines))
    frames = [(_svg(walk, copies, None, ""), f"Start: all caches are empty, and {on}.")]
    sent = written = 0
    for i, step in enumerate(walk.steps, 1):
        sent += step.reaction.message != ""
        written += step.reaction.write_back
        copies[step.line] = step.reaction.after
        title = f"{i}: core {step.access.core} {KINDS[step.access.kind]} {step.access.variable}"
        text = f"{i}. {sentence(step)} Messages so far: {sent}, write-backs: {written}."
        frames.append((_svg(walk, copies, step, title), text))
    return frames


def sentence(step: Step) -> str:
    """Return the effect of an access in words.

    >>> sentence(follow("0:W x, 1:R x").steps[1])
    'Core 1 reads x: its copy of line 0 is invalid, so it sends BusRd (asks to read). Core 0 writes its copy back. Now core 0: shared, core 1: shared.'
    """  # noqa: E501
    access, reaction = step.access, step.reaction
    state = STATES[step.before[access.core]]
    message = (
        f"it sends {reaction.message} ({MESSAGES[reaction.message]})" if reaction.message else "it sends no message"
    )
    text = f"Core {access.core} {KINDS[access.kind]} {access.variable}: its copy of line {step.line} is {state}, so"
    text += f" {message}."
    if reaction.write_back:
        text += f" Core {step.before.index('M')} writes its copy back."
    pairs = enumerate(zip(step.before, reaction.after, strict=True))
    changed = [f"core {i}: {STATES[after]}" for i, (before, after) in pairs if before != after]
    return f"{text} Now {', '.join(changed)}." if changed else f"{text} No copy changes."


def _svg(walk: Walk, copies: list[str], step: Step | None, title: str) -> str:
    width, height = max(LEFT + COLUMN * len(walk.lines) + 12, 620), TOP + ROW * walk.cores + 52
    parts = [_text(12, 22, title or "start", 17, bold=True, anchor="start")]
    for i, names in enumerate(walk.lines):
        parts.append(_text(LEFT + COLUMN * (i + 0.5), TOP - 14, f"line {i}: {' '.join(names)}", 14))
    for core in range(walk.cores):
        y = TOP + ROW * core
        acts = step is not None and step.access.core == core
        parts.append(_text(12, y + ROW / 2 + 6, f"{'▶ ' if acts else ''}core {core}", 15, bold=acts, anchor="start"))
        for i, line in enumerate(copies):
            before = step.before[core] if step is not None and step.line == i else line[core]
            parts.append(_cell(LEFT + COLUMN * i, y, before, line[core]))
    parts.append(_text(12, height - 18, _bus(step), 15, anchor="start"))
    rows = [", ".join(f"core {core} {STATES[state]}" for core, state in enumerate(line)) for line in copies]
    label = f"Caches, {title or 'start'}. " + "; ".join(f"line {i}: {row}" for i, row in enumerate(rows))
    head = f'<svg role="img" aria-label="{label}." viewBox="0 0 {width} {height}" width="{width}"'
    return (
        f'{head} style="max-width: 100%; background: white" xmlns="http://www.w3.org/2000/svg"'
        f' font-family="sans-serif">{"".join(parts)}</svg>'
    )


def _cell(x: float, y: float, before: str, after: str) -> str:
    """Return a copy's state as a letter and a word; a changed copy shows both states in a thick frame."""
    stroke, dash = (4, "") if before != after else (1, ' stroke-dasharray="4 3"' if after == "I" else "")
    frame = (
        f'<rect x="{x + 3}" y="{y + 3}" width="{COLUMN - 6}" height="{ROW - 6}" fill="{FILLS[after]}" stroke="black"'
        f' stroke-width="{stroke}"{dash}/>'
    )
    letters = f"{before} → {after}" if before != after else after
    middle, base = x + COLUMN / 2, y + ROW / 2
    return frame + _text(middle, base, letters, 18, bold=True) + _text(middle, base + 17, STATES[after], 12)


def _bus(step: Step | None) -> str:
    if step is None:
        return "bus: quiet"
    reaction = step.reaction
    parts = [f"{reaction.message} from core {step.access.core}"] if reaction.message else []
    parts += ["write-back to memory"] * reaction.write_back + ["line sent from cache to cache"] * reaction.transfer
    return f"bus: {' · '.join(parts) or 'quiet'}"


def _text(x: float, y: float, text: str, size: int, bold: bool = False, anchor: str = "middle") -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" font-weight="{700 if bold else 400}"'
        f' fill="black">{text}</text>'
    )
