"""Text for a reader of a notebook or of a terminal."""


class Text(str):
    """Markdown that a notebook typesets and a terminal prints."""

    def _repr_markdown_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return str(self)


class Source(str):
    """A source listing: shown as it is, line by line, and still a string that a compiler accepts."""

    def __repr__(self) -> str:
        return str(self)
