"""The read API: what is stored, over HTTP, and no way to write.

Importing it settles how this process uses memory, since that has to be settled before Arrow and LanceDB are
loaded: all threads share two of glibc's heaps, and Arrow uses them as well. LanceDB's threads would open one
each, and Arrow's own allocator keeps what it once took: 14 MB of 257 after every route was asked (measured).
So do the heaps, unless they are told after each large body: another 16 MB.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_M_ARENA_MAX: Final = -8
"""`mallopt`'s number for it, from malloc.h."""
_LIBC: Final = ctypes.CDLL(None)


def _share_heaps() -> None:
    os.putenv("ARROW_DEFAULT_MEMORY_POOL", "system")
    if hasattr(_LIBC, "mallopt"):  # glibc has it, macOS has not
        _LIBC.mallopt(_M_ARENA_MAX, 2)


def give_memory_back() -> None:
    """Hand the free pages of the heaps to the system; takes a few milliseconds."""
    if hasattr(_LIBC, "malloc_trim"):  # as above
        _LIBC.malloc_trim(0)


_share_heaps()
