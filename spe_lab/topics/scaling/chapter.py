"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "05a",
    "Scaling",
    "You predict how much faster a program becomes with more threads, and what keeps it from scaling.",
    minutes=210,
    needs=("00",),
)
