"""The flag that ends a measurement or a simulation, seen by C and by other threads."""

import ctypes
from typing import Any

from spe_lab.core.errors import CancelledError


class Cancel:
    """A flag that C and other threads see: `set()` ends their work within 0.2 s. A process gets a copy."""

    def __init__(self, already: bool = False) -> None:
        self.flag = ctypes.c_int32(already)

    def __reduce__(self) -> tuple[Any, ...]:
        return Cancel, (self.is_set(),)

    def set(self) -> None:
        self.flag.value = 1

    def is_set(self) -> bool:
        return bool(self.flag.value)

    def check(self, work: str = "the measurement") -> None:
        """Raise CancelledError if the flag is set. Call between two parts of a long task."""
        if self.is_set():
            raise CancelledError(f"{work} was cancelled; start it again")
