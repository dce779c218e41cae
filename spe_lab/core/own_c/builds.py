"""Libraries that differ only in the place of their code: it alone changes times by up to a third.

A processor fetches and caches instructions by lines of 64 bytes, and predicts branches by their addresses. Compilers
align functions and loops to 16 bytes, so that a function begins at one of four places in a line; which one depends on
whatever comes before it. Measured on an AMD EPYC (Zen), 32 builds of each function: the place in the line moved a
matrix product by 28 %, an insertion sort by 25 %, a count of characters by 29 %, and a sum by nothing. Builds with the
same place in a line differed by up to 3 % (binary search: standard deviation).
"""

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from spe_lab.core.c import native

LINE = 64
STEP = 16
PLACES = LINE // STEP
COPIES = 3  # builds at each place, in different lines
_LINES = 64  # of a page
# The compiler puts this at the beginning of its output, before all functions; clang writes it in its own way.
MARK = """
__asm__(".text\\n.p2align 12\\nspe_lab_place:\\n.skip 64");
"""
FLAGS = ("-fno-function-sections",)  # in a section of its own a function would not move
_MARKED = re.compile(r"spe_lab_place:\s+\.\w+[ \t]+64\b.*")


def offsets(seed: int) -> np.ndarray:
    """Return the offsets of builds in their page, in bytes: COPIES different lines for each place in a line."""
    lines = np.random.default_rng(seed).permutation(_LINES)[: PLACES * COPIES]
    return STEP * np.repeat(np.arange(PLACES), COPIES) + LINE * (lines + 1)


def build(built: native.Built, flags: Sequence[str], at: np.ndarray, folder: Path) -> list[Path]:
    """Return libraries in `folder` with their code at these offsets; the text of `built` must end with MARK."""

    def one(offset: int) -> Path:
        target = folder / f"{built.path.stem}-{offset}.so"
        native.link(_MARKED.sub(f".skip {offset}", built.assembly, count=1), target, flags)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(one, at))
