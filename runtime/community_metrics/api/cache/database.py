"""The API's connections: read-only, opened at the first read, with timeouts.

Bodies are read from a snapshot: every table at one version. A look at the tables opens another one when a run
has ended or been abandoned; until then all reads use the same one, with a newer `history` where it changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from community_metrics.errors import StorageError, StorageUnavailable
from community_metrics.model import RunStatus
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.snapshot import SnapshotSource
from community_metrics.views.runs import abandoned_runs, end_of_today

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from community_metrics.config import Settings
    from community_metrics.storage.snapshot import Look, Snapshot

READ_TIMEOUT_S: Final = 10.0
_CLOSED_RUNS: Final = 4

Content = TypeVar("Content")


class DataKey(NamedTuple):
    """What the stored data follow from: equal keys mean equal rows in all tables but `history` and `leases`.

    A run shows what it wrote when it is closed, or when it lost its lease. Compaction moves the versions of
    the tables and changes none of this.
    """

    closed_runs: tuple[tuple[str, datetime | None], ...]
    """The ids of the newest ones, and when they ended."""
    abandoned_runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables at the last look."""

    snapshot: Snapshot
    key: DataKey

    @property
    def newest_run(self) -> str | None:
        """The run that started last, open or closed."""
        return next((run.ingestion_run_id for run in self.snapshot.look.runs), None)


class ReadDatabase:
    """What every request reads from; without a store, so that the API cannot write."""

    def __init__(
        self,
        settings: Settings,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
        reader_type: type[LanceDBReader] = LanceDBReader,
    ) -> None:
        self._settings = settings
        self._reader_type = reader_type
        self._reader: LanceDBReader | None = None
        self._source = SnapshotSource(settings, reader_type)
        self._tables: Tables | None = None
        self._failed: Tables | None = None
        """The tables of a snapshot that could not be read: a look under way must not keep them."""
        self._looking: asyncio.Task[Tables] | None = None
        self.read_timeout_s: Final = read_timeout_s
        """How long a look, a body, or one piece of an export may take, in seconds."""

    @property
    def reader(self) -> LanceDBReader:
        """A reader of the newest versions, for exports; it connects at its first read."""
        if self._reader is None:
            self._reader = self._reader_type.open(self._settings, consistency_s=0.0)
        return self._reader

    def load_client(self) -> None:
        """Import LanceDB before a timeout starts: that takes seconds on a cold machine."""
        LanceDBReader.load_client()

    async def look(self, now: datetime) -> Tables:
        """Return the tables as they are now; concurrent calls share one look.

        Raises:
            StorageError: storage failed, or did not respond in time.
        """
        if self._looking is None or self._looking.done():
            self.load_client()
            self._looking = asyncio.create_task(self._look(now))
            self._looking.add_done_callback(_retrieve_exception)
        return await asyncio.shield(self._looking)  # the first client may disconnect while others wait

    async def read(
        self, load: Callable[[LanceDBReader], Awaitable[Content]], now: datetime
    ) -> tuple[Content, Mapping[str, int]]:
        """Return what `load` reads from one version of every table, and those versions.

        It is read once more from a new snapshot if the first one fails: a run may have removed its files.

        Raises:
            StorageError: storage failed.
        """
        self.load_client()
        tables = self._tables or await self.look(now)
        try:
            return await load(tables.snapshot.reader), tables.snapshot.versions
        except StorageError:
            if self._tables is tables:
                self._tables, self._failed = None, tables
            snapshot = (self._tables or await self.look(now)).snapshot
            return await load(snapshot.reader), snapshot.versions

    async def close(self) -> None:
        """Close the connections; the next request would open others."""
        if self._looking is not None:
            self._looking.cancel()
        self._tables = None
        self._source.close()
        if self._reader is not None:
            await self._reader.close()
            self._reader = None

    async def _look(self, now: datetime) -> Tables:
        try:
            async with asyncio.timeout(self.read_timeout_s):
                self._tables = await self._newest(self._tables, now)
        except TimeoutError:
            raise StorageUnavailable(f"LanceDB did not respond within {self.read_timeout_s:g} s.") from None
        return self._tables

    async def _newest(self, before: Tables | None, now: datetime) -> Tables:
        had_open_run = before is not None and bool(before.snapshot.look.open_runs)
        look = await self._source.look(with_lease=had_open_run)
        key = _data_key(look, now)
        if before is None or before is self._failed or key != before.key:
            snapshot = await self._source.snapshot(look)
            return Tables(snapshot, key)
        if look.agrees_with(before.snapshot.look) and look.lease == before.snapshot.look.lease:
            return before
        # an open run may have merged rows already: they are shown when it closes, not half of them before
        return replace(before, snapshot=self._source.renewed(before.snapshot.tables, look))


def _data_key(look: Look, now: datetime) -> DataKey:
    # several, because a run that lost its lease may close after a newer one, and clocks of hosts differ
    closed = [run for run in look.runs if run.status is not RunStatus.RUNNING]
    ahead = [run for run in closed if run.started_at >= end_of_today(now)]
    newest = closed[: len(ahead) + _CLOSED_RUNS]
    ends = tuple((run.ingestion_run_id, run.finished_at) for run in newest)
    return DataKey(ends, abandoned_runs(look.open_runs, look.lease, now))


def _retrieve_exception(look: asyncio.Task[Tables]) -> None:
    """Keep asyncio from reporting the error of a look that nobody waits for any more."""
    if not look.cancelled():
        look.exception()
