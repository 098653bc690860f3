"""What the database holds of the metrics of a catalogue, read once for a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.series.freshness import StoredDays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import StatRow
    from community_metrics.storage import LanceDBReader


@dataclass(frozen=True, slots=True)
class Holding:
    """One metric with its rows since a day, those of its fallbacks, and the edges of all its rows."""

    metric: Metric
    rows: tuple[StatRow, ...] = ()
    fallback_rows: tuple[StatRow, ...] = ()
    first_day: date | None = None
    newest: StatRow | None = None

    @property
    def stored_days(self) -> StoredDays:
        """The metric as `freshness` wants it."""
        newest = () if self.newest is None else (self.newest.period_end,)
        return StoredDays(
            metric_id=self.metric.metric_id,
            source=self.metric.source,
            window=self.metric.window,
            first_day=self.first_day,
            days=frozenset((*(row.period_end for row in self.rows), *newest)),
            observed_at=None if self.newest is None else self.newest.observed_at,
        )


async def newest_day(reader: LanceDBReader, metrics: Sequence[Metric]) -> date | None:
    """Return the newest day that any of the metrics, or of their fallbacks, has a value for."""
    newest = [await reader.newest_row(metric_id) for metric_id in _with_fallbacks(metrics)]
    return max((row.period_end for row in newest if row is not None), default=None)


async def load_holdings(reader: LanceDBReader, metrics: Sequence[Metric], since: date) -> list[Holding]:
    """Read the rows of `metrics` and of their fallbacks whose last day is `since` or later."""
    stored = await reader.stats(_with_fallbacks(metrics), since=since)
    rows: dict[str, list[StatRow]] = {}
    for row in stored:
        rows.setdefault(row.metric_id, []).append(row)
    return [
        Holding(
            metric=metric,
            rows=tuple(rows.get(metric.metric_id, ())),
            fallback_rows=tuple(row for name in metric.fallbacks for row in rows.get(name, ())),
            first_day=await reader.first_day(metric.metric_id),
            newest=await reader.newest_row(metric.metric_id),
        )
        for metric in metrics
    ]


def product_names(catalog: Catalog) -> dict[str, str]:
    """Return what people call each product, by its id, in the order of the catalogue."""
    return {product.id: product.name for product in catalog.products}


def _with_fallbacks(metrics: Sequence[Metric]) -> list[str]:
    names = [name for metric in metrics for name in (metric.metric_id, *metric.fallbacks)]
    return list(dict.fromkeys(names))
