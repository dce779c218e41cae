"""A chapter of the course: its number, title and what a reader must know before opening it.

A topic defines its chapter in its chapter.py. Chapters that are still to come stand in core/course.py.
"""

import re
from dataclasses import dataclass

from spe_lab.core.errors import SpeLabError

NUMBER = re.compile(r"\d\d[a-z]?")
LONGEST_SENTENCE = 20  # words
SHORTEST_MIN, LONGEST_MIN = 5, 600


@dataclass(frozen=True)
class Chapter:
    """A chapter of the course.

    - number: two digits and perhaps a letter, such as "05b"
    - title: as in the map of the course
    - sentence: what one learns, in at most 20 words, with a full stop
    - minutes: for reading, labs and exercises together
    - needs: numbers of the chapters that it builds on
    """

    number: str
    title: str
    sentence: str
    minutes: int
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for number in (self.number, *self.needs):
            if not NUMBER.fullmatch(number):
                raise SpeLabError(
                    f"number must be two digits and perhaps a letter, got {number!r}; write for example 05b"
                )
        if not self.sentence.endswith(".") or len(self.sentence.split()) > LONGEST_SENTENCE:
            rule = f"sentence must be at most {LONGEST_SENTENCE} words and end with a full stop"
            raise SpeLabError(f"{rule}, got {self.sentence!r}; say what one learns in chapter {self.number}")
        if not SHORTEST_MIN <= self.minutes <= LONGEST_MIN:
            rule = f"minutes must be {SHORTEST_MIN} to {LONGEST_MIN}"
            raise SpeLabError(f"{rule}, got {self.minutes}; count reading, labs and exercises of {self.number}")

    @property
    def name(self) -> str:
        """Number and title, as in a heading.

        >>> Chapter("05b", "Synchronisation", "You learn what a lock costs.", 120).name
        '05b Synchronisation'
        """
        return f"{self.number} {self.title}"

    @property
    def time(self) -> str:
        """The minutes as a reader would say them.

        >>> Chapter("05b", "Synchronisation", "You learn what a lock costs.", 105).time
        '1 h 45 min'
        """
        return duration(self.minutes)


def duration(minutes: float) -> str:
    """Return minutes as text.

    >>> duration(50), duration(120), duration(1295)
    ('50 min', '2 h', '21 h 35 min')
    """
    hours, rest = divmod(round(minutes), 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )
