"""The verdict on an answer, in words and as a coloured paragraph."""

import html
import re
from dataclasses import dataclass, field

from spe_lab.core.errors import SpeLabError

STATES = ("right", "wrong", "not attempted", "inconclusive")
MARKS = {"right": "✔", "wrong": "✘", "not attempted": "○", "inconclusive": "≈"}
COLOURS = {"right": "#009E73", "wrong": "#D55E00", "not attempted": "#888888", "inconclusive": "#E69F00"}


@dataclass(frozen=True)
class Verdict:
    """The result of a check: one of STATES, a reason in a sentence, and whether it was `measured`.

    `question` is shown above the verdict: the question with the numbers that were drawn for this reader.
    """

    state: str
    reason: str
    measured: bool = False
    question: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SpeLabError(f"state must be one of {', '.join(STATES)}, got {self.state!r}")

    def __str__(self) -> str:
        verdict = f"{MARKS[self.state]} {self.state}: {self.reason}"
        return f"{self.question}\n\n{verdict}" if self.question else verdict

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return a paragraph with a coloured edge; mark and word say the same as the colour."""
        question = f"<p>{_inline(self.question)}</p>" if self.question else ""
        style = f"border-left: 4px solid {COLOURS[self.state]}; padding-left: 0.6em"
        verdict = f"{MARKS[self.state]} <b>{self.state}</b>: {_inline(self.reason)}"
        return f'{question}<p role="status" style="{style}">{verdict}</p>'


def _inline(text: str) -> str:
    """Return escaped text with Markdown's `code` and **bold**."""
    escaped = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    return re.sub(r"\*\*([^*\n]+)\*\*", r"<b>\1</b>", escaped).replace("\n\n", "<br><br>")
