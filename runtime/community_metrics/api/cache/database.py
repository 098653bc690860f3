"""The API's one connection: read-only, opened when first needed, with deadlines, never mixing versions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from community_metrics.api.cache.watch import shown_versions
from community_metrics.errors import StorageUnavailable
from community_metrics.storage.reader import LanceDBReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from community_metrics.config import Settings

READ_TIMEOUT_S: Final = 10.0
PING_TIMEOUT_S: Final = 3.0
ATTEMPTS: Final = 5
"""A run merges into `stats` once; five reads that each meet another write mean something else is wrong."""

Answer = TypeVar("Answer")


class ReadDatabase:
    """Lends one reader to every request. It holds no store: nothing here can write."""

    def __init__(self, settings: Settings, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = read_timeout_s
        self._reader: LanceDBReader | None = None

    @property
    def read_timeout_s(self) -> float:
        """How long one read may take, in seconds."""
        return self._timeout_s

    @property
    def reader(self) -> LanceDBReader:
        """The reader; its first read connects, and a failed one makes the next connect again."""
        if self._reader is None:
            # 0 s: a read sees every write before it, so that equal versions around a body prove it whole
            self._reader = LanceDBReader.open(self._settings, consistency_s=0.0)
        return self._reader

    def load_client(self) -> None:
        """Import LanceDB before any deadline runs: it takes seconds on a cold machine."""
        LanceDBReader.load_client()

    async def consistently(
        self, read: Callable[[LanceDBReader], Awaitable[Answer]]
    ) -> tuple[Answer, Mapping[str, int]]:
        """Return what `read` brings, all of it from one version of every table, and those versions.

        Reads again when a write came in between. Pinning the versions instead would need a second handle for
        each request, and would fail on a version that was cleaned up meanwhile.

        Raises:
            StorageError: storage failed, was too slow, or is written to without a pause.
        """
        self.load_client()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._unmixed(read)
        except TimeoutError:
            raise StorageUnavailable(f"A read took longer than {self._timeout_s:.0f} s.") from None

    async def ping(self) -> None:
        """Return when storage answers.

        Raises:
            StorageError: it does not, or not within a few seconds.
        """
        self.load_client()
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self.reader.table_versions()
        except TimeoutError:
            raise StorageUnavailable(f"LanceDB did not answer within {PING_TIMEOUT_S:.0f} s.") from None

    async def close(self) -> None:
        """Let the connection go; the next request would open another."""
        if self._reader is not None:
            await self._reader.close()
            self._reader = None

    async def _unmixed(
        self, read: Callable[[LanceDBReader], Awaitable[Answer]]
    ) -> tuple[Answer, Mapping[str, int]]:
        reader = self.reader
        before = await reader.table_versions()
        for _ in range(ATTEMPTS):
            answer = await read(reader)
            after = await reader.table_versions()
            if shown_versions(before) == shown_versions(after):
                return answer, after
            before = after
        raise StorageUnavailable(f"The tables changed during each of {ATTEMPTS} reads.")
