"""Configures malloc to keep freed memory, so that no step requests it again."""

import ctypes
import platform

# of glibc's malloc.h
TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> None:
    """Makes malloc keep what is freed; to be called before JAX starts its threads.

    glibc returns large arrays to the kernel at once and gets the next ones page by
    page, each cleared first. A program on CPU frees and gets all its arrays: that took
    a sixth of a training step and a third of a prediction (docs/benchmarks.md). Other C
    libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(MMAP_MAX, 0)  # large arrays come from the heap, as small ones do
        libc.mallopt(TRIM_THRESHOLD, -1)  # and its end is never handed back
        libc.mallopt(ARENA_MAX, 1)  # one heap for all threads: others hold 64 MB only
