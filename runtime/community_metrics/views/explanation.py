"""What one metric counts: its definition, what may be done with its values, and its newest value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.periods import Grain, last_completed
from community_metrics.series.additive import reason_against_sums
from community_metrics.views.selection import StoredMetrics, declared_breaks
from community_metrics.views.series import load_last_weeks

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.series import MetricSeries

_ONE_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One metric, explained.

    `sum_problem` says why its values cannot be added to those of others; None if they can. `registry_id` is
    the total of its registry, to compare it with. `recent` has all stored weeks.
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
    first_day = await reader.first_day(metric_id)
    weeks = _weeks_since(first_day, now)
    return Explanation(
        metric=metric,
        is_watched=metric_id in catalog.watched,
        sum_problem=sum_problem(metric),
        breaks=declared_breaks(metric),
        first_day=first_day,
        registry_id=None if registry is None else registry.metric_id,
        recent=await load_last_weeks(reader, catalog, now, metric_id=metric_id, weeks=weeks),
    )


def sum_problem(metric: MetricDefinition) -> str | None:
    """Return why the values of a metric cannot be added to those of others; None if they can."""
    return reason_against_sums(metric)


def _weeks_since(first_day: date | None, now: datetime) -> int:
    """Return how many weeks are over since the oldest stored day, that one's own included."""
    last = last_completed(now, Grain.WEEK).end
    return 1 if first_day is None else max(1, (last - first_day) // _ONE_WEEK + 1)
