"""Memory that the process holds after a large body.

The unit of the host and the Lambda image set `MALLOC_ARENA_MAX=2` and `ARROW_DEFAULT_MEMORY_POOL=system`:
LanceDB's threads would open a heap each, and Arrow's own allocator keeps what it once took.
"""

from __future__ import annotations

import ctypes


def return_free_memory() -> None:
    """Return the free pages of the heap to the system in a few milliseconds; without glibc, do nothing."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
