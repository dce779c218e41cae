"""What a trace costs as tables, and lost updates in words, for a notebook."""

from collections.abc import Mapping

from spe_lab.core.errors import SpeLabError
from spe_lab.core.recording import Recording
from spe_lab.core.text import Text
from spe_lab.models.mesi import follow
from spe_lab.topics.coherence.tenure import lost_in_words


def counted(trace: str, layout: str) -> Text:
    """Return a table of the messages, transfers and write-backs of a trace."""
    return _table(follow(trace, layout).counts())


def changes(trace: str, layout: str) -> Text:
    """Return a table of the changes of state that the copies in a trace went through."""
    return _table(follow(trace, layout).transitions())


def lost(recording: Recording) -> Text:
    """Return in words how many updates were lost in a recording of coherence.false_sharing.

    A count needs no clean trials: a busy machine cannot spoil it, as it can spoil the fit of a tenure.
    """
    if not (counts := recording.training.get("lost_updates")):
        rule = "recording must be of an operation that adds, so that lost updates can be counted"
        raise SpeLabError(f"{rule}, got {recording.point.get('operation')}; choose 'load + store'")
    return Text(" ".join(lost_in_words(counts)))


def _table(numbers: Mapping[str, int]) -> Text:
    rows = [numbers, ["---"] * len(numbers), numbers.values()]
    return Text("\n".join(f"| {' | '.join(map(str, row))} |" for row in rows))
