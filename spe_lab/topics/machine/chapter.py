"""Where this topic stands in the course."""

from spe_lab.core.chapter import Chapter

CHAPTER = Chapter(
    "00",
    "Your machine",
    "You compare what your machine claims with what a program gets, and calibrate the models of all later chapters.",
    minutes=50,
)
