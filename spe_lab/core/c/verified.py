"""Checks the kernels of a C file against their reference before anything is timed."""

from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any

from spe_lab.core.c.native import Library, load
from spe_lab.core.errors import MeasurementError

Checks = Callable[[Library], Iterator[tuple[str, Any, Any]]]


def verified(stem: str) -> Callable[[Checks], Callable[[], Library]]:
    """Turn a generator of checks into a function that loads kernels_c/`stem`.c and checks it once per process.

    The generator gets the library and yields (what is computed, expected value, value found) for each check. The
    function raises MeasurementError at the first pair that differs.

        @verified("memory")
        def kernels(library):
            yield "sum of 3 elements", 6, library.sum(elements, 3)
    """

    def decorate(checks: Checks) -> Callable[[], Library]:
        @cache
        @wraps(checks)
        def kernels() -> Library:
            library = load(stem)
            for computed, expected, found in checks(library):
                if found != expected:
                    used = f"{library.provenance['compiler']}, {library.provenance['flags']}"
                    raise MeasurementError(
                        f"kernels of {stem}.c must agree with their reference before they are timed, got {found} for"
                        f" {expected} as {computed}; report the compiler and its flags ({used})"
                    )
            return library

        return kernels

    return decorate
