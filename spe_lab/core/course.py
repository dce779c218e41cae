"""The course: all chapters in one table, those that are still to come among them, and paths through it.

Everything that lists chapters follows from this table: the start page, the links in every notebook, the README and the
book. A topic's own chapter.py takes the place of the entry in TO_COME with the same number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from spe_lab.core import registry
from spe_lab.core.chapter import Chapter
from spe_lab.core.errors import SpeLabError

# The sections of the course, by the first two digits of a chapter's number.
SECTIONS = {
    "00": "Your machine",
    "01": "Requirements",
    "02": "Profiling",
    "03": "Modelling",
    "04": "Efficient code",
    "05": "Multicore",
    "06": "Non-blocking algorithms",
    "07": "System interfaces",
    "08": "Servers",
    "09": "Scale-out",
}
TO_COME = (
    Chapter(
        "01",
        "Requirements and measuring",
        "You state a performance objective that a measurement can decide, and measure it without fooling yourself.",
        minutes=180,
        needs=("00",),
    ),
    Chapter(
        "02",
        "Profiling",
        "You trace and sample a program, and work out what the profiler costs and how far it errs.",
        minutes=210,
        needs=("01",),
    ),
    Chapter(
        "03e",
        "Validation",
        "You profile a program, rebuild its bottleneck as a microbenchmark, and validate your model on the program.",
        minutes=150,
        needs=("02", "03a", "03b", "03c", "03d"),
    ),
    Chapter(
        "04a",
        "Efficient use of a core",
        "You keep a core busy with independent work, vectors and specialised code, and predict what each gains.",
        minutes=180,
        needs=("03d",),
    ),
    Chapter(
        "04b",
        "Locality",
        "You lay out and traverse data so that caches and prefetchers serve most of the accesses.",
        minutes=180,
        needs=("03c",),
    ),
    Chapter(
        "05b",
        "Synchronisation",
        "You build locks from atomic instructions, and predict what they cost with and without contention.",
        minutes=150,
        needs=("04c", "05a"),
    ),
    Chapter(
        "05c",
        "Tasks",
        "You distribute tasks of unequal length to threads, and predict when the last one ends.",
        minutes=120,
        needs=("05a",),
    ),
    Chapter(
        "05d",
        "Pipelines",
        "You connect stages by queues, and find the stage that limits the throughput.",
        minutes=120,
        needs=("05c",),
    ),
    Chapter(
        "05e",
        "Processes",
        "You compare ways to pass data between processes, and model what copies and serialisation cost.",
        minutes=90,
        needs=("05a",),
    ),
    Chapter(
        "06",
        "Non-blocking algorithms",
        "You let threads share data structures without locks, and see what can go wrong and what the cures cost.",
        minutes=180,
        needs=("05b",),
    ),
    Chapter(
        "07a",
        "System calls",
        "You measure what it costs to cross into the operating system, and what batching saves.",
        minutes=120,
        needs=("00",),
    ),
    Chapter(
        "07b",
        "Address translation",
        "You count page faults and TLB misses, and predict what huge pages and virtual machines change.",
        minutes=150,
        needs=("03b",),
    ),
    Chapter(
        "07c",
        "Instruction sets",
        "You observe how real cores reorder memory accesses, and weigh specialised instructions against their cost.",
        minutes=90,
        needs=("04c",),
    ),
    Chapter(
        "07d",
        "Devices",
        "You model rings, doorbells and interrupts, and choose between interrupts and polling.",
        minutes=120,
        needs=("07a",),
    ),
    Chapter(
        "07e",
        "Asynchronous interfaces",
        "You serve many connections by blocking, readiness and completion interfaces, and compare their costs.",
        minutes=120,
        needs=("07a",),
    ),
    Chapter(
        "08",
        "Programming models for servers",
        "You build a server with threads, workers or an event loop, and predict where it is overloaded.",
        minutes=150,
        needs=("07e",),
    ),
    Chapter(
        "09c",
        "Elasticity",
        "You let a service grow and shrink with its load, and price cold starts, waste and failures.",
        minutes=150,
        needs=("09b",),
    ),
    Chapter(
        "09d",
        "Communication",
        "You compare remote procedure calls with direct memory access, and account for the cycles they cost.",
        minutes=120,
        needs=("05e",),
    ),
)
WEEKS = 12
SITTING_MIN = 100  # a sitting of self-study is no longer than this
LECTURE_MIN = 45
EVENING = ("00", "03b")


@dataclass(frozen=True)
class Sitting:
    """A part of a chapter that is done in one go: `part` of `parts`, in `minutes`."""

    chapter: Chapter
    part: int
    parts: int
    minutes: int


def stems() -> dict[str, str]:
    """Return the topics' stems by chapter number, in the order of the chapters."""
    return dict(sorted((registry.chapter(stem).number, stem) for stem in registry.stems()))


