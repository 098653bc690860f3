"""Waiting for what comes by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
_NOT_YET = (AssertionError, IndexError, OSError, ValueError, httpx.HTTPError)


def eventually(look: Callable[[], Found], limit_s: float, every_s: float = 0.5) -> Found:
    """Return what `look` returns as soon as it does not fail; after the limit, raise its error."""
    ends_at = time.monotonic() + limit_s
    while True:
        try:
            return look()
        except _NOT_YET:
            if time.monotonic() > ends_at:
                raise
        time.sleep(every_s)
