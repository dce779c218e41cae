"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "03b",
    "The memory hierarchy",
    "You predict the cost of a memory access from the size of the data and the distance between accesses.",
    minutes=120,
    needs=("00",),
)