def written() -> list[Chapter]:
    """Return the chapters that exist, in order."""
    return [registry.chapter(stem) for stem in stems().values()]


def chapters() -> list[Chapter]:
    """Return all chapters in order, those that are still to come among them."""
    table = {chapter.number: chapter for chapter in (*TO_COME, *written())}
    return [table[number] for number in sorted(table)]


def planned(number: str) -> Chapter | None:
    """Return the entry of a chapter that is still to come, or None."""
    return next((chapter for chapter in TO_COME if chapter.number == number), None)


def notebook(number: str) -> str:
    """Return the form of the name of an existing chapter's notebook: `03c_*patterns.ipynb`."""
    if number not in stems():
        raise SpeLabError(f"chapter must be one of {', '.join(stems())}, got {number!r}; the others are still to come")
    return f"{number}_*{stems()[number]}.ipynb"


def neighbours(number: str) -> tuple[Chapter | None, Chapter | None]:
    """Return the existing chapters before and after this one; None at the ends."""
    table = written()
    place = [chapter.number for chapter in table].index(number)
    return table[place - 1] if place else None, table[place + 1] if place + 1 < len(table) else None


def sittings(table: Iterable[Chapter]) -> list[Sitting]:
    """Divide each chapter into parts of at most SITTING_MIN minutes, equal to the minute."""
    return [
        Sitting(chapter, part, parts, chapter.minutes * part // parts - chapter.minutes * (part - 1) // parts)
        for chapter in table
        for parts in [ceil(chapter.minutes / SITTING_MIN)]
        for part in range(1, parts + 1)
    ]


def weeks(table: Iterable[Chapter], count: int = WEEKS) -> list[list[Sitting]]:
    """Distribute the sittings of all chapters, in order, over `count` weeks so that the longest week is short.

    Linear partition by dynamic programming: best[k][i] is the least possible longest week of the first i sittings in k
    weeks. Weeks at the end stay empty if there are fewer sittings than weeks.
    """
    units = sittings(table)
    count_used = min(count, len(units))
    total = [0.0]
    for unit in units:
        total.append(total[-1] + unit.minutes)
    best: list[list[float]] = [[0.0] + [float("inf")] * len(units)]
    cuts: list[list[int]] = []
    for _ in range(count_used):
        row, cut = [float("inf")] * (len(units) + 1), [0] * (len(units) + 1)
        for end in range(1, len(units) + 1):
            row[end], cut[end] = min((max(best[-1][start], total[end] - total[start]), start) for start in range(end))
        best.append(row)
        cuts.append(cut)
    plan: list[list[Sitting]] = []
    end = len(units)
    for cut in reversed(cuts):
        plan.insert(0, units[cut[end] : end])
        end = cut[end]
    return plan + [[] for _ in range(count - count_used)]


def minutes(table: Sequence[Chapter]) -> int:
    """Return the time of these chapters together."""
    return sum(chapter.minutes for chapter in table)
