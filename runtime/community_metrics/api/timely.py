"""A time limit for each piece of a stream."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Piece = TypeVar("Piece")


async def timely(pieces: AsyncGenerator[Piece, None], timeout_s: float) -> AsyncGenerator[Piece, None]:
    """Yield the pieces, each read within the time limit; the time that the caller takes does not count.

    Raises:
        TimeoutError: the next piece was not read in time.
    """
    async with aclosing(pieces):
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            yield piece
