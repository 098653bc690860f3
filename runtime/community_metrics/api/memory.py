"""Memory that is free is returned to the system, so that a peak of one request does not stay."""

from __future__ import annotations

import ctypes
import os
from typing import Final

_LIBC: Final[object] = ctypes.CDLL(None) if os.name == "posix" else None
_M_MMAP_THRESHOLD: Final = -3  # malloc.h
_LARGE_BYTES: Final = 512 * 1024
"""Above the 256 KiB that asyncio allocates for each request: to map them would cost a third of a 304."""


def return_large_blocks() -> None:
    """From now on, return each block of 512 KiB or more to the system when it is freed; only with glibc.

    By default glibc starts at 128 KiB, raises it to the size of each block that is freed, up to 32 MiB, and
    keeps what is smaller: six exports of 1.8 million rows, one after another, left 70 MB.
    """
    if mallopt := getattr(_LIBC, "mallopt", None):
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def free_memory() -> None:
    """Return small free blocks too, in a few milliseconds; only with glibc."""
    if malloc_trim := getattr(_LIBC, "malloc_trim", None):
        malloc_trim(0)
