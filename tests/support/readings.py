"""Columns for the pure rules of `series`, from rows that a test spells out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from community_metrics.model import MetricDefinition
from community_metrics.readings import Readings
from community_metrics.series import points as rules
from community_metrics.storage.columns import STORED, rows_of
from community_metrics.storage.schemas import STATS
from tests.support.clock import NOON
from tests.support.rows import METRIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from community_metrics.model import SourceWindow, StatRow, ValueKind
    from community_metrics.periods import Period
    from community_metrics.series.grid import PointSeries


def readings_of(rows: Iterable[StatRow], metric_ids: Iterable[str] = ()) -> Readings:
    """Return the rows as storage reads them: of the named metrics, and of those that the rows have."""
    listed = list(rows)
    ids = list(dict.fromkeys([*metric_ids, *(row.metric_id for row in listed)]))
    (batch,) = STATS.to_arrow(listed).select(STORED).combine_chunks().to_batches() or [None]
    return Readings.of(ids, [] if batch is None else [rows_of(batch, pa.array(ids, pa.string()))])


def metric(
    metric_id: str,
    window: SourceWindow,
    fallbacks: Iterable[str] = (),
    *,
    kind: ValueKind | None = None,
    unit: str | None = None,
) -> MetricDefinition:
    """Return a metric of a package."""
    family, product, detail = metric_id.split(":")
    return MetricDefinition(
        metric_id=metric_id,
        metric_family=family,
        product=product,
        subject=product,
        sdk=detail,
        source="pypistats",
        value_kind=kind or window.usual_kind,
        unit=unit or family,
        source_window=window,
        fallbacks=tuple(fallbacks),
        display_name=metric_id,
        is_active=True,
        created_at=NOON,
    )


def points(
    rows: Sequence[StatRow],
    periods: Sequence[Period],
    *,
    window: SourceWindow,
    now: datetime,
    fallbacks: Sequence[StatRow] = (),
    kind: ValueKind | None = None,
    unit: str | None = None,
) -> PointSeries:
    """Return the points of one metric from its own rows, and those of its fallbacks in their order."""
    name = rows[0].metric_id if rows else METRIC
    others = dict.fromkeys(row.metric_id for row in fallbacks)
    readings = readings_of([*rows, *fallbacks], [name])
    own = metric(name, window, others, kind=kind, unit=unit)
    return rules.points([own], readings, periods, now).series(0)
