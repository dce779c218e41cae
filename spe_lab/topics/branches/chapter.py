"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "03d",
    "Branch prediction",
    "You model a branch predictor as a Markov chain, and decide when code without branches is faster.",
    minutes=120,
    needs=("00",),
)
