"""A question to the reader in this kernel: the prediction as it stands, and the explorers that wait for it.

All boxes for one prediction share it, so that an explorer also hears of a commitment in a box whose cell ran again.
"""

import weakref
from collections.abc import Callable
from typing import Any

from spe_lab.core.reader.prediction.base import JournalEntry

_live: "weakref.WeakValueDictionary[str, Asked]" = weakref.WeakValueDictionary()


class Asked:
    """A prediction that the reader may commit or skip; `note` says what became of it.

    It forwards to the prediction object as it stands.
    """

    def __init__(self) -> None:
        self.prediction: JournalEntry
        self.note = ""
        self._followers: list[Callable[[], Callable[[], None] | None]] = []

    @classmethod
    def of(cls, prediction: JournalEntry) -> "Asked":
        """Return the question that `prediction` answers, the same one for the same key, now with this answer."""
        asked = _live.get(prediction.key)
        if asked is None:
            asked = _live[prediction.key] = cls()
        asked.become(prediction)
        return asked

    def commit(self, *values: Any, **named: Any) -> None:
        """Commit these values. Raise SpeLabError, and change nothing, if they make no sense."""
        self.become(self.prediction.given(*values, **named))

    def skip(self) -> None:
        """Go on without a prediction; a committed one stays."""
        if self.prediction.committed:
            self.note = "You have committed a prediction already, and it stays."
            self._tell()
        else:
            self.become(self.prediction.skipping())

    def become(self, prediction: JournalEntry) -> None:
        """Take `prediction`, or the journal's if it is open, and tell those who follow."""
        told: list[str] = []
        self.prediction = prediction.kept(tell=told.append)
        self.note = told[-1] if told else self.prediction.state
        self._tell()

    def _tell(self) -> None:
        for reference in list(self._followers):
            if follow := reference():
                follow()
            else:
                self._followers.remove(reference)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "prediction":
            raise AttributeError(name)
        return getattr(self.prediction, name)

    def on_change(self, follow: Callable[[], None]) -> None:
        """Call `follow` after each change. A method is forgotten with its object."""
        if hasattr(follow, "__self__"):
            self._followers.append(weakref.WeakMethod(follow))
        else:
            self._followers.append(lambda: follow)
