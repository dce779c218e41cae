"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "03c",
    "Access patterns",
    "You write an algorithm as a formula of access patterns, and predict its cache misses and its time.",
    minutes=210,
    needs=("03b",),
)
