"""Environment switches, read in one place: short measurements, the build of the book, and skipped predictions."""

import os


def quick() -> bool:
    """Return True if SPE_LAB_QUICK bounds every measurement, as in continuous integration."""
    return _switched_on("SPE_LAB_QUICK")


def building_book() -> bool:
    """Return True if SPE_LAB_BOOK is set: pages are built for readers without a kernel, and say so."""
    return _switched_on("SPE_LAB_BOOK")


def skipping_predictions() -> bool:
    """Return True if every open prediction counts as skipped: SPE_LAB_PREDICTIONS=skip, or the book is built."""
    return os.environ.get("SPE_LAB_PREDICTIONS") == "skip" or building_book()


def _switched_on(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")
