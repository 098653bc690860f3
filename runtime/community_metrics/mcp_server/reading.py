"""How a tool reads: one version of the tables, as its viewer may see them, with bounded memory and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from community_metrics.api.admission import Admission
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.views.public import seen_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import Visibility
    from community_metrics.storage.reader import LanceDBReader

TIME_LIMIT_S: Final = 60.0
"""How long one tool may take, in seconds; clients give up after about as long."""
_AT_ONCE, _WAITING, _WAIT_S = 2, 16, 20.0

View = TypeVar("View")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Readings:
    """What all tools read from: the database without a way to write, the catalogue, the clock, the turns.

    `has_team` says whether any request can have an accepted token.
    """

    database: ReadDatabase
    catalog: Catalog
    clock: Clock
    turns: Admission
    has_team: bool

    @classmethod
    def of(cls, settings: Settings, clock: Clock | None = None) -> Readings:
        """Return what the tools read from under these settings; it connects at its first read.

        Raises:
            ConfigurationError: the catalogue is invalid.
        """
        return cls(
            ReadDatabase(settings),
            load_catalog(settings.catalog),
            clock or SystemClock(),
            Admission(at_once=_AT_ONCE, waiting=_WAITING, wait_s=_WAIT_S, limit_s=TIME_LIMIT_S),
            bool(settings.api_token_hashes),
        )

    async def answer(
        self,
        viewer: Visibility,
        load: Callable[[LanceDBReader, Catalog, datetime], Awaitable[View]],
        build: Callable[[View, Mapping[str, int]], Answer],
    ) -> Answer:
        """Return what `build` makes, in a thread, of what `load` reads for a viewer.

        Raises:
            StorageError: storage failed or was too slow.
            ViewError: the view cannot be made for these arguments.
            Busy: too many tools run.
            TookTooLong: the tool did not end in time.
        """
        now = self.clock.now()
        async with self.turns.turn():
            await self.database.look(now)
            view, versions = await self.database.read(
                lambda reader: load(*self._seen_by(viewer, reader), now), now
            )
            return await self.turns.in_thread(lambda: build(view, versions))

    def _seen_by(self, viewer: Visibility, reader: LanceDBReader) -> tuple[LanceDBReader, Catalog]:
        return seen_by(viewer, reader, self.catalog, has_team=self.has_team)
