"""A chapter of the course: a topic's number and title, defined once, in the topic's chapter.py."""

import re
from dataclasses import dataclass

from spe_lab.core.errors import SpeLabError


@dataclass(frozen=True)
class Chapter:
    """A chapter: its `number`, such as "05b", and its `title`, as in the table of chapters."""

    number: str
    title: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d\d[a-z]?", self.number):
            raise SpeLabError(
                f"number must be two digits and perhaps a letter, got {self.number!r}; write for example 05b"
            )
