"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "09a",
    "Service objectives",
    "You turn promises about latency, utilisation and energy into numbers of servers, and price their tails.",
    minutes=180,
    needs=("00",),
)
