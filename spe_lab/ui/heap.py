"""Return freed heap memory to the operating system (glibc).

`make lab` and `make lecture` start kernels with two settings of glibc's allocator (Makefile), which hold for the whole
process:

- MALLOC_MMAP_THRESHOLD_: blocks of 256 KiB and more are mapped, and unmapped when they are freed. By default glibc
  raises this limit to the size of each such block that is freed, up to 32 MiB. Then pictures and curves lie in the
  heap, and small objects between them keep whole pages: 64 pictures of 1 MiB left 70 MiB.
- MALLOC_ARENA_MAX: one heap serves all threads. Otherwise the thread that runs cells and the one that serves sliders
  make a page's objects in two heaps, and the first keeps its pages.

A JupyterLab that was started in another way has a larger heap between two calls of `return_freed`.
"""

import ctypes


def return_freed() -> None:
    """Return freed heap memory to the operating system (malloc_trim of glibc).

    glibc keeps it in each thread's heap: 134 of 714 MiB after half an hour of measuring. A call takes about 10 ms, so
    call this only at the end of long work. Other C libraries return memory by themselves, or have no such call.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
