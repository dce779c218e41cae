"""Text for a reader of a notebook or of a terminal."""

import html
from typing import Self


class Text(str):
    """Markdown that a notebook typesets and a terminal prints."""

    def _repr_markdown_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


class Folded(Text):
    """Sections (title, Markdown) that a notebook shows folded, to be opened one by one; a terminal prints them."""

    sections: tuple[tuple[str, str], ...]

    def __new__(cls, *sections: tuple[str, str]) -> Self:
        made = super().__new__(cls, "\n\n".join(f"{title}: {text}" for title, text in sections))
        made.sections = sections
        return made

    def _repr_markdown_(self) -> str:
        # The empty lines let Markdown inside the HTML block be Markdown.
        return "\n\n".join(
            f"<details><summary>{html.escape(title)}</summary>\n\n{text}\n\n</details>" for title, text in self.sections
        )


class Source(str):
    """A source listing: shown as it is, line by line, and still a string that a compiler accepts."""

    def __repr__(self) -> str:
        return str(self)
