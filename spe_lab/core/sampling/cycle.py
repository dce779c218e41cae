"""Random cycles through memory: the working set of every latency measurement."""

import ctypes

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.cancel import Cancel
from spe_lab.core.machine.arena import Arena

LINE = 64  # bytes between nodes: the line of most machines, and a divisor of it on the others


def link(address: int, nodes: int, spacing: int, seed: int, cancel: Cancel) -> ctypes.Structure:
    """Return `struct cycle` on a random cycle of nodes in the caller's memory.

    - `address`: of the first node
    - `nodes`, `spacing`: number of nodes, and the bytes from one to the next
    - `seed`: of the order
    - `cancel`: ends the linking early
    """
    library = native.load("memory")
    state = library.struct("cycle")()
    status = library.cycle_link(state, address, nodes, spacing, np.empty(nodes, np.uint32), seed, cancel.flag)
    check(status, library, "building the working sets")
    return state


def new_cycle(size: int, pages: str, seed: int, cancel: Cancel) -> tuple[ctypes.Structure, Arena]:
    """Return `struct cycle` through all lines of `size` bytes of new memory, and their arena."""
    arena = Arena(size, pages)
    return link(arena.address, size // LINE, LINE, seed, cancel), arena
