"""The reader's progress through the course, from the journal: one line for each chapter."""

from collections import Counter

from spe_lab.core import course, registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal
from spe_lab.core.reader.exercise import exercises
from spe_lab.core.reader.journal import Journal
from spe_lab.core.text import Text


def overview(kept: Journal | None = None) -> Text:
    """Return a table of the chapters with exercises solved and predictions measured, and the chapter to go on with."""
    try:
        kept = journal.load() if kept is None else kept
    except SpeLabError as error:
        return Text(f"Your progress cannot be read: {error}.")
    known = exercises()
    asked = Counter(map(_stem, known))
    solved = Counter(_stem(id) for id, entry in kept.exercises.items() if entry["right"] and id in known)
    tried = Counter(_stem(id) for id in kept.exercises)
    made = Counter(_stem(entry["lab"]) for entry in kept.predictions.values())
    measured = Counter(_stem(entry["lab"]) for entry in kept.predictions.values() if entry["scored"])
    rows = ["| Chapter | Exercises solved | Predictions measured |", "|---|---|---|"]
    for stem in course.stems().values():
        predicted = f"{measured[stem]} of {made[stem]}" if made[stem] else "–"
        rows.append(f"| {registry.chapter(stem).name} | {solved[stem]} of {asked[stem]} | {predicted} |")
    begun = [stem for stem in course.stems().values() if tried[stem] or made[stem]]
    return Text("\n".join([*rows, "", _advice(begun, asked, solved)]))


def _advice(begun: list[str], asked: Counter[str], solved: Counter[str]) -> str:
    """Return where to go on: in the last chapter begun and not finished, else in the first untouched one."""
    fresh = [stem for stem in course.stems().values() if stem not in begun]
    if not begun:
        return f"Your journal is empty. Begin with chapter {registry.chapter(fresh[0]).name}."
    unfinished = [stem for stem in begun if solved[stem] < asked[stem]]
    if unfinished:
        stem = unfinished[-1]
        left = asked[stem] - solved[stem]
        number = f"{left} exercises are open" if left > 1 else "one exercise is open"
        return f"Go on with chapter {registry.chapter(stem).name}: {number}."
    return f"Go on with chapter {registry.chapter(fresh[0]).name}." if fresh else "You have solved all exercises."


def _stem(id: str) -> str:
    return id.partition(".")[0]
