"""A steady load through TLS, from several client addresses, with a connection for each request."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from tests.host.addresses import API_ADDRESS, CLIENTS
from tests.host.deployment import API_HOST

if TYPE_CHECKING:
    from types import TracebackType

    from tests.host.world import World

PER_S = 50
LIMIT_S = 30


@dataclass(frozen=True, slots=True)
class Result:
    """One request: its begin and end (monotonic seconds), and its status or error."""

    began: float
    ended: float
    outcome: str


class Load:
    """`with Load(world, path) as load:` sends requests; `load.results` has the result of each."""

    def __init__(self, world: World, path: str, limit_s: float = LIMIT_S) -> None:
        self.results: list[Result] = []
        self._limit_s = limit_s
        self._world = world
        self._trust = world.trust()
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {API_HOST}\r\nUser-Agent: rehearsal\r\nConnection: close\r\n\r\n"
        ).encode()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def outcomes(self) -> Counter[str]:
        """The number of results by outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def longest_s(self) -> float:
        return max(result.ended - result.began for result in self.results)

    @property
    def longest_gap_s(self) -> float:
        """The longest time between the begins of two requests that succeeded."""
        began = sorted(result.began for result in self.results if result.outcome == "200")
        return max(after - before for before, after in pairwise(began))

    def failed(self, in_progress_at: float | None = None) -> list[Result]:
        """Return the results other than 200, except requests in progress at that instant."""
        return [
            result
            for result in self.results
            if result.outcome != "200"
            and not (in_progress_at is not None and result.began <= in_progress_at <= result.ended)
        ]

    def _run(self) -> None:
        with self._world.clients:
            asyncio.run(self._send_all())

    async def _send_all(self) -> None:
        began, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as tasks:
            while not self._is_over.is_set():
                tasks.create_task(self._send(CLIENTS[sent % len(CLIENTS)]))
                sent += 1
                await asyncio.sleep(max(0.0, began + sent / PER_S - time.monotonic()))

    async def _send(self, source: str) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._limit_s):
                outcome = await self._status(source)
        except (OSError, TimeoutError, IndexError) as error:
            outcome = f"{type(error).__name__}: {error}"
        self.results.append(Result(began, time.monotonic(), outcome))

    async def _status(self, source: str) -> str:
        reader, writer = await asyncio.open_connection(
            API_ADDRESS, 443, ssl=self._trust, server_hostname=API_HOST, local_addr=(source, 0)
        )
        try:
            writer.write(self._request)
            return (await reader.read()).split(b" ", 2)[1].decode()
        finally:
            writer.transport.abort()  # do not wait for the close: the loop may end at any moment
