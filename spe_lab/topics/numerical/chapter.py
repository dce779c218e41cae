"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "03a",
    "Numerical models",
    "You fit curves to measured times, and find out what such a model is worth between and beyond its points.",
    minutes=120,
    needs=("00",),
)
