"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "09b",
    "Queueing and load balancing",
    "You simulate queues, derive their waiting times, and choose how to share load between servers.",
    minutes=180,
    needs=("09a",),
)
