"""The kinds of storage: a folder, a bucket on moto's server, the stand-in for Enterprise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from community_metrics.model import Observation, SourceWindow
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.config import Settings
    from community_metrics.model import StatRow
    from community_metrics.storage.schemas import AnyTable
    from tests.support.enterprise import Enterprise

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY_ONE = date(2026, 1, 1)
METRIC = "downloads:lance:python"
OTHER = "downloads:lance:rust"


class SmallPagesStore(LanceDBStore):
    """Reads five rows at a time, so that a few rows fill several pages."""

    page_rows = 5
    batch_rows = 5
    result_rows = 5


@dataclass(frozen=True)
class World:
    """One place for one database; every `open` is another process as far as LanceDB can tell."""

    settings: Settings
    enterprise: Enterprise | None = None
    store_type: type[LanceDBStore] = SmallPagesStore

    def open(self) -> LanceDBStore:
        """Return a store with a connection of its own."""
        return self.store_type.open(self.settings)

    def open_out_of_date(self) -> LanceDBStore:
        """Return a store that does not read what others have written since it opened its tables."""
        return self.store_type.open(self.settings, consistency_s=None)

    def with_key(self, key: str) -> World:
        """Return the same place, opened with another key where it has keys."""
        if self.enterprise is None:
            return self
        settings = self.settings.model_copy(update={"lancedb_api_key": SecretStr(key)})
        return replace(self, settings=settings)

    def with_store(self, store_type: type[LanceDBStore]) -> World:
        """Return the same place, worked on by another kind of store."""
        return replace(self, store_type=store_type)


async def only_writer() -> None:
    """Renew nothing: the test is the only writer of its database."""


async def raw_table(store: LanceDBStore, spec: AnyTable) -> Any:
    """Return LanceDB's own handle, for writes that the store never does."""
    return (await store._database.table(spec)).handle


def observed(
    value: int,
    *,
    day: date = DAY_ONE,
    metric_id: str = METRIC,
    at: datetime = NOW,
    window: SourceWindow = SourceWindow.DAY,
) -> Observation:
    """Return one observation of one day."""
    return Observation(metric_id, day, day, value, window, at, "https://registry.example/x")


def observed_days(count: int, *, metric_id: str = METRIC, first_value: int = 100) -> list[Observation]:
    """Return `count` days from `DAY_ONE` on, each with a value of its own."""
    return [
        observed(first_value + offset, day=DAY_ONE + timedelta(days=offset), metric_id=metric_id)
        for offset in range(count)
    ]


def values(rows: Sequence[StatRow]) -> list[int]:
    """Return the values alone."""
    return [row.value for row in rows]
