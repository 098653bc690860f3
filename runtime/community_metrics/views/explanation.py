"""What one metric counts: its definition, what may be done with its values, and its newest value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.errors import NotAdditive
from community_metrics.series.additive import require_additive
from community_metrics.views.selection import StoredMetrics, declared_breaks
from community_metrics.views.series import load_last_weeks

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.series import MetricSeries

_WEEKS: Final = 12
"""Weeks in which the newest complete value is searched."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One metric, explained.

    `sum_problem` says why its values cannot be added to those of others; None if they can. `registry_id` is
    the total of its registry, to compare it with.
    """

    metric: MetricDefinition
    is_watched: bool
    sum_problem: str | None
    breaks: tuple[LevelBreak, ...]
    first_day: date | None
    registry_id: str | None
    recent: MetricSeries


async def load_explanation(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, metric_id: str
) -> Explanation:
    """Return what a metric counts.

    Raises:
        UnknownName: the metric is not stored.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metric = stored.metric(metric_id)
    registry = stored.registry_of(metric)
    return Explanation(
        metric=metric,
        is_watched=metric_id in catalog.watched,
        sum_problem=sum_problem(metric),
        breaks=declared_breaks(metric),
        first_day=await reader.first_day(metric_id),
        registry_id=None if registry is None else registry.metric_id,
        recent=await load_last_weeks(reader, catalog, now, metric_id=metric_id, weeks=_WEEKS),
    )


def sum_problem(metric: MetricDefinition) -> str | None:
    """Return why the values of a metric cannot be added to those of others; None if they can."""
    try:
        require_additive([metric])
    except NotAdditive as error:
        return error.reason
    return None
