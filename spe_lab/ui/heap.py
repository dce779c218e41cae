"""Memory that is freed and yet not the system's again.

`make lab` and `make lecture` start kernels with two settings of glibc's allocator (Makefile). They are for the whole
process, so that the launcher makes them and no page does:

- MALLOC_MMAP_THRESHOLD_: blocks of 256 KiB and more come from the system, and go back as soon as they are freed. By
  itself glibc raises this limit to the size of each such block that is freed, up to 32 MiB. Pictures and curves then
  lie in the heap, and small objects that stay between them keep whole pages: 64 pictures of 1 MiB left 70 MiB.
- MALLOC_ARENA_MAX: one heap serves all threads. What a page shows is made by the thread that runs cells, and made anew
  by the one that serves sliders: in two heaps, of which the first keeps its pages.

A JupyterLab that was started in another way has a larger heap between two calls of `return_freed`.
"""

import ctypes


def return_freed() -> None:
    """Return freed heap memory to the operating system (malloc_trim of glibc).

    glibc keeps it, for each thread's heap apart: half an hour of measuring left 134 of 714 MiB so. A call takes some
    10 ms, hence only where something long has ended. Other C libraries return memory by themselves, or cannot be asked.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
