"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "04c",
    "Cache coherence",
    "You follow the messages that keep caches consistent, and find and repair false sharing.",
    minutes=105,
    needs=("03b", "03d"),
)
