"""Text for a reader, wherever it is read."""


class Text(str):
    """Markdown that a notebook typesets and a terminal prints."""

    def _repr_markdown_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


class Source(str):
    """A listing: shown as it is, line by line, and still the text that a compiler takes."""

    def __repr__(self) -> str:
        return str(self)
