"""Clients that disconnect before their response is complete, or stop reading it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import Message, Receive, Send

STALL_S: Final = 30.0
"""How long a client may read nothing, in seconds, before its response is aborted."""

Result = TypeVar("Result")


class ClientStalled(Exception):  # noqa: N818  describes the client
    """The client has read nothing for the time limit."""


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result | None:
    """Return what `work` returns; if the client disconnects before, cancel it and return None.

    Only for a request whose body nobody reads.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.wait({working, leaving})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def unless_stalled(send: Send, limit_s: float) -> Send:
    """Return a `send` that raises `ClientStalled` if the server cannot pass on a message in time.

    A server waits in `send` while its write buffer is full.
    """

    async def send_in_time(message: Message) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await send(message)
        except TimeoutError:
            raise ClientStalled from None

    return send_in_time
