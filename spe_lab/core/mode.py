"""Switches of the environment, read in one place: short measurements, and the build of the book."""

import os


def quick() -> bool:
    """Whether SPE_LAB_QUICK bounds every measurement, as in continuous integration."""
    return _switched_on("SPE_LAB_QUICK")


def building_book() -> bool:
    """Whether SPE_LAB_BOOK asks for what a page without a kernel can show. What is measured then is labelled so."""
    return _switched_on("SPE_LAB_BOOK")


def _switched_on(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")
