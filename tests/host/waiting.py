"""Wait for a condition."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
_RETRIED = (AssertionError, IndexError, OSError, ValueError, httpx.HTTPError)


def eventually(check: Callable[[], Found], limit_s: float, every_s: float = 0.5) -> Found:
    """Return the result of `check` as soon as it does not raise; after the limit, raise its error."""
    ends_at = time.monotonic() + limit_s
    while True:
        try:
            return check()
        except _RETRIED:
            if time.monotonic() > ends_at:
                raise
        time.sleep(every_s)
