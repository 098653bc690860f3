"""The read API: what is stored, over HTTP, and no way to write.

Importing it settles how this process uses memory, since that has to be settled before Arrow and LanceDB are
loaded: all threads share two of glibc's heaps, and Arrow uses them as well. LanceDB's threads would open one
each, and Arrow's own allocator keeps what it once took: 14 MB of 257 after every route was asked (measured).
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_M_ARENA_MAX: Final = -8
"""`mallopt`'s number for it, from malloc.h."""


def _share_heaps() -> None:
    os.putenv("ARROW_DEFAULT_MEMORY_POOL", "system")
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc has it, macOS has not
        libc.mallopt(_M_ARENA_MAX, 2)


_share_heaps()
