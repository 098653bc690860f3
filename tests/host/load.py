"""A steady load through TLS, from several clients' addresses, each request on a connection of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.host.addresses import API_ADDRESS, CLIENTS
from tests.host.deployment import API_HOST

if TYPE_CHECKING:
    from types import TracebackType

    from tests.host.world import World

PER_S = 50
LIMIT_S = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it began and ended (monotonic seconds), and its status or what went wrong."""

    began: float
    ended: float
    outcome: str


class Load:
    """`with Load(world, path) as load:` asks all the while; afterwards `load.answers` has every answer."""

    def __init__(self, world: World, path: str, limit_s: float = LIMIT_S) -> None:
        self.answers: list[Answer] = []
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
        """How often each status came."""
        return Counter(answer.outcome for answer in self.answers)

    @property
    def longest_s(self) -> float:
        return max(answer.ended - answer.began for answer in self.answers)

    def failed(self, under_way_at: float | None = None) -> list[Answer]:
        """Return what was not answered with 200, those apart that were under way at that instant."""
        return [
            answer
            for answer in self.answers
            if answer.outcome != "200"
            and not (under_way_at is not None and answer.began <= under_way_at <= answer.ended)
        ]

    def _run(self) -> None:
        with self._world.clients:
            asyncio.run(self._ask_all())

    async def _ask_all(self) -> None:
        began, asked = time.monotonic(), 0
        async with asyncio.TaskGroup() as tasks:
            while not self._is_over.is_set():
                tasks.create_task(self._ask(CLIENTS[asked % len(CLIENTS)]))
                asked += 1
                await asyncio.sleep(max(0.0, began + asked / PER_S - time.monotonic()))

    async def _ask(self, source: str) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._limit_s):
                outcome = await self._status(source)
        except (OSError, TimeoutError, IndexError) as error:
            outcome = f"{type(error).__name__}: {error}"
        self.answers.append(Answer(began, time.monotonic(), outcome))

    async def _status(self, source: str) -> str:
        reader, writer = await asyncio.open_connection(
            API_ADDRESS, 443, ssl=self._trust, server_hostname=API_HOST, local_addr=(source, 0)
        )
        try:
            writer.write(self._request)
            return (await reader.read()).split(b" ", 2)[1].decode()
        finally:
            writer.transport.abort()  # there is nothing more to say, and the loop may end at any moment
