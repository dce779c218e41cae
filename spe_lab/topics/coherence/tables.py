"""What a trace costs, as tables for a notebook."""

from collections.abc import Mapping

from spe_lab.core.text import Text
from spe_lab.models.mesi import follow


def counted(trace: str, layout: str) -> Text:
    """Return a table of the messages, transfers and write-backs of a trace."""
    return _table(follow(trace, layout).counts())


def changes(trace: str, layout: str) -> Text:
    """Return a table of the changes of state that the copies in a trace went through."""
    return _table(follow(trace, layout).transitions())


def _table(numbers: Mapping[str, int]) -> Text:
    rows = [numbers, ["---"] * len(numbers), numbers.values()]
    return Text("\n".join(f"| {' | '.join(map(str, row))} |" for row in rows))
