"""The API's one connection: read-only, opened at the first read, with timeouts, and consistent reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from community_metrics.errors import StorageUnavailable
from community_metrics.storage.reader import LanceDBReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from community_metrics.config import Settings

READ_TIMEOUT_S: Final = 10.0
PING_TIMEOUT_S: Final = 3.0
ATTEMPTS: Final = 5
"""A run merges into `stats` once; if each of five reads meets another write, something else is wrong."""
SHOWN_TABLES: Final = ("metrics", "stats", "history", "run_outcomes")
"""Tables that bodies are built from; without `leases`, whose heartbeat would change every body."""

Content = TypeVar("Content")


def shown_versions(versions: Mapping[str, int]) -> tuple[int, ...]:
    """Return the versions of the tables that bodies are built from, in a fixed order."""
    return tuple(versions.get(table, 0) for table in SHOWN_TABLES)


class ReadDatabase:
    """One reader for every request; without a store, so that the API cannot write."""

    def __init__(self, settings: Settings, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._settings = settings
        self._reader: LanceDBReader | None = None
        self.read_timeout_s: Final = read_timeout_s
        """How long one read may take, in seconds."""

    @property
    def reader(self) -> LanceDBReader:
        """The reader; it connects at its first read, and again after a failed one."""
        if self._reader is None:
            # 0 s: a read sees every earlier write, so equal versions before and after prove it consistent
            self._reader = LanceDBReader.open(self._settings, consistency_s=0.0)
        return self._reader

    def load_client(self) -> None:
        """Import LanceDB before a timeout starts: that takes seconds on a cold machine."""
        LanceDBReader.load_client()

    async def consistently(
        self, read: Callable[[LanceDBReader], Awaitable[Content]]
    ) -> tuple[Content, Mapping[str, int]]:
        """Return what `read` returns, read from one version of every table, and those versions.

        Reads again after a concurrent write. Pinning the versions instead would need a second handle for each
        request, and would fail on a version that is cleaned up meanwhile.

        Raises:
            StorageError: storage failed, was too slow, or is written to continuously.
        """
        self.load_client()
        try:
            async with asyncio.timeout(self.read_timeout_s):
                before = await self.reader.table_versions()
                for _ in range(ATTEMPTS):
                    content = await read(self.reader)
                    after = await self.reader.table_versions()
                    if shown_versions(before) == shown_versions(after):
                        return content, after
                    before = after
        except TimeoutError:
            raise StorageUnavailable(f"A read took longer than {self.read_timeout_s:.0f} s.") from None
        raise StorageUnavailable(f"The tables changed during each of {ATTEMPTS} reads.")

    async def ping(self) -> None:
        """Return once storage responds.

        Raises:
            StorageError: storage failed, or did not respond within a few seconds.
        """
        self.load_client()
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self.reader.table_versions()
        except TimeoutError:
            raise StorageUnavailable(f"LanceDB did not respond within {PING_TIMEOUT_S:.0f} s.") from None

    async def close(self) -> None:
        """Close the connection; the next request would open another."""
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
