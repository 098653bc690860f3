"""Values that a registry changed after they were stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import StatRow
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness


@dataclass(frozen=True, slots=True)
class Restatements:
    """Restated rows, last restated first; `has_more` when `limit` cut them off."""

    rows: tuple[StatRow, ...]
    has_more: bool
    freshness: Freshness


async def load_restatements(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_ids: Sequence[str],
    since: datetime | None,
    limit: int,
) -> Restatements:
    """Return what registries restated, of all metrics or of some.

    Raises:
        UnknownName: one of the metrics is not stored.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    ids = [stored.metric(metric_id).metric_id for metric_id in metric_ids]
    rows = await reader.restatements(metric_ids=ids or None, since=since, limit=limit + 1)
    return Restatements(tuple(rows[:limit]), len(rows) > limit, await load_freshness(reader, now))
