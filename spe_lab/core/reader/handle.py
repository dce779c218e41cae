"""`exercise(stem, which)`: one exercise as the cells of a notebook ask for it.

q1 = exercise("memory", 1)
q1.check(...)
"""

from typing import Any

from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded
from spe_lab.core.reader.seeded import keep_draw, reader_draw, reader_seed
from spe_lab.core.reader.verdict import Verdict
from spe_lab.core.text import Text


class AskedExercise:
    """An exercise with the numbers of this reader; it shows its question.

    - `check(answer)`: the verdict, with the reason
    - `hint()`, `solution()`: folded, so that a page can show them
    - `another()`: the same question with other numbers
    """

    def __init__(self, number: int, entry: Exercise | Seeded) -> None:
        self.number = number
        self._entry = entry
        self._seed = reader_seed(keep=True) if isinstance(entry, Seeded) else 0
        self._draw = reader_draw(entry.id)
        self._complaint = ""

    @property
    def exercise(self) -> Exercise:
        return self._entry.exercise(self._seed, self._draw) if isinstance(self._entry, Seeded) else self._entry

    @property
    def id(self) -> str:
        """Its name in the journal, such as "memory.ramp"."""
        return str(self._entry.id)

    @property
    def question(self) -> str:
        return self.exercise.question

    def check(self, answer: Any = ..., **given: Any) -> Verdict:
        """Return the verdict on the answer, and keep both in the journal."""
        return self.exercise.check(answer, **given)

    def hint(self, number: int | None = None) -> Text:
        """Return all hints, each folded; or one by its number."""
        return self.exercise.hint(number)

    def solution(self) -> Text:
        """Return the solution, folded."""
        return self.exercise.solution()

    def solved(self, **given: Any) -> Any:
        """Return the solution as an answer."""
        return self.exercise.solved(**given)

    def answer_given(self) -> Any:
        """Return your answer from the journal: the last right one, or else the last."""
        return self.exercise.answer_given()

    def another(self) -> "AskedExercise":
        """Draw other numbers and show the question with them; the journal keeps that they were drawn."""
        if not isinstance(self._entry, Seeded):
            raise SpeLabError(f"exercise {self.id} must have numbers that are drawn, and its numbers are fixed; go on")
        self._draw = self._entry.next_draw(self._seed, self._draw)
        self._complaint = keep_draw(self.id, self._draw)
        return self

    def __repr__(self) -> str:
        return "\n".join(filter(None, (f"Exercise {self.number}. {self.question}", self._complaint)))

    def _repr_markdown_(self) -> str:
        return "\n\n".join(filter(None, (f"**Exercise {self.number}.** {self.question}", self._complaint)))


def exercise(stem: str, which: int | str) -> AskedExercise:
    """Return an exercise of a topic, by its number from 1 or by its name."""
    if stem not in registry.stems():
        raise SpeLabError(f"stem must be one of {', '.join(registry.stems())}, got {stem!r}; write for example memory")
    (topic,) = registry.topics(stem)
    entries = topic.EXERCISES.entries if isinstance(topic.EXERCISES, Exercises) else {}
    names = list(entries)
    if isinstance(which, int) and not isinstance(which, bool) and 1 <= which <= len(names):
        return AskedExercise(which, entries[names[which - 1]])
    if which in names:
        return AskedExercise(names.index(which) + 1, entries[which])
    rule = f"which must be a number from 1 to {len(names)} or one of {', '.join(names)}"
    raise SpeLabError(f"{rule}, got {which!r}; write for example exercise({stem!r}, 1)")
